"""Metrics that count true and false positives and negatives at thresholds: precision, recall, AUC, …"""

# N predictions, L labels of a multi-label metric, T thresholds

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from kerasish.config import epsilon, floatx
from kerasish.dtypes import torch_dtype
from kerasish.errors import did_you_mean, format_shape
from kerasish.losses.loss import match_ranks, to_tensor
from kerasish.metrics.metric import Metric, divide_no_nan
from kerasish.metrics.reduction import broadcast_weights

NOT_AMONG_TOP_K = -1e10  # the default threshold of top-k metrics: all of the top k are positive
CURVES = ("PR", "ROC", "PRGAIN")
SUMMATION_METHODS = ("interpolation", "majoring", "minoring")
CELLS: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "true_positives": lambda is_positive, is_true: is_positive & is_true,
    "false_positives": lambda is_positive, is_true: is_positive > is_true,
    "true_negatives": lambda is_positive, is_true: ~(is_positive | is_true),
    "false_negatives": lambda is_positive, is_true: is_positive < is_true,
}


def _standardize_thresholds(thresholds: Any, default: float) -> list[float]:
    if thresholds is None:
        return [default]
    listed = list(thresholds) if isinstance(thresholds, (Sequence, np.ndarray)) else [thresholds]
    if not all(isinstance(t, (int, float, np.number)) and 0 <= t <= 1 for t in listed):
        raise ValueError(f"`thresholds` must be numbers in [0, 1]. Received: thresholds={thresholds!r}")
    return listed


def _are_even(thresholds: Sequence[float]) -> bool:
    return len(thresholds) > 2 and np.allclose(thresholds, np.linspace(0, 1, len(thresholds)), atol=epsilon())


def _even_boundaries(thresholds: Sequence[float], dtype: Any) -> np.ndarray:
    """The largest x, in floating-point numbers, with x·(T − 1) ≤ i for i = 0 … T − 1.

    Keras sorts predictions p in [0, 1] into even buckets by rounding p·(T − 1) up; p > x is the same.
    """
    steps = len(thresholds) - 1
    rank = np.arange(len(thresholds), dtype=dtype)
    limit = (rank / dtype(steps)).astype(dtype)
    for _ in range(4):
        above = np.nextafter(limit, dtype(np.inf))
        limit = np.where(limit * dtype(steps) > rank, np.nextafter(limit, dtype(-np.inf)), limit)
        limit = np.where(above * dtype(steps) <= rank, above, limit)
    limit[0] = -np.inf if thresholds[0] < 0 else 0.0
    limit[-1] = np.inf
    return limit


class ConfusionMetric(Metric):
    """Parent of the metrics that count at thresholds: `p > t` means positive, any label but 0 is true.

    The counts that a subclass keeps are the variables whose names it gives to `_make_counts`.
    """

    class_id: int | None = None
    top_k: int | None = None

    def _make_counts(
        self, names: dict[str, str], thresholds: Sequence[float], even: bool, shape: Any = ()
    ) -> None:
        """Make the variables of the counts; `names`: what each counts → what its attribute is called."""
        exact = np.float64 if self.dtype == "float64" else np.float32
        if even:
            limits = _even_boundaries(thresholds, exact)
        else:
            limits = np.asarray(thresholds, dtype=np.float64)
        order = np.argsort(-limits, kind="stable")
        is_ascending = bool((order[::-1] == np.arange(len(order))).all())
        self._counts = {
            kind: self.add_variable((len(thresholds), *shape), "zeros", name=name)
            for kind, name in names.items()
        }
        for count in self._counts.values():
            setattr(self, count.name, count)
        self._only_threshold = float(limits[0]) if len(limits) == 1 and not shape else None
        # Negated, so that NaN, which sorts last, is above no threshold.
        device = count.device
        self._negated = torch.as_tensor((-limits[order]).astype(exact), device=device)
        self._rank = None if is_ascending else torch.as_tensor(np.argsort(order), device=device)
        self._one = torch.ones((), dtype=count.dtype, device=device)

    def _count(self, y_true: torch.Tensor, y_pred: torch.Tensor, weights: torch.Tensor | None) -> None:
        """Add to the counts: labels, predictions and weights are `(N,)`, or `(N, L)` for counts `(T, L)`."""
        is_true = y_true != 0
        if self._only_threshold is not None:
            is_positive = y_pred > self._only_threshold
            cells = [CELLS[kind](is_positive, is_true) for kind in self._counts]
            totals = [cell.sum() if weights is None else (cell * weights).sum() for cell in cells]
        else:
            totals = self._totals(is_true, y_pred, weights)
        torch._foreach_add_(list(self._counts.values()), totals)

    def _totals(
        self, is_true: torch.Tensor, y_pred: torch.Tensor, weights: torch.Tensor | None
    ) -> list[torch.Tensor]:
        """Histograms of the predictions between thresholds, for false and for true labels, summed up."""
        thresholds = len(self._negated)
        buckets = thresholds + 1
        index = torch.bucketize((-y_pred).contiguous(), self._negated, right=True)
        index.add_(is_true, alpha=buckets)
        if weights is None:
            weights = self._one.expand(index.shape)
        histogram = torch.zeros((2 * buckets, *index.shape[1:]), dtype=self._one.dtype, device=index.device)
        histogram = histogram.scatter_add_(0, index, weights).unflatten(0, (2, buckets))
        totals: dict[str, torch.Tensor] = {}
        if "true_positives" in self._counts or "false_positives" in self._counts:
            above = histogram.cumsum(1)[:, :thresholds].flip(1)
            totals.update(true_positives=above[1], false_positives=above[0])
        if "true_negatives" in self._counts or "false_negatives" in self._counts:
            below = histogram.flip(1).cumsum(1)[:, :thresholds]
            totals.update(true_negatives=below[0], false_negatives=below[1])
        wanted = [totals[name] for name in self._counts]
        return (
            wanted if self._rank is None else [total.flip(0).index_select(0, self._rank) for total in wanted]
        )

    def _take(
        self, y_true: Any, y_pred: Any, sample_weight: Any
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """Convert, pick `top_k` and `class_id`, bring the weights to the shape of the predictions."""
        y_pred = to_tensor(y_pred, self._negated.dtype, self._negated.device)
        y_true, y_pred = match_ranks(to_tensor(y_true, device=y_pred.device), y_pred)
        if y_true.shape != y_pred.shape:
            raise ValueError(
                f"{self.name}: `y_true` and `y_pred` must have one shape. Received: y_true of shape "
                f"{format_shape(y_true.shape)}, y_pred of shape {format_shape(y_pred.shape)}"
            )
        if self.top_k is not None:
            best = y_pred.topk(min(self.top_k, y_pred.shape[-1]))
            y_pred = torch.full_like(y_pred, -torch.inf).scatter_(-1, best.indices, best.values)
        if self.class_id is not None:
            y_true, y_pred = self._of_class(y_true), self._of_class(y_pred)
        if sample_weight is None:
            return y_true, y_pred, None
        weights = to_tensor(sample_weight, self._one.dtype, y_pred.device)
        return y_true, y_pred, broadcast_weights(weights, y_pred.shape)

    def _of_class(self, values: torch.Tensor) -> torch.Tensor:
        classes = values.shape[-1] if values.dim() > 1 else 0
        if not -classes <= self.class_id < classes:  # type: ignore[operator]
            raise ValueError(
                f"{self.name}: `class_id={self.class_id}` needs predictions of shape (samples, classes) with "
                f"that class. Received: values of shape {format_shape(values.shape)}"
            )
        return values[..., self.class_id]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in labels 0 or 1 and predictions of one shape; weights are one per sample or prediction."""
        y_true, y_pred, weights = self._take(y_true, y_pred, sample_weight)
        self._count(y_true.reshape(-1), y_pred.reshape(-1), None if weights is None else weights.reshape(-1))


class _Count(ConfusionMetric):
    """Parent of the four counts; the subclass says which."""

    _kind: str

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.thresholds = _standardize_thresholds(thresholds, 0.5)
        self._make_counts({self._kind: "accumulator"}, self.thresholds, _are_even(self.thresholds))

    def result(self) -> torch.Tensor:
        """The count, or one count per threshold."""
        counts = self._counts[self._kind].detach().clone()
        return counts[0] if len(self.thresholds) == 1 else counts

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_Count):
    """Number of true labels whose prediction is above the threshold, or Σ of their weights.

    Args:
        thresholds: number or list of numbers in [0, 1]; 0.5 by default.
        name: key in the logs.
        dtype: type of the count.

    Raises:
        ValueError: a threshold is outside [0, 1].

    Example:
        >>> float(TruePositives()([0, 1, 1, 1], [1.0, 0.0, 1.0, 1.0]))
        2.0
    """

    _kind = "true_positives"


class FalsePositives(_Count):
    """Number of false labels whose prediction is above the threshold; arguments of `TruePositives`."""

    _kind = "false_positives"


class TrueNegatives(_Count):
    """Number of false labels whose prediction is not above the threshold; arguments of `TruePositives`."""

    _kind = "true_negatives"


class FalseNegatives(_Count):
    """Number of true labels whose prediction is not above the threshold; arguments of `TruePositives`."""

    _kind = "false_negatives"


class _Ratio(ConfusionMetric):
    """Parent of precision and recall: true positives over true positives and one kind of error."""

    _direction = "up"
    _errors: str
    true_positives: Any

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        self.thresholds = _standardize_thresholds(thresholds, 0.5 if top_k is None else NOT_AMONG_TOP_K)
        names = {"true_positives": "true_positives", self._errors: self._errors}
        self._make_counts(names, self.thresholds, _are_even(self.thresholds))

    def result(self) -> torch.Tensor:
        """The ratio, or one per threshold; 0 where nothing was counted."""
        ratio = divide_no_nan(self.true_positives, self.true_positives + self._counts[self._errors])
        return ratio[0] if len(self.thresholds) == 1 else ratio

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        arguments = {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **arguments}


class Precision(_Ratio):
    """Fraction of the positive predictions whose label is true, TP / (TP + FP).

    Args:
        thresholds: number or list of numbers in [0, 1] above which a prediction is positive; 0.5 by default.
        top_k: take only the `top_k` largest predictions of each sample as positive.
        class_id: count this class only, the column of labels and predictions.
        name: key in the logs.
        dtype: type of the counts.

    Raises:
        ValueError: a threshold is outside [0, 1].

    Example:
        >>> round(float(Precision()([0, 1, 1, 1], [1.0, 0.0, 1.0, 1.0])), 3)
        0.667
    """

    _errors = "false_positives"


class Recall(_Ratio):
    """Fraction of the true labels whose prediction is positive, TP / (TP + FN); arguments of `Precision`."""

    _errors = "false_negatives"


class _AtConstraint(ConfusionMetric):
    """Parent of the best value of one rate at thresholds where another rate reaches `value`."""

    _direction = "up"
    _argument: str
    true_positives: Any
    true_negatives: Any
    false_positives: Any
    false_negatives: Any

    def __init__(
        self, value: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: Any
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if not 0 <= value <= 1:
            raise ValueError(f"`{self._argument}` must be in [0, 1]. Received: {self._argument}={value!r}")
        if num_thresholds <= 0:
            raise ValueError(
                f"`num_thresholds` must be at least 1. Received: num_thresholds={num_thresholds!r}"
            )
        self.value = value
        self.num_thresholds = num_thresholds
        self.class_id = class_id
        setattr(self, self._argument, value)
        even = num_thresholds > 1
        self.thresholds = [i / (num_thresholds - 1) for i in range(num_thresholds)] if even else [0.5]
        self._make_counts({kind: kind for kind in CELLS}, self.thresholds, even)

    def _best(self, rate: torch.Tensor, constrained: torch.Tensor) -> torch.Tensor:
        return rate.masked_fill(constrained < self.value, 0).max()

    def _sensitivity(self) -> torch.Tensor:
        return divide_no_nan(self.true_positives, self.true_positives + self.false_negatives)

    def _specificity(self) -> torch.Tensor:
        return divide_no_nan(self.true_negatives, self.true_negatives + self.false_positives)

    def _precision(self) -> torch.Tensor:
        return divide_no_nan(self.true_positives, self.true_positives + self.false_positives)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        arguments = {
            "num_thresholds": self.num_thresholds,
            "class_id": self.class_id,
            self._argument: self.value,
        }
        return {**super().get_config(), **arguments}


class SensitivityAtSpecificity(_AtConstraint):
    """Largest sensitivity TP / (TP + FN) with a specificity TN / (TN + FP) of at least `specificity`.

    Args:
        specificity: in [0, 1].
        num_thresholds: thresholds tried, even from 0 to 1.
        class_id: count this class only, the column of labels and predictions.
        name: key in the logs.
        dtype: type of the counts.

    Raises:
        ValueError: an argument is out of its range.

    Example:
        >>> float(SensitivityAtSpecificity(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
        0.5
    """

    _argument = "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)

    def result(self) -> torch.Tensor:
        """The sensitivity; 0 where no threshold reaches the specificity."""
        return self._best(self._sensitivity(), self._specificity())


class SpecificityAtSensitivity(_AtConstraint):
    """Largest specificity TN / (TN + FP) with a sensitivity TP / (TP + FN) of at least `sensitivity`.

    The other arguments are those of `SensitivityAtSpecificity`.
    """

    _argument = "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)

    def result(self) -> torch.Tensor:
        """The specificity; 0 where no threshold reaches the sensitivity."""
        return self._best(self._specificity(), self._sensitivity())


class PrecisionAtRecall(_AtConstraint):
    """Largest precision TP / (TP + FP) with a recall TP / (TP + FN) of at least `recall`.

    The other arguments are those of `SensitivityAtSpecificity`.
    """

    _argument = "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)

    def result(self) -> torch.Tensor:
        """The precision; 0 where no threshold reaches the recall."""
        return self._best(self._precision(), self._sensitivity())


class RecallAtPrecision(_AtConstraint):
    """Largest recall TP / (TP + FN) with a precision TP / (TP + FP) of at least `precision`.

    The other arguments are those of `SensitivityAtSpecificity`.
    """

    _argument = "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)

    def result(self) -> torch.Tensor:
        """The recall; 0 where no threshold reaches the precision."""
        return self._best(self._sensitivity(), self._precision())


class AUC(ConfusionMetric):
    """Area under the ROC or the precision-recall curve, by the counts at `num_thresholds` thresholds.

    Args:
        num_thresholds: thresholds even in [0, 1]; more are nearer to the true curve.
        curve: `"ROC"`: sensitivity over 1 − specificity; `"PR"`: precision over recall; `"PRGAIN"`: precision
            gain over recall gain.
        summation_method: heights between two thresholds: their mean (`"interpolation"`; for PR curves the
            counts are interpolated), their larger (`"majoring"`) or smaller value (`"minoring"`).
        name: key in the logs.
        dtype: type of the counts.
        thresholds: the inner thresholds in [0, 1], in place of `num_thresholds`.
        multi_label: whether to average the areas of the L columns instead of joining the columns.
        num_labels: L, where known; else the first batch tells.
        label_weights: L weights, of the areas or, with `multi_label=False`, of the predictions.
        from_logits: whether predictions are logits.

    Raises:
        ValueError: an argument is unknown or out of its range.

    Example:
        >>> float(AUC(num_thresholds=3)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
        0.75

    Source: Davis and Goadrich, 2006, *The relationship between precision-recall and ROC curves*; Flach and
    Kull, 2015, *Precision-recall-gain curves*.
    """

    _direction = "up"
    true_positives: Any = None
    true_negatives: Any
    false_positives: Any
    false_negatives: Any

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.curve = _one_of("curve", str(curve).upper(), CURVES)
        self.summation_method = _one_of("summation_method", str(summation_method).lower(), SUMMATION_METHODS)
        if num_labels is not None and not multi_label:
            raise ValueError(f"`num_labels` needs `multi_label=True`. Received: num_labels={num_labels!r}")
        if thresholds is None:
            if num_thresholds <= 1:
                raise ValueError(
                    f"`num_thresholds` must be at least 2. Received: num_thresholds={num_thresholds!r}"
                )
            inner = [i / (num_thresholds - 1) for i in range(1, num_thresholds - 1)]
            self._even = True
        else:
            inner = sorted(float(t) for t in _standardize_thresholds(thresholds, 0.5))
            self._even = _are_even([0.0, *inner, 1.0])
        self._has_own_thresholds = thresholds is not None
        self._thresholds = [-epsilon(), *inner, 1.0 + epsilon()]
        self.num_thresholds = len(self._thresholds)
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.from_logits = from_logits
        self.label_weights: torch.Tensor | None = None
        if label_weights is not None:
            self.label_weights = to_tensor(label_weights, torch_dtype(floatx()))
            if bool((self.label_weights < 0).any()):
                raise ValueError(
                    f"`label_weights` must not be negative. Received: label_weights={label_weights!r}"
                )
        if not multi_label:
            self._build(())
        elif num_labels:
            self._build((num_labels,))

    def _build(self, shape: tuple) -> None:
        if self.label_weights is not None and shape and len(self.label_weights) != shape[0]:
            raise ValueError(
                f"AUC {self.name!r}: `label_weights` must have one weight for each of the {shape[0]} labels. "
                f"Received: {len(self.label_weights)} weights"
            )
        self._make_counts({kind: kind for kind in CELLS}, self._thresholds, self._even, shape)
        if self.label_weights is not None:
            self.label_weights = self.label_weights.to(self.true_positives.device)

    @property
    def thresholds(self) -> list[float]:
        """All thresholds, from just below 0 to just above 1."""
        return list(self._thresholds)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in labels 0 or 1 and predictions of one shape; weights are one per sample or per prediction.

        Raises:
            ValueError: shapes differ, or predictions are not `(N, L)` with `multi_label`.
        """
        if self.true_positives is None:
            y_pred = to_tensor(y_pred)
            self._check_labels(y_pred)
            with self._on_device_of(y_pred):
                self._build((y_pred.shape[1],))
        y_true, y_pred, weights = self._take(y_true, y_pred, sample_weight)
        if self.from_logits:
            y_pred = y_pred.sigmoid()
        if self.multi_label:
            self._check_labels(y_pred)
            self._count(y_true, y_pred, weights)
            return
        if self.label_weights is not None:
            own = self.label_weights.expand(y_pred.shape)
            weights = own if weights is None else own * weights
        self._count(y_true.reshape(-1), y_pred.reshape(-1), None if weights is None else weights.reshape(-1))

    def _check_labels(self, y_pred: torch.Tensor) -> None:
        labels = None if self.true_positives is None else self.true_positives.shape[1]
        if y_pred.dim() != 2 or labels not in (None, y_pred.shape[1]):
            raise ValueError(
                f"AUC {self.name!r} with `multi_label=True` needs predictions of shape "
                f"{format_shape((None, labels))}. Received: y_pred of shape {format_shape(y_pred.shape)}"
            )

    def result(self) -> torch.Tensor:
        """The area so far."""
        if self.true_positives is None:
            return torch.zeros(())
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self.interpolate_pr_auc()
        x, y = self._curve()
        left, right = y[:-1], y[1:]
        if self.summation_method == "interpolation":
            heights = (left + right) / 2
        else:
            heights = (
                torch.minimum(left, right)
                if self.summation_method == "minoring"
                else torch.maximum(left, right)
            )
        return self._average(((x[:-1] - x[1:]) * heights).sum(0))

    def _curve(self) -> tuple[torch.Tensor, torch.Tensor]:
        tp, fp, tn, fn = self.true_positives, self.false_positives, self.true_negatives, self.false_negatives
        if self.curve == "ROC":
            return divide_no_nan(fp, fp + tn), divide_no_nan(tp, tp + fn)
        if self.curve == "PR":
            return divide_no_nan(tp, tp + fn), divide_no_nan(tp, tp + fp)
        odds = divide_no_nan(tp + fn, fp + tn)
        recall_gain = (1 - odds * divide_no_nan(fn, tp)).clamp_min(0).masked_fill(tp == 0, 0)
        return recall_gain, 1 - odds * divide_no_nan(fp, tp)

    def _average(self, areas: torch.Tensor) -> torch.Tensor:
        if areas.dim() == 0:
            return areas
        if self.label_weights is None:
            return areas.mean()
        return divide_no_nan((areas * self.label_weights).sum(), self.label_weights.sum())

    def interpolate_pr_auc(self) -> torch.Tensor:
        """The area under the precision-recall curve with TP linear in TP + FP between thresholds.

        On a segment with slope s and intercept b, ∫ precision dTP = s·(ΔTP + b·log(P₁ / P₀)), P = TP + FP.
        """
        positives = self.true_positives + self.false_positives
        upper, lower = positives[:-1], positives[1:]
        gained = self.true_positives[:-1] - self.true_positives[1:]
        slope = divide_no_nan(gained, (upper - lower).clamp_min(0))
        intercept = self.true_positives[1:] - slope * lower
        ratio = (upper / lower).masked_fill((upper <= 0) | (lower <= 0), 1)
        true = (self.true_positives[1:] + self.false_negatives[1:]).clamp_min(0)
        return self._average(divide_no_nan(slope * (gained + intercept * ratio.log()), true).sum(0))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        config = {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if self.label_weights is None else self.label_weights.tolist(),
            "from_logits": self.from_logits,
        }
        return {**config, "thresholds": self._thresholds[1:-1]} if self._has_own_thresholds else config


def _one_of(argument: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise ValueError(
            f"`{argument}` must be one of {known}.{did_you_mean(value, known)} Received: {argument}={value!r}"
        )
    return value
