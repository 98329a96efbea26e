"""Overlap losses for segmentation masks: Dice and Tversky."""

from __future__ import annotations

from typing import Any

import torch

from kerasish.config import epsilon
from kerasish.losses.loss import FunctionLoss, as_tensors

Axis = int | tuple[int, ...] | list[int] | None


def dice(y_true: Any, y_pred: Any, axis: Axis = None) -> torch.Tensor:
    """1 − 2 Σ y_true·y_pred / (Σ y_true + Σ y_pred + ε), summed over `axis`, by default over everything.

    Example:
        >>> dice([[1.0, 0.0]], [[0.5, 0.5]])
        tensor(0.5000)

    Source: Milletari et al., 2016, *V-Net*, arXiv:1606.04797 (there with squares in the denominator).
    """
    y_true, y_pred = as_tensors(y_true, y_pred)
    overlap = (y_true * y_pred).sum(axis)
    return 1.0 - 2.0 * overlap / (y_true.sum(axis) + y_pred.sum(axis) + epsilon())


def tversky(
    y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Axis = None
) -> torch.Tensor:
    """1 − S / (S + α Σ y_true(1 − y_pred) + β Σ (1 − y_true)y_pred + ε), S = Σ y_true·y_pred over `axis`.

    Args:
        alpha: weight of what the prediction misses.
        beta: weight of what it adds wrongly.
        axis: dimensions of the sums; None: all.

    Source: Salehi et al., 2017, arXiv:1706.05721.
    Differs: the paper's α and β stand the other way round; here they are Keras's.
    """
    y_true, y_pred = as_tensors(y_true, y_pred)
    overlap = (y_true * y_pred).sum(axis)
    missed = (y_true * (1.0 - y_pred)).sum(axis)
    wrong = ((1.0 - y_true) * y_pred).sum(axis)
    return 1.0 - overlap / (overlap + alpha * missed + beta * wrong + epsilon())


class Dice(FunctionLoss):
    """1 − the Dice coefficient, as the function `dice`."""

    axis: Axis

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Axis = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dice, reduction, name, dtype, axis=axis)


class Tversky(FunctionLoss):
    """1 − the Tversky index, as the function `tversky`.

    Args:
        alpha: weight of what the prediction misses.
        beta: weight of what it adds wrongly.
        axis: dimensions of the sums; None: all.
        reduction, name, dtype: as for `Loss`.
    """

    alpha: float
    beta: float
    axis: Axis

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Axis = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)
