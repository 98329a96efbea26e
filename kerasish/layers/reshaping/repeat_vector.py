"""Repeating a vector as a sequence."""

# B batch, C features

from __future__ import annotations

from typing import Any

from torch import Tensor

from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer


class RepeatVector(Layer):
    """Make of each vector a sequence that has it n times.

    Args:
        n: number of repetitions.

    Shapes: (B, C) → (B, n, C).
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(n, int) or isinstance(n, bool):
            raise TypeError(f"`n` of layer {self.name!r} must be an integer. Received: n={n!r}")
        if n <= 0:
            raise ValueError(f"`n` of layer {self.name!r} must be positive. Received: n={n}")
        self.n = n
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Tensor) -> Tensor:
        return inputs.unsqueeze(1).repeat(1, self.n, 1)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (input_shape[0], self.n, input_shape[1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n": self.n}
