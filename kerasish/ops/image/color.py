"""Colour spaces."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish.config import standardize_data_format
from kerasish.errors import received
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.image.layout import check_rank
from kerasish.ops.operation import operation

LUMA = (0.2989, 0.587, 0.114)


def _channel_axis(images: Tensor, data_format: str | None) -> int:
    check_rank(images)
    return -1 if standardize_data_format(data_format) == "channels_last" else -3


def _rgb_axis(images: Tensor, data_format: str | None, function: str) -> int:
    axis = _channel_axis(images, data_format)
    if not images.is_floating_point() or images.shape[axis] != 3:
        raise ValueError(
            f"`{function}` takes floating-point images with 3 channels: convert integer ones to [0, 1] first. "
            f"Received: {received(images)}, data_format={data_format!r}"
        )
    return axis


@operation
def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Tensor:
    """Return the luma 0.2989 R + 0.587 G + 0.114 B as one channel; one channel is returned as it is.

    Example:
        >>> import torch
        >>> rgb_to_grayscale(torch.ones(2, 2, 3)).shape
        torch.Size([2, 2, 1])

    Source: ITU-R BT.601.
    """
    images = convert_to_tensor(images)
    axis = _channel_axis(images, data_format)
    if images.shape[axis] == 1:
        return images
    if images.shape[axis] != 3:
        raise ValueError(
            f"`rgb_to_grayscale` takes 3 channels, or 1. Received: {received(images)}, data_format={data_format!r}"
        )
    red, green, blue = images.split(1, axis)
    values = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
    return values.to(images.dtype)


@operation
def rgb_to_hsv(images: Any, data_format: str | None = None) -> Tensor:
    """Convert RGB in [0, 1] to hue, saturation and value in [0, 1]; hue 0 is red, 1/3 green, 2/3 blue.

    Example:
        >>> import torch
        >>> rgb_to_hsv(torch.tensor([[[0.0, 1.0, 0.0]]]))
        tensor([[[0.3333, 1.0000, 1.0000]]])

    Source: A. R. Smith, 1978, *Color gamut transform pairs*.
    """
    images = convert_to_tensor(images)
    axis = _rgb_axis(images, data_format, "rgb_to_hsv")
    red, green, blue = images.unbind(axis)
    value = images.amax(axis)
    spread = value - images.amin(axis)
    divisor = torch.where(spread == 0, 1, spread)
    hue = torch.where(
        red == value,
        (green - blue) / divisor,
        torch.where(green == value, (blue - red) / divisor + 2, (red - green) / divisor + 4),
    )
    hue = torch.where(spread == 0, 0, (hue / 6) % 1)
    saturation = torch.where(value == 0, 0, spread / torch.where(value == 0, 1, value))
    return torch.stack([hue, saturation, value], axis)


@operation
def hsv_to_rgb(images: Any, data_format: str | None = None) -> Tensor:
    """Convert hue, saturation and value in [0, 1] to RGB: channel n is v − v s max(0, min(k, 4 − k, 1)),
    k = (n + 6 h) mod 6 with n = 5, 3, 1.

    Example:
        >>> import torch
        >>> hsv_to_rgb(torch.tensor([[[0.0, 1.0, 1.0]]]))
        tensor([[[1., 0., 0.]]])

    Source: A. R. Smith, 1978, *Color gamut transform pairs*.
    """
    images = convert_to_tensor(images)
    axis = _rgb_axis(images, data_format, "hsv_to_rgb")
    hue, saturation, value = images.unbind(axis)

    def channel(n: int) -> Tensor:
        k = (n + hue * 6) % 6
        return value - value * saturation * torch.minimum(k, 4 - k).clamp(0, 1)

    return torch.stack([channel(5), channel(3), channel(1)], axis)
