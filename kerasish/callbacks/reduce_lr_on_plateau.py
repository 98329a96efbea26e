"""`ReduceLROnPlateau`: lower the learning rate when a value no longer improves."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from kerasish.callbacks.monitor import MonitorCallback
from kerasish.utils.progbar import print_message


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by `factor` when `monitor` has not improved for `patience` epochs.

    Args:
        monitor: name in the logs of an epoch.
        factor: below 1: `rate ← max(rate · factor, min_lr)`.
        patience: epochs without improvement to wait for.
        verbose: 1 to print each change.
        mode: `"min"`, `"max"` or `"auto"`: losses fall, metrics have their own direction.
        min_delta: smallest change that counts as an improvement; its sign is ignored.
        cooldown: epochs after a change before the waiting begins again.
        min_lr: lowest learning rate.
        **kwargs: `epsilon`, the older name of `min_delta`.

    The rate is added to the logs as `learning_rate`. One object may serve several fits: each starts anew.

    Raises:
        ValueError: `factor >= 1`, an unknown argument, or a metric of unknown direction with `mode="auto"`.

    Example:
        >>> plateau = ReduceLROnPlateau(factor=0.2, patience=5, min_lr=1e-3)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau does not support a factor >= 1.0. Received factor={factor}")
        min_delta = kwargs.pop("epsilon", min_delta)
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments for ReduceLROnPlateau: {sorted(kwargs)}")
        super().__init__(monitor, mode, min_delta=min_delta)
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._reset()

    def _reset(self) -> None:
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs: Any = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._set_monitor_op()
        logs = {} if logs is None else logs
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(
                f"Learning rate reduction is conditioned on metric `{self.monitor}` which is not available. "
                f"Available metrics are: {','.join(logs)}.",
                stacklevel=2,
            )
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch, logs["learning_rate"])

    def _reduce(self, epoch: int, old_rate: float) -> None:
        if np.float32(old_rate) <= np.float32(self.min_lr):
            return
        new_rate = max(old_rate * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = new_rate
        if self.verbose > 0:
            print_message(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new_rate}.")
        self.cooldown_counter = self.cooldown
        self.wait = 0

    def in_cooldown(self) -> bool:
        """Whether a change was made fewer than `cooldown` epochs ago."""
        return self.cooldown_counter > 0
