"""Losses on sequences: connectionist temporal classification."""

# B batch, T time steps, S longest target, C classes with the blank

from __future__ import annotations

from typing import Any

import torch

from kerasish.errors import format_shape
from kerasish.losses.loss import FunctionLoss, as_tensors, takes_labels
from kerasish.ops.nn.ctc import alignment_loss

BLANK = 0


@takes_labels
def ctc(y_true: Any, y_pred: Any) -> torch.Tensor:
    """−log of the probability of the target sequence, summed over all its alignments with the outputs.

    Args:
        y_true: class numbers `(B, S)`, padded with 0 (the blank).
        y_pred: logits `(B, T, C)`, class 0 being the blank.

    Shapes: `(B,)`; infinite where T steps are too few for the target.

    Raises:
        ValueError: wrong ranks.

    Source: Graves et al., 2006, *Connectionist temporal classification*.
    Differs: `torch.nn.functional.ctc_loss` takes log-probabilities `(T, B, C)` and lengths. On CUDA the
    kernel reads the lengths on the host, so a step with this loss cannot be captured as a CUDA graph.
    """
    y_true, y_pred = as_tensors(y_true, y_pred, labels=True)
    if y_true.ndim != 2 or y_pred.ndim != 3:
        raise ValueError(
            "ctc expects `y_true` of shape (batch, length), `y_pred` of shape (batch, time, classes). "
            f"Received: shapes {format_shape(y_true.shape)} and {format_shape(y_pred.shape)}"
        )
    labels = y_true.long()
    input_lengths = labels.new_full((y_pred.shape[0],), y_pred.shape[1])
    return alignment_loss(labels, y_pred, (labels != BLANK).sum(-1), input_lengths, BLANK)


class CTC(FunctionLoss):
    """Connectionist temporal classification, as the function `ctc`.

    Differs: `"sum_over_batch_size"` divides by the batch size; torch's `"mean"` also by the target lengths.
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "ctc", dtype: Any = None
    ) -> None:
        super().__init__(ctc, reduction, name, dtype)
