"""Constraints: functions applied to a weight after every training step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from kerasish.config import epsilon
from kerasish.registry import Registry
from kerasish.serialization import deserialize_keras_object


class Constraint:
    """Base of all constraints: override `__call__(w)`, which returns the new weight.

    Example:
        >>> class Bounded(Constraint):
        ...     def __call__(self, w):
        ...         return torch.clamp(w, -1, 1)
        >>> Bounded()(torch.tensor([-3.0, 0.5])).tolist()
        [-1.0, 0.5]
    """

    def __call__(self, w: Any) -> Any:
        return w

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal constraint."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a constraint from `get_config()`."""
        return cls(
            **{k: deserialize_keras_object(v) if isinstance(v, dict) else v for k, v in config.items()}
        )


def _norm(w: torch.Tensor, axis: int | Sequence[int]) -> torch.Tensor:
    return torch.linalg.vector_norm(w, dim=axis if isinstance(axis, int) else tuple(axis), keepdim=True)


class MaxNorm(Constraint):
    """Shrink the weights whose norm exceeds a limit: `w · min(‖w‖, max_value) / (‖w‖ + ε)`.

    Args:
        max_value: largest norm.
        axis: the axis or axes along which the norm is taken: 0 for a Dense kernel (in, out), which limits the
            incoming weights of each unit; [0, 1, 2] for a Conv2D kernel.

    Source: Srivastava et al., 2014, *Dropout: a simple way to prevent neural
    networks from overfitting*, §5.1.
    """

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> torch.Tensor:
        w = torch.as_tensor(w)
        norm = _norm(w, self.axis)
        return w * (torch.clamp(norm, 0, self.max_value) / (norm + epsilon()))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal constraint."""
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """Set negative weights to zero: `max(w, 0)`.

    Example:
        >>> NonNeg()([-1.0, 2.0]).tolist()
        [0.0, 2.0]
    """

    def __call__(self, w: Any) -> torch.Tensor:
        return torch.relu(torch.as_tensor(w))


class UnitNorm(Constraint):
    """Give the weights norm 1: `w / (‖w‖ + ε)`.

    Args:
        axis: the axis or axes along which the norm is taken, as for `MaxNorm`.
    """

    def __init__(self, axis: int | Sequence[int] = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> torch.Tensor:
        w = torch.as_tensor(w)
        return w / (_norm(w, self.axis) + epsilon())

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal constraint."""
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Bring the norm into [min_value, max_value]: `w · (rate · clip(‖w‖) + (1 − rate) · ‖w‖) / (‖w‖ + ε)`.

    Args:
        min_value: smallest norm.
        max_value: largest norm.
        rate: how far to go in one step, from 0 (not at all) to 1 (all the way).
        axis: the axis or axes along which the norm is taken, as for `MaxNorm`.
    """

    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: int | Sequence[int] = 0,
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> torch.Tensor:
        w = torch.as_tensor(w)
        norm = _norm(w, self.axis)
        clipped = torch.clamp(norm, self.min_value, self.max_value)
        target = self.rate * clipped + (1 - self.rate) * norm
        return w * (target / (norm + epsilon()))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal constraint."""
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }


max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm
maxnorm = MaxNorm
nonneg = NonNeg
unitnorm = UnitNorm

_registry = Registry(
    "constraint",
    "keras.constraints",
    classes=(MaxNorm, MinMaxNorm, NonNeg, UnitNorm),
    aliases={"maxnorm": MaxNorm, "nonneg": NonNeg, "unitnorm": UnitNorm},
)


def get(identifier: Any) -> Any:
    """Return the constraint for a name, a config, a class, an object, a function, or None.

    Example:
        >>> get("max_norm").max_value
        2
    """
    return _registry.get(identifier)


def serialize(constraint: Any) -> Any:
    """The JSON config of a constraint."""
    return _registry.serialize(constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Make a constraint from `serialize(...)`, or from the config in a file of Keras."""
    return _registry.deserialize(config, custom_objects)


__all__ = [
    "Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "max_norm",
    "min_max_norm", "non_neg", "serialize", "unit_norm",
]  # fmt: skip


def __dir__() -> list[str]:
    return __all__
