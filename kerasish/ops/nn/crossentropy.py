"""Cross-entropies per sample, without reduction over the batch."""

# B batch, … further dimensions, C classes (the dimension `axis`)

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kerasish.config import epsilon
from kerasish.errors import format_shape
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.floating import to_common_float
from kerasish.ops.operands import as_float
from kerasish.ops.operation import operation


@operation
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """`−target · log(p) − (1 − target) · log(1 − p)`, elementwise.

    Args:
        target: labels in [0, 1].
        output: probabilities p, clipped to [ε, 1 − ε], or logits; of the same shape.

    Example:
        >>> binary_crossentropy([0.0, 1.0], [0.5, 0.25])
        tensor([0.6931, 1.3863])
    """
    target, output = to_common_float(target, output)
    _check_same_shape("binary_crossentropy", target, output)
    if from_logits:
        return F.binary_cross_entropy_with_logits(output, target, reduction="none")
    p = _clip(output)
    return -torch.lerp(torch.log1p(-p), torch.log(p), target)


@operation
def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """`−Σ target · log(p)` over the classes: `(B, …, C)` → `(B, …)`.

    Args:
        target: one-hot labels, or probabilities.
        output: probabilities p, scaled to the sum 1 and clipped to [ε, 1 − ε], or logits; of the same shape.
        axis: the dimension of the classes.
    """
    target, output = convert_to_tensor(target), as_float(output)
    _check_same_shape("categorical_crossentropy", target, output)
    return -(target * _log_probability("categorical_crossentropy", output, from_logits, axis)).sum(axis)


@operation
def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """`−log(p[target])`, p being probabilities over the classes: `(B, …)`, `(B, …, C)` → `(B, …)`.

    Args:
        target: class numbers, with or without a last dimension of size 1.
        output: probabilities, scaled to the sum 1 and clipped to [ε, 1 − ε], or logits.
        axis: the dimension of the classes in `output`.

    Example:
        >>> sparse_categorical_crossentropy([1, 0], [[0.5, 0.5], [0.25, 0.75]])
        tensor([0.6931, 1.3863])
    """
    target, output = convert_to_tensor(target).long(), as_float(output)
    log_probability = _log_probability("sparse_categorical_crossentropy", output, from_logits, axis)
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = target.squeeze(-1)
    expected = [size for dim, size in enumerate(output.shape) if dim != axis % output.ndim]
    if list(target.shape) != expected:
        raise ValueError(
            f"sparse_categorical_crossentropy: `target` must have the shape of `output` without the classes, "
            f"{format_shape(expected)}. "
            f"Received: target of shape {format_shape(target.shape)}, output of shape {format_shape(output.shape)}"
        )
    return -log_probability.gather(axis, target.unsqueeze(axis)).squeeze(axis)


def _clip(probability: Tensor) -> Tensor:
    return probability.clamp(epsilon(), 1.0 - epsilon())


def _log_probability(name: str, output: Tensor, from_logits: bool, axis: int) -> Tensor:
    if not output.ndim or not -output.ndim <= axis < output.ndim:
        raise ValueError(
            f"{name}: `axis` must name a dimension of `output`, that of the classes. "
            f"Received: axis={axis}, output of shape {format_shape(output.shape)}"
        )
    return output.log_softmax(axis) if from_logits else _clip(output / output.sum(axis, keepdim=True)).log()


def _check_same_shape(name: str, target: Tensor, output: Tensor) -> None:
    if target.shape != output.shape:
        raise ValueError(
            f"{name}: `target` and `output` must have the same shape. "
            f"Received: {format_shape(target.shape)} and {format_shape(output.shape)}"
        )
