"""Correlations between targets and predictions."""

from __future__ import annotations

from typing import Any

import torch

from kerasish.config import epsilon
from kerasish.losses.loss import as_tensors, match_ranks
from kerasish.metrics.reduction import FunctionMetric

Axis = int | tuple[int, ...] | list[int] | None


def _moments(
    y_true: Any, y_pred: Any, axis: Axis
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Covariance, the two variances and the difference of the means, along `axis`."""
    y_true, y_pred = torch.broadcast_tensors(*match_ranks(*as_tensors(y_true, y_pred)))
    axes = tuple(range(y_true.dim())) if axis is None else axis
    mean_true, mean_pred = y_true.mean(axes, keepdim=True), y_pred.mean(axes, keepdim=True)
    true, pred = y_true - mean_true, y_pred - mean_pred
    difference = (mean_true - mean_pred).sum(axes)
    return (true * pred).mean(axes), true.square().mean(axes), pred.square().mean(axes), difference


def pearson_correlation(y_true: Any, y_pred: Any, axis: Axis = -1) -> torch.Tensor:
    """cov(y_true, y_pred) / (σ_true σ_pred) along `axis`; NaN where one of them is constant.

    Example:
        >>> pearson_correlation([[0.0, 1.0, 0.5]], [[0.1, 0.9, 0.5]])
        tensor([1.])
    """
    covariance, var_true, var_pred, _ = _moments(y_true, y_pred, axis)
    return covariance / (var_true.sqrt() * var_pred.sqrt())


def concordance_correlation(y_true: Any, y_pred: Any, axis: Axis = -1) -> torch.Tensor:
    """2 cov(y_true, y_pred) / (σ²_true + σ²_pred + (μ_true − μ_pred)² + ε) along `axis`, ε = `epsilon()`.

    Example:
        >>> concordance_correlation([[0.0, 1.0, 2.0]], [[1.0, 2.0, 3.0]])
        tensor([0.5714])

    Source: Lin, 1989, *A concordance correlation coefficient to evaluate reproducibility*.
    """
    covariance, var_true, var_pred, difference = _moments(y_true, y_pred, axis)
    return 2 * covariance / (var_true + var_pred + difference.square() + epsilon())


class PearsonCorrelation(FunctionMetric):
    """Mean of `pearson_correlation` over the samples.

    Args:
        name: key in the logs.
        dtype: type of the sums.
        axis: dimension along which targets and predictions are correlated.
    """

    _direction = "up"

    def __init__(self, name: str = "pearson_correlation", dtype: Any = None, axis: Axis = -1) -> None:
        super().__init__(pearson_correlation, name, dtype, axis=axis)


class ConcordanceCorrelation(FunctionMetric):
    """Mean of `concordance_correlation` over the samples.

    Args:
        name: key in the logs.
        dtype: type of the sums.
        axis: dimension along which targets and predictions are correlated.
    """

    _direction = "up"

    def __init__(self, name: str = "concordance_correlation", dtype: Any = None, axis: Axis = -1) -> None:
        super().__init__(concordance_correlation, name, dtype, axis=axis)
