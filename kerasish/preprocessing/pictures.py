"""Pictures as files, as PIL images and as arrays."""

# H height, W width, C channels

from __future__ import annotations

import io
import os
import warnings
from typing import Any

import numpy as np
import torch

from kerasish.config import floatx, standardize_data_format
from kerasish.dtypes import standardize_dtype
from kerasish.errors import did_you_mean, received

MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}
PIL_INTERPOLATIONS = {
    "nearest": "NEAREST",
    "bilinear": "BILINEAR",
    "bicubic": "BICUBIC",
    "hamming": "HAMMING",
    "box": "BOX",
    "lanczos": "LANCZOS",
}


def import_pil() -> Any:
    """The module `PIL.Image`.

    Raises:
        ImportError: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise ImportError(
            "Reading and writing pictures needs Pillow: pip install 'kerasish[image]' (or pip install pillow)."
        ) from None
    return Image


def check_color_mode(color_mode: Any) -> str:
    """Return a color mode.

    Raises:
        ValueError: it is unknown.
    """
    if color_mode not in MODES:
        raise ValueError(
            f"`color_mode` must be 'grayscale', 'rgb' or 'rgba'.{did_you_mean(color_mode, MODES)} "
            f"Received: color_mode={color_mode!r}"
        )
    return color_mode


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: Any = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """Read a picture as a PIL image.

    Args:
        path: the file: a path, or a file object with its content.
        color_mode: `"grayscale"` (8, 16 or 32 bits, as in the file), `"rgb"` or `"rgba"`.
        target_size: (height, width) to resize to, pixels.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"lanczos"`, `"box"` or `"hamming"`, with antialiasing.
        keep_aspect_ratio: cut off what sticks out of the new proportions instead of distorting.

    Raises:
        ImportError: Pillow is not installed.
        TypeError: `path` is no path.
        ValueError: an argument is unknown.
    """
    image_module = import_pil()
    check_color_mode(color_mode)
    if interpolation not in PIL_INTERPOLATIONS and target_size is not None:
        raise ValueError(
            f"`interpolation` must be one of {tuple(PIL_INTERPOLATIONS)}."
            f"{did_you_mean(interpolation, PIL_INTERPOLATIONS)} Received: interpolation={interpolation!r}"
        )
    if isinstance(path, (str, os.PathLike)):
        with open(path, "rb") as file:
            image = image_module.open(io.BytesIO(file.read()))
    elif hasattr(path, "read"):
        image = image_module.open(path)
    else:
        raise TypeError(f"`path` must be a path or a file object. Received: {received(path)}")
    keeps_depth = color_mode == "grayscale" and image.mode in ("I;16", "I")
    if image.mode != MODES[color_mode] and not keeps_depth:
        image = image.convert(MODES[color_mode])
    if target_size is None:
        return image
    if len(target_size) != 2 or min(target_size) < 1:
        raise ValueError(f"`target_size` must be (height, width). Received: target_size={target_size!r}")
    height, width = target_size
    if image.size == (width, height):
        return image
    box = None
    if keep_aspect_ratio:
        old_width, old_height = image.size
        crop_height = min(old_height, old_width * height // width)
        crop_width = min(old_width, old_height * width // height)
        top, left = (old_height - crop_height) // 2, (old_width - crop_width) // 2
        box = (left, top, left + crop_width, top + crop_height)
    resample = image_module.Resampling[PIL_INTERPOLATIONS[interpolation]]
    return image.resize((width, height), resample, box=box)


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """Turn a PIL image into an array.

    Args:
        img: PIL image, or an array of rank 2 or 3.
        data_format: layout of the result, `"channels_last"` or `"channels_first"`.
        dtype: dtype of the result; the default float type by default.

    Shapes:
        → `(H, W, C)`, or `(C, H, W)` for `"channels_first"`.

    Raises:
        ValueError: the rank is neither 2 nor 3.

    Example:
        >>> img_to_array(np.zeros((4, 6), "uint8")).shape
        (4, 6, 1)
    """
    channels_first = standardize_data_format(data_format) == "channels_first"
    array = np.asarray(img, dtype=floatx() if dtype is None else standardize_dtype(dtype))
    if array.ndim == 2:
        return array[None] if channels_first else array[..., None]
    if array.ndim == 3:
        return array.transpose(2, 0, 1) if channels_first else array
    raise ValueError(f"A picture has rank 2 or 3. Received: {received(array)}")


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Any:
    """Turn an array into a PIL image.

    Args:
        x: array or tensor with 1, 3 or 4 channels.
        data_format: layout of `x`, `"channels_last"` or `"channels_first"`.
        scale: stretch the values linearly to 0 … 255; else they are taken as they are.
        dtype: dtype in which it is computed; the default float type by default.

    Shapes:
        `(H, W, C)`, or `(C, H, W)` for `"channels_first"`.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: the shape is that of no picture.

    Example:
        >>> array_to_img(np.random.rand(4, 6, 3)).size
        (6, 4)
    """
    image_module = import_pil()
    if isinstance(x, torch.Tensor):
        x = x.detach().cpu().numpy()
    array = np.asarray(x, dtype=floatx() if dtype is None else standardize_dtype(dtype))
    if array.ndim != 3:
        raise ValueError(f"A picture has rank 3: height, width, channels. Received: {received(array)}")
    if standardize_data_format(data_format) == "channels_first":
        array = array.transpose(1, 2, 0)
    if scale:
        array = array - array.min()
        highest = array.max()
        array = array / highest * 255 if highest else array
    channels = array.shape[2]
    if channels == 1 and array.max() > 255:
        return image_module.fromarray(array[..., 0].astype("int32"))
    if channels not in (1, 3, 4):
        raise ValueError(f"A picture has 1, 3 or 4 channels. Received: {received(array)}")
    return image_module.fromarray((array[..., 0] if channels == 1 else array).astype("uint8"))


def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array as a picture file.

    Args:
        path: the file, a path or a file object.
        x: array of a picture.
        data_format: layout of `x`.
        file_format: format of the file; by the ending of its name by default.
        scale: stretch the values to 0 … 255.
        **kwargs: arguments of `PIL.Image.Image.save`.
    """
    image = array_to_img(x, data_format=data_format, scale=scale)
    name = file_format or (os.path.splitext(path)[1][1:] if isinstance(path, (str, os.PathLike)) else "")
    if image.mode == "RGBA" and str(name).lower() in ("jpg", "jpeg"):
        warnings.warn("JPEG has no transparency: the picture is written without it.", stacklevel=2)
        image = image.convert("RGB")
    image.save(path, format="jpeg" if file_format == "jpg" else file_format, **kwargs)
