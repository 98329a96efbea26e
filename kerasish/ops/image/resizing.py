"""Resampling along the axes: resizing, scaling and translation."""

# B images, C channels, H height, W width, N input size, M output size

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kerasish.errors import received
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.image.layout import as_planes, check_choice, computed_as_float, rounded_to
from kerasish.ops.operation import operation

RESIZE_MODES = {"nearest": "nearest-exact", "bilinear": "bilinear", "bicubic": "bicubic"}
INTERPOLATIONS = (*RESIZE_MODES, "lanczos3", "lanczos5")


def _triangle(x: Tensor) -> Tensor:
    return (1 - x.abs()).clamp(min=0)


def _cubic(x: Tensor) -> Tensor:
    x = x.abs()
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return torch.where(x < 1, near, torch.where(x < 2, far, 0))


def _lanczos(radius: int) -> Any:
    return lambda x: torch.where(x.abs() <= radius, torch.sinc(x) * torch.sinc(x / radius), 0)


KERNELS = {
    **dict.fromkeys(("linear", "bilinear", "trilinear", "triangle"), _triangle),
    **dict.fromkeys(("cubic", "bicubic", "tricubic"), _cubic),
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}


def _weights(
    n: int, m: int, scale: Any, translation: Any, kernel: Any, antialias: bool, like: Tensor
) -> Tensor:
    """The matrix (N, M) of the weights of N input values in M output values, its columns of sum 1."""
    inverse = 1.0 / scale
    stretch: Any = 1.0
    if antialias:
        stretch = inverse.clamp(min=1.0) if isinstance(inverse, Tensor) else max(inverse, 1.0)
    places = torch.arange(m, dtype=like.dtype, device=like.device) + 0.5
    places = places * inverse - translation * inverse - 0.5
    distance = places - torch.arange(n, dtype=like.dtype, device=like.device).unsqueeze(1)
    weights = kernel(distance / stretch)
    total = weights.sum(0)
    small = 1000 * torch.finfo(torch.float32).eps
    weights = torch.where(total.abs() > small, weights / torch.where(total == 0, 1, total), 0)
    return torch.where((places >= -0.5) & (places <= n - 0.5), weights, 0)


def _resample(x: Tensor, axis: int, weights: Tensor) -> Tensor:
    return torch.tensordot(x, weights, dims=([axis], [0])).movedim(-1, axis)


@operation
def scale_and_translate(
    images: Any,
    output_shape: Any,
    scale: Any,
    translation: Any,
    spatial_dims: Any,
    method: str,
    antialias: bool = True,
) -> Tensor:
    """Resample the axes `spatial_dims` so that what is at x in the input is at x · scale + translation in the output,
    the pixel i having its centre at i + 0.5; places outside of the input are 0.

    Args:
        output_shape: shape of the result, the same as the input's but for `spatial_dims`.
        scale, translation: one number for each of `spatial_dims`; gradients flow to them.
        method: `"linear"`, `"cubic"` (Keys, a = −0.5), `"lanczos3"` or `"lanczos5"`.
        antialias: whether the kernel is stretched where the image becomes smaller.

    Example:
        >>> import torch
        >>> scale_and_translate(torch.tensor([0.0, 1.0, 2.0]), (5,), [2.0], [-0.5], (0,), "linear")
        tensor([0.0000, 0.5000, 1.0000, 1.5000, 2.0000])

    Source: R. Keys, 1981, *Cubic convolution interpolation for digital image processing*.
    """
    images = convert_to_tensor(images)
    check_choice("method", method, KERNELS)
    x = computed_as_float(images)
    scale, translation = (convert_to_tensor(value).to(x) for value in (scale, translation))
    axes = [axis % x.dim() if -x.dim() <= axis < x.dim() else axis for axis in spatial_dims]
    is_fitting = (
        len(set(axes)) == len(axes) == scale.numel() == translation.numel()
        and all(0 <= axis < x.dim() for axis in axes)
        and len(output_shape) == x.dim()
        and all(output_shape[i] == n for i, n in enumerate(x.shape) if i not in axes)
    )
    if not is_fitting:
        raise ValueError(
            "`scale_and_translate` takes one number in `scale` and `translation` per axis of `spatial_dims`, and an "
            "`output_shape` equal to the input's in the other axes. Received: "
            f"{received(images)}, output_shape={output_shape}, spatial_dims={spatial_dims}, scale of shape "
            f"{tuple(scale.shape)}, translation of shape {tuple(translation.shape)}"
        )
    for i, axis in enumerate(axes):
        n, m = x.shape[axis], int(output_shape[axis])
        factor, shift = scale.reshape(-1)[i], translation.reshape(-1)[i]
        x = _resample(x, axis, _weights(n, m, factor, shift, KERNELS[method], antialias, x))
    return rounded_to(x, images.dtype)


def resize_planes(planes: Tensor, size: tuple[int, int], interpolation: str, antialias: bool) -> Tensor:
    """Resize (B, C, H, W) to (B, C, *size)."""
    x = computed_as_float(planes)
    if interpolation in RESIZE_MODES:
        smooth = antialias and interpolation != "nearest"
        x = F.interpolate(x, size, mode=RESIZE_MODES[interpolation], antialias=smooth)
    else:
        for axis, m in ((2, size[0]), (3, size[1])):
            n = x.shape[axis]
            x = _resample(x, axis, _weights(n, m, m / n, 0.0, KERNELS[interpolation], antialias, x))
    return rounded_to(x, planes.dtype)


def check_resizing(
    size: Any, interpolation: Any, crop_to_aspect_ratio: bool, pad_to_aspect_ratio: bool, fill_mode: str
) -> tuple[int, int]:
    """Return the size as two integers, or raise on arguments that do not say how to resize."""
    if not isinstance(size, (tuple, list)) or len(size) != 2:
        raise ValueError(f"`size` must be a tuple of 2 integers, height and width. Received: size={size!r}")
    if any(int(n) != n or n <= 0 for n in size):
        raise ValueError(f"`size` must be of positive integers. Received: size={size!r}")
    check_choice("interpolation", interpolation, INTERPOLATIONS)
    if pad_to_aspect_ratio and crop_to_aspect_ratio:
        raise ValueError("Only one of `pad_to_aspect_ratio` and `crop_to_aspect_ratio` can be True.")
    if fill_mode != "constant":
        raise ValueError(f"`fill_mode` must be 'constant'. Received: fill_mode={fill_mode!r}")
    return int(size[0]), int(size[1])


@operation
def resize(
    images: Any,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """Resize images to `size`, integer images rounded.

    Args:
        size: height and width of the result.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"` (a = −0.75; −0.5 with `antialias`), `"lanczos3"`,
            `"lanczos5"`.
        antialias: whether the kernel is stretched where the image becomes smaller.
        crop_to_aspect_ratio: cut the longer side first, so that nothing is distorted.
        pad_to_aspect_ratio: pad the shorter side first with `fill_value`, so that nothing is distorted.

    Differs: `"lanczos3"` and `"lanczos5"` are those of Keras on JAX and TensorFlow; Keras on torch has none.

    Example:
        >>> import torch
        >>> resize(torch.ones(2, 4, 4, 3), (2, 2)).shape
        torch.Size([2, 2, 2, 3])
    """
    height, width = check_resizing(size, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio, fill_mode)
    planes, layout = as_planes(images, data_format)
    h, w = planes.shape[-2:]
    if crop_to_aspect_ratio:
        crop_h = min(h, int(float(w * height) / width))
        crop_w = min(w, int(float(h * width) / height))
        top, left = int(float(h - crop_h) / 2), int(float(w - crop_w) / 2)
        planes = planes[..., top : top + crop_h, left : left + crop_w]
    elif pad_to_aspect_ratio:
        pad_h = max(h, int(float(w * height) / width))
        pad_w = max(w, int(float(h * width) / height))
        top, left = int(float(pad_h - h) / 2), int(float(pad_w - w) / 2)
        planes = F.pad(planes, (left, left, top, top), value=fill_value)
    return layout.restore(resize_planes(planes, (height, width), interpolation, antialias))
