"""Cropping and padding."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from kerasish.ops.image.layout import as_planes
from kerasish.ops.operation import operation


def _margins(kind: str, sign: int, size: int, before: Any, after: Any, target: Any, names: tuple) -> tuple:
    """Two of the three numbers given, return what is cut off or added before and after."""
    given = dict(zip(names, (before, after, target), strict=True))
    values = {name: None if value is None else int(value) for name, value in given.items()}
    before, after, target = values.values()
    if sum(value is None for value in values.values()) != 1:
        raise ValueError(
            f"`{kind}` takes exactly two of {', '.join(names)}. "
            f"Received: {', '.join(f'{name}={value}' for name, value in values.items())}"
        )
    change = None if target is None else sign * (target - size)
    if before is None:
        before = change - after
    elif after is None:
        after = change - before
    if before < 0 or after < 0 or (sign < 0 and before + after > size) or (target is not None and target < 0):
        raise ValueError(
            f"`{kind}` of images of size {size}: {names[0]} and {names[1]} must not be negative"
            f"{'' if sign > 0 else ', nor together exceed the size'}. Received: "
            f"{', '.join(f'{name}={value}' for name, value in values.items())}, "
            f"that is {names[0]}={before}, {names[1]}={after}"
        )
    return before, after


@operation
def crop_images(
    images: Any,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Cut rows and columns off; of top, bottom and target height exactly two are given, and so for the width.

    Example:
        >>> import torch
        >>> crop_images(torch.ones(5, 7, 3), 1, 2, target_height=3, target_width=3).shape
        torch.Size([3, 3, 3])
    """
    planes, layout = as_planes(images, data_format)
    height, width = planes.shape[-2:]
    top, bottom = _margins(
        "crop_images", -1, height, top_cropping, bottom_cropping, target_height,
        ("top_cropping", "bottom_cropping", "target_height"),
    )  # fmt: skip
    left, right = _margins(
        "crop_images", -1, width, left_cropping, right_cropping, target_width,
        ("left_cropping", "right_cropping", "target_width"),
    )  # fmt: skip
    return layout.restore(planes[..., top : height - bottom, left : width - right])


@operation
def pad_images(
    images: Any,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Add rows and columns of zeros; of top, bottom and target height exactly two are given, and so for the width.

    Example:
        >>> import torch
        >>> pad_images(torch.ones(5, 7, 3), 1, 2, target_height=8, target_width=9).shape
        torch.Size([8, 9, 3])
    """
    planes, layout = as_planes(images, data_format)
    height, width = planes.shape[-2:]
    top, bottom = _margins(
        "pad_images", 1, height, top_padding, bottom_padding, target_height,
        ("top_padding", "bottom_padding", "target_height"),
    )  # fmt: skip
    left, right = _margins(
        "pad_images", 1, width, left_padding, right_padding, target_width,
        ("left_padding", "right_padding", "target_width"),
    )  # fmt: skip
    return layout.restore(F.pad(planes, (left, right, top, bottom)))
