"""Boston housing: 506 districts, 13 attributes, median house prices."""

from __future__ import annotations

import os

import numpy as np

from kerasish.datasets.locate import KERAS_URL, DataFile, locate, renamed
from kerasish.datasets.splitting import shuffle, split

FILES = (
    DataFile(
        "boston_housing.npz",
        KERAS_URL + "boston_housing.npz",
        "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
    ),
)


def load_data(
    path: str = "boston_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
    cache_dir: str | os.PathLike[str] | None = None,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Load 13 attributes of each district and its median house price in 1,000 dollars, shuffled and split.

    Its attribute "B" supposes that segregation raises prices; `california_housing` is the better choice.

    Args:
        path: file name in the directory of data sets.
        test_split: share of the rows in the test set, at least 0, below 1.
        seed: seed of the shuffle.
        cache_dir: `$KERAS_HOME` or `~/.keras` by default.

    Shapes:
        `(x_train, y_train), (x_test, y_test)`: float64 `(404, 13)`, `(404,)`, `(102, 13)`, `(102,)`.

    Raises:
        FileNotFoundError: no copy is here and none can be fetched.

    Source: Harrison and Rubinfeld, 1978, *Hedonic housing prices and the demand for clean air*.
    """
    file = renamed(FILES[0], path)
    with np.load(locate(file, cache_dir), allow_pickle=False) as content:
        return split(*shuffle(content["x"], content["y"], seed), test_split)
