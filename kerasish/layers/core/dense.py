"""The fully connected layer."""

# B batch, … any dimensions, F features, U units

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish import activations, constraints, initializers, regularizers
from kerasish.errors import format_shape
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.symbolic import KerasTensor, infer_output
from kerasish.variable import Variable


class Dense(Layer):
    """Compute `activation(x · kernel + bias)`.

    Args:
        units: number of outputs U.
        activation: name or function, none by default.
        use_bias: whether to add a bias.
        kernel_initializer, bias_initializer: initial values, Glorot uniform and zeros by default.
        kernel_regularizer, bias_regularizer: penalties added to the loss.
        activity_regularizer: penalty of the output.
        kernel_constraint, bias_constraint: projections applied after each update.

    Shapes: (B, …, F) → (B, …, U); kernel (F, U), bias (U,).

    Differs: `torch.nn.Linear` keeps the transposed kernel (U, F) and draws both from U(−1/√F, 1/√F).

    Example:
        >>> import torch, kerasish
        >>> kerasish.layers.Dense(3, activation="relu")(torch.ones(2, 4)).shape
        torch.Size([2, 3])
    """

    kernel: Variable
    bias: Variable | None

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if not isinstance(units, int) or isinstance(units, bool) or units <= 0:
            raise ValueError(
                f"`units` of layer {self.name!r} must be a positive integer. Received: units={units!r}"
            )
        if lora_rank is not None or lora_alpha is not None or quantization_config is not None:
            raise ValueError(
                f"Layer {self.name!r}: LoRA and quantization are not supported. Leave out `lora_rank`, `lora_alpha` "
                "and `quantization_config`; for LoRA use the `peft` package on this model, which is a torch module."
            )
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        features = input_shape[-1]
        if features is None:
            raise ValueError(
                f"Layer {self.name!r} must know the last size of its input. Received: {format_shape(input_shape)}"
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs: Tensor) -> Tensor:
        bias = self.bias
        if not inputs.is_floating_point():
            inputs = inputs.to(self._torch_dtype)
        if bias is not None and inputs.dim() == 2:
            outputs = torch.addmm(bias, inputs, self.kernel)
        else:
            outputs = torch.nn.functional.linear(inputs, self.kernel.t(), bias)
        return outputs if self.activation is activations.linear else self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = (*input_shape[:-1], self.units)
        if activations.keeps_shape(self.activation):
            return shape
        return infer_output(
            self.activation, (KerasTensor(shape, dtype=self.compute_dtype),), {}, self.name
        ).shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "quantization_config": None,
        }
