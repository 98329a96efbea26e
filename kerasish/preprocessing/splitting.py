"""A data set cut in two."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch

from kerasish.arrays import is_array, is_array_structure
from kerasish.errors import received
from kerasish.preprocessing.dataset import Dataset, new_seed


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Any, Any]:
    """Cut a data set into its first and its last elements.

    Args:
        dataset: an array, a tuple, list or dictionary of arrays, a `Dataset`, a torch `Dataset`, or any other iterable,
            whose elements are then kept in memory.
        left_size: elements of the first part: a number, or a share of the whole.
        right_size: elements of the second part; what is left by default, and the other way round.
        shuffle: mix the elements first.
        seed: fixes the order: the same as Keras with TensorFlow.
        preferred_backend: `"torch"` for two torch `Subset`s; else that is what a torch `Dataset` gives, and all other
            kinds give `Dataset`s.

    Raises:
        TypeError: `dataset` is none, or a size is no number.
        ValueError: a size does not fit.

    Example:
        >>> left, right = split_dataset(np.arange(10), left_size=0.8)
        >>> len(left), [int(x) for x in right]
        (8, [8, 9])

    Differs: Keras on torch returns `Subset`s of mixed order, whatever `shuffle` says.
    """
    if preferred_backend not in (None, "torch"):
        raise ValueError(
            f"`preferred_backend` must be 'torch' or None. Received: preferred_backend={preferred_backend!r}"
        )
    is_torch = isinstance(dataset, torch.utils.data.Dataset) and hasattr(dataset, "__len__")
    if is_torch:
        elements = dataset
    elif is_array(dataset) or (is_array_structure(dataset) and dataset):
        elements = list(
            Dataset.from_tensor_slices(
                tuple(dataset) if isinstance(dataset, list) and not is_array(dataset) else dataset
            )
        )
    elif hasattr(dataset, "__iter__") and not isinstance(dataset, (str, bytes)):
        elements = list(dataset)
    else:
        raise TypeError(
            "`dataset` must be arrays, a Dataset, a torch Dataset or another iterable of elements. "
            f"Received: {received(dataset)}"
        )
    count = len(elements)
    left, right = _sizes(count, left_size, right_size)
    order = list(range(count))
    if shuffle:
        random.Random(new_seed() if seed is None else seed).shuffle(order)
    parts = (order[:left], order[count - right :])
    if is_torch or preferred_backend == "torch":
        return tuple(torch.utils.data.Subset(elements, part) for part in parts)  # type: ignore[return-value]
    return tuple(_select(elements, part) for part in parts)  # type: ignore[return-value]


def _select(elements: Any, order: list[int]) -> Dataset:
    return Dataset(lambda: (elements[i] for i in order), len(order))


def _sizes(count: int, left_size: Any, right_size: Any) -> tuple[int, int]:
    if left_size is None and right_size is None:
        raise ValueError("One of `left_size` and `right_size` must be given.")
    sizes: list[int | None] = []
    for name, size in (("left_size", left_size), ("right_size", right_size)):
        if size is not None and (not isinstance(size, (int, float, np.number)) or isinstance(size, bool)):
            raise TypeError(f"`{name}` must be an integer, or a share between 0 and 1. Received: {size!r}")
        is_share = isinstance(size, (float, np.floating))
        if size is not None and not (0 < size < 1 if is_share else 0 < size < count):
            raise ValueError(
                f"`{name}` must be a number of elements below {count}, the length of the data set, or a share between "
                f"0.0 and 1.0. Received: {name}={size!r}"
            )
        sizes.append(None if size is None else round(size * count) if is_share else int(size))
    left, right = sizes
    left = count - right if left is None and right is not None else left or 0
    right = count - left if right is None else right
    if left + right > count or not left or not right:
        raise ValueError(
            f"left_size={left_size!r} and right_size={right_size!r} make {left} and {right} of {count} elements: "
            "neither part may be empty, nor both together larger than the whole."
        )
    return left, right
