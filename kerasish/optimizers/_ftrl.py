"""FTRL-Proximal: follow the regularised leader."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from kerasish.optimizers.optimizer import Optimizer


class Ftrl(Optimizer):
    """FTRL: keeps `z ← z + g − (a_new^p − a^p) / lr · w`, `a ← a + g²`, and sets w to the minimiser given z.

    `w = (clip(z, ±l1) − z) / ((beta + a^p) / lr + 2 · l2)` with `p = −learning_rate_power`.

    Args:
        learning_rate: float, schedule or callable.
        learning_rate_power: <= 0; −0.5 divides by the root of a.
        initial_accumulator_value: start of a; >= 0.
        l1_regularization_strength: l1, >= 0: sets small weights to exactly 0.
        l2_regularization_strength: l2, >= 0.
        l2_shrinkage_regularization_strength: >= 0; adds `2 · shrinkage · w` to the gradient in z alone.
        beta: the paper's β.

    The other arguments are those of `Optimizer`.

    Raises:
        ValueError: an argument outside its range.

    Example:
        >>> w = torch.nn.Parameter(torch.tensor([0.0]))
        >>> Ftrl(learning_rate=0.1).apply([torch.tensor([2.0])], [w])
        >>> w.detach()
        tensor([-0.0988])

    Source: McMahan et al., Ad click prediction, KDD 2013, algorithm 1.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
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
        for argument, value in (
            ("initial_accumulator_value", initial_accumulator_value),
            ("l1_regularization_strength", l1_regularization_strength),
            ("l2_regularization_strength", l2_regularization_strength),
            ("l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength),
        ):
            if value < 0:
                raise ValueError(f"`{argument}` needs to be positive or zero. Received: {argument}={value}.")
        if learning_rate_power > 0:
            raise ValueError(
                "`learning_rate_power` needs to be negative or zero. "
                f"Received: learning_rate_power={learning_rate_power}."
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
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta

    def build(self, var_list: Iterable[Tensor]) -> None:
        """Make the state for `var_list`."""
        if self.built:
            return
        super().build(var_list)
        self._squares, self._linears = self.add_optimizer_variables(
            self._trainable_variables, ["accumulator", "linear"]
        )
        for squares in self._squares:
            if squares is not None:
                squares.data.fill_(self.initial_accumulator_value)

    def _update(self, gradients: list[Tensor], variables: list[Tensor], learning_rate: Tensor) -> None:
        squares = self._slots(self._squares, variables)
        linears = self._slots(self._linears, variables)
        power = -self.learning_rate_power
        l1, shrinkage = self.l1_regularization_strength, self.l2_shrinkage_regularization_strength
        before = torch._foreach_pow(squares, power)
        torch._foreach_addcmul_(squares, gradients, gradients)
        scales = torch._foreach_pow(squares, power)
        growth = torch._foreach_sub(scales, before)
        torch._foreach_div_(growth, learning_rate)
        torch._foreach_add_(linears, gradients)
        if shrinkage:
            torch._foreach_add_(linears, variables, alpha=2.0 * shrinkage)
        torch._foreach_addcmul_(linears, growth, variables, value=-1.0)
        torch._foreach_add_(scales, self.beta)
        torch._foreach_div_(scales, learning_rate)
        torch._foreach_add_(scales, 2.0 * self.l2_regularization_strength)
        minima = torch._foreach_clamp_min(linears, -l1)
        torch._foreach_clamp_max_(minima, l1)
        torch._foreach_sub_(minima, linears)
        torch._foreach_div_(minima, scales)
        torch._foreach_copy_(variables, minima)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "learning_rate_power": self.learning_rate_power,
            "initial_accumulator_value": self.initial_accumulator_value,
            "l1_regularization_strength": self.l1_regularization_strength,
            "l2_regularization_strength": self.l2_regularization_strength,
            "l2_shrinkage_regularization_strength": self.l2_shrinkage_regularization_strength,
            "beta": self.beta,
        }
