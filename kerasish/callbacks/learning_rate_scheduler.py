"""`LearningRateScheduler`: set the learning rate before every epoch."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable
from typing import Any

from kerasish.callbacks.callback import Callback
from kerasish.errors import received
from kerasish.utils.progbar import print_message


class LearningRateScheduler(Callback):
    """Sets the optimizer's learning rate to `schedule(epoch, learning_rate)` before every epoch.

    Args:
        schedule: function of the epoch, from 0, and the present learning rate, or of the epoch alone.
        verbose: 1 to print each change.

    The rate is added to the logs as `learning_rate`.

    Raises:
        ValueError: the optimizer has no `learning_rate`, or `schedule` returns something else than a number.

    Example:
        >>> scheduler = LearningRateScheduler(lambda epoch, rate: rate if epoch < 10 else rate * 0.9)
    """

    def __init__(self, schedule: Callable, verbose: int = 0) -> None:
        if not callable(schedule):
            raise TypeError(
                f"LearningRateScheduler: `schedule` must be callable. Received: {received(schedule)}"
            )
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        optimizer = self.model.optimizer
        if not hasattr(optimizer, "learning_rate"):
            raise ValueError('Optimizer must have a "learning_rate" attribute.')
        if _takes_two(self.schedule):
            rate = self.schedule(epoch, float(optimizer.learning_rate))
        else:
            rate = self.schedule(epoch)
        if not isinstance(rate, numbers.Real) and getattr(rate, "ndim", None) != 0:
            raise ValueError(
                f"The output of the `schedule` function should be a float. Received: {received(rate)}"
            )
        optimizer.learning_rate = float(rate)
        if self.verbose > 0:
            print_message(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


def _takes_two(schedule: Callable) -> bool:
    try:
        inspect.signature(schedule).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # a builtin without a signature
        return True
    return True
