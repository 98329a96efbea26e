"""Lion: the sign of an interpolated momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from kerasish.optimizers._kernels import descend_
from kerasish.optimizers.optimizer import Optimizer


class Lion(Optimizer):
    """Lion: `w ← w − lr · sign(beta_1 · m + (1 − beta_1) · g)`, then `m ← beta_2 · m + (1 − beta_2) · g`.

    Args:
        learning_rate: float, schedule or callable; 3 to 10 times smaller than Adam's.
        beta_1: weight of m in the step, in (0, 1].
        beta_2: memory of m.

    The other arguments are those of `Optimizer`.

    Raises:
        ValueError: `beta_1` outside (0, 1].

    Example:
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> Lion(learning_rate=0.1).apply([torch.tensor([2.0])], [w])
        >>> w.detach()
        tensor([0.9000])

    Source: Chen et al., https://arxiv.org/abs/2302.06675, algorithm 2.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
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
        if not 0 < beta_1 <= 1:
            raise ValueError(
                "Argument `beta_1` must be in the (0, 1] range. Otherwise, the optimizer degenerates to "
                f"SignSGD. Received: beta_1={beta_1}."
            )
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

    def build(self, var_list: Iterable[Tensor]) -> None:
        """Make the state for `var_list`."""
        if self.built:
            return
        super().build(var_list)
        self._momentums = self.add_optimizer_variables(self._trainable_variables, "momentum")

    def _update(self, gradients: list[Tensor], variables: list[Tensor], learning_rate: Tensor) -> None:
        momentums = self._slots(self._momentums, variables)
        steps = torch._foreach_lerp(momentums, gradients, 1.0 - self.beta_1)
        torch._foreach_sign_(steps)
        descend_(variables, steps, learning_rate)
        torch._foreach_lerp_(momentums, gradients, 1.0 - self.beta_2)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
        }
