"""California housing: 20,640 block groups of the 1990 census, 8 attributes, median house values."""

from __future__ import annotations

import os

import numpy as np

from kerasish.datasets.locate import KERAS_URL, DataFile, locate, renamed
from kerasish.datasets.splitting import shuffle, split

FILES = (
    DataFile(
        "california_housing.npz",
        KERAS_URL + "california_housing.npz",
        "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
    ),
)
SMALL = 600


def load_data(
    version: str = "large",
    path: str = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
    cache_dir: str | os.PathLike[str] | None = None,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Load 8 attributes of each block group and its median house value in dollars, shuffled and split.

    Args:
        version: `"large"`, all 20,640 rows, or `"small"`, the first 600 of them.
        path: file name in the directory of data sets.
        test_split: share of the rows in the test set, at least 0, below 1.
        seed: seed of the shuffle.
        cache_dir: `$KERAS_HOME` or `~/.keras` by default.

    Shapes:
        `(x_train, y_train), (x_test, y_test)`: `(16512, 8)`, `(16512,)`, `(4128, 8)`, `(4128,)` if large.

    Raises:
        FileNotFoundError: no copy is here and none can be fetched.

    Source: Pace and Barry, 1997, *Sparse spatial autoregressions*.
    """
    if version not in ("small", "large"):
        raise ValueError(f"`version` must be 'small' or 'large'. Received: version={version!r}")
    rows = SMALL if version == "small" else None
    file = renamed(FILES[0], path)
    with np.load(locate(file, cache_dir), allow_pickle=False) as content:
        return split(*shuffle(content["x"][:rows], content["y"][:rows], seed), test_split)
