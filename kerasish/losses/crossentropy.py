"""Cross-entropies: binary, categorical, sparse categorical, their focal forms and the generalized one.

Predictions may be probabilities or, with `from_logits=True`, logits. Where probabilities come straight from a
softmax or sigmoid activation, its logits are known and used: the value is the same, but saturated outputs
neither clip the loss nor lose their gradient. Other probabilities are clipped to [ε, 1 − ε], ε =
`config.epsilon()`.
"""

# B batch, … further dimensions, C classes (the dimension `axis`, the last by default)

from __future__ import annotations

import functools
import warnings
from typing import Any

import torch
import torch.nn.functional as F

from kerasish.config import epsilon
from kerasish.errors import format_shape
from kerasish.losses.loss import FunctionLoss, as_tensors, fused_mean_of, takes_labels

IGNORE_NOTHING = -(2**62)


def _sigmoid_logits(y_pred: torch.Tensor, from_logits: bool) -> torch.Tensor | None:
    """The logits behind a prediction: itself, what a sigmoid left on it, or None."""
    if from_logits:
        return y_pred
    if getattr(y_pred, "_keras_logits_of", None) == "sigmoid":
        return y_pred._keras_logits  # type: ignore[attr-defined]
    return None


def _softmax_logits(y_pred: torch.Tensor, from_logits: bool, axis: int) -> torch.Tensor | None:
    """The logits behind a prediction: itself, what a softmax over the last axis left on it, or None."""
    if from_logits:
        return y_pred
    if axis in (-1, y_pred.ndim - 1) and getattr(y_pred, "_keras_logits_of", None) == "softmax":
        return y_pred._keras_logits  # type: ignore[attr-defined]
    return None


def _clip(probability: torch.Tensor) -> torch.Tensor:
    return probability.clamp(epsilon(), 1.0 - epsilon())


def _smooth(y_true: torch.Tensor, label_smoothing: float, target: float) -> torch.Tensor:
    """Move the fraction `label_smoothing` of each label to `target`."""
    return y_true * (1.0 - label_smoothing) + label_smoothing * target if label_smoothing else y_true


def _check_same_shape(name: str, y_true: torch.Tensor, y_pred: torch.Tensor) -> None:
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"{name} expects `y_true` and `y_pred` of the same shape. Received: y_true of shape "
            f"{format_shape(y_true.shape)}, y_pred of shape {format_shape(y_pred.shape)}"
        )


def _check_classes(name: str, y_pred: torch.Tensor, axis: Any) -> None:
    if isinstance(axis, bool):
        raise ValueError(f"`axis` of {name} must be an integer. Received: axis={axis!r}")
    if y_pred.shape[axis] == 1:
        warnings.warn(
            f"{name} of predictions of shape {format_shape(y_pred.shape)} compares one class only. For two "
            "classes in one output use 'binary_crossentropy'.",
            SyntaxWarning,
            stacklevel=3,
        )


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> torch.Tensor:
    """Mean of −y_true·log(y_pred) − (1 − y_true)·log(1 − y_pred) over `axis`.

    Args:
        y_true: labels in [0, 1].
        y_pred: probabilities of the same shape, or logits.
        from_logits: whether `y_pred` are logits.
        label_smoothing: fraction of each label moved to ½.
        axis: dimension of the mean.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> binary_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
        tensor([0.6931])
    """
    y_true, y_pred = as_tensors(y_true, y_pred)
    y_true = _smooth(y_true, label_smoothing, 0.5)
    return _binary_values(y_true, y_pred, from_logits).mean(axis)


def _binary_values(y_true: torch.Tensor, y_pred: torch.Tensor, from_logits: bool) -> torch.Tensor:
    _check_same_shape("binary_crossentropy", y_true, y_pred)
    logits = _sigmoid_logits(y_pred, from_logits)
    if logits is not None:
        return F.binary_cross_entropy_with_logits(logits, y_true, reduction="none")
    y_pred = _clip(y_pred)
    # Not F.binary_cross_entropy, which raises on NaN where a loss of NaN tells callbacks to stop.
    return -torch.lerp(torch.log1p(-y_pred), torch.log(y_pred), y_true)


@fused_mean_of(binary_crossentropy)
def _binary_crossentropy_mean(
    y_true: torch.Tensor,
    y_pred: torch.Tensor,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> torch.Tensor | None:
    logits = _sigmoid_logits(y_pred, from_logits)
    if logits is None or y_true.shape != logits.shape:
        return None
    return F.binary_cross_entropy_with_logits(logits, _smooth(y_true, label_smoothing, 0.5))


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> torch.Tensor:
    """−Σ y_true·log(y_pred) over the classes, y_pred scaled to the sum 1: `(B, …, C)` → `(B, …)`.

    Args:
        y_true: one-hot labels, or probabilities.
        y_pred: probabilities of the same shape, or logits.
        from_logits: whether `y_pred` are logits.
        label_smoothing: fraction of each label spread evenly over the classes.
        axis: dimension of the classes (label smoothing takes their number from the last one, as Keras does).

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> categorical_crossentropy([[0.0, 1.0]], [[0.75, 0.25]])
        tensor([1.3863])
    """
    y_true, y_pred = as_tensors(y_true, y_pred)
    _check_classes("categorical_crossentropy", y_pred, axis)
    _check_same_shape("categorical_crossentropy", y_true, y_pred)
    y_true = _smooth(y_true, label_smoothing, 1.0 / y_true.shape[-1])
    logits = _softmax_logits(y_pred, from_logits, axis)
    if logits is not None:
        log_probability = logits.log_softmax(axis)
    else:
        log_probability = _clip(y_pred / y_pred.sum(axis, keepdim=True)).log()
    return -(y_true * log_probability).sum(axis)


@fused_mean_of(categorical_crossentropy)
def _categorical_crossentropy_mean(
    y_true: torch.Tensor,
    y_pred: torch.Tensor,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> torch.Tensor | None:
    logits = _softmax_logits(y_pred, from_logits, axis)
    if logits is None or logits.ndim != 2 or axis not in (1, -1) or y_true.shape != logits.shape:
        return None
    if logits.shape[1] == 1:
        return None
    return F.cross_entropy(logits, y_true, label_smoothing=label_smoothing)


@takes_labels
def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> torch.Tensor:
    """−log of the probability of the true class, y_pred scaled to the sum 1: `(B, …, C)` → `(B, …)`.

    Args:
        y_true: class numbers 0 … C − 1, `(B, …)` or `(B, …, 1)`.
        y_pred: probabilities, or logits, with the classes along `axis`.
        from_logits: whether `y_pred` are logits.
        ignore_class: a class number whose samples give 0 and, by `_keras_mask`, are not averaged.
        axis: dimension of the classes.

    Raises:
        ValueError: the shapes do not fit.

    Example:
        >>> sparse_categorical_crossentropy([1], [[0.75, 0.25]])
        tensor([1.3863])

    Differs: `torch.nn.functional.cross_entropy` takes logits only, and its label −100 means "ignore".
    """
    labels, y_pred = as_tensors(y_true, y_pred, labels=True)
    labels = _class_numbers(labels, y_pred, axis)
    logits = _softmax_logits(y_pred, from_logits, axis)
    if logits is not None:
        losses = _sparse_values(logits, labels, ignore_class, axis)
    else:
        safe_labels = labels if ignore_class is None else labels.masked_fill(labels == ignore_class, 0)
        probability = y_pred.gather(axis, safe_labels.unsqueeze(axis)).squeeze(axis)
        losses = -_clip(probability / y_pred.sum(axis)).log()
    if ignore_class is not None:
        is_valid = labels != ignore_class
        losses = losses if logits is not None else losses.where(is_valid, 0.0)
        losses._keras_mask = is_valid  # type: ignore[attr-defined]
    return losses


def _class_numbers(labels: torch.Tensor, y_pred: torch.Tensor, axis: int) -> torch.Tensor:
    if labels.ndim == y_pred.ndim and labels.shape[axis] == 1:
        labels = labels.squeeze(axis)
    classes_last = axis == -1 or axis == y_pred.ndim - 1
    expected = y_pred.shape[:-1] if classes_last else y_pred.select(axis, 0).shape
    if labels.shape != expected:
        raise ValueError(
            "sparse_categorical_crossentropy expects one class number per prediction: `y_true` of shape "
            f"{format_shape(expected)}. One-hot labels need 'categorical_crossentropy'. Received: y_true of "
            f"shape {format_shape(labels.shape)}, y_pred of shape {format_shape(y_pred.shape)}, axis={axis}"
        )
    return labels.long()


def _sparse_values(
    logits: torch.Tensor, labels: torch.Tensor, ignore_class: int | None, axis: int
) -> torch.Tensor:
    ignore_index = IGNORE_NOTHING if ignore_class is None else ignore_class
    if logits.ndim == 1 or axis % logits.ndim == 1:
        return F.cross_entropy(logits, labels, ignore_index=ignore_index, reduction="none")
    rows = logits.movedim(axis, -1).flatten(0, -2)
    return F.cross_entropy(rows, labels.flatten(), ignore_index=ignore_index, reduction="none").view(
        labels.shape
    )


@fused_mean_of(sparse_categorical_crossentropy)
def _sparse_categorical_crossentropy_mean(
    y_true: torch.Tensor,
    y_pred: torch.Tensor,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> torch.Tensor | None:
    logits = _softmax_logits(y_pred, from_logits, axis)
    if logits is None or ignore_class is not None or axis not in (-1, logits.ndim - 1):
        return None
    labels = _class_numbers(y_true, y_pred, axis)
    if logits.ndim > 2:
        logits, labels = logits.flatten(0, -2), labels.flatten()
    return F.cross_entropy(logits, labels, ignore_index=IGNORE_NOTHING)


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> torch.Tensor:
    """Mean over `axis` of (1 − p)^γ × binary cross-entropy, p = y_true·y_pred + (1 − y_true)(1 − y_pred).

    Args:
        y_true: labels in [0, 1].
        y_pred: probabilities of the same shape, or logits.
        apply_class_balancing: whether to weight by α·y_true + (1 − α)(1 − y_true).
        alpha: weight α of the class 1.
        gamma: the focusing exponent γ; 0 gives the plain cross-entropy.
        from_logits: whether `y_pred` are logits.
        label_smoothing: fraction of each label moved to ½.
        axis: dimension of the mean.

    Source: Lin et al., 2017, *Focal loss for dense object detection*, arXiv:1708.02002, equation 5.
    """
    y_true, y_pred = as_tensors(y_true, y_pred)
    y_true = _smooth(y_true, label_smoothing, 0.5)
    losses = _binary_values(y_true, y_pred, from_logits)
    probability = y_pred.sigmoid() if from_logits else y_pred
    error = y_true + probability - 2.0 * y_true * probability
    losses = error.clamp_min(epsilon()).pow(gamma) * losses
    if apply_class_balancing:
        losses = (y_true * alpha + (1.0 - y_true) * (1.0 - alpha)) * losses
    return losses.mean(axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float | list[float] | tuple[float, ...] = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> torch.Tensor:
    """−Σ α (1 − y_pred)^γ y_true·log(y_pred) over the classes, y_pred scaled to the sum 1.

    Args:
        y_true: one-hot labels, or probabilities.
        y_pred: probabilities, or logits.
        alpha: weight α of all classes, or one weight per class.
        gamma: the focusing exponent γ; 0 gives α times the plain cross-entropy.
        from_logits: whether `y_pred` are logits.
        label_smoothing: fraction of each label spread evenly over the classes.
        axis: dimension of the classes (label smoothing takes their number from the last one, as Keras does).

    Source: Lin et al., 2017, *Focal loss for dense object detection*, arXiv:1708.02002, equation 5.
    """
    y_true, y_pred = as_tensors(y_true, y_pred)
    _check_classes("categorical_focal_crossentropy", y_pred, axis)
    y_true = _smooth(y_true, label_smoothing, 1.0 / y_true.shape[-1])
    logits = _softmax_logits(y_pred, from_logits, axis)
    if logits is not None:
        log_probability = logits.log_softmax(axis)
        probability = log_probability.exp()
    else:
        probability = _clip(y_pred / y_pred.sum(axis, keepdim=True))
        log_probability = probability.log()
    focus = (1.0 - probability).clamp_min(epsilon()).pow(gamma)
    weights = (
        _class_weights(tuple(alpha), focus.dtype, focus.device) if isinstance(alpha, (list, tuple)) else alpha
    )
    return -(weights * focus * y_true * log_probability).sum(axis)


@functools.lru_cache(maxsize=32)
def _class_weights(weights: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    return torch.tensor(weights, dtype=dtype, device=device)


@takes_labels
def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> torch.Tensor:
    """(1 − p^q) / q with the probability p of the true class: robust against wrong labels.

    Args:
        y_true: class numbers 0 … C − 1, `(B, …)` or `(B, …, 1)`.
        y_pred: probabilities `(B, …, C)`.
        q: between 0 (towards the cross-entropy) and 1 (towards the mean absolute error).

    Source: Zhang and Sabuncu, 2018, arXiv:1805.07836, equation 6.
    """
    labels, y_pred = as_tensors(y_true, y_pred, labels=True)
    labels = _class_numbers(labels, y_pred, -1).unsqueeze(-1)
    logits = _softmax_logits(y_pred, False, -1)
    if logits is not None:
        power = (q * logits.log_softmax(-1).gather(-1, labels)).exp()
    else:
        power = y_pred.gather(-1, labels).pow(q)
    return (1.0 - power.squeeze(-1)) / q


class BinaryCrossentropy(FunctionLoss):
    """Mean of −y_true·log(y_pred) − (1 − y_true)·log(1 − y_pred): for 0/1 labels, a sigmoid output for each.

    Args:
        from_logits: whether `y_pred` are logits instead of probabilities.
        label_smoothing: fraction of each label moved to ½.
        axis: dimension of the mean for each sample.
        reduction, name, dtype: as for `Loss`.

    Example:
        >>> float(BinaryCrossentropy(from_logits=True)([[0.0], [1.0]], [[-1e3], [1e3]]))
        0.0
    """

    from_logits: bool
    label_smoothing: float
    axis: int

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalCrossentropy(FunctionLoss):
    """Mean of −Σ y_true·log(y_pred): for one-hot labels and a softmax output.

    Args:
        from_logits: whether `y_pred` are logits instead of probabilities.
        label_smoothing: fraction of each label spread evenly over the classes.
        axis: dimension of the classes.
        reduction, name, dtype: as for `Loss`.
    """

    from_logits: bool
    label_smoothing: float
    axis: int

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(FunctionLoss):
    """Mean of −log of the probability of the true class: for class numbers and a softmax output.

    Args:
        from_logits: whether `y_pred` are logits instead of probabilities.
        ignore_class: a class number whose samples are left out.
        reduction, name, dtype: as for `Loss`.
        axis: dimension of the classes.

    Example:
        >>> float(SparseCategoricalCrossentropy(from_logits=True)([0, 1], [[100.0, 0.0], [0.0, 100.0]]))
        0.0
    """

    from_logits: bool
    ignore_class: int | None
    axis: int

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )


class BinaryFocalCrossentropy(FunctionLoss):
    """Binary cross-entropy times (1 − p)^γ, p the probability of the true label: easy samples count less.

    Args:
        apply_class_balancing: whether to weight by α·y_true + (1 − α)(1 − y_true).
        alpha: weight α of the class 1.
        gamma: the focusing exponent γ.
        from_logits: whether `y_pred` are logits instead of probabilities.
        label_smoothing: fraction of each label moved to ½.
        axis: dimension of the mean for each sample.
        reduction, name, dtype: as for `Loss`.

    Source: Lin et al., 2017, *Focal loss for dense object detection*, arXiv:1708.02002.
    """

    apply_class_balancing: bool
    alpha: float
    gamma: float
    from_logits: bool
    label_smoothing: float
    axis: int

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_focal_crossentropy,
            reduction,
            name,
            dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalFocalCrossentropy(FunctionLoss):
    """Categorical cross-entropy times α(1 − y_pred)^γ, so that easy samples count less.

    Args:
        alpha: weight α of all classes, or one weight per class.
        gamma: the focusing exponent γ.
        from_logits: whether `y_pred` are logits instead of probabilities.
        label_smoothing: fraction of each label spread evenly over the classes.
        axis: dimension of the classes.
        reduction, name, dtype: as for `Loss`.

    Source: Lin et al., 2017, *Focal loss for dense object detection*, arXiv:1708.02002.
    """

    alpha: float
    gamma: float
    from_logits: bool
    label_smoothing: float
    axis: int

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_focal_crossentropy,
            reduction,
            name,
            dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalGeneralizedCrossEntropy(FunctionLoss):
    """Mean of (1 − p^q) / q with the probability p of the true class: robust against wrong labels.

    Args:
        q: between 0 (towards the cross-entropy) and 1 (towards the mean absolute error), both excluded.
        reduction, name, dtype: as for `Loss`.

    Raises:
        ValueError: `q` is not between 0 and 1.

    Source: Zhang and Sabuncu, 2018, arXiv:1805.07836, equation 6.
    """

    q: float

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        if not 0 < q < 1:
            raise ValueError(f"`q` must lie between 0 and 1, both excluded. Received: q={q!r}")
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=q)
