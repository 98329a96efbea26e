"""Data sets of the files in a directory, one class for each of its subdirectories."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kerasish.errors import did_you_mean, received
from kerasish.preprocessing.dataset import AUTOTUNE, Dataset, new_seed

LABEL_MODES = ("int", "categorical", "binary", None)
SUBSETS = ("training", "validation", "both")


def dataset_of_files(
    directory: Any,
    load: Callable[[str], Any],
    endings: tuple[str, ...],
    labels: Any,
    label_mode: str | None,
    class_names: Sequence[str] | None,
    batch_size: int | None,
    shuffle: bool,
    seed: int | None,
    validation_split: float | None,
    subset: str | None,
    follow_links: bool,
    verbose: bool,
    is_padded: bool = False,
) -> Any:
    """The files of a directory, each read by `load`, with labels: a data set, or two for `subset="both"`.

    The other arguments are those of `image_dataset_from_directory`.
    """
    _check(labels, label_mode, class_names, validation_split, subset, shuffle, seed)
    if labels is None:
        label_mode = None
    if shuffle and seed is None:
        seed = new_seed()
    paths, numbers, names = _index(directory, endings, labels, class_names, follow_links)
    if label_mode == "binary" and len(names) != 2:
        raise ValueError(f"`label_mode='binary'` needs exactly 2 classes. Received: {names}")
    if label_mode in ("binary", "categorical") and any(not 0 <= n < len(names) for n in numbers):
        raise ValueError(
            f"`label_mode={label_mode!r}` needs labels from 0 to {len(names) - 1}, as there are {len(names)} classes. "
            f"Received: labels from {min(numbers)} to {max(numbers)}"
        )
    if verbose:
        print(f"Found {len(paths)} files{'' if labels is None else f' belonging to {len(names)} classes'}.")
    if shuffle:
        order = np.random.RandomState(seed).permutation(len(paths))
        paths, numbers = [paths[i] for i in order], [numbers[i] for i in order]
    if not paths:
        raise ValueError(f"No file with an ending {endings} was found in {str(directory)!r}.")

    def build(start: int, stop: int, is_shuffled: bool) -> Dataset:
        if start == stop:
            raise ValueError(
                f"`validation_split={validation_split}` of {len(paths)} files leaves none for one of the subsets."
            )
        return _build(
            paths[start:stop],
            numbers[start:stop],
            names,
            load,
            label_mode,
            None if label_mode is None and labels is None else names,
            batch_size,
            seed if is_shuffled else None,
            is_padded,
        )

    if subset is None:
        return build(0, len(paths), shuffle)
    cut = len(paths) - int((validation_split or 0) * len(paths))
    if verbose:
        if subset != "validation":
            print(f"Using {cut} files for training.")
        if subset != "training":
            print(f"Using {len(paths) - cut} files for validation.")
    if subset == "both":
        return [build(0, cut, shuffle), build(cut, len(paths), False)]
    return build(0, cut, shuffle) if subset == "training" else build(cut, len(paths), shuffle)


def _build(
    paths: list[str],
    numbers: list[int],
    names: list[str],
    load: Callable[[str], Any],
    label_mode: str | None,
    class_names: list[str] | None,
    batch_size: int | None,
    shuffle_seed: int | None,
    is_padded: bool,
) -> Dataset:
    labels = torch.tensor(numbers, dtype=torch.int32)
    if label_mode == "binary":
        labels = labels.float().unsqueeze(1)
    elif label_mode == "categorical":
        labels = torch.nn.functional.one_hot(labels.long(), len(names)).float()
    order = list(range(len(paths)))
    dataset = Dataset(lambda: iter(order), len(order))
    if shuffle_seed is not None:
        dataset = dataset.shuffle(len(order), seed=shuffle_seed)

    def read(i: int) -> Any:
        content = load(paths[i])
        return content if label_mode is None else (content, labels[i])

    dataset = dataset.map(read, num_parallel_calls=AUTOTUNE)
    if batch_size is not None:
        dataset = dataset.padded_batch(batch_size) if is_padded else dataset.batch(batch_size)
    dataset = dataset.prefetch(AUTOTUNE)
    dataset.class_names, dataset.file_paths = class_names, paths
    return dataset


def _check(
    labels: Any,
    label_mode: Any,
    class_names: Any,
    validation_split: Any,
    subset: Any,
    shuffle: bool,
    seed: int | None,
) -> None:
    if isinstance(labels, str) and labels != "inferred":
        raise ValueError(
            "`labels` must be 'inferred' (from the subdirectories), a list of integers, one for each file in "
            f"alphabetical order, or None. Received: labels={labels!r}"
        )
    if label_mode not in LABEL_MODES:
        raise ValueError(
            "`label_mode` must be 'int', 'categorical', 'binary' or None."
            f"{did_you_mean(label_mode, LABEL_MODES[:3])} Received: label_mode={label_mode!r}"
        )
    if class_names is not None and not isinstance(labels, str):
        raise ValueError(
            f"`class_names` goes with `labels='inferred'` only. Received: labels={received(labels)}, "
            f"class_names={class_names!r}"
        )
    if (validation_split is None) != (subset is None):
        raise ValueError(
            "`validation_split` and `subset` go together. Received: "
            f"validation_split={validation_split!r}, subset={subset!r}"
        )
    if subset is None:
        return
    if subset not in SUBSETS:
        raise ValueError(
            f"`subset` must be 'training', 'validation' or 'both'.{did_you_mean(subset, SUBSETS)} "
            f"Received: subset={subset!r}"
        )
    if not 0 < validation_split < 1:
        raise ValueError(
            f"`validation_split` must be between 0 and 1. Received: validation_split={validation_split!r}"
        )
    if shuffle and seed is None:
        raise ValueError(
            "`validation_split` with shuffled files needs a `seed`, so that the training and the validation files "
            "do not overlap."
        )


def _index(
    directory: Any, endings: tuple[str, ...], labels: Any, class_names: Any, follow_links: bool
) -> tuple[list[str], list[int], list[str]]:
    """The paths, the number of the class of each, and the names of the classes."""
    if not isinstance(directory, (str, os.PathLike)):
        raise TypeError(f"`directory` must be a path. Received: {received(directory)}")
    root = Path(directory)
    if not root.is_dir():
        raise FileNotFoundError(f"There is no directory {str(directory)!r}.")
    if not isinstance(labels, str):
        paths = files_below(root, endings, follow_links)
        if labels is None:
            return paths, [0] * len(paths), []
        numbers = [int(label) for label in labels]
        if len(numbers) != len(paths):
            raise ValueError(
                f"`labels` must have one entry for each file: {len(paths)} files were found in {str(directory)!r}. "
                f"Received: {len(numbers)} labels"
            )
        return paths, numbers, [str(number) for number in sorted(set(numbers))]
    found = sorted(
        entry.name for entry in os.scandir(root) if entry.is_dir() and not entry.name.startswith(".")
    )
    names = found if class_names is None else list(class_names)
    if not set(names) <= set(found) or len(set(names)) < len(names):
        raise ValueError(
            f"`class_names` must be different names of subdirectories of {str(directory)!r}, which are {found}. "
            f"Received: class_names={names}"
        )
    by_class = [files_below(root / name, endings, follow_links) for name in names]
    numbers = [number for number, files in enumerate(by_class) for _ in files]
    return [path for files in by_class for path in files], numbers, names


def files_below(root: Path, endings: tuple[str, ...], follow_links: bool) -> list[str]:
    """The files with these endings in a directory and those below it, sorted within each directory."""
    places = sorted(os.walk(root, followlinks=follow_links), key=lambda place: place[0])
    return [
        os.path.join(place, name)
        for place, _, names in places
        for name in sorted(names)
        if name.lower().endswith(endings)
    ]
