"""New tensors: constants, ranges, grids, windows."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import Tensor

from kerasish.config import get_device
from kerasish.dtypes import result_type, standardize_dtype, tensor_dtype
from kerasish.errors import format_shape, received
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.operands import as_float, as_shape, canonical_axis
from kerasish.ops.operation import operation


def zeros(shape: Any, dtype: Any = None) -> Any:
    """Return zeros; of `floatx()` for dtype=None."""
    return torch.zeros(as_shape(shape), dtype=tensor_dtype(dtype), device=get_device())


def ones(shape: Any, dtype: Any = None) -> Any:
    """Return ones; of `floatx()` for dtype=None."""
    return torch.ones(as_shape(shape), dtype=tensor_dtype(dtype), device=get_device())


def empty(shape: Any, dtype: Any = None) -> Any:
    """Return a tensor with any values; of `floatx()` for dtype=None."""
    return torch.empty(as_shape(shape), dtype=tensor_dtype(dtype), device=get_device())


@operation
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """Return a tensor filled with a value, which is broadcast; of `floatx()` for dtype=None."""
    return convert_to_tensor(fill_value, standardize_dtype(dtype)).expand(as_shape(shape)).clone()


def _kind(x: Tensor, dtype: Any) -> torch.dtype:
    return x.dtype if dtype is None else tensor_dtype(dtype)


@operation
def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Return zeros of the shape, and for None the dtype, of `x`."""
    x = convert_to_tensor(x)
    return torch.zeros_like(x, dtype=_kind(x, dtype))


@operation
def ones_like(x: Any, dtype: Any = None) -> Any:
    """Return ones of the shape, and for None the dtype, of `x`."""
    x = convert_to_tensor(x)
    return torch.ones_like(x, dtype=_kind(x, dtype))


@operation
def empty_like(x: Any, dtype: Any = None) -> Any:
    """Return a tensor with any values of the shape, and for None the dtype, of `x`."""
    x = convert_to_tensor(x)
    return torch.empty_like(x, dtype=_kind(x, dtype))


@operation
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """Return a tensor filled with a value, of the shape, and for None the dtype, of `x`."""
    x = convert_to_tensor(x)
    return full(x.shape, fill_value, _kind(x, dtype))


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """Return the numbers from `start` up to, but without, `stop`; from 0 to `start` if only that is given.

    Args:
        step: the difference of neighbours, 1 for None.
        dtype: for None int32, or `floatx()` where a number is a float.
    """
    if stop is None:
        start, stop = 0, start
    step = 1 if step is None else step
    if dtype is None:
        dtype = result_type(*(getattr(x, "dtype", type(x)) for x in (start, stop, step)))
    start, stop, step = (x.item() if hasattr(x, "item") else x for x in (start, stop, step))
    if step == 0:
        raise ValueError("`step` must not be 0. Received: step=0")
    if (stop - start) / step <= 0:
        return torch.empty(0, dtype=tensor_dtype(dtype), device=get_device())
    return torch.arange(start, stop, step, dtype=tensor_dtype(dtype), device=get_device())


@operation
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Return `num` numbers at equal distances from `start` to `stop`.

    Args:
        start, stop: numbers, or tensors whose shapes broadcast.
        endpoint: whether `stop` is the last number, or would be the next.
        retstep: also return the distance.
        axis: where in the result the numbers lie, if `start` or `stop` is a tensor.
    """
    dtype = _range_dtype(start, stop, dtype)
    values, step = _steps(start, stop, num, endpoint, axis)
    if dtype.startswith(("int", "uint")):
        values = torch.floor(values)
    values = values.to(tensor_dtype(dtype))
    return (values, step) if retstep else values


@operation
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Return `base` raised to `num` exponents at equal distances from `start` to `stop`; see `linspace`."""
    dtype = _range_dtype(start, stop, dtype)
    values, _ = _steps(start, stop, num, endpoint, axis)
    return torch.pow(base, values).to(tensor_dtype(dtype))


@operation
def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    """Return `num` numbers from `start` to `stop` with equal ratios of neighbours; see `linspace`.

    Both ends have the same sign and are not 0.
    """
    dtype = _range_dtype(start, stop, dtype)
    start, stop = as_float(start).double(), as_float(stop).double()
    values, _ = _steps(torch.log(torch.abs(start)), torch.log(torch.abs(stop)), num, endpoint, axis)
    sign = torch.sign(start).broadcast_to(torch.broadcast_shapes(start.shape, stop.shape))
    return (torch.exp(values) * sign.unsqueeze(axis)).to(tensor_dtype(dtype))


def _range_dtype(start: Any, stop: Any, dtype: Any) -> str:
    if dtype is not None:
        return standardize_dtype(dtype)
    kinds = (
        getattr(x, "dtype", None) or (float if isinstance(x, (list, tuple)) else type(x))
        for x in (start, stop)
    )
    return result_type(*kinds, float)


def _steps(start: Any, stop: Any, num: int, endpoint: bool, axis: int) -> tuple[Tensor, Tensor]:
    num = operator.index(num)
    if num < 0:
        raise ValueError(f"`num`, the number of values, must not be negative. Received: num={num}")
    start, stop = as_float(start).double(), as_float(stop).double()
    start, stop = torch.broadcast_tensors(start, stop)
    parts = num - 1 if endpoint else num
    step = (stop - start) / parts if parts > 0 else torch.full_like(start, torch.nan)
    axis = canonical_axis(axis, start.ndim + 1)
    index = torch.arange(num, dtype=start.dtype, device=start.device)
    index = index.reshape([-1 if i == axis else 1 for i in range(start.ndim + 1)])
    values = start.unsqueeze(axis) + index * (step.unsqueeze(axis) if parts > 0 else 0)
    if endpoint and num > 1:
        values = torch.where(index == num - 1, stop.unsqueeze(axis), values)
    return values, step.float()


def eye(N: Any, M: Any = None, k: int = 0, dtype: Any = None) -> Any:
    """Return an N×M matrix (N×N for None) with ones on its k-th diagonal and zeros elsewhere."""
    rows = operator.index(N)
    columns = rows if M is None else operator.index(M)
    matrix = zeros((rows, columns), dtype)
    if -rows < k < columns:
        matrix.diagonal(k).fill_(1)
    return matrix


def identity(n: Any, dtype: Any = None) -> Any:
    """Return the n×n matrix with ones on its diagonal and zeros elsewhere."""
    return eye(n, dtype=dtype)


def tri(N: Any, M: Any = None, k: int = 0, dtype: Any = None) -> Any:
    """Return an N×M matrix (N×N for None) with ones up to its k-th diagonal and zeros above."""
    return torch.tril(ones((N, N if M is None else M), dtype), k)


@operation
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Return Vandermonde's matrix: the powers of the elements of a vector as columns.

    Args:
        N: number of columns; the length of `x` for None.
        increasing: whether the powers rise from 0 or fall to it.
    """
    x = convert_to_tensor(x)
    if x.ndim != 1:
        raise ValueError(f"`vander` takes a vector. Received: shape {format_shape(x.shape)}")
    dtype = tensor_dtype(result_type(x.dtype))
    columns = x.shape[0] if N is None else operator.index(N)
    exponents = torch.arange(columns, device=x.device)
    wide = x.long() if not (x.is_floating_point() or x.is_complex()) else x
    result = torch.pow(wide.unsqueeze(1), exponents if increasing else exponents.flip(0))
    return result.to(dtype)


@operation
def meshgrid(*x: Any, indexing: str = "xy") -> Any:
    """Return, for vectors of coordinates, the coordinates of all points of their grid, one tensor for each vector.

    Args:
        indexing: `"xy"` has the first vector along axis 1 and the second along axis 0; `"ij"` all in order.
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"`indexing` must be 'xy' or 'ij'. Received: indexing={indexing!r}")
    vectors = [convert_to_tensor(vector).reshape(-1) for vector in x]
    order = list(range(len(vectors)))
    if indexing == "xy" and len(vectors) > 1:
        order[:2] = [1, 0]
    shape = [vectors[i].numel() for i in order]
    return tuple(
        vector.reshape([-1 if i == place else 1 for i in order]).expand(shape)
        for place, vector in enumerate(vectors)
    )


def _window_length(x: Any, window: str) -> int:
    length = convert_to_tensor(x)
    if length.ndim or length.is_floating_point() or length.is_complex():
        raise TypeError(f"The length of a {window} window is one integer. Received: {received(x)}")
    return int(length)


def bartlett(x: Any) -> Any:
    """Return Bartlett's triangular window of `x` points, `1 − |2n / (x − 1) − 1|`."""
    return torch.bartlett_window(
        _window_length(x, "Bartlett"), False, dtype=tensor_dtype(None), device=get_device()
    )


def hanning(x: Any) -> Any:
    """Return Hann's window of `x` points, `0.5 − 0.5 cos(2πn / (x − 1))`."""
    return torch.hann_window(_window_length(x, "Hann"), False, dtype=tensor_dtype(None), device=get_device())


def hamming(x: Any) -> Any:
    """Return Hamming's window of `x` points, `0.54 − 0.46 cos(2πn / (x − 1))`."""
    return torch.hamming_window(
        _window_length(x, "Hamming"), False, dtype=tensor_dtype(None), device=get_device()
    )


def blackman(x: Any) -> Any:
    """Return Blackman's window of `x` points, `0.42 − 0.5 cos(2πn / (x − 1)) + 0.08 cos(4πn / (x − 1))`."""
    return torch.blackman_window(
        _window_length(x, "Blackman"), False, dtype=tensor_dtype(None), device=get_device()
    )


def kaiser(x: Any, beta: float) -> Any:
    """Return Kaiser's window of `x` points, `I₀(β √(1 − (2n / (x − 1) − 1)²)) / I₀(β)`."""
    return torch.kaiser_window(
        _window_length(x, "Kaiser"), False, float(beta), dtype=tensor_dtype(None), device=get_device()
    )
