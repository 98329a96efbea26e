"""Scaling by constants."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish.dtypes import torch_dtype
from kerasish.layers.layer import Layer


class Rescaling(Layer):
    """Compute `x · scale + offset`, e.g. pixels 0…255 to 0…1 with `scale=1/255`.

    Args:
        scale: factor: number, or array that is broadcast to the input.
        offset: summand: number or array.
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset
        self.supports_masking = True

    def call(self, inputs: Any) -> Tensor:
        dtype = torch_dtype(self.compute_dtype)
        inputs = torch.as_tensor(inputs).to(dtype)
        scale, offset = (self._constant(value, inputs) for value in (self.scale, self.offset))
        return inputs * scale + offset

    def _constant(self, value: Any, like: Tensor) -> Any:
        if isinstance(value, (int, float)):
            return value
        return torch.as_tensor(value, dtype=like.dtype, device=like.device)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}
