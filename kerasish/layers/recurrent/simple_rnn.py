"""The simple recurrent layer: one tanh of input and state."""

# B batch, T time, F features, U units

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish import activations
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.recurrent.cell import UnitCell, delegates, written
from kerasish.layers.recurrent.loop import one_chunk
from kerasish.layers.recurrent.rnn import RNN, cell_arguments

CELL_SETTINGS = (
    "units", "activation", "use_bias", "kernel_initializer", "recurrent_initializer", "bias_initializer",
    "kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "kernel_constraint", "recurrent_constraint",
    "bias_constraint", "dropout", "recurrent_dropout", "seed",
)  # fmt: skip
LAYER_SETTINGS = (
    "units", "activation", "use_bias", "kernel_initializer", "recurrent_initializer", "bias_initializer",
    "kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint",
    "recurrent_constraint", "bias_constraint", "dropout", "recurrent_dropout",
)  # fmt: skip
FUSED = {activations.tanh: torch.rnn_tanh, activations.relu: torch.rnn_relu}


class SimpleRNNCell(UnitCell):
    """One step of `SimpleRNN`: `h' = activation(x · kernel + h · recurrent_kernel + bias)`.

    Args:
        units: number of units U.
        activation: name or function.
        use_bias: whether to add a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: initial values.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties added to the loss.
        kernel_constraint, recurrent_constraint, bias_constraint: projections applied after each update.
        dropout, recurrent_dropout: fractions of input and state to drop in training, the same at all time steps.
        seed: integer for reproducible dropout.

    Shapes: input (B, F), states [(B, U)] → output (B, U), states [(B, U)].

    Source: Elman, 1990, *Finding structure in time*.
    """

    gates = 1
    settings = CELL_SETTINGS

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        settings = {name: value for name, value in locals().items() if name in CELL_SETTINGS}
        super().__init__(**kwargs)
        self._check_units(units)
        self._take_settings(settings)
        self.state_size = self.output_size = units

    def build(self, input_shape: Any) -> None:
        u = self.units
        self._make_weights((self._features(input_shape), u), (u, u), (u,), self.bias_initializer)

    def advance(
        self, projected: Tensor, states: Any, masks: list[Tensor] | None
    ) -> tuple[Tensor, list[Tensor]]:
        """The step's output and states, from the input's part."""
        h = self.activation(self._add_recurrent(projected, states[0], masks))
        return h, [h]

    def call(self, sequence: Tensor, states: Any, training: bool = False) -> tuple[Tensor, Any]:
        given = self._states(states)
        masks, recurrent_masks = self._masks(sequence, given[0], training)
        output, new = self.advance(self.project(sequence, masks), given, recurrent_masks)
        return output, new if isinstance(states, (list, tuple)) else new[0]

    def can_fuse(self, sequences: Tensor, masks: list[Tensor] | None) -> bool:
        """Whether torch's kernel computes this cell and is faster than single steps: it is not on the CPU."""
        return self.activation in FUSED and masks is None and sequences.device.type != "cpu"

    def fused(
        self, sequences: Tensor, states: list[Tensor], masks: list[Tensor] | None
    ) -> tuple[Tensor, list[Tensor]]:
        """Run the cell over sequences (B, T, F) by torch's kernel."""
        bias = [] if self.bias is None else [self.bias, torch.zeros_like(self.bias)]
        weights = one_chunk([self.kernel.t(), self.recurrent_kernel.t(), *bias], sequences.dtype)
        outputs, h = FUSED[self.activation](
            sequences.transpose(0, 1), states[0].unsqueeze(0), weights,
            bool(bias), 1, 0.0, torch.is_grad_enabled(), False, False,
        )  # fmt: skip
        return outputs.transpose(0, 1), [h[0]]


@delegates(LAYER_SETTINGS)
class SimpleRNN(RNN):
    """A recurrent layer whose state is its output: `h_t = φ(x_t · kernel + h_{t−1} · recurrent_kernel + bias)`.

    Args:
        units: number of units U.
        activation: φ.
        use_bias: whether to add a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: initial values.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties added to the loss.
        activity_regularizer: penalty of the output.
        kernel_constraint, recurrent_constraint, bias_constraint: projections applied after each update.
        dropout, recurrent_dropout: fractions of input and state to drop in training, the same at all time steps.
        return_sequences: return the outputs of all time steps, not the last one only.
        return_state: return the last state after the output.
        go_backwards: run from the last time step to the first; the outputs stand in that order.
        stateful: begin with the last state of the call before; needs a fixed batch size.
        unroll: accepted; the loop runs unrolled always.
        seed: integer for reproducible dropout.

    Call arguments: `sequences` (B, T, F), `initial_state` a tensor (B, U), `mask` (B, T), `training`.

    Shapes: (B, T, F) → (B, U), or (B, T, U) with `return_sequences`.

    Source: Elman, 1990, *Finding structure in time*.

    Differs: `torch.nn.RNN` has the time axis first and two biases.

    Example:
        >>> import torch, kerasish
        >>> kerasish.layers.SimpleRNN(4, return_sequences=True)(torch.ones(2, 5, 3)).shape
        torch.Size([2, 5, 4])
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        settings = {name: value for name, value in locals().items() if name in CELL_SETTINGS}
        cell = SimpleRNNCell(**settings, **cell_arguments("simple_rnn_cell", kwargs))
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.input_spec = InputSpec(ndim=3)

    def get_config(self) -> dict[str, Any]:
        return {**self._sequence_config(), **written(self, LAYER_SETTINGS)}
