"""Activation functions; formulas are elementwise unless an `axis` is given."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from kerasish.ops.core import convert_to_tensor
from kerasish.ops.operands import as_float
from kerasish.ops.operation import operation


@operation
def relu(x: Any) -> Any:
    """`max(x, 0)`."""
    return torch.relu(convert_to_tensor(x))


@operation
def relu6(x: Any) -> Any:
    """`min(max(x, 0), 6)`."""
    return F.relu6(convert_to_tensor(x))


@operation
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """`x` if x > 0, else `negative_slope · x`.

    Differs: torch's default slope is 0.01.
    """
    return F.leaky_relu(as_float(x), negative_slope)


@operation
def elu(x: Any, alpha: float = 1.0) -> Any:
    """`x` if x > 0, else `alpha · (exp(x) − 1)`."""
    return F.elu(as_float(x), alpha)


@operation
def celu(x: Any, alpha: float = 1.0) -> Any:
    """`max(x, 0) + min(alpha · (exp(x / alpha) − 1), 0)`."""
    return F.celu(as_float(x), alpha)


@operation
def selu(x: Any) -> Any:
    """`1.05070098 · elu(x, 1.67326324)`."""
    return F.selu(as_float(x))


@operation
def gelu(x: Any, approximate: bool = True) -> Any:
    """`x · P(Z ≤ x)`, Z standard normal; by a tanh if `approximate`.

    Differs: torch's default, and that of `keras.activations.gelu`, is the exact form.
    """
    return F.gelu(as_float(x), approximate="tanh" if approximate else "none")


@operation
def sigmoid(x: Any) -> Any:
    """`1 / (1 + exp(−x))`."""
    return torch.sigmoid(as_float(x))


@operation
def log_sigmoid(x: Any) -> Any:
    """`−log(1 + exp(−x))`."""
    return F.logsigmoid(as_float(x))


@operation
def hard_sigmoid(x: Any) -> Any:
    """`relu6(x + 3) / 6`."""
    return F.hardsigmoid(as_float(x))


@operation
def sparse_sigmoid(x: Any) -> Any:
    """`min(max((x + 1) / 2, 0), 1)`."""
    return F.hardtanh((as_float(x) + 1) * 0.5, 0.0, 1.0)


@operation
def silu(x: Any) -> Any:
    """`x · sigmoid(x)`."""
    return F.silu(as_float(x))


@operation
def hard_silu(x: Any) -> Any:
    """`x · relu6(x + 3) / 6`."""
    return F.hardswish(as_float(x))


swish = silu
hard_swish = hard_silu


@operation
def hard_tanh(x: Any) -> Any:
    """`min(max(x, −1), 1)`."""
    return F.hardtanh(convert_to_tensor(x))


@operation
def tanh_shrink(x: Any) -> Any:
    """`x − tanh(x)`."""
    return F.tanhshrink(as_float(x))


@operation
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` moved towards 0 by `threshold`, and 0 within it."""
    return F.softshrink(as_float(x), threshold)


@operation
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` where |x| > threshold, else 0."""
    return F.hardshrink(as_float(x), threshold)


@operation
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """`x` where x > threshold, else `default_value`."""
    return F.threshold(convert_to_tensor(x), threshold, default_value)


@operation
def softplus(x: Any) -> Any:
    """`log(1 + exp(x))`."""
    return F.softplus(as_float(x))


@operation
def sparse_plus(x: Any) -> Any:
    """0 if x ≤ −1, `(x + 1)² / 4` if |x| < 1, `x` if x ≥ 1."""
    x = as_float(x)
    return torch.where(x <= -1, torch.zeros_like(x), torch.where(x < 1, torch.square(x + 1) / 4, x))


@operation
def softsign(x: Any) -> Any:
    """`x / (1 + |x|)`."""
    return F.softsign(as_float(x))


@operation
def squareplus(x: Any, b: float = 4) -> Any:
    """`(x + sqrt(x² + b)) / 2`."""
    x = as_float(x)
    return (x + torch.sqrt(torch.square(x) + b)) / 2


@operation
def glu(x: Any, axis: int = -1) -> Any:
    """`a · sigmoid(b)`, where a and b are the halves of `x` along `axis`."""
    return F.glu(as_float(x), axis)


@operation
def softmax(x: Any, axis: Any = -1) -> Any:
    """`exp(x_i) / Σ_j exp(x_j)` over one axis, several, or None for all.

    Example:
        >>> softmax([[0.0, 0.0], [1e4, -1e4]]).tolist()
        [[0.5, 0.5], [1.0, 0.0]]
    """
    return _over_axes(torch.softmax, as_float(x), axis)


@operation
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """`x_i − log Σ_j exp(x_j)` over one axis, several, or None for all."""
    return _over_axes(torch.log_softmax, as_float(x), axis)


def _over_axes(function: Any, x: torch.Tensor, axis: Any) -> torch.Tensor:
    """Apply a function of (tensor, axis) over several axes, as if they were one."""
    if isinstance(axis, int):
        return function(x, axis)
    axes = list(range(x.ndim)) if axis is None else [a % x.ndim for a in axis]
    last = list(range(x.ndim - len(axes), x.ndim))
    moved = x.movedim(axes, last)
    flat = moved.reshape(*moved.shape[: x.ndim - len(axes)], -1)
    return function(flat, -1).reshape(moved.shape).movedim(last, axes)


@operation
def sparsemax(x: Any, axis: int = -1) -> Any:
    """`max(x − τ, 0)` along `axis`, τ from the sorted values with `1 + k z_k > Σ_{j≤k} z_j`.

    Differs: τ is Keras 3's, `(Σ_k Σ_{j≤k} z_j − 1) / k_max`, so that its models give the same results here.
    The paper has `τ = (Σ_{j≤k_max} z_j − 1) / k_max`; only with that one do the results always sum to 1.

    Source: Martins and Astudillo, 2016, *From softmax to sparsemax*, arXiv:1602.02068.
    """
    x = as_float(x)
    z = torch.movedim(x, axis, -1)
    descending = torch.sort(z, dim=-1, descending=True)[0]
    sums = torch.cumsum(descending, -1)
    k = torch.cumsum(torch.ones_like(descending), -1)
    is_support = 1 + k * descending > sums
    k_max = torch.amax(is_support * k, -1, keepdim=True)
    tau = (torch.sum(is_support * sums, -1, keepdim=True) - 1) / k_max
    return torch.movedim(torch.clamp(z - tau, min=0), -1, axis)
