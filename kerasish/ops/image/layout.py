"""Images of either rank and layout as one: (B, C, H, W), a view where that is possible."""

# B images, C channels, H height, W width

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish.config import standardize_data_format
from kerasish.errors import did_you_mean, received
from kerasish.ops.core import convert_to_tensor


class Layout:
    """How a caller's images lie: to (B, C, H, W) by `planes`, and back by `restore`."""

    def __init__(self, images: Tensor, data_format: str | None) -> None:
        check_rank(images)
        self.is_last = standardize_data_format(data_format) == "channels_last"
        self.is_single = images.dim() == 3

    def planes(self, images: Tensor) -> Tensor:
        """The images as (B, C, H, W)."""
        images = images.unsqueeze(0) if self.is_single else images
        return images.movedim(-1, 1) if self.is_last else images

    def restore(self, planes: Tensor) -> Tensor:
        """The inverse of `planes`."""
        images = planes.movedim(1, -1) if self.is_last else planes
        return images.squeeze(0) if self.is_single else images


def as_planes(images: Any, data_format: str | None) -> tuple[Tensor, Layout]:
    """The images as a tensor (B, C, H, W), and the way back."""
    images = convert_to_tensor(images)
    layout = Layout(images, data_format)
    return layout.planes(images), layout


def check_rank(images: Tensor) -> None:
    """Raise unless the tensor has the rank of an image or of a batch of images."""
    if images.dim() not in (3, 4):
        raise ValueError(
            "`images` must have rank 3 (one image: height, width, channels) or 4 (a batch of images). "
            f"Received: {received(images)}"
        )


def check_choice(name: str, value: Any, choices: Any) -> None:
    """Raise unless `value` is one of `choices`."""
    if value not in choices:
        raise ValueError(
            f"`{name}` must be one of {sorted(choices)}.{did_you_mean(value, choices)} Received: {name}={value!r}"
        )


def computed_as_float(images: Tensor) -> Tensor:
    """Images in the dtype of computation: float64 ones as they are, all others as float32."""
    return images if images.dtype is torch.float64 else images.float()


def rounded_to(values: Tensor, dtype: torch.dtype) -> Tensor:
    """Values in `dtype`: to an integer one by rounding to the nearest (halves to the even one), held in its range."""
    if dtype.is_floating_point or values.dtype is dtype:
        return values.to(dtype)
    if dtype is torch.bool:
        return values.round().to(dtype)
    limits = torch.iinfo(dtype)
    return values.round().clamp(limits.min, limits.max).to(dtype)
