"""Quantiles, averages, counts and correlations."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from kerasish import tree
from kerasish.dtypes import is_int_dtype, tensor_dtype
from kerasish.errors import format_shape, received
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.numpy.reductions import Axis
from kerasish.ops.operands import (
    as_float,
    as_float_of_width,
    as_narrow_float,
    canonical_axes,
    promoted,
)
from kerasish.ops.operation import operation

METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


@operation
def median(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the median: the element in the middle, or the mean of the two there."""
    return _quantile(x, 0.5, axis, "linear", keepdims)


@operation
def nanmedian(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the median of the elements that are not NaN; NaN where all are."""
    return _quantile(x, 0.5, axis, "linear", keepdims, ignore_nan=True)


@operation
def quantile(x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Any:
    """Return the quantiles of `x`: the values below which the parts `q` of the elements lie.

    Args:
        q: one or several numbers between 0 and 1.
        method: what to take between two elements: `"linear"`, `"lower"`, `"higher"`, `"midpoint"` or `"nearest"`.

    Shapes:
        the shape of `q`, then what `axis` leaves of the shape of `x`.

    Differs: tensors may have any size (`torch.quantile` stops at 2²⁴ elements).
    """
    return _quantile(x, q, axis, method, keepdims)


@operation
def nanquantile(x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Any:
    """As `quantile`, of the elements that are not NaN; NaN where all are."""
    return _quantile(x, q, axis, method, keepdims, ignore_nan=True)


@operation
def percentile(x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Any:
    """As `quantile`, with `q` in percent: between 0 and 100."""
    return _quantile(x, q, axis, method, keepdims, percent=True)


@operation
def nanpercentile(x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Any:
    """As `percentile`, of the elements that are not NaN; NaN where all are."""
    return _quantile(x, q, axis, method, keepdims, ignore_nan=True, percent=True)


def _quantile(
    x: Any,
    q: Any,
    axis: Axis,
    method: str,
    keepdims: bool,
    ignore_nan: bool = False,
    percent: bool = False,
) -> Tensor:
    if method not in METHODS:
        raise ValueError(f"`method` must be one of {METHODS}. Received: method={method!r}")
    x = as_narrow_float(x)
    dtype = x.dtype
    x = x if dtype is torch.float64 else x.float()
    highest = 100 if percent else 1
    if not isinstance(q, Tensor) and not all(0 <= part <= highest for part in tree.flatten(_as_list(q))):
        raise ValueError(f"`q` must lie between 0 and {highest}. Received: q={received(q)}")
    q = convert_to_tensor(q, x.dtype) / highest
    axes = canonical_axes(axis, x.ndim)
    kept = [i for i in range(x.ndim) if i not in axes]
    count_all = math.prod([x.shape[i] for i in axes])
    if not count_all:
        raise ValueError(
            f"No elements have no quantiles. Received: shape {format_shape(x.shape)}, axis={axis}"
        )
    values = x.permute([*kept, *axes]).reshape([x.shape[i] for i in kept] + [count_all]).sort(-1).values

    is_nan = torch.isnan(values)
    count = (~is_nan).sum(-1, keepdim=True) if ignore_nan else count_all
    rank = q.reshape(-1) * (count - 1)
    if method == "nearest":
        rank = rank.round()
    lower, upper = (r.long().clamp_min(0).expand(*values.shape[:-1], -1) for r in (rank.floor(), rank.ceil()))
    if method in ("lower", "nearest"):
        result = values.gather(-1, lower)
    elif method == "higher":
        result = values.gather(-1, upper)
    else:
        weight = torch.full_like(rank, 0.5) if method == "midpoint" else rank - rank.floor()
        result = torch.lerp(values.gather(-1, lower), values.gather(-1, upper), weight)
    if not ignore_nan:
        result = torch.where(is_nan.any(-1, keepdim=True), torch.nan, result)
    sizes = [1 if i in axes else x.shape[i] for i in range(x.ndim) if keepdims or i in kept]
    return result.movedim(-1, 0).reshape([*q.shape, *sizes]).to(dtype)


def _as_list(q: Any) -> Any:
    return q.tolist() if hasattr(q, "tolist") else q


@operation
def average(x: Any, axis: Axis = None, weights: Any = None) -> Any:
    """Return the weighted mean, `Σ w·x / Σ w`.

    Args:
        weights: of the shape of `x`, or one for each position along `axis`; None for equal weights.
    """
    x = convert_to_tensor(x)
    if weights is None:
        return torch.mean(as_narrow_float(x), canonical_axes(axis, x.ndim))
    x, weights = promoted(x, convert_to_tensor(weights), with_float=True)
    axes = canonical_axes(axis, x.ndim)
    if weights.shape != x.shape:
        if axis is None or weights.shape != tuple(x.shape[i] for i in axes):
            raise ValueError(
                "`weights` must have the shape of `x`, or of the axes averaged over. "
                f"Received: weights of shape {format_shape(weights.shape)}, x of shape {format_shape(x.shape)}, "
                f"axis={axis}"
            )
        order = sorted(range(len(axes)), key=lambda i: axes[i])
        weights = weights.permute(order).reshape([x.shape[i] if i in axes else 1 for i in range(x.ndim)])
        weights = weights.expand_as(x)
    return (x * weights).sum(axes) / weights.sum(axes)


@operation
def corrcoef(x: Any) -> Any:
    """Return Pearson's correlations between the rows of `x`: `C_ij / √(C_ii · C_jj)` of the covariances C."""
    x = as_float_of_width(x)
    if x.ndim > 2:
        raise ValueError(f"`corrcoef` takes a vector or a matrix. Received: shape {format_shape(x.shape)}")
    rows = torch.atleast_2d(x)
    rows = rows - rows.mean(1, keepdim=True)
    covariance = rows @ rows.mH
    scale = torch.diagonal(covariance).real.sqrt()
    result = covariance / scale.unsqueeze(1) / scale
    return (result if x.is_complex() else result.clamp(-1, 1)).reshape(
        (len(rows),) * 2 if x.ndim == 2 else ()
    )


@operation
def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    """Return how often each of the numbers 0, 1, … occurs in `x`, or the sum of its weights.

    Args:
        x: non-negative integers; of a matrix each row is counted.
        weights: of the shape of `x`.
        minlength: the least length of the result, which otherwise ends at the largest number in `x`.
        sparse: only False: the result is dense.
    """
    if sparse:
        raise ValueError("`bincount` returns dense tensors. Received: sparse=True")
    x = convert_to_tensor(x)
    if not is_int_dtype(x.dtype) or x.ndim not in (1, 2):
        raise ValueError(f"`bincount` counts a vector or matrix of integers. Received: {received(x)}")
    dtype = torch.int32
    if weights is not None:
        weights = convert_to_tensor(weights)
        dtype, weights = weights.dtype, weights.reshape(-1)
    if x.ndim == 1:
        return torch.bincount(x, weights, minlength).to(dtype)
    length = max(int(x.max()) + 1 if x.numel() else 0, minlength)
    rows = torch.arange(x.shape[0], device=x.device).unsqueeze(1) * length
    counts = torch.bincount((x + rows).reshape(-1), weights, x.shape[0] * length)
    return counts.reshape(x.shape[0], length).to(dtype)


@operation
def histogram(x: Any, bins: Any = 10, range: tuple[float, float] | None = None) -> Any:
    """Return the numbers of elements in bins of equal width, and the edges of the bins.

    Bins contain their lower edge, the last one its upper edge, too; elements outside are not counted.

    Args:
        bins: the number of bins, or their increasing edges.
        range: the lowest and highest edge; the extremes of `x` for None.

    Shapes:
        counts: (bins,), edges: (bins + 1,), both of the float dtype of `x`.
    """
    x = as_float(x).reshape(-1)
    if isinstance(bins, bool) or (isinstance(bins, int) and bins < 1):
        raise ValueError(f"`bins` must be a positive number of bins, or edges. Received: bins={bins}")
    if isinstance(bins, int):
        edges = _edges(x, bins, range)
    else:
        edges = convert_to_tensor(bins, x.dtype)
    position = torch.searchsorted(edges, x.detach(), right=True)
    position = torch.where(x == edges[-1], edges.numel() - 1, position)
    inside = (position > 0) & (position < edges.numel())
    counts = torch.zeros(edges.numel() - 1, dtype=x.dtype, device=x.device)
    return counts.scatter_add_(0, (position - 1).clamp(0, edges.numel() - 2), inside.to(x.dtype)), edges


def _edges(x: Tensor, bins: int, limits: tuple[float, float] | None) -> Tensor:
    if limits is not None:
        if len(limits) != 2 or limits[0] > limits[1]:
            raise ValueError(f"`range` must be (lowest, highest). Received: range={limits}")
        low, high = (convert_to_tensor(limit, x.dtype).to(x.device) for limit in limits)
    elif x.numel() == 0:
        low, high = x.new_zeros(()), x.new_ones(())
    else:
        low, high = torch.aminmax(x.detach())
    is_point = (low == high) * 0.5
    low, high = low - is_point, high + is_point
    steps = torch.arange(bins + 1, dtype=tensor_dtype(x.dtype), device=x.device) / bins
    return torch.where(steps == 1, high, low + (high - low) * steps)
