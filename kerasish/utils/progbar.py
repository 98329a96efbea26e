"""The progress bar of `fit`, `evaluate` and `predict`, usable in any loop."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import time
from collections.abc import Iterable
from typing import Any

from kerasish.config import is_interactive_logging_enabled

BOLD, GREEN, GREY, RESET = "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m"


def print_message(message: str, end: str = "\n") -> None:
    """Print to the standard output, or to the logger `"kerasish"` when interactive logging is off."""
    if not is_interactive_logging_enabled():
        logging.getLogger("kerasish").info(message)
        return
    try:
        print(message, end=end, flush=True)
    except UnicodeEncodeError:
        encoding = sys.stdout.encoding
        print(message.encode(encoding, "replace").decode(encoding), end=end, flush=True)


class Progbar:
    """Shows steps done, time and values in a line: `3/5 ━━━━━━━━━━━━━━━━━━━━ 0s 9ms/step - loss: 0.2000`.

    Args:
        target: number of steps; None when unknown.
        width: width of the bar in characters.
        verbose: 0 silent, 1 a bar, 2 one line when done.
        interval: least time between two drawings, in seconds.
        stateful_metrics: names shown as given; all others are averaged over the steps. Default: none.
        stateless_metrics: names averaged over the steps; all others are shown as given.
        unit_name: what a step is called.

    On a terminal and in a notebook the line is redrawn in place; in a file or a pipe it is written once,
    plain, when done. With `stateless_metrics=[]` values are read only when the line is drawn.

    Raises:
        ValueError: both `stateful_metrics` and `stateless_metrics` are given.

    Example:
        >>> bar = Progbar(4, verbose=2)
        >>> for loss in (4.0, 3.0, 2.0):
        ...     bar.add(1, [("loss", loss)])
        >>> bar.update(4, [("loss", 1.0)])  # doctest: +ELLIPSIS
        4/4 - 0s - .../step - loss: 1.0000

    Differs: Keras also writes every redrawing, with its control characters, into files and pipes.
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Only one of `stateful_metrics` and `stateless_metrics` can be given. "
                f"Received: stateful_metrics={stateful_metrics!r}, stateless_metrics={stateless_metrics!r}"
            )
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics = None if stateless_metrics is not None else set(stateful_metrics or ())
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self._reads_every_update = self.stateless_metrics is None or bool(self.stateless_metrics)
        self._totals: dict[str, tuple[Any, int]] = {}
        self._seen = 0
        self._start = time.time()
        self._end_of_first_step: float | None = None
        self._last_due = 0.0
        self._drawn_width = 0

    def update(
        self, current: int, values: Iterable[tuple[str, Any]] | None = None, finalize: bool | None = None
    ) -> None:
        """Move to step `current` and show `values`.

        Args:
            current: number of steps done.
            values: pairs (name, value).
            finalize: draw the last line; None: when `target` is reached.
        """
        if self.verbose not in (1, 2):
            return
        now = time.time()
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        is_due = self.verbose == 1 and now - self._last_due >= self.interval
        is_drawn = finalize or (is_due and _redraws_lines())
        if values is not None and (is_drawn or self._reads_every_update):
            self._read(current, values, finalize)
        self._seen = current
        if current == 1:
            self._end_of_first_step = now
        if is_due or is_drawn:
            self._last_due = now
        if is_drawn:
            self._draw(current, now, finalize)

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Move on by `n` steps and show `values`."""
        self.update(self._seen + n, values)

    def _read(self, current: int, values: Iterable[tuple[str, Any]], finalize: bool) -> None:
        steps = max(current - self._seen, 1)
        for name, value in values:
            if finalize or not self._is_averaged(name):
                self._totals[name] = (value, 1)
            else:
                total, count = self._totals.get(name, (0.0, 0))
                self._totals[name] = (total + value * steps, count + steps)

    def _is_averaged(self, name: str) -> bool:
        if self.stateless_metrics is not None:
            return name in self.stateless_metrics
        return self.stateful_metrics is None or name not in self.stateful_metrics

    def _draw(self, current: int, now: float, finalize: bool) -> None:
        metrics = "".join(f" - {name}: {_format_value(t, n)}" for name, (t, n) in self._totals.items())
        pace = f"{_format_duration(self._time_per_step(current, now))}/{self.unit_name}"
        elapsed = f"{now - self._start:.0f}s"
        if self.verbose == 2:
            print_message(f"{self._counter(current)} - {elapsed} - {pace}{metrics}")
            return
        is_running = self._has_target and not finalize
        clock = _format_clock(self._time_left(current, now)) if is_running else elapsed
        plain = self._head(current, clock, pace)
        if not _redraws_lines():
            print_message(plain + metrics)
            return
        if not finalize and sys.stdout.isatty():
            metrics = metrics[: max(shutil.get_terminal_size().columns - 1 - len(plain), 0)]
        width = len(plain) + len(metrics)
        padding = " " * (self._drawn_width - width)
        coloured = self._head(current, clock, pace, BOLD, GREEN, GREY, RESET)
        print_message("\r" + coloured + metrics + padding, end="\n" if finalize else "")
        self._drawn_width = 0 if finalize else width

    @property
    def _has_target(self) -> bool:
        return self.target is not None and self.target > 0

    def _counter(self, current: int) -> str:
        return (
            f"{current:{len(str(self.target))}d}/{self.target}"
            if self._has_target
            else f"{current:7d}/Unknown"
        )

    def _head(
        self,
        current: int,
        clock: str,
        pace: str,
        bold: str = "",
        green: str = "",
        grey: str = "",
        reset: str = "",
    ) -> str:
        counter = self._counter(current)
        if not self._has_target:
            return f"{counter} {bold}{clock}{reset} {pace}"
        filled = int(self.width * current / self.target)  # type: ignore[operator]
        glyph = _glyph()
        done = f"{green}{glyph * filled}{reset}" if filled else ""
        rest = f"{grey}{glyph * (self.width - filled)}{reset}"
        return f"{bold}{counter}{reset} {done}{rest} {bold}{clock}{reset} {pace}"

    def _time_per_step(self, current: int, now: float) -> float:
        """Seconds per step without the first one, which also builds and compiles the model."""
        if not current:
            return 0.0
        if self._end_of_first_step is None or current == 1:
            return (now - self._start) / current
        return (now - self._end_of_first_step) / (current - 1)

    def _time_left(self, current: int, now: float) -> float:
        return self._time_per_step(current, now) * (self.target - current)  # type: ignore[operator]


def _format_value(total: Any, count: int) -> str:
    mean = float(total.mean() if getattr(total, "ndim", 0) else total) / max(count, 1)
    return f"{mean:.4f}" if abs(mean) > 1e-3 else f"{mean:.4e}"


def _format_duration(seconds: float) -> str:
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


def _format_clock(seconds: float) -> str:
    if seconds > 3600:
        return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}:{int(seconds % 60):02d}"
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}" if seconds > 60 else f"{int(seconds)}s"


def _glyph() -> str:
    try:
        "━".encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return "="
    return "━"


def _redraws_lines() -> bool:
    """Whether output goes to a terminal, a notebook or PyCharm's console, which obey carriage returns."""
    if not is_interactive_logging_enabled() or sys.stdout is None:
        return False
    is_notebook = type(sys.stdout).__module__.startswith("ipykernel")
    return is_notebook or "PYCHARM_HOSTED" in os.environ or sys.stdout.isatty()
