"""Noise in training: additive, multiplicative, and a dropout that keeps mean and variance."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from kerasish.errors import format_shape
from kerasish.layers.layer import Layer
from kerasish.random import SeedGenerator

SELU_FLOOR = -1.7580993408473766  # −scale · alpha of SELU, its limit for very negative inputs


class Noise(Layer):
    """Base of the layers that draw random numbers in training and pass their input on otherwise."""

    def __init__(self, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = seed if isinstance(seed, SeedGenerator) or seed is None else SeedGenerator(seed)
        self.supports_masking = True

    def _check(self, argument: str, value: Any, includes_1: bool) -> None:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not 0 <= value <= 1 or (value == 1 and not includes_1):
            limit = "1" if includes_1 else "below 1"
            raise ValueError(
                f"`{argument}` of layer {self.name!r} must be a number from 0 to {limit}. "
                f"Received: {argument}={value!r}"
            )

    def _generator(self, x: Tensor) -> torch.Generator | None:
        return None if self.seed_generator is None else self.seed_generator.on(x.device)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


class GaussianNoise(Noise):
    """In training add noise: `x + z`, z from N(0, stddev²).

    Args:
        stddev: standard deviation of the noise, from 0 to 1.
        seed: integer for reproducible draws.
    """

    def __init__(self, stddev: float, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self._check("stddev", stddev, includes_1=True)
        self.stddev = stddev

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training or self.stddev == 0:
            return inputs
        return inputs + torch.empty_like(inputs).normal_(0.0, self.stddev, generator=self._generator(inputs))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}


class GaussianDropout(Noise):
    """In training multiply by noise: `x · z`, z from N(1, rate / (1 − rate)), the moments of dropout.

    Args:
        rate: probability of dropping in the dropout that it resembles, 0 ≤ rate < 1.
        seed: integer for reproducible draws.

    Source: Srivastava et al., 2014, *Dropout*, section 10.
    """

    def __init__(self, rate: float, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self._check("rate", rate, includes_1=False)
        self.rate = rate

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training or self.rate == 0:
            return inputs
        stddev = math.sqrt(self.rate / (1 - self.rate))
        return inputs * torch.empty_like(inputs).normal_(1.0, stddev, generator=self._generator(inputs))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


class AlphaDropout(Noise):
    """In training set values to SELU's floor α′ with probability `rate`, then scale: mean 0 and variance 1 remain.

    `y = a · (x where kept, else α′) + b`, `a = ((1 − rate)(1 + rate α′²))^−½`, `b = −a α′ rate`.

    Args:
        rate: probability of dropping a value, 0 ≤ rate < 1.
        noise_shape: shape of the mask of kept values, broadcast to the input; None takes the input's size.
        seed: integer for reproducible draws.

    Source: Klambauer et al., 2017, *Self-normalizing neural networks*, arXiv:1706.02515.
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self._check("rate", rate, includes_1=False)
        self.rate = rate
        self.noise_shape = noise_shape

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training or self.rate == 0:
            return inputs
        keep = torch.empty(self._noise_shape(inputs), dtype=inputs.dtype, device=inputs.device)
        keep.bernoulli_(1 - self.rate, generator=self._generator(inputs))
        a = ((1 - self.rate) * (1 + self.rate * SELU_FLOOR**2)) ** -0.5
        b = -a * SELU_FLOOR * self.rate
        return inputs * (keep * a) + ((1 - keep) * (a * SELU_FLOOR) + b)

    def _noise_shape(self, x: Tensor) -> list[int]:
        given = (None,) * x.dim() if self.noise_shape is None else tuple(self.noise_shape)
        if len(given) != x.dim():
            raise ValueError(
                f"`noise_shape` of layer {self.name!r} must have as many sizes as its input has axes. "
                f"Received: noise_shape={format_shape(given)} for an input of shape {format_shape(x.shape)}"
            )
        return [own if size is None else size for own, size in zip(x.shape, given, strict=True)]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}
