"""Pooling to an output of given size."""

# B batch, T time, D depth, H height, W width, C channels, S output size

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from kerasish.config import standardize_data_format
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


class AdaptivePooling(Layer):
    """Base of the poolings to an output of given size."""

    rank: int

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.output_size = spatial_sizes(output_size, self.rank, "output_size", self.name)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self._is_last = self.data_format == "channels_last"

    def call(self, inputs: Tensor) -> Tensor:
        if not inputs.is_floating_point():
            inputs = inputs.to(self._torch_dtype)
        y = self._pool(to_torch_layout(inputs, self._is_last), lifted(self.output_size))
        return from_torch_layout(y, self._is_last, self.rank)

    def _pool(self, x: Tensor, sizes: Any) -> Tensor:
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> tuple:
        batch, _, channels = split_shape(input_shape, self.rank, self._is_last, self.name)
        return join_shape(batch, self.output_size, channels, self._is_last)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_size": self.output_size, "data_format": self.data_format}


class AdaptiveAveragePooling(AdaptivePooling):
    """Base of `AdaptiveAveragePooling1D`, `AdaptiveAveragePooling2D` and `AdaptiveAveragePooling3D`."""

    def _pool(self, x: Tensor, sizes: Any) -> Tensor:
        return F.adaptive_avg_pool3d(x, sizes) if self.rank == 3 else F.adaptive_avg_pool2d(x, sizes)


class AdaptiveMaxPooling(AdaptivePooling):
    """Base of `AdaptiveMaxPooling1D`, `AdaptiveMaxPooling2D` and `AdaptiveMaxPooling3D`."""

    def _pool(self, x: Tensor, sizes: Any) -> Tensor:
        return F.adaptive_max_pool3d(x, sizes) if self.rank == 3 else F.adaptive_max_pool2d(x, sizes)


class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    """Average a sequence in S windows of almost equal length; arguments are those of `AdaptiveAveragePooling2D`.

    Shapes: (B, T, C) → (B, S, C), or channels first (B, C, T) → (B, C, S).
    """

    rank = 1


class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    """Average images in S × S windows: output i is the mean of the positions ⌊i·H / S⌋ to ⌈(i + 1)·H / S⌉ − 1.

    Args:
        output_size: number S of outputs: an integer, or one per spatial axis.
        data_format: `"channels_last"` or `"channels_first"`; by default `config.image_data_format()`.

    Shapes: (B, H, W, C) → (B, S, S, C), or channels first (B, C, H, W) → (B, C, S, S).

    Example:
        >>> import torch, kerasish
        >>> kerasish.layers.AdaptiveAveragePooling2D((1, 2))(torch.arange(6.0).reshape(1, 2, 3, 1)).flatten()
        tensor([2., 3.])
    """

    rank = 2


class AdaptiveAveragePooling3D(AdaptiveAveragePooling):
    """Average volumes in S × S × S windows; arguments are those of `AdaptiveAveragePooling2D`.

    Shapes: (B, D, H, W, C) → (B, S, S, S, C), or channels first (B, C, D, H, W) → (B, C, S, S, S).
    """

    rank = 3


class AdaptiveMaxPooling1D(AdaptiveMaxPooling):
    """Take the largest values in S windows of a sequence; arguments and windows those of `AdaptiveAveragePooling2D`.

    Shapes: (B, T, C) → (B, S, C), or channels first (B, C, T) → (B, C, S).
    """

    rank = 1


class AdaptiveMaxPooling2D(AdaptiveMaxPooling):
    """Take the largest values of S × S windows; arguments and windows are those of `AdaptiveAveragePooling2D`.

    Shapes: (B, H, W, C) → (B, S, S, C), or channels first (B, C, H, W) → (B, C, S, S).
    """

    rank = 2


class AdaptiveMaxPooling3D(AdaptiveMaxPooling):
    """Take the largest values of S × S × S windows; arguments and windows are those of `AdaptiveAveragePooling2D`.

    Shapes: (B, D, H, W, C) → (B, S, S, S, C), or channels first (B, C, D, H, W) → (B, C, S, S, S).
    """

    rank = 3
