"""Pooling over all positions."""

# B batch, T time, H height, W width, C channels

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish.config import standardize_data_format
from kerasish.errors import format_shape, received
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.layers.windows import join_shape, split_shape


class GlobalPooling(Layer):
    """Base of the poolings over all positions."""

    rank: int

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self._is_last = self.data_format == "channels_last"
        first = 1 if self._is_last else 2
        self._axes = tuple(range(first, first + self.rank))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        batch, spatial, channels = split_shape(input_shape, self.rank, self._is_last, self.name)
        return join_shape(batch, [1] * len(spatial) if self.keepdims else [], channels, self._is_last)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims}


class GlobalMaxPooling(GlobalPooling):
    """Base of `GlobalMaxPooling1D`, `GlobalMaxPooling2D` and `GlobalMaxPooling3D`."""

    def call(self, inputs: Tensor) -> Tensor:
        return inputs.amax(self._axes, keepdim=self.keepdims)


class GlobalAveragePooling(GlobalPooling):
    """Base of `GlobalAveragePooling1D`, `GlobalAveragePooling2D` and `GlobalAveragePooling3D`."""

    def call(self, inputs: Tensor) -> Tensor:
        if not inputs.is_floating_point():
            inputs = inputs.to(self._torch_dtype)
        return inputs.mean(self._axes, keepdim=self.keepdims)


class GlobalMaxPooling1D(GlobalMaxPooling):
    """Take the largest value of a sequence in each channel; arguments are those of `GlobalMaxPooling2D`.

    Shapes: (B, T, C), or channels first (B, C, T) → (B, C).
    """

    rank = 1


class GlobalMaxPooling2D(GlobalMaxPooling):
    """Take the largest value of each channel: `y[c] = max x[h, w, c]`.

    Args:
        data_format: `"channels_last"` or `"channels_first"`; by default `config.image_data_format()`.
        keepdims: keep the spatial axes, with size 1.

    Shapes: (B, H, W, C), or channels first (B, C, H, W) → (B, C).
    """

    rank = 2


class GlobalMaxPooling3D(GlobalMaxPooling):
    """Take the largest value of a volume in each channel; arguments are those of `GlobalMaxPooling2D`.

    Shapes: (B, D, H, W, C), or channels first (B, C, D, H, W) → (B, C).
    """

    rank = 3


class GlobalAveragePooling1D(GlobalAveragePooling):
    """Average a sequence in each channel, over the positions that are not masked; `y[c] = Σ mask·x / Σ mask`.

    Args:
        data_format, keepdims: as those of `GlobalAveragePooling2D`.

    Call arguments: `mask` (B, T), True where a position counts. A record without any gives NaN, as in Keras.

    Shapes: (B, T, C), or channels first (B, C, T) → (B, C).

    Example:
        >>> import torch, kerasish
        >>> x, mask = torch.arange(4.0).reshape(1, 4, 1), torch.tensor([[True, True, True, False]])
        >>> kerasish.layers.GlobalAveragePooling1D()(x, mask=mask)
        tensor([[1.]])
    """

    rank = 1

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is None:
            return super().call(inputs)
        mask = torch.as_tensor(mask, device=inputs.device)
        time = self._axes[0]
        if mask.shape != (inputs.shape[0], inputs.shape[time]):
            raise ValueError(
                f"The mask of layer {self.name!r} must have the shape (batch, time) = "
                f"{format_shape((inputs.shape[0], inputs.shape[time]))}. Received: {received(mask)}"
            )
        weights = mask.to(self._torch_dtype).unsqueeze(3 - time)
        total = (inputs * weights).sum(time, keepdim=self.keepdims)
        return total / weights.sum(time, keepdim=self.keepdims)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """None: the time axis is gone."""
        return


class GlobalAveragePooling2D(GlobalAveragePooling):
    """Average each channel: `y[c] = mean x[h, w, c]`.

    Args:
        data_format: `"channels_last"` or `"channels_first"`; by default `config.image_data_format()`.
        keepdims: keep the spatial axes, with size 1.

    Shapes: (B, H, W, C), or channels first (B, C, H, W) → (B, C).

    Source: Lin, Chen and Yan, 2013, arXiv:1312.4400, section 3.2.
    """

    rank = 2


class GlobalAveragePooling3D(GlobalAveragePooling):
    """Average a volume in each channel; arguments are those of `GlobalAveragePooling2D`.

    Shapes: (B, D, H, W, C), or channels first (B, C, D, H, W) → (B, C).
    """

    rank = 3
