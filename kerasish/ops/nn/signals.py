"""Complex numbers from polar coordinates, and the signal-to-noise ratio of images."""

from __future__ import annotations

from typing import Any

import torch

from kerasish.errors import format_shape
from kerasish.ops.floating import to_common_float
from kerasish.ops.operation import operation


@operation
def polar(abs_: Any, angle: Any) -> Any:
    """`abs_ · exp(i · angle)`, complex, the angle being in radians."""
    abs_, angle = to_common_float(abs_, angle)
    return torch.polar(*torch.broadcast_tensors(abs_, angle))


@operation
def psnr(x1: Any, x2: Any, max_val: Any) -> Any:
    """Peak signal-to-noise ratio in decibels, `20 log₁₀(max_val) − 10 log₁₀(mean((x1 − x2)²))`, over all values.

    Args:
        max_val: the largest value that a signal can take: 255, or 1.0.

    Example:
        >>> psnr([0.0, 1.0], [0.0, 0.9], 1.0)
        tensor(23.0103)
    """
    x1, x2 = to_common_float(x1, x2)
    if x1.shape != x2.shape:
        raise ValueError(
            "psnr: both signals must have the same shape. "
            f"Received: {format_shape(x1.shape)} and {format_shape(x2.shape)}"
        )
    peak = torch.as_tensor(max_val, dtype=x1.dtype, device=x1.device)
    return 20 * torch.log10(peak) - 10 * torch.log10(torch.square(x1 - x2).mean())
