"""`Callback`: the hooks that `fit`, `evaluate` and `predict` call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Callback:
    """Base class of objects that act during training: override the hooks that are needed, leave out the rest.

    `self.model` is the model, `self.params` a dictionary of `epochs`, `steps` and `verbose`. `logs` maps
    names to Python floats. A per-batch hook costs nothing unless some callback overrides it, and a value in
    its `logs` leaves the device only when it is read.

    Example:
        >>> class PrintLoss(Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print(f"epoch {epoch}: {logs['loss']:.2f}")
        >>> PrintLoss().on_epoch_end(0, {"loss": 0.5})
        epoch 0: 0.50
    """

    params: dict[str, Any] | None = None
    _model: Any = None

    @property
    def model(self) -> Any:
        """The model that is trained, evaluated or predicts."""
        return self._model

    def set_params(self, params: dict[str, Any]) -> None:
        """Receive `epochs`, `steps` and `verbose`."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Receive the model."""
        self._model = model

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Older name of `on_train_batch_begin`, which calls it."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Older name of `on_train_batch_end`, which calls it."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Before epoch `epoch`, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """After epoch `epoch` and its validation; `logs` holds `loss`, `val_loss`, … and may be added to."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before batch `batch` of the epoch, counted from 0."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """After batch `batch`; `logs` holds the values over the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of `evaluate`, or of the validation in `fit`."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of `evaluate`, or of the validation in `fit`."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of `predict`."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of `predict`; `logs["outputs"]` holds its outputs."""

    def on_train_begin(self, logs: Any = None) -> None:
        """At the beginning of `fit`."""

    def on_train_end(self, logs: Any = None) -> None:
        """At the end of `fit`; `logs` is that of the last epoch."""

    def on_test_begin(self, logs: Any = None) -> None:
        """At the beginning of `evaluate`, or of the validation in `fit`."""

    def on_test_end(self, logs: Any = None) -> None:
        """At the end of `evaluate`, or of the validation in `fit`."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """At the beginning of `predict`."""

    def on_predict_end(self, logs: Any = None) -> None:
        """At the end of `predict`."""

    def _idle_hooks(self) -> tuple[Callable, ...]:
        """Hooks that do nothing as this object is configured: `CallbackList` leaves them out."""
        return ()
