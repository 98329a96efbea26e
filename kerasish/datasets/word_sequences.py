"""Texts as lists of word ranks, with the limits and special characters that IMDB and Reuters share."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np


def read_arrays(path: Path, *names: str) -> list[np.ndarray]:
    """Read ragged arrays, which are pickled: `path` must have passed its hash."""
    with np.load(path, allow_pickle=True) as content:
        return [content[name] for name in names]


def read_word_index(path: Path) -> dict[str, int]:
    """Read a JSON file of word → rank."""
    return json.loads(path.read_text(encoding="utf-8"))


def mark_start(sequences: Iterable, start_char: int | None, index_from: int | None) -> list[list[int]]:
    """Shift every rank by `index_from` and put `start_char` in front."""
    if start_char is not None:
        return [[start_char, *(word + (index_from or 0) for word in words)] for words in sequences]
    return [[word + (index_from or 0) for word in words] for words in sequences]


def drop_long(
    sequences: list[list[int]], labels: np.ndarray, maxlen: int | None
) -> tuple[list[list[int]], np.ndarray]:
    """Leave out the texts of `maxlen` words and more."""
    if not maxlen:
        return sequences, labels
    kept = [index for index, words in enumerate(sequences) if len(words) < maxlen]
    if not kept:
        raise ValueError(
            f"Every text has {maxlen} words or more: increase `maxlen`. Received: maxlen={maxlen}"
        )
    return [sequences[index] for index in kept], labels[kept]


def limit_words(
    sequences: list[list[int]], num_words: int | None, skip_top: int, oov_char: int | None
) -> np.ndarray:
    """Replace what is not in `skip_top <= rank < num_words` by `oov_char`, or leave it out for None."""
    limit = num_words or max((max(words) for words in sequences if words), default=0)
    if oov_char is None:
        limited = [[word for word in words if skip_top <= word < limit] for words in sequences]
    else:
        limited = [[w if skip_top <= w < limit else oov_char for w in words] for words in sequences]
    ragged = np.empty(len(limited), dtype=object)
    ragged[:] = limited
    return ragged
