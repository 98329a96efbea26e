"""Reuters: 11,228 newswires as word ranks, in 46 topics."""

from __future__ import annotations

import os

import numpy as np

from kerasish.datasets.locate import KERAS_URL, DataFile, locate, renamed
from kerasish.datasets.splitting import shuffle, split
from kerasish.datasets.word_sequences import drop_long, limit_words, mark_start, read_arrays, read_word_index

FILES = (
    DataFile(
        "reuters.npz",
        KERAS_URL + "reuters.npz",
        "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916",
    ),
    DataFile(
        "reuters_word_index.json",
        KERAS_URL + "reuters_word_index.json",
        "4d44cc38712099c9e383dc6e5f11a921",
    ),
)
LABEL_NAMES = (
    "cocoa", "grain", "veg-oil", "earn", "acq", "wheat", "copper", "housing", "money-supply", "coffee",
    "sugar", "trade", "reserves", "ship", "cotton", "carcass", "crude", "nat-gas", "cpi", "money-fx",
    "interest", "gnp", "meal-feed", "alum", "oilseed", "gold", "tin", "strategic-metal", "livestock",
    "retail", "ipi", "iron-steel", "rubber", "heat", "jobs", "lei", "bop", "zinc", "orange", "pet-chem",
    "dlr", "gas", "silver", "wpi", "hog", "lead",
)  # fmt: skip


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    cache_dir: str | os.PathLike[str] | None = None,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Load the newswires, shuffled and split; word 1 is the most frequent, 0 is left for padding.

    Args:
        path: file name in the directory of data sets.
        num_words: keep ranks below this, counted after `index_from`; by default, all but the highest.
        skip_top: leave out ranks below this.
        maxlen: leave out newswires of this many words and more.
        test_split: share of the newswires in the test set.
        seed: seed of the shuffle.
        start_char: put before every newswire; None for nothing.
        oov_char: put for every word left out; None to put nothing.
        index_from: added to every rank.
        cache_dir: `$KERAS_HOME` or `~/.keras` by default.

    Shapes:
        `(x_train, y_train), (x_test, y_test)`: object arrays of lists of ints, int64 labels 0 to 45.

    Raises:
        FileNotFoundError: no copy is here and none can be fetched.

    Source: Reuters-21578, Lewis, 1997.
    """
    x, y = read_arrays(locate(renamed(FILES[0], path), cache_dir), "x", "y")
    x, y = shuffle(x, y, seed)
    sequences, y = drop_long(mark_start(x, start_char, index_from), y, maxlen)
    return split(limit_words(sequences, num_words, skip_top, oov_char), y, test_split)


def get_word_index(
    path: str = "reuters_word_index.json", cache_dir: str | os.PathLike[str] | None = None
) -> dict[str, int]:
    """Return word → rank; `load_data` has added `index_from` to these."""
    return read_word_index(locate(renamed(FILES[1], path), cache_dir))


def get_label_names() -> tuple[str, ...]:
    """Return the names of the 46 topics, in the order of the labels."""
    return LABEL_NAMES
