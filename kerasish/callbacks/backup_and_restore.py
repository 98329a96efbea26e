"""`BackupAndRestore`: go on with a training that was interrupted."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kerasish.callbacks.callback import Callback
from kerasish.callbacks.save_frequency import BatchCounter, check_save_frequency


class BackupAndRestore(Callback):
    """Backs up the weights, the optimizer and the epoch, and goes on from there when `fit` is run again.

    Args:
        backup_dir: directory for the backup, used by nothing else.
        save_freq: `"epoch"`, or a number of batches.
        double_checkpoint: keep the backup before the last one too, and fall back on it when the last is
            damaged.
        delete_checkpoint: remove the backup when the training has come to its end.

    At the beginning of `fit` a backup is loaded and `model._initial_epoch` set, where `fit` then begins. A
    backup made within an epoch begins that epoch again, with the weights of that batch; one made at the last
    batch begins the next epoch. Every file is replaced in one step, so that a crash while saving leaves the
    backup before it.

    Raises:
        ValueError: empty `backup_dir`, or wrong `save_freq`.

    Example:
        >>> backup = BackupAndRestore("backup", save_freq=1000)

    Differs: Keras trains an epoch once more when its last batch was backed up.
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
        self._batches = BatchCounter(save_freq if isinstance(save_freq, int) else 0)
        directory = Path(backup_dir)
        self._weights = directory / "latest.weights.h5"
        self._metadata = directory / "training_metadata.json"
        self._unfinished = directory / "unfinished.weights.h5"

    def on_train_begin(self, logs: Any = None) -> None:
        self._batches.reset()
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
        self.model._initial_epoch = self._epoch = int(metadata["epoch"])

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch" or not self._batches.is_due(batch):
            return
        if batch + 1 == (self.params or {}).get("steps"):
            self._save(self._epoch + 1, 0)
        else:
            self._save(self._epoch, batch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch + 1, 0)

    def _idle_hooks(self) -> tuple[Callable, ...]:
        return (BackupAndRestore.on_train_batch_end,) if self.save_freq == "epoch" else ()

    def _save(self, epoch: int, batch: int) -> None:
        Path(self.backup_dir).mkdir(parents=True, exist_ok=True)
        self.model.save_weights(str(self._unfinished), overwrite=True)
        if self.double_checkpoint and self._exists():
            for path in (self._weights, self._metadata):
                os.replace(path, _previous(path))
        os.replace(self._unfinished, self._weights)
        unfinished = self._metadata.with_name("unfinished.json")
        unfinished.write_text(json.dumps({"epoch": epoch, "batch": batch}))
        os.replace(unfinished, self._metadata)

    def on_train_end(self, logs: Any = None) -> None:
        self.model._initial_epoch = None
        if not self.delete_checkpoint:
            return
        for path in (self._weights, self._metadata):
            path.unlink(missing_ok=True)
            _previous(path).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # files of others are in it
            os.rmdir(self.backup_dir)


def _previous(path: Path) -> Path:
    return path.with_name(path.name + ".bkp")
