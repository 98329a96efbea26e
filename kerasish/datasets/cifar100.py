"""CIFAR-100: 60,000 colour pictures, 32 × 32, in 100 classes."""

from __future__ import annotations

import os

import numpy as np

from kerasish.datasets.cifar import batches_directory, read_pictures
from kerasish.datasets.locate import DataFile

FOLDER = "cifar-100-python"
FILES = (
    DataFile(
        f"{FOLDER}-target_archive",
        "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    ),
)


def load_data(
    label_mode: str = "fine", cache_dir: str | os.PathLike[str] | None = None
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Load the 50,000 training and 10,000 test pictures.

    Args:
        label_mode: `"fine"`, 100 classes, or `"coarse"`, the 20 groups of them.
        cache_dir: `$KERAS_HOME` or `~/.keras` by default.

    Shapes:
        `(x_train, y_train), (x_test, y_test)`: uint8 `(50000, 32, 32, 3)`, int64 `(50000, 1)`, and
        10,000 of each; pixels 0 to 255; `(…, 3, 32, 32)` where `image_data_format()` is `"channels_first"`.

    Raises:
        FileNotFoundError: no copy is here and none can be fetched.

    Source: Krizhevsky, 2009, *Learning multiple layers of features from tiny images*.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(f"`label_mode` must be 'fine' or 'coarse'. Received: label_mode={label_mode!r}")
    directory = batches_directory(FILES[0], FOLDER, cache_dir)
    key = f"{label_mode}_labels"
    return read_pictures([directory / "train"], key, "int64"), read_pictures(
        [directory / "test"], key, "int64"
    )
