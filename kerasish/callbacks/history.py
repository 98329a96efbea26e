"""`History`: the record of losses and metrics that `fit` returns."""

from __future__ import annotations

from typing import Any

from kerasish.callbacks.callback import Callback


class History(Callback):
    """Records the logs of every epoch; `fit` adds one by itself and returns it.

    `history.history` maps each name to the list of its values, `history.epoch` lists the epochs, from 0.

    Example:
        >>> history = History()
        >>> history.on_train_begin()
        >>> history.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.6})
        >>> history.history
        {'loss': [0.5], 'val_loss': [0.6]}
    """

    def __init__(self) -> None:
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.history = {}
        self.epoch = []
        if self.model is not None:
            self.model.history = self

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
