"""An activation function as a layer of its own."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from kerasish import activations
from kerasish.layers.layer import Layer
from kerasish.symbolic import KerasTensor


class Activation(Layer):
    """Apply an activation: `y = activation(x)`.

    Args:
        activation: name or function of tensors.
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        return self.activation(inputs)

    def compute_output_spec(self, inputs: Any, **kwargs: Any) -> Any:
        if activations.keeps_shape(self.activation):
            return KerasTensor(inputs.shape, dtype=self.compute_dtype)
        return super().compute_output_spec(inputs, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": activations.serialize(self.activation)}
