"""Activation functions, on tensors, arrays, lists and symbolic tensors; each is one or two torch operations.

Formulas are elementwise unless an `axis` is given. Integers become `floatx()` where the result is fractional.
"""

from __future__ import annotations

import warnings
from typing import Any

import torch
import torch.nn.functional as F

from kerasish.config import floatx, get_device
from kerasish.dtypes import standardize_dtype, torch_dtype
from kerasish.errors import format_shape
from kerasish.ops.nn.activations import sparsemax as sparsemax
from kerasish.registry import Registry


def _tensor(x: Any) -> Any:
    """`x` as a tensor; what answers torch functions already (tensors, symbolic tensors) stays."""
    if hasattr(x, "__torch_function__"):
        return x
    tensor = torch.as_tensor(x, device=get_device())
    is_python_float = tensor.is_floating_point() and not hasattr(x, "dtype")
    return tensor.to(torch_dtype(floatx())) if is_python_float else tensor


def _float(x: Any) -> Any:
    """`x` as a floating-point (or complex) tensor."""
    if isinstance(x, torch.Tensor) and x.is_floating_point():
        return x
    x = _tensor(x)
    is_fractional = standardize_dtype(x.dtype).startswith(("float", "bfloat", "complex"))
    return x if is_fractional else x.to(torch_dtype(floatx()))


def _remember_logits(output: Any, logits: Any, activation: str) -> Any:
    """Leave the logits on the output, where a cross-entropy finds them and stays exact under saturation."""
    if isinstance(output, torch.Tensor):
        output._keras_logits = logits  # type: ignore[attr-defined]
        output._keras_logits_of = activation  # type: ignore[attr-defined]
    return output


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """Rectified linear unit: `min(x, max_value)` above `threshold`, `negative_slope · (x − threshold)` below.

    Example:
        >>> relu([-2.0, 0.0, 3.0]).tolist()
        [0.0, 0.0, 3.0]
        >>> relu([-2.0, 0.0, 3.0], negative_slope=0.5, max_value=2.0).tolist()
        [-1.0, 0.0, 2.0]

    Source: Nair and Hinton, 2010, *Rectified linear units improve restricted Boltzmann machines*.
    """
    x = _float(x) if negative_slope else _tensor(x)
    if not threshold and max_value is None:
        return F.leaky_relu(x, negative_slope) if negative_slope else torch.relu(x)
    if max_value == 6 and not threshold:
        positive = F.relu6(x)
    else:
        positive = F.threshold(x, threshold, 0.0) if threshold else torch.relu(x)
        positive = positive if max_value is None else torch.clamp(positive, 0.0, max_value)
    return positive - negative_slope * torch.relu(threshold - x) if negative_slope else positive


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """Leaky ReLU: `x` if x > 0, else `negative_slope · x`.

    Differs: torch's default slope is 0.01.

    Source: Maas et al., 2013, *Rectifier nonlinearities improve neural network acoustic models*.
    """
    return F.leaky_relu(_float(x), negative_slope)


def relu6(x: Any) -> Any:
    """ReLU capped at 6: `min(max(x, 0), 6)`.

    Source: Krizhevsky, 2010, *Convolutional deep belief networks on CIFAR-10*.
    """
    return F.relu6(_tensor(x))


def softmax(x: Any, axis: Any = -1) -> Any:
    """Probabilities that sum to 1: `exp(x_i) / Σ_j exp(x_j)`.

    Args:
        x: logits.
        axis: the axis over which to normalise, several axes, or None for all.

    The output keeps its logits, so that cross-entropies need not take the logarithm of a rounded probability.

    Example:
        >>> softmax([[0.0, 0.0], [1e4, -1e4]]).tolist()
        [[0.5, 0.5], [1.0, 0.0]]
    """
    x = _float(x)
    if not isinstance(axis, int):
        return torch.exp(log_softmax(x, axis))
    output = torch.softmax(x, axis)
    if x.ndim and x.shape[axis] == 1:
        warnings.warn(
            f"Softmax over axis {axis} of a tensor of shape {format_shape(x.shape)}: that axis has size 1, "
            "so the result is always 1. For one output unit use `sigmoid`.",
            stacklevel=2,
        )
    is_last = axis in (-1, x.ndim - 1)
    return _remember_logits(output, x, "softmax") if is_last else output


def log_softmax(x: Any, axis: Any = -1) -> Any:
    """The logarithm of `softmax`: `x_i − log Σ_j exp(x_j)`; `axis` is one axis, several, or None for all."""
    x = _float(x)
    if isinstance(axis, int):
        return torch.log_softmax(x, axis)
    axes = tuple(range(x.ndim)) if axis is None else tuple(axis)
    return x - torch.logsumexp(x, axes, keepdim=True)


def sigmoid(x: Any) -> Any:
    """Logistic function: `1 / (1 + exp(−x))`. The output keeps its logits, as that of `softmax` does.

    Example:
        >>> sigmoid([-1e4, 0.0, 1e4]).tolist()
        [0.0, 0.5, 1.0]
    """
    x = _float(x)
    return _remember_logits(torch.sigmoid(x), x, "sigmoid")


def log_sigmoid(x: Any) -> Any:
    """The logarithm of `sigmoid`: `−log(1 + exp(−x))`."""
    return F.logsigmoid(_float(x))


def hard_sigmoid(x: Any) -> Any:
    """Piecewise linear sigmoid: `relu6(x + 3) / 6`.

    Differs: Keras 2 had the slope 0.2 in place of 1/6.
    """
    return F.hardsigmoid(_float(x))


def sparse_sigmoid(x: Any) -> Any:
    """Sigmoid that reaches its limits: `min(max((x + 1) / 2, 0), 1)`."""
    return F.hardtanh((_float(x) + 1) * 0.5, 0.0, 1.0)


def tanh(x: Any) -> Any:
    """Hyperbolic tangent: `(exp(x) − exp(−x)) / (exp(x) + exp(−x)) = 2σ(2x) − 1`."""
    return torch.tanh(_float(x))


def hard_tanh(x: Any) -> Any:
    """Piecewise linear tanh: `min(max(x, −1), 1)`."""
    return F.hardtanh(_tensor(x))


def tanh_shrink(x: Any) -> Any:
    """`x − tanh(x)`."""
    return F.tanhshrink(_float(x))


def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` moved towards 0 by `threshold`, and 0 within it."""
    return F.softshrink(_float(x), threshold)


def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` where |x| > threshold, else 0."""
    return F.hardshrink(_float(x), threshold)


def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """`x` where x > threshold, else `default_value`."""
    return F.threshold(_tensor(x), threshold, default_value)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """Exponential linear unit: `x` if x > 0, else `alpha · (exp(x) − 1)`.

    Source: Clevert et al., 2016, *Fast and accurate deep network learning by exponential linear units*,
    arXiv:1511.07289.
    """
    return F.elu(_float(x), alpha)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """Continuously differentiable ELU: `max(x, 0) + min(alpha · (exp(x / alpha) − 1), 0)`.

    Source: Barron, 2017, *Continuously differentiable exponential linear units*, arXiv:1704.07483.
    """
    return F.celu(_float(x), alpha)


def selu(x: Any) -> Any:
    """Scaled ELU: `1.05070098 · elu(x, 1.67326324)`; with `lecun_normal` weights, moments are kept.

    Source: Klambauer et al., 2017, *Self-normalizing neural networks*, arXiv:1706.02515.
    """
    return F.selu(_float(x))


def gelu(x: Any, approximate: bool = False) -> Any:
    """Gaussian error linear unit: `x · P(Z ≤ x)`, Z standard normal; by a tanh if `approximate`.

    Source: Hendrycks and Gimpel, 2016, *Gaussian error linear units*, arXiv:1606.08415.
    """
    return F.gelu(_float(x), approximate="tanh" if approximate else "none")


def silu(x: Any) -> Any:
    """Sigmoid linear unit, or swish: `x · sigmoid(x)`.

    Source: Ramachandran et al., 2017, *Searching for activation functions*, arXiv:1710.05941.
    """
    return F.silu(_float(x))


def hard_silu(x: Any) -> Any:
    """Piecewise quadratic SiLU: `x · relu6(x + 3) / 6`.

    Source: Howard et al., 2019, *Searching for MobileNetV3*, arXiv:1905.02244.
    """
    return F.hardswish(_float(x))


def mish(x: Any) -> Any:
    """`x · tanh(softplus(x))`.

    Source: Misra, 2019, *Mish: a self regularized non-monotonic activation function*, arXiv:1908.08681.
    """
    return F.mish(_float(x))


def softplus(x: Any) -> Any:
    """Smooth ReLU: `log(1 + exp(x))`."""
    return F.softplus(_float(x))


def squareplus(x: Any, b: float = 4) -> Any:
    """Smooth ReLU without an exponential: `(x + sqrt(x² + b)) / 2`.

    Source: Barron, 2021, *Squareplus: a softplus-like algebraic rectifier*, arXiv:2112.11687.
    """
    x = _float(x)
    return (x + torch.sqrt(torch.square(x) + b)) / 2


def sparse_plus(x: Any) -> Any:
    """Smooth ReLU with exact zeros: 0 if x ≤ −1, `(x + 1)² / 4` if |x| < 1, `x` if x ≥ 1."""
    x = _float(x)
    return torch.where(x <= -1, torch.zeros_like(x), torch.where(x < 1, torch.square(x + 1) / 4, x))


def softsign(x: Any) -> Any:
    """`x / (1 + |x|)`."""
    return F.softsign(_float(x))


def exponential(x: Any) -> Any:
    """`exp(x)`."""
    return torch.exp(_float(x))


def glu(x: Any, axis: int = -1) -> Any:
    """Gated linear unit: `a · sigmoid(b)`, where a and b are the halves of `x` along `axis`.

    Source: Dauphin et al., 2017, *Language modeling with gated convolutional networks*, arXiv:1612.08083.
    """
    return F.glu(_float(x), axis)


def linear(x: Any) -> Any:
    """The identity: `x`."""
    return x


swish = silu
hard_swish = hard_silu

_registry = Registry(
    "activation",
    "keras.activations",
    functions=(
        celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu,
        linear, log_sigmoid, log_softmax, mish, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax,
        softplus, softsign, sparse_plus, sparse_sigmoid, sparsemax, squareplus, tanh, tanh_shrink, threshold,
    ),
    aliases={"swish": silu, "hard_swish": hard_silu},
)  # fmt: skip


def get(identifier: Any) -> Any:
    """Return the activation for a name, a config, a function, a layer, or None (`linear`).

    Raises:
        ValueError: no activation has that name.

    Example:
        >>> get("relu") is relu, get(None) is linear
        (True, True)
    """
    if identifier is None:
        return linear
    return deserialize(identifier) if isinstance(identifier, dict) else _registry.get(identifier)


def serialize(activation: Any) -> Any:
    """The name of a function of this module, or the JSON config of any other activation.

    Example:
        >>> serialize(relu)
        'relu'
    """
    return _registry.serialize(activation)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Make an activation from `serialize(...)`, or from the name or config in a file of Keras."""
    if isinstance(config, dict) and config.get("class_name") == "function":
        config = config["config"]
    elif isinstance(config, dict) and config.get("class_name") in _registry.entries:
        config = config["class_name"]
    return _registry.deserialize(config, custom_objects)


def keeps_shape(activation: Any) -> bool:
    """Whether the output is known to have the input's shape: true of all functions here but `glu`."""
    return activation is not glu and _registry.entries.get(getattr(activation, "__name__", "")) is activation


__all__ = sorted(["deserialize", "get", "serialize", *_registry.entries])


def __dir__() -> list[str]:
    return __all__
