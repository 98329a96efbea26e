"""Adadelta: steps scaled by the ratio of running root mean squares of steps and gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from kerasish.optimizers._kernels import descend_, track_square_
from kerasish.optimizers.optimizer import Optimizer


class Adadelta(Optimizer):
    """Adadelta: `w ← w − lr · d` with `d = g · √(e + epsilon) / √(a + epsilon)`.

    Here `a ← rho · a + (1 − rho) · g²` before the step and `e ← rho · e + (1 − rho) · d²` after it.

    Args:
        learning_rate: float, schedule or callable; the paper's is 1.0.
        rho: memory of the running means.
        epsilon: added under the roots.

    The other arguments are those of `Optimizer`.

    Example:
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> Adadelta(learning_rate=1.0).apply([torch.tensor([2.0])], [w])
        >>> w.detach()
        tensor([0.9986])

    Source: Zeiler, https://arxiv.org/abs/1212.5701, algorithm 1.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
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
        self.rho = rho
        self.epsilon = epsilon

    def build(self, var_list: Iterable[Tensor]) -> None:
        """Make the state for `var_list`."""
        if self.built:
            return
        super().build(var_list)
        self._squares, self._step_squares = self.add_optimizer_variables(
            self._trainable_variables, ["accumulated_grad", "accumulated_delta_var"]
        )

    def update_step(self, grad: Tensor, variable: Tensor, learning_rate: Tensor) -> None:
        """Update one variable in place."""
        self._update([grad], [variable], learning_rate)

    def _update(self, gradients: list[Tensor], variables: list[Tensor], learning_rate: Tensor) -> None:
        squares = self._slots(self._squares, variables)
        step_squares = self._slots(self._step_squares, variables)
        track_square_(squares, gradients, self.rho)
        steps = torch._foreach_add(step_squares, self.epsilon)
        torch._foreach_div_(steps, torch._foreach_add(squares, self.epsilon))
        torch._foreach_sqrt_(steps)
        torch._foreach_mul_(steps, gradients)
        track_square_(step_squares, list(steps), self.rho)
        descend_(variables, steps, learning_rate)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "rho": self.rho,
            "epsilon": self.epsilon,
        }
