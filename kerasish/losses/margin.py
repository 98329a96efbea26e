"""Margin losses: hinge, squared hinge, categorical hinge."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from kerasish.losses.loss import FunctionLoss, as_tensors


def _as_signs(y_true: torch.Tensor) -> torch.Tensor:
    """Labels 0/1 as −1/1; labels that are not all 0 or 1 as they are."""
    is_binary = ((y_true == 0) | (y_true == 1)).all()
    return torch.where(is_binary, 2.0 * y_true - 1.0, y_true)


def hinge(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Mean of max(1 − y_true·y_pred, 0) over the last dimension, labels −1/1 (0/1 are converted).

    Example:
        >>> hinge([[-1.0, 1.0]], [[0.5, 2.0]])
        tensor([0.7500])
    """
    y_true, y_pred = as_tensors(y_true, y_pred)
    return F.relu(1.0 - _as_signs(y_true) * y_pred).mean(-1)


def squared_hinge(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Mean of max(1 − y_true·y_pred, 0)² over the last dimension, labels −1/1 (0/1 are converted)."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    return torch.square(F.relu(1.0 - _as_signs(y_true) * y_pred)).mean(-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> torch.Tensor:
    """max(max((1 − y_true)·y_pred) − Σ y_true·y_pred + 1, 0) over the last dimension, one-hot labels."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    positive = (y_true * y_pred).sum(-1)
    negative = ((1.0 - y_true) * y_pred).amax(-1)
    return F.relu(negative - positive + 1.0)


class Hinge(FunctionLoss):
    """Mean of max(1 − y_true·y_pred, 0), labels −1/1 (0/1 are converted)."""

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "hinge", dtype: Any = None
    ) -> None:
        super().__init__(hinge, reduction, name, dtype)


class SquaredHinge(FunctionLoss):
    """Mean of max(1 − y_true·y_pred, 0)², labels −1/1 (0/1 are converted)."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(squared_hinge, reduction, name, dtype)


class CategoricalHinge(FunctionLoss):
    """Mean of max(max((1 − y_true)·y_pred) − Σ y_true·y_pred + 1, 0), one-hot labels."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(categorical_hinge, reduction, name, dtype)
