"""Gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from kerasish.optimizers._kernels import accelerate_, descend_
from kerasish.optimizers.optimizer import Optimizer


class SGD(Optimizer):
    """Gradient descent: `w ← w − lr · g`; with momentum `m ← momentum · m − lr · g`, `w ← w + m`.

    Args:
        learning_rate: float, schedule or callable.
        momentum: in [0, 1]; 0: none.
        nesterov: look ahead: `w ← w + momentum · m − lr · g`.

    The other arguments are those of `Optimizer`.

    Raises:
        ValueError: `momentum` outside [0, 1].

    Example:
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> SGD(learning_rate=0.1).apply([torch.tensor([2.0])], [w])
        >>> w.detach()
        tensor([0.8000])

    Source: Sutskever et al., On the importance of initialization and momentum, ICML 2013, equations 1 to 4.

    Differs: torch.optim.SGD multiplies by the learning rate after the momentum, which is the same only while
    the learning rate stays constant.
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        if not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise ValueError(f"`momentum` must be a float between [0, 1]. Received: momentum={momentum!r}")
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
        self.momentum = momentum
        self.nesterov = nesterov

    def build(self, variables: Iterable[Tensor]) -> None:
        """Make the state for `variables`."""
        if self.built:
            return
        super().build(variables)
        self.momentums: list = []
        if self.momentum:
            self.momentums = self.add_optimizer_variables(self._trainable_variables, "momentum")

    def _update(self, gradients: list[Tensor], variables: list[Tensor], learning_rate: Tensor) -> None:
        if not self.momentum:
            descend_(variables, gradients, learning_rate)
            return
        momentums = self._slots(self.momentums, variables)
        accelerate_(variables, gradients, momentums, learning_rate, self.momentum, self.nesterov)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "nesterov": self.nesterov,
        }
