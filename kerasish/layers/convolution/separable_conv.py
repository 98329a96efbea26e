"""Convolution in two steps: each channel by itself, then across the channels."""

# B batch, T time, H height, W width, C channels, M depth multiplier, F filters, k sizes of the kernel

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish import activations, constraints, initializers, regularizers
from kerasish.layers.convolution.convolution import SpatialConvolution, torch_depthwise_kernel, torch_kernel
from kerasish.layers.windows import count_of
from kerasish.variable import Variable


class SeparableConv(SpatialConvolution):
    """Base of `SeparableConv1D` and `SeparableConv2D`."""

    depthwise_kernel: Variable
    pointwise_kernel: Variable

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
        data_format: str | None = None, dilation_rate: Any = 1, depth_multiplier: int = 1,
        activation: Any = None, use_bias: bool = True, depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None, pointwise_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, depthwise_constraint: Any = None, pointwise_constraint: Any = None,
        bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, bias_initializer,
            bias_regularizer, activity_regularizer, bias_constraint, **kwargs,
        )  # fmt: skip
        self.filters = count_of(filters, "filters", self.name)
        self.depth_multiplier = count_of(depth_multiplier, "depth_multiplier", self.name)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.pointwise_constraint = constraints.get(pointwise_constraint)

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        self.depthwise_kernel = self.add_weight(
            name="depthwise_kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.pointwise_kernel = self.add_weight(
            name="pointwise_kernel",
            shape=(*(1,) * self.rank, channels * self.depth_multiplier, self.filters),
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )
        self._add_bias(self.filters)

    def call(self, inputs: Tensor) -> Tensor:
        x, padding = self._padded(self._enter(inputs))
        depthwise = torch_depthwise_kernel(self.depthwise_kernel)
        y = torch.conv2d(x, depthwise, None, self._steps, padding, self._dilation, x.shape[1])
        y = torch.conv2d(y, torch_kernel(self.pointwise_kernel), self.bias)
        return self._finish(y)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return self._output_shape(input_shape, self.filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "depth_multiplier": self.depth_multiplier,
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "depthwise_initializer": initializers.serialize(self.depthwise_initializer),
            "pointwise_initializer": initializers.serialize(self.pointwise_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "depthwise_regularizer": regularizers.serialize(self.depthwise_regularizer),
            "pointwise_regularizer": regularizers.serialize(self.pointwise_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "depthwise_constraint": constraints.serialize(self.depthwise_constraint),
            "pointwise_constraint": constraints.serialize(self.pointwise_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


class SeparableConv1D(SeparableConv):
    """Convolve each channel of a sequence, then mix the channels; arguments are those of `SeparableConv2D`.

    Shapes: (B, T, C) → (B, T', F), or channels first (B, C, T) → (B, F, T'); kernels (k, C, M) and (1, C·M, F).
    """

    rank = 1


class SeparableConv2D(SeparableConv):
    """Convolve each channel by itself, then mix the channels: `activation(depthwise(x) · pointwise + bias)`.

    Args:
        filters: number of output channels F.
        depth_multiplier: number M of channels that the first step makes of each one.
        depthwise_initializer, pointwise_initializer, …: initial values, penalties and projections of both kernels.
        kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, …: as those of `Conv2D`.

    Shapes: (B, H, W, C) → (B, H', W', F), or channels first (B, C, H, W) → (B, F, H', W'); kernels (k, k, C, M) and
    (1, 1, C·M, F), bias (F,).

    Source: Chollet, 2017, arXiv:1610.02357.

    Example:
        >>> import torch, kerasish
        >>> kerasish.layers.SeparableConv2D(8, 3, padding="same")(torch.ones(2, 28, 28, 3)).shape
        torch.Size([2, 28, 28, 8])
    """

    rank = 2

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
        data_format: str | None = None, dilation_rate: Any = (1, 1), depth_multiplier: int = 1,
        activation: Any = None, use_bias: bool = True, depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None, pointwise_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, depthwise_constraint: Any = None, pointwise_constraint: Any = None,
        bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, depth_multiplier, activation, use_bias,
            depthwise_initializer, pointwise_initializer, bias_initializer, depthwise_regularizer,
            pointwise_regularizer, bias_regularizer, activity_regularizer, depthwise_constraint,
            pointwise_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
