"""`CSVLogger`: write the logs of every epoch into a CSV file."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kerasish.callbacks.callback import Callback


class CSVLogger(Callback):
    """Writes one row per epoch: `epoch`, then the logs in alphabetical order; `NA` where a value is missing.

    Args:
        filename: the file.
        separator: what stands between the columns.
        append: go on with an existing file, under the columns that it has, instead of overwriting it.

    The columns are those of the first epoch; where that had no validation, their `val_` forms are added, as
    validation may come later. The file is closed after every row, so that an interrupted training leaves it
    whole.

    Example:
        >>> logger = CSVLogger("training.csv", separator=";", append=True)

    Differs: Keras appends rows to an existing file without regard to its columns.
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.append_header = True
        self.keys: list[str] | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        header = self._existing_header() if self.append else []
        self.keys = header[1:] or None
        self.append_header = not header
        if not header:
            Path(self.filename).write_text("")

    def _existing_header(self) -> list[str]:
        if not Path(self.filename).is_file():
            return []
        with open(self.filename, newline="", encoding="utf-8") as file:
            return next(csv.reader(file, delimiter=self.sep), [])

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = logs or {}
        if self.keys is None:
            self.keys = _columns(logs)
        with open(self.filename, "a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter=self.sep)
            if self.append_header:
                writer.writerow(["epoch", *self.keys])
                self.append_header = False
            writer.writerow([epoch, *(_cell(logs.get(key, "NA")) for key in self.keys)])


def _columns(logs: Mapping[str, Any]) -> list[str]:
    names = sorted(logs)
    if any(name.startswith("val_") for name in names):
        return names
    return names + [f"val_{name}" for name in names]


def _cell(value: Any) -> Any:
    return f'"[{", ".join(map(str, np.ravel(value)))}]"' if np.ndim(value) else value
