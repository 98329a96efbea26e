"""Penalties on weights or activations, added to the loss."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F

from kerasish.config import epsilon, floatx
from kerasish.dtypes import torch_dtype
from kerasish.errors import format_shape
from kerasish.legacy.arguments import taking_old_ones
from kerasish.registry import Registry


class Regularizer:
    """Base of all penalties: override `__call__(x)`, and `get_config()` for saving.

    Example:
        >>> class Cubic(Regularizer):
        ...     def __call__(self, x):
        ...         return 0.1 * torch.sum(torch.abs(x) ** 3)
        >>> round(Cubic()(torch.tensor([1.0, -2.0])).item(), 4)
        0.9
    """

    def __call__(self, x: Any) -> Any:
        return 0.0

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal penalty."""
        raise NotImplementedError(f"{type(self).__name__} must define `get_config()` to be saved.")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a penalty from `get_config()`."""
        return cls(**config)


def _factor(value: Any, name: str, default: float) -> float:
    value = default if value is None else value
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, str) or not math.isfinite(number) or number < 0:
        raise ValueError(f"`{name}` must be a finite number ≥ 0. Received: {name}={value!r}")
    return number


def _rounded(number: float) -> float:
    """The number as `floatx()` holds it: Keras computes with that, and writes that to files."""
    return torch.tensor(number, dtype=torch_dtype(floatx())).item()


class L1(Regularizer):
    """Sum of absolute values: `l1 · Σ|x|`.

    Args:
        l1: factor, ≥ 0.

    Example:
        >>> round(L1(0.1)(torch.tensor([1.0, -2.0])).item(), 4)
        0.3
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _rounded(_factor(l1, "l1", 0.01))

    def __call__(self, x: Any) -> torch.Tensor:
        return self.l1 * torch.sum(torch.abs(torch.as_tensor(x)))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal penalty."""
        return {"l1": self.l1}


class L2(Regularizer):
    """Sum of squares: `l2 · Σx²`.

    Args:
        l2: factor, ≥ 0.

    Differs: the gradient is `2 · l2 · x`, so torch's `weight_decay=w` is `l2=w/2`.
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _factor(l2, "l2", 0.01)

    def __call__(self, x: Any) -> torch.Tensor:
        return self.l2 * torch.sum(torch.square(torch.as_tensor(x)))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal penalty."""
        return {"l2": self.l2}


class L1L2(Regularizer):
    """Both penalties: `l1 · Σ|x| + l2 · Σx²`.

    Args:
        l1: factor of the absolute values, ≥ 0.
        l2: factor of the squares, ≥ 0.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = _factor(l1, "l1", 0.0)
        self.l2 = _factor(l2, "l2", 0.0)

    def __call__(self, x: Any) -> torch.Tensor:
        x = torch.as_tensor(x)
        if not self.l1:
            return self.l2 * torch.sum(torch.square(x))
        penalty = self.l1 * torch.sum(torch.abs(x))
        return penalty + self.l2 * torch.sum(torch.square(x)) if self.l2 else penalty

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal penalty."""
        return {"l1": self.l1, "l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """Mean absolute cosine between the rows (or columns) of a matrix: `factor · mean_{i<j} |cos(x_i, x_j)|`.

    Args:
        factor: ≥ 0.
        mode: `"rows"` or `"columns"`: which of them to make orthogonal.

    Raises:
        ValueError: the input is not a matrix.

    Differs: a matrix of one row has no pairs, and costs 0 (Keras gives NaN).
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        if mode not in ("rows", "columns"):
            raise ValueError(f"`mode` must be 'rows' or 'columns'. Received: mode={mode!r}")
        self.factor = _rounded(_factor(factor, "factor", 0.01))
        self.mode = mode

    def __call__(self, inputs: Any) -> torch.Tensor:
        inputs = torch.as_tensor(inputs)
        if inputs.ndim != 2:
            raise ValueError(
                "OrthogonalRegularizer needs a matrix: reshape the weights to two dimensions, or regularize "
                f"another layer. Received: shape {format_shape(inputs.shape)}"
            )
        vectors = inputs if self.mode == "rows" else inputs.T
        directions = F.normalize(vectors, dim=1, eps=epsilon())
        cosines = torch.triu(directions @ directions.T, diagonal=1)
        count = len(vectors)
        pairs = max(count * (count - 1) // 2, 1)
        return self.factor * torch.sum(torch.abs(cosines)) / pairs

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal penalty."""
        return {"factor": self.factor, "mode": self.mode}


for _cls in (L1, L2):
    _cls.__init__ = taking_old_ones(_cls.__name__, _cls.__init__)  # type: ignore[method-assign]

l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer

_registry = Registry(
    "regularizer",
    "keras.regularizers",
    classes=(L1, L2, L1L2, OrthogonalRegularizer),
    aliases={"l1_l2": L1L2},
)


def get(identifier: Any) -> Any:
    """Return the regularizer for a name, a config, a class, an object, a function, or None.

    Example:
        >>> get("l2").l2
        0.01
    """
    return _registry.get(identifier)


def serialize(regularizer: Any) -> Any:
    """The JSON config of a regularizer."""
    return _registry.serialize(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Make a regularizer from `serialize(...)`, or from the config in a file of Keras."""
    return _registry.deserialize(config, custom_objects)


__all__ = [
    "L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer", "deserialize", "get", "l1", "l1_l2", "l2",
    "orthogonal_regularizer", "serialize",
]  # fmt: skip


def __dir__() -> list[str]:
    return __all__
