"""Shapes and orders of elements: reshaping, joining, splitting, repeating, padding."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from kerasish.dtypes import torch_dtype
from kerasish.errors import format_shape, received
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.operands import as_shape, canonical_axes, canonical_axis, require_rank
from kerasish.ops.operation import operation
from kerasish.symbolic import real_tensors


@operation
def reshape(x: Any, newshape: Any) -> Any:
    """Return the elements in a new shape, of which one size may be −1 (or None): what is left over."""
    x = convert_to_tensor(x)
    sizes = as_shape(newshape)
    known = math.prod([size for size in sizes if size != -1])
    if sizes.count(-1) > 1 or (known != x.numel() if -1 not in sizes else known and x.numel() % known):
        raise ValueError(
            f"{x.numel()} elements of shape {format_shape(x.shape)} cannot be reshaped. "
            f"Received: newshape={format_shape(sizes)}"
        )
    return torch.reshape(x, sizes)


@operation
def ravel(x: Any) -> Any:
    """Return the elements as a vector."""
    return torch.reshape(convert_to_tensor(x), (-1,))


@operation
def transpose(x: Any, axes: Any = None) -> Any:
    """Return `x` with its axes in the order `axes`, or reversed for None."""
    x = convert_to_tensor(x)
    return x.permute(tuple(reversed(range(x.ndim))) if axes is None else tuple(axes))


@operation
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Return `x` with two axes exchanged."""
    return torch.swapaxes(convert_to_tensor(x), axis1, axis2)


@operation
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Return `x` with the axes `source` moved to the positions `destination`; the others keep their order."""
    return torch.movedim(convert_to_tensor(x), source, destination)


@operation
def expand_dims(x: Any, axis: Any) -> Any:
    """Return `x` with axes of size 1 at the positions `axis` of the result."""
    x = convert_to_tensor(x)
    positions = axis if isinstance(axis, (tuple, list)) else (axis,)
    for position in sorted(canonical_axes(positions, x.ndim + len(positions))):
        x = x.unsqueeze(position)
    return x


@operation
def squeeze(x: Any, axis: Any = None) -> Any:
    """Return `x` without the axes `axis`, which have size 1; without all such axes for None."""
    x = convert_to_tensor(x)
    if axis is None:
        return x.squeeze()
    axes = canonical_axes(axis, x.ndim)
    if any(x.shape[i] != 1 for i in axes):
        raise ValueError(
            f"Only axes of size 1 can be squeezed. Received: axis={axis}, shape {format_shape(x.shape)}"
        )
    return x.squeeze(axes)


@operation
def broadcast_to(x: Any, shape: Any) -> Any:
    """Return `x` repeated along axes of size 1, or new ones in front, to the given shape, without a copy."""
    return torch.broadcast_to(convert_to_tensor(x), as_shape(shape))


def _tensors(xs: Any) -> list[Tensor]:
    return list(xs) if isinstance(xs, Tensor) else [convert_to_tensor(x) for x in xs]


@operation
def concatenate(xs: Any, axis: int | None = 0) -> Any:
    """Return the tensors one after the other along an axis; flattened for None."""
    tensors = _tensors(xs)
    if axis is None:
        return torch.cat([x.reshape(-1) for x in tensors])
    return torch.cat(tensors, axis)


@operation
def append(x1: Any, x2: Any, axis: int | None = None) -> Any:
    """Return `x2` after `x1` along an axis; both flattened for None."""
    return concatenate([x1, x2], axis)


@operation
def stack(x: Any, axis: int = 0) -> Any:
    """Return the tensors, of one shape, one after the other along a new axis."""
    return torch.stack(_tensors(x), axis)


@operation
def hstack(xs: Any) -> Any:
    """Return the tensors one after the other along axis 1, vectors along axis 0."""
    return torch.hstack(_tensors(xs))


@operation
def vstack(xs: Any) -> Any:
    """Return the tensors one below the other along axis 0, vectors as rows."""
    return torch.vstack(_tensors(xs))


@operation
def dstack(xs: Any) -> Any:
    """Return the tensors one behind the other along axis 2."""
    return torch.dstack(_tensors(xs))


@operation
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Return a list of parts of `x` along an axis.

    Args:
        indices_or_sections: the number of parts of equal size, or the positions at which a new part begins.
    """
    x = convert_to_tensor(x)
    size = x.shape[canonical_axis(axis, x.ndim)]
    if isinstance(indices_or_sections, int):
        if indices_or_sections < 1 or size % indices_or_sections:
            raise ValueError(
                f"A size of {size} cannot be split into {indices_or_sections} equal parts (`array_split` makes unequal "
                f"ones). Received: shape {format_shape(x.shape)}, axis={axis}"
            )
        return list(torch.tensor_split(x, indices_or_sections, axis))
    return list(torch.tensor_split(x, as_shape(indices_or_sections), axis))


@operation
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """As `split`, but parts of a number that does not divide the size are unequal: the first ones are longer by 1."""
    x = convert_to_tensor(x)
    if not isinstance(indices_or_sections, int):
        return split(x, indices_or_sections, axis)
    if indices_or_sections < 1:
        raise ValueError(f"The number of parts must be positive. Received: {indices_or_sections}")
    return list(torch.tensor_split(x, indices_or_sections, canonical_axis(axis, x.ndim)))


@operation
def hsplit(x: Any, indices_or_sections: Any) -> Any:
    """`split` along axis 1, of vectors along axis 0."""
    x = convert_to_tensor(x)
    require_rank(x, 1, "hsplit")
    return split(x, indices_or_sections, 0 if x.ndim == 1 else 1)


@operation
def vsplit(x: Any, indices_or_sections: Any) -> Any:
    """`split` along axis 0."""
    x = convert_to_tensor(x)
    require_rank(x, 2, "vsplit")
    return split(x, indices_or_sections, 0)


@operation
def dsplit(x: Any, indices_or_sections: Any) -> Any:
    """`split` along axis 2."""
    x = convert_to_tensor(x)
    require_rank(x, 3, "dsplit")
    return split(x, indices_or_sections, 2)


@operation
def flip(x: Any, axis: Any = None) -> Any:
    """Return the elements in reverse order along the axes; along all for None."""
    x = convert_to_tensor(x)
    return torch.flip(x, canonical_axes(axis, x.ndim))


@operation
def fliplr(x: Any) -> Any:
    """Return the elements in reverse order along axis 1."""
    x = convert_to_tensor(x)
    require_rank(x, 2, "fliplr")
    return torch.flip(x, (1,))


@operation
def flipud(x: Any) -> Any:
    """Return the elements in reverse order along axis 0."""
    x = convert_to_tensor(x)
    require_rank(x, 1, "flipud")
    return torch.flip(x, (0,))


@operation
def rot90(array: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """Return `array` turned by `k` quarters of a full turn, from the first of `axes` towards the second."""
    array = convert_to_tensor(array)
    require_rank(array, 2, "rot90")
    if len(axes) != 2:
        raise ValueError(f"`axes` must be two different axes. Received: axes={axes}")
    return torch.rot90(array, k, canonical_axes(tuple(axes), array.ndim))


@operation
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """Return the elements moved along the axes by `shift` places, the last ones to the front.

    Args:
        shift: number of places, or one for each axis.
        axis: one axis or several; None rolls the flattened tensor and keeps its shape.
    """
    x = convert_to_tensor(x)
    if axis is None:
        return torch.roll(x, shift if isinstance(shift, int) else sum(shift))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    shifts = shift if isinstance(shift, (tuple, list)) else (shift,)
    count = max(len(axes), len(shifts))
    if len(axes) not in (1, count) or len(shifts) not in (1, count):
        raise ValueError(
            f"`shift` must be a number or one for each axis. Received: shift={shift}, axis={axis}"
        )
    return torch.roll(x, tuple(shifts) * (count // len(shifts)), tuple(axes) * (count // len(axes)))


@operation
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Return `x` with each element repeated, along an axis, or as a vector for None.

    Args:
        repeats: how often: one number, or one for each position along `axis`.
    """
    x = convert_to_tensor(x)
    if axis is None:
        x, axis = x.reshape(-1), 0
    axis = canonical_axis(axis, x.ndim)
    if isinstance(repeats, Tensor):
        if repeats.is_meta:
            raise ValueError(
                "The shape that `repeat` gives depends on values: `repeats` must not be symbolic."
            )
        with real_tensors():
            repeats = repeats.expand(x.shape[axis])
            total = int(repeats.sum())
        return torch.repeat_interleave(x, repeats, axis, output_size=total)
    counts = as_shape(repeats)
    if len(counts) == 1:
        return torch.repeat_interleave(x, counts[0], axis)
    if len(counts) != x.shape[axis]:
        raise ValueError(
            f"`repeats` must be one number or {x.shape[axis]}, one for each position along axis {axis}. "
            f"Received: repeats={received(repeats)}"
        )
    index = [position for position, count in enumerate(counts) for _ in range(count)]
    return torch.index_select(x, axis, torch.tensor(index, dtype=torch.int64, device=x.device))


@operation
def tile(x: Any, repeats: Any) -> Any:
    """Return `x` repeated as a whole, `repeats` times along its last axes; further ones are added in front."""
    return torch.tile(convert_to_tensor(x), as_shape(repeats))


MODES = {
    "constant": "constant",
    "reflect": "reflect",
    "symmetric": "symmetric",
    "edge": "edge",
    "replicate": "edge",
    "wrap": "wrap",
    "circular": "wrap",
}


@operation
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """Return `x` with elements added before and after it.

    Args:
        pad_width: `((before, after), …)` for each axis; one pair, or one number, is for all axes.
        mode: `"constant"`, `"reflect"` (mirrored at the last element), `"symmetric"` (mirrored after it), `"edge"`
            (the last element) or `"wrap"` (from the other end).
        constant_values: the number added by `"constant"`, 0 for None.
    """
    x = convert_to_tensor(x)
    widths = _pad_widths(pad_width, x.ndim)
    if mode not in MODES:
        raise ValueError(f"`mode` must be one of {sorted(MODES)}. Received: mode={mode!r}")
    if mode == "constant":
        flat = [width for pair in reversed(widths) for width in pair]
        if constant_values is None or isinstance(constant_values, (bool, int, float)):
            return torch.nn.functional.pad(x, flat, value=constant_values)
        inside = torch.nn.functional.pad(torch.ones_like(x, dtype=torch.bool), flat)
        return torch.where(
            inside, torch.nn.functional.pad(x, flat), convert_to_tensor(constant_values, x.dtype)
        )
    if constant_values is not None:
        raise ValueError(
            f"`constant_values` is for mode='constant'. Received: mode={mode!r}, constant_values={constant_values}"
        )
    for axis, (before, after) in enumerate(widths):
        if before or after:
            if not x.shape[axis]:
                raise ValueError(f"An empty axis can only be padded with a constant. Received: {received(x)}")
            source = torch.arange(-before, x.shape[axis] + after, device=x.device)
            x = torch.index_select(x, axis, _inside(source, x.shape[axis], MODES[mode]))
    return x


def _pad_widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    if isinstance(pad_width, Tensor):
        pad_width = pad_width.tolist()
    if isinstance(pad_width, int):
        pad_width = (pad_width, pad_width)
    if len(pad_width) == 2 and all(isinstance(width, int) for width in pad_width):
        pad_width = (pad_width,)
    widths = [as_shape(pair) if len(as_shape(pair)) == 2 else as_shape(pair) * 2 for pair in pad_width]
    if len(widths) == 1:
        widths = widths * ndim
    if len(widths) != ndim or any(len(pair) != 2 or min(pair) < 0 for pair in widths):
        raise ValueError(
            f"`pad_width` must be a pair (before, after) of numbers ≥ 0 for each of {ndim} axes. "
            f"Received: pad_width={pad_width}"
        )
    return [(before, after) for before, after in widths]


def _inside(position: Tensor, size: int, mode: str) -> Tensor:
    """Map positions beyond the ends to those whose elements are repeated there."""
    if mode == "edge":
        return position.clamp(0, size - 1)
    if mode == "wrap":
        return position % size
    if mode == "symmetric":
        position = position % (2 * size)
        return torch.minimum(position, 2 * size - 1 - position)
    position = position % max(2 * size - 2, 1)
    return torch.minimum(position, 2 * size - 2 - position)


@operation
def view(x: Any, dtype: Any = None) -> Any:
    """Return the bytes of `x` read as another dtype; the last size changes with the width of the elements."""
    x = convert_to_tensor(x)
    return x if dtype is None else x.view(torch_dtype(dtype))


def ndim(x: Any) -> int:
    """Return the number of dimensions."""
    return len(x.shape) if hasattr(x, "shape") else convert_to_tensor(x).ndim


@operation
def size(x: Any) -> Any:
    """Return the number of elements, as a tensor."""
    x = convert_to_tensor(x)
    return torch.full((), x.numel(), dtype=torch.int64, device=x.device)


@operation
def array(x: Any, dtype: Any = None) -> Any:
    """Return `x` as a tensor: the same as `convert_to_tensor`."""
    return convert_to_tensor(x, dtype)


@operation
def copy(x: Any) -> Any:
    """Return a copy of `x`."""
    return torch.clone(convert_to_tensor(x))
