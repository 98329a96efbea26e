"""Linear filters, and the similarity that is built on one."""

# B images, C channels, H height, W width, K size of a filter

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kerasish.errors import received
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.image.layout import Layout, as_planes, computed_as_float
from kerasish.ops.operation import operation


def gaussian_window(size: int, sigma: Any, like: Tensor) -> Tensor:
    """The weights exp(−d²/2σ²) at the distances d from the middle, of sum 1."""
    distance = torch.arange(size, dtype=like.dtype, device=like.device) - (size - 1) / 2
    weights = torch.exp(-0.5 * (distance / sigma) ** 2)
    return weights / weights.sum()


def filter_rows_and_columns(planes: Tensor, vertical: Tensor, horizontal: Tensor) -> Tensor:
    """Filter the channels of (B, C, H, W) by one vertical and one horizontal window, with zeros around."""
    is_last = planes.is_contiguous(memory_format=torch.channels_last)  # else oneDNN needs one group per plane
    x = planes if is_last else planes.reshape(1, -1, *planes.shape[2:])
    groups = x.shape[1]
    for window, axis in ((vertical, 2), (horizontal, 3)):
        size = window.shape[0]
        before, after = (size - 1) // 2, size // 2
        margins = (0, 0, before, after) if axis == 2 else (before, after, 0, 0)
        weight = window.reshape(1, 1, -1, 1) if axis == 2 else window.reshape(1, 1, 1, -1)
        x = F.conv2d(F.pad(x, margins), weight.expand(groups, -1, -1, -1), groups=groups)
    return x.reshape(planes.shape)


def _pair(name: str, value: Any) -> tuple[Any, Any]:
    pair = (value, value) if isinstance(value, (int, float)) else tuple(value)
    if len(pair) != 2 or any(not v > 0 for v in pair):
        raise ValueError(
            f"`{name}` must be two positive numbers, of the height and of the width. Received: {name}={value!r}"
        )
    return pair


@operation
def gaussian_blur(
    images: Any, kernel_size: Any = (3, 3), sigma: Any = (1.0, 1.0), data_format: str | None = None
) -> Tensor:
    """Filter each channel by a Gaussian window of sum 1, with zeros around the image.

    Args:
        kernel_size: height and width of the window, in pixels.
        sigma: standard deviation along the height and the width, in pixels.

    Differs: Keras 3.15 on torch blurs `channels_last` images along the width and the channels, takes `sigma` as
    (width, height), and cannot blur with windows of unequal height and width.

    Example:
        >>> import torch
        >>> gaussian_blur(torch.ones(3, 3, 1))[1, 1]
        tensor([1.])
    """
    planes, layout = as_planes(images, data_format)
    sizes = _pair("kernel_size", kernel_size)
    sigmas = _pair("sigma", sigma)
    x = computed_as_float(planes)
    windows = [gaussian_window(int(size), s, x) for size, s in zip(sizes, sigmas, strict=True)]
    return layout.restore(filter_rows_and_columns(x, *windows).to(planes.dtype))


@operation
def sobel_edges(images: Any, data_format: str | None = None) -> Tensor:
    """Return the slopes [dy, dx] of each channel as a last dimension, by Sobel's filters, zeros around the image.

    Shapes: (B, H, W, C) → (B, H, W, C, 2), or (B, C, H, W) → (B, C, H, W, 2).

    Example:
        >>> import torch
        >>> sobel_edges(torch.ones(1, 8, 8, 1)).shape
        torch.Size([1, 8, 8, 1, 2])

    Source: I. Sobel and G. Feldman, 1968, *A 3×3 isotropic gradient operator for image processing*.
    """
    images = convert_to_tensor(images)
    if images.dim() != 4:
        raise ValueError(f"`sobel_edges` takes a batch of images, of rank 4. Received: {received(images)}")
    layout = Layout(images, data_format)
    planes = layout.planes(images)
    x = F.pad(computed_as_float(planes), (1, 1, 1, 1))
    down = x[..., :-2] + 2 * x[..., 1:-1] + x[..., 2:]
    across = x[..., :-2, :] + 2 * x[..., 1:-1, :] + x[..., 2:, :]
    dy = down[..., 2:, :] - down[..., :-2, :]
    dx = across[..., 2:] - across[..., :-2]
    if not planes.is_floating_point():
        dy, dx = dy.long(), dx.long()
    edges = [layout.restore(slope.to(planes.dtype)) for slope in (dy, dx)]
    return torch.stack(edges, -1)


@operation
def ssim(
    image1: Any,
    image2: Any,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Tensor:
    """Return the structural similarity of pairs of images, the mean over pixels and channels of
    (2 μ₁μ₂ + c₁)(2 σ₁₂ + c₂) / ((μ₁² + μ₂² + c₁)(σ₁² + σ₂² + c₂)), c = (k · max_val)².

    Args:
        max_val: the largest possible value of a pixel.
        filter_size: size of the Gaussian window in which means, variances and covariance are taken.
        filter_sigma: standard deviation of the window.

    Shapes: two (B, H, W, C) → (B,); two (H, W, C) → ().

    Differs: integer images give floats; Keras 3.15 on torch gives integers, 0 or 1.

    Source: Wang et al., 2004, *Image quality assessment: from error visibility to structural similarity*, eq. 13.
    """
    image1, image2 = convert_to_tensor(image1), convert_to_tensor(image2)
    if image1.shape != image2.shape:
        raise ValueError(
            f"`ssim` takes two images of one shape. Received: {received(image1)}; {received(image2)}"
        )
    layout = Layout(image1, data_format)
    is_float = image1.is_floating_point() and image2.is_floating_point()
    x, y = computed_as_float(image1), computed_as_float(image2)
    dtype = torch.promote_types(x.dtype, y.dtype)
    x, y = layout.planes(x.to(dtype)), layout.planes(y.to(dtype))
    batch, _, height, width = x.shape
    if not 1 <= filter_size <= min(height, width):
        raise ValueError(
            f"`filter_size` must be between 1 and the size of the images. Received: filter_size={filter_size!r}, "
            f"{received(image1)}"
        )
    window = gaussian_window(filter_size, filter_sigma, x)

    def mean(z: Tensor) -> Tensor:
        z = F.conv2d(z.reshape(-1, 1, height, width), window.reshape(1, 1, -1, 1))
        return F.conv2d(z, window.reshape(1, 1, 1, -1)).reshape(batch, -1)

    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    mean_x, mean_y = mean(x), mean(y)
    product, squares = mean_x * mean_y, mean_x**2 + mean_y**2
    covariance = mean(x * y) - product
    variances = mean(x * x + y * y) - squares
    similarity = (2 * product + c1) * (2 * covariance + c2) / ((squares + c1) * (variances + c2))
    similarity = similarity.mean(-1).to(
        torch.promote_types(image1.dtype, image2.dtype) if is_float else x.dtype
    )
    return similarity.squeeze(0) if layout.is_single else similarity
