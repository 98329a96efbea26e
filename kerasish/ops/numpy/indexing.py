"""Choosing, finding and ordering elements, and the diagonals and triangles of matrices."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish.dtypes import is_int_dtype, result_type, tensor_dtype
from kerasish.errors import format_shape, received
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.operands import as_shape, canonical_axis, operands, promoted, require_rank
from kerasish.ops.operation import operation


@operation
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Return the elements of `x` at positions along an axis, of the flattened tensor for None.

    Args:
        indices: positions of any shape, which replaces the axis in the result; negative ones count from the end.
    """
    x = convert_to_tensor(x)
    indices = convert_to_tensor(indices, "int64")
    if axis is None:
        x, axis = x.reshape(-1), 0
    axis = canonical_axis(axis, x.ndim)
    positions = _from_the_front(indices, x.shape[axis]).reshape(-1)
    shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
    return torch.index_select(x, axis, positions).reshape(shape)


def _from_the_front(indices: Tensor, size: int) -> Tensor:
    return torch.where(indices < 0, indices + size, indices)


@operation
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Return, for each place of `indices`, the element of `x` at that position along `axis` in the same place.

    Args:
        indices: positions of the rank of `x` whose other axes broadcast with it; of the flattened `x` for axis=None.
    """
    x = convert_to_tensor(x)
    indices = convert_to_tensor(indices, "int64")
    if axis is None:
        return torch.gather(x.reshape(-1), 0, _from_the_front(indices.reshape(-1), x.numel()))
    axis = canonical_axis(axis, x.ndim)
    return torch.take_along_dim(x, _from_the_front(indices, x.shape[axis]), axis)


@operation
def get_item(x: Any, key: Any) -> Any:
    """Return `x[key]`."""
    return convert_to_tensor(x)[key]


@operation
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """Return `x1` where the condition holds and `x2` elsewhere; without them the same as `nonzero(condition)`."""
    condition = convert_to_tensor(condition, "bool")
    if x1 is None and x2 is None:
        return nonzero(condition)
    if x1 is None or x2 is None:
        raise ValueError(f"`where` needs both `x1` and `x2`, or neither. Received: x1={x1}, x2={x2}")
    return torch.where(condition, *operands(x1, x2))


@operation
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """Return the elements of the first choice whose condition holds, and `default` where none does."""
    if not isinstance(condlist, (list, tuple)) or not isinstance(choicelist, (list, tuple)):
        raise ValueError(
            "`condlist` and `choicelist` must be lists of tensors. "
            f"Received: {type(condlist).__name__} and {type(choicelist).__name__}"
        )
    if not condlist or len(condlist) != len(choicelist):
        raise ValueError(
            f"There must be as many conditions as choices. Received: {len(condlist)} and {len(choicelist)}"
        )
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = where(condition, choice, result)
    return result


@operation
def nonzero(x: Any) -> Any:
    """Return where `x` is not zero: a tuple of the positions (int32) along each axis.

    Raises:
        ValueError: `x` is symbolic: the number of positions depends on values.
    """
    return tuple(position.int() for position in torch.nonzero(convert_to_tensor(x), as_tuple=True))


@operation
def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """Return the distinct elements of `x`, or the distinct slices along `axis`.

    Args:
        sorted: accepted for both values: the elements are always in ascending order.
        return_index: also return where each first occurs.
        return_inverse: also return, for every element of `x`, its position among the distinct ones.
        return_counts: also return how often each occurs.
        size: the length of the result: it is cut, or filled up with `fill_value` (0 for None).

    Raises:
        ValueError: `x` is symbolic: the number of distinct elements depends on values.
    """
    x = convert_to_tensor(x)
    along = 0 if axis is None else canonical_axis(axis, x.ndim)
    values, inverse, counts = torch.unique(
        x, sorted=True, return_inverse=True, return_counts=True, dim=None if axis is None else along
    )
    results = [values]
    if return_index:
        positions = torch.arange(inverse.numel(), device=x.device)
        first = torch.full_like(counts, inverse.numel())
        results.append(first.scatter_reduce_(0, inverse.reshape(-1), positions, "amin"))
    if return_inverse:
        results.append(inverse)
    if return_counts:
        results.append(counts)
    if size is not None:
        fills = {0: 0 if fill_value is None else fill_value, len(results) - 1 if return_counts else -1: 0}
        fills.setdefault(1, results[1][:1] if return_index else 0)
        for i, result in enumerate(results):
            if result is not inverse:
                results[i] = _of_length(result, size, along if i == 0 else 0, fills[i])
    return results[0] if len(results) == 1 else tuple(results)


def _of_length(x: Tensor, size: int, axis: int, fill_value: Any) -> Tensor:
    if x.shape[axis] >= size:
        return x.narrow(axis, 0, size)
    shape = [size - x.shape[axis] if i == axis else n for i, n in enumerate(x.shape)]
    return torch.cat([x, convert_to_tensor(fill_value, x.dtype).to(x.device).expand(shape)], axis)


@operation
def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Any:
    """Return where in an ascending vector the values would be inserted to keep the order.

    Args:
        side: whether a value goes to the `"left"` or `"right"` of its equals.
    """
    sequence, values = promoted(convert_to_tensor(sorted_sequence), convert_to_tensor(values))
    if sequence.ndim != 1:
        raise ValueError(
            "`sorted_sequence` must be a vector (use `vectorized_map` for several). "
            f"Received: shape {format_shape(sequence.shape)}"
        )
    if side not in ("left", "right"):
        raise ValueError(f"`side` must be 'left' or 'right'. Received: side={side!r}")
    return torch.searchsorted(sequence, values, side=side, out_int32=True)


@operation
def digitize(x: Any, bins: Any) -> Any:
    """Return the number i of the bin of each element: `bins[i − 1] ≤ x < bins[i]`, for ascending `bins`."""
    x, bins = promoted(convert_to_tensor(x), convert_to_tensor(bins))
    if x.dtype is torch.bool:
        x, bins = x.int(), bins.int()
    return torch.bucketize(x, bins, right=True, out_int32=True)


@operation
def unravel_index(indices: Any, shape: Any) -> Any:
    """Return positions in a flattened tensor of the given shape as a tuple of positions along its axes."""
    indices = convert_to_tensor(indices)
    if not is_int_dtype(indices.dtype):
        raise TypeError(f"`indices` must be integers. Received: {received(indices)}")
    dtype = tensor_dtype(result_type(indices.dtype))
    indices = indices.long()
    positions = []
    for size in reversed(as_shape(shape)):
        positions.append((indices % size).to(dtype))
        indices = torch.div(indices, size, rounding_mode="floor")
    return tuple(reversed(positions))


@operation
def sort(x: Any, axis: int | None = -1) -> Any:
    """Return the elements in ascending order along an axis, NaN last; flattened for None."""
    x, axis = _flat_if_none(convert_to_tensor(x), axis)
    return torch.sort(x, dim=axis, stable=True).values


@operation
def argsort(x: Any, axis: int | None = -1) -> Any:
    """Return the positions of the elements in ascending order; equal ones keep their order."""
    x, axis = _flat_if_none(convert_to_tensor(x), axis)
    return torch.argsort(x, dim=axis, stable=True).int()


@operation
def argpartition(x: Any, kth: int, axis: int | None = -1) -> Any:
    """Return positions in an order in which the element `kth` is where sorting puts it, the smaller before it."""
    x, axis = _flat_if_none(convert_to_tensor(x), axis)
    require_rank(x, 1, "argpartition")
    canonical_axis(kth, x.shape[axis])
    return torch.argsort(x, dim=axis, stable=True).int()


def _flat_if_none(x: Tensor, axis: int | None) -> tuple[Tensor, int]:
    return (x.reshape(-1), 0) if axis is None else (x, axis)


@operation
def diag(x: Any, k: int = 0) -> Any:
    """Return the k-th diagonal of a matrix, or the matrix with a vector on its k-th diagonal."""
    x = convert_to_tensor(x)
    if x.ndim not in (1, 2):
        raise ValueError(f"`diag` takes a vector or a matrix. Received: shape {format_shape(x.shape)}")
    return torch.diag(x, k)


@operation
def diagflat(x: Any, k: int = 0) -> Any:
    """Return the matrix with the elements of `x` on its k-th diagonal."""
    return torch.diagflat(convert_to_tensor(x), k)


@operation
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the diagonals of the matrices along two axes, as the last axis of the result."""
    x = convert_to_tensor(x)
    require_rank(x, 2, "diagonal")
    return torch.diagonal(x, offset, axis1, axis2)


@operation
def tril(x: Any, k: int = 0) -> Any:
    """Return the matrices with zeros above the k-th diagonal."""
    x = convert_to_tensor(x)
    require_rank(x, 2, "tril")
    return torch.tril(x, k)


@operation
def triu(x: Any, k: int = 0) -> Any:
    """Return the matrices with zeros below the k-th diagonal."""
    x = convert_to_tensor(x)
    require_rank(x, 2, "triu")
    return torch.triu(x, k)
