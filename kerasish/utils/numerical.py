"""Labels to one-hot vectors, and vectors to unit norm."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from kerasish.config import get_device
from kerasish.dtypes import torch_dtype
from kerasish.errors import received


def to_categorical(x: Any, num_classes: int | None = None, dtype: Any = None) -> Any:
    """Turn class indices into one-hot vectors: `y[i, x[i]] = 1`, zero elsewhere.

    Args:
        x: integers 0 … num_classes − 1, as an array, a list or a tensor.
        num_classes: number of classes; the largest index + 1 by default.
        dtype: dtype of the result; float64 for arrays and int64 for tensors by default.

    Shapes:
        `(..., n)` or `(..., n, 1)` → `(..., n, num_classes)`; a tensor gives a tensor, all else an array.

    Raises:
        ValueError: an index is negative or not below `num_classes`.

    Example:
        >>> to_categorical([0, 2, 1])
        array([[1., 0., 0.],
               [0., 0., 1.],
               [0., 1., 0.]])

    Differs: `torch.nn.functional.one_hot` takes int64 tensors only; Keras lets −1 mean the last class.
    """
    labels = x.long() if isinstance(x, torch.Tensor) else np.asarray(x, dtype="int64")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels.reshape(labels.shape[:-1])
    empty = 0 in labels.shape
    if num_classes is None:
        if empty:
            raise ValueError(
                f"`num_classes` must be given where there are no labels. Received: x={received(x)}"
            )
        num_classes = int(labels.max()) + 1
    if not empty and (labels.min() < 0 or labels.max() >= num_classes):
        raise ValueError(
            f"Class indices must lie between 0 and {num_classes - 1} (num_classes={num_classes}). "
            f"Received: indices from {int(labels.min())} to {int(labels.max())}"
        )
    if isinstance(labels, torch.Tensor):
        encoded = torch.nn.functional.one_hot(labels, num_classes)
        return encoded if dtype is None else encoded.to(torch_dtype(dtype))
    one_hot = np.zeros((labels.size, num_classes), dtype=dtype or "float64")
    one_hot[np.arange(labels.size), labels.ravel()] = 1
    return one_hot.reshape(*labels.shape, num_classes)


def normalize(x: Any, axis: int | tuple[int, ...] = -1, order: float = 2) -> Any:
    """Divide by the norm along an axis: `x / ‖x‖_order`; where the norm is 0, zeros stay zeros.

    Args:
        x: array, list or tensor.
        axis: axis of the vectors, or several that count as one.
        order: order of the norm, 1 or more.

    Shapes:
        as `x`; a NumPy array gives a NumPy array, all else a tensor.

    Example:
        >>> normalize(np.array([[3.0, 4.0], [0.0, 0.0]]))
        array([[0.6, 0.8],
               [0. , 0. ]])

    Differs: for several axes Keras takes a matrix norm, unless `order` is 2 and `x` a tensor; for an array it
        knows the last axis only.
    """
    if not order >= 1:
        raise ValueError(f"`order` must be 1 or more. Received: order={order!r}")
    if isinstance(x, np.ndarray):
        array = np.ascontiguousarray(x, dtype=x.dtype if x.dtype.kind == "f" else "float64")
        return _unit(torch.from_numpy(array), axis, order).numpy()
    if not isinstance(x, torch.Tensor):
        x = torch.as_tensor(np.atleast_1d(x), dtype=torch_dtype(None), device=get_device())
    return _unit(x if x.is_floating_point() else x.to(torch_dtype(None)), axis, order)


def _unit(x: torch.Tensor, axis: int | tuple[int, ...], order: float) -> torch.Tensor:
    norm = torch.linalg.vector_norm(x, order, axis, keepdim=True)
    return x / torch.where(norm == 0, 1, norm)
