"""The batches that `adapt` reads, from whatever data comes in."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from kerasish.arrays import is_array

ROWS = 1024


def batches(data: Any, steps: int | None = None, batch_size: int | None = None) -> Iterator[Any]:
    """The inputs in an array, a DataLoader, a torch Dataset, a `PyDataset`, or any iterable of batches.

    A batch that is a tuple `(x, y)` or `(x, y, sample_weight)` gives its `x`.

    Args:
        data: where the batches come from.
        steps: number of batches to read, all by default.
        batch_size: number of records to read at once from an array, all by default.
    """
    array = _as_array(data)
    if array is not None:
        if steps is not None and batch_size is None:
            raise ValueError(
                "`steps` counts batches, an array is one: leave `steps` out, or pass a part of the array. "
                f"Received: steps={steps}"
            )
        size = batch_size or max(1, len(array))
        starts = range(0, max(1, len(array)), size)
        for start in starts if steps is None else starts[:steps]:
            yield array[start : start + size]
        return
    if batch_size is not None:
        raise ValueError(
            f"`batch_size` must not be given with a {type(data).__name__}, which makes the batches itself. "
            f"Received: batch_size={batch_size}"
        )
    if isinstance(data, torch.utils.data.Dataset):
        data = torch.utils.data.DataLoader(data, batch_size=ROWS)
    elif not hasattr(data, "__iter__"):
        if not (hasattr(data, "__getitem__") and hasattr(data, "__len__")):
            raise TypeError(
                "`adapt` takes an array, a list, a DataLoader, a Dataset, or an iterable of batches. "
                f"Received: {type(data)}"
            )
        data = map(data.__getitem__, range(len(data)))
    for batch in itertools.islice(data, steps):
        yield batch[0] if _is_pair(batch) else batch


def _is_pair(batch: Any) -> bool:
    """Whether a batch is `(x, y, …)` rather than a list of records."""
    if isinstance(batch, tuple) and batch and not isinstance(batch[0], (str, bytes, int, float)):
        return True
    return isinstance(batch, (tuple, list)) and not is_array(batch)


def _as_array(data: Any) -> Any:
    """The data as one array, where it is one: a list of equal arrays is one, too."""
    if isinstance(data, str):
        return np.array([data])
    if is_array(data):
        return data
    is_list = isinstance(data, (list, tuple))
    if is_list and data and all(isinstance(item, np.ndarray) for item in data):
        return np.stack(data) if len({item.shape for item in data}) == 1 else None
    return np.array(data) if is_list and not data else None
