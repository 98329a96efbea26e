"""`ProgbarLogger`: the progress bar of `fit`, `evaluate` and `predict`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kerasish.callbacks.callback import Callback
from kerasish.utils.progbar import Progbar, print_message


class ProgbarLogger(Callback):
    """Shows a progress bar, as `verbose` in `params` says: 0 none, 1 a bar, 2 one line per epoch.

    The model adds one by itself where `verbose` is not 0. Values are read only when the bar is drawn anew, at
    most every 0.05 s.
    """

    def __init__(self) -> None:
        self.seen = 0
        self.progbar: Progbar | None = None
        self.target: int | None = None
        self.verbose: Any = 1
        self.epochs = 1
        self._is_in_fit = False

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        verbose = params.get("verbose", 1)
        self.verbose = 1 if verbose == "auto" else verbose
        self.epochs = params.get("epochs", 1)
        self.target = params.get("steps")

    def on_train_begin(self, logs: Any = None) -> None:
        self._is_in_fit = True

    def on_train_end(self, logs: Any = None) -> None:
        self._is_in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._start()
        if self.verbose and self.epochs > 1:
            print_message(f"Epoch {epoch + 1}/{self.epochs}")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._update(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._finish(logs)

    def on_test_begin(self, logs: Any = None) -> None:
        if not self._is_in_fit:
            self._start()

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        if not self._is_in_fit:
            self._update(batch, logs)

    def on_test_end(self, logs: Any = None) -> None:
        if not self._is_in_fit:
            self._finish(logs)

    def on_predict_begin(self, logs: Any = None) -> None:
        self._start()

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self._update(batch, None)

    def on_predict_end(self, logs: Any = None) -> None:
        self._finish(logs)

    def _idle_hooks(self) -> tuple[Callable, ...]:
        if self.verbose == 1 or self.target is None:
            return ()
        return (
            ProgbarLogger.on_train_batch_end,
            ProgbarLogger.on_test_batch_end,
            ProgbarLogger.on_predict_batch_end,
        )

    def _start(self) -> None:
        self.seen = 0
        self.progbar = Progbar(self.target, verbose=self.verbose, stateless_metrics=())

    def _update(self, batch: int, logs: Any) -> None:
        self.seen = batch + 1
        if self.progbar is not None and self.verbose == 1:
            self.progbar.update(self.seen, _pairs(logs), finalize=False)

    def _finish(self, logs: Any) -> None:
        if self.progbar is None:
            return
        if self.target is None:
            self.target = self.progbar.target = self.seen
        self.progbar.update(self.target, _pairs(logs), finalize=True)
        self.progbar = None


def _pairs(logs: Any) -> Iterator[tuple[str, Any]]:
    """A generator, so that `logs` is not so much as looked into until the bar is drawn."""
    yield from (logs or {}).items()
