"""Dropout of whole channels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish.config import standardize_data_format
from kerasish.errors import format_shape
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.regularization.dropout import Dropout


class SpatialDropout(Dropout):
    """Base: dropout with one draw per record and channel."""

    rank: int

    def __init__(self, rate: float, data_format: str | None, seed: Any, name: str | None, dtype: Any) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if inputs.dim() != self.rank:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) needs an input of {self.rank} dimensions. "
                f"Received: {format_shape(inputs.shape)}"
            )
        if not training or self.rate == 0:
            return inputs
        if self.rate == 1:
            return inputs * 0
        ones = (1,) * (self.rank - 2)
        batch, *sizes = inputs.shape
        shape = (batch, *ones, sizes[-1]) if self.data_format == "channels_last" else (batch, sizes[0], *ones)
        generator = None if self.seed_generator is None else self.seed_generator.on(inputs.device)
        keep = torch.empty(shape, dtype=inputs.dtype, device=inputs.device)
        return inputs * keep.bernoulli_(1 - self.rate, generator=generator).div_(1 - self.rate)

    def get_config(self) -> dict[str, Any]:
        config = {"rate": self.rate, "seed": self.seed, "name": self.name, "dtype": self.dtype}
        return config if self.rank == 3 else {**config, "data_format": self.data_format}


class SpatialDropout1D(SpatialDropout):
    """In training set whole channels of sequences to zero with probability `rate`, scale the others by 1 / (1 − rate).

    Args:
        rate: probability of dropping a channel, 0 ≤ rate ≤ 1.
        seed: integer for reproducible draws.

    Shapes: (batch, time, channels) → the same.

    Source: Tompson et al., 2015, *Efficient object localization using convolutional networks*, arXiv:1411.4280.
    """

    rank = 3

    def __init__(self, rate: float, seed: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(rate, "channels_last", seed, name, dtype)


class SpatialDropout2D(SpatialDropout):
    """In training set whole channels of images to zero with probability `rate`, scale the others by 1 / (1 − rate).

    Args:
        rate: probability of dropping a channel, 0 ≤ rate ≤ 1.
        data_format: `"channels_last"` (default) or `"channels_first"`.
        seed: integer for reproducible draws.

    Shapes: (batch, height, width, channels), or (batch, channels, height, width) → the same.

    Source: Tompson et al., 2015, arXiv:1411.4280.
    """

    rank = 4

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: Any = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(rate, data_format, seed, name, dtype)


class SpatialDropout3D(SpatialDropout):
    """In training set whole channels of volumes to zero with probability `rate`, scale the others by 1 / (1 − rate).

    Args:
        rate: probability of dropping a channel, 0 ≤ rate ≤ 1.
        data_format: `"channels_last"` (default) or `"channels_first"`.
        seed: integer for reproducible draws.

    Shapes: (batch, depth, height, width, channels), or (batch, channels, depth, height, width) → the same.

    Source: Tompson et al., 2015, arXiv:1411.4280.
    """

    rank = 5

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: Any = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(rate, data_format, seed, name, dtype)
