"""Random changes of single pictures, NumPy arrays: those of Keras 2, drawn from NumPy's global generator.

`row_axis`, `col_axis` and `channel_axis` say which axis of a picture is which; by default it is `(C, H, W)`.
"""

# H height, W width, C channels

from __future__ import annotations

from typing import Any

import numpy as np

from kerasish.errors import received
from kerasish.preprocessing.pictures import array_to_img, img_to_array, import_pil

FILL_MODES = ("constant", "nearest", "reflect", "wrap")


def apply_affine_transform(
    x: np.ndarray,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """Rotate, shift, shear and zoom a picture about its middle, each pixel interpolated by splines.

    Args:
        x: picture of rank 3.
        theta: rotation, degrees.
        tx: shift to the left, pixels.
        ty: shift upwards, pixels.
        shear: shear angle, degrees.
        zx: zoom from left to right; below 1 enlarges.
        zy: zoom from top to bottom.
        row_axis, col_axis, channel_axis: the axes.
        fill_mode: `"nearest"`, `"constant"`, `"reflect"` or `"wrap"`: what lies beyond the borders.
        cval: value beyond the borders for `"constant"`.
        order: order of the splines, 0 to 5.

    Shapes:
        as `x`.

    Raises:
        ValueError: the axes are not those of a picture.
    """
    if sorted(axis % 3 for axis in (row_axis, col_axis, channel_axis)) != [0, 1, 2] or np.ndim(x) != 3:
        raise ValueError(
            "`x` must have rank 3, and `row_axis`, `col_axis` and `channel_axis` must be its three axes. "
            f"Received: {received(x)}, row_axis={row_axis}, col_axis={col_axis}, channel_axis={channel_axis}"
        )
    matrix = np.eye(3)
    if theta != 0:
        angle = np.deg2rad(theta)
        matrix = matrix @ [
            [np.cos(angle), -np.sin(angle), 0],
            [np.sin(angle), np.cos(angle), 0],
            [0, 0, 1],
        ]
    if tx != 0 or ty != 0:
        matrix = matrix @ [[1, 0, tx], [0, 1, ty], [0, 0, 1]]
    if shear != 0:
        angle = np.deg2rad(shear)
        matrix = matrix @ [[1, -np.sin(angle), 0], [0, np.cos(angle), 0], [0, 0, 1]]
    if zx != 1 or zy != 1:
        matrix = matrix @ np.diag([zx, zy, 1])
    if np.array_equal(matrix, np.eye(3)):
        return x
    from scipy.ndimage import affine_transform

    # Keras counts x along the columns, yet takes half the height for the middle's x: its results are wanted here,
    # also for pictures that are not square.
    middle = np.array([x.shape[row_axis] / 2 - 0.5, x.shape[col_axis] / 2 - 0.5])
    offset = (middle + matrix[:2, 2] - matrix[:2, :2] @ middle)[::-1]
    linear = matrix[1::-1, 1::-1]
    axes = (channel_axis, row_axis, col_axis)
    channels = [
        affine_transform(channel, linear, offset, order=order, mode=fill_mode, cval=cval)
        for channel in np.moveaxis(x, axes, (0, 1, 2))
    ]
    return np.moveaxis(np.stack(channels), (0, 1, 2), axes)


def apply_channel_shift(x: np.ndarray, intensity: float, channel_axis: int = 0) -> np.ndarray:
    """Add `intensity` to all values, which stay between the lowest and the highest of `x`."""
    return np.clip(x + intensity, np.min(x), np.max(x))


def apply_brightness_shift(x: np.ndarray, brightness: float, scale: bool = True) -> np.ndarray:
    """Multiply a picture's 8-bit levels by `brightness`: 0 gives black, 1 changes nothing.

    Args:
        x: picture.
        brightness: the factor.
        scale: stretch the values to 0 … 255 first; values outside that range are always stretched, and with
            `scale=False` brought back to their range in the end.
    """
    import_pil()
    from PIL import ImageEnhance

    lowest, highest = np.min(x), np.max(x)
    is_outside = bool(lowest < 0 or highest > 255)
    image = array_to_img(x, scale=is_outside or scale)
    brightened = img_to_array(ImageEnhance.Brightness(image).enhance(brightness))
    if is_outside and not scale:
        brightened = brightened / 255 * (highest - lowest) + lowest
    return brightened


def random_rotation(
    x: np.ndarray,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """Rotate a picture by an angle drawn from U(−rg, rg), degrees."""
    theta = np.random.uniform(-rg, rg)
    return apply_affine_transform(
        x,
        theta=theta,
        row_axis=row_axis,
        col_axis=col_axis,
        channel_axis=channel_axis,
        fill_mode=fill_mode,
        cval=cval,
        order=interpolation_order,
    )


def random_shift(
    x: np.ndarray,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """Shift a picture by up to the share `wrg` of its width
    up or down, and by up to the share `hrg` of its height sideways: so does Keras.
    """
    tx = np.random.uniform(-hrg, hrg) * x.shape[row_axis]
    ty = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    return apply_affine_transform(
        x,
        tx=tx,
        ty=ty,
        row_axis=row_axis,
        col_axis=col_axis,
        channel_axis=channel_axis,
        fill_mode=fill_mode,
        cval=cval,
        order=interpolation_order,
    )


def random_shear(
    x: np.ndarray,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """Shear a picture by an angle drawn from U(−intensity, intensity), degrees."""
    return apply_affine_transform(
        x,
        shear=np.random.uniform(-intensity, intensity),
        row_axis=row_axis,
        col_axis=col_axis,
        channel_axis=channel_axis,
        fill_mode=fill_mode,
        cval=cval,
        order=interpolation_order,
    )


def random_zoom(
    x: np.ndarray,
    zoom_range: Any,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """Zoom a picture by factors for width and height drawn from `zoom_range`, (lowest, highest)."""
    lowest, highest = _pair("zoom_range", zoom_range)
    zx, zy = (1.0, 1.0) if lowest == highest == 1 else np.random.uniform(lowest, highest, 2)
    return apply_affine_transform(
        x,
        zx=zx,
        zy=zy,
        row_axis=row_axis,
        col_axis=col_axis,
        channel_axis=channel_axis,
        fill_mode=fill_mode,
        cval=cval,
        order=interpolation_order,
    )


def random_channel_shift(x: np.ndarray, intensity_range: float, channel_axis: int = 0) -> np.ndarray:
    """Add a number drawn from U(−intensity_range, intensity_range), see `apply_channel_shift`."""
    return apply_channel_shift(x, np.random.uniform(-intensity_range, intensity_range), channel_axis)


def random_brightness(x: np.ndarray, brightness_range: Any, scale: bool = True) -> np.ndarray:
    """Multiply by a number drawn from `brightness_range`, (lowest, highest), see `apply_brightness_shift`."""
    lowest, highest = _pair("brightness_range", brightness_range)
    return apply_brightness_shift(x, np.random.uniform(lowest, highest), scale)


def _pair(name: str, value: Any) -> tuple[float, float]:
    if not isinstance(value, (list, tuple, np.ndarray)) or len(value) != 2:
        raise ValueError(f"`{name}` must be two numbers, (lowest, highest). Received: {name}={value!r}")
    return value[0], value[1]
