"""Operations on the bits of integers."""

from __future__ import annotations

from typing import Any

import torch

from kerasish.ops.core import convert_to_tensor
from kerasish.ops.operands import operands
from kerasish.ops.operation import operation


@operation
def bitwise_and(x: Any, y: Any) -> Any:
    """Return the bits that are set in both."""
    return torch.bitwise_and(*operands(x, y))


@operation
def bitwise_or(x: Any, y: Any) -> Any:
    """Return the bits that are set in at least one."""
    return torch.bitwise_or(*operands(x, y))


@operation
def bitwise_xor(x: Any, y: Any) -> Any:
    """Return the bits that are set in exactly one."""
    return torch.bitwise_xor(*operands(x, y))


@operation
def bitwise_invert(x: Any) -> Any:
    """Return the bits that are not set in `x`."""
    return torch.bitwise_not(convert_to_tensor(x))


@operation
def bitwise_not(x: Any) -> Any:
    """Return the bits that are not set in `x`."""
    return torch.bitwise_not(convert_to_tensor(x))


def _shifted(x: Any, y: Any) -> tuple[Any, Any]:
    """A number of places stays a number: it never changes the dtype."""
    return convert_to_tensor(x), y if isinstance(y, int) else convert_to_tensor(y)


@operation
def bitwise_left_shift(x: Any, y: Any) -> Any:
    """Return `x · 2^y`: the bits moved to the left by `y` places."""
    return torch.bitwise_left_shift(*_shifted(x, y))


@operation
def left_shift(x: Any, y: Any) -> Any:
    """Return `x · 2^y`: the bits moved to the left by `y` places."""
    return torch.bitwise_left_shift(*_shifted(x, y))


@operation
def bitwise_right_shift(x: Any, y: Any) -> Any:
    """Return `⌊x / 2^y⌋`: the bits moved to the right by `y` places."""
    return torch.bitwise_right_shift(*_shifted(x, y))


@operation
def right_shift(x: Any, y: Any) -> Any:
    """Return `⌊x / 2^y⌋`: the bits moved to the right by `y` places."""
    return torch.bitwise_right_shift(*_shifted(x, y))
