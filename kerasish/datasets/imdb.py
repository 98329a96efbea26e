"""IMDB: 50,000 film reviews as word ranks, praise or blame."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from kerasish.datasets.locate import KERAS_URL, DataFile, locate, renamed
from kerasish.datasets.splitting import shuffle
from kerasish.datasets.word_sequences import drop_long, limit_words, mark_start, read_arrays, read_word_index

FILES = (
    DataFile(
        "imdb.npz",
        KERAS_URL + "imdb.npz",
        "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    ),
    DataFile("imdb_word_index.json", KERAS_URL + "imdb_word_index.json", "bfafd718b763782e994055a2d397834f"),
)


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    cache_dir: str | os.PathLike[str] | None = None,
    **kwargs: Any,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Load 25,000 training and 25,000 test reviews; word 1 is the most frequent, 0 is left for padding.

    Args:
        path: file name in the directory of data sets.
        num_words: keep ranks below this, counted after `index_from`; by default, all but the highest.
        skip_top: leave out ranks below this.
        maxlen: leave out reviews of this many words and more.
        seed: seed of the shuffle.
        start_char: put before every review; None for nothing.
        oov_char: put for every word left out; None to put nothing.
        index_from: added to every rank.
        cache_dir: `$KERAS_HOME` or `~/.keras` by default.
        kwargs: `nb_words`, Keras 1's name of `num_words`.

    Shapes:
        `(x_train, y_train), (x_test, y_test)`: object arrays of lists of ints, int64 labels 0 or 1.

    Raises:
        FileNotFoundError: no copy is here and none can be fetched.

    Source: Maas et al., 2011, *Learning word vectors for sentiment analysis*.
    """
    num_words = kwargs.pop("nb_words", num_words)
    if kwargs:
        raise TypeError(f"Unrecognized keyword arguments of imdb.load_data: {sorted(kwargs)}")
    x_train, y_train, x_test, y_test = read_arrays(
        locate(renamed(FILES[0], path), cache_dir), "x_train", "y_train", "x_test", "y_test"
    )
    generator = np.random.RandomState(seed)
    x_train, y_train = shuffle(x_train, y_train, generator)
    x_test, y_test = shuffle(x_test, y_test, generator)
    train, y_train = drop_long(mark_start(x_train, start_char, index_from), y_train, maxlen)
    test, y_test = drop_long(mark_start(x_test, start_char, index_from), y_test, maxlen)
    limited = limit_words(train + test, num_words, skip_top, oov_char)
    return (limited[: len(train)], y_train), (limited[len(train) :], y_test)


def get_word_index(
    path: str = "imdb_word_index.json", cache_dir: str | os.PathLike[str] | None = None
) -> dict[str, int]:
    """Return word → rank; `load_data` has added `index_from` to these."""
    return read_word_index(locate(renamed(FILES[1], path), cache_dir))
