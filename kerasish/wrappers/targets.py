"""Targets as scikit-learn has them ⇄ what the outputs of a network hold."""

# N records, C classes, L labels or target columns, U units of an output

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.multiclass import type_of_target

from kerasish import losses, tree
from kerasish.errors import format_shape
from kerasish.losses import LossFunctionWrapper
from kerasish.training.objectives import TorchLoss

TAKE_NUMBERS = (
    losses.sparse_categorical_crossentropy,
    losses.categorical_generalized_cross_entropy,
    torch.nn.CrossEntropyLoss,
    torch.nn.NLLLoss,
    torch.nn.MultiMarginLoss,
)
BINARY = (
    losses.binary_crossentropy,
    losses.binary_focal_crossentropy,
    torch.nn.BCELoss,
    torch.nn.BCEWithLogitsLoss,
)
MARGINS = (losses.hinge, losses.squared_hinge, losses.categorical_hinge, torch.nn.MultiMarginLoss)
LOGITS = (torch.nn.CrossEntropyLoss, torch.nn.BCEWithLogitsLoss)
LOG_PROBABILITIES = (torch.nn.NLLLoss,)


@dataclass(frozen=True)
class Head:
    """One output of a network, as its loss reads it.

    Args:
        units: U.
        takes_numbers: whether targets are class numbers; None where the loss is not known.
        is_binary: whether every unit answers a question of its own.
        link: what makes probabilities of outputs: `"identity"`, `"sigmoid"`, `"softmax"`, `"exp"`; or
            `"margin"`, where nothing does.
    """

    units: int
    takes_numbers: bool | None
    is_binary: bool
    link: str

    @classmethod
    def of(cls, shape: tuple, loss: Any) -> Head:
        """The head for the shape of an output and the loss on it."""
        units = int(shape[-1]) if len(shape) > 1 else 1
        kind = type(loss.module) if isinstance(loss, TorchLoss) else getattr(loss, "fn", None)
        is_known = kind is not None and (isinstance(kind, type) or kind.__module__.startswith("kerasish."))
        from_logits = isinstance(loss, LossFunctionWrapper) and loss._fn_kwargs.get("from_logits", False)
        link = "identity"
        if kind in MARGINS:
            link = "margin"
        elif kind in LOG_PROBABILITIES:
            link = "exp"
        elif from_logits or kind in LOGITS:
            link = "sigmoid" if kind in BINARY or units == 1 else "softmax"
        return cls(units, kind in TAKE_NUMBERS if is_known else None, kind in BINARY, link)

    def probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """Outputs (N, U) → probabilities (N, U)."""
        if self.link == "margin":
            raise AttributeError(
                "predict_proba is not available: a hinge loss gives no probabilities. Use "
                "decision_function, or sklearn.calibration.CalibratedClassifierCV."
            )
        if self.link == "identity":
            return outputs
        if self.link == "exp":
            return np.exp(outputs)
        tensor = torch.from_numpy(outputs)
        return (torch.sigmoid(tensor) if self.link == "sigmoid" else torch.softmax(tensor, dim=-1)).numpy()


def heads_of(outputs: Any, compiled_loss: Any) -> list[Head]:
    """The heads of a model, of its outputs (or symbolic outputs) and its compiled loss."""
    flat = tree.flatten(outputs)
    if compiled_loss is None:
        return [Head.of(tuple(output.shape), None) for output in flat]
    compiled_loss.build(outputs)
    return [Head.of(tuple(x.shape), loss) for x, loss in zip(flat, compiled_loss.losses, strict=True)]


class Column:
    """One target column of class labels.

    Args:
        labels: the labels, or all classes.
        numbers_by_default: whether a loss of unknown kind gets class numbers, rather than one-hot rows.
    """

    def __init__(self, labels: Any, numbers_by_default: bool = True) -> None:
        self.encoder = LabelEncoder().fit(labels)
        self.numbers_by_default = numbers_by_default
        self.head: Head | None = None

    @property
    def classes(self) -> np.ndarray:
        """The labels in their order, shape (C,)."""
        return self.encoder.classes_

    def match(self, head: Head) -> None:
        """Take the head that predicts this column.

        Raises:
            ValueError: it has too few units.
        """
        count = len(self.classes)
        if head.units < count and not (head.units == 1 and count == 2):
            raise ValueError(
                f"The model's output has {head.units} unit(s), but y has {count} classes: give its last layer "
                f"{count} units and activation='softmax'" + (", or one and 'sigmoid'." if count == 2 else ".")
            )
        self.head = head

    def encode(self, labels: Any) -> np.ndarray:
        """Labels (N,) → class numbers (N,) or one-hot rows (N, U)."""
        assert self.head is not None
        numbers = self.encoder.transform(labels)
        if self.head.units == 1:
            return numbers.astype(np.float32)
        takes_numbers = self.head.takes_numbers
        if self.numbers_by_default if takes_numbers is None else takes_numbers:
            return numbers
        return np.eye(self.head.units, dtype=np.float32)[numbers]

    def decode(self, outputs: np.ndarray) -> np.ndarray:
        """Outputs (N, U) → the most probable labels (N,)."""
        assert self.head is not None
        if self.head.units > 1:
            return self.classes[outputs[:, : len(self.classes)].argmax(axis=1)]
        scores = outputs if self.head.link == "margin" else self.head.probabilities(outputs) - 0.5
        return self.classes[(scores.reshape(-1) > 0).astype(np.intp)]

    def probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """Outputs (N, U) → probabilities (N, C)."""
        assert self.head is not None
        values = self.head.probabilities(outputs)
        if self.head.units == 1:
            positive = values.reshape(-1)
            return np.column_stack([1 - positive, positive])
        if self.head.is_binary or self.head.units > len(self.classes):
            values = values[:, : len(self.classes)]
            values = values / np.maximum(values.sum(axis=1, keepdims=True), np.finfo(values.dtype).tiny)
        return values

    def scores(self, outputs: np.ndarray) -> np.ndarray:
        """Outputs (N, U) → log-odds (N,) of two classes, log-probabilities (N, C) of more; or margins."""
        assert self.head is not None
        if self.head.link == "margin":
            values = outputs[:, : len(self.classes)].astype(np.float64)
            if self.head.units == 1:
                return values.reshape(-1)
            return values[:, 1] - values[:, 0] if len(self.classes) == 2 else values
        values = self.probabilities(outputs)
        return log_odds(values[:, 1]) if values.shape[1] == 2 else np.log(_inside(values))


def log_odds(probabilities: np.ndarray) -> np.ndarray:
    """log(p / (1 − p)), finite for every p in [0, 1]."""
    inside = _inside(probabilities)
    return np.log(inside) - np.log1p(-inside)


def _inside(probabilities: np.ndarray) -> np.ndarray:
    single = np.finfo(np.float32)
    return np.clip(probabilities.astype(np.float64), float(single.tiny), 1 - float(single.eps) / 4)


class ClassEncoder:
    """Class labels of any kind that scikit-learn knows ⇄ targets and outputs of a network.

    Args:
        classes: all classes, where the first data may lack some.
        numbers_by_default: whether a loss of unknown kind gets class numbers, rather than one-hot rows.
    """

    def __init__(self, classes: Any = None, numbers_by_default: bool = True) -> None:
        self.given_classes = classes
        self.numbers_by_default = numbers_by_default

    def fit(self, y: np.ndarray) -> ClassEncoder:
        """Find the classes."""
        self.target_type = type_of_target(y)
        self.dtype = y.dtype
        self.has_one_label_each = y.ndim == 2 and bool((np.count_nonzero(y, axis=1) == 1).all())
        self.heads: list[Head] = []
        if self.target_type == "multilabel-indicator":
            self.columns = []
            self.count = y.shape[1]
            return self
        targets = y.T if self.is_multioutput else [y]
        known = self.given_classes if self.is_multioutput else [self.given_classes]
        known = targets if self.given_classes is None else known
        self.columns = [Column(labels, self.numbers_by_default) for labels in known]
        for column in self.columns:
            if len(column.classes) == 1:
                raise ValueError(
                    "Classifier can't train when only one class is present (records whose sample_weight is 0 do "
                    f"not count). Received: y with the class {column.classes[0]!r}"
                )
        self.count = len(self.columns)
        return self

    @property
    def classes(self) -> Any:
        """The classes, or a list of them for several target columns; column numbers for label matrices."""
        if self.target_type == "multilabel-indicator":
            return np.arange(self.count)
        classes = [column.classes for column in self.columns]
        return classes if self.is_multioutput else classes[0]

    @property
    def is_multioutput(self) -> bool:
        """Whether there are several target columns of classes."""
        return self.target_type == "multiclass-multioutput"

    def get_metadata(self) -> dict[str, Any]:
        """What a builder may want to know."""
        classes = self.classes
        outputs = self.count if self.is_multioutput else 1
        return {
            "classes_": classes,
            "n_classes_": [len(c) for c in classes] if self.is_multioutput else len(classes),
            "n_outputs_": outputs,
            "n_outputs_expected_": outputs,
        }

    def match(self, heads: list[Head]) -> None:
        """Take the heads of the model that was built.

        Raises:
            ValueError: their number or their units do not fit the targets.
        """
        self.heads = heads
        if self.target_type == "multilabel-indicator":
            self._match_matrix(heads)
            return
        if len(heads) != len(self.columns):
            raise ValueError(
                f"y has {len(self.columns)} target column(s) of classes, but the model has {len(heads)} "
                "output(s): it needs one for each column."
            )
        for column, head in zip(self.columns, heads, strict=True):
            column.match(head)

    def _match_matrix(self, heads: list[Head]) -> None:
        """A matrix of zeros and ones: one-hot rows or labels for one head, or a column for each head."""
        self.columns = []
        if len(heads) == self.count > 1:
            self.columns = [Column([0, 1], self.numbers_by_default) for _ in heads]
        elif len(heads) > 1 or heads[0].units != self.count:
            raise ValueError(
                f"y has {self.count} columns of 0 and 1, but the model has outputs of {[h.units for h in heads]} "
                f"units: give it one output of {self.count} units, or {self.count} outputs."
            )
        elif self.has_one_label_each and not heads[0].is_binary:
            self.columns = [Column(range(self.count), self.numbers_by_default)]
        for column, head in zip(self.columns, heads, strict=bool(self.columns)):
            column.match(head)

    @property
    def _is_one_hot(self) -> bool:
        return self.target_type == "multilabel-indicator" and len(self.columns) == 1

    def transform(self, y: np.ndarray) -> Any:
        """Labels → targets of the network.

        Raises:
            ValueError: a label was not there when the encoder was fitted.
        """
        if self.target_type == "multilabel-indicator" and y.shape[1:] != (self.count,):
            raise ValueError(
                f"y must have {self.count} columns. Received: y of shape {format_shape(y.shape)}"
            )
        if not self.columns:
            return y.astype(np.float32)
        targets = [y.argmax(axis=1)] if self._is_one_hot else y.T if y.ndim == 2 else [y]
        if len(targets) != len(self.columns):
            raise ValueError(
                f"y must have {len(self.columns)} columns. Received: y of shape {format_shape(y.shape)}"
            )
        encoded = [column.encode(labels) for column, labels in zip(self.columns, targets, strict=True)]
        return encoded[0] if len(encoded) == 1 else encoded

    def inverse_transform(self, outputs: Any, return_proba: bool = False) -> Any:
        """Outputs of the network → labels, or their probabilities."""
        flat = _rows(outputs)
        if not self.columns:
            probabilities = self._label_probabilities(flat[0])
            return probabilities if return_proba else self._as_labels(probabilities > 0.5)
        if return_proba:
            return self._per_column(Column.probabilities, flat)
        labels = [column.decode(x) for column, x in zip(self.columns, flat, strict=True)]
        if self._is_one_hot:
            return self._as_labels(np.eye(self.count)[labels[0]])
        if len(labels) == 1:
            return labels[0]
        return np.stack(labels, axis=1).astype(self.dtype)

    def scores(self, outputs: Any) -> Any:
        """Outputs of the network → what `decision_function` gives."""
        flat = _rows(outputs)
        if self.columns:
            scores = self._per_column(Column.scores, flat)
            is_matrix = self.target_type == "multilabel-indicator" and len(self.columns) > 1
            return np.stack(scores, axis=1) if is_matrix else scores
        if self.heads[0].link == "margin":
            return flat[0].astype(np.float64)
        return log_odds(self._label_probabilities(flat[0]))

    def _label_probabilities(self, outputs: np.ndarray) -> np.ndarray:
        head = self.heads[0]
        return (outputs > 0) * 1.0 if head.link == "margin" else head.probabilities(outputs)

    def _as_labels(self, values: np.ndarray) -> np.ndarray:
        return values.astype(self.dtype)

    def _per_column(self, function: Any, flat: list[np.ndarray]) -> Any:
        values = [function(column, outputs) for column, outputs in zip(self.columns, flat, strict=True)]
        return values[0] if len(values) == 1 else values


class ValueEncoder:
    """Numbers to predict ⇄ targets and outputs of a network with one output, or one for each column."""

    def fit(self, y: np.ndarray | None) -> ValueEncoder:
        """Keep the shape and type of the targets."""
        self.shape = None if y is None else y.shape[1:]
        is_float32 = y is not None and y.dtype == np.float32
        self.dtype = np.float32 if is_float32 else np.float64
        self.heads: list[Head] = []
        return self

    @property
    def count(self) -> int:
        """Number of target columns."""
        return self.shape[0] if self.shape else 1

    def get_metadata(self) -> dict[str, Any]:
        """What a builder may want to know."""
        return {"n_outputs_": self.count, "n_outputs_expected_": 1}

    def match(self, heads: list[Head]) -> None:
        """Take the heads of the model that was built.

        Raises:
            ValueError: they do not give one number for each target column.
        """
        self.heads = heads
        units = [head.units for head in heads]
        if self.shape is not None and units != [self.count] and units != [1] * self.count:
            raise ValueError(
                f"y has {self.count} column(s), but the model has outputs of {units} units: give it one output "
                f"of {self.count} unit(s)" + (f", or {self.count} outputs." if self.count > 1 else ".")
            )

    def transform(self, y: Any) -> Any:
        """Targets (N,) or (N, L) → the same, or a list of columns for several outputs."""
        if y is None:
            return None
        if y.shape[1:] != self.shape:
            raise ValueError(
                f"y must have {self.count} column(s), as in the first fit. "
                f"Received: y of shape {format_shape(y.shape)}"
            )
        return list(y.T) if len(self.heads) > 1 else y

    def inverse_transform(self, outputs: Any) -> np.ndarray:
        """Outputs of the network → predictions in the shape of the targets."""
        values = np.concatenate(_rows(outputs), axis=1).astype(self.dtype)
        return values.reshape(len(values), *(self.shape or ()))


class Unchanged:
    """Features or targets that the network takes as they are."""

    def fit(self, x: Any) -> Unchanged:
        """There is nothing to learn."""
        return self

    def transform(self, x: Any) -> Any:
        """The same."""
        return x

    def inverse_transform(self, outputs: Any) -> Any:
        """The same."""
        return outputs


def _rows(outputs: Any) -> list[np.ndarray]:
    return [x.reshape(len(x), -1) for x in tree.flatten(outputs)]
