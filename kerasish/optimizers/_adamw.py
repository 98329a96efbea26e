"""AdamW: Adam with decoupled weight decay."""

from __future__ import annotations

from typing import Any

from kerasish.optimizers._adam import Adam


class AdamW(Adam):
    """AdamW: `w ← (1 − lr · weight_decay) · w`, then Adam's step.

    Args:
        learning_rate: float, schedule or callable.
        weight_decay: rate of the decay; `exclude_from_weight_decay` exempts variables.
        beta_1: memory of the first moment m.
        beta_2: memory of the second moment v.
        epsilon: added to the root.
        amsgrad: divide by the largest v so far.

    The other arguments are those of `Optimizer`.

    Raises:
        ValueError: `weight_decay` is None.

    Example:
        >>> import torch
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> AdamW(learning_rate=0.1, weight_decay=0.5).apply([torch.tensor([2.0])], [w])
        >>> w.detach()
        tensor([0.8500])

    Source: Loshchilov and Hutter, https://arxiv.org/abs/1711.05101, algorithm 2.

    Differs: torch.optim.AdamW decays by 0.01 and adds epsilon, 1e-8, to the bias-corrected root.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        if weight_decay is None:
            raise ValueError(
                "Argument `weight_decay` must be a float. Received: weight_decay=None. Use Adam instead."
            )
        super().__init__(
            learning_rate=learning_rate,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            amsgrad=amsgrad,
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
