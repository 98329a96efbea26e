"""`MonitorCallback`: what the callbacks that watch one value for improvement have in common."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from kerasish.callbacks.callback import Callback


class MonitorCallback(Callback):
    """Knows which way `monitor` improves and keeps the best value seen.

    Args:
        monitor: name in the logs of an epoch.
        mode: `"min"`, `"max"`, or `"auto"`: a loss falls, a metric has its own direction.
        initial_value_threshold: the best value to begin with, or None.
        min_delta: what a change must exceed to count.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        initial_value_threshold: float | None = None,
        min_delta: float = 0,
    ) -> None:
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f"{type(self).__name__} mode '{mode}' is unknown, fallback to auto mode.", stacklevel=3
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = initial_value_threshold
        self.min_delta = abs(min_delta)
        self.monitor_op: Callable[[Any, Any], Any] | None = None

    def set_model(self, model: Any) -> None:
        if model is not self._model:
            self.monitor_op = None
        super().set_model(model)

    def _set_monitor_op(self) -> None:
        """Find the direction at the first value: only then are the metrics of the model there."""
        if self.monitor_op is not None:
            return
        falls = self._falls() if self.mode == "auto" else self.mode == "min"
        self.monitor_op = np.less if falls else np.greater
        self.min_delta = -abs(self.min_delta) if falls else abs(self.min_delta)

    def _falls(self) -> bool:
        name = self.monitor.removeprefix("val_")
        if name == "loss" or name.endswith("_loss"):
            return True
        directions = {
            m.name: m._direction
            for m in _flat(getattr(self.model, "metrics", ()))
            if hasattr(m, "_direction")
        }
        # The logs of a model with several outputs say `output_accuracy`.
        outer = [inner for inner in directions if name.endswith(f"_{inner}")]
        for known in [name, *outer]:
            if directions.get(known) is not None:
                return directions[known] == "down"
        raise ValueError(
            f"{type(self).__name__} received monitor={self.monitor!r}, but whether that metric should be "
            "maximized or minimized cannot be told from the metrics of the model. Pass `mode='max'` to look "
            "for the highest value, or `mode='min'` for the lowest."
        )

    def _is_improvement(self, current: Any, best: Any) -> bool:
        if best is None:
            return True
        assert self.monitor_op is not None
        return bool(self.monitor_op(current - self.min_delta, best))


def _flat(metrics: Any) -> Iterator[Any]:
    for metric in metrics:
        yield metric
        yield from _flat(getattr(metric, "metrics", ()))
