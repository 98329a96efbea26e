"""`KerasRegressor`, with SciKeras's interface."""

from __future__ import annotations

from typing import Any

from sklearn.metrics import r2_score

from kerasish.wrappers.estimator import RegressionMixin
from kerasish.wrappers.routed import BaseWrapper


class KerasRegressor(RegressionMixin, BaseWrapper):
    """A model as a scikit-learn regressor; `score` is R².

    Args: those of `BaseWrapper`.

    Source: the interface is that of SciKeras 0.13.
    """

    score = BaseWrapper.score

    @staticmethod
    def scorer(y_true: Any, y_pred: Any, **kwargs: Any) -> float:
        """The coefficient of determination R²."""
        return r2_score(y_true, y_pred, **kwargs)
