"""The file format that CIFAR-10 and CIFAR-100 share."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from kerasish.config import image_data_format, keras_home
from kerasish.datasets.locate import DataFile, locate
from kerasish.utils.file_utils import unpack, writable_cache


class _ArrayUnpickler(pickle.Unpickler):
    """Reads pickled arrays, and nothing that could run code."""

    def find_class(self, module: str, name: str) -> Any:
        allowed = {
            "numpy": ("ndarray", "dtype"),
            "numpy.core.multiarray": ("_reconstruct",),
            "numpy._core.multiarray": ("_reconstruct",),
            "numpy._core.numeric": ("_frombuffer",),
        }
        if name not in allowed.get(module, ()):
            raise pickle.UnpicklingError(f"A CIFAR batch holds arrays only. Received: {module}.{name}")
        return super().find_class(module, name)


def load_batch(fpath: str | os.PathLike[str], label_key: str = "labels") -> tuple[np.ndarray, list[int]]:
    """Read one batch file: uint8 pictures `(n, 3, 32, 32)` and their labels."""
    with Path(fpath).open("rb") as stream:
        batch = _ArrayUnpickler(stream, encoding="bytes").load()
    pictures = batch[b"data"]
    return pictures.reshape(len(pictures), 3, 32, 32), list(batch[label_key.encode()])


def batches_directory(archive: DataFile, folder: str, cache_dir: str | os.PathLike[str] | None) -> Path:
    """The directory of unpacked batches: Keras 2's or Keras 3's place, or unpacked now from the archive."""
    root = (Path(cache_dir).expanduser() if cache_dir else keras_home()) / "datasets"
    for directory in (root / folder, root / f"{folder}-target" / folder):
        if directory.is_dir():
            return directory
    path = locate(archive, cache_dir)
    directory = writable_cache(cache_dir) / "datasets" / f"{folder}-target"
    if not directory.is_dir():
        unpack(path, directory, "tar")
    return directory / folder


def read_pictures(paths: list[Path], label_key: str, label_dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Join batches: pictures `(n, 32, 32, 3)` (or channels first, as configured) and labels `(n, 1)`."""
    batches = [load_batch(path, label_key) for path in paths]
    pictures = np.concatenate([pictures for pictures, _ in batches])
    labels = np.concatenate([np.asarray(labels, label_dtype) for _, labels in batches])
    if image_data_format() == "channels_last":
        pictures = np.ascontiguousarray(pictures.transpose(0, 2, 3, 1))
    return pictures, labels.reshape(-1, 1)
