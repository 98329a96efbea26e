"""Cutting off the ends of sequences and the borders of images and volumes."""

# B batch, T time, D depth, H height, W width, C channels

from __future__ import annotations

from typing import Any

from torch import Tensor

from kerasish.config import standardize_data_format
from kerasish.errors import format_shape
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.layers.reshaping.sides import pairs_of
from kerasish.layers.windows import join_shape, split_shape


class Cropping(Layer):
    """Base of `Cropping1D`, `Cropping2D` and `Cropping3D`."""

    rank: int

    def __init__(self, cropping: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._pairs = pairs_of(cropping, self.rank, "cropping", self.name)
        self.cropping = self._pairs[0] if self.rank == 1 else self._pairs
        self.data_format = "channels_last" if self.rank == 1 else standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self._is_last = self.data_format == "channels_last"

    def call(self, inputs: Tensor) -> Tensor:
        self.compute_output_shape(inputs.shape)
        for axis, (before, after) in enumerate(self._pairs, start=1 if self._is_last else 2):
            inputs = inputs.narrow(axis, before, inputs.shape[axis] - before - after)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> tuple:
        batch, spatial, channels = split_shape(input_shape, self.rank, self._is_last, self.name)
        sizes = [
            None if size is None else size - sum(pair)
            for size, pair in zip(spatial, self._pairs, strict=True)
        ]
        if any(size is not None and size <= 0 for size in sizes):
            raise ValueError(
                f"`cropping` of layer {self.name!r} leaves nothing of an input of shape {format_shape(input_shape)}: "
                f"it must be smaller than the spatial sizes. Received: cropping={self.cropping}"
            )
        return join_shape(batch, sizes, channels, self._is_last)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cropping": self.cropping, "data_format": self.data_format}


class Cropping1D(Cropping):
    """Cut off the ends of a sequence.

    Args:
        cropping: how many steps: an integer for both ends, or a pair (before, after).

    Shapes: (B, T, C) → (B, T − before − after, C).
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, **kwargs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["data_format"]
        return config


class Cropping2D(Cropping):
    """Cut off the borders of images.

    Args:
        cropping: how many rows and columns: an integer for all, `(rows, columns)`, or
            `((top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`; by default `config.image_data_format()`.

    Shapes: (B, H, W, C) → (B, H − top − bottom, W − left − right, C), or channels first likewise.

    Example:
        >>> import torch, kerasish
        >>> kerasish.layers.Cropping2D(((1, 0), (0, 1)))(torch.arange(4.0).reshape(1, 2, 2, 1)).flatten()
        tensor([2.])
    """

    rank = 2

    def __init__(
        self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(Cropping):
    """Cut off the borders of volumes; arguments are those of `Cropping2D`, with three axes.

    Shapes: (B, D, H, W, C), or channels first (B, C, D, H, W); the three spatial sizes shrink.
    """

    rank = 3

    def __init__(
        self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)
