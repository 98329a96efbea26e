"""Fashion-MNIST: 70,000 grey pictures of clothes, 28 × 28, in 10 classes."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np

from kerasish.datasets.locate import KERAS_URL, DataFile, locate

_DIGESTS = {
    "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
FILES = tuple(
    DataFile(
        f"fashion-mnist/{name}",
        KERAS_URL + name,
        digest,
        hint="On Debian and Ubuntu, `apt install dataset-fashion-mnist` brings it.",
    )
    for name, digest in _DIGESTS.items()
)


def load_data(
    cache_dir: str | os.PathLike[str] | None = None,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Load the 60,000 training and 10,000 test pictures.

    The labels are 0 T-shirt/top, 1 trouser, 2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt, 7 sneaker, 8 bag,
    9 ankle boot.

    Args:
        cache_dir: `$KERAS_HOME` or `~/.keras` by default.

    Shapes:
        `(x_train, y_train), (x_test, y_test)`: uint8 `(60000, 28, 28)`, `(60000,)`, `(10000, 28, 28)`,
        `(10000,)`, pixels 0 to 255.

    Raises:
        FileNotFoundError: no copy is here and none can be fetched.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()
        >>> x_train.shape, y_train[:5].tolist()
        ((60000, 28, 28), [9, 0, 0, 3, 0])

    Source: Xiao, Rasul and Vollgraf, 2017, *Fashion-MNIST*, arXiv:1708.07747. MIT licence.
    """
    x_train, y_train, x_test, y_test = (read_idx(locate(file, cache_dir)) for file in FILES)
    return (x_train, y_train), (x_test, y_test)


def read_idx(path: Path) -> np.ndarray:
    """Read a gzipped IDX file of unsigned bytes: two zero bytes, type 8, rank, sizes (big-endian), data."""
    with gzip.open(path) as stream:
        content = bytearray(stream.read())
    if content[:3] != b"\x00\x00\x08":
        raise ValueError(
            f"{path} is not an IDX file of unsigned bytes. Received: it begins with {bytes(content[:4])!r}"
        )
    rank = content[3]
    shape = np.frombuffer(content, ">u4", count=rank, offset=4)
    return np.frombuffer(content, "uint8", offset=4 + 4 * rank).reshape(shape)
