"""Masking of padded time steps."""

# B batch, T time, F features

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish.layers.layer import Layer
from kerasish.serialization import deserialize_keras_object, serialize_keras_object


class Masking(Layer):
    """Mark time steps whose features all equal `mask_value`, and set them to zero: `mask = any(x ≠ mask_value)`.

    The mask goes on with the output to layers that heed it, such as `LSTM`.

    Args:
        mask_value: the value of padding.

    Shapes: (B, T, F) → (B, T, F), with a boolean mask (B, T).

    Example:
        >>> import torch, kerasish
        >>> kerasish.layers.Masking()(torch.tensor([[[0.0, 0.0], [1.0, 0.0]]]))._keras_mask
        tensor([[False,  True]])
    """

    def __init__(self, mask_value: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True

    def _is_valid(self, inputs: Tensor) -> Tensor:
        return (inputs != torch.as_tensor(self.mask_value, device=inputs.device)).any(dim=-1)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self._is_valid(inputs)

    def call(self, inputs: Tensor) -> Tensor:
        return inputs * self._is_valid(inputs).unsqueeze(-1).to(inputs.dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mask_value": serialize_keras_object(self.mask_value)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return super().from_config({**config, "mask_value": deserialize_keras_object(config["mask_value"])})
