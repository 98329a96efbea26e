"""Long short-term memory."""

# B batch, T time, F features, U units

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish import activations
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.recurrent.cell import UnitCell, delegates, take_implementation, written
from kerasish.layers.recurrent.loop import one_chunk
from kerasish.layers.recurrent.lstm_steps import LSTMSteps
from kerasish.layers.recurrent.rnn import RNN, cell_arguments, check_use_cudnn

CELL_SETTINGS = (
    "units", "activation", "recurrent_activation", "use_bias", "unit_forget_bias", "kernel_initializer",
    "recurrent_initializer", "bias_initializer", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer",
    "kernel_constraint", "recurrent_constraint", "bias_constraint", "dropout", "recurrent_dropout", "seed",
)  # fmt: skip
LAYER_SETTINGS = (
    "units", "activation", "recurrent_activation", "use_bias", "kernel_initializer", "recurrent_initializer",
    "bias_initializer", "unit_forget_bias", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer",
    "activity_regularizer", "kernel_constraint", "recurrent_constraint", "bias_constraint", "dropout",
    "recurrent_dropout", "seed",
)  # fmt: skip


def forget_bias(bias_initializer: Any, units: int, unit_forget_bias: bool) -> Any:
    """An initializer of the bias of the gates i, f, c, o, with ones for f if asked for."""
    if not unit_forget_bias:
        return bias_initializer

    def initial(shape: tuple, dtype: Any = None) -> Tensor:
        i, rest = (torch.as_tensor(bias_initializer((n * units,), dtype=dtype)) for n in (1, 2))
        return torch.cat([i, torch.ones_like(i), rest])

    return initial


class LSTMCell(UnitCell):
    """One step of `LSTM`; the state is (h, c).

    Args:
        units: number of units U.
        activation: function of candidate and output.
        recurrent_activation: function of the gates.
        use_bias: whether to add a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: initial values.
        unit_forget_bias: begin with a bias of 1 at the forget gate.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties added to the loss.
        kernel_constraint, recurrent_constraint, bias_constraint: projections applied after each update.
        dropout, recurrent_dropout: fractions of input and state to drop in training, the same at all time steps and
            drawn for each gate.
        seed: integer for reproducible dropout.

    Shapes: input (B, F), states [(B, U), (B, U)] → output (B, U), states [(B, U), (B, U)].

    Source: Hochreiter and Schmidhuber, 1997, *Long short-term memory*.
    """

    gates = 4
    settings = CELL_SETTINGS

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
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
        super().__init__(**take_implementation(kwargs))
        self._check_units(units)
        self._take_settings(settings)
        self.state_size = [units, units]
        self.output_size = units

    def build(self, input_shape: Any) -> None:
        u = self.units
        bias_initializer = forget_bias(self.bias_initializer, u, self.unit_forget_bias)
        self._make_weights((self._features(input_shape), 4 * u), (u, 4 * u), (4 * u,), bias_initializer)

    def advance(
        self, projected: Tensor, states: Any, masks: list[Tensor] | None
    ) -> tuple[Tensor, list[Tensor]]:
        """The step's output and states, from the input's part of the gates i, f, c, o."""
        h, c = states
        i, f, candidate, o = self._add_recurrent(projected, h, masks).chunk(4, dim=-1)
        gate = self.recurrent_activation
        c = torch.addcmul(gate(f) * c, gate(i), self.activation(candidate))
        h = gate(o) * self.activation(c)
        return h, [h, c]

    def call(self, inputs: Tensor, states: Any, training: bool = False) -> tuple[Tensor, Any]:
        states = self._states(states)
        masks, recurrent_masks = self._masks(inputs, states[0], training)
        return self.advance(self.project(inputs, masks), states, recurrent_masks)

    def can_fuse(self, sequences: Tensor, masks: list[Tensor] | None) -> bool:
        """Whether one function computes all time steps of this cell."""
        return self.activation is activations.tanh and self.recurrent_activation is activations.sigmoid

    def fused(
        self, sequences: Tensor, states: list[Tensor], masks: list[Tensor] | None
    ) -> tuple[Tensor, list[Tensor]]:
        """Run the cell over sequences (B, T, F), dropping what `masks` drop of the input."""
        on_cpu = sequences.device.type == "cpu"
        if masks is None and not (on_cpu and torch.is_grad_enabled()):
            return self.run_kernel(sequences, states)
        projected = self.project(sequences.transpose(0, 1), masks)
        h, c, kernel = (x.to(projected.dtype) for x in (*states, self.recurrent_kernel))
        outputs, c = LSTMSteps.apply(projected, h, c, kernel)
        return outputs.transpose(0, 1), [outputs[-1], c]

    def run_kernel(self, sequences: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Run the cell over sequences (B, T, F) by torch's kernel: cuDNN's on CUDA, oneDNN's on the CPU."""
        bias = [] if self.bias is None else [self.bias, torch.zeros_like(self.bias)]
        weights = one_chunk([self.kernel.t(), self.recurrent_kernel.t(), *bias], sequences.dtype)
        first = [state.unsqueeze(0) for state in states]
        keeps_values = torch.is_grad_enabled()  # torch calls it "training"
        outputs, h, c = torch.lstm(
            sequences.transpose(0, 1), first, weights, bool(bias), 1, 0.0, keeps_values, False, False
        )
        return outputs.transpose(0, 1), [h[0], c[0]]


@delegates(LAYER_SETTINGS)
class LSTM(RNN):
    """Long short-term memory: gates decide what a cell state takes in, keeps and shows.

    With `[i, f, g, o] = x_t · kernel + h_{t−1} · recurrent_kernel + bias`, σ the recurrent activation and φ the
    activation: `c_t = σ(f) c_{t−1} + σ(i) φ(g)`, `h_t = σ(o) φ(c_t)`.

    Args:
        units: number of units U.
        activation: φ.
        recurrent_activation: σ.
        use_bias: whether to add a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: initial values.
        unit_forget_bias: begin with a bias of 1 at the forget gate f.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties added to the loss.
        activity_regularizer: penalty of the output.
        kernel_constraint, recurrent_constraint, bias_constraint: projections applied after each update.
        dropout, recurrent_dropout: fractions of input and state to drop in training, the same at all time steps and
            drawn for each gate.
        seed: integer for reproducible dropout.
        return_sequences: return the outputs of all time steps, not the last one only.
        return_state: return h and c of the last step after the output.
        go_backwards: run from the last time step to the first; the outputs stand in that order.
        stateful: begin with the last state of the call before; needs a fixed batch size.
        unroll: accepted; the loop runs unrolled always.
        use_cudnn: `"auto"` or True run all time steps by one function (cuDNN's kernel on CUDA) where it computes what
            the settings ask for: its gradients have no gradients; False takes step by step.

    Call arguments: `sequences` (B, T, F), `initial_state` [h, c] of (B, U) each, `mask` (B, T), `training`.

    Shapes: (B, T, F) → (B, U), or (B, T, U) with `return_sequences`.

    Source: Hochreiter and Schmidhuber, 1997, *Long short-term memory*.

    Differs: `torch.nn.LSTM` has the time axis first, two biases, and draws everything from U(−1/√U, 1/√U).

    Example:
        >>> import torch, kerasish
        >>> output, h, c = kerasish.layers.LSTM(4, return_state=True)(torch.ones(2, 5, 3))
        >>> output.shape, torch.equal(output, h)
        (torch.Size([2, 4]), True)
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        settings = {name: value for name, value in locals().items() if name in CELL_SETTINGS}
        kwargs = take_implementation(kwargs)
        cell = LSTMCell(**settings, **cell_arguments("lstm_cell", kwargs))
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.use_cudnn = check_use_cudnn(use_cudnn)
        self.input_spec = InputSpec(ndim=3)

    def get_config(self) -> dict[str, Any]:
        return {**self._sequence_config(), **written(self, LAYER_SETTINGS)}
