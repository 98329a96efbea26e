"""Text files in a directory as a data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerasish.preprocessing.directory import dataset_of_files
from kerasish.preprocessing.image_dataset import check_format


def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """A data set of the `.txt` files in a directory, in UTF-8, each a string; turn them to numbers in `map`.

    Args:
        directory: its subdirectories are the classes, in alphabetical order.
        max_length: characters of a text that are kept; all by default.
        labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links, format,
            verbose: as in `image_dataset_from_directory`.

    Shapes:
        batches of texts `(B,)`, a NumPy array of `str`, with labels.

    Raises:
        ValueError: an argument is wrong, or there is no text.

    Differs: Keras gives TensorFlow's byte strings and counts bytes in `max_length`.
    """
    if max_length is not None and (not isinstance(max_length, int) or max_length < 1):
        raise ValueError(f"`max_length` must be a positive integer. Received: max_length={max_length!r}")
    check_format(format)

    def load(path: str) -> str:
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            return file.read(-1 if max_length is None else max_length)

    return dataset_of_files(
        directory,
        load,
        (".txt",),
        labels,
        label_mode,
        class_names,
        batch_size,
        shuffle,
        seed,
        validation_split,
        subset,
        follow_links,
        verbose,
    )
