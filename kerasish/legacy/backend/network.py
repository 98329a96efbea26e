"""Convolutions, pooling and batch normalization, under Keras 2's argument names and defaults."""

# N batch, L spatial sizes, C channels

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kerasish.config import standardize_data_format
from kerasish.ops import nn
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.nn.convolution import TRANSPOSED_CONVOLUTIONS
from kerasish.ops.nn.pooling import AVERAGES
from kerasish.ops.nn.spatial import (
    extents,
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


@operation
def conv1d(
    x: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """Convolve sequences with a kernel `(k, C, outputs)`; padding may be "causal", zeros before the first step."""
    if padding == "causal":
        x, padding = convert_to_tensor(x), "valid"
        (dilation,) = per_dimension(dilation_rate, 1, "dilation_rate")
        before = dilation * (len(kernel) - 1)
        is_last = standardize_data_format(data_format) == "channels_last"
        x = F.pad(x, (0, 0, before, 0) if is_last else (before, 0))
    return nn.conv(x, kernel, strides, padding, data_format, dilation_rate)


def conv2d(
    x: Any,
    kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """Convolve images with a kernel `(k, k, C, outputs)`."""
    return nn.conv(x, kernel, strides, padding, data_format, dilation_rate)


def conv3d(
    x: Any,
    kernel: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1, 1),
) -> Any:
    """Convolve volumes with a kernel `(k, k, k, C, outputs)`."""
    return nn.conv(x, kernel, strides, padding, data_format, dilation_rate)


@operation
def conv2d_transpose(
    x: Any,
    kernel: Any,
    output_shape: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """What a convolution of images of `output_shape` hands back as the gradient; the kernel is `(k, k, outputs, C)`."""
    return _transposed(x, kernel, output_shape, strides, padding, data_format, dilation_rate)


@operation
def conv3d_transpose(
    x: Any,
    kernel: Any,
    output_shape: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """As `conv2d_transpose`, of volumes."""
    return _transposed(x, kernel, output_shape, strides, padding, data_format, 1)


def _transposed(
    x: Any,
    kernel: Any,
    output_shape: Any,
    strides: Any,
    padding: str,
    data_format: str | None,
    dilation_rate: Any,
) -> Tensor:
    x, kernel = as_float(x), as_float(kernel)
    rank = spatial_rank(x, "conv_transpose")
    is_last = standardize_data_format(data_format) == "channels_last"
    shape = [int(size) for size in (output_shape[1:-1] if is_last else output_shape[2:])]
    steps = per_dimension(strides, rank, "strides")
    rates = per_dimension(dilation_rate, rank, "dilation_rate")
    before = [0] * rank
    if standardize_padding(padding) == "same":
        before = [pair[0] for pair in same_paddings(shape, extents(kernel.shape[:rank], rates), steps)]
    weight = kernel.movedim((-1, -2), (0, 1)).contiguous()
    y = TRANSPOSED_CONVOLUTIONS[rank](
        to_channels_first(x, data_format), weight, None, steps, before, 0, 1, rates
    )
    after = [(0, size - have) for size, have in zip(shape, y.shape[2:], strict=True)]
    return from_channels_first(pad_spatially(y, after), data_format)


def depthwise_conv2d(
    x: Any,
    depthwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """Convolve each channel of images on its own, with a kernel `(k, k, C, M)`."""
    return nn.depthwise_conv(x, depthwise_kernel, strides, padding, data_format, dilation_rate)


def separable_conv1d(
    x: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """Convolve each channel of sequences on its own, then mix the channels."""
    return nn.separable_conv(
        x, depthwise_kernel, pointwise_kernel, strides, padding, data_format, dilation_rate
    )


def separable_conv2d(
    x: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """Convolve each channel of images on its own, then mix the channels."""
    return nn.separable_conv(
        x, depthwise_kernel, pointwise_kernel, strides, padding, data_format, dilation_rate
    )


@operation
def local_conv1d(
    inputs: Any,
    kernel: Any,
    kernel_size: Sequence[int],
    strides: Sequence[int],
    data_format: str | None = None,
) -> Any:
    """Convolve sequences with another kernel at every place: `(places, k · C, outputs)`."""
    x = to_channels_first(as_float(inputs), data_format)
    patches = x.unfold(2, kernel_size[0], strides[0])  # (N, C, places, k)
    columns = patches.permute(0, 2, 3, 1).flatten(2)
    y = torch.einsum("npk,pko->npo", columns, as_float(kernel))
    return y if standardize_data_format(data_format) == "channels_last" else y.mT


@operation
def local_conv2d(
    inputs: Any,
    kernel: Any,
    kernel_size: Sequence[int],
    strides: Sequence[int],
    output_shape: Sequence[int],
    data_format: str | None = None,
) -> Any:
    """Convolve images with another kernel at every place: `(places, k · k · C, outputs)`."""
    is_last = standardize_data_format(data_format) == "channels_last"
    x = to_channels_first(as_float(inputs), data_format)
    patches = x.unfold(2, kernel_size[0], strides[0]).unfold(
        3, kernel_size[1], strides[1]
    )  # (N, C, H, W, k, k)
    patches = patches[:, :, : output_shape[0], : output_shape[1]]
    order = (0, 2, 3, 4, 5, 1) if is_last else (0, 2, 3, 1, 4, 5)
    columns = patches.permute(order).flatten(3).flatten(1, 2)
    y = torch.einsum("npk,pko->npo", columns, as_float(kernel)).unflatten(1, tuple(output_shape))
    return y if is_last else y.movedim(-1, 1)


def pool2d(
    x: Any,
    pool_size: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Any:
    """The largest value ("max") or the mean ("avg") of each window of images."""
    return _pool(x, pool_size, strides, padding, data_format, pool_mode)


def pool3d(
    x: Any,
    pool_size: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Any:
    """The largest value ("max") or the mean ("avg") of each window of volumes."""
    return _pool(x, pool_size, strides, padding, data_format, pool_mode)


@operation
def _pool(
    x: Any, pool_size: Any, strides: Any, padding: str, data_format: str | None, pool_mode: str
) -> Tensor:
    if pool_mode not in ("max", "avg"):
        raise ValueError(f"`pool_mode` must be 'max' or 'avg'. Received: pool_mode={pool_mode!r}")
    if pool_mode == "max":
        return nn.max_pool(x, pool_size, strides, padding, data_format)
    if standardize_padding(padding) == "valid":
        return nn.average_pool(x, pool_size, strides, padding, data_format)
    x = to_channels_first(as_float(x), data_format)
    rank = x.ndim - 2
    windows, steps = per_dimension(pool_size, rank, "pool_size"), per_dimension(strides, rank, "strides")
    pairs = same_paddings(x.shape[2:], windows, steps)
    totals, counts = (
        AVERAGES[rank](pad_spatially(values, pairs), windows, steps)
        for values in (x, torch.ones_like(x[:1, :1]))
    )
    return from_channels_first(totals / counts, data_format)  # padding does not count


@operation
def batch_normalization(
    x: Any, mean: Any, var: Any, beta: Any, gamma: Any, axis: int = -1, epsilon: float = 1e-3
) -> Any:
    """`(x − mean) / sqrt(var + epsilon) · gamma + beta`."""
    return nn.batch_normalization(x, mean, var, axis, beta, gamma, epsilon)


@operation
def normalize_batch_in_training(
    x: Any, gamma: Any, beta: Any, reduction_axes: Sequence[int], epsilon: float = 1e-3
) -> Any:
    """Normalize by the moments over some axes; return the result, the means and the variances."""
    x = as_float(x)
    axes = [axis % x.ndim for axis in reduction_axes]
    shape = [1 if axis in axes else size for axis, size in enumerate(x.shape)]
    variance, mean = torch.var_mean(x, axes, correction=0)
    y = (x - mean.reshape(shape)) * torch.rsqrt(variance.reshape(shape) + epsilon)
    y = y if gamma is None else y * as_float(gamma).reshape(shape)
    y = y if beta is None else y + as_float(beta).reshape(shape)
    return y, mean, variance
