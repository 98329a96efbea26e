"""Pooling over windows: the largest value or the mean."""

# B batch, T time, D depth, H height, W width, C channels

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from kerasish.config import standardize_data_format
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.layers.windows import (
    check_output_sizes,
    from_torch_layout,
    join_shape,
    lifted,
    output_length,
    same_padding,
    spatial_sizes,
    split_shape,
    standardize_padding,
    to_torch_layout,
)


class Pooling(Layer):
    """Base of the poolings over windows."""

    rank: int

    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = spatial_sizes(pool_size, self.rank, "pool_size", self.name)
        self.strides = (
            self.pool_size if strides is None else spatial_sizes(strides, self.rank, "strides", self.name)
        )
        self.padding = standardize_padding(padding, ("valid", "same"), self.name)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self._is_last = self.data_format == "channels_last"

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        return from_torch_layout(self._pool(to_torch_layout(inputs, self._is_last)), self._is_last, self.rank)

    def _pool(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _slide(self, function: Callable, x: Tensor, window: tuple, steps: tuple, **options: Any) -> Tensor:
        """Pool by one of torch's functions, which leave out what lies outside of the input.

        Where the padding at the end is the larger one, rounding up adds the last window; with steps of 1 there is
        nothing to round, and pooling with the larger padding on both sides gives one window too many at the start.
        """
        if self.padding == "valid":
            return function(x, window, steps, **options)
        padding, surplus = [], []
        for axis, (size, k, s) in enumerate(zip(x.shape[2:], window, steps, strict=True), start=2):
            before, after = same_padding(size, k, s)
            has_surplus = s == 1 and after > before
            padding.append(after if has_surplus else before)
            if has_surplus:
                surplus.append(axis)
        y = function(x, window, steps, padding, ceil_mode=True, **options)
        for axis in surplus:
            y = y.narrow(axis, 1, y.shape[axis] - 1)
        return y

    def compute_output_shape(self, input_shape: Any) -> tuple:
        batch, spatial, channels = split_shape(input_shape, self.rank, self._is_last, self.name)
        sizes = [
            output_length(length, window, stride, self.padding)
            for length, window, stride in zip(spatial, self.pool_size, self.strides, strict=True)
        ]
        check_output_sizes(sizes, input_shape, self.pool_size, self.name)
        return join_shape(batch, sizes, channels, self._is_last)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "padding": self.padding,
            "strides": self.strides,
            "data_format": self.data_format,
        }


class MaxPooling(Pooling):
    """Base of `MaxPooling1D`, `MaxPooling2D` and `MaxPooling3D`."""

    def _pool(self, x: Tensor) -> Tensor:
        function = F.max_pool3d if self.rank == 3 else F.max_pool2d
        return self._slide(function, x, lifted(self.pool_size), lifted(self.strides))


class AveragePooling(Pooling):
    """Base of `AveragePooling1D`, `AveragePooling2D` and `AveragePooling3D`."""

    def _pool(self, x: Tensor) -> Tensor:
        if not x.is_floating_point():
            x = x.to(self._torch_dtype)
        window, steps = lifted(self.pool_size), lifted(self.strides)
        if self.rank < 3:
            return self._slide(F.avg_pool2d, x, window, steps, count_include_pad=False)
        if not self._is_last:
            return self._slide(F.avg_pool3d, x, window, steps, count_include_pad=False)
        return self._pool_planes_then_depth(x)

    def _pool_planes_then_depth(self, x: Tensor) -> Tensor:
        """Pool (B, C, D, H, W) in two steps: torch's function for volumes would copy channels-last ones."""
        planes = x.movedim(1, -1).flatten(0, 1).movedim(-1, 1)
        planes = self._slide(
            F.avg_pool2d, planes, self.pool_size[1:], self.strides[1:], count_include_pad=False
        )
        height, width = planes.shape[2:]
        depths = planes.movedim(1, -1).unflatten(0, (-1, x.shape[2])).flatten(2, 3).movedim(-1, 1)
        window, steps = (self.pool_size[0], 1), (self.strides[0], 1)
        depths = self._slide(F.avg_pool2d, depths, window, steps, count_include_pad=False)
        return depths.unflatten(3, (height, width))


class MaxPooling1D(MaxPooling):
    """Take the largest value in each window of a sequence; arguments are those of `MaxPooling2D`.

    Shapes: (B, T, C) → (B, T', C), or channels first (B, C, T) → (B, C, T').
    """

    rank = 1

    def __init__(
        self, pool_size: Any = 2, strides: Any = None, padding: str = "valid", data_format: str | None = None,
        name: str | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class MaxPooling2D(MaxPooling):
    """Take the largest value in each window, channel by channel: `y[h, w, c] = max x[h·s + i, w·s + j, c]`.

    Args:
        pool_size: size k of the window: an integer, or one per spatial axis.
        strides: step s between windows; `pool_size` by default.
        padding: `"valid"` (none), or `"same"`: windows reach over the edge so that there are ⌈size / s⌉ outputs per
            axis; what lies outside does not count.
        data_format: `"channels_last"` or `"channels_first"`; by default `config.image_data_format()`.

    Shapes: (B, H, W, C) → (B, H', W', C), or channels first (B, C, H, W) → (B, C, H', W'). Without padding
    H' = ⌊(H − k) / s⌋ + 1.

    Example:
        >>> import torch, kerasish
        >>> kerasish.layers.MaxPooling2D()(torch.arange(16.0).reshape(1, 4, 4, 1)).flatten()
        tensor([ 5.,  7., 13., 15.])
    """

    rank = 2

    def __init__(
        self, pool_size: Any = (2, 2), strides: Any = None, padding: str = "valid", data_format: str | None = None,
        name: str | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class MaxPooling3D(MaxPooling):
    """Take the largest value in each window of a volume; arguments are those of `MaxPooling2D`.

    Shapes: (B, D, H, W, C) → (B, D', H', W', C), or channels first (B, C, D, H, W) → (B, C, D', H', W').
    """

    rank = 3

    def __init__(
        self, pool_size: Any = (2, 2, 2), strides: Any = None, padding: str = "valid",
        data_format: str | None = None, name: str | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class AveragePooling1D(AveragePooling):
    """Average each window of a sequence; arguments are those of `AveragePooling2D`.

    Shapes: (B, T, C) → (B, T', C), or channels first (B, C, T) → (B, C, T').
    """

    rank = 1


class AveragePooling2D(AveragePooling):
    """Average each window, channel by channel: `y[h, w, c] = mean x[h·s + i, w·s + j, c]`.

    Args:
        pool_size, strides, padding, data_format: as those of `MaxPooling2D`; with `"same"`, the mean is that of the
            part of the window that lies inside.

    Shapes: as those of `MaxPooling2D`.

    Differs: `torch.nn.AvgPool2d` counts the padding as zeros, and Keras on PyTorch repeats the edge where the padding
    is not the same on both sides; this is what Keras on TensorFlow and JAX computes.

    Example:
        >>> import torch, kerasish
        >>> kerasish.layers.AveragePooling2D(2)(torch.arange(16.0).reshape(1, 4, 4, 1)).flatten()
        tensor([ 2.5000,  4.5000, 10.5000, 12.5000])
    """

    rank = 2


class AveragePooling3D(AveragePooling):
    """Average each window of a volume; arguments are those of `AveragePooling2D`.

    Shapes: (B, D, H, W, C) → (B, D', H', W', C), or channels first (B, C, D, H, W) → (B, C, D', H', W').
    """

    rank = 3
