"""Convolution of sequences, images and volumes."""

# B batch, T time, D depth, H height, W width, C channels, F filters, k sizes of the kernel, G groups

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish import activations, constraints, initializers, regularizers
from kerasish.layers.convolution.convolution import SpatialConvolution, torch_kernel
from kerasish.layers.windows import count_of
from kerasish.variable import Variable


class Conv(SpatialConvolution):
    """Base of `Conv1D`, `Conv2D` and `Conv3D`."""

    kernel: Variable

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            bias_initializer,
            bias_regularizer,
            activity_regularizer,
            bias_constraint,
            **kwargs,
        )
        self._refuse_strides_with_dilation()
        self.filters = count_of(filters, "filters", self.name)
        self.groups = count_of(groups, "groups", self.name)
        if self.filters % self.groups:
            raise ValueError(
                f"`groups` must divide `filters` (layer {self.name!r}). "
                f"Received: filters={self.filters}, groups={self.groups}"
            )
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"`groups` must divide the number of channels of the input (layer {self.name!r}). "
                f"Received: {channels} channels, groups={self.groups}"
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels // self.groups, self.filters),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self._add_bias(self.filters)

    def call(self, inputs: Tensor) -> Tensor:
        if type(self).convolution_op is Conv.convolution_op:
            return self._finish(self._convolve(inputs, self.kernel, self.bias))
        outputs = self.convolution_op(inputs, self.kernel)
        if self.bias is not None:
            outputs = outputs + (self.bias if self._is_last else self.bias.reshape(-1, *(1,) * self.rank))
        return self.activation(outputs)

    def convolution_op(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """The convolution without bias and activation: subclasses override it to change the kernel first."""
        return self._leave(self._convolve(inputs, kernel, None))

    def _convolve(self, inputs: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
        x, padding = self._padded(self._enter(inputs))
        function = torch.conv3d if self.rank == 3 else torch.conv2d
        return function(x, torch_kernel(kernel), bias, self._steps, padding, self._dilation, self.groups)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return self._output_shape(input_shape, self.filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "groups": self.groups,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


class Conv1D(Conv):
    """Convolve a sequence: `y[t, f] = activation(Σᵢ Σ_c x[t·stride + i·dilation, c] · kernel[i, c, f] + bias[f])`.

    Args:
        padding: `"valid"` (none), `"same"` (zeros on both sides), or `"causal"`: zeros before only, so that no
            output depends on later inputs.

    The other arguments are those of `Conv2D`.

    Shapes: (B, T, C) → (B, T', F), or channels first (B, C, T) → (B, F, T'); kernel (k, C / groups, F).

    Example:
        >>> import torch, kerasish
        >>> kerasish.layers.Conv1D(4, 3, padding="causal")(torch.ones(2, 10, 3)).shape
        torch.Size([2, 10, 4])
    """

    rank = 1
    paddings = ("valid", "same", "causal")


class Conv2D(Conv):
    """Convolve images: `y[h, w, f] = activation(Σᵢ Σⱼ Σ_c x[h·s + i·d, w·s + j·d, c] · kernel[i, j, c, f] + bias[f])`.

    Args:
        filters: number of output channels F.
        kernel_size: size of the window: an integer, or one per spatial axis.
        strides: step s between windows.
        padding: `"valid"` (none), or `"same"`: zeros so that there are ⌈size / stride⌉ outputs per axis, the odd one
            at the end.
        data_format: `"channels_last"` or `"channels_first"`; by default `config.image_data_format()`.
        dilation_rate: distance d of the inputs that the kernel looks at.
        groups: number of groups of channels that are convolved apart; it must divide C and F.
        activation: name or function, none by default.
        use_bias: whether to add a bias.
        kernel_initializer, bias_initializer: initial values, Glorot uniform and zeros by default.
        kernel_regularizer, bias_regularizer: penalties added to the loss.
        activity_regularizer: penalty of the output.
        kernel_constraint, bias_constraint: projections applied after each update.

    Shapes: (B, H, W, C) → (B, H', W', F), or channels first (B, C, H, W) → (B, F, H', W'); kernel
    (k, k, C / groups, F), bias (F,). Without padding H' = ⌊(H − d·(k − 1) − 1) / s⌋ + 1.

    Raises:
        ValueError: a setting is not valid, or the window is larger than the input.

    Differs: `torch.nn.Conv2d` is channels first, keeps the kernel as (F, C / groups, k, k), draws it from
    U(−1/√n, 1/√n) with n = C·k² / groups, and pads both sides alike.

    Example:
        >>> import torch, kerasish
        >>> kerasish.layers.Conv2D(8, 3, strides=2, padding="same")(torch.ones(2, 28, 28, 1)).shape
        torch.Size([2, 14, 14, 8])
    """

    rank = 2

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
        data_format: str | None = None, dilation_rate: Any = (1, 1), groups: int = 1, activation: Any = None,
        use_bias: bool = True, kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, groups, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip


class Conv3D(Conv):
    """Convolve volumes: as `Conv2D`, whose arguments it has, with one more spatial axis.

    Shapes: (B, D, H, W, C) → (B, D', H', W', F), or channels first (B, C, D, H, W) → (B, F, D', H', W'); kernel
    (k, k, k, C / groups, F).
    """

    rank = 3

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1, 1), padding: str = "valid",
        data_format: str | None = None, dilation_rate: Any = (1, 1, 1), groups: int = 1, activation: Any = None,
        use_bias: bool = True, kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, groups, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
