"""Losses on embeddings: the circle loss."""

# B batch, R reference embeddings, E size of an embedding

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from kerasish.losses.loss import FunctionLoss, as_tensors, takes_labels, to_tensor


@takes_labels
def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> torch.Tensor:
    """log(1 + Σₙ exp(γ αₙ (sₙ − m)) · Σₚ exp(−γ αₚ (sₚ − 1 + m))) for each embedding.

    s are the dot products with all reference embeddings, p those of the same label, n the others;
    αₚ = max(1 + m − sₚ, 0) and αₙ = max(sₙ + m, 0). The result's `_keras_mask` is where it is positive, so
    that samples without a pair do not count in the mean.

    Args:
        y_true: labels `(B,)` or `(B, 1)`.
        y_pred: embeddings `(B, E)` of length 1.
        ref_labels, ref_embeddings: labels `(R,)`, embeddings `(R, E)` to compare with; the batch by default.
        remove_diagonal: leave out the pair of each sample with itself.
        gamma: the scale γ.
        margin: the relaxation m.

    Source: Sun et al., 2020, *Circle loss*, arXiv:2002.10857, equation 6.
    Differs: the paper takes α as constants; here, as in Keras, the gradient flows through them.
    """
    y_true, y_pred = as_tensors(y_true, y_pred, labels=True)
    ref_embeddings = (
        y_pred if ref_embeddings is None else to_tensor(ref_embeddings, y_pred.dtype, y_pred.device)
    )
    ref_labels = y_true if ref_labels is None else to_tensor(ref_labels, device=y_pred.device)
    similarity = (y_pred @ ref_embeddings.T).clamp_max(1.0)
    same = y_true.reshape(-1, 1).long() == ref_labels.reshape(1, -1).long()
    positive_logits = -gamma * F.relu(1.0 + margin - similarity) * (similarity - (1.0 - margin))
    negative_logits = gamma * F.relu(similarity + margin) * (similarity - margin)
    is_excluded = ~same
    if remove_diagonal:
        is_excluded = is_excluded | torch.eye(*same.shape, dtype=torch.bool, device=same.device)
    positive = positive_logits.masked_fill(is_excluded, float("-inf")).logsumexp(1)
    negative = negative_logits.masked_fill(same, float("-inf")).logsumexp(1)
    losses = F.softplus(positive + negative)
    losses._keras_mask = losses > 0  # type: ignore[attr-defined]
    return losses


class Circle(FunctionLoss):
    """The circle loss of embeddings `(B, E)` of length 1 with labels `(B,)`, as the function `circle`.

    Args:
        gamma: the scale γ.
        margin: the relaxation m.
        remove_diagonal: leave out the pair of each sample with itself.
        reduction, name, dtype: as for `Loss`.

    Source: Sun et al., 2020, *Circle loss*, arXiv:2002.10857, equation 6.
    """

    gamma: float
    margin: float
    remove_diagonal: bool

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            circle, reduction, name, dtype, gamma=gamma, margin=margin, remove_diagonal=remove_diagonal
        )
