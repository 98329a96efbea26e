"""`ModelCheckpoint`: save the model, or its weights, while it trains."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from kerasish.callbacks.monitor import MonitorCallback
from kerasish.callbacks.save_frequency import BatchCounter, check_save_frequency
from kerasish.utils.progbar import print_message


class ModelCheckpoint(MonitorCallback):
    """Saves after every epoch or every `save_freq` batches, always or only when `monitor` has improved.

    Args:
        filepath: the file, with fields filled from `epoch` (from 1), `batch` (from 1, with an integer
            `save_freq`) and the logs: `"{epoch:02d}-{val_loss:.2f}.keras"`. Ends in `.keras` (or `.h5`, `.hdf5`);
            with `save_weights_only` in `.weights.h5` (or `.h5`, `.hdf5`, the weights as Keras 2 wrote them). Missing
            directories are made.
        monitor: name in the logs, for `save_best_only`.
        verbose: 1 to print what is done.
        save_best_only: save only when `monitor` is better than ever before.
        save_weights_only: `model.save_weights` instead of `model.save`.
        mode: `"min"`, `"max"` or `"auto"`: losses fall, metrics have their own direction.
        save_freq: `"epoch"` or a number of batches.
        initial_value_threshold: the best value to begin with: for going on with an earlier training.

    `best` is kept when the same model is fitted again, so that a worse model never replaces the saved one; a
    fit of another model starts anew.

    Raises:
        ValueError: wrong ending of `filepath`, or wrong `save_freq`.
        KeyError: a field of `filepath` is not in the logs.
        IsADirectoryError: `filepath` is a directory.

    Example:
        >>> checkpoint = ModelCheckpoint("best.keras", monitor="val_accuracy", save_best_only=True)
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: int | str = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._initial_best = initial_value_threshold
        self._epoch = 0
        check_save_frequency("ModelCheckpoint", save_freq)
        self._batches = BatchCounter(save_freq if isinstance(save_freq, int) else 0)
        if save_weights_only and not self.filepath.endswith((".h5", ".hdf5")):
            raise ValueError(
                "When using `save_weights_only=True` in `ModelCheckpoint`, the filepath provided must end in "
                f"`.weights.h5` (Keras weights format). Received: filepath={self.filepath}"
            )
        if not save_weights_only and not self.filepath.endswith((".keras", ".h5", ".hdf5")):
            raise ValueError(
                "The filepath provided must end in `.keras` (Keras model format). "
                f"Received: filepath={self.filepath}"
            )

    def set_model(self, model: Any) -> None:
        if self._model is not None and model is not self._model:
            self.best = self._initial_best
        super().set_model(model)

    def on_train_begin(self, logs: Any = None) -> None:
        self._batches.reset()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.save_freq != "epoch" and self._batches.is_due(batch):
            self._save(logs, epoch=self._epoch + 1, batch=batch + 1)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            self._save(logs, epoch=epoch + 1)

    def _idle_hooks(self) -> tuple[Callable, ...]:
        return (ModelCheckpoint.on_train_batch_end,) if self.save_freq == "epoch" else ()

    def _save(self, logs: Any, **fields: int) -> None:
        logs = logs or {}
        path = self._format_path(logs, fields)
        if not self._is_wanted(logs, path, fields["epoch"]):
            return
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
        self._say(f"Epoch {fields['epoch']}: finished saving model to {path}")

    def _format_path(self, logs: Any, fields: dict[str, int]) -> str:
        try:
            path = self.filepath.format(**{**logs, **fields})
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: `filepath` names {error}, which is not among {[*fields, *logs]}. "
                f"Received: filepath={self.filepath!r}"
            ) from error
        if Path(path).is_dir():
            raise IsADirectoryError(
                "Please specify a non-directory filepath for ModelCheckpoint. "
                f"Filepath used is an existing directory: {path}"
            )
        return path

    def _is_wanted(self, logs: Any, path: str, epoch: int) -> bool:
        if not self.save_best_only:
            self._say(f"Epoch {epoch}: saving model to {path}")
            return True
        self._set_monitor_op()
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(f"Can save best model only with {self.monitor} available.", stacklevel=2)
            return True
        if np.ndim(current):
            warnings.warn(
                f"Can save best model only when `monitor` is a scalar value. Received: {current}. "
                "Falling back to `save_best_only=False`.",
                stacklevel=2,
            )
            return True
        if not self._is_improvement(current, self.best):
            self._say(f"Epoch {epoch}: {self.monitor} did not improve from {self.best:.5f}")
            return False
        best = "None" if self.best is None else f"{self.best:.5f}"
        self._say(
            f"Epoch {epoch}: {self.monitor} improved from {best} to {current:.5f}, saving model to {path}"
        )
        self.best = current
        return True

    def _say(self, message: str) -> None:
        if self.verbose > 0:
            print_message(f"\n{message}")
