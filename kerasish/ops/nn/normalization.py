"""Moments, and normalization by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kerasish.config import epsilon as default_epsilon
from kerasish.errors import format_shape
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.linalg import norm
from kerasish.ops.operands import as_float
from kerasish.ops.operation import operation


@operation
def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> Any:
    """Mean and variance over `axes`, an axis or several; float16 is computed in float32 and kept within its range.

    Example:
        >>> [moment.tolist() for moment in moments([[1.0, 3.0], [2.0, 2.0]], axes=1)]
        [[2.0, 2.0], [1.0, 0.0]]
    """
    if synchronized:
        raise ValueError(
            "`synchronized=True` is not supported: moments are those of this process. Leave it out."
        )
    x = as_float(x)
    variance, mean = torch.var_mean(
        x.float() if x.dtype is torch.float16 else x, axes, correction=0, keepdim=keepdims
    )
    if x.dtype is torch.float16:
        limits = torch.finfo(torch.float16)
        mean, variance = (moment.clamp(limits.min, limits.max).half() for moment in (mean, variance))
    return mean, variance


@operation
def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    axis: int,
    offset: Any = None,
    scale: Any = None,
    epsilon: float = 1e-3,
) -> Any:
    """`(x − mean) / sqrt(variance + epsilon) · scale + offset`, all but x being vectors along `axis`.

    Raises:
        ValueError: `axis` out of range, or a vector of another length than the axis.
    """
    x = as_float(x)
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(
            f"batch_normalization: `axis` must name one of the {x.ndim} axes of `x`. Received: axis={axis}"
        )
    shape = [1] * x.ndim
    shape[axis] = x.shape[axis]

    def along_axis(name: str, vector: Any) -> Tensor:
        vector = as_float(vector)
        if vector.numel() != x.shape[axis]:
            raise ValueError(
                f"batch_normalization: `{name}` must have the length of axis {axis}, {x.shape[axis]}. "
                f"Received: shape {format_shape(vector.shape)}"
            )
        return vector.reshape(shape)

    factor = torch.rsqrt(along_axis("variance", variance) + epsilon)
    if scale is not None:
        factor = factor * along_axis("scale", scale)
    y = (x - along_axis("mean", mean)) * factor
    return y if offset is None else y + along_axis("offset", offset)


@operation
def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None, **kwargs: Any
) -> Any:
    """`(x − μ) / sqrt(σ² + epsilon) · gamma + beta`, μ and σ² being the moments over `axis`, one or several.

    Args:
        gamma, beta: of the sizes of the axes, or None.
        epsilon: `config.epsilon()` for None.

    Source: Ba et al., 2016, *Layer normalization*, arXiv:1607.06450.
    """
    if kwargs:
        raise TypeError(
            f"layer_normalization has no argument {sorted(kwargs)[0]!r}. For RMS normalization use rms_normalization."
        )
    x, values, axes = _for_axes(x, axis)
    variance, mean = torch.var_mean(values, axes, correction=0, keepdim=True)
    y = (values - mean) * torch.rsqrt(variance + _fuzz(epsilon))
    return _scaled(y, gamma, beta, axes).to(x.dtype)


@operation
def rms_normalization(x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None) -> Any:
    """`x / sqrt(mean(x²) + epsilon) · scale`, the mean being taken over `axis`, one or several.

    Args:
        scale: of the sizes of the axes, or None.
        epsilon: `config.epsilon()` for None.

    Source: Zhang and Sennrich, 2019, *Root mean square layer normalization*, arXiv:1910.07467.
    """
    x, values, axes = _for_axes(x, axis)
    y = values * torch.rsqrt(values.square().mean(axes, keepdim=True) + _fuzz(epsilon))
    return _scaled(y, scale, None, axes).to(x.dtype)


def _for_axes(x: Any, axis: Any) -> tuple[Tensor, Tensor, list[int]]:
    """The tensor, the same in at least 32 bits, and the axes in order."""
    x = convert_to_tensor(x)
    axes = [axis] if isinstance(axis, int) else list(axis)
    if not axes or any(not -x.ndim <= a < x.ndim for a in axes):
        raise ValueError(
            f"`axis` must be one or several of the {x.ndim} axes of `x`. Received: axis={axis!r}, "
            f"x of shape {format_shape(x.shape)}"
        )
    return x, x.to(torch.promote_types(x.dtype, torch.float32)), sorted(a % x.ndim for a in axes)


def _fuzz(epsilon: float | None) -> float:
    return default_epsilon() if epsilon is None else epsilon


def _scaled(y: Tensor, scale: Any, offset: Any, axes: Sequence[int]) -> Tensor:
    shape = [size if axis in axes else 1 for axis, size in enumerate(y.shape)]
    y = y if scale is None else y * convert_to_tensor(scale).reshape(shape)
    return y if offset is None else y + convert_to_tensor(offset).reshape(shape)


@operation
def normalize(x: Any, axis: Any = -1, order: int = 2, epsilon: float | None = None) -> Any:
    """`x / max(norm, epsilon)`, the norm over an axis being `(Σ |x|^order)^(1 / order)`.

    Args:
        axis: an axis, several, or None for all.
        order: integer of at least 1; over two axes, other orders than 2 are those of `linalg.norm` for matrices.
        epsilon: `config.epsilon()` for None.

    Example:
        >>> normalize([3.0, 4.0])
        tensor([0.6000, 0.8000])
    """
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"normalize: `order` must be an integer of at least 1. Received: order={order!r}")
    x = as_float(x)
    if order == 2:
        axes: Any = tuple(range(x.ndim)) if axis is None else axis
        return F.normalize(x, dim=axes, eps=_fuzz(epsilon))
    return x / norm(x, order, axis, keepdims=True).clamp(min=_fuzz(epsilon))
