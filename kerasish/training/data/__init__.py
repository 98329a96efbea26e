"""Training data in whatever form it comes, as batches of tensors on the model's device."""

from __future__ import annotations

from typing import Any

import torch

from kerasish.arrays import is_array, is_array_structure
from kerasish.training.data.arrays import ArrayData
from kerasish.training.data.iterables import IterableData
from kerasish.training.data.py_dataset import PyDataset, PyDatasetData


def make_data(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = None,
    shuffle: Any = False,
    class_weight: dict[int, float] | None = None,
    steps: int | None = None,
    device: torch.device | None = None,
    text: bool = False,
) -> Any:
    """Return the batches of `fit`, `evaluate` and `predict` arguments; `text` allows strings in `x`.

    Raises:
        ValueError: lengths differ, data is empty, or an argument does not go with this kind of data.
        TypeError: the kind of data is not understood.
    """
    if x is None:
        raise ValueError(
            "`x` must be given: arrays, tensors, a DataLoader, a PyDataset or a generator of batches."
        )
    if is_array_structure(x):
        return ArrayData(x, y, sample_weight, batch_size, shuffle, class_weight, steps, device, text)
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(
                f"`{name}` must not be given when `x` is a {type(x).__name__}: its batches bring their own targets and "
                "weights, as tuples (x, y) or (x, y, sample_weight)."
            )
    if isinstance(x, PyDataset):
        return PyDatasetData(x, shuffle, class_weight, steps, device, text)
    if isinstance(x, torch.utils.data.Dataset):
        if isinstance(x, torch.utils.data.IterableDataset):
            x = torch.utils.data.DataLoader(x, batch_size=batch_size or 32)
        else:
            x = torch.utils.data.DataLoader(x, batch_size=batch_size or 32, shuffle=bool(shuffle))
        return IterableData(x, class_weight, steps, device, text)
    if batch_size is not None and not isinstance(x, torch.utils.data.DataLoader):
        raise ValueError(
            f"`batch_size` must not be given when `x` is a {type(x).__name__}, which makes the batches itself. "
            f"Received: batch_size={batch_size}"
        )
    if hasattr(x, "__iter__"):
        return IterableData(x, class_weight, steps, device, text)
    raise TypeError(
        "`x` must be arrays, tensors, data frames (or lists and dictionaries of them), a torch "
        "Dataset or DataLoader, a "
        f"PyDataset, or an iterable of batches. Received: {type(x)}"
    )


__all__ = ["ArrayData", "IterableData", "PyDataset", "PyDatasetData", "is_array", "make_data"]
