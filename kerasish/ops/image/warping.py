"""Resampling at any coordinates: affine, perspective and elastic maps."""

# B images, C channels, H height, W width, P pixels of an image, N places

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from kerasish.errors import received
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.image.filters import filter_rows_and_columns, gaussian_window
from kerasish.ops.image.layout import as_planes, check_choice, computed_as_float, rounded_to
from kerasish.ops.operation import operation
from kerasish.random import torch_generator

ORDERS = {"nearest": 0, "bilinear": 1}
FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


def _inside(index: Tensor, size: int, fill_mode: str) -> Tensor:
    """The index of the pixel that stands for the (floating-point, whole) index of one outside."""
    if fill_mode == "wrap":
        index = index % size
    elif fill_mode == "mirror":
        period = max(2 * size - 2, 1)
        index = index % period
        index = torch.minimum(index, period - index)
    elif fill_mode == "reflect":
        index = index % (2 * size)
        index = torch.minimum(index, 2 * size - 1 - index)
    return index.clamp(0, size - 1).long()


def sample(
    pixels: Tensor,
    sizes: Sequence[int],
    places: Sequence[Tensor],
    order: int,
    fill_mode: str,
    fill_value: Any,
) -> Tensor:
    """Interpolate at `places`: one tensor of coordinates (B or 1, N) for each axis, of `pixels` (B, C, P).

    Returns (B, C, N).
    """
    nodes: list[list[Any]] = []
    for place, size in zip(places, sizes, strict=True):
        first = place.round() if order == 0 else place.floor()
        steps = [(first, None)] if order == 0 else [(first, 1 - (place - first)), (first + 1, place - first)]
        nodes.append([(_inside(i, size, fill_mode), weight, (i >= 0) & (i < size)) for i, weight in steps])
    total: Any = 0
    for corner in itertools.product(*nodes):
        index: Any = 0
        for (i, _, _), size in zip(corner, sizes, strict=True):
            index = index * size + i
        batch, channels, _ = pixels.shape
        index = index.unsqueeze(1).expand(batch, channels, -1)
        values = pixels.gather(2, index)
        if fill_mode == "constant":
            is_inside = corner[0][2]
            for _, _, inside in corner[1:]:
                is_inside = is_inside & inside
            values = torch.where(is_inside.unsqueeze(1), values, fill_value)
        if order == 0:
            return values
        weight = corner[0][1]
        for _, factor, _ in corner[1:]:
            weight = weight * factor
        total = total + values * weight.unsqueeze(1)
    return total


def sample_planes(
    planes: Tensor, y: Tensor, x: Tensor, interpolation: str, fill_mode: str, fill_value: Any
) -> Tensor:
    """Interpolate images (B, C, H, W) at the coordinates y and x, (B or 1, H, W)."""
    batch, channels, height, width = planes.shape
    pixels = computed_as_float(planes).reshape(batch, channels, -1)
    places = [y.flatten(1).to(pixels.dtype), x.flatten(1).to(pixels.dtype)]
    values = sample(pixels, (height, width), places, ORDERS[interpolation], fill_mode, fill_value)
    return rounded_to(values, planes.dtype).reshape(batch, channels, height, width)


def grid(height: int, width: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """The coordinates y (1, H, 1) and x (1, 1, W) of the pixels."""
    y = torch.arange(height, dtype=like.dtype, device=like.device)
    x = torch.arange(width, dtype=like.dtype, device=like.device)
    return y.reshape(1, -1, 1), x.reshape(1, 1, -1)


def _check_sampling(interpolation: str, fill_mode: str) -> None:
    check_choice("interpolation", interpolation, ORDERS)
    check_choice("fill_mode", fill_mode, FILL_MODES)


def warp_affine(
    planes: Tensor, transforms: Tensor, interpolation: str, fill_mode: str, fill_value: Any
) -> Tensor:
    """`affine_transform` of images (B, C, H, W) by transforms (B or 1, 8)."""
    a0, a1, a2, b0, b1, b2, _, _ = transforms.unsqueeze(-1).unsqueeze(-1).unbind(1)
    y, x = grid(planes.shape[-2], planes.shape[-1], transforms)
    return sample_planes(
        planes, b0 * x + b1 * y + b2, a0 * x + a1 * y + a2, interpolation, fill_mode, fill_value
    )


@operation
def affine_transform(
    images: Any,
    transform: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Put into the pixel (x, y) what the input has at (a₀ x + a₁ y + a₂, b₀ x + b₁ y + b₂).

    Args:
        transform: [a₀, a₁, a₂, b₀, b₁, b₂, c₀, c₁], one for all images or one for each; c₀ and c₁ have no effect.
        interpolation: `"bilinear"` or `"nearest"`.
        fill_mode: what is outside: `"constant"` (`fill_value`), `"nearest"` (a a | a b c | c c), `"reflect"`
            (b a | a b c | c b), `"mirror"` (c b | a b c | b a) or `"wrap"` (b c | a b c | a b).

    Example:
        >>> import torch
        >>> affine_transform(torch.arange(4.0).reshape(1, 4, 1), [1.0, 0, -1, 0, 1, 0, 0, 0])[0, :, 0]
        tensor([0., 0., 1., 2.])
    """
    planes, layout = as_planes(images, data_format)
    _check_sampling(interpolation, fill_mode)
    transforms = computed_as_float(convert_to_tensor(transform)).to(planes.device)
    transforms = transforms.unsqueeze(0) if transforms.dim() == 1 else transforms
    if transforms.dim() != 2 or transforms.shape[1] != 8 or transforms.shape[0] not in (1, len(planes)):
        raise ValueError(
            f"`transform` must have shape (8,) or ({len(planes)}, 8). Received: {received(transform)}"
        )
    return layout.restore(warp_affine(planes, transforms, interpolation, fill_mode, fill_value))


def homography(start_points: Tensor, end_points: Tensor) -> Tensor:
    """The eight numbers of the maps (x, y) → ((a₀ x + a₁ y + a₂) / k, (b₀ x + b₁ y + b₂) / k),
    k = c₀ x + c₁ y + 1, that take four end points to the start points, (B, 4, 2) both.
    """
    maps = _frame(start_points) @ _adjugate(_frame(end_points))
    maps = maps / maps[:, 2:, 2:]
    return maps.flatten(1)[:, :8]


def _adjugate(matrices: Tensor) -> Tensor:
    """The inverses (B, 3, 3) times the determinants: elementwise, so that it can be captured in a CUDA graph."""
    a, b, c = matrices.unbind(-1)
    return torch.stack([torch.linalg.cross(b, c), torch.linalg.cross(c, a), torch.linalg.cross(a, b)], 1)


def _frame(points: Tensor) -> Tensor:
    """The projective maps (B, 3, 3) that take the three unit vectors and their sum to the four points."""
    homogeneous = torch.cat([points, torch.ones_like(points[..., :1])], -1).transpose(1, 2)
    basis, last = homogeneous[..., :3], homogeneous[..., 3:]
    return basis * (_adjugate(basis) @ last).transpose(1, 2)


def warp_perspective(planes: Tensor, maps: Tensor, interpolation: str, fill_value: Any) -> Tensor:
    """Resample images (B, C, H, W) by `homography` maps (B or 1, 8)."""
    a0, a1, a2, b0, b1, b2, c0, c1 = maps.unsqueeze(-1).unsqueeze(-1).unbind(1)
    y, x = grid(planes.shape[-2], planes.shape[-1], maps)
    k = c0 * x + c1 * y + 1
    return sample_planes(
        planes, (b0 * x + b1 * y + b2) / k, (a0 * x + a1 * y + a2) / k, interpolation, "constant", fill_value
    )


@operation
def perspective_transform(
    images: Any,
    start_points: Any,
    end_points: Any,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Move four points (x, y) of the image to four others, straight lines staying straight.

    Args:
        start_points, end_points: (4, 2), or (B, 4, 2) with points for each image.
        interpolation: `"bilinear"` or `"nearest"`.
        fill_value: value of what lies outside of the input.

    Source: R. Hartley and A. Zisserman, 2004, *Multiple view geometry in computer vision*, §4.1.
    """
    planes, layout = as_planes(images, data_format)
    check_choice("interpolation", interpolation, ORDERS)
    points = []
    for name, value in (("start_points", start_points), ("end_points", end_points)):
        tensor = computed_as_float(convert_to_tensor(value)).to(planes.device)
        tensor = tensor.unsqueeze(0) if tensor.dim() == 2 else tensor
        if tensor.dim() != 3 or tensor.shape[1:] != (4, 2) or tensor.shape[0] not in (1, len(planes)):
            raise ValueError(
                f"`{name}` must have shape (4, 2) or ({len(planes)}, 4, 2). Received: {received(tensor)}"
            )
        points.append(tensor)
    maps = homography(*torch.broadcast_tensors(*points))
    return layout.restore(warp_perspective(planes, maps, interpolation, fill_value))


@operation
def map_coordinates(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Tensor:
    """Interpolate an array of any rank at coordinates.

    Args:
        coordinates: one row of coordinates for each axis of `inputs`: shape (rank, …).
        order: 0 takes the nearest value, 1 interpolates linearly.
        fill_mode: what is outside, as for `affine_transform`.

    Shapes: (…), (rank, *S) → S.

    Example:
        >>> import torch
        >>> map_coordinates(torch.tensor([0.0, 10.0, 20.0]), [[0.5, 1.25]], order=1)
        tensor([ 5.0000, 12.5000])
    """
    inputs = convert_to_tensor(inputs)
    coordinates = computed_as_float(convert_to_tensor(coordinates)).to(inputs.device)
    if coordinates.dim() == 0 or coordinates.shape[0] != inputs.dim():
        raise ValueError(
            "`coordinates` must have one row for each axis of `inputs`. Received: "
            f"inputs: {received(inputs)}, coordinates: {received(coordinates)}"
        )
    if order not in (0, 1):
        raise NotImplementedError(f"`order` must be 0 (nearest) or 1 (linear). Received: order={order!r}")
    check_choice("fill_mode", fill_mode, FILL_MODES)
    x = computed_as_float(inputs).reshape(1, 1, -1)
    places = [row.reshape(1, -1) for row in coordinates]
    values = sample(x, inputs.shape, places, order, fill_mode, fill_value)
    return rounded_to(values, inputs.dtype).reshape(coordinates.shape[1:])


def displacements(noise: Tensor, alpha: Any, sigma: Any, size: int) -> Tensor:
    """Smooth the standard normal noise (B, 2, H, W) to displacements of `alpha / 2√π` pixels on average (squared)."""
    window = gaussian_window(size, sigma, noise)
    return filter_rows_and_columns(noise * sigma, window, window) * alpha


@operation
def elastic_transform(
    images: Any,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Tensor:
    """Move each pixel by noise from N(0, sigma²), smoothed by a Gaussian of deviation `sigma`, times `alpha`.

    Args:
        alpha: strength; the displacements have a standard deviation of about alpha / 3.5 pixels.
        sigma: smoothness, in pixels.
        seed: an integer gives the same displacements at every call.

    The other arguments are those of `affine_transform`.

    Source: Simard et al., 2003, *Best practices for convolutional neural networks applied to visual document analysis*.
    """
    planes, layout = as_planes(images, data_format)
    _check_sampling(interpolation, fill_mode)
    batch, _, height, width = planes.shape
    noise = torch.empty((batch, 2, height, width), device=planes.device)
    noise.normal_(generator=None if noise.is_meta else torch_generator(seed, planes.device))
    dx, dy = displacements(noise, alpha, sigma, int(6 * sigma) | 1).unbind(1)
    y, x = grid(height, width, noise)
    return layout.restore(sample_planes(planes, y + dy, x + dx, interpolation, fill_mode, fill_value))
