"""Resizing and cropping."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish.layers.preprocessing.image.bounding_boxes import moved_and_scaled
from kerasish.layers.preprocessing.image.image_augmentation import ImageAugmentation
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.image.layout import Layout
from kerasish.ops.image.resizing import check_resizing, resize


class _ToSize(ImageAugmentation):
    """A layer whose images get a given height and width."""

    height: int
    width: int

    def _set_size(self, height: int, width: int) -> None:
        for name, size in (("height", height), ("width", width)):
            if isinstance(size, bool) or int(size) != size or size <= 0:
                raise ValueError(
                    f"`{name}` of layer {self.name!r} must be a positive integer. Received: {name}={size!r}"
                )
        self.height = height
        self.width = width

    def _middle(self, height: int, width: int) -> tuple[tuple[int, int], int, int]:
        """Size, top and left of the largest middle part of an image that has the shape of the result."""
        part = (
            min(height, int(float(width * self.height) / self.width)),
            min(width, int(float(height * self.width) / self.height)),
        )
        return part, int((height - part[0]) / 2), int((width - part[1]) / 2)

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = list(input_shape)
        start = -3 if self.data_format == "channels_last" else -2
        shape[start], shape[start + 1] = self.height, self.width
        return tuple(shape)


class Resizing(_ToSize):
    """Resize images to `height` × `width`, in training and in inference.

    Args:
        height, width: size of the result.
        interpolation: `"bilinear"`, `"nearest"`, `"bicubic"`, `"lanczos3"`, `"lanczos5"`.
        crop_to_aspect_ratio: cut the longer side first, so that nothing is distorted.
        pad_to_aspect_ratio: pad the shorter side first with `fill_value`, so that nothing is distorted.
        antialias: whether to smooth where the image becomes smaller.
        data_format: `"channels_last"` or `"channels_first"`.

    Example:
        >>> import torch, kerasish
        >>> kerasish.layers.Resizing(4, 6)(torch.zeros(2, 8, 8, 3)).shape
        torch.Size([2, 4, 6, 3])
    """

    keeps_integers = True
    works_in_inference = True

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._set_size(height, width)
        check_resizing((height, width), interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio, fill_mode)
        self.interpolation = interpolation
        self.antialias = antialias
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_mode = fill_mode
        self.fill_value = fill_value

    def _resized(self, images: Tensor, interpolation: str) -> Tensor:
        return resize(
            images, (self.height, self.width), interpolation, self.antialias and interpolation != "nearest",
            self.crop_to_aspect_ratio, self.pad_to_aspect_ratio, self.fill_mode, self.fill_value, self.data_format,
        )  # fmt: skip

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        return list(self._size(self._images_of(data).shape))

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Tensor:
        images = self._images_of(images)
        return self._output(self._resized(images, self.interpolation), images.dtype)

    def transform_labels(self, labels: Any, transformation: Any = None, training: bool = True) -> Any:
        return labels

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        return self._resized(convert_to_tensor(segmentation_masks), "nearest")

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        height, width = transformation
        corners = self._corners(bounding_boxes, height, width)
        part, top, left = (height, width), 0, 0
        if self.crop_to_aspect_ratio:
            part, top, left = self._middle(height, width)
        elif self.pad_to_aspect_ratio:
            top = -int((max(height, int(float(width * self.height) / self.width)) - height) / 2)
            left = -int((max(width, int(float(height * self.width) / self.height)) - width) / 2)
            part = (height - 2 * top, width - 2 * left)
        corners = moved_and_scaled(corners, left, top, self.width / part[1], self.height / part[0])
        return self._with_corners(bounding_boxes, corners, self.height, self.width)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "height": self.height,
            "width": self.width,
            "interpolation": self.interpolation,
            "crop_to_aspect_ratio": self.crop_to_aspect_ratio,
            "pad_to_aspect_ratio": self.pad_to_aspect_ratio,
            "fill_mode": self.fill_mode,
            "fill_value": self.fill_value,
            "antialias": self.antialias,
        }


class CenterCrop(_ToSize):
    """Cut the middle out of images; of smaller ones the largest middle part of the same shape, resized.

    Args:
        height, width: size of the result.
        data_format: `"channels_last"` or `"channels_first"`.

    Example:
        >>> import torch, kerasish
        >>> kerasish.layers.CenterCrop(2, 2)(torch.arange(16.0).reshape(4, 4, 1))[..., 0]
        tensor([[ 5.,  6.],
                [ 9., 10.]])
    """

    works_in_inference = True

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._set_size(height, width)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        return {"input_shape": tuple(self._images_of(data).shape)}

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Tensor:
        images = self._images_of(images)
        return self._output(self._cropped(images, "bilinear"), images.dtype)

    def _cropped(self, images: Tensor, interpolation: str) -> Tensor:
        layout = Layout(images, self.data_format)
        planes = layout.planes(images)
        height, width = planes.shape[-2:]
        if height < self.height or width < self.width:
            size = (self.height, self.width)
            return resize(
                images, size, interpolation, crop_to_aspect_ratio=True, data_format=self.data_format
            )
        top, left = int((height - self.height) / 2), int((width - self.width) / 2)
        return layout.restore(planes[..., top : top + self.height, left : left + self.width])

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        return self._cropped(convert_to_tensor(segmentation_masks), "nearest")

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        height, width = self._size(transformation["input_shape"])
        corners = self._corners(bounding_boxes, height, width)
        if height < self.height or width < self.width:
            part, top, left = self._middle(height, width)
        else:
            part = (self.height, self.width)
            top, left = int((height - self.height) / 2), int((width - self.width) / 2)
        corners = moved_and_scaled(corners, left, top, self.width / part[1], self.height / part[0])
        return self._with_corners(bounding_boxes, corners, self.height, self.width)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "height": self.height, "width": self.width}


class RandomCrop(_ToSize):
    """In training cut a part of `height` × `width` out, at one random place for all images of a batch.

    In inference, and where an image is smaller, the largest middle part of the same shape is resized.

    Args:
        height, width: size of the result.
        seed: integer for reproducible draws.
        data_format: `"channels_last"` or `"channels_first"`.

    Differs: against its documentation, Keras 3.15 returns whole images in inference and distorts smaller ones; and it
    moves boxes by the offset of the other axis.
    """

    works_in_inference = True

    def __init__(
        self,
        height: int,
        width: int,
        seed: Any = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, name=name, **kwargs)
        self._set_size(height, width)
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draw the place: (top, left, height of the image, width of the image), no place in inference."""
        images = self._images_of(data)
        _, _, height, width = self._batch(images)
        if not training:
            return (None, None, height, width)
        source = self._source(seed, images)
        room = [max(height - self.height, 0), max(width - self.width, 0)]
        draws = [torch.randint(0, n + 1, (), device=images.device, generator=source) for n in room]
        return (*draws, height, width)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Tensor:
        images = self._images_of(images)
        return self._output(self._cropped(images, transformation, "bilinear"), images.dtype)

    def _cropped(self, images: Tensor, transformation: Any, interpolation: str) -> Tensor:
        size = (self.height, self.width)
        layout = Layout(images, self.data_format)
        planes = layout.planes(images)
        if transformation[0] is None or planes.shape[2] < self.height or planes.shape[3] < self.width:
            return resize(
                images, size, interpolation, crop_to_aspect_ratio=True, data_format=self.data_format
            )
        for axis, (start, length) in enumerate(zip(transformation[:2], size, strict=True), start=2):
            rows = torch.arange(length, device=images.device) + start
            planes = planes.index_select(axis, rows)
        return layout.restore(planes)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        return self._cropped(convert_to_tensor(segmentation_masks), transformation, "nearest")

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        top, left, height, width = transformation
        corners = self._corners(bounding_boxes, height, width)
        part = (self.height, self.width)
        if top is None or height < self.height or width < self.width:
            part, top, left = self._middle(height, width)
        corners = moved_and_scaled(corners, left, top, self.width / part[1], self.height / part[0])
        return self._with_corners(bounding_boxes, corners, self.height, self.width)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "height": self.height, "width": self.width, "seed": self.seed}
