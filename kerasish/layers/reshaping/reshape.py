"""Reshaping."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from kerasish.errors import format_shape
from kerasish.layers.layer import Layer


class Reshape(Layer):
    """Give each record the shape `target_shape`, of which one size may be −1.

    Shapes: (B, …) → (B, *target_shape).
    """

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = (target_shape,) if isinstance(target_shape, int) else tuple(target_shape)
        if self.target_shape.count(-1) > 1:
            raise ValueError(
                f"Only one size of `target_shape` may be -1 (layer {self.name!r}). Received: {self.target_shape}"
            )

    def build(self, input_shape: Any) -> None:
        sizes = input_shape[1:]
        if None in sizes:
            return
        total, known = math.prod(sizes), math.prod(size for size in self.target_shape if size != -1)
        fits = total % known == 0 if -1 in self.target_shape and known else total == known
        if not fits:
            raise ValueError(
                f"Layer {self.name!r} cannot reshape records of shape {format_shape(sizes)} ({total} values) to "
                f"{format_shape(self.target_shape)} ({known} values)."
            )

    def call(self, inputs: Tensor) -> Tensor:
        return inputs.reshape(inputs.shape[0], *self.target_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_shape": self.target_shape}
