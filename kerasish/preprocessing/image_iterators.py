"""What `ImageDataGenerator.flow` and its kin return: batches by index, and one after the other without end."""

# B batch, H height, W width, C channels

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator as Iterating
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasish.config import floatx, standardize_data_format
from kerasish.errors import did_you_mean, received
from kerasish.preprocessing.directory import files_below
from kerasish.preprocessing.pictures import (
    CHANNELS,
    PIL_INTERPOLATIONS,
    array_to_img,
    check_color_mode,
    img_to_array,
    load_img,
)
from kerasish.training.data.py_dataset import PyDataset


class Iterator(PyDataset):
    """Batches of `n` records: `len(it)` of them by index, and without end by `next(it)`.

    Subclasses define `_get_batches_of_transformed_samples(index_array)`.

    Args:
        n: number of records.
        batch_size: records in a batch.
        shuffle: another order after each pass.
        seed: batch number b is drawn after `np.random.seed(seed + b)`.
    """

    white_list_formats = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None) -> None:
        super().__init__()
        if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise ValueError(f"`batch_size` must be a positive integer. Received: batch_size={batch_size!r}")
        self.n = n
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.batch_index = 0
        self.total_batches_seen = 0
        self.lock = threading.Lock()
        self.index_array: np.ndarray | None = None
        self.index_generator = self._flow_index()

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def __getitem__(self, idx: int) -> Any:
        if idx >= len(self):
            raise IndexError(f"There are {len(self)} batches. Received: index {idx}")
        self._seed_batch()
        self.total_batches_seen += 1
        if self.index_array is None:
            self._set_index_array()
        first = self.batch_size * idx
        return self._get_batches_of_transformed_samples(self._order()[first : first + self.batch_size])

    def __iter__(self) -> Iterating:
        return self

    def __next__(self, *args: Any, **kwargs: Any) -> Any:
        return self.next(*args, **kwargs)

    def next(self) -> Any:
        """The next batch; after the last one it begins anew."""
        with self.lock:
            index_array = next(self.index_generator)
        return self._get_batches_of_transformed_samples(index_array)

    def reset(self) -> None:
        """Begin at the first batch again."""
        self.batch_index = 0

    def on_epoch_end(self) -> None:
        """Draw the order of the next pass."""
        self._set_index_array()

    def _seed_batch(self) -> None:
        if self.seed is not None:
            np.random.seed(self.seed + self.total_batches_seen)

    def _order(self) -> np.ndarray:
        return np.arange(self.n) if self.index_array is None else self.index_array

    def _set_index_array(self) -> None:
        self.index_array = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def _flow_index(self) -> Iterating[np.ndarray]:
        self.reset()
        while self.n:
            self._seed_batch()
            if self.batch_index == 0:
                self._set_index_array()
            first = (self.batch_index * self.batch_size) % self.n
            is_last = self.n <= first + self.batch_size
            self.batch_index = 0 if is_last else self.batch_index + 1
            self.total_batches_seen += 1
            yield self._order()[first : first + self.batch_size]

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        """The batch of these records."""
        raise NotImplementedError(
            f"{type(self).__name__} must define `_get_batches_of_transformed_samples(self, index_array)`."
        )


class NumpyArrayIterator(Iterator):
    """Batches of pictures from an array, changed at random.

    Args:
        x: pictures, or (pictures, array or list of further arrays, which stay as they are).
        y: targets, or None.
        image_data_generator: the `ImageDataGenerator` that changes the pictures.
        batch_size, shuffle, seed: as in `Iterator`.
        sample_weight: weight of each picture.
        data_format: layout of the pictures.
        save_to_dir: directory in which the changed pictures are written.
        save_prefix: how the names of those files begin.
        save_format: their format.
        subset: `"training"` or `"validation"`, for a generator with `validation_split`.
        ignore_class_split: take the subsets even if they have different classes.
        dtype: dtype of the batches.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: Any,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        ignore_class_split: bool = False,
        dtype: Any = None,
    ) -> None:
        self.dtype = dtype or floatx()
        further: list[Any] = []
        if isinstance(x, (tuple, list)):
            rest = x[1]
            further = [np.asarray(part) for part in (rest if isinstance(rest, list) else [rest])]
            x = x[0]
        for name, part in (
            *(("every further array of `x`", part) for part in further),
            ("`y`", y),
            ("`sample_weight`", sample_weight),
        ):
            if part is not None and len(part) != len(x):
                raise ValueError(f"{name} must be as long as the pictures, {len(x)}. Received: {len(part)}")
        parts = [x, *further, y, sample_weight]
        if subset is not None:
            cut = int(len(x) * image_data_generator._validation_split)
            if check_subset(subset) == "training":
                rows = slice(cut, None)
            else:
                rows = slice(None, cut)
            if y is not None and not ignore_class_split:
                classes = [np.unique(part) for part in (np.asarray(y)[:cut], np.asarray(y)[cut:])]
                if not np.array_equal(classes[0], classes[1]):
                    raise ValueError(
                        "The training and the validation subset have different classes after the split: shuffle the "
                        f"data first. Received: {len(classes[1])} classes in training, {len(classes[0])} in validation"
                    )
            parts = [None if part is None else np.asarray(part)[rows] for part in parts]
        x, *further, y, sample_weight = parts
        self.x = np.asarray(x, dtype=self.dtype)
        self.x_misc = further
        self.y = None if y is None else np.asarray(y)
        self.sample_weight = None if sample_weight is None else np.asarray(sample_weight)
        if self.x.ndim != 4:
            raise ValueError(f"The pictures must be an array of rank 4. Received: {received(self.x)}")
        self.data_format = standardize_data_format(data_format)
        channels = self.x.shape[3 if self.data_format == "channels_last" else 1]
        if channels not in (1, 3, 4):
            warnings.warn(
                f"Pictures in the layout {self.data_format!r} have 1, 3 or 4 channels. Received: {received(self.x)}",
                stacklevel=3,
            )
        self.image_data_generator = image_data_generator
        self.save_to_dir = save_to_dir
        self.save_prefix = save_prefix
        self.save_format = save_format
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        generator = self.image_data_generator
        batch = np.zeros((len(index_array), *self.x.shape[1:]), dtype=self.dtype)
        for i, j in enumerate(index_array):
            picture = self.x[j]
            parameters = generator.get_random_transform(picture.shape)
            picture = generator.apply_transform(picture.astype(self.dtype), parameters)
            batch[i] = generator.standardize(picture)
        save_pictures(self, batch, index_array, 10**4)
        inputs = [batch, *(part[index_array] for part in self.x_misc)] if self.x_misc else batch
        if self.y is None:
            return inputs
        if self.sample_weight is None:
            return inputs, self.y[index_array]
        return inputs, self.y[index_array], self.sample_weight[index_array]


class FileIterator(Iterator):
    """Batches of pictures from files: what `DirectoryIterator` and `DataFrameIterator` share."""

    allowed_class_modes = {"categorical", "binary", "sparse", "input", None}
    filenames: list[str]
    class_indices: dict[str, int]
    class_mode: str | None
    dtype: Any

    def set_processing_attrs(
        self,
        image_data_generator: Any,
        target_size: Any,
        color_mode: str,
        data_format: str | None,
        save_to_dir: str | None,
        save_prefix: str,
        save_format: str,
        subset: str | None,
        interpolation: str,
        keep_aspect_ratio: bool,
    ) -> None:
        """Check and keep the arguments that say how pictures are read."""
        self.image_data_generator = image_data_generator
        self.target_size = tuple(target_size)
        self.keep_aspect_ratio = keep_aspect_ratio
        self.color_mode = check_color_mode(color_mode)
        self.data_format = standardize_data_format(data_format)
        channels = (CHANNELS[color_mode],)
        is_last = self.data_format == "channels_last"
        self.image_shape = self.target_size + channels if is_last else channels + self.target_size
        self.save_to_dir = save_to_dir
        self.save_prefix = save_prefix
        self.save_format = save_format
        if interpolation not in PIL_INTERPOLATIONS:
            raise ValueError(
                f"`interpolation` must be one of {tuple(PIL_INTERPOLATIONS)}."
                f"{did_you_mean(interpolation, PIL_INTERPOLATIONS)} Received: interpolation={interpolation!r}"
            )
        self.interpolation = interpolation
        self.split: tuple[float, float] | None = None
        if subset is not None:
            share = image_data_generator._validation_split
            self.split = (0, share) if check_subset(subset) == "validation" else (share, 1)
        self.subset = subset

    def _rows_of_subset(self, count: int) -> slice:
        """Which of `count` files are in the subset."""
        first, last = self.split or (0, 1)
        return slice(int(first * count), int(last * count))

    @property
    def filepaths(self) -> list[str]:
        """The paths of the files."""
        raise NotImplementedError

    @property
    def labels(self) -> Any:
        """The number of the class of each file."""
        raise NotImplementedError

    @property
    def sample_weight(self) -> Any:
        """The weight of each file."""
        raise NotImplementedError

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        batch = np.zeros((len(index_array), *self.image_shape), dtype=self.dtype)
        generator = self.image_data_generator
        for i, j in enumerate(index_array):
            image = load_img(
                self.filepaths[j],
                color_mode=self.color_mode,
                target_size=self.target_size,
                interpolation=self.interpolation,
                keep_aspect_ratio=self.keep_aspect_ratio,
            )
            picture = img_to_array(image, data_format=self.data_format)
            if generator is not None:
                parameters = generator.get_random_transform(picture.shape)
                picture = generator.standardize(generator.apply_transform(picture, parameters))
            batch[i] = picture
        save_pictures(self, batch, index_array, 10**7)
        targets = self._targets(batch, index_array)
        if targets is None:
            return batch
        if self.sample_weight is None:
            return batch, targets
        return batch, targets, self.sample_weight[index_array]

    def _targets(self, batch: np.ndarray, index_array: np.ndarray) -> Any:
        if self.class_mode is None:
            return None
        if self.class_mode == "input":
            return batch.copy()
        if self.class_mode != "categorical":
            return np.array([self.labels[j] for j in index_array], dtype=self.dtype)
        one_hot = np.zeros((len(batch), len(self.class_indices)), dtype=self.dtype)
        for row, j in zip(one_hot, index_array, strict=True):
            row[self.labels[j]] = 1
        return one_hot

    def _check_class_mode(self, class_mode: Any) -> Any:
        if class_mode not in self.allowed_class_modes:
            known = sorted(map(repr, self.allowed_class_modes))
            raise ValueError(
                f"`class_mode` must be one of {', '.join(known)}."
                f"{did_you_mean(class_mode, [mode for mode in self.allowed_class_modes if mode])} "
                f"Received: class_mode={class_mode!r}"
            )
        return class_mode


class DirectoryIterator(FileIterator):
    """Batches of the pictures in a directory, changed at random; one class for each subdirectory.

    Args: those of `ImageDataGenerator.flow_from_directory`, and `image_data_generator`, `data_format` and `dtype`
        as in `NumpyArrayIterator`.
    """

    def __init__(
        self,
        directory: Any,
        image_data_generator: Any,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: Any = None,
    ) -> None:
        self.set_processing_attrs(
            image_data_generator,
            target_size,
            color_mode,
            data_format,
            save_to_dir,
            save_prefix,
            save_format,
            subset,
            interpolation,
            keep_aspect_ratio,
        )
        if not os.path.isdir(directory):
            raise FileNotFoundError(f"There is no directory {str(directory)!r}.")
        self.directory = directory
        self.class_mode = self._check_class_mode(class_mode)
        self.dtype = dtype or floatx()
        if not classes:
            classes = sorted(
                entry.name
                for entry in os.scandir(directory)
                if entry.is_dir() and not entry.name.startswith(".")
            )
        self.num_classes = len(classes)
        self.class_indices = {name: i for i, name in enumerate(classes)}
        endings = tuple(f".{ending}" for ending in self.white_list_formats)
        self.filenames, numbers = [], []
        for number, name in enumerate(classes):
            found = files_below_class(os.path.join(directory, name), endings, follow_links)
            kept = found[self._rows_of_subset(len(found))]
            self.filenames += [os.path.join(name, file) for file in kept]
            numbers += [number] * len(kept)
        self.classes = np.array(numbers, dtype="int32")
        self.samples = len(self.filenames)
        self._filepaths = [os.path.join(directory, name) for name in self.filenames]
        print(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        super().__init__(self.samples, batch_size, shuffle, seed)

    @property
    def filepaths(self) -> list[str]:
        """The paths of the files."""
        return self._filepaths

    @property
    def labels(self) -> np.ndarray:
        """The number of the class of each file."""
        return self.classes

    @property
    def sample_weight(self) -> None:
        """None: files in directories have no weights."""
        return


class DataFrameIterator(FileIterator):
    """Batches of the pictures that a data frame names, changed at random.

    Args: those of `ImageDataGenerator.flow_from_dataframe`, and `image_data_generator`, `data_format` and `dtype`
        as in `NumpyArrayIterator`.
    """

    allowed_class_modes = {"binary", "categorical", "input", "multi_output", "raw", "sparse", None}

    def __init__(
        self,
        dataframe: Any,
        directory: Any = None,
        image_data_generator: Any = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = "channels_last",
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        dtype: Any = "float32",
        validate_filenames: bool = True,
        keep_aspect_ratio: bool = False,
    ) -> None:
        self.set_processing_attrs(
            image_data_generator,
            target_size,
            color_mode,
            data_format,
            save_to_dir,
            save_prefix,
            save_format,
            subset,
            interpolation,
            keep_aspect_ratio,
        )
        self.directory = directory or ""
        self.class_mode = self._check_class_mode(class_mode)
        self.dtype = dtype
        has_classes = class_mode in ("binary", "categorical", "sparse")
        frame = dataframe.copy()
        _check_frame(frame, x_col, y_col, weight_col, classes, class_mode)
        if validate_filenames:
            frame = self._existing_files(frame, x_col)
        if has_classes:
            frame, classes = _known_classes(frame, y_col, classes)
            self.num_classes = len(classes)
            self.class_indices = {name: i for i, name in enumerate(classes)}
        frame = frame.iloc[self._rows_of_subset(len(frame))]
        self.filenames = frame[x_col].tolist()
        self.samples = len(self.filenames)
        self._filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        self._sample_weight = None if weight_col is None else frame[weight_col].to_numpy()
        if has_classes:
            self.classes = [
                [self.class_indices[name] for name in label]
                if isinstance(label, (list, tuple))
                else self.class_indices[label]
                for label in frame[y_col]
            ]
        elif class_mode == "multi_output":
            self._outputs = [np.array(frame[column].tolist()) for column in y_col]
        elif class_mode == "raw":
            self._raw = frame[y_col].to_numpy()
        kind = "validated" if validate_filenames else "non-validated"
        ending = f" belonging to {self.num_classes} classes" if has_classes else ""
        print(f"Found {self.samples} {kind} image filenames{ending}.")
        super().__init__(self.samples, batch_size, shuffle, seed)

    def _existing_files(self, frame: Any, x_col: str) -> Any:
        exists = [
            str(name).lower().endswith(self.white_list_formats)
            and os.path.isfile(os.path.join(self.directory, name))
            for name in frame[x_col]
        ]
        if not all(exists):
            warnings.warn(
                f"{len(exists) - sum(exists)} of {len(exists)} file names in column {x_col!r} name no picture that "
                "exists, and are left out.",
                stacklevel=4,
            )
        return frame[exists]

    def _targets(self, batch: np.ndarray, index_array: np.ndarray) -> Any:
        if self.class_mode == "multi_output":
            return [output[index_array] for output in self._outputs]
        if self.class_mode == "raw":
            return self._raw[index_array]
        return super()._targets(batch, index_array)

    @property
    def filepaths(self) -> list[str]:
        """The paths of the files."""
        return self._filepaths

    @property
    def labels(self) -> Any:
        """The number, or list of numbers, of the classes of each file."""
        if self.class_mode == "multi_output":
            return self._outputs
        return self._raw if self.class_mode == "raw" else self.classes

    @property
    def sample_weight(self) -> Any:
        """The weight of each file, or None."""
        return self._sample_weight


def files_below_class(directory: str, endings: tuple[str, ...], follow_links: bool) -> list[str]:
    """The pictures of a class, relative to its directory."""
    return [os.path.relpath(path, directory) for path in files_below(Path(directory), endings, follow_links)]


def check_subset(subset: Any) -> str:
    """Return a subset.

    Raises:
        ValueError: it is neither `"training"` nor `"validation"`.
    """
    if subset not in ("training", "validation"):
        raise ValueError(f"`subset` must be 'training' or 'validation'. Received: subset={subset!r}")
    return subset


def save_pictures(iterator: Any, batch: np.ndarray, index_array: np.ndarray, numbers: int) -> None:
    """Write a batch into `save_to_dir`, under names with a random number below `numbers`."""
    if not iterator.save_to_dir:
        return
    for picture, index in zip(batch, index_array, strict=True):
        image = array_to_img(picture, iterator.data_format, scale=True)
        name = f"{iterator.save_prefix}_{index}_{np.random.randint(numbers)}.{iterator.save_format}"
        image.save(os.path.join(iterator.save_to_dir, name))


def _check_frame(
    frame: Any, x_col: str, y_col: Any, weight_col: str | None, classes: Any, class_mode: str | None
) -> None:
    columns = [x_col, *([weight_col] if weight_col else [])]
    if class_mode not in ("input", None):
        columns += y_col if isinstance(y_col, (list, tuple)) else [y_col]
    for column in columns:
        if column not in frame.columns:
            raise ValueError(
                f"The data frame has no column {column!r}.{did_you_mean(column, map(str, frame.columns))} "
                f"Received: columns {list(frame.columns)}"
            )
    if not all(isinstance(name, str) for name in frame[x_col]):
        raise TypeError(f"Column {x_col!r} must hold file names, strings.")
    if class_mode in ("binary", "sparse") and not all(isinstance(label, str) for label in frame[y_col]):
        raise TypeError(
            f"`class_mode={class_mode!r}` needs class names, strings, in column {y_col!r}: use .astype(str)."
        )
    if class_mode == "categorical" and not all(
        isinstance(label, (str, list, tuple)) for label in frame[y_col]
    ):
        raise TypeError(
            f"`class_mode='categorical'` needs class names, or lists of them, in column {y_col!r}: use .astype(str)."
        )
    if class_mode == "binary":
        names = set(classes) if classes else set(frame[y_col])
        if len(names) != 2:
            raise ValueError(f"`class_mode='binary'` needs exactly 2 classes. Received: {sorted(names)}")
    if class_mode == "multi_output" and not isinstance(y_col, list):
        raise TypeError(f"`class_mode='multi_output'` needs a list of columns. Received: y_col={y_col!r}")
    if weight_col and frame[weight_col].dtype.kind not in "iuf":
        raise TypeError(f"Column {weight_col!r} must hold numbers. Received: {frame[weight_col].dtype}")


def _known_classes(frame: Any, y_col: str, classes: Any) -> tuple[Any, list[str]]:
    """The rows with known classes, and all names of classes in order."""
    labels = [label if isinstance(label, (list, tuple)) else [label] for label in frame[y_col]]
    if not classes:
        return frame, sorted({name for names in labels for name in names})
    known = list(dict.fromkeys(classes))
    kept = [[name for name in names if name in known] for names in labels]
    if frame[y_col].map(lambda label: isinstance(label, (list, tuple))).any():
        frame = frame.assign(**{y_col: kept})
    return frame[[bool(names) for names in kept]], known
