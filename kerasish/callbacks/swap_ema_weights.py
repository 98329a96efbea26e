"""`SwapEMAWeights`: evaluate with the moving average of the weights."""

from __future__ import annotations

from typing import Any

import torch

from kerasish.callbacks.callback import Callback


class SwapEMAWeights(Callback):
    """Evaluates and predicts with the optimizer's moving averages in the place of the weights.

    Args:
        swap_on_epoch: from the end of each epoch to the beginning of the next too, for the callbacks that
            come after this one: a `ModelCheckpoint` then saves the averages.

    The optimizer must have `use_ema=True`. The weights are set aside on their device, in as much memory.

    Raises:
        ValueError: the optimizer does not keep moving averages.

    Example:
        >>> swap = SwapEMAWeights(swap_on_epoch=True)

    Source: B. T. Polyak and A. B. Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992.

    Differs: Keras exchanges weights and averages, so that what is saved meanwhile holds wrong averages; here
        the
    averages are copied and the optimizer stays as it is.
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        self.swap_on_epoch = swap_on_epoch
        self._set_aside: list[torch.Tensor] | None = None

    def _put_averages(self) -> None:
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        if not getattr(optimizer, "use_ema", False):
            raise ValueError(
                "SwapEMAWeights must be used when `use_ema=True` is set on the optimizer. Received: "
                f"use_ema={getattr(optimizer, 'use_ema', None)}"
            )
        if self._set_aside is None and optimizer.built:
            weights = list(self.model.trainable_variables)
            self._set_aside = [weight.detach().clone() for weight in weights]
            optimizer.finalize_variable_values(weights)

    @torch.no_grad()
    def _put_weights_back(self) -> None:
        if self._set_aside is not None:
            for weight, value in zip(self.model.trainable_variables, self._set_aside, strict=True):
                weight.copy_(value)
            self._set_aside = None

    def on_train_begin(self, logs: Any = None) -> None:
        self._set_aside = None

    def on_train_end(self, logs: Any = None) -> None:
        self._set_aside = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self.swap_on_epoch:
            self._put_weights_back()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.swap_on_epoch:
            self._put_averages()

    def on_test_begin(self, logs: Any = None) -> None:
        self._put_averages()

    def on_test_end(self, logs: Any = None) -> None:
        self._put_weights_back()

    def on_predict_begin(self, logs: Any = None) -> None:
        self._put_averages()

    def on_predict_end(self, logs: Any = None) -> None:
        self._put_weights_back()
