"""Gated recurrent units."""

# B batch, T time, F features, U units

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish import activations
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.recurrent.cell import UnitCell, delegates, take_implementation, written
from kerasish.layers.recurrent.loop import one_chunk
from kerasish.layers.recurrent.rnn import RNN, cell_arguments, check_use_cudnn

CELL_SETTINGS = (
    "units", "activation", "recurrent_activation", "use_bias", "kernel_initializer", "recurrent_initializer",
    "bias_initializer", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "kernel_constraint",
    "recurrent_constraint", "bias_constraint", "dropout", "recurrent_dropout", "reset_after", "seed",
)  # fmt: skip
LAYER_SETTINGS = (
    "units", "activation", "recurrent_activation", "use_bias", "kernel_initializer", "recurrent_initializer",
    "bias_initializer", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "activity_regularizer",
    "kernel_constraint", "recurrent_constraint", "bias_constraint", "dropout", "recurrent_dropout", "reset_after",
    "seed",
)  # fmt: skip


class GRUCell(UnitCell):
    """One step of `GRU`.

    Args:
        units: number of units U.
        activation: function of the candidate.
        recurrent_activation: function of the gates.
        use_bias: whether to add a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: initial values.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties added to the loss.
        kernel_constraint, recurrent_constraint, bias_constraint: projections applied after each update.
        dropout, recurrent_dropout: fractions of input and state to drop in training, the same at all time steps and
            drawn for each gate.
        reset_after: apply the reset gate after the product with the state (cuDNN's form), not before it.
        seed: integer for reproducible dropout.

    Shapes: input (B, F), states [(B, U)] → output (B, U), states [(B, U)].

    Source: Cho et al., 2014, *Learning phrase representations using RNN encoder–decoder*.
    """

    gates = 3
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
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        settings = {name: value for name, value in locals().items() if name in CELL_SETTINGS}
        super().__init__(**take_implementation(kwargs))
        self._check_units(units)
        self._take_settings(settings)
        self.state_size = self.output_size = units

    def build(self, input_shape: Any) -> None:
        u = self.units
        bias = (2, 3 * u) if self.reset_after else (3 * u,)
        self._make_weights((self._features(input_shape), 3 * u), (u, 3 * u), bias, self.bias_initializer)

    def _input_bias(self) -> Tensor | None:
        return self.bias[0] if self.bias is not None and self.reset_after else self.bias

    def advance(
        self, projected: Tensor, states: Any, masks: list[Tensor] | None
    ) -> tuple[Tensor, list[Tensor]]:
        """The step's output and states, from the input's part of the gates z, r, h."""
        h, gate = states[0], self.recurrent_activation
        x_z, x_r, x_h = projected.chunk(3, dim=-1)
        if self.reset_after:
            bias = None if self.bias is None else self.bias[1]
            h_z, h_r, h_h = self._add_recurrent(bias, h, masks).chunk(3, dim=-1)
            z, r = gate(x_z + h_z), gate(x_r + h_r)
            candidate = self.activation(torch.addcmul(x_h, r, h_h))
        else:
            k_z, k_r, k_h = self.recurrent_kernel.chunk(3, dim=-1)
            for_z, for_r, for_h = [h] * 3 if masks is None else [h * mask for mask in masks]
            z, r = gate(torch.addmm(x_z, for_z, k_z)), gate(torch.addmm(x_r, for_r, k_r))
            candidate = self.activation(torch.addmm(x_h, r * for_h, k_h))
        h = torch.lerp(candidate, h, z)
        return h, [h]

    def call(self, inputs: Tensor, states: Any, training: bool = False) -> tuple[Tensor, Any]:
        given = self._states(states)
        masks, recurrent_masks = self._masks(inputs, given[0], training)
        output, new = self.advance(self.project(inputs, masks), given, recurrent_masks)
        return output, new if isinstance(states, (list, tuple)) else new[0]

    def can_fuse(self, sequences: Tensor, masks: list[Tensor] | None) -> bool:
        """Whether torch's kernel computes this cell and is faster than single steps: it is not on the CPU."""
        is_standard = self.activation is activations.tanh and self.recurrent_activation is activations.sigmoid
        return is_standard and self.reset_after and masks is None and sequences.device.type != "cpu"

    def fused(
        self, sequences: Tensor, states: list[Tensor], masks: list[Tensor] | None
    ) -> tuple[Tensor, list[Tensor]]:
        """Run the cell over sequences (B, T, F) by torch's kernel, whose gates stand in the order r, z, h."""
        bias = [] if self.bias is None else list(self.bias.unbind(0))
        weights = [_reset_first(weight, self.units) for weight in (self.kernel, self.recurrent_kernel, *bias)]
        outputs, h = torch.gru(
            sequences.transpose(0, 1), states[0].unsqueeze(0), one_chunk(weights, sequences.dtype),
            bool(bias), 1, 0.0, torch.is_grad_enabled(), False, False,
        )  # fmt: skip
        return outputs.transpose(0, 1), [h[0]]


def _reset_first(weight: Tensor, units: int) -> Tensor:
    """Turn columns z, r, h into rows r, z, h."""
    z, r, h = weight.split(units, dim=-1)
    rows = torch.cat([r, z, h], dim=-1)
    return rows.t() if rows.dim() == 2 else rows


@delegates(LAYER_SETTINGS)
class GRU(RNN):
    """Gated recurrent unit: a gate mixes the old state with a candidate.

    With σ the recurrent activation and φ the activation, `z = σ(x W_z + h U_z + b_z)`, `r = σ(x W_r + h U_r + b_r)`,
    `ĥ = φ(x W_h + b_h + r (h U_h + b'_h))` (`reset_after`) or `ĥ = φ(x W_h + b_h + (r h) U_h)`, and
    `h' = z h + (1 − z) ĥ`.

    Args:
        units: number of units U.
        activation: φ.
        recurrent_activation: σ.
        use_bias: whether to add a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: initial values.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties added to the loss.
        activity_regularizer: penalty of the output.
        kernel_constraint, recurrent_constraint, bias_constraint: projections applied after each update.
        dropout, recurrent_dropout: fractions of input and state to drop in training, the same at all time steps and
            drawn for each gate.
        seed: integer for reproducible dropout.
        return_sequences: return the outputs of all time steps, not the last one only.
        return_state: return the last state after the output.
        go_backwards: run from the last time step to the first; the outputs stand in that order.
        stateful: begin with the last state of the call before; needs a fixed batch size.
        unroll: accepted; the loop runs unrolled always.
        reset_after: apply the reset gate after the product with the state (cuDNN's form), not before it.
        use_cudnn: `"auto"` or True run all time steps by cuDNN's kernel on CUDA where it computes what the settings ask
            for; False takes step by step.

    Call arguments: `sequences` (B, T, F), `initial_state` a tensor (B, U), `mask` (B, T), `training`.

    Shapes: (B, T, F) → (B, U), or (B, T, U) with `return_sequences`.

    Source: Cho et al., 2014, *Learning phrase representations using RNN encoder–decoder*.

    Differs: `torch.nn.GRU` has the time axis first and the gates in the order r, z, h.

    Example:
        >>> import torch, kerasish
        >>> kerasish.layers.GRU(4)(torch.ones(2, 5, 3)).shape
        torch.Size([2, 4])
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
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        settings = {name: value for name, value in locals().items() if name in CELL_SETTINGS}
        kwargs = take_implementation(kwargs)
        cell = GRUCell(**settings, **cell_arguments("gru_cell", kwargs))
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.use_cudnn = check_use_cudnn(use_cudnn)
        self.input_spec = InputSpec(ndim=3)

    def get_config(self) -> dict[str, Any]:
        return {**self._sequence_config(), **written(self, LAYER_SETTINGS)}
