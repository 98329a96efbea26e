"""Loops over time steps and elements, and connectionist temporal classification, under Keras 2's names."""

# B batch, T time, C classes

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from kerasish import tree
from kerasish.config import epsilon
from kerasish.layers.recurrent.loop import run_steps
from kerasish.ops import control, nn
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.operands import as_float
from kerasish.ops.operation import operation


@operation
def rnn(
    step_function: Callable,
    inputs: Any,
    initial_states: Any,
    go_backwards: bool = False,
    mask: Any = None,
    constants: Any = None,
    unroll: bool = False,
    input_length: Any = None,
    time_major: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
) -> Any:
    """Run `step_function(input, states + constants) → (output, new states)` over the time steps.

    Args:
        inputs: `(B, T, …)`, `(T, B, …)` with `time_major`, or a structure of such tensors.
        initial_states: a list of tensors.
        go_backwards: whether to begin with the last step.
        mask: `(B, T)`; where it is False, states stay and the output is the one before.
        constants: a list of tensors given to every step after the states.
        zero_output_for_mask: whether masked outputs are 0 instead.
        return_all_outputs: whether to return all outputs, and not only the last one, as a sequence.
        unroll, input_length: without effect, as in Keras 2 where it runs eagerly.

    Returns: the last output, the outputs `(B, T, …)`, and the list of the last states.
    """
    time = 0 if time_major else 1
    sequences = tree.map_structure(convert_to_tensor, inputs)
    leaves = [leaf.unbind(time) for leaf in tree.flatten(sequences)]
    steps: list[Any] = [tree.pack_sequence_as(sequences, list(row)) for row in zip(*leaves, strict=True)]
    flags = None if mask is None else convert_to_tensor(mask).bool()
    if flags is not None:
        flags = flags.reshape(flags.shape[:2])
        flags = flags.mT if time_major else flags
    if go_backwards:
        steps = steps[::-1]
        flags = None if flags is None else flags.flip(1)
    fixed = list(constants or [])

    def step(x: Any, states: Any) -> Any:
        output, new_states = step_function(x, [*states, *fixed])
        return output, list(new_states)

    outputs, states = run_steps(step, steps, list(initial_states), flags, zero_output_for_mask)
    shown = outputs if return_all_outputs else outputs[-1:]
    return outputs[-1], torch.stack(shown, time), states


def foldl(fn: Callable, elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """`fn(… fn(fn(initializer, e₀), e₁) …)` over the first axis; without an initializer it begins with e₀."""
    return _fold(fn, list(convert_to_tensor(elems).unbind(0)), initializer)


def foldr(fn: Callable, elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """As `foldl`, beginning with the last element."""
    return _fold(fn, list(convert_to_tensor(elems).unbind(0))[::-1], initializer)


def _fold(fn: Callable, elements: Sequence[Any], initializer: Any) -> Any:
    if initializer is None:
        initializer, elements = elements[0], elements[1:]
    for element in elements:
        initializer = fn(initializer, element)
    return initializer


def map_fn(fn: Callable, elems: Any, name: str | None = None, dtype: Any = None) -> Any:
    """`fn` of every slice along the first axis, stacked, and cast to `dtype`."""
    result = control.map(fn, elems)
    return result if dtype is None else tree.map_structure(lambda x: convert_to_tensor(x, dtype), result)


def _logits(y_pred: Any) -> torch.Tensor:
    return torch.log(as_float(y_pred) + epsilon())


@operation
def ctc_batch_cost(y_true: Any, y_pred: Any, input_length: Any, label_length: Any) -> Any:
    """−log of the probability of each label sequence, `(B, 1)`; the last class is the blank.

    Args:
        y_true: class numbers `(B, S)`, padded.
        y_pred: probabilities `(B, T, C)`.
        input_length, label_length: `(B, 1)`, how many steps and labels count.
    """
    labels, steps = (convert_to_tensor(length).reshape(-1) for length in (label_length, input_length))
    loss = nn.ctc_loss(y_true, _logits(y_pred), labels, steps, mask_index=y_pred.shape[-1] - 1)
    return loss.unsqueeze(-1)


def ctc_decode(
    y_pred: Any, input_length: Any, greedy: bool = True, beam_width: int = 100, top_paths: int = 1
) -> tuple[list[torch.Tensor], torch.Tensor]:
    """The most probable sequences: a list of `top_paths` tensors `(B, T)`, padded with −1, and their scores.

    Args:
        y_pred: probabilities `(B, T, C)`; the last class is the blank.
        input_length: `(B,)`, how many steps count.
        greedy: the best class of every step, or a search with a beam.
    """
    strategy = "greedy" if greedy else "beam_search"
    blank = y_pred.shape[-1] - 1
    sequences, scores = nn.ctc_decode(
        _logits(y_pred), input_length, strategy, beam_width, top_paths, mask_index=blank
    )
    return [paths.long() for paths in sequences], scores


def ctc_label_dense_to_sparse(labels: Any, label_lengths: Any) -> torch.Tensor:
    """Padded labels `(B, S)` as a sparse tensor of those that count."""
    labels, lengths = convert_to_tensor(labels), convert_to_tensor(label_lengths).reshape(-1, 1)
    counts = torch.arange(labels.shape[1], device=labels.device) < lengths
    places = counts.nonzero().mT
    return torch.sparse_coo_tensor(places, labels[counts], labels.shape, check_invariants=False)
