"""`GradientNormLogger`: add the size of the gradients to the logs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from kerasish.callbacks.callback import Callback
from kerasish.changes import structure


class GradientNormLogger(Callback):
    """Adds `"gradient_norm"` to the logs of an epoch: the mean over its batches of √Σ g², g all gradients' elements.

    It measures what the training step hands to the optimizer, before any clipping and with a loss scale taken
    out, so no gradient is computed twice: during `fit` it stands before `optimizer.apply`. The cost is one
    reading of the gradients per batch (a few percent of a small net's step), one new recording or capture of
    the step at the beginning and at the end of `fit`, and one transfer from the device per epoch.

    The norm is NaN or infinite where a gradient is; batches that `LossScaleOptimizer` skips do not count.

    Example:
        >>> logger = GradientNormLogger()
    """

    def __init__(self) -> None:
        self._optimizer: Any = None
        self._sum = self._count = torch.zeros(())
        self._skips_batches = False

    def on_train_begin(self, logs: Any = None) -> None:
        optimizer = self.model.optimizer
        self._skips_batches = hasattr(optimizer, "inner_optimizer")
        self._optimizer = optimizer.inner_optimizer if self._skips_batches else optimizer
        place = next(self.model.parameters()).device
        self._sum, self._count = torch.zeros((), device=place), torch.zeros((), device=place)
        self._optimizer.apply = self._measure_and_apply
        structure.version += 1

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._sum.zero_()
        self._count.zero_()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["gradient_norm"] = float(self._sum / self._count)

    def on_train_end(self, logs: Any = None) -> None:
        vars(self._optimizer).pop("apply", None)
        self._optimizer = None
        structure.version += 1

    def _measure_and_apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> None:
        optimizer = self._optimizer
        gradients = [gradient for gradient in grads if gradient is not None]
        if gradients:
            with torch.no_grad():
                self._add(gradients, getattr(optimizer, "loss_scale_factor", None))
        type(optimizer).apply(optimizer, grads, trainable_variables)

    def _add(self, gradients: list[Tensor], scale: float | None) -> None:
        place = self._sum.device
        norms = [norm.to(place, torch.float32) for norm in torch._foreach_norm(gradients)]
        norm = torch.linalg.vector_norm(torch.stack(norms))
        if scale is not None:
            norm = norm / scale
        if self._skips_batches:
            counts = torch.isfinite(norm)
            self._sum.add_(torch.where(counts, norm, 0.0))
            self._count.add_(counts)
        else:
            self._sum.add_(norm)
            self._count.add_(1.0)
