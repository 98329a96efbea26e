"""Adagrad: gradients divided by the root of their summed squares."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from kerasish.optimizers._kernels import descend_
from kerasish.optimizers.optimizer import Optimizer


class Adagrad(Optimizer):
    """Adagrad: `a ← a + g²`, `w ← w − lr · g / √(a + epsilon)`.

    Args:
        learning_rate: float, schedule or callable.
        initial_accumulator_value: start of a; >= 0.
        epsilon: added under the root.

    The other arguments are those of `Optimizer`.

    Example:
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> Adagrad(learning_rate=0.1).apply([torch.tensor([2.0])], [w])
        >>> w.detach()
        tensor([0.9012])

    Source: Duchi, Hazan and Singer, JMLR 12 (2011), figure 1.

    Differs: torch.optim.Adagrad adds epsilon outside the root and starts its accumulator at 0.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
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
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def build(self, var_list: Iterable[Tensor]) -> None:
        """Make the state for `var_list`."""
        if self.built:
            return
        super().build(var_list)
        self._accumulator_slots = self.add_optimizer_variables(self._trainable_variables, "accumulator")
        for accumulator in self._accumulator_slots:
            if accumulator is not None:
                accumulator.data.fill_(self.initial_accumulator_value)

    def _update(self, gradients: list[Tensor], variables: list[Tensor], learning_rate: Tensor) -> None:
        accumulators = self._slots(self._accumulator_slots, variables)
        torch._foreach_addcmul_(accumulators, gradients, gradients)
        scales = torch._foreach_add(accumulators, self.epsilon)
        torch._foreach_sqrt_(scales)
        descend_(variables, torch._foreach_div(gradients, scales), learning_rate)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "initial_accumulator_value": self.initial_accumulator_value,
            "epsilon": self.epsilon,
        }
