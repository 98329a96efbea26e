"""Reductions over axes: sums, extremes, moments; the same without NaN; running sums and products.

`axis` is None for all axes, a number, or several; reducing over no axes, `()`, leaves the values as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from kerasish.dtypes import result_type, tensor_dtype
from kerasish.errors import format_shape, received
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.operands import as_float, as_narrow_float, canonical_axes, canonical_axis
from kerasish.ops.operation import operation

Axis = int | tuple[int, ...] | list[int] | None

SUMMED_AS_INT32 = (torch.bool, torch.uint8, torch.int8, torch.int16)


def _reduce(function: Callable[..., Tensor], x: Tensor, axis: Axis, keepdims: bool, **options: Any) -> Tensor:
    """Call a torch reduction that takes several dims; torch takes an empty tuple of them for all."""
    axes = canonical_axes(axis, x.ndim)
    if not axes:
        return function(x.unsqueeze(0), dim=(0,), keepdim=False, **options)
    return function(x, dim=axes, keepdim=keepdims, **options)


def _reduce_flat(function: Callable[[Tensor], Tensor], x: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    """Call a reduction of the last axis on the axes given, made one."""
    axes = canonical_axes(axis, x.ndim)
    kept = [i for i in range(x.ndim) if i not in axes]
    y = function(x.permute([*kept, *axes]).reshape([x.shape[i] for i in kept] + [_size(x, axes)]))
    return y.reshape([1 if i in axes else x.shape[i] for i in range(x.ndim)]) if keepdims else y


def _size(x: Tensor, axes: tuple[int, ...]) -> int:
    size = 1
    for axis in axes:
        size *= x.shape[axis]
    return size


@operation
def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the sum; of booleans and small integers as int32."""
    x = convert_to_tensor(x)
    return _reduce(torch.sum, x, axis, keepdims, dtype=_sum_dtype(x))


def _sum_dtype(x: Tensor) -> torch.dtype:
    return torch.int32 if x.dtype in SUMMED_AS_INT32 else x.dtype


def _product_dtype(x: Tensor, dtype: Any) -> torch.dtype:
    if dtype is not None:
        return tensor_dtype(dtype)
    return torch.int32 if x.dtype in SUMMED_AS_INT32 else tensor_dtype(result_type(x.dtype))


@operation
def prod(x: Any, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """Return the product; of booleans and small integers as int32.

    Args:
        dtype: the dtype of the result, in which is computed.
    """
    x = convert_to_tensor(x)
    dtype = _product_dtype(x, dtype)
    return _reduce_flat(lambda flat: torch.prod(flat, -1, dtype=dtype), x, axis, keepdims)


@operation
def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the arithmetic mean."""
    return _reduce(torch.mean, as_float(x), axis, keepdims)


@operation
def var(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the population variance, `mean(|x − mean(x)|²)`."""
    return _reduce(torch.var, as_narrow_float(x), axis, keepdims, correction=0)


@operation
def std(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the population standard deviation, `√var(x)`."""
    return _reduce(torch.std, as_float(x), axis, keepdims, correction=0)


@operation
def max(x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Return the largest element, NaN where there is one.

    Args:
        initial: the result is at least this; needed where there are no elements.
    """
    return _extreme(torch.amax, torch.maximum, convert_to_tensor(x), axis, keepdims, initial)


@operation
def amax(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the largest element, NaN where there is one."""
    return max(x, axis, keepdims)


@operation
def min(x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Return the smallest element, NaN where there is one.

    Args:
        initial: the result is at most this; needed where there are no elements.
    """
    return _extreme(torch.amin, torch.minimum, convert_to_tensor(x), axis, keepdims, initial)


@operation
def amin(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the smallest element, NaN where there is one."""
    return min(x, axis, keepdims)


def _extreme(
    reduction: Callable[..., Tensor],
    of_two: Callable[..., Tensor],
    x: Tensor,
    axis: Axis,
    keepdims: bool,
    initial: Any,
) -> Tensor:
    axes = canonical_axes(axis, x.ndim)
    if x.numel() == 0 and axes and _size(x, axes) == 0:
        if initial is None:
            raise ValueError(
                f"An empty tensor has no {reduction.__name__[1:]}imum: give `initial`. "
                f"Received: shape {format_shape(x.shape)}"
            )
        result = torch.sum(x, dim=axes, keepdim=keepdims, dtype=x.dtype)
        return torch.zeros_like(result) + convert_to_tensor(initial, x.dtype)
    result = _reduce(reduction, x, axes, keepdims)
    return result if initial is None else of_two(result, convert_to_tensor(initial, x.dtype))


@operation
def ptp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the range, `max(x) − min(x)`."""
    return max(x, axis, keepdims) - min(x, axis, keepdims)


@operation
def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return whether all elements are true, that is not zero."""
    return _reduce(torch.all, convert_to_tensor(x, "bool"), axis, keepdims)


@operation
def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return whether any element is true, that is not zero."""
    return _reduce(torch.any, convert_to_tensor(x, "bool"), axis, keepdims)


@operation
def count_nonzero(x: Any, axis: Axis = None) -> Any:
    """Return the number of elements that are not zero."""
    return _reduce(torch.sum, convert_to_tensor(x) != 0, axis, False, dtype=torch.int32)


@operation
def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return the position of the largest element, the first of several; None counts through the flattened tensor."""
    return _position(torch.argmax, convert_to_tensor(x), axis, keepdims)


@operation
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return the position of the smallest element, the first of several; None counts through the flattened tensor."""
    return _position(torch.argmin, convert_to_tensor(x), axis, keepdims)


def _position(function: Callable[..., Tensor], x: Tensor, axis: int | None, keepdims: bool) -> Tensor:
    if not _size(x, canonical_axes(axis, x.ndim)):
        raise ValueError(f"An empty tensor has no largest or smallest element. Received: {received(x)}")
    if x.dtype is torch.bool:
        x = x.to(torch.uint8)
    return _reduce_flat(lambda flat: function(flat, -1), x, axis, keepdims).to(torch.int32)


@operation
def nansum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the sum of the elements that are not NaN."""
    x = convert_to_tensor(x)
    return sum(x.masked_fill(torch.isnan(x), 0), axis, keepdims)


@operation
def nanprod(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the product of the elements that are not NaN."""
    x = convert_to_tensor(x)
    return prod(x.masked_fill(torch.isnan(x), 1), axis, keepdims)


@operation
def nanmean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the mean of the elements that are not NaN; NaN where all are."""
    x = as_narrow_float(x)
    return sum(x.masked_fill(torch.isnan(x), 0), axis, keepdims) / _count(x, axis, keepdims)


def _count(x: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    return _reduce(torch.sum, ~torch.isnan(x), axis, keepdims).to(x.dtype)


@operation
def nanvar(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the population variance of the elements that are not NaN; NaN where all are."""
    x = as_narrow_float(x)
    axes = canonical_axes(axis, x.ndim)
    deviation = x - nanmean(x, axes, keepdims=True)
    squares = (deviation * deviation.conj()).masked_fill(torch.isnan(x), 0)
    return sum(squares, axes, keepdims) / _count(x, axes, keepdims)


@operation
def nanstd(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the population standard deviation of the elements that are not NaN; NaN where all are."""
    return torch.sqrt(nanvar(x, axis, keepdims))


@operation
def nanmax(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the largest element that is not NaN; NaN where all are."""
    return _extreme_number(max, convert_to_tensor(x), -torch.inf, axis, keepdims)


@operation
def nanmin(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the smallest element that is not NaN; NaN where all are."""
    return _extreme_number(min, convert_to_tensor(x), torch.inf, axis, keepdims)


def _extreme_number(function: Callable, x: Tensor, instead: float, axis: Axis, keepdims: bool) -> Tensor:
    if not x.is_floating_point():
        return function(x, axis, keepdims)
    is_nan = torch.isnan(x)
    result = function(x.masked_fill(is_nan, instead), axis, keepdims)
    return result.masked_fill(_reduce(torch.all, is_nan, axis, keepdims), torch.nan)


@operation
def nanargmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return the position of the largest element that is not NaN; −1 where all are."""
    return _position_of_number(argmax, convert_to_tensor(x), -torch.inf, axis, keepdims)


@operation
def nanargmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return the position of the smallest element that is not NaN; −1 where all are."""
    return _position_of_number(argmin, convert_to_tensor(x), torch.inf, axis, keepdims)


def _position_of_number(
    function: Callable, x: Tensor, instead: float, axis: int | None, keepdims: bool
) -> Tensor:
    if not x.is_floating_point():
        return function(x, axis, keepdims)
    is_nan = torch.isnan(x)
    result = function(x.masked_fill(is_nan, instead), axis, keepdims)
    return result.masked_fill(_reduce(torch.all, is_nan, axis, keepdims), -1)


@operation
def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Return the sums of the elements up to each one along `axis`, or of the flattened tensor for None."""
    return _run(torch.cumsum, convert_to_tensor(x), axis, dtype)


@operation
def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Return the products of the elements up to each one along `axis`, or of the flattened tensor for None."""
    return _run(torch.cumprod, convert_to_tensor(x), axis, dtype)


@operation
def nancumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """As `cumsum`, with NaN counted as 0."""
    x = convert_to_tensor(x)
    return cumsum(x.masked_fill(torch.isnan(x), 0), axis, dtype)


@operation
def nancumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """As `cumprod`, with NaN counted as 1."""
    x = convert_to_tensor(x)
    return cumprod(x.masked_fill(torch.isnan(x), 1), axis, dtype)


def _run(function: Callable[..., Tensor], x: Tensor, axis: int | None, dtype: Any) -> Tensor:
    kind = tensor_dtype(result_type(x.dtype if dtype is None else dtype))
    if axis is None:
        x, axis = x.reshape(-1), 0
    return function(x, canonical_axis(axis, x.ndim or 1), dtype=torch.int32 if kind is torch.bool else kind)
