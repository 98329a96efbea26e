"""Accuracies: the fraction of predictions that are right."""

# B batch, T further dimensions, C classes

from __future__ import annotations

from typing import Any

import torch

from kerasish.config import floatx
from kerasish.dtypes import torch_dtype
from kerasish.errors import format_shape
from kerasish.losses.loss import match_ranks, to_tensor
from kerasish.metrics.reduction import FunctionMetric


def _pair(y_true: Any, y_pred: Any) -> tuple[torch.Tensor, torch.Tensor]:
    if isinstance(y_true, torch.Tensor) and isinstance(y_pred, torch.Tensor):
        return y_true, y_pred
    y_pred = to_tensor(y_pred, device=getattr(y_true, "device", None))
    return to_tensor(y_true, device=y_pred.device), y_pred


def _as_float(matches: torch.Tensor) -> torch.Tensor:
    return matches.to(torch_dtype(floatx()))


def _equal(y_true: Any, y_pred: Any) -> torch.Tensor:
    y_true, y_pred = match_ranks(*_pair(y_true, y_pred))
    return y_true.to(y_pred.dtype) == y_pred


def _binary(y_true: Any, y_pred: Any, threshold: float = 0.5) -> torch.Tensor:
    y_true, y_pred = match_ranks(*_pair(y_true, y_pred))
    return y_true == (y_pred > threshold)


def _categorical(y_true: Any, y_pred: Any) -> torch.Tensor:
    y_true, y_pred = _pair(y_true, y_pred)
    return y_true.argmax(-1) == y_pred.argmax(-1)


def _sparse(y_true: Any, y_pred: Any) -> torch.Tensor:
    y_true, y_pred = _pair(y_true, y_pred)
    return _like("sparse_categorical_accuracy", y_true, y_pred.shape[:-1]) == y_pred.argmax(-1)


def _like(name: str, labels: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Bring class numbers to the shape of the predictions without their last dimension."""
    if labels.shape == shape:
        return labels
    if [size for size in labels.shape if size != 1] != [size for size in shape if size != 1]:
        raise ValueError(
            f"{name}: expected one class number per prediction, `y_true` of shape {format_shape(shape)}. "
            f"Received: y_true of shape {format_shape(labels.shape)}"
        )
    return labels.reshape(shape)


def _in_top_k(labels: torch.Tensor, scores: torch.Tensor, k: int) -> torch.Tensor:
    smallest = scores.topk(min(k, scores.shape[-1])).values[..., -1]
    known = labels.clamp(0, scores.shape[-1] - 1)
    return (scores.gather(-1, known.unsqueeze(-1)).squeeze(-1) >= smallest) & (known == labels)


def _top_k(y_true: Any, y_pred: Any, k: int = 5) -> torch.Tensor:
    y_true, y_pred = _pair(y_true, y_pred)
    return _in_top_k(y_true.argmax(-1), y_pred, k)


def _sparse_top_k(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> torch.Tensor:
    y_true, y_pred = _pair(y_true, y_pred)
    labels = _like("sparse_top_k_categorical_accuracy", y_true, y_pred.shape[:-1]).long()
    if from_sorted_ids:
        return (labels.unsqueeze(-1) == y_pred[..., :k]).any(-1)
    return _in_top_k(labels, y_pred, k)


def accuracy(y_true: Any, y_pred: Any) -> torch.Tensor:
    """1 where `y_pred` equals `y_true`, else 0, in their shape.

    Example:
        >>> accuracy([1, 2, 3], [1, 2, 4])
        tensor([1., 1., 0.])
    """
    return _as_float(_equal(y_true, y_pred))


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> torch.Tensor:
    """1 where `y_pred > threshold` says what the label 0 or 1 says, else 0, in their shape.

    Example:
        >>> binary_accuracy([1, 0, 1], [0.9, 0.5, 0.2])
        tensor([1., 1., 0.])
    """
    return _as_float(_binary(y_true, y_pred, threshold))


def categorical_accuracy(y_true: Any, y_pred: Any) -> torch.Tensor:
    """1 where one-hot labels and predictions have the largest entry in one place: `(B, …, C)` → `(B, …)`."""
    return _as_float(_categorical(y_true, y_pred))


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> torch.Tensor:
    """1 where the largest of C predictions is at the class number `y_true`: `(B, …, C)` → `(B, …)`.

    Args:
        y_true: class numbers, `(B, …)` or `(B, …, 1)`.
        y_pred: probabilities or logits, `(B, …, C)`.

    Raises:
        ValueError: not one class number per prediction.

    Example:
        >>> sparse_categorical_accuracy([2, 1], [[0.1, 0.6, 0.3], [0.05, 0.95, 0.0]])
        tensor([0., 1.])
    """
    return _as_float(_sparse(y_true, y_pred))


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> torch.Tensor:
    """1 where the class of the one-hot label is among the `k` largest predictions: `(B, …, C)` → `(B, …)`.

    Ties with the k-th largest count as among them; with k > C every class is.
    """
    return _as_float(_top_k(y_true, y_pred, k))


def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> torch.Tensor:
    """1 where the class number `y_true` is among the `k` largest predictions: `(B, …, C)` → `(B, …)`.

    Args:
        y_true: class numbers, `(B, …)` or `(B, …, 1)`; one that is no class is never among them.
        y_pred: scores of the classes, or class numbers sorted by score.
        k: how many predictions count; ties with the k-th largest do too.
        from_sorted_ids: whether `y_pred` holds sorted class numbers.

    Raises:
        ValueError: not one class number per prediction.
    """
    return _as_float(_sparse_top_k(y_true, y_pred, k, from_sorted_ids))


class Accuracy(FunctionMetric):
    """Fraction of predictions equal to the target.

    Example:
        >>> float(Accuracy()([1, 2, 3, 4], [0, 2, 3, 4]))
        0.75
    """

    _direction = "up"

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(_equal, name, dtype)


class BinaryAccuracy(FunctionMetric):
    """Fraction of labels 0 or 1 that `y_pred > threshold` gives rightly.

    Args:
        name: key in the logs.
        dtype: type of the sums.
        threshold: predictions above it mean 1.
    """

    _direction = "up"

    def __init__(self, name: str = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(_binary, name, dtype, threshold=threshold)


class CategoricalAccuracy(FunctionMetric):
    """Fraction of one-hot labels whose class has the largest prediction."""

    _direction = "up"

    def __init__(self, name: str = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(_categorical, name, dtype)


class SparseCategoricalAccuracy(FunctionMetric):
    """Fraction of class numbers that have the largest prediction.

    Example:
        >>> float(SparseCategoricalAccuracy()([[2], [1]], [[0.1, 0.6, 0.3], [0.05, 0.95, 0.0]]))
        0.5
    """

    _direction = "up"

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(_sparse, name, dtype)


class TopKCategoricalAccuracy(FunctionMetric):
    """Fraction of one-hot labels whose class is among the `k` largest predictions."""

    _direction = "up"

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(_top_k, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(FunctionMetric):
    """Fraction of class numbers that are among the `k` largest predictions.

    Args:
        k: how many predictions count.
        name: key in the logs.
        dtype: type of the sums.
        from_sorted_ids: whether the predictions are class numbers sorted by score.
    """

    _direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(_sparse_top_k, name, dtype, k=k, from_sorted_ids=from_sorted_ids)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric; as in Keras, without a False `from_sorted_ids`."""
        config = super().get_config()
        if not self._fn_kwargs["from_sorted_ids"]:
            del config["from_sorted_ids"]
        return config
