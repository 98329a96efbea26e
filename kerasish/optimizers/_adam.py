"""Adam: first moment over the root of the second."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from kerasish.optimizers._kernels import adam_, adam_step_size, endless_step
from kerasish.optimizers.optimizer import Optimizer


class Adam(Optimizer):
    """Adam: `m ← m + (1 − beta_1)(g − m)`, `v ← v + (1 − beta_2)(g² − v)`, `w ← w − α · m / (√v + epsilon)`.

    Here `α = lr · √(1 − beta_2^t) / (1 − beta_1^t)` at update t = 1, 2, …

    Args:
        learning_rate: float, schedule or callable.
        beta_1: memory of the first moment m.
        beta_2: memory of the second moment v.
        epsilon: added to the root.
        amsgrad: divide by the largest v so far.

    The other arguments are those of `Optimizer`.

    Example:
        >>> import torch
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> Adam(learning_rate=0.1).apply([torch.tensor([2.0])], [w])
        >>> w.detach()
        tensor([0.9000])

    Source: Kingma and Ba, https://arxiv.org/abs/1412.6980, end of section 2 ("epsilon hat"); amsgrad: Reddi
    et al., ICLR 2018, algorithm 2.

    Differs: torch.optim.Adam adds epsilon, 1e-8, to the bias-corrected root.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        self.amsgrad = amsgrad

    def build(self, var_list: Iterable[Tensor]) -> None:
        """Make the state for `var_list`."""
        if self.built:
            return
        super().build(var_list)
        self._momentums, self._velocities = self.add_optimizer_variables(
            self._trainable_variables, ["momentum", "velocity"]
        )
        self._endless = endless_step(self._iterations.device)
        self._velocity_hats: list = []
        if self.amsgrad:
            self._velocity_hats = self.add_optimizer_variables(self._trainable_variables, "velocity_hat")

    def _update(self, gradients: list[Tensor], variables: list[Tensor], learning_rate: Tensor) -> None:
        adam_(
            variables,
            gradients,
            self._slots(self._momentums, variables),
            self._slots(self._velocities, variables),
            self._slots(self._velocity_hats, variables) if self.amsgrad else [],
            step_size=adam_step_size(self.iterations, learning_rate, self.beta_1, self.beta_2),
            endless=self._endless,
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            epsilon=self.epsilon,
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }
