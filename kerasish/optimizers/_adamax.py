"""Adamax: Adam with the largest gradient in place of the root mean square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from kerasish.optimizers.optimizer import Optimizer


class Adamax(Optimizer):
    """Adamax: `m ← m + (1 − beta_1)(g − m)`, `u ← max(beta_2 · u, |g|)`, `w ← w − lr / (1 − beta_1^t) · m /
    (u + epsilon)`.

    Args:
        learning_rate: float, schedule or callable.
        beta_1: memory of the first moment m.
        beta_2: memory of the norm u.
        epsilon: added to u.

    The other arguments are those of `Optimizer`.

    Example:
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> Adamax(learning_rate=0.1).apply([torch.tensor([2.0])], [w])
        >>> w.detach()
        tensor([0.9000])

    Source: Kingma and Ba, https://arxiv.org/abs/1412.6980, algorithm 2.
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
        self._momentums, self._norms = self.add_optimizer_variables(
            self._trainable_variables, ["momentum", "norm"]
        )

    def _update(self, gradients: list[Tensor], variables: list[Tensor], learning_rate: Tensor) -> None:
        momentums = self._slots(self._momentums, variables)
        norms = self._slots(self._norms, variables)
        torch._foreach_lerp_(momentums, gradients, 1.0 - self.beta_1)
        torch._foreach_mul_(norms, self.beta_2)
        torch._foreach_maximum_(norms, torch._foreach_abs(gradients))
        step = (self.iterations + 1).to(learning_rate.device)
        rate = learning_rate / (1.0 - torch.pow(self.beta_1, step))
        scales = torch._foreach_add(norms, self.epsilon)
        torch._foreach_addcdiv_(variables, torch._foreach_mul(momentums, rate), scales, value=-1.0)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
