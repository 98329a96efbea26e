"""Metrics between numbers: mean errors, cosine similarity, R²."""

# B batch, D outputs

from __future__ import annotations

from typing import Any

import torch

from kerasish import losses
from kerasish.errors import format_shape
from kerasish.losses.loss import match_ranks, to_tensor
from kerasish.metrics.metric import Metric, divide_no_nan
from kerasish.metrics.reduction import FunctionMetric, Mean, broadcast_weights

CLASS_AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


def cosine_similarity(y_true: Any, y_pred: Any, axis: int | tuple[int, ...] = -1) -> torch.Tensor:
    """Σ y_true·y_pred / (‖y_true‖ ‖y_pred‖) along `axis`: 1 for the same direction, the loss times −1.

    Example:
        >>> cosine_similarity([[0.0, 1.0], [3.0, 4.0]], [[1.0, 0.0], [3.0, 4.0]])
        tensor([0., 1.])
    """
    return -losses.cosine_similarity(y_true, y_pred, axis)


class MeanSquaredError(FunctionMetric):
    """Mean of (y_true − y_pred)².

    Example:
        >>> float(MeanSquaredError()([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [0.0, 0.0]]))
        0.25
    """

    def __init__(self, name: str = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_error, name, dtype)


class MeanAbsoluteError(FunctionMetric):
    """Mean of |y_true − y_pred|."""

    def __init__(self, name: str = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(FunctionMetric):
    """Mean of 100 · |y_true − y_pred| / |y_true|."""

    def __init__(self, name: str = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(FunctionMetric):
    """Mean of (log(1 + y_true) − log(1 + y_pred))²."""

    def __init__(self, name: str = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


class LogCoshError(FunctionMetric):
    """Mean of log(cosh(y_pred − y_true))."""

    def __init__(self, name: str = "logcosh", dtype: Any = None) -> None:
        super().__init__(losses.log_cosh, name, dtype)


class RootMeanSquaredError(Mean):
    """Square root of the mean of (y_true − y_pred)² over all batches.

    Example:
        >>> float(RootMeanSquaredError()([0.0, 0.0], [1.0, 7.0]))
        5.0
    """

    _direction = "down"

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Take in targets and predictions; weights are one per sample or one per value."""
        kind, device = self.total.dtype, self.total.device
        y_true, y_pred = match_ranks(to_tensor(y_true, kind, device), to_tensor(y_pred, kind, device))
        self._accumulate((y_pred - y_true).square(), sample_weight)

    def result(self) -> torch.Tensor:
        """The root of the mean so far."""
        return super().result().sqrt()


class CosineSimilarity(FunctionMetric):
    """Mean cosine of the angle between targets and predictions along `axis`.

    Example:
        >>> float(CosineSimilarity()([[0.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [1.0, 1.0]]))
        0.5
    """

    _direction = "up"

    def __init__(
        self, name: str = "cosine_similarity", dtype: Any = None, axis: int | tuple[int, ...] = -1
    ) -> None:
        super().__init__(cosine_similarity, name, dtype, axis=axis)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric; like Keras's, without an `axis` of −1."""
        config = super().get_config()
        if config["axis"] == -1:
            del config["axis"]
        return config


class MeanRelativeError(Mean):
    """Mean of |y_true − y_pred| / normalizer, 0 where the normalizer is 0 (Keras 2).

    Args:
        normalizer: numbers in the shape of the predictions.
        name: key in the logs.
        dtype: type of the sums.

    Example:
        >>> float(MeanRelativeError([1.0, 3.0, 2.0, 3.0])([1.0, 3.0, 2.0, 3.0], [2.0, 4.0, 6.0, 8.0]))
        1.25
    """

    _direction = "down"

    def __init__(self, normalizer: Any, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name or "mean_relative_error", dtype)
        self.normalizer = to_tensor(normalizer, self.total.dtype, self.total.device)

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Take in targets and predictions; weights are one per sample or one per value."""
        kind, device = self.total.dtype, self.total.device
        y_true, y_pred = match_ranks(to_tensor(y_true, kind, device), to_tensor(y_pred, kind, device))
        self._accumulate(divide_no_nan((y_true - y_pred).abs(), self.normalizer), sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return {"normalizer": self.normalizer.tolist(), **super().get_config()}


class R2Score(Metric):
    """Coefficient of determination R² = 1 − Σ (y − ŷ)² / Σ (y − ȳ)², one for each of D outputs, averaged.

    Args:
        class_aggregation: None: one score per output; `"uniform_average"`: their mean;
            `"variance_weighted_average"`: their mean with Σ (y − ȳ)² as weights.
        num_regressors: p independent variables, for the adjusted 1 − (1 − R²)(n − 1) / (n − p − 1), with n
            the number of values, B · D, as in Keras; 0, or p ≥ n − 1, leaves R² as it is.
        name: key in the logs.
        dtype: type of the sums.

    Raises:
        ValueError: an argument is unknown or out of its range.

    An output with constant targets scores 0, or NaN where the predictions equal them, as in Keras.

    Example:
        >>> round(float(R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])), 4)
        0.5714
    """

    _direction = "up"
    sum: Any = None

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if class_aggregation not in CLASS_AGGREGATIONS:
            raise ValueError(
                f"`class_aggregation` must be one of {CLASS_AGGREGATIONS}. "
                f"Received: class_aggregation={class_aggregation!r}"
            )
        if num_regressors < 0:
            raise ValueError(
                f"`num_regressors` must not be negative. Received: num_regressors={num_regressors!r}"
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")

    def _build(self, outputs: int) -> None:
        self.squared_sum = self.add_variable((outputs,), "zeros", name="squared_sum")
        self.sum = self.add_variable((outputs,), "zeros", name="sum")
        self.total_mse = self.add_variable((outputs,), "zeros", name="residual")
        self.count = self.add_variable((outputs,), "zeros", name="count")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in targets and predictions, both `(B, D)`; weights are one per sample or one per value.

        Raises:
            ValueError: the shapes are not `(B, D)`, or D changed.
        """
        kind, device = self.num_samples.dtype, self.num_samples.device
        y_true, y_pred = match_ranks(to_tensor(y_true, kind, device), to_tensor(y_pred, kind, device))
        if self.sum is None and y_pred.dim() == 2:
            with self._on_device_of(self.num_samples):
                self._build(y_pred.shape[1])
        outputs = None if self.sum is None else len(self.sum)
        if y_pred.dim() != 2 or y_true.shape != y_pred.shape or outputs != y_pred.shape[1]:
            raise ValueError(
                f"R2Score needs targets and predictions of shape {format_shape((None, outputs))}. Received: "
                f"y_true of shape {format_shape(y_true.shape)}, y_pred of shape {format_shape(y_pred.shape)}"
            )
        weighted, residuals = y_true, (y_true - y_pred).square()
        count: Any = y_true.shape[0]
        if sample_weight is not None:
            weights = broadcast_weights(to_tensor(sample_weight, kind, device), y_true.shape)
            weighted, residuals, count = y_true * weights, residuals * weights, weights.sum(0)
        self.squared_sum.add_((y_true * weighted).sum(0))
        self.sum.add_(weighted.sum(0))
        self.total_mse.add_(residuals.sum(0))
        self.count.add_(count)
        self.num_samples.add_(y_true.numel())

    def result(self) -> torch.Tensor:
        """The score, one per output with `class_aggregation=None`; 0 before the first batch."""
        if self.sum is None:
            return torch.zeros(())
        total = self.squared_sum - self.sum * (self.sum / self.count)
        score = 1 - self.total_mse / total
        score = score.masked_fill(score.isinf(), 0)
        if self.class_aggregation == "uniform_average":
            score = score.mean()
        elif self.class_aggregation == "variance_weighted_average":
            score = (score * total).sum() / total.sum()
        if not self.num_regressors:
            return score
        freedom = self.num_samples - self.num_regressors - 1
        adjusted = 1 - (1 - score) * (self.num_samples - 1) / freedom
        return torch.where(freedom > 0, adjusted, score)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        arguments = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return {**super().get_config(), **arguments}
