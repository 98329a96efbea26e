"""`EarlyStopping`: end the training when a value no longer improves."""

from __future__ import annotations

import warnings
from typing import Any

from kerasish.callbacks.monitor import MonitorCallback
from kerasish.utils.progbar import print_message


class EarlyStopping(MonitorCallback):
    """Stops when `monitor` has not improved on its best value by more than `min_delta` for `patience` epochs.

    Args:
        monitor: name in the logs of an epoch.
        min_delta: smallest change that counts as an improvement; its sign is ignored.
        patience: epochs without improvement to wait for.
        verbose: 1 to print what is done.
        mode: `"min"`, `"max"` or `"auto"`: losses fall, metrics have their own direction.
        baseline: value that must be beaten before an improvement ends the waiting.
        restore_best_weights: put back the weights of the best epoch at the end, however the training ended.
        start_from_epoch: epochs, from 0, to leave out before watching.

    After the training `stopped_epoch` is the last epoch, from 0, or 0 if it was not stopped; `best` and
    `best_epoch` tell the best. One object may serve several fits: each starts anew.

    Raises:
        ValueError: `mode="auto"` and the model has no metric of that name with a known direction.

    Example:
        >>> stopping = EarlyStopping(patience=10, restore_best_weights=True)

    Source: L. Prechelt, "Early Stopping — But When?", 1998.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._reset()

    def _reset(self) -> None:
        self.best = None
        self.best_epoch = 0
        self.best_weights: list[Any] | None = None
        self.wait = 0
        self.stopped_epoch = 0

    def on_train_begin(self, logs: Any = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._set_monitor_op()
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self._is_improvement(current, self.best):
            self.best = current
            self.best_epoch = epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._is_improvement(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        if self.stopped_epoch > 0 and self.verbose > 0:
            print_message(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose > 0:
                print_message(
                    f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}."
                )
            self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs: Any) -> Any:
        """The watched value; None, with a warning, where `logs` has none."""
        logs = logs or {}
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                f"Early stopping conditioned on metric `{self.monitor}` which is not available. "
                f"Available metrics are: {','.join(logs)}",
                stacklevel=2,
            )
        return value
