"""`BackupAndRestore`: go on with a training that was interrupted."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kerasish.callbacks.callback import Callback
from kerasish.callbacks.save_frequency import BatchCounter, check_save_frequency
from kerasish.saving.hdf5 import attach, attached, is_hdf5


class BackupAndRestore(Callback):
    """Backs up the weights, the optimizer, the history and the epoch, and goes on from there when `fit` is run again.

    Args:
        backup_dir: directory for the backup, used by nothing else.
        save_freq: `"epoch"`, or a number of batches.
        double_checkpoint: keep the backup before the last one too, and fall back on it when the last is
            damaged.
        delete_checkpoint: remove the backup when the training has come to its end.

    At the beginning of `fit` a backup is loaded and `model._initial_epoch` set, where `fit` then begins. A
    backup made within an epoch begins that epoch again, with the weights of that batch; one made at the last
    batch begins the next epoch. The backup is replaced in one step, so that a crash while saving leaves the
    one before it.

    Backups made at the end of epochs continue exactly: weights, optimizer, history and, through the states of the
    random generators (PyTorch, NumPy, Python), the order of shuffled arrays are those of a training that was never
    interrupted. A data loader or generator of yours keeps its own state, and so do other callbacks; put those
    that add to the logs before this one.

    Raises:
        ValueError: empty `backup_dir`, or wrong `save_freq`.

    Example:
        >>> backup = BackupAndRestore("backup", save_freq=1000)

    Differs: Keras trains an epoch once more when its last batch was backed up, and keeps neither the history nor
    the states of the random generators.
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: int | str = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        if not backup_dir:
            raise ValueError(
                f"BackupAndRestore: `backup_dir` must not be empty. Received: backup_dir={backup_dir!r}"
            )
        check_save_frequency("BackupAndRestore", save_freq)
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._epoch = 0
        self._history: dict[str, Any] | None = None
        self._batches = BatchCounter(save_freq if isinstance(save_freq, int) else 0)
        directory = Path(backup_dir)
        self._weights = directory / "latest.weights.h5"
        self._metadata = directory / "training_metadata.json"
        self._unfinished = directory / "unfinished.weights.h5"

    def on_train_begin(self, logs: Any = None) -> None:
        self._batches.reset()
        self._history = None
        if self._exists():
            try:
                self._restore()
                return
            except (OSError, ValueError, KeyError):
                if not (self.double_checkpoint and self._exists(_previous)):
                    raise
        if self._exists(_previous):
            for path in (self._weights, self._metadata):
                os.replace(_previous(path), path)
            self._restore()

    def _exists(self, which: Callable[[Path], Path] = lambda path: path) -> bool:
        return which(self._weights).exists() and which(self._metadata).exists()

    def _restore(self) -> None:
        metadata = json.loads(self._metadata.read_text())
        optimizer = self.model.optimizer
        if optimizer is not None and not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        self.model.load_weights(str(self._weights))
        state = _state_in(self._weights)
        if state is not None:  # written in one step with the weights, the metadata a moment later
            metadata, self._history = state["metadata"], state["history"]
            _restore_random_states(state["random"])
        self.model._initial_epoch = self._epoch = int(metadata["epoch"])

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch
        self._continue_history()

    def _continue_history(self) -> None:
        """Put the earlier epochs before those of this fit, whose `History` has begun empty."""
        history = getattr(self.model, "history", None)
        if self._history is not None and history is not None:
            history.epoch[:0] = self._history["epoch"]
            for name, values in self._history["history"].items():
                history.history.setdefault(name, [])[:0] = values
        self._history = None

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch" or not self._batches.is_due(batch):
            return
        if batch + 1 == (self.params or {}).get("steps"):
            self._save(self._epoch + 1, 0)
        else:
            self._save(self._epoch, batch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch + 1, 0, logs)

    def _idle_hooks(self) -> tuple[Callable, ...]:
        return (BackupAndRestore.on_train_batch_end,) if self.save_freq == "epoch" else ()

    def _save(self, epoch: int, batch: int, logs: Any = None) -> None:
        Path(self.backup_dir).mkdir(parents=True, exist_ok=True)
        metadata = {"epoch": epoch, "batch": batch}
        self.model.save_weights(str(self._unfinished), overwrite=True)
        if is_hdf5(self._unfinished):
            history = self._history_with(logs)
            state = {"metadata": metadata, "history": history, "random": _random_states()}
            attach(self._unfinished, json.dumps(state, default=_as_plain))
        if self.double_checkpoint and self._exists():
            for path in (self._weights, self._metadata):
                os.replace(path, _previous(path))
        os.replace(self._unfinished, self._weights)
        unfinished = self._metadata.with_name("unfinished.json")
        unfinished.write_text(json.dumps(metadata))
        os.replace(unfinished, self._metadata)

    def _history_with(self, logs: Any) -> dict[str, Any]:
        """The history with this epoch's logs, which `History` records after the other callbacks."""
        history = getattr(self.model, "history", None)
        epochs = list(history.epoch) if history is not None else []
        values = (
            {name: list(column) for name, column in history.history.items()} if history is not None else {}
        )
        if logs is not None and self._epoch not in epochs:
            epochs.append(self._epoch)
            for name, value in logs.items():
                values.setdefault(name, []).append(value)
        return {"epoch": epochs, "history": values}

    def on_train_end(self, logs: Any = None) -> None:
        self.model._initial_epoch = None
        self._continue_history()
        if not self.delete_checkpoint:
            return
        for path in (self._weights, self._metadata):
            path.unlink(missing_ok=True)
            _previous(path).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # files of others are in it
            os.rmdir(self.backup_dir)


def _previous(path: Path) -> Path:
    return path.with_name(path.name + ".bkp")


def _state_in(path: Path) -> dict[str, Any] | None:
    text = attached(path) if is_hdf5(path) else None
    return None if text is None else json.loads(text)


def _as_plain(value: Any) -> Any:
    """Numbers of NumPy and of torch as JSON has them."""
    return value.tolist()


def _random_states() -> dict[str, Any]:
    generators = [torch.get_rng_state()]
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        generators += torch.cuda.get_rng_state_all()
    return {
        "torch": [base64.b64encode(state.numpy().tobytes()).decode() for state in generators],
        "numpy": np.random.get_state(),
        "python": random.getstate(),
    }


def _restore_random_states(states: dict[str, Any]) -> None:
    cpu, *cuda = (
        torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8) for text in states["torch"]
    )
    torch.set_rng_state(cpu)
    if torch.cuda.is_available() and len(cuda) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(cuda)
    np.random.set_state(tuple(states["numpy"]))
    version, internal, gauss = states["python"]
    random.setstate((version, tuple(internal), gauss))
