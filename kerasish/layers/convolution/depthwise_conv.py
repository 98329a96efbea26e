"""Convolution of each channel by itself."""

# B batch, T time, H height, W width, C channels, M depth multiplier, k sizes of the kernel

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish import activations, constraints, initializers, regularizers
from kerasish.layers.convolution.convolution import SpatialConvolution, torch_depthwise_kernel
from kerasish.layers.windows import count_of
from kerasish.variable import Variable


class DepthwiseConv(SpatialConvolution):
    """Base of `DepthwiseConv1D` and `DepthwiseConv2D`."""

    kernel: Variable

    def __init__(
        self, kernel_size: Any, strides: Any = 1, padding: str = "valid", depth_multiplier: int = 1,
        data_format: str | None = None, dilation_rate: Any = 1, activation: Any = None, use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        depthwise_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, bias_initializer,
            bias_regularizer, activity_regularizer, bias_constraint, **kwargs,
        )  # fmt: skip
        self.depth_multiplier = count_of(depth_multiplier, "depth_multiplier", self.name)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self._add_bias(channels * self.depth_multiplier)

    def call(self, inputs: Tensor) -> Tensor:
        x, padding = self._padded(self._enter(inputs))
        kernel = torch_depthwise_kernel(self.kernel)
        y = torch.conv2d(x, kernel, self.bias, self._steps, padding, self._dilation, x.shape[1])
        return self._finish(y)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        channels = self._split(input_shape)[2]
        return self._output_shape(input_shape, channels * self.depth_multiplier)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "depth_multiplier": self.depth_multiplier,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "depthwise_initializer": initializers.serialize(self.depthwise_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "depthwise_regularizer": regularizers.serialize(self.depthwise_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "depthwise_constraint": constraints.serialize(self.depthwise_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


class DepthwiseConv1D(DepthwiseConv):
    """Convolve each channel of a sequence by itself; arguments and formula are those of `DepthwiseConv2D`.

    Shapes: (B, T, C) → (B, T', C·M), or channels first (B, C, T) → (B, C·M, T'); kernel (k, C, M).
    """

    rank = 1


class DepthwiseConv2D(DepthwiseConv):
    """Convolve each channel by itself, with M kernels of its own.

    `y[h, w, c·M + m] = activation(Σᵢ Σⱼ x[h·s + i·d, w·s + j·d, c] · kernel[i, j, c, m] + bias[c·M + m])`.

    Args:
        kernel_size, strides, padding, dilation_rate: window, step s, padding and distance d, as those of `Conv2D`.
        depth_multiplier: number M of outputs of each channel.
        depthwise_initializer, …: initial values, penalties and projections of kernel and bias.
        data_format, activation, use_bias, …: as those of `Conv2D`.

    Shapes: (B, H, W, C) → (B, H', W', C·M), or channels first (B, C, H, W) → (B, C·M, H', W'); kernel (k, k, C, M),
    bias (C·M,).

    Example:
        >>> import torch, kerasish
        >>> kerasish.layers.DepthwiseConv2D(3, depth_multiplier=2)(torch.ones(2, 28, 28, 3)).shape
        torch.Size([2, 26, 26, 6])
    """

    rank = 2

    def __init__(
        self, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid", depth_multiplier: int = 1,
        data_format: str | None = None, dilation_rate: Any = (1, 1), activation: Any = None, use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        depthwise_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            kernel_size, strides, padding, depth_multiplier, data_format, dilation_rate, activation, use_bias,
            depthwise_initializer, bias_initializer, depthwise_regularizer, bias_regularizer, activity_regularizer,
            depthwise_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
