"""Nadam: Adam with Nesterov's momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from kerasish.optimizers._kernels import track_square_
from kerasish.optimizers.optimizer import Optimizer


class Nadam(Optimizer):
    """Nadam: Adam whose first moment looks one step ahead, with the momentum `u_t = beta_1 (1 − 0.96^t / 2)`.

    `m̂ = u_{t+1} m / (1 − Π_{i≤t+1} u_i) + (1 − u_t) g / (1 − Π_{i≤t} u_i)`, `v̂ = v / (1 − beta_2^t)`,
    `w ← w − lr · m̂ / (√v̂ + epsilon)`.

    Args:
        learning_rate: float, schedule or callable.
        beta_1: memory of the first moment m.
        beta_2: memory of the second moment v.
        epsilon: added to the root.

    The other arguments are those of `Optimizer`.

    Example:
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> Nadam(learning_rate=0.1).apply([torch.tensor([2.0])], [w])
        >>> w.detach()
        tensor([0.8937])

    Source: Dozat, Incorporating Nesterov momentum into Adam, ICLR workshop 2016, algorithm 2.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
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
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, var_list: Iterable[Tensor]) -> None:
        """Make the state for `var_list`."""
        if self.built:
            return
        super().build(var_list)
        self._momentums, self._velocities = self.add_optimizer_variables(
            self._trainable_variables, ["momentum", "velocity"]
        )
        self._u_product = self.add_variable((), torch.ones(()), "float32", name="u_product")

    def _momentum_at(self, step: Tensor) -> Tensor:
        return self.beta_1 * (1.0 - 0.5 * torch.pow(0.96, step))

    def _begin_update(self) -> None:
        self._u_product.mul_(self._momentum_at(self.iterations + 1))

    def _update(self, gradients: list[Tensor], variables: list[Tensor], learning_rate: Tensor) -> None:
        momentums = self._slots(self._momentums, variables)
        velocities = self._slots(self._velocities, variables)
        torch._foreach_lerp_(momentums, gradients, 1.0 - self.beta_1)
        track_square_(velocities, gradients, self.beta_2)
        device = learning_rate.device
        step = (self.iterations + 1).to(device)
        product = self._u_product.to(device)
        u, u_next = self._momentum_at(step), self._momentum_at(step + 1)
        steps = torch._foreach_mul(momentums, learning_rate * u_next / (1.0 - product * u_next))
        torch._foreach_add_(steps, torch._foreach_mul(gradients, learning_rate * (1.0 - u) / (1.0 - product)))
        scales = torch._foreach_div(velocities, 1.0 - torch.pow(self.beta_2, step))
        torch._foreach_sqrt_(scales)
        torch._foreach_add_(scales, self.epsilon)
        torch._foreach_addcdiv_(variables, steps, scales, value=-1.0)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
