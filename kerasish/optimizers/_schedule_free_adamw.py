"""Schedule-free AdamW: the running mean of Adam's iterates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kerasish.optimizers._kernels import descend_, track_square_
from kerasish.optimizers.optimizer import Optimizer


class ScheduleFreeAdamW(Optimizer):
    """Schedule-free AdamW: steps on a sequence z, `z ← z − lr_t · g / (√v̂ + epsilon)`; the variables are
    its mean.

    `w ← w + (z − w) / t` at update t = 1, 2, …; `v̂ = v / (1 − beta_2^t)`; `lr_t = lr · min(1, t /
    warmup_steps)`.

    Args:
        learning_rate: float, schedule or callable.
        beta_1: the paper's interpolation weight; see Differs.
        beta_2: memory of the second moment v.
        epsilon: added to the root.
        warmup_steps: updates in which the learning rate rises linearly; 0: none.

    The other arguments are those of `Optimizer`.

    Example:
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> ScheduleFreeAdamW(learning_rate=0.1).apply([torch.tensor([2.0])], [w])
        >>> w.detach()
        tensor([0.9000])

    Source: Defazio et al., https://arxiv.org/abs/2405.15682, algorithm 1.

    Differs: the paper takes gradients at `(1 − beta_1) z + beta_1 w`; Keras takes them at w, so that
    `beta_1` changes nothing, and so does this class, step for step.
    """

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
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
        self.warmup_steps = warmup_steps

    def build(self, var_list: Iterable[Tensor]) -> None:
        """Make the state for `var_list`."""
        if self.built:
            return
        super().build(var_list)
        self._momentums, self._velocities = self.add_optimizer_variables(
            self._trainable_variables, ["momentum", "velocity"]
        )
        with torch.no_grad():
            for momentum, variable in zip(self._momentums, self._trainable_variables, strict=True):
                if momentum is not None:
                    momentum.copy_(variable)

    def _update(self, gradients: list[Tensor], variables: list[Tensor], learning_rate: Tensor) -> None:
        iterates = self._slots(self._momentums, variables)
        velocities = self._slots(self._velocities, variables)
        step = (self.iterations + 1).to(learning_rate.device)
        if self.warmup_steps > 0:
            learning_rate = learning_rate * (step / self.warmup_steps).clamp_max(1.0)
        beta_2 = self.beta_2 if variables[0].dtype is torch.float64 else float(np.float32(self.beta_2))
        track_square_(velocities, gradients, beta_2)
        scales = torch._foreach_div(velocities, 1.0 - torch.pow(self.beta_2, step))
        torch._foreach_sqrt_(scales)
        torch._foreach_add_(scales, self.epsilon)
        descend_(iterates, torch._foreach_div(gradients, scales), learning_rate)
        descend_(variables, torch._foreach_sub(variables, iterates), 1.0 / step)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "warmup_steps": self.warmup_steps,
        }
