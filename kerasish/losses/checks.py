"""Do targets, outputs and loss fit together? Asked once per `fit`: losses do not look at values."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from kerasish.errors import format_shape
from kerasish.losses import crossentropy, distribution, margin, regression, segmentation
from kerasish.losses import get as get_loss
from kerasish.losses.loss import Loss, LossFunctionWrapper

SPARSE = (crossentropy.sparse_categorical_crossentropy, crossentropy.categorical_generalized_cross_entropy)
CATEGORICAL = (
    crossentropy.categorical_crossentropy,
    crossentropy.categorical_focal_crossentropy,
    margin.categorical_hinge,
)
BINARY = (crossentropy.binary_crossentropy, crossentropy.binary_focal_crossentropy)
ELEMENTWISE = (
    regression.mean_squared_error,
    regression.mean_absolute_error,
    regression.mean_absolute_percentage_error,
    regression.mean_squared_logarithmic_error,
    regression.huber,
    regression.log_cosh,
    regression.cosine_similarity,
    distribution.kl_divergence,
    distribution.poisson,
    margin.hinge,
    margin.squared_hinge,
    segmentation.dice,
    segmentation.tversky,
)

WHICH_FITS = (
    "Which cross-entropy fits: class numbers 0 … C − 1 and C softmax outputs: "
    "'sparse_categorical_crossentropy'; one-hot labels and C softmax outputs: 'categorical_crossentropy'; "
    "labels 0 or 1 and one sigmoid output for each: 'binary_crossentropy'."
)


def check_targets(loss: Any, y_true: Any, y_pred_shape: Any) -> None:
    """Raise where the targets cannot belong to a model of that output shape under that loss.

    Args:
        loss: a loss object, a loss function, or the name of one; losses from elsewhere are not checked.
        y_true: all targets, or a batch, as a NumPy array or CPU tensor; other kinds are not checked.
        y_pred_shape: shape of the predictions, None for unknown sizes; the first, the batch's, is ignored.

    Raises:
        ValueError: labels out of range, labels of another cross-entropy, or shapes that do not fit.
    """
    function, arguments = _function_of(loss)
    values = _host_array(y_true)
    if function is None or values is None or y_pred_shape is None or len(y_pred_shape) == 0:
        return
    check = _Check(function.__name__, values, tuple(y_pred_shape), arguments)
    if function in SPARSE:
        check.sparse()
    elif function in CATEGORICAL:
        check.categorical()
    elif function in BINARY:
        check.binary()
    elif function in ELEMENTWISE:
        check.elementwise()


def _function_of(loss: Any) -> tuple[Any, dict[str, Any]]:
    """The loss function behind a loss, with its arguments, or None."""
    if isinstance(loss, str):
        loss = get_loss(loss)
    if isinstance(loss, LossFunctionWrapper):
        is_plain = type(loss).call is LossFunctionWrapper.call
        return (loss.fn if is_plain else None), loss._fn_kwargs
    return (None if isinstance(loss, Loss) or not hasattr(loss, "__name__") else loss), {}


def _host_array(y_true: Any) -> np.ndarray | None:
    if isinstance(y_true, torch.Tensor):
        is_readable = y_true.device.type == "cpu" and y_true.dtype is not torch.bfloat16
        return y_true.detach().numpy() if is_readable else None
    is_number = isinstance(y_true, np.ndarray) and y_true.dtype.kind in "biuf"
    return y_true if is_number else None


class _Check:
    """One question: do these labels fit this output shape?"""

    def __init__(self, loss: str, labels: np.ndarray, output: tuple, arguments: dict[str, Any]) -> None:
        self.loss = loss
        self.labels = labels
        self.output = output
        self.arguments = arguments
        axis = arguments.get("axis")
        self.axis = int(-1 if axis is None else axis) % len(output)
        self.classes = output[self.axis]

    def fail(self, problem: str, fix: str, which_fits: bool = True) -> None:
        advice = f"{fix} {WHICH_FITS}" if which_fits else fix
        raise ValueError(
            f"{self.loss}: {problem} {advice} Received: labels of shape {format_shape(self.labels.shape)}, "
            f"dtype {self.labels.dtype}, outputs of shape {format_shape(self.output)}"
        )

    def has_shape_of(self, expected: tuple) -> bool:
        """Whether the labels have that shape, the batch and unknown sizes aside."""
        shape = self.labels.shape
        return len(shape) == len(expected) and all(
            a == b or b is None for a, b in zip(shape[1:], expected[1:], strict=True)
        )

    def without_classes(self) -> tuple:
        return self.output[: self.axis] + self.output[self.axis + 1 :]

    def are_class_numbers(self) -> bool:
        """Whether the labels are whole numbers, one for each prediction."""
        column = (*self.output[: self.axis], 1, *self.output[self.axis + 1 :])
        return (self.has_shape_of(self.without_classes()) or self.has_shape_of(column)) and self.are_whole()

    def are_whole(self) -> bool:
        return self.labels.dtype.kind != "f" or bool(np.all(self.labels == np.floor(self.labels)))

    def range(self) -> tuple[Any, Any]:
        return self.labels.min().item(), self.labels.max().item()

    def refuse_single_class(self) -> None:
        if self.classes == 1:
            self.fail(
                "the model has one output, and a softmax over one output is always 1.",
                "For two classes use loss='binary_crossentropy' with Dense(1, activation='sigmoid'); for "
                "more, give the last layer one output per class.",
            )

    def sparse(self) -> None:
        self.refuse_single_class()
        column = (*self.output[: self.axis], 1, *self.output[self.axis + 1 :])
        if not (self.has_shape_of(self.without_classes()) or self.has_shape_of(column)):
            if self.has_shape_of(self.output):
                self.fail(
                    f"the labels have {self.classes} columns, as one-hot labels have.",
                    "Use loss='categorical_crossentropy' for them, or turn them into class numbers by "
                    "y.argmax(axis=-1).",
                )
            self.fail(
                f"expected labels of shape {format_shape(self.without_classes())}, one class number each.", ""
            )
        if self.labels.size == 0:
            return
        if not self.are_whole():
            self.fail(
                "the labels are not whole numbers.",
                "They are class numbers here; for numbers to predict use loss='mean_squared_error'.",
            )
        ignored = self.arguments.get("ignore_class")
        if ignored is not None:
            self.labels = self.labels[self.labels != ignored]
            if self.labels.size == 0:
                return
        low, high = self.range()
        if low < 0 or (self.classes is not None and high >= self.classes):
            self.fail(
                f"labels run from {low:g} to {high:g}, but the model has {self.classes} outputs, one for "
                f"each class 0 … {'C − 1' if self.classes is None else self.classes - 1}.",
                f"Give the last layer {high + 1:g} outputs or number the classes from 0."
                if low >= 0
                else "Number the classes from 0.",
            )

    def categorical(self) -> None:
        self.refuse_single_class()
        if self.has_shape_of(self.output):
            return
        if self.are_class_numbers():
            self.fail(
                f"expected one-hot labels of shape {format_shape(self.output)}, but these are class numbers.",
                "Use loss='sparse_categorical_crossentropy' for them, or turn them into one-hot labels by "
                f"keras.utils.to_categorical(y, {self.classes}).",
            )
        self.fail(
            f"expected one-hot labels of shape {format_shape(self.output)}.",
            "Give the last layer as many outputs as the labels have columns.",
        )

    def binary(self) -> None:
        if not self.fits_elementwise(broadcast=False):
            if self.are_class_numbers():
                self.fail(
                    f"the labels are one class number per sample, but the model has {self.classes} outputs.",
                    "Use loss='sparse_categorical_crossentropy' with activation='softmax'; or, for two "
                    "classes, Dense(1, activation='sigmoid').",
                )
            self.fail(
                f"expected one label 0 or 1 for each output, shape {format_shape(self.output)}.",
                "One-hot labels need one softmax output per column and loss='categorical_crossentropy'.",
            )
        if self.labels.size == 0:
            return
        low, high = self.range()
        # Scaled to [0, 1] in float32, a number may come out at 1.0000001.
        if low >= -1e-6 and high <= 1 + 1e-6:
            return
        problem = f"labels run from {low:g} to {high:g}, but they must lie in [0, 1]."
        if low == -1 and high == 1:
            self.fail(problem, "Turn −1/1 into 0/1 by (y + 1) / 2, or use loss='hinge'.")
        if low >= 0 and self.are_whole():
            self.fail(
                problem,
                f"For classes up to {high:g} use loss='sparse_categorical_crossentropy' with "
                f"Dense({high + 1:g}, activation='softmax'); for two classes number them 0 and 1.",
            )
        self.fail(problem, "For numbers to predict use loss='mean_squared_error'.")

    def elementwise(self) -> None:
        if not self.fits_elementwise(broadcast=True):
            self.fail(
                f"targets of shape {format_shape(self.labels.shape)} do not fit outputs of shape "
                f"{format_shape(self.output)}.",
                "Give the last layer as many outputs as there are targets per sample; class numbers need "
                "loss='sparse_categorical_crossentropy'.",
                which_fits=False,
            )

    def fits_elementwise(self, broadcast: bool) -> bool:
        """Whether the shapes agree after the last dimension of 1 is added or dropped, as the losses do."""
        shape, output = self.labels.shape[1:], self.output[1:]
        if len(shape) == len(output) + 1 and shape[-1] == 1:
            shape = shape[:-1]
        elif len(output) == len(shape) + 1 and output[-1] in (1, None):
            output = output[:-1]
        if len(shape) != len(output):
            return False
        ones = (1,) if broadcast else ()
        return all(a == b or b is None or a in ones or b in ones for a, b in zip(shape, output, strict=True))
