"""LAMB: Adam's step rescaled to the norm of each variable."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from kerasish.optimizers._kernels import descend_, track_square_
from kerasish.optimizers.optimizer import Optimizer


class Lamb(Optimizer):
    """LAMB: `w ← w − lr · ‖w‖ / ‖r‖ · r` with Adam's step `r = m̂ / (√v̂ + epsilon)`.

    `m̂ = m / (1 − beta_1^t)`, `v̂ = v / (1 − beta_2^t)`; the ratio of norms is 1 where either is 0.

    Args:
        learning_rate: float, schedule or callable.
        beta_1: memory of the first moment m.
        beta_2: memory of the second moment v.
        epsilon: added to the root.

    The other arguments are those of `Optimizer`.

    Example:
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> Lamb(learning_rate=0.1).apply([torch.tensor([2.0])], [w])
        >>> w.detach()
        tensor([0.9000])

    Source: You et al., https://arxiv.org/abs/1904.00962, algorithm 2.
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

    def _update(self, gradients: list[Tensor], variables: list[Tensor], learning_rate: Tensor) -> None:
        momentums = self._slots(self._momentums, variables)
        velocities = self._slots(self._velocities, variables)
        torch._foreach_lerp_(momentums, gradients, 1.0 - self.beta_1)
        track_square_(velocities, gradients, self.beta_2)
        step = (self.iterations + 1).to(learning_rate.device)
        scales = torch._foreach_div(velocities, 1.0 - torch.pow(self.beta_2, step))
        torch._foreach_sqrt_(scales)
        torch._foreach_add_(scales, self.epsilon)
        steps = torch._foreach_div(momentums, 1.0 - torch.pow(self.beta_1, step))
        torch._foreach_div_(steps, scales)
        weight_norms = torch.stack(torch._foreach_norm(variables))
        step_norms = torch.stack(torch._foreach_norm(steps))
        both = (weight_norms > 0) & (step_norms > 0)
        ratios = torch.where(both, weight_norms / step_norms, 1.0)
        torch._foreach_mul_(steps, list(ratios.unbind()))
        descend_(variables, steps, learning_rate)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
