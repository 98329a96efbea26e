"""Comparisons, logic and tests of floating-point numbers: results are booleans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from kerasish.ops.core import convert_to_tensor
from kerasish.ops.operands import operands, promoted
from kerasish.ops.operation import operation


def _compare(function: Callable[..., Tensor], reflected: Callable[..., Tensor], x1: Any, x2: Any) -> Tensor:
    """Torch takes a number only as the second argument."""
    x1, x2 = operands(x1, x2)
    return function(x1, x2) if isinstance(x1, Tensor) else reflected(x2, x1)


@operation
def equal(x1: Any, x2: Any) -> Any:
    """Return where `x1 = x2`."""
    return _compare(torch.eq, torch.eq, x1, x2)


@operation
def not_equal(x1: Any, x2: Any) -> Any:
    """Return where `x1 ≠ x2`."""
    return _compare(torch.ne, torch.ne, x1, x2)


@operation
def greater(x1: Any, x2: Any) -> Any:
    """Return where `x1 > x2`."""
    return _compare(torch.gt, torch.lt, x1, x2)


@operation
def greater_equal(x1: Any, x2: Any) -> Any:
    """Return where `x1 ≥ x2`."""
    return _compare(torch.ge, torch.le, x1, x2)


@operation
def less(x1: Any, x2: Any) -> Any:
    """Return where `x1 < x2`."""
    return _compare(torch.lt, torch.gt, x1, x2)


@operation
def less_equal(x1: Any, x2: Any) -> Any:
    """Return where `x1 ≤ x2`."""
    return _compare(torch.le, torch.ge, x1, x2)


@operation
def logical_and(x1: Any, x2: Any) -> Any:
    """Return where both are true, that is not zero."""
    return torch.logical_and(convert_to_tensor(x1), convert_to_tensor(x2))


@operation
def logical_or(x1: Any, x2: Any) -> Any:
    """Return where at least one is true, that is not zero."""
    return torch.logical_or(convert_to_tensor(x1), convert_to_tensor(x2))


@operation
def logical_xor(x1: Any, x2: Any) -> Any:
    """Return where exactly one is true, that is not zero."""
    return torch.logical_xor(convert_to_tensor(x1), convert_to_tensor(x2))


@operation
def logical_not(x: Any) -> Any:
    """Return where `x` is zero."""
    return torch.logical_not(convert_to_tensor(x))


@operation
def isnan(x: Any) -> Any:
    """Return where `x` is NaN."""
    return torch.isnan(convert_to_tensor(x))


@operation
def isinf(x: Any) -> Any:
    """Return where `x` is infinite."""
    return torch.isinf(convert_to_tensor(x))


@operation
def isposinf(x: Any) -> Any:
    """Return where `x` is positive infinity."""
    return torch.isposinf(convert_to_tensor(x))


@operation
def isneginf(x: Any) -> Any:
    """Return where `x` is negative infinity."""
    return torch.isneginf(convert_to_tensor(x))


@operation
def isfinite(x: Any) -> Any:
    """Return where `x` is neither infinite nor NaN."""
    return torch.isfinite(convert_to_tensor(x))


@operation
def isreal(x: Any) -> Any:
    """Return where the imaginary part of `x` is zero."""
    return torch.isreal(convert_to_tensor(x))


@operation
def isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Return where `|x1 − x2| ≤ atol + rtol · |x2|`.

    Args:
        equal_nan: whether two NaN are close to each other.
    """
    x1, x2 = promoted(convert_to_tensor(x1), convert_to_tensor(x2))
    return torch.isclose(x1, x2, rtol, atol, equal_nan)


@operation
def allclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Return whether `isclose` holds everywhere, as a tensor."""
    return torch.all(isclose(x1, x2, rtol, atol, equal_nan))


@operation
def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    """Return which elements of `x1` are among those of `x2`.

    Args:
        assume_unique: the promise that neither has an element twice, which may be faster.
        invert: return which are not, instead.
    """
    x1, x2 = promoted(convert_to_tensor(x1), convert_to_tensor(x2))
    if x1.dtype is torch.bool:
        x1, x2 = x1.byte(), x2.byte()
    return torch.isin(x1, x2, assume_unique=assume_unique, invert=invert)
