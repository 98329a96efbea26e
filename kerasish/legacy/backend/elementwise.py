"""Functions of every value, and reductions, under Keras 2's argument names and defaults."""

from __future__ import annotations

from typing import Any

import torch

from kerasish import activations
from kerasish.ops import numpy
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.operands import as_float
from kerasish.ops.operation import operation


def equal(x: Any, y: Any) -> Any:
    """Whether x = y, elementwise."""
    return numpy.equal(x, y)


def not_equal(x: Any, y: Any) -> Any:
    """Whether x ≠ y, elementwise."""
    return numpy.not_equal(x, y)


def greater(x: Any, y: Any) -> Any:
    """Whether x > y, elementwise."""
    return numpy.greater(x, y)


def greater_equal(x: Any, y: Any) -> Any:
    """Whether x ≥ y, elementwise."""
    return numpy.greater_equal(x, y)


def less(x: Any, y: Any) -> Any:
    """Whether x < y, elementwise."""
    return numpy.less(x, y)


def less_equal(x: Any, y: Any) -> Any:
    """Whether x ≤ y, elementwise."""
    return numpy.less_equal(x, y)


def maximum(x: Any, y: Any) -> Any:
    """The larger of x and y, elementwise."""
    return numpy.maximum(x, y)


def minimum(x: Any, y: Any) -> Any:
    """The smaller of x and y, elementwise."""
    return numpy.minimum(x, y)


def pow(x: Any, a: Any) -> Any:
    """`x` to the power `a`, elementwise."""
    return numpy.power(x, a)


@operation
def sqrt(x: Any) -> Any:
    """The square root of `max(x, 0)`: 0 for negative values, where `keras.ops.sqrt` gives NaN."""
    return torch.sqrt(torch.clamp(as_float(x), min=0))


@operation
def clip(x: Any, min_value: Any, max_value: Any) -> Any:
    """`x` moved into [min_value, max_value]; None for no bound, and an upper bound below the lower one is ignored."""
    if isinstance(min_value, (int, float)) and isinstance(max_value, (int, float)):
        max_value = max_value if max_value >= min_value else min_value
    return numpy.clip(x, min_value, max_value)


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """`min(x, max_value)` above `threshold`, `alpha · (x − threshold)` below."""
    return activations.relu(x, negative_slope=alpha, max_value=max_value, threshold=threshold)


@operation
def hard_sigmoid(x: Any) -> Any:
    """Keras 2's `clip(0.2 x + 0.5, 0, 1)`; Keras 3 has slope 1/6."""
    return torch.clamp(0.2 * as_float(x) + 0.5, 0, 1)


@operation
def l2_normalize(x: Any, axis: Any = None) -> Any:
    """`x / sqrt(max(Σ x², 1e-12))`, over all values by default."""
    x = as_float(x)
    return x * torch.rsqrt(torch.clamp(numpy.sum(x * x, axis, keepdims=True), min=1e-12))


@operation
def argmax(x: Any, axis: int = -1) -> Any:
    """The index of the largest value along `axis`, int64."""
    return torch.argmax(convert_to_tensor(x), axis)


@operation
def argmin(x: Any, axis: int = -1) -> Any:
    """The index of the smallest value along `axis`, int64."""
    return torch.argmin(convert_to_tensor(x), axis)


def cumsum(x: Any, axis: int = 0) -> Any:
    """Sums of the values up to each place."""
    return numpy.cumsum(x, axis)


def cumprod(x: Any, axis: int = 0) -> Any:
    """Products of the values up to each place."""
    return numpy.cumprod(x, axis)


@operation
def in_top_k(predictions: Any, targets: Any, k: int) -> Any:
    """Whether fewer than k predictions of a row are larger than that of its target."""
    predictions, targets = convert_to_tensor(predictions), convert_to_tensor(targets).long()
    own = torch.gather(predictions, 1, targets.unsqueeze(1))
    return (predictions > own).sum(1) < k
