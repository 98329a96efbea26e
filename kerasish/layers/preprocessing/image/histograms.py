"""Layers that spread the values of images: auto-contrast and histogram equalization."""

# B images, C channels, H height, W width, R × S tiles, K bins

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kerasish.layers.preprocessing.image.image_augmentation import (
    ImageAugmentation,
    check_value_range,
    rescaled,
)
from kerasish.ops.image.layout import computed_as_float

LEVELS = 256


def _histograms(values: Tensor, bins: int) -> Tensor:
    """Counts (N, bins) of the rows of whole numbers (N, M)."""
    counts = torch.zeros((len(values), bins), device=values.device)
    return counts.scatter_add_(1, values, torch.ones_like(values, dtype=counts.dtype))


def _spread_over_levels(cumulated: Tensor, first: Tensor) -> Tensor:
    """Cumulated counts as values from 0, where there are `first`, to 255, where all are counted."""
    spread = (cumulated[..., -1:] - first).clamp(min=1e-9)
    return (cumulated - first).clamp(min=0) * (LEVELS - 1) / spread


class AutoContrast(ImageAugmentation):
    """Stretch the values of each channel of an image over the whole `value_range`, in training and in inference.

    Args:
        value_range: range of the values of pixels.
    """

    works_in_inference = True

    def __init__(self, value_range: Any = (0, 255), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value_range = check_value_range(value_range)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Tensor:
        return super().transform_images(images, transformation, training)

    def _transform(self, planes: Tensor, transformation: Any) -> Tensor:
        low, high = planes.amin((2, 3), keepdim=True), planes.amax((2, 3), keepdim=True)
        spread = high - low
        stretched = (planes - low) / torch.where(spread == 0, 1, spread)
        return torch.where(spread == 0, planes, rescaled(stretched, (0, 1), self.value_range))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "value_range": self.value_range}


class Equalization(ImageAugmentation):
    """In training make all values of each channel equally common, over the images of a batch together as in Keras.

    Args:
        value_range: range of the values of pixels.
        bins: number of bins of the histogram.
        data_format: `"channels_last"` or `"channels_first"`.
    """

    def __init__(
        self, value_range: Any = (0, 255), bins: int = 256, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if not isinstance(bins, int) or bins < 2:
            raise ValueError(f"`bins` must be an integer of at least 2. Received: bins={bins!r}")
        self.value_range = check_value_range(value_range)
        self.bins = bins

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Tensor:
        return super().transform_images(images, {} if transformation is None else transformation, training)

    def _transform(self, planes: Tensor, transformation: Any) -> Tensor:
        pixels = rescaled(planes, self.value_range, (0, LEVELS - 1))
        places = (pixels / (LEVELS - 1) * (self.bins - 1)).clamp(0, self.bins - 1).long()
        rows = places.transpose(0, 1).flatten(1)
        cumulated = _histograms(rows, self.bins).cumsum(-1)
        total = cumulated[:, -1:]
        first = torch.where(cumulated > 0, cumulated, total).amin(-1, keepdim=True)
        table = _spread_over_levels(cumulated, first).round()
        equal = table.gather(1, rows).reshape(places.transpose(0, 1).shape).transpose(0, 1)
        is_constant = (first == total).reshape(1, -1, 1, 1)
        equal = torch.where(is_constant, pixels, equal)
        return rescaled(equal, (0, LEVELS - 1), self.value_range)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bins": self.bins, "value_range": self.value_range}


class ContrastLimitedAdaptiveHistogramEqualization(ImageAugmentation):
    """Equalize the limited histogram of each tile of each channel, and interpolate between tiles (CLAHE).

    It works in training and in inference.

    Args:
        value_range: range of the values of pixels.
        clip_limit: highest count of a bin, as a multiple of the mean count; 0 is no limit. What is cut off is spread
            over all bins.
        tile_grid_size: number of tiles along the height and the width.
        data_format: `"channels_last"` or `"channels_first"`.

    Source: K. Zuiderveld, 1994, *Contrast limited adaptive histogram equalization*.
    """

    keeps_integers = True
    works_in_inference = True

    def __init__(
        self,
        value_range: Any = (0, 255),
        clip_limit: float = 4.0,
        tile_grid_size: Any = (8, 8),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = check_value_range(value_range)
        if not isinstance(clip_limit, (int, float)) or clip_limit < 0:
            raise ValueError(f"`clip_limit` must not be negative. Received: clip_limit={clip_limit!r}")
        is_pair = isinstance(tile_grid_size, (tuple, list)) and len(tile_grid_size) == 2
        if not is_pair or any(not isinstance(n, int) or n <= 0 for n in tile_grid_size):
            raise ValueError(
                f"`tile_grid_size` must be two positive integers. Received: tile_grid_size={tile_grid_size!r}"
            )
        self.clip_limit = clip_limit
        self.tile_grid_size = tuple(tile_grid_size)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Tensor:
        return super().transform_images(images, transformation, training)

    def _transform(self, planes: Tensor, transformation: Any) -> Tensor:
        is_integer = not planes.is_floating_point()
        planes = computed_as_float(planes)
        batch, channels, height, width = planes.shape
        pixels = rescaled(planes, self.value_range, (0, LEVELS - 1))
        levels = pixels.clamp(0, LEVELS - 1).long()
        rows, columns = self.tile_grid_size
        tile_height, tile_width = math.ceil(height / rows), math.ceil(width / columns)
        margins = (0, columns * tile_width - width, 0, rows * tile_height - height)
        padded = F.pad(levels.to(planes.dtype), margins, mode="replicate").long()
        tiles = padded.unfold(2, tile_height, tile_height).unfold(3, tile_width, tile_width)
        size = tile_height * tile_width
        counts = _histograms(tiles.reshape(-1, size), LEVELS)
        if self.clip_limit > 0:
            limit = int(self.clip_limit * size / LEVELS)
            excess = (counts - limit).clamp(min=0).sum(-1, keepdim=True)
            counts = counts.clamp(max=limit) + excess / LEVELS
        cumulated = counts.cumsum(-1)
        tables = (
            _spread_over_levels(cumulated, cumulated[:, :1]).reshape(batch * channels, -1).to(planes.dtype)
        )
        flat = levels.reshape(batch * channels, height, width)
        y, y_weight = _neighbours(height, tile_height, rows, planes)
        x, x_weight = _neighbours(width, tile_width, columns, planes)

        def looked_up(i: int, j: int) -> Tensor:
            places = (y[i].unsqueeze(1) * columns + x[j]) * LEVELS + flat
            return tables.gather(1, places.flatten(1)).reshape(flat.shape)

        above = torch.lerp(looked_up(0, 0), looked_up(0, 1), x_weight)
        below = torch.lerp(looked_up(1, 0), looked_up(1, 1), x_weight)
        result = torch.lerp(above, below, y_weight.unsqueeze(1)).reshape(planes.shape)
        result = rescaled(result, (0, LEVELS - 1), self.value_range)
        return result.floor() if is_integer else result

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "value_range": self.value_range,
            "clip_limit": self.clip_limit,
            "tile_grid_size": self.tile_grid_size,
        }


def _neighbours(size: int, tile: int, tiles: int, like: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """For each place along an axis the tiles before and after it, and the weight of the latter."""
    place = torch.arange(size, device=like.device, dtype=like.dtype) / tile - 0.5
    first = place.floor()
    before, after = ((first + step).clamp(0, tiles - 1).long() for step in (0, 1))
    return (before, after), place - first
