"""A dense layer whose product is written as an einsum equation."""

from __future__ import annotations

import copy
import re
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kerasish import activations, constraints, initializers, regularizers
from kerasish.errors import format_shape
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.variable import Variable

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
EQUATION = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]*)(\.\.\.)?")


class EinsumDense(Layer):
    """Multiply by a kernel along the axes that an equation names: `y = activation(einsum(equation, x, W) + b)`.

    Args:
        equation: `"inputs,kernel->outputs"`, one letter per axis; `...` stands for any axes, at the start or the
            end of both inputs and outputs.
        output_shape: sizes of the output without the batch (and without the axes of `...`); None where the size
            is the input's.
        activation: name or function.
        bias_axes: the letters of the output along which the bias varies; None for no bias.
        kernel_initializer, …: initial values, penalties and projections of the kernel and the bias.

    Example:
        >>> layer = EinsumDense("abc,cd->abd", output_shape=(None, 64), bias_axes="d")
        >>> layer(torch.ones(2, 5, 32)).shape, layer.count_params()
        (torch.Size([2, 5, 64]), 2112)

    Raises:
        ValueError: an equation of another form, letters that nothing gives a size, or sizes that do not agree.
    """

    kernel: Variable
    bias: Variable | None

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        gptq_unpacked_column_size: int | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if any(
            x is not None for x in (lora_rank, lora_alpha, gptq_unpacked_column_size, quantization_config)
        ):
            raise ValueError(
                f"Layer {self.name!r}: LoRA and quantization are not supported. Leave out `lora_rank`, `lora_alpha`, "
                "`gptq_unpacked_column_size` and `quantization_config`; for LoRA use the `peft` package on this "
                "model, which is a torch module."
            )
        if not isinstance(equation, str) or not _is_valid(equation):
            raise ValueError(
                f"`equation` of layer {self.name!r} must read 'ab,bc->ac', '...ab,bc->...ac' or "
                f"'ab...,bc->ac...'. Received: equation={equation!r}"
            )
        self.equation = equation
        self.partial_output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self.bias_axes = bias_axes
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def build(self, input_shape: Any) -> None:
        inputs, kernel, outputs = self._letters(len(input_shape))
        output_shape = self.compute_output_shape(input_shape)
        sizes = {
            **dict(zip(outputs, output_shape, strict=True)),
            **dict(zip(inputs, input_shape, strict=True)),
        }
        kernel_shape = tuple(sizes[letter] for letter in kernel)
        if None in kernel_shape:
            raise ValueError(
                f"Layer {self.name!r} must know the sizes of the kernel's axes {kernel!r}. "
                f"Received: input shape {format_shape(input_shape)}, `output_shape` "
                f"{format_shape(self.partial_output_shape)}"
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=kernel_shape,
            initializer=_scaled_for(self.kernel_initializer, kernel, outputs),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.bias_axes is not None:
            self.bias = self.add_weight(
                name="bias",
                shape=self._bias_shape(outputs, output_shape),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self._subscripts = f"{inputs},{kernel}->{outputs}"
        self._plan_product(inputs, kernel, outputs)
        shared = {axis: input_shape[axis] for axis, letter in enumerate(inputs) if letter in kernel}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=shared)

    def _letters(self, rank: int) -> tuple[str, str, str]:
        """The letters of inputs, kernel and outputs, with letters of their own for the axes of `...`."""
        inputs, kernel, outputs = re.split(r",|->", self.equation)
        if "..." not in inputs:
            return inputs, kernel, outputs
        free = [letter for letter in LETTERS if letter not in self.equation]
        skipped = "".join(free[: max(rank - len(inputs) + 3, 0)])
        return inputs.replace("...", skipped), kernel, outputs.replace("...", skipped)

    def _bias_shape(self, outputs: str, output_shape: tuple) -> tuple[int, ...]:
        unknown = sorted(set(self.bias_axes or "") - set(outputs))
        if unknown:
            raise ValueError(
                f"`bias_axes` of layer {self.name!r} must be letters of the output {outputs!r}. "
                f"Received: bias_axes={self.bias_axes!r}"
            )
        shape = [
            size if letter in (self.bias_axes or "") else 1
            for letter, size in zip(outputs, output_shape, strict=True)
        ]
        first = min((outputs.index(letter) for letter in self.bias_axes or ""), default=len(shape))
        if None in shape[first:]:
            raise ValueError(
                f"Layer {self.name!r} must know the sizes of the bias's axes {self.bias_axes!r}. "
                f"Received: output shape {format_shape(output_shape)}"
            )
        return tuple(shape[first:])

    def _plan_product(self, inputs: str, kernel: str, outputs: str) -> None:
        """Find out whether the equation is one matrix product: the last axes summed over, the kernel's follow."""
        kept = "".join(letter for letter in outputs if letter not in kernel)
        new = "".join(letter for letter in outputs if letter in kernel)
        summed = "".join(letter for letter in kernel if letter not in outputs)
        is_product = inputs == kept + summed and kernel == summed + new and outputs == kept + new
        self._is_matrix_product = is_product and bool(summed) and bool(kept)
        self._summed_axes = len(summed)
        bias = self.bias
        self._adds_bias_in_product = bias is not None and bias.shape == self.kernel.shape[len(summed) :]

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        x = inputs if inputs.is_floating_point() else inputs.to(self._torch_dtype)
        bias = self.bias
        if self._is_matrix_product:
            summed = self._summed_axes
            new_shape = self.kernel.shape[summed:]
            x = x.flatten(-summed) if summed > 1 else x
            kernel = self.kernel.reshape(x.shape[-1], -1) if self.kernel.dim() != 2 else self.kernel
            inner = None
            if bias is not None and self._adds_bias_in_product:
                inner, bias = bias.reshape(-1), None
            outputs = F.linear(x, kernel.t(), inner)
            outputs = outputs.unflatten(-1, new_shape) if len(new_shape) != 1 else outputs
        else:
            outputs = torch.einsum(self._subscripts, x, self.kernel)
        if bias is not None:
            outputs = outputs + bias
        return outputs if self.activation is activations.linear else self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        inputs, kernel, outputs = self._letters(len(input_shape))
        if len(inputs) != len(input_shape):
            raise ValueError(
                f"The equation {self.equation!r} of layer {self.name!r} needs inputs of "
                f"{'at least ' if '...' in self.equation else ''}{len(inputs)} dimensions. "
                f"Received: input shape {format_shape(input_shape)}"
            )
        given = self._output_sizes(input_shape, len(outputs))
        if len(given) != len(outputs):
            raise ValueError(
                f"`output_shape` of layer {self.name!r} must give the sizes of the output "
                f"{self.equation.partition('->')[2]!r} after the batch. "
                f"Received: output_shape={format_shape(self.partial_output_shape)}"
            )
        known = dict(zip(inputs, input_shape, strict=True))
        for letter, size in zip(outputs, given, strict=True):
            if letter not in known and letter not in kernel:
                raise ValueError(
                    f"Axis {letter!r} of the output stands neither in the inputs nor in the kernel of the equation "
                    f"{self.equation!r} of layer {self.name!r}."
                )
            if letter in known and None not in (size, known[letter]) and size != known[letter]:
                raise ValueError(
                    f"Axis {letter!r} in the equation {self.equation!r} of layer {self.name!r} has size "
                    f"{known[letter]} in the input and {size} in `output_shape`."
                )
        unsized = sorted(set(kernel) - set(inputs) - set(outputs))
        if unsized:
            raise ValueError(
                f"Axis {unsized[0]!r} of the kernel stands neither in the inputs nor in the outputs of the equation "
                f"{self.equation!r} of layer {self.name!r}."
            )
        return tuple(
            known[letter] if known.get(letter) is not None else size
            for letter, size in zip(outputs, given, strict=True)
        )

    def _output_sizes(self, input_shape: Any, rank: int) -> tuple:
        """The sizes that `output_shape` gives, with the batch and the axes of `...`."""
        given = self.partial_output_shape
        if rank == 0:
            return given
        if "..." not in self.equation:
            return (input_shape[0], *given)
        skipped = max(rank - len(self.equation.partition("->")[2]) + 3, 0)
        if self.equation.startswith("..."):
            return (*input_shape[:skipped], *given)
        return (input_shape[0], *given, *input_shape[len(input_shape) - skipped :])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "output_shape": self.partial_output_shape,
            "equation": self.equation,
            "activation": activations.serialize(self.activation),
            "bias_axes": self.bias_axes,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "quantization_config": None,
        }


def _is_valid(equation: str) -> bool:
    match = EQUATION.fullmatch(equation)
    if match is None:
        return False
    left, inputs, right, kernel, left_out, outputs, right_out = match.groups()
    letters_differ = all(len(set(part)) == len(part) for part in (inputs, kernel, outputs))
    return letters_differ and not (left and right) and (left, right) == (left_out, right_out)


def _scaled_for(initializer: Any, kernel: str, outputs: str) -> Any:
    """The initializer, told which axes of the kernel a unit sums over, where its scale depends on that."""
    if not isinstance(initializer, initializers.VarianceScaling) or initializer.input_axes is not None:
        return initializer
    scaled = copy.copy(initializer)
    scaled.input_axes = [i for i, letter in enumerate(kernel) if letter not in outputs]
    scaled.output_axes = [i for i, letter in enumerate(kernel) if letter in outputs]
    return scaled
