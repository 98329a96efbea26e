"""Cross-entropies under Keras 2's argument names, exact where a softmax or sigmoid has left its logits."""

from __future__ import annotations

from typing import Any

import torch

from kerasish import losses
from kerasish.config import epsilon
from kerasish.ops import nn
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.floating import to_common_float
from kerasish.ops.operation import operation


def _logits_if_known(output: Any, from_logits: bool, activation: str, axis: int = -1) -> tuple[Any, bool]:
    """The logits behind probabilities, and True, where the activation has left them."""
    if not from_logits and axis == -1 and getattr(output, "_keras_logits_of", None) == activation:
        return output._keras_logits, True
    return output, from_logits


@operation
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """`−target · log(output + ε) − (1 − target) · log(1 − output + ε)`, output clipped to [ε, 1 − ε]."""
    output, from_logits = _logits_if_known(output, from_logits, "sigmoid")
    if from_logits:
        return nn.binary_crossentropy(target, output, from_logits=True)
    target, output = to_common_float(target, output)
    fuzz = epsilon()
    p = torch.clamp(output, fuzz, 1 - fuzz)
    return -torch.lerp(torch.log(1 - p + fuzz), torch.log(p + fuzz), target)


@operation
def binary_focal_crossentropy(
    target: Any,
    output: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
) -> Any:
    """`(1 − p)^gamma` times `binary_crossentropy`, p being the probability of the target; elementwise."""
    target, output = to_common_float(target, output)
    output = torch.sigmoid(output) if from_logits else output
    p = target * output + (1 - target) * (1 - output)
    loss = (1 - p) ** gamma * binary_crossentropy(target, output)
    return (target * alpha + (1 - target) * (1 - alpha)) * loss if apply_class_balancing else loss


@operation
def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """`−Σ target · log(output)` over the classes, the dimension `axis`."""
    output, from_logits = _logits_if_known(output, from_logits, "softmax", axis)
    return nn.categorical_crossentropy(target, output, from_logits, axis)


@operation
def categorical_focal_crossentropy(
    target: Any,
    output: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    axis: int = -1,
) -> Any:
    """`−Σ alpha (1 − output)^gamma target · log(output)` over the classes."""
    return losses.categorical_focal_crossentropy(target, output, alpha, gamma, from_logits, axis=axis)


@operation
def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None
) -> Any:
    """`−log(output[target])`; 0 where the target is `ignore_class`."""
    output, from_logits = _logits_if_known(output, from_logits, "softmax", axis)
    target = convert_to_tensor(target).long()
    if ignore_class is None:
        return nn.sparse_categorical_crossentropy(target, output, from_logits, axis)
    is_ignored = target == ignore_class
    loss = nn.sparse_categorical_crossentropy(target.masked_fill(is_ignored, 0), output, from_logits, axis)
    return loss.masked_fill(is_ignored.reshape(loss.shape), 0)
