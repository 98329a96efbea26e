"""Pooling over one, two or three spatial dimensions."""

# N batch, L spatial sizes, C channels

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from kerasish.ops.nn.spatial import (
    check_fits,
    from_channels_first,
    pad_spatially,
    per_dimension,
    same_paddings,
    spatial_rank,
    standardize_padding,
    to_channels_first,
)
from kerasish.ops.operands import as_float
from kerasish.ops.operation import operation

MAXIMA: dict[int, Any] = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVERAGES: dict[int, Any] = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
ADAPTIVE_MAXIMA: dict[int, Any] = {
    1: F.adaptive_max_pool1d,
    2: F.adaptive_max_pool2d,
    3: F.adaptive_max_pool3d,
}
ADAPTIVE_AVERAGES: dict[int, Any] = {
    1: F.adaptive_avg_pool1d,
    2: F.adaptive_avg_pool2d,
    3: F.adaptive_avg_pool3d,
}


@operation
def max_pool(
    inputs: Any,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """The largest value of each window.

    Args:
        inputs: `(N, L…, C)`, or `(N, C, L…)` with "channels_first".
        pool_size: size of the window: one number, or one per spatial dimension.
        strides: its steps; None for `pool_size`.
        padding: "valid" (whole windows only) or "same" (⌈L / s⌉ windows).

    Example:
        >>> max_pool([[[1.0], [5.0], [2.0], [3.0]]], 2).flatten().tolist()
        [5.0, 3.0]
    """
    x, windows, steps, amounts = _windows("max_pool", inputs, pool_size, strides, padding, data_format)
    return from_channels_first(MAXIMA[len(windows)](x, windows, steps, amounts), data_format)


@operation
def average_pool(
    inputs: Any,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """The mean of each window; arguments as in `max_pool`.

    Padding does not count, as long as it is as wide before as after; where "same" needs one more after, the edges are
    repeated, as Keras 3 does on torch.
    """
    x, windows, steps, amounts = _windows("average_pool", inputs, pool_size, strides, padding, data_format)
    y = AVERAGES[len(windows)](x, windows, steps, amounts, False, False)
    return from_channels_first(y, data_format)


def _windows(
    name: str, inputs: Any, pool_size: Any, strides: Any, padding: str, data_format: str | None
) -> tuple[Tensor, Any, Any, Any]:
    """The input `(N, C, L…)`, and windows, strides and padding per dimension as torch takes them."""
    inputs = as_float(inputs)
    rank = spatial_rank(inputs, name)
    windows = per_dimension(pool_size, rank, "pool_size")
    steps = windows if strides is None else per_dimension(strides, rank, "strides")
    x = to_channels_first(inputs, data_format)
    if standardize_padding(padding) == "valid":
        check_fits(name, x, windows)
        return x, windows, steps, 0
    pairs = same_paddings(x.shape[2:], windows, steps)
    if all(before == after for before, after in pairs):
        return x, windows, steps, tuple(before for before, _ in pairs)
    return pad_spatially(x, pairs, mode="replicate"), windows, steps, 0


@operation
def adaptive_max_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Any:
    """The largest value in each of `output_size` equal parts of every spatial dimension.

    Args:
        inputs: `(N, L…, C)`, or `(N, C, L…)` with "channels_first".
        output_size: number of parts: one number, or one per spatial dimension.
    """
    return _pool_parts(ADAPTIVE_MAXIMA, inputs, output_size, data_format)


@operation
def adaptive_average_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Any:
    """The mean in each of `output_size` equal parts of every spatial dimension; arguments as in `adaptive_max_pool`.

    Example:
        >>> adaptive_average_pool([[[1.0], [5.0], [2.0], [3.0]]], 2).flatten().tolist()
        [3.0, 2.5]
    """
    return _pool_parts(ADAPTIVE_AVERAGES, inputs, output_size, data_format)


def _pool_parts(functions: dict[int, Any], inputs: Any, output_size: Any, data_format: str | None) -> Tensor:
    inputs = as_float(inputs)
    rank = spatial_rank(inputs, "adaptive pooling")
    sizes = per_dimension(output_size, rank, "output_size")
    y = functions[rank](to_channels_first(inputs, data_format), sizes)
    return from_channels_first(y, data_format)
