"""`ImageDataGenerator`, Keras 2's way of changing pictures at random; Keras 3 has layers for it."""

# N pictures, H height, W width, C channels

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerasish.config import floatx, standardize_data_format
from kerasish.errors import did_you_mean, received
from kerasish.preprocessing.image_iterators import DataFrameIterator, DirectoryIterator, NumpyArrayIterator
from kerasish.preprocessing.transforms import (
    FILL_MODES,
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
)


class ImageDataGenerator:
    """Gives batches of pictures that are changed at random and standardized.

    The draws are those of Keras 2: with the same seed of NumPy, the same pictures. Changes come first (rotation,
    shifts, shear and zoom in one step; channel shift; flips; brightness), then `preprocessing_function`, `rescale`,
    sample-wise and feature-wise standardization and whitening.

    Args:
        featurewise_center: subtract the mean picture value of each channel, which `fit` learns.
        samplewise_center: subtract each picture's own mean.
        featurewise_std_normalization: divide by the standard deviation that `fit` learns.
        samplewise_std_normalization: divide by each picture's own standard deviation.
        zca_whitening: multiply by the whitening matrix that `fit` learns.
        zca_epsilon: added to singular values.
        rotation_range: largest angle, degrees.
        width_shift_range: largest shift: below 1 a share of the width, an integer n up to n pixels, a list: one of it.
        height_shift_range: the same with the height.
        brightness_range: (lowest, highest) factor of the brightness.
        shear_range: largest shear angle, degrees.
        zoom_range: (lowest, highest) factor, or z for (1 − z, 1 + z).
        channel_shift_range: largest number added to all values.
        fill_mode: `"nearest"`, `"constant"`, `"reflect"` or `"wrap"`: what lies beyond the borders.
        cval: value beyond the borders for `"constant"`.
        horizontal_flip: mirror every second picture, left to right.
        vertical_flip: mirror every second picture, top to bottom.
        rescale: factor of all values.
        preprocessing_function: function of a picture that returns one of the same shape.
        data_format: layout of the pictures.
        validation_split: share of the pictures that are the subset `"validation"`.
        interpolation_order: order of the splines, 0 to 5.
        dtype: dtype of the pictures.

    Raises:
        ValueError: an argument is wrong.

    Example:
        >>> generator = ImageDataGenerator(rescale=1 / 255, horizontal_flip=True)
        >>> batches = generator.flow(np.ones((5, 8, 8, 3)), np.arange(5), batch_size=2)
        >>> len(batches), next(batches)[0].shape
        (3, (2, 8, 8, 3))
    """

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: Any = None,
        shear_range: float = 0.0,
        zoom_range: Any = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable | None = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: Any = None,
    ) -> None:
        self.featurewise_center = featurewise_center
        self.samplewise_center = samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening = zca_whitening
        self.zca_epsilon = zca_epsilon
        self.rotation_range = rotation_range
        self.width_shift_range = width_shift_range
        self.height_shift_range = height_shift_range
        self.shear_range = shear_range
        self.channel_shift_range = channel_shift_range
        if fill_mode not in FILL_MODES:
            raise ValueError(
                f"`fill_mode` must be one of {FILL_MODES}.{did_you_mean(fill_mode, FILL_MODES)} "
                f"Received: fill_mode={fill_mode!r}"
            )
        self.fill_mode = fill_mode
        self.cval = cval
        self.horizontal_flip = horizontal_flip
        self.vertical_flip = vertical_flip
        self.rescale = rescale
        self.preprocessing_function = preprocessing_function
        self.dtype = dtype or floatx()
        self.interpolation_order = interpolation_order
        self.data_format = standardize_data_format(data_format)
        is_last = self.data_format == "channels_last"
        self.row_axis, self.col_axis, self.channel_axis = (1, 2, 3) if is_last else (2, 3, 1)
        if not 0 <= validation_split < 1:
            raise ValueError(
                f"`validation_split` must be between 0 and 1. Received: validation_split={validation_split!r}"
            )
        self._validation_split = validation_split
        self.mean: Any = None
        self.std: Any = None
        self.zca_whitening_matrix: Any = None
        if isinstance(zoom_range, (int, float)):
            zoom_range = [1 - zoom_range, 1 + zoom_range]
        if len(zoom_range) != 2 or not all(isinstance(z, (int, float, np.number)) for z in zoom_range):
            raise ValueError(
                f"`zoom_range` must be a number, or (lowest, highest). Received: zoom_range={zoom_range!r}"
            )
        self.zoom_range = [zoom_range[0], zoom_range[1]]
        if brightness_range is not None and (
            not isinstance(brightness_range, (tuple, list)) or len(brightness_range) != 2
        ):
            raise ValueError(
                f"`brightness_range` must be (lowest, highest). Received: brightness_range={brightness_range!r}"
            )
        self.brightness_range = brightness_range
        if zca_whitening and featurewise_std_normalization:
            self.featurewise_std_normalization = False
            warnings.warn("`zca_whitening` makes `featurewise_std_normalization` superfluous.", stacklevel=2)
        for needing, needed in (
            ("zca_whitening", "featurewise_center"),
            ("featurewise_std_normalization", "featurewise_center"),
            ("samplewise_std_normalization", "samplewise_center"),
        ):
            if getattr(self, needing) and not getattr(self, needed):
                setattr(self, needed, True)
                warnings.warn(f"`{needing}` needs `{needed}=True`, which is set.", stacklevel=2)

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Batches from an array of pictures `(N, H, W, C)`; see `NumpyArrayIterator` for the arguments."""
        return NumpyArrayIterator(
            x,
            y,
            self,
            batch_size=batch_size,
            shuffle=shuffle,
            sample_weight=sample_weight,
            seed=seed,
            data_format=self.data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            subset=subset,
            ignore_class_split=ignore_class_split,
            dtype=self.dtype,
        )

    def flow_from_directory(
        self,
        directory: Any,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ) -> DirectoryIterator:
        """Batches of the pictures in a directory with one subdirectory for each class.

        Args:
            directory: the directory.
            target_size: (height, width) to resize to, pixels.
            color_mode: `"grayscale"`, `"rgb"` or `"rgba"`.
            classes: the subdirectories to take, in the order of their numbers; all, alphabetically, by default.
            class_mode: targets: `"categorical"` one-hot vectors, `"binary"` and `"sparse"` numbers, `"input"` the
                pictures themselves, None for pictures alone.
            follow_links: enter directories that are links.
            interpolation: as in `load_img`.
            keep_aspect_ratio: cut off what sticks out of the new proportions instead of distorting.
            batch_size, shuffle, seed, save_to_dir, save_prefix, save_format, subset: as in `NumpyArrayIterator`.
        """
        return DirectoryIterator(
            directory,
            self,
            target_size=target_size,
            color_mode=color_mode,
            classes=classes,
            class_mode=class_mode,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            data_format=self.data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            follow_links=follow_links,
            subset=subset,
            interpolation=interpolation,
            keep_aspect_ratio=keep_aspect_ratio,
            dtype=self.dtype,
        )

    def flow_from_dataframe(
        self,
        dataframe: Any,
        directory: Any = None,
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
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
        **kwargs: Any,
    ) -> DataFrameIterator:
        """Batches of the pictures that a pandas data frame names.

        Args:
            dataframe: the data frame.
            directory: where the files lie; None if the data frame has whole paths.
            x_col: the column of file names.
            y_col: the column of class names (or lists of them), or of targets; a list of columns for
                `"multi_output"`.
            weight_col: the column of weights.
            class_mode: as in `flow_from_directory`; also `"raw"` for the values of `y_col`, `"multi_output"` for a list
                with the values of each column.
            validate_filenames: leave names out that name no picture.
            The other arguments are those of `flow_from_directory`.
        """
        if kwargs:
            raise TypeError(
                f"Unrecognized keyword arguments for flow_from_dataframe: {sorted(kwargs)}. `has_ext`, `sort` and "
                "`drop_duplicates` are older still: give whole file names, and use the methods of the data frame."
            )
        return DataFrameIterator(
            dataframe,
            directory,
            self,
            x_col=x_col,
            y_col=y_col,
            weight_col=weight_col,
            target_size=target_size,
            color_mode=color_mode,
            classes=classes,
            class_mode=class_mode,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            data_format=self.data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            subset=subset,
            interpolation=interpolation,
            dtype=self.dtype,
            validate_filenames=validate_filenames,
        )

    def standardize(self, x: np.ndarray) -> np.ndarray:
        """Apply `preprocessing_function`, `rescale`, centering, scaling and whitening to a picture, in place."""
        if self.preprocessing_function:
            x = self.preprocessing_function(x)
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= np.mean(x, keepdims=True)
        if self.samplewise_std_normalization:
            x /= np.std(x, keepdims=True) + 1e-6
        if self.featurewise_center and self._is_fitted("mean", "featurewise_center"):
            x -= self.mean
        if self.featurewise_std_normalization and self._is_fitted("std", "featurewise_std_normalization"):
            x /= self.std + 1e-6
        if self.zca_whitening and self._is_fitted("zca_whitening_matrix", "zca_whitening"):
            x = (x.reshape(1, -1) @ self.zca_whitening_matrix).reshape(x.shape)
        return x

    def _is_fitted(self, attribute: str, argument: str) -> bool:
        if getattr(self, attribute) is not None:
            return True
        warnings.warn(
            f"`{argument}` has no effect before `fit(x)`: call it with the training pictures first.",
            stacklevel=3,
        )
        return False

    def get_random_transform(self, img_shape: tuple[int, ...], seed: int | None = None) -> dict[str, Any]:
        """Draw a change for a picture of this shape: a dictionary for `apply_transform`."""
        rows, columns = img_shape[self.row_axis - 1], img_shape[self.col_axis - 1]
        if seed is not None:
            np.random.seed(seed)
        theta = np.random.uniform(-self.rotation_range, self.rotation_range) if self.rotation_range else 0
        tx = _random_shift(self.height_shift_range, rows)
        ty = _random_shift(self.width_shift_range, columns)
        shear = np.random.uniform(-self.shear_range, self.shear_range) if self.shear_range else 0
        zx: Any = 1
        zy: Any = 1
        if self.zoom_range != [1, 1]:
            zx, zy = np.random.uniform(self.zoom_range[0], self.zoom_range[1], 2)
        flip_horizontal = (np.random.random() < 0.5) * self.horizontal_flip
        flip_vertical = (np.random.random() < 0.5) * self.vertical_flip
        shift = self.channel_shift_range
        return {
            "theta": theta,
            "tx": tx,
            "ty": ty,
            "shear": shear,
            "zx": zx,
            "zy": zy,
            "flip_horizontal": flip_horizontal,
            "flip_vertical": flip_vertical,
            "channel_shift_intensity": np.random.uniform(-shift, shift) if shift != 0 else None,
            "brightness": None
            if self.brightness_range is None
            else np.random.uniform(*self.brightness_range),
        }

    def apply_transform(self, x: np.ndarray, transform_parameters: dict[str, Any]) -> np.ndarray:
        """Change a picture.

        Args:
            x: picture of rank 3.
            transform_parameters: `theta`, `tx`, `ty`, `shear`, `zx`, `zy` as in `apply_affine_transform`,
                `flip_horizontal`, `flip_vertical`, `channel_shift_intensity`, `brightness`; each may be left out.
        """
        parameters = transform_parameters
        rows, columns, channels = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        x = apply_affine_transform(
            x,
            theta=parameters.get("theta", 0),
            tx=parameters.get("tx", 0),
            ty=parameters.get("ty", 0),
            shear=parameters.get("shear", 0),
            zx=parameters.get("zx", 1),
            zy=parameters.get("zy", 1),
            row_axis=rows,
            col_axis=columns,
            channel_axis=channels,
            fill_mode=self.fill_mode,
            cval=self.cval,
            order=self.interpolation_order,
        )
        if parameters.get("channel_shift_intensity") is not None:
            x = apply_channel_shift(x, parameters["channel_shift_intensity"], channels)
        if parameters.get("flip_horizontal", False):
            x = np.flip(x, columns)
        if parameters.get("flip_vertical", False):
            x = np.flip(x, rows)
        if parameters.get("brightness") is not None:
            x = apply_brightness_shift(x, parameters["brightness"], scale=False)
        return x

    def random_transform(self, x: np.ndarray, seed: int | None = None) -> np.ndarray:
        """Draw a change and apply it to a picture."""
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Learn means, standard deviations and the whitening matrix, as far as they are needed.

        Args:
            x: pictures of rank 4.
            augment: learn from pictures changed at random.
            rounds: how many changed ones of each picture, with `augment`.
            seed: seed of NumPy's global generator.

        Raises:
            ValueError: `x` has not rank 4.

        Source (whitening): Krizhevsky, Learning multiple layers of features from tiny images, 2009, appendix A.
        """
        x = np.array(x, dtype=self.dtype)
        if x.ndim != 4:
            raise ValueError(f"`x` must be pictures of rank 4. Received: {received(x)}")
        if x.shape[self.channel_axis] not in (1, 3, 4):
            warnings.warn(
                f"Pictures in the layout {self.data_format!r} have 1, 3 or 4 channels. Received: {received(x)}",
                stacklevel=2,
            )
        if seed is not None:
            np.random.seed(seed)
        if augment:
            changed = [self.random_transform(picture) for _ in range(rounds) for picture in x]
            x = np.array(changed, dtype=self.dtype)
        axes = (0, self.row_axis, self.col_axis)
        if self.featurewise_center:
            self.mean = np.mean(x, axis=axes, keepdims=True)[0]
            x -= self.mean
        if self.featurewise_std_normalization:
            self.std = np.std(x, axis=axes, keepdims=True)[0]
            x /= self.std + 1e-6
        if self.zca_whitening:
            flat = x.reshape(len(x), -1)
            directions, scales, _ = np.linalg.svd(flat.T, full_matrices=False)
            self.zca_whitening_matrix = (
                directions * (np.sqrt(len(x)) / (scales + self.zca_epsilon))
            ) @ directions.T


def _random_shift(shift_range: Any, size: int) -> Any:
    """A shift in pixels: U(−r, r) for a float, one of a list (or of 0 … n − 1) with a random sign."""
    if not np.any(shift_range):
        return 0
    if isinstance(shift_range, (float, np.floating)):
        shift = np.random.uniform(-shift_range, shift_range)
    else:
        shift = np.random.choice(shift_range) * np.random.choice([-1, 1])
    return shift * size if np.max(shift_range) < 1 else shift
