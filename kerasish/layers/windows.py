"""Windows that slide over the spatial axes: their sizes, padding, output lengths and memory layout.

Convolution and pooling share it. Torch's functions take (B, C, H, W); a channels-last tensor seen with its axes
moved has exactly the strides of torch's `channels_last` memory format, so no value is copied. A sequence runs as
an image of height 1, since torch copies three-dimensional inputs that are not contiguous.
"""

# B batch, C channels, H height, W width

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from kerasish.errors import did_you_mean, format_shape
from kerasish.ops.nn.spatial import pad_spatially as pad_spatially
from kerasish.ops.nn.spatial import same_padding as same_padding


def spatial_sizes(value: Any, rank: int, argument: str, layer: str, minimum: int = 1) -> tuple[int, ...]:
    """An integer for every axis, or one integer per axis, as a tuple; raise on anything else."""
    given = value if isinstance(value, (tuple, list)) else (value,) * rank
    try:
        sizes = tuple(operator.index(size) for size in given if not isinstance(size, bool))
    except TypeError:
        sizes = ()
    if len(sizes) != rank or min(sizes) < minimum:
        kind = "positive" if minimum else "non-negative"
        several = f" or a tuple of {rank} of them" if rank > 1 else ""
        raise ValueError(
            f"`{argument}` of layer {layer!r} must be a {kind} integer{several}. Received: {argument}={value!r}"
        )
    return sizes


def standardize_padding(padding: Any, allowed: Sequence[str], layer: str) -> str:
    """The kind of padding in lower case; raise on those that the layer does not have."""
    name = str(padding).lower()
    if name not in allowed:
        options = ", ".join(repr(option) for option in allowed)
        raise ValueError(
            f"`padding` of layer {layer!r} must be one of {options}.{did_you_mean(name, allowed)} "
            f"Received: padding={padding!r}"
        )
    return name


def count_of(value: Any, argument: str, layer: str) -> int:
    """A positive integer; raise on anything else."""
    return spatial_sizes((value,), 1, argument, layer)[0]


def output_length(
    length: int | None, window: int, stride: int, padding: str, dilation: int = 1
) -> int | None:
    """The number of positions of a window: ⌈length / stride⌉ when padded, those that fit inside otherwise."""
    if length is None:
        return None
    if padding != "valid":
        return -(-length // stride)
    return (length - dilation * (window - 1) - 1) // stride + 1


def split_shape(input_shape: Any, rank: int, is_last: bool, layer: str) -> tuple[Any, tuple, Any]:
    """A shape's batch size, its `rank` spatial sizes and its number of channels."""
    if len(input_shape) != rank + 2:
        raise ValueError(
            f"Layer {layer!r} expects inputs of {rank + 2} dimensions. Received: {format_shape(input_shape)}"
        )
    if is_last:
        return input_shape[0], tuple(input_shape[1:-1]), input_shape[-1]
    return input_shape[0], tuple(input_shape[2:]), input_shape[1]


def join_shape(batch: Any, spatial: Sequence[Any], channels: Any, is_last: bool) -> tuple:
    """The inverse of `split_shape`."""
    return (batch, *spatial, channels) if is_last else (batch, channels, *spatial)


def check_output_sizes(sizes: Sequence[int | None], input_shape: Any, window: Any, layer: str) -> None:
    """Raise when the window does not fit into the input."""
    if any(size is not None and size <= 0 for size in sizes):
        raise ValueError(
            f"The window {window} of layer {layer!r} is larger than its input of shape {format_shape(input_shape)}: "
            f"the output would have the spatial sizes {format_shape(tuple(sizes))}. Make the window or the dilation "
            "smaller, pad with `padding='same'`, or give larger inputs."
        )


def lifted(sizes: tuple[int, ...], neutral: int = 1) -> tuple[int, ...]:
    """Sizes for the image of height 1 as which a sequence runs; others stay."""
    return (neutral, *sizes) if len(sizes) == 1 else sizes


def to_torch_layout(x: Tensor, is_last: bool) -> Tensor:
    """View an input as (B, C, H, W) or (B, C, D, H, W)."""
    if x.dim() == 3:
        x = x.unsqueeze(1 if is_last else 2)
    return x.movedim(-1, 1) if is_last else x


def from_torch_layout(y: Tensor, is_last: bool, rank: int) -> Tensor:
    """View an output in the layer's own layout again."""
    if is_last:
        y = y.movedim(1, -1)
    return y.squeeze(1 if is_last else 2) if rank == 1 else y
