"""Adafactor: second moments kept as row and column means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from kerasish.optimizers.optimizer import Optimizer


class Adafactor(Optimizer):
    """Adafactor: `w ← w − α · û` with `u = g / √v` and v the outer product of running row and column means
    of g².

    `v = r cᵀ / mean(r)` for tensors of two or more dimensions (a full v otherwise), memory `1 −
    t^beta_2_decay`; `û = u / max(1, rms(u) / clip_threshold)`; `α = max(epsilon_2, rms(w)) · lr_t`.

    Args:
        learning_rate: float, schedule or callable.
        beta_2_decay: exponent of the memory, negative.
        epsilon_1: added to g².
        epsilon_2: least scale of a variable.
        clip_threshold: largest root mean square of a step.
        relative_step: with a constant learning rate, `lr_t = min(lr, 1 / √t)`.

    The other arguments are those of `Optimizer`.

    Example:
        >>> w = torch.nn.Parameter(torch.ones(2, 2))
        >>> Adafactor(learning_rate=0.1).apply([torch.ones(2, 2)], [w])
        >>> w.detach()
        tensor([[0.9000, 0.9000],
                [0.9000, 0.9000]])

    Source: Shazeer and Stern, https://arxiv.org/abs/1804.04235, algorithms 4 and 5.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            clipnorm=clipnorm,
            clipvalue=clipvalue,
            global_clipnorm=global_clipnorm,
            use_ema=use_ema,
            ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency,
            loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps,
            name=name,
            **kwargs,
        )
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def build(self, var_list: Iterable[Tensor]) -> None:
        """Make the state for `var_list`."""
        if self.built:
            return
        super().build(var_list)
        self._rows: list = []
        self._columns: list = []
        self._velocities: list = []
        for variable in self._trainable_variables:
            if getattr(variable, "overwrite_with_gradient", False):
                for slots in (self._rows, self._columns, self._velocities):
                    slots.append(None)
                continue
            shape = tuple(variable.shape)
            is_matrix = len(shape) >= 2
            self._rows.append(self._add_mean(variable, shape[:-1] if is_matrix else ()))
            self._columns.append(self._add_mean(variable, shape[:-2] + shape[-1:] if is_matrix else ()))
            self._velocities.append(self.add_variable_from_reference(variable, "velocity"))

    def _add_mean(self, variable: Tensor, shape: tuple[int, ...]) -> Tensor:
        mean = self.add_variable(shape, dtype=variable.dtype, name=self._name_of(variable).replace("/", "_"))
        mean.data = mean.data.to(variable.device)
        return mean

    def _update(self, gradients: list[Tensor], variables: list[Tensor], learning_rate: Tensor) -> None:
        step = (self.iterations + 1).to(learning_rate.device)
        if self.relative_step and isinstance(self._learning_rate, Tensor):
            learning_rate = torch.minimum(learning_rate, step.rsqrt())
        forget = torch.pow(step, self.beta_2_decay)
        for gradient, variable in zip(gradients, variables, strict=True):
            i = self._positions[id(variable)]
            weight = forget.to(variable.dtype)
            squares = gradient.square() + self.epsilon_1
            if variable.dim() >= 2:
                row, column = self._rows[i], self._columns[i]
                row.lerp_(squares.mean(-1), weight)
                column.lerp_(squares.mean(-2), weight)
                velocity = (row / row.mean(-1, keepdim=True)).unsqueeze(-1) * column.unsqueeze(-2)
                self._velocities[i].copy_(velocity)
            else:
                velocity = self._velocities[i]
                velocity.lerp_(squares, weight)
            tiny = torch.finfo(
                velocity.dtype
            ).tiny  # units without any gradient: Keras divides zero by zero there
            update = gradient * velocity.clamp_min(tiny).rsqrt()
            update = update / (_rms(update) / self.clip_threshold).clamp_min(1.0)
            scale = _rms(variable).clamp_min(self.epsilon_2)
            variable.sub_(update * (scale * learning_rate))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "beta_2_decay": self.beta_2_decay,
            "epsilon_1": self.epsilon_1,
            "epsilon_2": self.epsilon_2,
            "clip_threshold": self.clip_threshold,
            "relative_step": self.relative_step,
        }


def _rms(x: Tensor) -> Tensor:
    return x.square().mean().sqrt()
