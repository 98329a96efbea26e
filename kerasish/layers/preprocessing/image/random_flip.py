"""Flipping."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish.layers.preprocessing.image.image_augmentation import ImageAugmentation, check_options, per_image
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.image.layout import Layout

FLIPPED_AXES = {"horizontal": (-1,), "vertical": (-2,), "horizontal_and_vertical": (-2, -1)}


class RandomFlip(ImageAugmentation):
    """In training flip each image with probability 1/2.

    Args:
        mode: `"horizontal"` (left and right), `"vertical"` (top and bottom) or `"horizontal_and_vertical"`, which flips
            both ways at once.
        seed: integer for reproducible draws.
        data_format: `"channels_last"` or `"channels_first"`.
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        check_options(self, {"mode": mode}, mode=FLIPPED_AXES)
        self.mode = mode
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        images = self._images_of(data)
        draws = self._uniform((self._batch(images)[0],), 0, 1, images, self._source(seed, images))
        return {"flips": per_image(draws < 0.5), "input_shape": tuple(images.shape)}

    def _transform(self, planes: Tensor, transformation: Any) -> Tensor:
        flips = per_image(convert_to_tensor(transformation["flips"]))
        return torch.where(flips, planes.flip(FLIPPED_AXES[self.mode]), planes)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        if transformation is None or not training:
            return segmentation_masks
        masks = convert_to_tensor(segmentation_masks)
        layout = Layout(masks, self.data_format)
        return layout.restore(self._transform(layout.planes(masks), transformation))

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        if transformation is None or not training:
            return bounding_boxes
        height, width = self._size(transformation["input_shape"])
        corners = self._corners(bounding_boxes, height, width)
        left, top, right, bottom = corners.unbind(-1)
        if self.mode != "vertical":
            left, right = width - right, width - left
        if self.mode != "horizontal":
            top, bottom = height - bottom, height - top
        flips = convert_to_tensor(transformation["flips"]).reshape(-1, 1, 1)
        corners = torch.where(flips, torch.stack([left, top, right, bottom], -1), corners)
        return self._with_corners(bounding_boxes, corners, height, width)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed, "mode": self.mode}
