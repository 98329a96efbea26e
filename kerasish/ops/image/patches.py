"""Patches of images and volumes."""

# B batch, C channels, K values of a patch, P patches

from __future__ import annotations

import math
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from kerasish.config import standardize_data_format
from kerasish.errors import received
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.image.layout import check_choice
from kerasish.ops.operation import operation


def _per_dimension(name: str, value: Any, rank: int) -> tuple[int, ...]:
    values = (value,) * rank if isinstance(value, int) else value
    if not isinstance(values, (tuple, list)) or len(values) != rank:
        raise ValueError(
            f"`{name}` must be an integer or a tuple of {rank} integers. Received: {name}={value!r}"
        )
    if any(not isinstance(size, int) or size <= 0 for size in values):
        raise ValueError(f"`{name}` must be positive. Received: {name}={value!r}")
    return tuple(values)


def _extract(
    images: Any, size: Any, strides: Any, dilation_rate: Any, padding: str, data_format: Any, rank: int
) -> Tensor:
    images = convert_to_tensor(images)
    if images.dim() not in (rank + 1, rank + 2):
        raise ValueError(
            f"Patches of {rank} dimensions are taken from tensors of rank {rank + 1} (one) or {rank + 2} (a batch). "
            f"Received: {received(images)}, size={size!r}"
        )
    size = _per_dimension("size", size, rank)
    strides = size if strides is None else _per_dimension("strides", strides, rank)
    dilation = _per_dimension("dilation_rate", dilation_rate, rank)
    check_choice("padding", str(padding).lower(), ("same", "valid"))
    is_last = standardize_data_format(data_format) == "channels_last"
    is_single = images.dim() == rank + 1
    x = images.unsqueeze(0) if is_single else images
    x = x if is_last else x.movedim(1, -1)
    spans = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    if str(padding).lower() == "same":
        margins = [0, 0]
        for axis in reversed(range(rank)):
            n = x.shape[axis + 1]
            total = max((math.ceil(n / strides[axis]) - 1) * strides[axis] + spans[axis] - n, 0)
            margins += [total // 2, total - total // 2]
        x = F.pad(x, margins)
    for axis in range(rank):
        if x.shape[axis + 1] < spans[axis]:
            raise ValueError(
                f"A patch of size {size} with dilation_rate {dilation} does not fit into the input. "
                f"Received: {received(images)}, padding={padding!r}"
            )
        x = x.unfold(axis + 1, spans[axis], strides[axis])[..., :: dilation[axis]]
    patches = x.movedim(rank + 1, -1).flatten(rank + 1)  # (B, P…, C, k…) → (B, P…, K)
    patches = patches if is_last else patches.movedim(-1, 1)
    return patches.squeeze(0) if is_single else patches


@operation
def extract_patches(
    images: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Return the patches of images, each flattened in the order (row, column, channel); a `size` of three
    numbers takes patches of volumes.

    Args:
        size: height and width of a patch, or one number for both.
        strides: step from patch to patch; by default `size`.
        dilation_rate: step within a patch.
        padding: `"valid"`, or `"same"` for ceil(size of the image / strides) patches with zeros around the image.

    Example:
        >>> import torch
        >>> extract_patches(torch.ones(2, 20, 20, 3), (5, 5)).shape
        torch.Size([2, 4, 4, 75])
    """
    if not isinstance(size, (int, tuple, list)):
        raise TypeError(f"`size` must be an integer or a tuple. Received: size={size!r}")
    if not isinstance(size, int) and len(size) not in (2, 3):
        raise ValueError(f"`size` must have 2 numbers, or 3 for volumes. Received: size={size!r}")
    rank = 2 if isinstance(size, int) else len(size)
    return _extract(images, size, strides, dilation_rate, padding, data_format, rank)


@operation
def extract_patches_3d(
    volumes: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Return the patches of volumes, each flattened in the order (depth, row, column, channel).

    The arguments are those of `extract_patches`, with three numbers.

    Example:
        >>> import torch
        >>> extract_patches_3d(torch.ones(10, 10, 10, 3), 3).shape
        torch.Size([3, 3, 3, 81])
    """
    return _extract(volumes, size, strides, dilation_rate, padding, data_format, 3)
