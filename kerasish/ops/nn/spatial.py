"""What convolutions and pooling share: layouts, sizes per dimension and the padding called "same"."""

# N batch, L spatial sizes, C channels; k windows, s strides, d dilation rates

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from kerasish.config import standardize_data_format
from kerasish.errors import format_shape


def spatial_rank(x: Tensor, name: str) -> int:
    """The number of spatial dimensions of a batch of sequences, images or volumes."""
    if x.ndim not in (3, 4, 5):
        raise ValueError(
            f"{name}: `inputs` must have 3, 4 or 5 dimensions: batch, one to three spatial ones, and channels. "
            f"Received: inputs of shape {format_shape(x.shape)}"
        )
    return x.ndim - 2


def per_dimension(value: Any, rank: int, name: str, minimum: int = 1) -> tuple[int, ...]:
    """One number per spatial dimension, from one for all of them or a sequence."""
    values = tuple(value) if isinstance(value, Sequence) else (value,) * rank
    if len(values) != rank or not all(isinstance(size, int) and size >= minimum for size in values):
        raise ValueError(
            f"`{name}` must be an integer of at least {minimum}, or {rank} of them, one per spatial dimension. "
            f"Received: {name}={value!r}"
        )
    return values


def standardize_padding(padding: Any) -> str:
    """`"valid"` or `"same"`, in lower case."""
    name = padding.lower() if isinstance(padding, str) else padding
    if name not in ("valid", "same"):
        raise ValueError(f"`padding` must be 'valid' or 'same'. Received: padding={padding!r}")
    return name


def to_channels_first(x: Tensor, data_format: str | None) -> Tensor:
    """`(N, L…, C)` → `(N, C, L…)`, a view; as it is in the format "channels_first"."""
    return x.movedim(-1, 1) if standardize_data_format(data_format) == "channels_last" else x


def from_channels_first(x: Tensor, data_format: str | None) -> Tensor:
    """The inverse of `to_channels_first`."""
    return x.movedim(1, -1) if standardize_data_format(data_format) == "channels_last" else x


def same_padding(length: int, window: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """How many positions before and after give ⌈length / stride⌉ outputs; the odd one comes after."""
    outputs = -(-length // stride)
    total = max((outputs - 1) * stride + dilation * (window - 1) + 1 - length, 0)
    return total // 2, total - total // 2


def same_paddings(sizes: Any, windows: Any, strides: Any) -> list[tuple[int, int]]:
    """`same_padding` of every spatial dimension."""
    return [same_padding(*each) for each in zip(sizes, windows, strides, strict=True)]


def extents(kernel_sizes: Any, dilation_rates: Any) -> list[int]:
    """What each kernel spans with the gaps of dilation: `(k − 1) d + 1`."""
    return [(k - 1) * d + 1 for k, d in zip(kernel_sizes, dilation_rates, strict=True)]


def pad_spatially(x: Tensor, pairs: Sequence[tuple[int, int]], mode: str = "constant") -> Tensor:
    """Add positions before and after each spatial dimension of (N, C, L…): zeros, or as torch's `mode` says."""
    return F.pad(x, [amount for pair in reversed(pairs) for amount in pair], mode)


def check_fits(name: str, x: Tensor, windows: Any) -> None:
    """Raise if a window is larger than the input `(N, C, L…)`."""
    if any(window > size for window, size in zip(windows, x.shape[2:], strict=True)):
        raise ValueError(
            f"{name}: the window spans {tuple(windows)}, more than the spatial size {format_shape(x.shape[2:])} of the "
            "input, so the output would be empty. Use padding='same', a smaller window or larger inputs."
        )
