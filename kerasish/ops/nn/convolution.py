"""Convolutions over one, two or three spatial dimensions, with kernels in Keras's layout."""

# N batch, L spatial sizes, C channels; k kernel sizes, s strides, d dilation rates

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from kerasish.errors import format_shape
from kerasish.ops.floating import to_common
from kerasish.ops.nn.spatial import (
    check_fits,
    extents,
    from_channels_first,
    pad_spatially,
    per_dimension,
    same_paddings,
    spatial_rank,
    standardize_padding,
    to_channels_first,
)
from kerasish.ops.operation import operation

CONVOLUTIONS: dict[int, Any] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
TRANSPOSED_CONVOLUTIONS: dict[int, Any] = {
    1: F.conv_transpose1d,
    2: F.conv_transpose2d,
    3: F.conv_transpose3d,
}


@operation
def conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """`y[l, o] = Σ_{i, c} x[l s + i d, c] · kernel[i, c, o]`: a cross-correlation.

    Args:
        inputs: `(N, L…, C)`, or `(N, C, L…)` with "channels_first".
        kernel: `(k…, C / groups, outputs)`; the number of groups follows from the shapes.
        strides, dilation_rate: one number, or one per spatial dimension.
        padding: "valid" (none) or "same" (zeros, for ⌈L / s⌉ outputs; the odd one goes to the end).

    Raises:
        ValueError: unknown padding or layout, kernel that does not go with the inputs.

    Example:
        >>> conv([[[1.0], [2.0], [4.0]]], [[[1.0]], [[-1.0]]]).flatten().tolist()
        [-1.0, -2.0]
    """
    inputs, kernel = to_common(inputs, kernel)
    rank = spatial_rank(inputs, "conv")
    _check_kernel_rank("conv", "kernel", kernel, rank)
    x = to_channels_first(inputs, data_format)
    if x.shape[1] % kernel.shape[-2] or kernel.shape[-1] % (x.shape[1] // kernel.shape[-2]):
        raise ValueError(
            f"conv: the {x.shape[1]} input channels must be a multiple of the kernel's {kernel.shape[-2]}, and its "
            f"{kernel.shape[-1]} outputs a multiple of the number of such groups. "
            f"Received: inputs of shape {format_shape(inputs.shape)}, kernel of shape {format_shape(kernel.shape)}"
        )
    groups = x.shape[1] // kernel.shape[-2]
    y = _convolve("conv", x, kernel.movedim((-1, -2), (0, 1)), strides, padding, dilation_rate, groups)
    return from_channels_first(y, data_format)


@operation
def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """`y[l, c M + m] = Σ_i x[l s + i d, c] · kernel[i, c, m]`: each channel on its own.

    Args:
        inputs: `(N, L…, C)`, or `(N, C, L…)` with "channels_first".
        kernel: `(k…, C, M)`.
        strides, padding, dilation_rate: as in `conv`.

    Shapes: C·M channels.
    """
    inputs, kernel = to_common(inputs, kernel)
    rank = spatial_rank(inputs, "depthwise_conv")
    _check_kernel_rank("depthwise_conv", "kernel", kernel, rank)
    x = to_channels_first(inputs, data_format)
    channels, multiplier = kernel.shape[-2:]
    if x.shape[1] != channels:
        raise ValueError(
            f"depthwise_conv: the kernel must have one row per input channel, {x.shape[1]}. "
            f"Received: kernel of shape {format_shape(kernel.shape)}"
        )
    weight = kernel.reshape(*kernel.shape[:-2], 1, channels * multiplier).movedim((-1, -2), (0, 1))
    y = _convolve("depthwise_conv", x, weight, strides, padding, dilation_rate, channels)
    return from_channels_first(y, data_format)


@operation
def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """A depthwise convolution, then a convolution of width 1 that mixes the channels.

    Args:
        inputs: `(N, L…, C)`, or `(N, C, L…)` with "channels_first".
        depthwise_kernel: `(k…, C, M)`.
        pointwise_kernel: `(1…, C·M, outputs)`.
        strides, padding, dilation_rate: as in `conv`, of the depthwise part.
    """
    y = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(y, pointwise_kernel, 1, "valid", data_format)


@operation
def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """`y[l s + i d, o] += x[l, c] · kernel[i, o, c]`: the gradient of a convolution with respect to its input.

    Args:
        inputs: `(N, L…, C)`, or `(N, C, L…)` with "channels_first".
        kernel: `(k…, outputs, C)`.
        strides, dilation_rate: one number, or one per spatial dimension.
        padding: "valid", `L s + max(K − s, 0)` outputs for kernels spanning `K = (k − 1) d + 1`, or "same", `L s`.
        output_padding: given, there are `(L − 1) s + K − 2 P + output_padding` outputs, P being ⌊K / 2⌋ for "same"
            and 0 for "valid".

    Source: Dumoulin and Visin, 2016, *A guide to convolution arithmetic for deep learning*, arXiv:1603.07285.
    """
    inputs, kernel = to_common(inputs, kernel)
    rank = spatial_rank(inputs, "conv_transpose")
    _check_kernel_rank("conv_transpose", "kernel", kernel, rank)
    x = to_channels_first(inputs, data_format)
    if x.shape[1] != kernel.shape[-1]:
        raise ValueError(
            f"conv_transpose: the last size of the kernel must be the number of input channels, {x.shape[1]}. "
            f"Received: kernel of shape {format_shape(kernel.shape)}"
        )
    steps = per_dimension(strides, rank, "strides")
    rates = per_dimension(dilation_rate, rank, "dilation_rate")
    spans = extents(kernel.shape[:rank], rates)
    sizes = _transposed_sizes(x.shape[2:], spans, steps, standardize_padding(padding), output_padding)
    full = [(size - 1) * step + span for size, step, span in zip(x.shape[2:], steps, spans, strict=True)]
    before = [max(whole - size, 0) // 2 for whole, size in zip(full, sizes, strict=True)]
    weight = kernel.movedim((-1, -2), (0, 1)).contiguous()  # torch's gradient in float64 needs it
    y = TRANSPOSED_CONVOLUTIONS[rank](x, weight, None, steps, before, 0, 1, rates)
    after = [(0, size - have) for size, have in zip(sizes, y.shape[2:], strict=True)]
    if any(amount for _, amount in after):
        y = pad_spatially(y, after)
    return from_channels_first(y, data_format)


def _transposed_sizes(sizes: Any, spans: Any, steps: Any, padding: str, output_padding: Any) -> list[int]:
    is_same = padding == "same"
    if output_padding is None:
        grown = [0 if is_same else max(span - step, 0) for span, step in zip(spans, steps, strict=True)]
        return [size * step + extra for size, step, extra in zip(sizes, steps, grown, strict=True)]
    extras = per_dimension(output_padding, len(spans), "output_padding", minimum=0)
    return [
        (size - 1) * step + span - (2 * (span // 2) if is_same else 0) + extra
        for size, step, span, extra in zip(sizes, steps, spans, extras, strict=True)
    ]


def _check_kernel_rank(name: str, argument: str, kernel: Tensor, rank: int) -> None:
    if kernel.ndim != rank + 2:
        raise ValueError(
            f"{name}: `{argument}` must have {rank + 2} dimensions, the spatial ones first. "
            f"Received: {argument} of shape {format_shape(kernel.shape)}"
        )


def _convolve(
    name: str, x: Tensor, weight: Tensor, strides: Any, padding: str, dilation_rate: Any, groups: int
) -> Tensor:
    """Convolve `(N, C, L…)` with a kernel in torch's layout, `(outputs, C / groups, k…)`."""
    rank = x.ndim - 2
    steps = per_dimension(strides, rank, "strides")
    rates = per_dimension(dilation_rate, rank, "dilation_rate")
    spans = extents(weight.shape[2:], rates)
    amounts: Any = (0,) * rank
    if standardize_padding(padding) == "same":
        pairs = same_paddings(x.shape[2:], spans, steps)
        if all(before == after for before, after in pairs):
            amounts = tuple(before for before, _ in pairs)
        else:
            x = pad_spatially(x, pairs)
    else:
        check_fits(name, x, spans)
    return CONVOLUTIONS[rank](x, weight, None, steps, amounts, rates, groups)
