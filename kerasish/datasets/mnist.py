"""MNIST: 70,000 grey pictures of handwritten digits, 28 × 28."""

from __future__ import annotations

import os

import numpy as np

from kerasish.datasets.locate import KERAS_URL, DataFile, locate, renamed

FILES = (
    DataFile(
        "mnist.npz",
        KERAS_URL + "mnist.npz",
        "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
    ),
)


def load_data(
    path: str = "mnist.npz", cache_dir: str | os.PathLike[str] | None = None
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Load the 60,000 training and 10,000 test digits.

    Args:
        path: file name in the directory of data sets.
        cache_dir: `$KERAS_HOME` or `~/.keras` by default.

    Shapes:
        `(x_train, y_train), (x_test, y_test)`: uint8 `(60000, 28, 28)`, `(60000,)`, `(10000, 28, 28)`,
        `(10000,)`, pixels 0 to 255.

    Raises:
        FileNotFoundError: no copy is here and none can be fetched.

    Source: LeCun et al., 1998, *Gradient-based learning applied to document recognition*.
    """
    with np.load(locate(renamed(FILES[0], path), cache_dir), allow_pickle=False) as content:
        return (content["x_train"], content["y_train"]), (content["x_test"], content["y_test"])
