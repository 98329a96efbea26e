"""RMSprop: gradients divided by their running root mean square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from kerasish.optimizers._kernels import descend_, track_square_
from kerasish.optimizers.optimizer import Optimizer


class RMSprop(Optimizer):
    """RMSprop: `v ← rho · v + (1 − rho) · g²`, `w ← w − lr · g / √(v + epsilon)`.

    Args:
        learning_rate: float, schedule or callable.
        rho: memory of the running mean of squares.
        momentum: with it `m ← momentum · m + lr · g / √(v + epsilon)`, `w ← w − m`; 0: none.
        epsilon: added under the root.
        centered: divide by the running standard deviation: v − (running mean of g)².

    The other arguments are those of `Optimizer`.

    Example:
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> RMSprop(learning_rate=0.1).apply([torch.tensor([2.0])], [w])
        >>> w.detach()
        tensor([0.6838])

    Source: Tieleman and Hinton, Lecture 6.5, Coursera 2012; centered: Graves,
    https://arxiv.org/abs/1308.0850.

    Differs: torch.optim.RMSprop adds epsilon outside the root.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def build(self, var_list: Iterable[Tensor]) -> None:
        """Make the state for `var_list`."""
        if self.built:
            return
        super().build(var_list)
        self._velocities = self.add_optimizer_variables(self._trainable_variables, "velocity")
        if self.momentum > 0:
            self._momentums = self.add_optimizer_variables(self._trainable_variables, "momentum")
        if self.centered:
            self._average_gradients = self.add_optimizer_variables(
                self._trainable_variables, "average_gradient"
            )

    def _update(self, gradients: list[Tensor], variables: list[Tensor], learning_rate: Tensor) -> None:
        velocities = self._slots(self._velocities, variables)
        track_square_(velocities, gradients, self.rho)
        if self.centered:
            means = self._slots(self._average_gradients, variables)
            torch._foreach_lerp_(means, gradients, 1.0 - self.rho)
            scales = torch._foreach_addcmul(velocities, means, means, value=-1.0)
            torch._foreach_add_(scales, self.epsilon)
        else:
            scales = torch._foreach_add(velocities, self.epsilon)
        torch._foreach_sqrt_(scales)
        if self.momentum > 0:
            momentums = self._slots(self._momentums, variables)
            torch._foreach_mul_(momentums, self.momentum)
            torch._foreach_addcdiv_(momentums, torch._foreach_mul(gradients, learning_rate), scales)
            torch._foreach_sub_(variables, momentums)
        else:
            descend_(variables, torch._foreach_div(gradients, scales), learning_rate)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
