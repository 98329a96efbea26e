"""`TimeLimit`: end the training after some time."""

from __future__ import annotations

import time
from typing import Any

from kerasish.callbacks.callback import Callback
from kerasish.errors import received
from kerasish.utils.progbar import print_message


class TimeLimit(Callback):
    """Stops after the first batch that ends `seconds` or more after the beginning of `fit`.

    Args:
        seconds: the limit, > 0; validation and other callbacks count.
        verbose: 1 to print when the training is stopped.

    The epoch in which it stops is validated and logged like any other; `stopped_epoch` is its number, from 0,
    or None if the limit was not reached. A GPU works some batches behind the clock.

    Raises:
        ValueError: `seconds` is no positive number.

    Example:
        >>> limit = TimeLimit(seconds=600)
    """

    def __init__(self, seconds: float, verbose: int = 0) -> None:
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds > 0:
            raise ValueError(
                f"TimeLimit: `seconds` must be a positive number. Received: seconds={received(seconds)}"
            )
        self.seconds = seconds
        self.verbose = verbose
        self.stopped_epoch: int | None = None
        self._epoch = 0
        self._end = float("inf")

    def on_train_begin(self, logs: Any = None) -> None:
        self.stopped_epoch = None
        self._end = time.monotonic() + self.seconds

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.stopped_epoch is None and time.monotonic() >= self._end:
            self.stopped_epoch = self._epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        if self.stopped_epoch is not None and self.verbose > 0:
            print_message(f"Epoch {self.stopped_epoch + 1}: stopped after {self.seconds} seconds")
