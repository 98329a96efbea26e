"""Adding zeros around sequences, images and volumes."""

# B batch, T time, D depth, H height, W width, C channels

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from kerasish.config import standardize_data_format
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.layers.reshaping.sides import pairs_of
from kerasish.layers.windows import join_shape, split_shape


class ZeroPadding(Layer):
    """Base of `ZeroPadding1D`, `ZeroPadding2D` and `ZeroPadding3D`."""

    rank: int

    def __init__(self, padding: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._pairs = pairs_of(padding, self.rank, "padding", self.name)
        self.padding = self._pairs[0] if self.rank == 1 else self._pairs
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self._is_last = self.data_format == "channels_last"

    def call(self, inputs: Tensor) -> Tensor:
        from_the_last_axis = [size for pair in reversed(self._pairs) for size in pair]
        return F.pad(inputs, [0, 0, *from_the_last_axis] if self._is_last else from_the_last_axis)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        batch, spatial, channels = split_shape(input_shape, self.rank, self._is_last, self.name)
        sizes = [
            None if size is None else size + sum(pair)
            for size, pair in zip(spatial, self._pairs, strict=True)
        ]
        return join_shape(batch, sizes, channels, self._is_last)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding, "data_format": self.data_format}


class ZeroPadding1D(ZeroPadding):
    """Add zeros before and after a sequence.

    Args:
        padding: how many steps: an integer for both ends, or a pair (before, after).
        data_format: `"channels_last"` or `"channels_first"`; by default `config.image_data_format()`.

    Shapes: (B, T, C) → (B, before + T + after, C), or channels first (B, C, T) → (B, C, before + T + after).
    """

    rank = 1

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding2D(ZeroPadding):
    """Add zeros around images.

    Args:
        padding: how many rows and columns: an integer for all, `(rows, columns)`, or
            `((top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`; by default `config.image_data_format()`.

    Shapes: (B, H, W, C) → (B, top + H + bottom, left + W + right, C), or channels first likewise.

    Example:
        >>> import torch, kerasish
        >>> kerasish.layers.ZeroPadding2D(((1, 0), (2, 0)))(torch.ones(1, 3, 3, 1)).shape
        torch.Size([1, 4, 5, 1])
    """

    rank = 2

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding3D(ZeroPadding):
    """Add zeros around volumes; arguments are those of `ZeroPadding2D`, with three axes.

    Shapes: (B, D, H, W, C), or channels first (B, C, D, H, W); the three spatial sizes grow.
    """

    rank = 3

    def __init__(
        self, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(padding, data_format, **kwargs)
