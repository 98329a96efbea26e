"""`TorchLRScheduler`: a `torch.optim.lr_scheduler` as a callback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from kerasish.callbacks.callback import Callback
from kerasish.errors import received

INTERVALS = ("epoch", "batch")


class TorchLRScheduler(Callback):
    """Calls `scheduler.step()` after every epoch or batch, for a model compiled with a `torch.optim` optimizer.

    A scheduler given to `fit(callbacks=[scheduler])` as it is steps after every epoch.

    Args:
        scheduler: a `torch.optim.lr_scheduler` made for the optimizer of the model, or a function (a class, a
            `functools.partial`) of the optimizer that makes one.
        interval: `"epoch"` or `"batch"`: when the scheduler steps.
        monitor: the logged value that `ReduceLROnPlateau` looks at.

    The rate is added to the logs as `learning_rate`.

    Raises:
        ValueError: the model's optimizer is not a torch one, or another one than the scheduler's; `monitor` is
            not in the logs.

    Example:
        >>> import functools, torch
        >>> scheduler = TorchLRScheduler(functools.partial(torch.optim.lr_scheduler.StepLR, step_size=10))
    """

    def __init__(
        self, scheduler: LRScheduler | Callable, interval: str = "epoch", monitor: str = "val_loss"
    ) -> None:
        if not isinstance(scheduler, LRScheduler) and not callable(scheduler):
            raise TypeError(
                "`scheduler` must be a torch scheduler or a function that makes one of an optimizer. "
                f"Received: {received(scheduler)}"
            )
        if interval not in INTERVALS:
            raise ValueError(f"`interval` must be one of {INTERVALS}. Received: interval={interval!r}")
        self.scheduler: Any = scheduler
        self.interval = interval
        self.monitor = monitor
        self._current: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        optimizer = getattr(self.model.optimizer, "torch_optimizer", None)
        if optimizer is None and not hasattr(self.model.optimizer, "torch_optimizer"):
            raise ValueError(
                "A torch scheduler changes the rate of a torch optimizer, and this model is compiled with "
                f"{type(self.model.optimizer).__name__} of Keras. Compile with `torch.optim`, or use a schedule "
                "of `optimizers.schedules` or the `LearningRateScheduler` callback."
            )
        is_made = isinstance(self.scheduler, LRScheduler)
        self._current = self.scheduler if is_made else self.scheduler(optimizer)
        if self._current.optimizer is not optimizer:
            raise ValueError(
                "The scheduler belongs to another optimizer than the one given to `compile`. Make it from that "
                "one, or give a function: `TorchLRScheduler(lambda optimizer: StepLR(optimizer, 10))`."
            )

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.interval == "batch":
            self._step(logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        if self.interval == "epoch":
            self._step(logs)

    def _step(self, logs: Any) -> None:
        if not isinstance(self._current, ReduceLROnPlateau):
            self._current.step()
            return
        if logs is None or self.monitor not in logs:
            raise ValueError(
                f"ReduceLROnPlateau looks at `monitor={self.monitor!r}`, which is not among the logs "
                f"{sorted(logs or {})}."
            )
        self._current.step(float(logs[self.monitor]))
