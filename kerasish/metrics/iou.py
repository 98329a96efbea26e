"""Intersection over union of classes, from a confusion matrix."""

# C classes

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import torch

from kerasish.errors import received
from kerasish.losses.loss import to_tensor
from kerasish.metrics.metric import Metric, divide_no_nan
from kerasish.metrics.reduction import broadcast_weights


class IoU(Metric):
    """Mean intersection over union TP / (TP + FP + FN) of some classes, those that never occur left out.

    Args:
        num_classes: C.
        target_class_ids: the classes to average.
        name: key in the logs.
        dtype: type of the confusion matrix; int32 by default.
        ignore_class: a class number; samples that truly have it do not count.
        sparse_y_true, sparse_y_pred: whether they hold class numbers, else scores.
        axis: dimension of the scores.

    Raises:
        ValueError: a target class is not in 0 … C − 1.

    Example:
        >>> round(float(IoU(num_classes=2, target_class_ids=[0])([0, 0, 1, 1], [0, 1, 0, 1])), 4)
        0.3333
    """

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(name=name, dtype=dtype or "int32")
        ids = list(target_class_ids)
        if not ids or not all(0 <= i < num_classes for i in ids):
            raise ValueError(
                f"`target_class_ids` must be class numbers in 0 … {num_classes - 1}, at least one. "
                f"Received: target_class_ids={target_class_ids!r}"
            )
        self.num_classes = num_classes
        self.target_class_ids = ids
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.total_cm = self.add_variable(
            (num_classes, num_classes), "zeros", dtype=self.dtype, name="total_confusion_matrix"
        )
        self._ids = torch.as_tensor(ids, device=self.total_cm.device)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in true and predicted classes, as numbers or as scores along `axis`.

        Classes outside 0 … C − 1 do not count. Weights are one per sample or per class number; in the default
        integer type of the matrix their fractions are cut off, with a warning.

        Raises:
            ValueError: `y_true` and `y_pred` have different sizes.
        """
        device = self.total_cm.device
        true = self._classes(to_tensor(y_true, device=device), self.sparse_y_true)
        predicted = self._classes(to_tensor(y_pred, device=device), self.sparse_y_pred)
        if true.numel() != predicted.numel():
            raise ValueError(
                f"{self.name}: `y_true` and `y_pred` must have one class for each other. "
                f"Received: y_true {received(y_true)}, y_pred {received(y_pred)}"
            )
        self._add(true, predicted, sample_weight)

    def _classes(self, values: torch.Tensor, is_sparse: bool) -> torch.Tensor:
        return values.long() if is_sparse else values.argmax(self.axis)

    def _add(self, true: torch.Tensor, predicted: torch.Tensor, sample_weight: Any) -> None:
        kind, size = self.total_cm.dtype, self.num_classes
        counted = torch.ones((), dtype=kind, device=true.device).expand(true.shape)
        if sample_weight is not None:
            weights = to_tensor(sample_weight, device=true.device)
            if weights.is_floating_point() and not kind.is_floating_point:
                warnings.warn(
                    f"{self.name} counts in {self.dtype}, which cuts the fractions of `sample_weight` off. "
                    f"For such weights make the metric with dtype='float32'.",
                    stacklevel=4,
                )
            counted = broadcast_weights(weights, true.shape).to(kind)
        true, predicted = true.reshape(-1), predicted.reshape(-1)
        is_ignored = (true < 0) | (true >= size) | (predicted < 0) | (predicted >= size)
        if self.ignore_class is not None:
            is_ignored |= true == self.ignore_class
        cell = (true * size + predicted).masked_fill(is_ignored, size * size)
        cells = torch.zeros(size * size + 1, dtype=kind, device=true.device).scatter_add_(
            0, cell, counted.reshape(-1)
        )
        self.total_cm.add_(cells[:-1].unflatten(0, (size, size)))

    def result(self) -> torch.Tensor:
        """The mean IoU of the target classes; 0 where none of them occurred."""
        matrix = self.total_cm if self.total_cm.is_floating_point() else self.total_cm.float()
        right = matrix.diagonal()
        union = matrix.sum(0) + matrix.sum(1) - right
        right, union = right.index_select(0, self._ids), union.index_select(0, self._ids)
        return divide_no_nan(divide_no_nan(right, union).sum(), (union > 0).sum())

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "target_class_ids": self.target_class_ids,
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }


class BinaryIoU(IoU):
    """Mean IoU of the classes 0 and 1, a prediction being 1 from `threshold` on.

    Args:
        target_class_ids: the classes to average, out of 0 and 1.
        threshold: predictions `>= threshold` mean 1.
        name: key in the logs.
        dtype: type of the confusion matrix; int32 by default.

    Example:
        >>> round(float(BinaryIoU(threshold=0.3)([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])), 4)
        0.3333
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in labels 0 or 1 and predictions; weights are one per sample or per prediction."""
        super().update_state(
            y_true, to_tensor(y_pred, device=self.total_cm.device) >= self.threshold, sample_weight
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        arguments = {"target_class_ids": self.target_class_ids, "threshold": self.threshold}
        return {**Metric.get_config(self), **arguments}


class MeanIoU(IoU):
    """Mean IoU of all classes that occur; the arguments are those of `IoU`.

    Example:
        >>> round(float(MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1])), 4)
        0.3333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return _without(super().get_config(), "target_class_ids")


class OneHotIoU(IoU):
    """Mean IoU of some classes with one-hot labels; the arguments are those of `IoU`.

    Example:
        >>> metric = OneHotIoU(num_classes=3, target_class_ids=[0, 2])
        >>> y_pred = [[0.2, 0.3, 0.5], [0.1, 0.2, 0.7], [0.5, 0.3, 0.1], [0.1, 0.4, 0.5]]
        >>> round(float(metric([[0, 0, 1], [1, 0, 0], [0, 1, 0], [1, 0, 0]], y_pred)), 4)
        0.1667
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return _without(super().get_config(), "sparse_y_true")


class OneHotMeanIoU(MeanIoU):
    """Mean IoU of all classes that occur with one-hot labels; the arguments are those of `IoU`."""

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return _without(super().get_config(), "sparse_y_true")


def _without(config: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name != key}
