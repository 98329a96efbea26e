"""Metrics of margins: hinge, squared hinge, categorical hinge."""

from __future__ import annotations

from typing import Any

from kerasish import losses
from kerasish.metrics.reduction import FunctionMetric


class Hinge(FunctionMetric):
    """Mean of max(1 − y_true · y_pred, 0), labels −1 and 1; labels 0 and 1 are converted.

    Example:
        >>> round(float(Hinge()([[0.0, 1.0], [0.0, 0.0]], [[0.6, 0.4], [0.4, 0.6]])), 4)
        1.3
    """

    def __init__(self, name: str = "hinge", dtype: Any = None) -> None:
        super().__init__(losses.hinge, name, dtype)


class SquaredHinge(FunctionMetric):
    """Mean of max(1 − y_true · y_pred, 0)², labels −1 and 1; labels 0 and 1 are converted."""

    def __init__(self, name: str = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(losses.squared_hinge, name, dtype)


class CategoricalHinge(FunctionMetric):
    """Mean of max(1 + max((1 − y_true) · y_pred) − Σ y_true · y_pred, 0), labels one-hot."""

    def __init__(self, name: str = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(losses.categorical_hinge, name, dtype)
