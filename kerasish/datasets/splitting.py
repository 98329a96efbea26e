"""Shuffling and splitting of data sets that come in one piece, with Keras's seeds."""

from __future__ import annotations

import numpy as np


def shuffle(x: np.ndarray, y: np.ndarray, seed: int | np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Put the rows of `x` and `y` in one random order."""
    generator = seed if isinstance(seed, np.random.RandomState) else np.random.RandomState(seed)
    order = np.arange(len(x))
    generator.shuffle(order)
    return x[order], y[order]


def split(
    x: np.ndarray, y: np.ndarray, test_split: float
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Cut off the last `test_split` of the rows as test set."""
    if not 0 <= test_split < 1:
        raise ValueError(f"`test_split` must be at least 0 and below 1. Received: test_split={test_split}")
    count = int(len(x) * (1 - test_split))
    return (x[:count], y[:count]), (x[count:], y[count:])
