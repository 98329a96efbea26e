"""Enlarging sequences, images and volumes."""

# B batch, T time, D depth, H height, W width, C channels, s factor

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kerasish.config import get_device, standardize_data_format
from kerasish.errors import did_you_mean
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.layers.windows import (
    from_torch_layout,
    join_shape,
    lifted,
    spatial_sizes,
    split_shape,
    to_torch_layout,
)

LANCZOS_RADIUS = {"lanczos3": 3, "lanczos5": 5}
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", *LANCZOS_RADIUS)


class UpSampling(Layer):
    """Base of `UpSampling1D`, `UpSampling2D` and `UpSampling3D`."""

    rank: int
    _rows: Tensor
    _columns: Tensor

    def __init__(
        self, size: Any, data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.size = spatial_sizes(size, self.rank, "size", self.name)
        self.data_format = "channels_last" if self.rank == 1 else standardize_data_format(data_format)
        self.interpolation = str(interpolation).lower()
        if self.interpolation not in INTERPOLATIONS:
            raise ValueError(
                f"`interpolation` of layer {self.name!r} must be one of "
                f"{', '.join(repr(name) for name in INTERPOLATIONS)}."
                f"{did_you_mean(interpolation, INTERPOLATIONS)} Received: interpolation={interpolation!r}"
            )
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self._is_last = self.data_format == "channels_last"
        self._factors = lifted(self.size)
        if self.interpolation in LANCZOS_RADIUS:
            self.register_buffer("_rows", torch.empty(0), persistent=False)
            self.register_buffer("_columns", torch.empty(0), persistent=False)

    def build(self, input_shape: Any) -> None:
        lengths = split_shape(input_shape, self.rank, self._is_last, self.name)[1]
        if self.interpolation in LANCZOS_RADIUS and None not in lengths:
            for name, weights in zip(
                ("_rows", "_columns"), self._weights(lengths, get_device()), strict=True
            ):
                self.register_buffer(name, weights.to(self._torch_dtype), persistent=False)

    def call(self, inputs: Tensor) -> Tensor:
        x = to_torch_layout(inputs, self._is_last)
        if inputs.is_floating_point():
            y = self._enlarge(x)
        elif self.interpolation == "nearest":
            y = x
            for axis, factor in enumerate(self._factors, start=2):
                y = y.repeat_interleave(factor, axis)
        else:
            limits = torch.iinfo(inputs.dtype)
            y = self._enlarge(x.to(self._torch_dtype)).round().clamp(limits.min, limits.max).to(inputs.dtype)
        return from_torch_layout(y, self._is_last, self.rank)

    def _enlarge(self, x: Tensor) -> Tensor:
        sizes = [length * factor for length, factor in zip(x.shape[2:], self._factors, strict=True)]
        if self.interpolation == "nearest":
            return F.interpolate(x, sizes, mode="nearest-exact")
        if self.interpolation in LANCZOS_RADIUS:
            if (self._rows.shape[-1:], self._columns.shape[-1:]) == (x.shape[2:3], x.shape[3:]):
                rows, columns = self._rows, self._columns
            else:
                rows, columns = self._weights(x.shape[2:], x.device)
            return rows.to(x.dtype) @ x @ columns.to(x.dtype).mT
        return F.interpolate(x, sizes, mode=self.interpolation)

    def _weights(self, lengths: Any, device: Any) -> list[Tensor]:
        radius = LANCZOS_RADIUS[self.interpolation]
        return [
            lanczos_weights(length, factor, radius, device)
            for length, factor in zip(lengths, self.size, strict=True)
        ]

    def compute_output_shape(self, input_shape: Any) -> tuple:
        batch, spatial, channels = split_shape(input_shape, self.rank, self._is_last, self.name)
        sizes = [
            None if length is None else length * factor
            for length, factor in zip(spatial, self.size, strict=True)
        ]
        return join_shape(batch, sizes, channels, self._is_last)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "data_format": self.data_format}


def lanczos_weights(length: int, factor: int, radius: int, device: Any) -> Tensor:
    """The share of each input in each output: sinc(d)·sinc(d / radius) of their distance d, scaled to sum 1."""
    outputs = (torch.arange(length * factor, dtype=torch.float64, device=device) + 0.5) / factor - 0.5
    distances = outputs[:, None] - torch.arange(length, dtype=torch.float64, device=device)
    weights = torch.sinc(distances) * torch.sinc(distances / radius) * (distances.abs() < radius)
    return weights / weights.sum(dim=1, keepdim=True)


class UpSampling1D(UpSampling):
    """Repeat each step of a sequence.

    Args:
        size: number s of repetitions.

    Shapes: (B, T, C) → (B, T·s, C).
    """

    rank = 1

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__((size,), **kwargs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["data_format"]
        return {**config, "size": self.size[0]}


class UpSampling2D(UpSampling):
    """Enlarge images by whole factors.

    Args:
        size: factor s: an integer, or one each for rows and columns.
        data_format: `"channels_last"` or `"channels_first"`; by default `config.image_data_format()`.
        interpolation: `"nearest"` repeats rows and columns; `"bilinear"`, `"bicubic"`, `"lanczos3"` and `"lanczos5"`
            interpolate between the centres of the pixels. Integers are rounded.

    Shapes: (B, H, W, C) → (B, H·s, W·s, C), or channels first (B, C, H, W) → (B, C, H·s, W·s).

    Differs: the cubic kernel is torch's, with a = −0.75, as in Keras on PyTorch; Keras on TensorFlow and JAX has −0.5.

    Example:
        >>> import torch, kerasish
        >>> kerasish.layers.UpSampling2D((1, 2))(torch.tensor([[[[1.0], [2.0]]]])).flatten()
        tensor([1., 1., 2., 2.])
    """

    rank = 2

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(size, data_format, interpolation, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "interpolation": self.interpolation}


class UpSampling3D(UpSampling):
    """Repeat the planes, rows and columns of volumes.

    Args:
        size: factor s: an integer, or one per axis.
        data_format: `"channels_last"` or `"channels_first"`; by default `config.image_data_format()`.

    Shapes: (B, D, H, W, C) → (B, D·s, H·s, W·s, C), or channels first likewise.
    """

    rank = 3

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(size, data_format, **kwargs)
