"""The loop over time steps, with Keras's treatment of masks, and its shortcut by one kernel for a whole sequence."""

# B batch, T time, F features, U units

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from kerasish import tree


def run_steps(
    step: Callable[[Tensor, Any], tuple[Tensor, Any]],
    inputs: Sequence[Tensor],
    states: Any,
    mask: Tensor | None,
    zero_output_for_mask: bool,
) -> tuple[list[Tensor], Any]:
    """Run `step(input, states) → (output, states)` over the time steps; return all outputs and the last states.

    Where `mask` (B, T) is False the states stay as they are, and the output is that of the step before (zero at the
    beginning), or zero with `zero_output_for_mask`.
    """
    outputs: list[Tensor] = []
    flags = None if mask is None else mask.unbind(1)
    for t, x in enumerate(inputs):
        output, new_states = step(x, states)
        if flags is None:
            states = new_states
        else:
            other = torch.zeros_like(output) if zero_output_for_mask or t == 0 else outputs[-1]
            output = _where(flags[t], output, other)
            states = tree.map_structure(
                lambda new, old, flag=flags[t]: _where(flag, new, old), _like(new_states, states), states
            )
        outputs.append(output)
    return outputs, states


def _like(new_states: Any, states: Any) -> Any:
    return tree.pack_sequence_as(states, tree.flatten(new_states))


def _where(flag: Tensor, new: Tensor, old: Tensor) -> Tensor:
    return torch.where(flag.view(-1, *[1] * (new.dim() - 1)), new, old)


def run_valid_steps(
    kernel: Callable[[Tensor], Tensor],
    sequences: Tensor,
    first: Tensor,
    mask: Tensor,
    zero_output_for_mask: bool,
) -> tuple[Tensor, Tensor]:
    """The results of `run_steps` with a mask by a kernel that knows none; return outputs (B, T, U) and last state.

    The valid steps of each record are moved to the front; every step then shows the output of the last valid step up
    to it. Only for cells whose output is their state.
    """
    order = torch.argsort(mask, dim=1, descending=True, stable=True)
    outputs = kernel(sequences.gather(1, order.unsqueeze(-1).expand_as(sequences)))
    count = mask.cumsum(1)
    position = (count - 1).clamp(min=0).unsqueeze(-1).expand_as(outputs)
    held = outputs.gather(1, position)
    started = (count > 0).unsqueeze(-1)
    last = torch.where(started[:, -1], held[:, -1], first)
    shown = mask.unsqueeze(-1) if zero_output_for_mask else started
    return torch.where(shown, held, torch.zeros_like(held)), last


def one_chunk(weights: Sequence[Tensor], dtype: torch.dtype) -> list[Tensor]:
    """The weights side by side in one piece of memory: cuDNN would else move them together at every call."""
    memory = torch.cat([weight.to(dtype).reshape(-1) for weight in weights])
    pieces = memory.split([weight.numel() for weight in weights])
    return [piece.view(weight.shape) for piece, weight in zip(pieces, weights, strict=True)]
