"""F-scores: the harmonic mean of precision and recall."""

# B batch, C classes

from __future__ import annotations

from typing import Any

import torch

from kerasish.dtypes import torch_dtype
from kerasish.errors import format_shape
from kerasish.losses.loss import to_tensor
from kerasish.metrics.metric import Metric, divide_no_nan
from kerasish.metrics.reduction import broadcast_weights

AVERAGES = (None, "micro", "macro", "weighted")


class FBetaScore(Metric):
    """Fβ = (1 + β²) · precision · recall / (β² · precision + recall), per class or averaged.

    Args:
        average: None: one score per class; `"micro"`: of all counts together; `"macro"`: mean of the classes;
            `"weighted"`: their mean with the number of true labels as weights.
        beta: weight β > 0 of recall.
        threshold: predictions above it are positive; None: the largest of each sample.
        name: key in the logs.
        dtype: type of the counts.

    Raises:
        ValueError: an argument is unknown or out of its range.

    Example:
        >>> metric = FBetaScore(beta=2.0, threshold=0.5)
        >>> metric([[1, 1], [1, 0], [1, 1]], [[0.2, 0.6], [0.9, 0.8], [0.6, 0.1]])
        tensor([0.7143, 0.5000])
    """

    _direction = "up"
    true_positives: Any = None

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if average not in AVERAGES:
            raise ValueError(f"`average` must be one of {AVERAGES}. Received: average={average!r}")
        if not isinstance(beta, (int, float)) or beta <= 0:
            raise ValueError(f"`beta` must be a number above 0. Received: beta={beta!r}")
        if threshold is not None and not (isinstance(threshold, (int, float)) and 0 < threshold <= 1):
            raise ValueError(
                f"`threshold` must be a number with 0 < threshold <= 1. Received: threshold={threshold!r}"
            )
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self.axis = None if average == "micro" else 0

    def _build(self, classes: int) -> None:
        shape = () if self.average == "micro" else (classes,)
        names = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")
        self._counts: list[Any] = [
            self.add_variable(shape, "zeros", dtype=self.dtype, name=name) for name in names
        ]
        self.true_positives, self.false_positives, self.false_negatives, self.intermediate_weights = (
            self._counts
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in labels 0 or 1 and predictions, both `(B, C)`; weights are one per sample.

        Raises:
            ValueError: the shapes are not `(B, C)`, or C changed.
        """
        device = None if self.true_positives is None else self.true_positives.device
        y_pred = to_tensor(y_pred, torch_dtype(self.dtype), device)
        y_true = to_tensor(y_true, y_pred.dtype, y_pred.device)
        if self.true_positives is None and y_pred.dim() == 2:
            with self._on_device_of(y_pred):
                self._build(y_pred.shape[1])
        self._check_shapes(y_true, y_pred)
        if self.threshold is None:
            is_largest = y_pred >= y_pred.amax(-1, keepdim=True)
            predicted = (is_largest & (y_pred.abs() > 1e-9)).to(y_pred.dtype)
        else:
            predicted = (y_pred > self.threshold).to(y_pred.dtype)
        counted = y_true
        if sample_weight is not None:
            weights = broadcast_weights(to_tensor(sample_weight, y_pred.dtype, y_pred.device), y_pred.shape)
            counted, predicted = y_true * weights, predicted * weights
        axes = (0, 1) if self.axis is None else 0
        true, positive, both = counted.sum(axes), predicted.sum(axes), (predicted * y_true).sum(axes)
        torch._foreach_add_(self._counts, [both, positive - both, true - both, true])

    def _check_shapes(self, y_true: torch.Tensor, y_pred: torch.Tensor) -> None:
        classes = self.true_positives.shape[0] if self.true_positives is not None and self.axis == 0 else None
        if y_pred.dim() != 2 or y_true.shape != y_pred.shape or classes not in (None, y_pred.shape[1]):
            raise ValueError(
                f"{self.name} needs labels and predictions of shape {format_shape((None, classes))}. "
                f"Received: y_true of shape {format_shape(y_true.shape)}, "
                f"y_pred of shape {format_shape(y_pred.shape)}"
            )

    def result(self) -> torch.Tensor:
        """The score, one per class with `average=None`; 0 before the first batch."""
        if self.true_positives is None:
            return torch.zeros(())
        tp, fp, fn = self.true_positives, self.false_positives, self.false_negatives
        square = self.beta**2
        scores = divide_no_nan((1 + square) * tp, (1 + square) * tp + square * fn + fp)
        if self.average == "macro":
            return scores.mean()
        if self.average == "weighted":
            return divide_no_nan((scores * self.intermediate_weights).sum(), self.intermediate_weights.sum())
        return scores

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        arguments = {"average": self.average, "beta": self.beta, "threshold": self.threshold}
        return {**super().get_config(), **arguments}


class F1Score(FBetaScore):
    """F1 = 2 · precision · recall / (precision + recall): `FBetaScore` with β = 1, and its other arguments.

    Example:
        >>> metric = F1Score(threshold=0.5)
        >>> metric([[1, 1, 1], [1, 0, 0], [1, 1, 0]], [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]])
        tensor([0.5000, 0.8000, 0.6667])
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        config = super().get_config()
        del config["beta"]
        return config
