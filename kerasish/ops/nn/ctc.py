"""Connectionist temporal classification: its loss, and the sequences that its outputs spell."""

# B batch, T time steps, S longest target, C classes with the blank, W beam width, P paths

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from kerasish.errors import format_shape
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.operands import as_float, as_narrow_float
from kerasish.ops.operation import operation

PADDING = -1


@operation
def ctc_loss(target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0) -> Any:
    """−log of the probability of each target sequence, summed over all its alignments with the outputs: `(B,)`.

    Args:
        target: class numbers `(B, S)`, padded.
        output: logits `(B, T, C)`.
        target_length, output_length: `(B,)`, how much of each row counts.
        mask_index: the number of the blank.

    Shapes: infinite where there are too few steps for the target.

    Source: Graves et al., 2006, *Connectionist temporal classification*.
    """
    target, output = convert_to_tensor(target), as_float(output)
    if target.ndim != 2 or output.ndim != 3 or len(target) != len(output):
        raise ValueError(
            "ctc_loss: `target` must have shape (batch, length) and `output` (batch, time, classes). "
            f"Received: {format_shape(target.shape)} and {format_shape(output.shape)}"
        )
    target_lengths = convert_to_tensor(target_length).long()
    output_lengths = convert_to_tensor(output_length).long()
    if output.is_meta:  # for which torch has no kernel
        return output.new_empty(len(output), dtype=torch.float32)
    return alignment_loss(target.long(), output.float(), target_lengths, output_lengths, mask_index)


def alignment_loss(
    target: Tensor, logits: Tensor, target_length: Tensor, output_length: Tensor, blank: int
) -> Tensor:
    """`ctc_loss` of tensors, in the precision of the logits."""
    log_probability = logits.log_softmax(-1).transpose(0, 1)
    # torch.nn.functional.ctc_loss reads the lengths into Python numbers, which a recorded step must not freeze.
    return torch._ctc_loss(log_probability, target, output_length, target_length, blank, False)[0]


@operation
def ctc_decode(
    inputs: Any,
    sequence_lengths: Any,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> Any:
    """The most probable sequences of classes, and their scores.

    Args:
        inputs: logits `(B, T, C)`.
        sequence_lengths: `(B,)`, how many steps of each row count.
        strategy: "greedy", the best class of every step, or "beam_search", the best sequences found with a beam.
        beam_width, top_paths: how many sequences a beam search keeps, and returns.
        merge_repeated: whether "greedy" takes the same class in successive steps for one.
        mask_index: the number of the blank.

    Returns:
        Sequences `(P, B, T)`, int32, padded with −1, and their scores `(B, P)`: for "greedy" (P = 1) minus the sum of
        the largest logits, for "beam_search" the log-probability.

    Raises:
        ValueError: unknown strategy, wrong rank, more paths than the beam has.

    Source: Graves et al., 2006; Hwang and Sung, 2016, *Character-level incremental speech recognition*.
    """
    inputs, lengths = as_narrow_float(inputs), convert_to_tensor(sequence_lengths).long()
    if inputs.ndim != 3:
        raise ValueError(
            f"ctc_decode: `inputs` must have shape (batch, time, classes). Received: {format_shape(inputs.shape)}"
        )
    if strategy == "greedy":
        return _decode_greedily(inputs, lengths, merge_repeated, mask_index)
    if strategy != "beam_search":
        raise ValueError(f"`strategy` must be 'greedy' or 'beam_search'. Received: strategy={strategy!r}")
    if top_paths > beam_width:
        raise ValueError(
            "ctc_decode: `top_paths` must not be larger than `beam_width`. "
            f"Received: top_paths={top_paths}, beam_width={beam_width}"
        )
    batch, steps, _ = inputs.shape
    if inputs.is_meta:
        sequences = inputs.new_empty((top_paths, batch, steps), dtype=torch.int32)
        return sequences, inputs.new_empty((batch, top_paths))
    log_probabilities = inputs.detach().double().log_softmax(-1).cpu()
    sequences = torch.full((top_paths, batch, steps), PADDING, dtype=torch.int32)
    scores = torch.full((batch, top_paths), -math.inf, dtype=torch.float64)
    for b, (row, length) in enumerate(zip(log_probabilities, lengths.tolist(), strict=True)):
        for p, (prefix, score) in enumerate(_search(row[:length], beam_width, mask_index)[:top_paths]):
            sequences[p, b, : len(prefix)] = torch.tensor(prefix, dtype=torch.int32)
            scores[b, p] = score
    return sequences.to(inputs.device), scores.to(inputs)


def _decode_greedily(
    inputs: Tensor, lengths: Tensor, merge_repeated: bool, blank: int
) -> tuple[Tensor, Tensor]:
    best, classes = inputs.max(-1)
    steps = torch.arange(inputs.shape[1], device=inputs.device)
    counts = steps < lengths.unsqueeze(-1)
    keep = counts & (classes != blank)
    if merge_repeated:
        keep[:, 1:] &= classes[:, 1:] != classes[:, :-1]
    # Kept classes move to the front in their order; what is left over behind them becomes padding.
    order = torch.sort(keep.logical_not().byte(), dim=-1, stable=True).indices
    sequences = classes.masked_fill(~keep, PADDING).gather(-1, order)
    scores = -(best * counts).sum(-1, keepdim=True)
    return sequences.to(torch.int32).unsqueeze(0), scores


def _search(log_probability: Tensor, beam_width: int, blank: int) -> list[tuple[tuple[int, ...], float]]:
    """The best prefixes with their log-probabilities, best first; `log_probability` is (T, C).

    Every prefix carries two log-probabilities: that of the alignments which end in a blank, and of those which do not.
    """
    prefixes: list[tuple[int, ...]] = [()]
    in_blank = torch.zeros(1, dtype=log_probability.dtype)
    in_class = torch.full((1,), -math.inf, dtype=log_probability.dtype)
    for step in log_probability:
        total = torch.logaddexp(in_blank, in_class)
        last = torch.tensor([prefix[-1] if prefix else blank for prefix in prefixes])
        stay_in_blank = total + step[blank]
        stay_in_class = in_class + step[last]
        extended = total.unsqueeze(-1) + step  # (prefix, class): one class longer
        rows = torch.arange(len(prefixes))
        extended[rows, last] = in_blank + step[last]  # the same class again needs a blank in between
        extended[:, blank] = -math.inf
        number = {prefix: i for i, prefix in enumerate(prefixes)}
        for i, prefix in enumerate(prefixes):
            parent = number.get(prefix[:-1]) if prefix else None
            if parent is not None:  # two ways to the same prefix: longer by a class, or as it was
                stay_in_class[i] = torch.logaddexp(stay_in_class[i], extended[parent, prefix[-1]])
                extended[parent, prefix[-1]] = -math.inf
        stay = torch.logaddexp(stay_in_blank, stay_in_class)
        candidates = torch.cat([stay, extended.flatten()])
        chosen = torch.topk(candidates, min(beam_width, int((candidates > -math.inf).sum()))).indices
        is_longer = chosen >= len(prefixes)
        parent_of, class_of = (
            torch.div(chosen - len(prefixes), len(step), rounding_mode="floor"),
            (chosen - len(prefixes)) % len(step),
        )
        source = torch.where(is_longer, parent_of, chosen)
        nothing = torch.full_like(candidates[chosen], -math.inf)
        in_blank = torch.where(is_longer, nothing, stay_in_blank[source])
        in_class = torch.where(is_longer, candidates[chosen], stay_in_class[source])
        prefixes = [
            (*prefixes[i], c) if longer else prefixes[i]
            for i, c, longer in zip(source.tolist(), class_of.tolist(), is_longer.tolist(), strict=True)
        ]
    scores = torch.logaddexp(in_blank, in_class).tolist()
    return sorted(zip(prefixes, scores, strict=True), key=lambda pair: -pair[1])
