"""Dropout."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish.layers.layer import Layer
from kerasish.random import SeedGenerator


class Dropout(Layer):
    """In training set values to zero with probability `rate` and scale the others by 1 / (1 − rate).

    Args:
        rate: probability of dropping a value, 0 ≤ rate ≤ 1.
        noise_shape: shape of the mask of kept values, broadcast to the input; None takes the input's size.
        seed: integer for reproducible draws.

    Source: Srivastava et al., 2014, *Dropout: a simple way to prevent neural networks from overfitting*.
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
            raise ValueError(
                f"`rate` of layer {self.name!r} must be between 0 and 1. Received: rate={rate!r}"
            )
        self.rate = rate
        self.seed = seed
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed_generator = seed if isinstance(seed, SeedGenerator) or seed is None else SeedGenerator(seed)
        self.supports_masking = True

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training or self.rate == 0:
            return inputs
        if self.noise_shape is None and self.seed_generator is None:
            return torch.dropout(inputs, self.rate, True)
        shape = [
            inputs.shape[i] if size is None else size
            for i, size in enumerate(self.noise_shape or (None,) * inputs.dim())
        ]
        if self.rate == 1:
            return inputs * 0
        generator = None if self.seed_generator is None else self.seed_generator.on(inputs.device)
        keep = torch.empty(shape, dtype=inputs.dtype, device=inputs.device)
        keep.bernoulli_(1 - self.rate, generator=generator).div_(1 - self.rate)
        return inputs * keep

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}
