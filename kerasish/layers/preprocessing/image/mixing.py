"""Layers that replace parts of images or mix images of a batch."""

# B images, C channels, H height, W width, N boxes

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish.errors import received
from kerasish.layers.preprocessing.image.image_augmentation import (
    ImageAugmentation,
    check_range,
    check_value_range,
    per_image,
)
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.image.layout import Layout


def beta_draws(shape: Any, alpha: Any, like: Tensor, source: Any) -> Tensor:
    """Draws from the beta distribution with both parameters `alpha`, by gamma draws, in double precision since those of
    small parameters are tiny.
    """
    dtype = torch.float32 if like.device.type == "mps" else torch.float64
    concentration = torch.ones(shape, dtype=dtype, device=like.device) * alpha
    first = torch._standard_gamma(concentration, generator=source)
    second = torch._standard_gamma(concentration, generator=source)
    return (first / (first + second)).float()


def permutation(batch: int, like: Tensor, source: Any) -> Tensor:
    """A random order of the images of a batch."""
    return torch.empty(batch, device=like.device).uniform_(generator=source).argsort()


class _Rectangles(ImageAugmentation):
    """A layer that works within a random rectangle of each image."""

    def _rectangles(self, heights: Tensor, widths: Tensor, images: Tensor, source: Any) -> Tensor:
        """Masks of rectangles of these sizes (B,), anywhere in the images, in their layout with one channel."""
        batch, _, height, width = self._batch(images)
        sides = []
        for extent, size in ((heights, height), (widths, width)):
            start = self._uniform((batch,), 0, 1, images, source) * (size - extent)
            place = torch.arange(size, device=images.device).unsqueeze(0)
            sides.append((place > start.unsqueeze(1)) & (place < (start + extent).unsqueeze(1)))
        mask = sides[0].unsqueeze(2) & sides[1].unsqueeze(1)
        return mask.unsqueeze(-1 if self.data_format == "channels_last" else 1)

    def _mask_planes(self, transformation: Any) -> Tensor:
        masks = convert_to_tensor(transformation["batch_masks"])
        return Layout(masks, self.data_format).planes(masks)


class RandomErasing(_Rectangles):
    """In training fill a rectangle of images with noise or a number, with a probability.

    Args:
        factor: range of the probability, or a number for (0, number).
        scale: range of the squares of the rectangle's height and width as fractions of the image's.
        fill_value: number that fills it; None fills with normal noise times the upper end of `value_range`.
        value_range: range of the values of pixels, to which the filling is clipped.
        seed: integer for reproducible draws.
        data_format: `"channels_last"` or `"channels_first"`.

    Source: Zhong et al., 2017, *Random erasing data augmentation*.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: float | None = None,
        value_range: Any = (0, 255),
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = check_range("factor", factor, 0, 1)
        self.scale = check_range("scale", scale, 0, 1)
        self.value_range = check_value_range(value_range)
        self.fill_value = fill_value
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        images = self._images_of(data)
        batch, _, height, width = self._batch(images)
        source = self._source(seed, images)
        is_erased = self._probability(self.factor, batch, images, source)
        fractions = self._uniform((2, batch), *self.scale, images, source).sqrt()
        masks = self._rectangles(fractions[0] * height, fractions[1] * width, images, source)
        shape = images.shape if images.dim() == 4 else (1, *images.shape)
        filling = torch.empty(shape, device=images.device)
        if self.fill_value is None:
            filling = filling.normal_(generator=source) * self.value_range[1]
        else:
            filling = filling.fill_(self.fill_value)
        return {
            "apply_erasing": is_erased,
            "batch_masks": masks,
            "fill_value": filling.clamp(*self.value_range),
        }

    def _transform(self, planes: Tensor, transformation: Any) -> Tensor:
        filling = convert_to_tensor(transformation["fill_value"]).to(planes.dtype)
        is_erased = per_image(convert_to_tensor(transformation["apply_erasing"]))
        is_erased = is_erased & self._mask_planes(transformation)
        return torch.where(is_erased, Layout(filling, self.data_format).planes(filling), planes)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "factor": self.factor,
            "scale": self.scale,
            "fill_value": self.fill_value,
            "value_range": self.value_range,
            "seed": self.seed,
        }


class _Mixing(ImageAugmentation):
    """A layer that mixes each image with another of the batch, and their labels by the same weight."""

    def transform_labels(self, labels: Any, transformation: Any = None, training: bool = True) -> Any:
        if transformation is None or not training:
            return labels
        labels = convert_to_tensor(labels)
        if labels.dim() == 1 and not labels.is_floating_point():
            raise ValueError(
                f"Layer {self.name!r} mixes labels: class numbers must be one-hot encoded first, with "
                f"`keras.utils.to_categorical`. Received labels: {received(labels)}"
            )
        values = labels if labels.is_floating_point() else labels.to(self._torch_dtype)
        weight = convert_to_tensor(transformation["mix_weight"]).to(values.dtype)
        weight = weight.reshape(-1, *[1] * (values.dim() - 1))
        return weight * values + (1 - weight) * self._others(values, transformation)

    def _others(self, x: Tensor, transformation: Any) -> Tensor:
        order = convert_to_tensor(transformation["permutation_order"])
        return x.index_select(0, order.to(x.device))


class CutMix(_Rectangles, _Mixing):
    """In training replace a rectangle of each image by that of another image of the batch; labels are mixed by area.

    Args:
        factor: range of a, drawn once for a batch, or a number for (0, number): the part of an image that stays is
            drawn from the beta distribution (a, a).
        seed: integer for reproducible draws.
        data_format: `"channels_last"` or `"channels_first"`.

    Source: Yun et al., 2019, *CutMix: regularization strategy to train strong classifiers*.
    """

    def __init__(
        self, factor: Any = 1.0, seed: Any = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = check_range("factor", factor, 0, 1)
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        images = self._images_of(data)
        batch, _, height, width = self._batch(images)
        source = self._source(seed, images)
        alpha = self._uniform((), *self.factor, images, source).clamp(min=1e-3)
        weight = beta_draws((batch,), alpha, images, source)
        side = (1 - weight).sqrt()
        return {
            "permutation_order": permutation(batch, images, source),
            "batch_masks": self._rectangles(side * height, side * width, images, source),
            "mix_weight": per_image(weight),
        }

    def _transform(self, planes: Tensor, transformation: Any) -> Tensor:
        return torch.where(self._mask_planes(transformation), self._others(planes, transformation), planes)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        if transformation is None or not training:
            return segmentation_masks
        masks = convert_to_tensor(segmentation_masks)
        layout = Layout(masks, self.data_format)
        planes = layout.planes(masks)
        is_replaced = self._mask_planes(transformation)[:, :1]
        return layout.restore(torch.where(is_replaced, self._others(planes, transformation), planes))

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        if transformation is None or not training:
            return bounding_boxes
        raise NotImplementedError(
            f"Layer {self.name!r} cannot mix bounding boxes: CutMix cuts objects apart. MixUp can."
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor, "seed": self.seed}


class MixUp(_Mixing):
    """In training mix each image with another of the batch: w x + (1 − w) x', and labels in the same way.

    Boxes of both images are kept: (B, N, 4) → (B, 2N, 4).

    Args:
        alpha: both parameters of the beta distribution of w.
        data_format: `"channels_last"` or `"channels_first"`.
        seed: integer for reproducible draws.

    Source: Zhang et al., 2017, *mixup: beyond empirical risk minimization*.
    """

    def __init__(
        self, alpha: float = 0.2, data_format: str | None = None, seed: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or not alpha > 0:
            raise ValueError(f"`alpha` must be a positive number. Received: alpha={alpha!r}")
        self.alpha = alpha
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        images = self._images_of(data)
        batch, source = self._batch(images)[0], self._source(seed, images)
        return {
            "mix_weight": beta_draws((batch,), self.alpha, images, source),
            "permutation_order": permutation(batch, images, source),
        }

    def _transform(self, planes: Tensor, transformation: Any) -> Tensor:
        weight = per_image(convert_to_tensor(transformation["mix_weight"])).to(planes.dtype)
        return torch.lerp(self._others(planes, transformation), planes, weight)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        """Mix one-hot encoded masks; the result is of floats."""
        if transformation is None or not training:
            return segmentation_masks
        masks = convert_to_tensor(segmentation_masks).to(self._torch_dtype)
        weight = per_image(convert_to_tensor(transformation["mix_weight"])).to(masks.dtype)
        return torch.lerp(self._others(masks, transformation), masks, weight)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        if transformation is None or not training:
            return bounding_boxes
        boxes = {name: convert_to_tensor(bounding_boxes[name]) for name in ("boxes", "labels")}
        return {
            **bounding_boxes,
            **{name: torch.cat([x, self._others(x, transformation)], 1) for name, x in boxes.items()},
        }

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha, "seed": self.seed}


class MaxNumBoundingBoxes(ImageAugmentation):
    """Give every image the same number of bounding boxes: the first `max_number`, or filled up.

    Args:
        max_number: number of boxes.
        fill_value: value of the coordinates and labels of added boxes.
    """

    keeps_integers = True

    def __init__(self, max_number: int, fill_value: float = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(max_number, bool) or not isinstance(max_number, int) or max_number <= 0:
            raise ValueError(f"`max_number` must be a positive integer. Received: max_number={max_number!r}")
        self.max_number = max_number
        self.fill_value = fill_value

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Tensor:
        return super().transform_images(images, transformation, training)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        return {
            **bounding_boxes,
            "boxes": self._filled(bounding_boxes["boxes"], 1),
            "labels": self._filled(bounding_boxes["labels"], 1),
        }

    def _filled(self, x: Any, axis: int) -> Tensor:
        x = convert_to_tensor(x)[:, : self.max_number]
        missing = self.max_number - x.shape[axis]
        filling = x.new_full((len(x), missing, *x.shape[2:]), self.fill_value)
        return torch.cat([x, filling], axis)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "max_number": self.max_number}
        if self.fill_value != -1:
            config["fill_value"] = self.fill_value
        return config
