"""Muon: momentum made orthogonal, for matrices; AdamW for everything else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from kerasish.optimizers._kernels import adam_, adam_step_size, descend_, endless_step
from kerasish.optimizers.optimizer import Optimizer


class Muon(Optimizer):
    """Muon: `m ← momentum · m + g`, `w ← w − lr · √max(rows, columns) · rms_rate · NS(g + momentum · m)`.

    NS is the Newton-Schulz iteration `X ← a X + b (X Xᵀ) X + c (X Xᵀ)² X` from X / ‖X‖, which drives all
    singular values towards 1. Variables that are no matrix, embeddings and `exclude_layers` take AdamW's
    step.

    Args:
        learning_rate: float, schedule or callable.
        adam_beta_1: memory of AdamW's first moment.
        adam_beta_2: memory of AdamW's second moment.
        adam_weight_decay: weight decay of the variables with AdamW's step.
        epsilon: added to AdamW's root.
        weight_decay: weight decay of the matrices.
        exclude_layers: regular expressions; a variable whose path holds one takes AdamW's step.
        exclude_embeddings: whether paths with "embedding" take AdamW's step.
        muon_a: a.
        muon_b: b.
        muon_c: c.
        adam_lr_ratio: AdamW's learning rate as a multiple of `learning_rate`.
        momentum: momentum of the matrices.
        ns_steps: number of Newton-Schulz iterations.
        nesterov: whether NS gets `g + momentum · m`, or m.
        rms_rate: root mean square of the step per unit of learning rate; None: no rescaling.

    The other arguments are those of `Optimizer`.

    Example:
        >>> w = torch.nn.Parameter(torch.zeros(2, 2))
        >>> Muon(learning_rate=0.1, rms_rate=None).apply([torch.eye(2)], [w])
        >>> w.detach().diagonal().abs() > 0.06
        tensor([True, True])

    Source: Jordan et al., https://kellerjordan.github.io/posts/muon/; rms_rate: Liu et al.,
    https://arxiv.org/abs/2502.16982, equation 4.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
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
        self.adam_beta_1 = adam_beta_1
        self.adam_beta_2 = adam_beta_2
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = epsilon
        self.exclude_layers = list(exclude_layers or ())
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = muon_a
        self.muon_b = muon_b
        self.muon_c = muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.nesterov = nesterov
        self.rms_rate = rms_rate

    def build(self, var_list: Iterable[Tensor]) -> None:
        """Make the state for `var_list`."""
        if self.built:
            return
        super().build(var_list)
        self._endless = endless_step(self._iterations.device)
        self.momentums: list = []
        self.adam_velocities: list = []
        for variable in self._trainable_variables:
            overwritten = getattr(variable, "overwrite_with_gradient", False)
            by_adam = self._takes_adam_step(variable)
            self.momentums.append(
                None if overwritten else self.add_variable_from_reference(variable, "momentum")
            )
            self.adam_velocities.append(
                self.add_variable_from_reference(variable, "velocity")
                if by_adam and not overwritten
                else None
            )

    def _takes_adam_step(self, variable: Tensor) -> bool:
        path = self._name_of(variable)
        return (
            variable.dim() != 2
            or (self.exclude_embeddings and "embedding" in path.lower())
            or any(re.search(keyword, path) for keyword in self.exclude_layers)
        )

    def _decay_weights(self, variables: Sequence[Tensor], learning_rate: Tensor) -> None:
        velocities = self._slots(self.adam_velocities, variables)
        for rate, by_adam in ((self.weight_decay, False), (self.adam_weight_decay, True)):
            decayed = [
                variable
                for variable, velocity in zip(variables, velocities, strict=True)
                if (velocity is not None) == by_adam and self._use_weight_decay(variable)
            ]
            if rate and decayed:
                torch._foreach_mul_(decayed, 1.0 - rate * learning_rate)

    def _update(self, gradients: list[Tensor], variables: list[Tensor], learning_rate: Tensor) -> None:
        momentums = self._slots(self.momentums, variables)
        velocities = self._slots(self.adam_velocities, variables)
        rows = list(zip(gradients, variables, momentums, velocities, strict=True))
        matrices = [row for row in rows if row[3] is None]
        others = [row for row in rows if row[3] is not None]
        if matrices:
            self._update_matrices(matrices, learning_rate)
        if others:
            rate = learning_rate * self.adam_lr_ratio
            adam_(
                [row[1] for row in others],
                [row[0] for row in others],
                [row[2] for row in others],
                [row[3] for row in others],
                [],
                step_size=adam_step_size(self.iterations, rate, self.adam_beta_1, self.adam_beta_2),
                endless=self._endless,
                beta_1=self.adam_beta_1,
                beta_2=self.adam_beta_2,
                epsilon=self.epsilon,
            )

    def _update_matrices(self, rows: list[tuple], learning_rate: Tensor) -> None:
        gradients, variables, momentums = ([row[column] for row in rows] for column in range(3))
        torch._foreach_mul_(momentums, self.momentum)
        torch._foreach_add_(momentums, gradients)
        directions = (
            torch._foreach_add(gradients, momentums, alpha=self.momentum) if self.nesterov else momentums
        )
        steps = [self.lr_adjust(self.zeropower_via_newtonschulz5(x, self.ns_steps)) for x in directions]
        descend_(variables, steps, learning_rate)

    def transpose_last_axis(self, X: Tensor) -> Tensor:
        """Xᵀ, of the last two axes."""
        return X.mT

    def lr_adjust(self, x: Tensor) -> Tensor:
        """`x · √max(rows, columns) · rms_rate`, so that a step is as large as AdamW's."""
        if self.rms_rate is None:
            return x
        return x * (max(x.shape[-2:]) ** 0.5 * self.rms_rate)

    def zeropower_via_newtonschulz5(self, x: Tensor, steps: int) -> Tensor:
        """Bring all singular values of the matrix `x` near 1 by `steps` Newton-Schulz iterations."""
        is_tall = x.shape[-2] > x.shape[-1]
        x = x.mT if is_tall else x
        x = x / (torch.linalg.matrix_norm(x, keepdim=True) + 1e-7)
        for _ in range(steps):
            gram = x @ x.mT
            x = self.muon_a * x + (self.muon_b * gram + self.muon_c * gram @ gram) @ x
        return x.mT if is_tall else x

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "adam_beta_1": self.adam_beta_1,
            "adam_beta_2": self.adam_beta_2,
            "adam_weight_decay": self.adam_weight_decay,
            "epsilon": self.epsilon,
            "exclude_layers": self.exclude_layers,
            "exclude_embeddings": self.exclude_embeddings,
            "muon_a": self.muon_a,
            "muon_b": self.muon_b,
            "muon_c": self.muon_c,
            "adam_lr_ratio": self.adam_lr_ratio,
            "momentum": self.momentum,
            "ns_steps": self.ns_steps,
            "nesterov": self.nesterov,
            "rms_rate": self.rms_rate,
        }
