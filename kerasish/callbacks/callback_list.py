"""`CallbackList`: many callbacks behind the hooks of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.optim.lr_scheduler import LRScheduler

from kerasish import tree
from kerasish.callbacks.callback import Callback
from kerasish.callbacks.history import History
from kerasish.callbacks.progbar_logger import ProgbarLogger
from kerasish.callbacks.torch_lr_scheduler import TorchLRScheduler
from kerasish.errors import received

MODES = ("train", "test", "predict")
MOMENTS = ("begin", "end")
BATCH_HOOKS = tuple(f"on_{mode}_batch_{moment}" for mode in MODES for moment in MOMENTS)
OLD_NAMES = ("on_batch_begin", "on_batch_end")
HOOKS = tuple(name for name in vars(Callback) if name.startswith(("on_", "set_")))


class CallbackList(Callback):
    """Passes every hook on to a list of callbacks, in their order.

    Args:
        callbacks: one callback or a structure of them; a torch learning-rate scheduler steps after every epoch.
        add_history: add a `History` unless there is one.
        add_progbar: add a `ProgbarLogger` unless there is one.
        model: the model, passed on to each.
        **params: `epochs`, `steps`, `verbose`: passed on to each as `params`.

    Per-batch hooks reach only the callbacks that override them. `has_train_batch_hooks`,
    `has_test_batch_hooks` and `has_predict_batch_hooks` tell whether any does; where none does, a loop need
    not make `logs` at all. `has_foreign_batch_hooks` tells whether one that is not of this package does, and
    `keeps_batch_logs` whether such a one may keep its `logs` for later. They are
    found at construction and again in `on_train_begin`, `on_test_begin` and
    `on_predict_begin`.

    Raises:
        TypeError: something in `callbacks` lacks the hooks of a callback.

    Example:
        >>> callbacks = CallbackList([Callback()], add_history=True, epochs=3)
        >>> callbacks.has_train_batch_hooks
        False
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        self.callbacks: list[Any] = [] if callbacks is None else tree.flatten(callbacks)
        self.callbacks = [
            TorchLRScheduler(callback) if isinstance(callback, LRScheduler) else callback
            for callback in self.callbacks
        ]
        for callback in self.callbacks:
            _check(callback)
        self._history = self._find_or_add(History, add_history)
        self._progbar = self._find_or_add(ProgbarLogger, add_progbar)
        self.set_params(params)
        if model is not None:
            self.set_model(model)
            if self._history is not None:
                model.history = self._history
        self._find_listeners()

    def _find_or_add(self, kind: type, is_wanted: bool) -> Any:
        found = next((callback for callback in self.callbacks if isinstance(callback, kind)), None)
        if found is None and is_wanted:
            found = kind()
            self.callbacks.append(found)
        return found

    def _find_listeners(self) -> None:
        self._listeners: dict[str, list[Callable]] = {}
        self.keeps_batch_logs = self.has_foreign_batch_hooks = False
        for hook in BATCH_HOOKS:
            overrides = [(callback, _override(callback, hook)) for callback in self.callbacks]
            self._listeners[hook] = [getattr(callback, hook) for callback, override in overrides if override]
            is_foreign = any(override and not _is_ours(override) for _, override in overrides)
            self.has_foreign_batch_hooks |= is_foreign
            self.keeps_batch_logs |= is_foreign and hook.endswith("_end")
        self.has_train_batch_hooks, self.has_test_batch_hooks, self.has_predict_batch_hooks = (
            any(self._listeners[f"on_{mode}_batch_{moment}"] for moment in MOMENTS) for mode in MODES
        )

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        self._model = model
        for callback in self.callbacks:
            callback.set_model(model)

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._call_all("on_batch_begin", batch, logs=logs)

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self._call_all("on_batch_end", batch, logs=logs)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._call_listeners("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._call_listeners("on_train_batch_end", batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._call_listeners("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self._call_listeners("on_test_batch_end", batch, logs)

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._call_listeners("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self._call_listeners("on_predict_batch_end", batch, logs)

    def _call_listeners(self, hook: str, batch: int, logs: Any) -> None:
        logs = {} if logs is None else logs
        for listener in self._listeners[hook]:
            listener(batch, logs)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._call_all("on_epoch_begin", epoch, logs=logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._call_all("on_epoch_end", epoch, logs=logs)

    def on_train_begin(self, logs: Any = None) -> None:
        self._call_all("on_train_begin", logs=logs)
        self._find_listeners()

    def on_test_begin(self, logs: Any = None) -> None:
        self._call_all("on_test_begin", logs=logs)
        self._find_listeners()

    def on_predict_begin(self, logs: Any = None) -> None:
        self._call_all("on_predict_begin", logs=logs)
        self._find_listeners()

    def on_train_end(self, logs: Any = None) -> None:
        self._call_all("on_train_end", logs=logs)

    def on_test_end(self, logs: Any = None) -> None:
        self._call_all("on_test_end", logs=logs)

    def on_predict_end(self, logs: Any = None) -> None:
        self._call_all("on_predict_end", logs=logs)

    def _call_all(self, hook: str, *index: int, logs: Any) -> None:
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            getattr(callback, hook)(*index, logs)


def _check(callback: Any) -> None:
    if isinstance(callback, type):
        raise TypeError(
            f"`callbacks` must hold objects, not classes: write `{callback.__name__}()`. Received: {callback}"
        )
    missing = [hook for hook in HOOKS if not callable(getattr(callback, hook, None))]
    if missing:
        raise TypeError(
            f"`callbacks` must hold `keras.callbacks.Callback` objects; this one lacks {missing[0]!r}. "
            f"Received: {received(callback)}"
        )


def _override(callback: Any, hook: str) -> Any:
    """The function that does something at `hook`, or None."""
    function = _function(callback, hook)
    if function is getattr(Callback, hook):
        old_name = hook.replace("_train", "")
        return _override(callback, old_name) if old_name in OLD_NAMES and old_name != hook else None
    if isinstance(callback, Callback) and function in callback._idle_hooks():
        return None
    return function


def _function(callback: Any, hook: str) -> Any:
    method = getattr(callback, hook)
    return getattr(method, "__func__", method)


def _is_ours(function: Any) -> bool:
    return (getattr(function, "__module__", None) or "").startswith("kerasish.callbacks.")
