"""Losses between numbers: squared, absolute, relative and logarithmic errors, cosine similarity."""

# B batch, … further dimensions, D values of one sample (the last dimension: losses are means or sums over it)

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F

from kerasish.config import epsilon
from kerasish.losses.loss import FunctionLoss, as_tensors, fused_mean_of, match_ranks


def _aligned(y_true: Any, y_pred: Any) -> tuple[torch.Tensor, torch.Tensor]:
    return match_ranks(*as_tensors(y_true, y_pred))


def mean_squared_error(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Mean of (y_true − y_pred)² over the last dimension: `(B, …, D)` → `(B, …)`.

    Example:
        >>> mean_squared_error([[0.0, 1.0]], [[1.0, 3.0]])
        tensor([2.5000])
    """
    y_true, y_pred = _aligned(y_true, y_pred)
    return torch.square(y_pred - y_true).mean(-1)


@fused_mean_of(mean_squared_error)
def _mean_squared_error_mean(y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor | None:
    return F.mse_loss(y_pred, y_true) if y_true.shape == y_pred.shape else None


def mean_absolute_error(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Mean of |y_true − y_pred| over the last dimension: `(B, …, D)` → `(B, …)`."""
    y_true, y_pred = _aligned(y_true, y_pred)
    return (y_pred - y_true).abs().mean(-1)


@fused_mean_of(mean_absolute_error)
def _mean_absolute_error_mean(y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor | None:
    return F.l1_loss(y_pred, y_true) if y_true.shape == y_pred.shape else None


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> torch.Tensor:
    """100 · mean of |y_true − y_pred| / max(|y_true|, ε) over the last dimension, ε = `config.epsilon()`."""
    y_true, y_pred = _aligned(y_true, y_pred)
    return 100.0 * ((y_true - y_pred) / y_true.abs().clamp_min(epsilon())).abs().mean(-1)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Mean of (log(1 + y_true) − log(1 + y_pred))² over the last dimension, values below ε counted as ε."""
    y_true, y_pred = _aligned(y_true, y_pred)
    difference = torch.log1p(y_pred.clamp_min(epsilon())) - torch.log1p(y_true.clamp_min(epsilon()))
    return torch.square(difference).mean(-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> torch.Tensor:
    """Mean over the last dimension of ½e² where |e| ≤ δ and δ|e| − ½δ² beyond, with e = y_true − y_pred.

    Args:
        delta: the error δ > 0 at which the parabola becomes a line.

    Source: Huber, 1964, *Robust estimation of a location parameter*.
    """
    y_true, y_pred = torch.broadcast_tensors(*_aligned(y_true, y_pred))
    return F.huber_loss(y_pred, y_true, reduction="none", delta=delta).mean(-1)


@fused_mean_of(huber)
def _huber_mean(y_true: torch.Tensor, y_pred: torch.Tensor, delta: float = 1.0) -> torch.Tensor | None:
    return F.huber_loss(y_pred, y_true, delta=delta) if y_true.shape == y_pred.shape else None


def log_cosh(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Mean of log(cosh(e)), e = y_pred − y_true, over the last dimension: ≈ ½e² or |e| − log 2."""
    y_true, y_pred = _aligned(y_true, y_pred)
    error = y_pred - y_true
    return (error + F.softplus(-2.0 * error)).mean(-1) - math.log(2.0)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int | tuple[int, ...] = -1) -> torch.Tensor:
    """−Σ y_true·y_pred / (‖y_true‖ ‖y_pred‖) along `axis`: −1 for the same direction, 1 for the opposite.

    Norms below ε count as ε, so that a zero vector gives 0 (and a finite gradient, where Keras gives NaN).

    Differs: `torch.nn.functional.cosine_similarity` has the opposite sign.
    """
    y_true, y_pred = _aligned(y_true, y_pred)
    axes = tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)
    norms = [torch.linalg.vector_norm(y, dim=axes).clamp_min(epsilon()) for y in (y_true, y_pred)]
    return -(y_true * y_pred).sum(axes) / norms[0] / norms[1]


class MeanSquaredError(FunctionLoss):
    """Mean of (y_true − y_pred)².

    Example:
        >>> float(MeanSquaredError()([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [1.0, 0.0]]))
        0.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_error, reduction, name, dtype)


class MeanAbsoluteError(FunctionLoss):
    """Mean of |y_true − y_pred|."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_error, reduction, name, dtype)


class MeanAbsolutePercentageError(FunctionLoss):
    """100 · mean of |y_true − y_pred| / max(|y_true|, ε)."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(FunctionLoss):
    """Mean of (log(1 + y_true) − log(1 + y_pred))²."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)


class Huber(FunctionLoss):
    """Mean of ½e² where |e| ≤ δ and δ|e| − ½δ² beyond: a squared error that outliers do not dominate.

    Args:
        delta: the error δ > 0 at which the parabola becomes a line.
        reduction, name, dtype: as for `Loss`.

    Raises:
        ValueError: `delta` is not positive.

    Source: Huber, 1964, *Robust estimation of a location parameter*.
    """

    delta: float

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        if not delta > 0:
            raise ValueError(f"`delta` of Huber must be positive. Received: delta={delta!r}")
        super().__init__(huber, reduction, name, dtype, delta=delta)


class LogCosh(FunctionLoss):
    """Mean of log(cosh(y_pred − y_true))."""

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "log_cosh", dtype: Any = None
    ) -> None:
        super().__init__(log_cosh, reduction, name, dtype)


class CosineSimilarity(FunctionLoss):
    """Mean of −cos of the angle between y_true and y_pred along `axis`.

    Example:
        >>> float(CosineSimilarity()([[3.0, 4.0]], [[6.0, 8.0]]))
        -1.0
    """

    axis: int

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)
