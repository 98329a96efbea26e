"""CIFAR-10: 60,000 colour pictures, 32 × 32, in 10 classes."""

from __future__ import annotations

import os

import numpy as np

from kerasish.datasets.cifar import batches_directory, read_pictures
from kerasish.datasets.locate import DataFile

FOLDER = "cifar-10-batches-py"
FILES = (
    DataFile(
        f"{FOLDER}-target_archive",
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    ),
)


def load_data(
    cache_dir: str | os.PathLike[str] | None = None,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Load the 50,000 training and 10,000 test pictures.

    The labels are 0 airplane, 1 automobile, 2 bird, 3 cat, 4 deer, 5 dog, 6 frog, 7 horse, 8 ship, 9 truck.

    Args:
        cache_dir: `$KERAS_HOME` or `~/.keras` by default.

    Shapes:
        `(x_train, y_train), (x_test, y_test)`: uint8 `(50000, 32, 32, 3)`, uint8 `(50000, 1)`, and
        10,000 of each; pixels 0 to 255; `(…, 3, 32, 32)` where `image_data_format()` is `"channels_first"`.

    Raises:
        FileNotFoundError: no copy is here and none can be fetched.

    Source: Krizhevsky, 2009, *Learning multiple layers of features from tiny images*.
    """
    directory = batches_directory(FILES[0], FOLDER, cache_dir)
    train = read_pictures([directory / f"data_batch_{number}" for number in range(1, 6)], "labels", "uint8")
    return train, read_pictures([directory / "test_batch"], "labels", "uint8")
