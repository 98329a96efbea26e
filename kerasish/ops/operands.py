"""Operands of one dtype, and axes as torch wants them."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import Tensor

from kerasish.config import floatx, get_device
from kerasish.dtypes import result_type, tensor_dtype
from kerasish.errors import format_shape
from kerasish.ops.core import convert_to_tensor, number_dtype


def as_float(x: Any) -> Tensor:
    """Return `x` as a tensor of floating-point (or complex) numbers: integers and booleans become `floatx()`."""
    x = convert_to_tensor(x)
    return x if x.is_floating_point() or x.is_complex() else x.to(tensor_dtype(floatx()))


def as_float_of_width(x: Any) -> Tensor:
    """As `as_float`, but int64 becomes float64, as in Keras for some ops."""
    x = convert_to_tensor(x)
    return x.double() if x.dtype is torch.int64 else as_float(x)


def as_narrow_float(x: Any) -> Tensor:
    """As `as_float`, but float64 becomes float32, as in Keras for some ops."""
    x = convert_to_tensor(x)
    return x.to(tensor_dtype(result_type(x.dtype, float)))


def operands(x1: Any, x2: Any) -> tuple[Any, Any]:
    """Return both as tensors for an op that promotes by torch's rules.

    A Python number beside a tensor with axes, whose kind it does not raise, stays one: nothing is copied to the device.
    """
    if isinstance(x1, Tensor):
        return x1, x2 if _stays_a_number(x2, x1) else _beside(x2, x1)
    x2 = convert_to_tensor(x2)
    return x1 if _stays_a_number(x1, x2) else _beside(x1, x2), x2


def _beside(x: Any, other: Tensor) -> Tensor:
    """As a tensor, of a number on the device of the other."""
    if isinstance(x, (bool, int, float, complex)):
        return torch.full((), x, dtype=number_dtype(x), device=other.device)
    return convert_to_tensor(x)


def _stays_a_number(x: Any, beside: Tensor) -> bool:
    if not beside.ndim:
        return False
    if isinstance(x, bool):
        return True
    if isinstance(x, int):
        return beside.dtype is not torch.bool
    if isinstance(x, float):
        return beside.is_floating_point() or beside.is_complex()
    return False


def promoted(*xs: Any, with_float: bool = False) -> list[Tensor]:
    """Return all as tensors of their `result_type`, in which Python numbers are weak."""
    values = [x if isinstance(x, (Tensor, bool, int, float)) else convert_to_tensor(x) for x in xs]
    kinds = [x.dtype if isinstance(x, Tensor) else type(x) for x in values]
    dtype = tensor_dtype(result_type(*kinds, float) if with_float else result_type(*kinds))
    device = next((x.device for x in values if isinstance(x, Tensor)), None)
    return [
        x.to(dtype)
        if isinstance(x, Tensor)
        else torch.full((), x, dtype=dtype, device=device or get_device())
        for x in values
    ]


def canonical_axis(axis: Any, ndim: int) -> int:
    """Return `axis` counted from the front.

    Raises:
        ValueError: a tensor of `ndim` dimensions has no such axis.
    """
    index = operator.index(axis)
    if not -ndim <= index < ndim:
        raise ValueError(
            f"`axis` must lie between {-ndim} and {ndim - 1} for a tensor of {ndim} dimensions. Received: axis={axis}"
        )
    return index % ndim


def canonical_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """Return the axes that `axis` (None for all, a number, or several) names, counted from the front."""
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    result = tuple(canonical_axis(item, ndim) for item in axes)
    if len(set(result)) < len(result):
        raise ValueError(f"`axis` names an axis twice. Received: axis={axis}")
    return result


def as_shape(shape: Any) -> tuple[int, ...]:
    """Return a shape given as a number, a sequence of numbers or a tensor, as a tuple of ints; None becomes -1."""
    if isinstance(shape, Tensor):
        shape = shape.tolist()
    if not isinstance(shape, (tuple, list)):
        shape = (shape,)
    return tuple(-1 if size is None else operator.index(size) for size in shape)


def require_rank(x: Tensor, least: int, op: str) -> None:
    """Raise if `x` has less than `least` dimensions."""
    if x.ndim < least:
        raise ValueError(
            f"`{op}` needs a tensor of at least {least} dimensions. Received: shape {format_shape(x.shape)}"
        )
