"""Losses between distributions: Kullback–Leibler divergence and Poisson."""

from __future__ import annotations

from typing import Any

import torch

from kerasish.config import epsilon
from kerasish.losses.loss import FunctionLoss, as_tensors


def kl_divergence(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Σ y_true·log(y_true / y_pred) over the last dimension, both clipped to [ε, 1].

    Example:
        >>> kl_divergence([[0.5, 0.5]], [[0.25, 0.75]])
        tensor([0.1438])

    Differs: `torch.nn.functional.kl_div` takes the logarithm of y_pred, and y_true second.
    """
    y_true, y_pred = as_tensors(y_true, y_pred)
    y_true, y_pred = y_true.clamp(epsilon(), 1.0), y_pred.clamp(epsilon(), 1.0)
    return (y_true * (y_true / y_pred).log()).sum(-1)


def poisson(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Mean of y_pred − y_true·log(y_pred + ε) over the last dimension: for counts and predicted rates."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    return (y_pred - y_true * (y_pred + epsilon()).log()).mean(-1)


class KLDivergence(FunctionLoss):
    """Mean over the samples of Σ y_true·log(y_true / y_pred), both clipped to [ε, 1]."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: Any = None,
    ) -> None:
        super().__init__(kl_divergence, reduction, name, dtype)


class Poisson(FunctionLoss):
    """Mean of y_pred − y_true·log(y_pred + ε): for counts and predicted rates."""

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "poisson", dtype: Any = None
    ) -> None:
        super().__init__(poisson, reduction, name, dtype)
