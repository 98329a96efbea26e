"""Pictures in a directory as a data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from kerasish.config import standardize_data_format
from kerasish.preprocessing.directory import dataset_of_files
from kerasish.preprocessing.pictures import MODES, check_color_mode, import_pil
from kerasish.preprocessing.resizing import (
    check_interpolation,
    check_size,
    crop_to_ratio,
    resize,
    resize_with_padding,
)

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: tuple[int, int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """A data set of the pictures in a directory, which are read while it is iterated.

    Args:
        directory: its subdirectories are the classes, in alphabetical order.
        labels: `"inferred"` from the subdirectories, a list of integers (one for each file, in alphabetical order of
            their paths), or None for pictures alone.
        label_mode: `"int"` for class numbers (int32), `"categorical"` for one-hot vectors, `"binary"` for 0.0 and 1.0,
            None for pictures alone.
        class_names: the subdirectories to take, in the order of their numbers.
        color_mode: `"grayscale"`, `"rgb"` or `"rgba"`.
        batch_size: pictures in a batch; None for single pictures.
        image_size: (height, width) to resize to, pixels.
        shuffle: another order in each epoch; else alphabetical.
        seed: fixes the orders, and which files are for validation: the same as Keras.
        validation_split: share of the files kept for validation.
        subset: `"training"`, `"validation"`, or `"both"` for a list of the two data sets.
        interpolation: `"bilinear"`, `"nearest"`, `"bicubic"`, `"area"`, `"lanczos3"`, `"lanczos5"`, `"gaussian"` or
            `"mitchellcubic"`, without antialiasing.
        follow_links: enter directories that are links.
        crop_to_aspect_ratio: cut off what sticks out of the new proportions instead of distorting.
        pad_to_aspect_ratio: fill up with black instead of distorting.
        data_format: `"channels_last"` or `"channels_first"`.
        format: has to be `"tf"`; the data set is a kerasish `Dataset` with tf.data's methods.
        verbose: print the numbers of files and classes.

    Shapes:
        batches of pictures `(B, height, width, C)`, float32 from 0 to 255, with labels `(B,)`, `(B, 1)` or
        `(B, classes)`. The data set has the attributes `class_names` and `file_paths`.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: an argument is wrong, or there is no picture.

    Differs: in Keras this needs TensorFlow. Orders after the first shuffle are other ones than tf.data's.
    """
    mode = MODES[check_color_mode(color_mode)]
    size = check_size("image_size", (image_size,) * 2 if isinstance(image_size, int) else image_size)
    interpolation = check_interpolation(interpolation)
    channels_last = standardize_data_format(data_format) == "channels_last"
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("Only one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio` can be True.")
    check_format(format)
    import_pil()

    def load(path: str) -> torch.Tensor:
        picture = torch.from_numpy(read_pixels(path, mode).astype(np.float32)).movedim(-1, 0)
        if pad_to_aspect_ratio:
            picture = resize_with_padding(picture, size, interpolation)
        else:
            picture = crop_to_ratio(picture, size) if crop_to_aspect_ratio else picture
            picture = resize(picture, size, interpolation)
        return picture.movedim(0, -1) if channels_last else picture

    return dataset_of_files(
        directory,
        load,
        ENDINGS,
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


def check_format(format: Any) -> None:
    """Raise unless the kind of data set asked for is `"tf"`."""
    if format != "tf":
        raise ValueError(
            "`format` must be 'tf': the data set is a kerasish Dataset, which has tf.data's methods. "
            f"Received: format={format!r}"
        )


def read_pixels(path: str, mode: str) -> np.ndarray:
    """The pixels `(H, W, C)`, uint8, of the first frame of a picture file.

    Raises:
        ValueError: the file is no picture, or broken.
    """
    try:
        with import_pil().open(path) as image:
            if image.mode.startswith("I"):  # 16 bits, of which `convert` would keep the lower 8
                levels = np.asarray(image, dtype=np.int64)
                image = import_pil().fromarray((levels // 257).clip(0, 255).astype(np.uint8))
            pixels = np.asarray(image if image.mode == mode else image.convert(mode))
    except (OSError, SyntaxError) as error:
        raise ValueError(f"{path!r} cannot be read as a picture: {error}") from error
    return pixels[..., None] if pixels.ndim == 2 else pixels
