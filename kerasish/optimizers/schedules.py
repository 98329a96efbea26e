"""Learning rate schedules: functions of the step on tensors, so that they run inside a captured step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from kerasish.config import get_device as _get_device
from kerasish.errors import received as _received
from kerasish.registry import Registry as _Registry

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "OneCycle",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]


class LearningRateSchedule:
    """Base class: `schedule(step)` is the learning rate at that step.

    Your own schedule overrides `__call__(step)`, where `step` is a 0-d integer tensor (the optimizer's count
    of calls), and `get_config()`. Compute with tensor operations: a schedule that returns a Python number
    makes the training step run uncaptured.
    """

    def __call__(self, step: Any) -> Any:
        """The learning rate at `step`."""
        raise NotImplementedError(f"{type(self).__name__} must override `__call__(self, step)`.")

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal schedule."""
        raise NotImplementedError(f"{type(self).__name__} must override `get_config(self)`.")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a schedule from `get_config()`."""
        return cls(**config)


def _as_step(step: Any) -> Tensor:
    step = step if isinstance(step, Tensor) else torch.as_tensor(step, device=_get_device())
    return step.detach().to(torch.float32)


def _check_positive(name: str, value: float) -> None:
    if value <= 0:
        raise ValueError(f"Argument `{name}` must be > 0. Received: {name}={value}")


class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate · decay_rate^(step / decay_steps)`.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: steps per factor of `decay_rate`; > 0.
        decay_rate: the factor.
        staircase: round `step / decay_steps` down.
        name: name of the schedule.

    Example:
        >>> ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)(20)
        tensor(0.0250)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        _check_positive("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """The learning rate at `step`."""
        periods = _as_step(step) / self.decay_steps
        if self.staircase:
            periods = periods.floor()
        return self.initial_learning_rate * torch.pow(float(self.decay_rate), periods)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal schedule."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


class InverseTimeDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + decay_rate · step / decay_steps)`.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: steps in which the divisor grows by `decay_rate`; > 0.
        decay_rate: growth of the divisor.
        staircase: round `step / decay_steps` down.
        name: name of the schedule.

    Example:
        >>> InverseTimeDecay(0.1, decay_steps=10, decay_rate=1.0)(10)
        tensor(0.0500)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        _check_positive("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """The learning rate at `step`."""
        periods = _as_step(step) / self.decay_steps
        if self.staircase:
            periods = periods.floor()
        return self.initial_learning_rate / (1.0 + self.decay_rate * periods)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal schedule."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[i]` from the step after `boundaries[i − 1]` up to and with step `boundaries[i]`.

    Args:
        boundaries: increasing step numbers.
        values: learning rates, one more than boundaries.
        name: name of the schedule.

    Raises:
        ValueError: the number of values is not that of the boundaries plus one.

    Example:
        >>> schedule = PiecewiseConstantDecay([100, 200], [0.1, 0.01, 0.001])
        >>> schedule(100), schedule(101)
        (tensor(0.1000), tensor(0.0100))
    """

    def __init__(
        self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant"
    ) -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of boundaries should be 1 less than the length of values. "
                f"Received: boundaries={_received(boundaries)}, values={_received(values)}"
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """The learning rate at `step`."""
        step = step if isinstance(step, Tensor) else torch.as_tensor(step, device=_get_device())
        rate = torch.full((), float(self.values[0]), device=step.device)
        for boundary, value in zip(self.boundaries, self.values[1:], strict=True):
            rate = torch.where(step > boundary, float(value), rate)
        return rate

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal schedule."""
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}


class PolynomialDecay(LearningRateSchedule):
    """`(initial − end) · (1 − step / decay_steps)^power + end`, with `step` at most `decay_steps`.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: steps until the end; > 0.
        end_learning_rate: the rate from then on.
        power: the exponent.
        cycle: instead of ending, stretch `decay_steps` to the next multiple that is >= `step`.
        name: name of the schedule.

    Example:
        >>> PolynomialDecay(0.1, decay_steps=10, end_learning_rate=0.0)(5)
        tensor(0.0500)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        _check_positive("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """The learning rate at `step`."""
        step = _as_step(step)
        if self.cycle:
            done = step / (self.decay_steps * (step / self.decay_steps).ceil().clamp_min(1.0))
        else:
            done = step.clamp_max(float(self.decay_steps)) / self.decay_steps
        span = self.initial_learning_rate - self.end_learning_rate
        return span * torch.pow(1.0 - done, self.power) + self.end_learning_rate

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal schedule."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate,
            "power": self.power,
            "cycle": self.cycle,
            "name": self.name,
        }


class CosineDecay(LearningRateSchedule):
    """From `initial` to `alpha · initial` along half a cosine: `initial · ((1 − alpha) · (1 + cos πt) / 2 +
    alpha)`.

    Here t = step / decay_steps, at most 1. With `warmup_target`, the rate first rises linearly from
    `initial_learning_rate` to `warmup_target` in `warmup_steps`, and decays from there.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: steps of the decay, after the warm-up; > 0.
        alpha: the last rate as a fraction of the first (or of `warmup_target`).
        name: name of the schedule.
        warmup_target: the rate at the end of the warm-up; None: no warm-up.
        warmup_steps: steps of the warm-up.

    Example:
        >>> CosineDecay(0.1, decay_steps=10)(5)
        tensor(0.0500)

    Source: Loshchilov and Hutter, SGDR, ICLR 2017, https://arxiv.org/abs/1608.03983, equation 5.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        _check_positive("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> Tensor:
        """The learning rate at `step`."""
        step = _as_step(step)
        if self.warmup_target is None:
            return self._decayed(step, self.initial_learning_rate)
        rise = (self.warmup_target - self.initial_learning_rate) / max(self.warmup_steps, 1)
        warm = self.initial_learning_rate + rise * step
        decayed = self._decayed(step - self.warmup_steps, self.warmup_target)
        return torch.where(step < self.warmup_steps, warm, decayed)

    def _decayed(self, step: Tensor, rate: float) -> Tensor:
        done = step.clamp_max(float(self.decay_steps)) / self.decay_steps
        return rate * ((1.0 - self.alpha) * 0.5 * (1.0 + torch.cos(math.pi * done)) + self.alpha)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal schedule."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            "name": self.name,
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }


class CosineDecayRestarts(LearningRateSchedule):
    """`CosineDecay` that restarts: period i lasts `first_decay_steps · t_mul^i` and starts at `initial ·
    m_mul^i`.

    Args:
        initial_learning_rate: the rate at step 0.
        first_decay_steps: steps of the first period; > 0.
        t_mul: growth of the period at each restart.
        m_mul: factor on the first rate of the period at each restart.
        alpha: the last rate of a period as a fraction of its first.
        name: name of the schedule.

    Example:
        >>> CosineDecayRestarts(0.1, first_decay_steps=10, m_mul=0.5)(10)
        tensor(0.0500)

    Source: Loshchilov and Hutter, SGDR, ICLR 2017, https://arxiv.org/abs/1608.03983, equation 5.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        _check_positive("first_decay_steps", first_decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self._t_mul = t_mul
        self._m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """The learning rate at `step`."""
        periods = _as_step(step) / self.first_decay_steps
        if self._t_mul == 1.0:
            restarts = periods.floor()
            done = periods - restarts
        else:
            growth = 1.0 - periods * (1.0 - self._t_mul)
            restarts = (growth.log() / math.log(self._t_mul)).floor()
            length = torch.pow(float(self._t_mul), restarts)
            done = (periods - (1.0 - length) / (1.0 - self._t_mul)) / length
        top = torch.pow(float(self._m_mul), restarts)
        cosine = 0.5 * top * (1.0 + torch.cos(math.pi * done))
        return self.initial_learning_rate * ((1.0 - self.alpha) * cosine + self.alpha)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal schedule."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "first_decay_steps": self.first_decay_steps,
            "t_mul": self._t_mul,
            "m_mul": self._m_mul,
            "alpha": self.alpha,
            "name": self.name,
        }


class OneCycle(LearningRateSchedule):
    """One rise from `max / initial_divisor` to `max` and one fall to `max / (initial_divisor · final_divisor)`.

    kerasish's own. Each leg goes from a to b as `b + (a − b) · (1 + cos πt) / 2`, or as `b + (a − b) · (1 − t)`
    with `shape="linear"`, where t in [0, 1] is the part of the leg that is done. After the last step the rate stays.

    Args:
        max_learning_rate: the highest rate, `max`; > 0.
        total_steps: steps of the whole cycle, epochs · batches per epoch; at least 2.
        warmup_fraction: part of the steps that belongs to the rise; in (0, 1).
        initial_divisor: `max` over the first rate.
        final_divisor: the first rate over the last.
        shape: `"cosine"` or `"linear"`.
        name: name of the schedule.

    Raises:
        ValueError: an argument out of its range.

    Example:
        >>> schedule = OneCycle(1.0, total_steps=101, warmup_fraction=0.5, initial_divisor=10.0)
        >>> schedule(0), schedule(100)
        (tensor(0.1000), tensor(1.0000e-05))

    Source: Smith, A disciplined approach to neural network hyper-parameters, 2018,
    https://arxiv.org/abs/1803.09820, section 4.1 (there linear).

    Differs: `torch.optim.lr_scheduler.OneCycleLR` has the same rates, and moves the momentum the other way.
    """

    def __init__(
        self,
        max_learning_rate: float,
        total_steps: int,
        warmup_fraction: float = 0.3,
        initial_divisor: float = 25.0,
        final_divisor: float = 1e4,
        shape: str = "cosine",
        name: str = "OneCycle",
    ) -> None:
        _check_positive("max_learning_rate", max_learning_rate)
        _check_positive("initial_divisor", initial_divisor)
        _check_positive("final_divisor", final_divisor)
        if total_steps < 2:
            raise ValueError(f"Argument `total_steps` must be >= 2. Received: total_steps={total_steps}")
        if not 0 < warmup_fraction < 1:
            raise ValueError(
                f"Argument `warmup_fraction` must be in (0, 1). Received: warmup_fraction={warmup_fraction}"
            )
        if shape not in ("cosine", "linear"):
            raise ValueError(f"Argument `shape` must be 'cosine' or 'linear'. Received: shape={shape!r}")
        self.max_learning_rate = max_learning_rate
        self.total_steps = total_steps
        self.warmup_fraction = warmup_fraction
        self.initial_divisor = initial_divisor
        self.final_divisor = final_divisor
        self.shape = shape
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """The learning rate at `step`."""
        step = _as_step(step)
        last = float(self.total_steps - 1)
        peak = min(max(self.warmup_fraction * self.total_steps - 1.0, 0.0), last)
        first_rate = self.max_learning_rate / self.initial_divisor
        rise = self._leg((peak - step) / peak, first_rate, self.max_learning_rate) if peak else first_rate
        last_rate = first_rate / self.final_divisor
        fall = self._leg((last - step) / (last - peak), self.max_learning_rate, last_rate)
        return torch.where(step < peak, rise, fall)

    def _leg(self, left: Tensor, start: float, end: float) -> Tensor:
        left = left.clamp(0.0, 1.0)
        if self.shape == "cosine":
            left = 0.5 * (1.0 - torch.cos(math.pi * left))
        return end + (start - end) * left

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal schedule."""
        return {
            "max_learning_rate": self.max_learning_rate,
            "total_steps": self.total_steps,
            "warmup_fraction": self.warmup_fraction,
            "initial_divisor": self.initial_divisor,
            "final_divisor": self.final_divisor,
            "shape": self.shape,
            "name": self.name,
        }


_registry = _Registry(
    "learning rate schedule",
    "keras.optimizers.schedules",
    classes=(
        CosineDecay,
        CosineDecayRestarts,
        ExponentialDecay,
        InverseTimeDecay,
        OneCycle,
        PiecewiseConstantDecay,
        PolynomialDecay,
    ),
    instantiate=False,
)


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """A schedule → Keras's JSON config."""
    return _registry.serialize(learning_rate_schedule)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """Keras's JSON config → the schedule."""
    return _registry.deserialize(config, custom_objects=custom_objects)


def __dir__() -> list[str]:
    return sorted(__all__)
