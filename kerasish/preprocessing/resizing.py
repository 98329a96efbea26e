"""Pictures in other sizes: every interpolation is a weighted sum over rows, then over columns."""

# H height, W width, C channels

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from kerasish.config import standardize_data_format
from kerasish.errors import did_you_mean, received


def _cubic(b: float, c: float) -> Callable[[torch.Tensor], torch.Tensor]:
    """The cubic kernels of Mitchell and Netravali, 1988, eq. 8."""

    def kernel(x: torch.Tensor) -> torch.Tensor:
        near = ((12 - 9 * b - 6 * c) * x**3 + (-18 + 12 * b + 6 * c) * x**2 + 6 - 2 * b) / 6
        far = ((-b - 6 * c) * x**3 + (6 * b + 30 * c) * x**2 + (-12 * b - 48 * c) * x + 8 * b + 24 * c) / 6
        return torch.where(x < 1, near, torch.where(x < 2, far, 0))

    return kernel


def _lanczos(radius: int) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda x: torch.where(x < radius, torch.sinc(x) * torch.sinc(x / radius), 0)


def _gaussian(x: torch.Tensor) -> torch.Tensor:
    return torch.where(x < 1.5 - 1e-6, torch.exp(-2 * x**2), 0)


# Weights by the distance from the middle of a pixel.
KERNELS = {
    "bicubic": _cubic(0, 0.5),
    "gaussian": _gaussian,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
    "mitchellcubic": _cubic(1 / 3, 1 / 3),
}
INTERPOLATIONS = ("bilinear", "nearest", "area", *KERNELS)


def check_interpolation(interpolation: Any) -> str:
    """Return the name of an interpolation in lower case.

    Raises:
        ValueError: it is unknown.
    """
    name = str(interpolation).lower()
    if name not in INTERPOLATIONS:
        raise ValueError(
            f"`interpolation` must be one of {INTERPOLATIONS}.{did_you_mean(name, INTERPOLATIONS)} "
            f"Received: interpolation={interpolation!r}"
        )
    return name


def check_size(name: str, size: Any) -> tuple[int, int]:
    """Return a size as (height, width).

    Raises:
        ValueError: it is not two positive numbers.
    """
    if isinstance(size, (list, tuple)) and len(size) == 2 and all(isinstance(n, int) and n > 0 for n in size):
        return size[0], size[1]
    raise ValueError(f"`{name}` must be (height, width), two positive integers. Received: {name}={size!r}")


def resize(x: torch.Tensor, size: tuple[int, int], interpolation: str = "bilinear") -> torch.Tensor:
    """Resize pictures without antialiasing: `(..., C, H, W)` → `(..., C, height, width)`, floats.

    Pixels are squares with their values in the middle; at the borders the weights of missing pixels go to the others.
    """
    if tuple(x.shape[-2:]) == size:
        return x
    if interpolation in ("bilinear", "nearest"):
        batch = x.reshape(-1, *x.shape[-3:])
        if interpolation == "bilinear":
            resized = F.interpolate(batch, size, mode="bilinear")
        else:
            resized = F.interpolate(batch, size, mode="nearest-exact")
        return resized.reshape(*x.shape[:-2], *size)
    rows, columns = (_weights(n, m, interpolation).to(x) for n, m in zip(x.shape[-2:], size, strict=True))
    return rows @ x @ columns.T


def _weights(n: int, m: int, interpolation: str) -> torch.Tensor:
    """What each of `n` old pixels contributes to each of `m` new ones: `(m, n)`."""
    ends = torch.arange(m + 1, dtype=torch.float64) * n / m
    pixels = torch.arange(n, dtype=torch.float64)
    if interpolation == "area":
        lower, upper = ends[:-1, None], ends[1:, None]
        weights = (torch.minimum(upper, pixels + 1) - torch.maximum(lower, pixels)).clamp(min=0)
    else:
        middles = (ends[:-1, None] + ends[1:, None]) / 2
        weights = KERNELS[interpolation]((middles - 0.5 - pixels).abs())
    return weights / weights.sum(1, keepdim=True)


def crop_to_ratio(x: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Cut the largest part with the ratio of `size` out of the middle of pictures `(..., C, H, W)`."""
    height, width = x.shape[-2:]
    if not height or not width:
        raise ValueError(f"The picture has no pixels. Received: {received(x)}")
    crop_height = min(height, max(1, int(width * size[0] / size[1])))
    crop_width = min(width, max(1, int(height * size[1] / size[0])))
    top, left = (height - crop_height) // 2, (width - crop_width) // 2
    return x[..., top : top + crop_height, left : left + crop_width]


def resize_with_padding(x: torch.Tensor, size: tuple[int, int], interpolation: str) -> torch.Tensor:
    """Resize pictures `(..., C, H, W)` until they fit into `size`, and put them into the middle of a black frame."""
    height, width = x.shape[-2:]
    scale = max(height / size[0], width / size[1])
    exact = (height / scale, width / scale)
    rows, columns = (max(1, int(n + 1e-6)) for n in exact)
    top, left = (int((whole - part) / 2) for whole, part in zip(size, exact, strict=True))
    edges = (left, size[1] - columns - left, top, size[0] - rows - top)
    return F.pad(resize(x, (rows, columns), interpolation), edges)


def smart_resize(
    x: Any,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    data_format: str = "channels_last",
    backend_module: Any = None,
) -> Any:
    """Resize pictures without changing their proportions: what sticks out of the new ratio is cut off evenly.

    Args:
        x: one picture or a batch, as an array or a tensor.
        size: (height, width), pixels.
        interpolation: `"bilinear"`, `"nearest"`, `"bicubic"`, `"area"`, `"lanczos3"`, `"lanczos5"`, `"gaussian"` or
            `"mitchellcubic"`.
        data_format: `"channels_last"` or `"channels_first"`.
        backend_module: not needed; Keras's own argument.

    Shapes:
        `(H, W, C)` → `(height, width, C)`, or with a leading batch axis; an array gives a float32 array.

    Raises:
        ValueError: `size`, the shape of `x` or the interpolation is wrong.

    Example:
        >>> smart_resize(np.ones((30, 20, 3)), (10, 10)).shape
        (10, 10, 3)

    Differs: Keras on torch has `"bilinear"`, `"nearest"` and a `"bicubic"` with another kernel (a = −0.75).
    """
    size = check_size("size", list(size) if isinstance(size, (list, tuple)) else size)
    interpolation = check_interpolation(interpolation)
    channels_last = standardize_data_format(data_format) == "channels_last"
    if backend_module is not None:
        raise ValueError("`backend_module` is Keras's own argument: leave it out.")
    pictures = torch.as_tensor(np.asarray(x) if not isinstance(x, torch.Tensor) else x)
    if pictures.dim() not in (3, 4):
        raise ValueError(
            "`x` must be a picture of rank 3, or a batch of them of rank 4, with an axis of channels. "
            f"Received: {received(x)}"
        )
    if not pictures.is_floating_point():
        pictures = pictures.float()
    pictures = pictures.movedim(-1, -3) if channels_last else pictures
    result = resize(crop_to_ratio(pictures, size), size, interpolation)
    result = result.movedim(-3, -1) if channels_last else result
    return result if isinstance(x, torch.Tensor) else result.float().numpy()
