"""Flattening."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from kerasish.config import standardize_data_format
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer


class Flatten(Layer):
    """Put all dimensions but the batch into one.

    Args:
        data_format: `"channels_first"` moves the channels last before flattening, so that both layouts give
            the same order.

    Shapes: (B, …) → (B, product of …); (B,) → (B, 1).
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Tensor) -> Tensor:
        if self.data_format == "channels_first" and inputs.dim() > 2:
            inputs = inputs.movedim(1, -1)
        return inputs.reshape(inputs.shape[0], -1) if inputs.dim() > 1 else inputs.unsqueeze(-1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        sizes = input_shape[1:]
        return (input_shape[0], None if None in sizes else math.prod(sizes))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}
