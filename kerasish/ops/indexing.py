"""Reading and writing parts of tensors."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from kerasish.errors import format_shape
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.operands import canonical_axis
from kerasish.ops.operation import operation


@operation
def scatter(indices: Any, values: Any, shape: Any) -> Any:
    """Zeros of a shape with values added at indices.

    Args:
        indices: `(…, D)`, positions in the first D dimensions of the result.
        values: `(…, *shape[D:])`.
        shape: of the result.

    Example:
        >>> scatter([[0, 1], [1, 0]], [5, 6], (2, 2)).tolist()
        [[0, 5], [6, 0]]
    """
    values = convert_to_tensor(values)
    zeros = torch.zeros(tuple(shape), dtype=values.dtype, device=values.device)
    return zeros.index_put(_positions("scatter", indices, zeros), values, accumulate=True)


REDUCTIONS = {"add": "sum", "max": "amax", "min": "amin", "mul": "prod"}


@operation
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    """A copy of `inputs` with updates at indices.

    Args:
        indices: `(…, D)`, positions in the first D dimensions.
        updates: `(…, *inputs.shape[D:])`.
        reduction: None to replace values (by the last update at a place), or "add", "max", "min", "mul".

    Example:
        >>> scatter_update([1, 2, 3], [[0], [2]], [9, 8]).tolist()
        [9, 2, 8]
    """
    if reduction is not None and reduction not in REDUCTIONS:
        raise ValueError(
            f"scatter_update: `reduction` must be None or one of {sorted(REDUCTIONS)}. Received: {reduction!r}"
        )
    inputs = convert_to_tensor(inputs)
    updates = convert_to_tensor(updates).to(inputs.dtype)
    positions = _positions("scatter_update", indices, inputs)
    if reduction in (None, "add"):
        return inputs.index_put(positions, updates, accumulate=reduction == "add")
    depth = len(positions)
    rows = inputs.reshape(-1, *inputs.shape[depth:])
    flat = torch.zeros_like(positions[0])
    for position, size in zip(positions, inputs.shape[:depth], strict=True):
        flat = flat * size + position % size
    new = updates.reshape(-1, *inputs.shape[depth:])
    index = flat.reshape(-1, *(1,) * (rows.ndim - 1)).expand(new.shape)
    return rows.scatter_reduce(0, index, new, REDUCTIONS[str(reduction)]).reshape(inputs.shape)


def _positions(op: str, indices: Any, target: Tensor) -> tuple[Tensor, ...]:
    indices = convert_to_tensor(indices).long()
    if not indices.ndim or not 1 <= indices.shape[-1] <= target.ndim:
        raise ValueError(
            f"{op}: the last axis of `indices` holds positions, at most {target.ndim} numbers. "
            f"Received: indices of shape {format_shape(indices.shape)}"
        )
    return indices.unbind(-1)


@operation
def slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    """The part of `inputs` that starts at `start_indices` and has the given shape.

    Example:
        >>> slice([[1, 2, 3], [4, 5, 6]], (0, 1), (2, 2)).tolist()
        [[2, 3], [5, 6]]
    """
    inputs = convert_to_tensor(inputs)
    return _part(inputs, start_indices, tuple(int(size) for size in shape))


def _part(inputs: Tensor, start_indices: Any, sizes: Sequence[int]) -> Tensor:
    """A view of a part."""
    if isinstance(start_indices, Tensor) and start_indices.is_meta:
        return inputs[tuple(builtins.slice(0, size) for size in sizes)]
    starts = [int(start) for start in start_indices]
    if any(start < 0 for start in starts) or any(size < 0 for size in sizes) or len(starts) > inputs.ndim:
        raise ValueError(
            "A part needs starts and sizes that are not negative, at most one of each per dimension. "
            f"Received: starts {starts}, sizes {list(sizes)}, inputs of shape {format_shape(inputs.shape)}"
        )
    return inputs[tuple(builtins.slice(i, i + size) for i, size in zip(starts, sizes, strict=False))]


@operation
def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    """A copy of `inputs` in which `updates` replace the part that starts at `start_indices`.

    Raises:
        ValueError: the updates reach beyond the end.
    """
    result = convert_to_tensor(inputs).clone()
    updates = convert_to_tensor(updates).to(result.dtype)
    part = _part(result, start_indices, updates.shape)
    if part.shape[: updates.ndim] != updates.shape:
        raise ValueError(
            f"slice_update: updates of shape {format_shape(updates.shape)} do not fit into inputs of shape "
            f"{format_shape(result.shape)} at {start_indices!r}"
        )
    part.copy_(updates)
    return result


@operation
def unstack(x: Any, num: int | None = None, axis: int = 0) -> Any:
    """The slices along an axis, as a tuple.

    Args:
        num: their number, to be checked; for symbolic tensors of unknown size it must be given.
    """
    x = convert_to_tensor(x)
    axis = canonical_axis(axis, x.ndim)
    if num is not None and x.is_meta:  # a symbolic tensor, whose size may be unknown
        x = x.narrow(axis, 0, min(num, x.shape[axis]))
    if num is not None and num != x.shape[axis]:
        raise ValueError(
            f"unstack: `num` must be the size of axis {axis}, {x.shape[axis]}, or be left out. Received: num={num}"
        )
    return x.unbind(axis)
