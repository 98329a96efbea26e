"""What all convolutions share: the checked settings, the bias, the activation and the layout."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from kerasish import activations, constraints, initializers, regularizers
from kerasish.config import standardize_data_format
from kerasish.errors import format_shape
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.layers.windows import (
    check_output_sizes,
    from_torch_layout,
    join_shape,
    lifted,
    output_length,
    pad_spatially,
    same_padding,
    spatial_sizes,
    split_shape,
    standardize_padding,
    to_torch_layout,
)
from kerasish.symbolic import KerasTensor, infer_output
from kerasish.variable import Variable


class SpatialConvolution(Layer):
    """Base of the convolutions: kernels that slide over `rank` spatial axes."""

    rank: int
    paddings: tuple[str, ...] = ("valid", "same")
    bias: Variable | None

    def __init__(
        self,
        kernel_size: Any,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        activation: Any,
        use_bias: bool,
        bias_initializer: Any,
        bias_regularizer: Any,
        activity_regularizer: Any,
        bias_constraint: Any,
        **kwargs: Any,
    ) -> None:
        given = [key for key in ("lora_rank", "lora_alpha") if kwargs.pop(key, None) is not None]
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if given:
            raise ValueError(
                f"Layer {self.name!r}: LoRA is not supported. Leave out {', '.join(f'`{key}`' for key in given)}; for "
                "LoRA use the `peft` package on this model, which is a torch module."
            )
        self.kernel_size = spatial_sizes(kernel_size, self.rank, "kernel_size", self.name)
        self.strides = spatial_sizes(strides, self.rank, "strides", self.name)
        self.padding = standardize_padding(padding, self.paddings, self.name)
        self.data_format = standardize_data_format(data_format)
        self.dilation_rate = spatial_sizes(dilation_rate, self.rank, "dilation_rate", self.name)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.bias = None
        self._is_last = self.data_format == "channels_last"
        self._window = lifted(self.kernel_size)
        self._steps = lifted(self.strides)
        self._dilation = lifted(self.dilation_rate)

    def _refuse_strides_with_dilation(self) -> None:
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"Layer {self.name!r} cannot have both strides and a dilation: set one of them to 1. "
                f"Received: strides={self.strides}, dilation_rate={self.dilation_rate}"
            )

    def _channels(self, input_shape: Any) -> int:
        """The number of channels of the input, after the checks that `build` makes of its shape."""
        self._output_spatial(input_shape)
        channels = self._split(input_shape)[2]
        axis = -1 if self._is_last else 1
        if channels is None:
            raise ValueError(
                f"Layer {self.name!r} must know the number of channels of its input, axis {axis}. "
                f"Received: {format_shape(input_shape)}"
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        return channels

    def _add_bias(self, size: int) -> None:
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(size,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _split(self, input_shape: Any) -> tuple[Any, tuple, Any]:
        return split_shape(input_shape, self.rank, self._is_last, self.name)

    def _output_spatial(self, input_shape: Any) -> tuple:
        sizes = tuple(
            output_length(length, window, stride, self.padding, dilation)
            for length, window, stride, dilation in zip(
                self._split(input_shape)[1],
                self.kernel_size,
                self.strides,
                self.dilation_rate,
                strict=True,
            )
        )
        check_output_sizes(sizes, input_shape, self.kernel_size, self.name)
        return sizes

    def _output_shape(self, input_shape: Any, channels: int) -> tuple:
        shape = join_shape(input_shape[0], self._output_spatial(input_shape), channels, self._is_last)
        if activations.keeps_shape(self.activation):
            return shape
        return infer_output(
            self.activation, (KerasTensor(shape, dtype=self.compute_dtype),), {}, self.name
        ).shape

    def _enter(self, inputs: Tensor) -> Tensor:
        """View the input as torch's functions take it."""
        if not inputs.is_floating_point():
            inputs = inputs.to(self._torch_dtype)
        return to_torch_layout(inputs, self._is_last)

    def _leave(self, outputs: Tensor) -> Tensor:
        """View the output in the layer's own layout."""
        return from_torch_layout(outputs, self._is_last, self.rank)

    def _finish(self, outputs: Tensor, is_part: bool = False) -> Tensor:
        """View the output, or the part of it that counts, in the layer's own layout, and activate it."""
        if self.activation is activations.relu and not is_part:
            return self._leave(outputs.relu_())  # no gradient needs what was there before
        outputs = self._leave(outputs)
        return outputs if self.activation is activations.linear else self.activation(outputs)

    def _padded(self, x: Tensor) -> tuple[Tensor, Any]:
        """The input and the padding left to the convolution, which adds the same number on both sides."""
        if self.padding == "valid":
            return x, 0
        if self.padding == "causal":
            pads = [(d * (k - 1), 0) for k, d in zip(self._window, self._dilation, strict=True)]
        else:
            pads = [
                same_padding(*sizes)
                for sizes in zip(x.shape[2:], self._window, self._steps, self._dilation, strict=True)
            ]
        if all(before == after for before, after in pads):
            return x, [before for before, _ in pads]
        return pad_spatially(x, pads), 0


def torch_kernel(kernel: Tensor) -> Tensor:
    """View a kernel (…, in, out) as torch's (out, in, …), with a height for the kernels of sequences."""
    if kernel.dim() == 3:
        kernel = kernel.unsqueeze(0)
    return kernel.movedim((-1, -2), (0, 1))


def torch_depthwise_kernel(kernel: Tensor) -> Tensor:
    """View a kernel (…, C, M) as torch's (C·M, 1, …) for C groups."""
    if kernel.dim() == 3:
        kernel = kernel.unsqueeze(0)
    return kernel.flatten(-2).unsqueeze(-2).movedim((-1, -2), (0, 1))
