"""What layers on images share: one draw for images, labels, boxes and masks together."""

# B images, C channels, H height, W width, N boxes

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish import tree
from kerasish.config import standardize_data_format
from kerasish.errors import did_you_mean, received
from kerasish.layers.layer import Layer, calls
from kerasish.layers.preprocessing.image import bounding_boxes as boxes_of
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.image.layout import Layout, computed_as_float, rounded_to
from kerasish.random import SeedGenerator, torch_generator
from kerasish.symbolic import KerasTensor, any_symbolic, infer_output

KEYS = ("images", "labels", "bounding_boxes", "segmentation_masks")


class ImageAugmentation(Layer):
    """The base of layers on images, one (H, W, C) or a batch (B, H, W, C), or a dict with what belongs to them.

    A dict may hold `"images"`, `"labels"`, `"bounding_boxes"` (`{"boxes": (B, N, 4), "labels": (B, N)}`) and
    `"segmentation_masks"`; other keys pass. `get_random_transformation` draws once, the `transform_…` methods apply it.

    Args:
        bounding_box_format: format of the boxes, if there are any.
        data_format: `"channels_last"` or `"channels_first"`.

    A call without `training=`, of the layer or of a model with it, augments as Keras's does, until `.eval()`. In
    `fit`, `predict` and the like the mode decides.

    Differs: integer images become floats in inference, too, as they do in training.
    """

    keeps_integers = False
    works_in_inference = False
    _augments_by_default = True

    def __init__(
        self, bounding_box_format: str | None = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if bounding_box_format is not None:
            boxes_of.check_format("bounding_box_format", bounding_box_format)
        self.bounding_box_format = bounding_box_format
        self.data_format = standardize_data_format(data_format)

    def _set_seed(self, seed: Any) -> None:
        self.seed = seed
        self.generator = seed if isinstance(seed, SeedGenerator) or seed is None else SeedGenerator(seed)

    # Calls ----------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """Transform; a call augments unless it, the call of the model around it, or a loop says otherwise."""
        if (
            not calls.are_told(kwargs.get("training"))
            and self._augments_by_default
            and not any_symbolic(inputs)
        ):
            kwargs = {**kwargs, "training": True}
        return super().__call__(inputs, **kwargs)

    def train(self, mode: bool = True) -> Any:
        """Set the mode, as `torch.nn.Module.train`; it holds for bare calls from then on."""
        if not calls.depth and not calls.loops:
            self.__dict__["_augments_by_default"] = mode
        return super().train(mode)

    def call(self, data: Any, training: bool = True) -> Any:
        images = self._images_of(data)
        if not isinstance(data, dict):
            transformation = self.get_random_transformation(images, training=training)
            return self.transform_images(images, transformation, training=training)
        data = {
            key: tree.map_structure(convert_to_tensor, data[key]) if key in KEYS else data[key]
            for key in data
        }
        is_single = images.dim() == 3
        if is_single:
            data = self._reshaped(data, lambda x: x.unsqueeze(0))
        transformation = self.get_random_transformation(data, training=training)
        result = dict(data)
        result["images"] = self.transform_images(data["images"], transformation, training=training)
        if "bounding_boxes" in data:
            result["bounding_boxes"] = self._transformed_boxes(
                data["bounding_boxes"], transformation, training
            )
        if "labels" in data:
            result["labels"] = self.transform_labels(data["labels"], transformation, training=training)
        if "segmentation_masks" in data:
            masks = data["segmentation_masks"]
            has_channels = masks.dim() == 4
            axis = -1 if self.data_format == "channels_last" else 1
            masks = masks if has_channels else masks.unsqueeze(axis)
            masks = self.transform_segmentation_masks(masks, transformation, training=training)
            result["segmentation_masks"] = masks if has_channels else masks.squeeze(axis)
        return self._reshaped(result, lambda x: x.squeeze(0)) if is_single else result

    def _reshaped(self, data: dict[str, Any], function: Any) -> dict[str, Any]:
        return {
            key: tree.map_structure(function, value) if key in KEYS else value for key, value in data.items()
        }

    def _transformed_boxes(self, boxes: Any, transformation: Any, training: bool) -> Any:
        if self.bounding_box_format is None:
            raise ValueError(
                f"Layer {self.name!r} got 'bounding_boxes' but does not know their format: make it with "
                "`bounding_box_format='xyxy'` or another format."
            )
        if not isinstance(boxes, dict) or "boxes" not in boxes or "labels" not in boxes:
            raise ValueError(
                f"'bounding_boxes' must be a dict of 'boxes' and 'labels'. Received: {received(boxes)}"
            )
        return self.transform_bounding_boxes(boxes, transformation, training=training)

    def _images_of(self, data: Any) -> Tensor:
        """The images, alone or of a dict, checked."""
        if isinstance(data, dict):
            if "images" not in data:
                raise KeyError(
                    f"Layer {self.name!r} needs the key 'images' in its input. Received the keys {sorted(data)}."
                )
            data = data["images"]
        images = convert_to_tensor(data)
        if images.dim() not in (3, 4):
            raise ValueError(
                f"Layer {self.name!r} takes one image (rank 3) or a batch of images (rank 4). "
                f"Received: {received(images)}"
            )
        return images

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def compute_output_spec(self, inputs: Any, **kwargs: Any) -> Any:
        """The symbolic output for symbolic inputs."""
        if isinstance(inputs, dict):
            return infer_output(self._call_on_meta, (inputs,), kwargs, self.name)
        if len(inputs.shape) not in (3, 4):
            raise ValueError(
                f"Layer {self.name!r} takes one image (rank 3) or a batch of images (rank 4). Received: {inputs}"
            )
        keeps = self.keeps_integers and not inputs.dtype.startswith(("float", "bfloat"))
        dtype = inputs.dtype if keeps else self.compute_dtype
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype)

    # Hooks ----------------------------------------------------------------------------------------------------

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draw what is done to each image; None where nothing is."""
        return None

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Tensor:
        """Apply a transformation to one image or a batch."""
        images = self._images_of(images)
        if transformation is None and not self.works_in_inference:
            return self._output(images, images.dtype)
        if not training and not self.works_in_inference:
            return self._output(images, images.dtype)
        layout = Layout(images, self.data_format)
        planes = layout.planes(images)
        if planes.is_floating_point() or not self.keeps_integers:
            planes = computed_as_float(planes)
        planes = self._transform(planes, transformation)
        return self._output(layout.restore(planes), images.dtype)

    def _transform(self, planes: Tensor, transformation: Any) -> Tensor:
        """Apply a transformation to images (B, C, H, W), of floats unless the layer keeps integers: what most write."""
        return planes

    def transform_labels(self, labels: Any, transformation: Any = None, training: bool = True) -> Any:
        """Apply a transformation to the labels, which most leave as they are."""
        return labels

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        """Apply a transformation to a dict of `"boxes"` and `"labels"`."""
        return bounding_boxes

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        """Apply a transformation to masks (B, H, W, C), without mixing their values."""
        return segmentation_masks

    def transform_single_image(self, image: Any, transformation: Any, training: bool = True) -> Tensor:
        """`transform_images` for one image."""
        images = convert_to_tensor(image).unsqueeze(0)
        return self.transform_images(images, transformation, training=training).squeeze(0)

    def transform_single_label(self, label: Any, transformation: Any, training: bool = True) -> Any:
        """`transform_labels` for one label."""
        labels = convert_to_tensor(label).unsqueeze(0)
        return self.transform_labels(labels, transformation, training=training).squeeze(0)

    def transform_single_bounding_box(
        self, bounding_box: Any, transformation: Any, training: bool = True
    ) -> Any:
        """`transform_bounding_boxes` for the boxes of one image."""
        boxes = tree.map_structure(lambda x: convert_to_tensor(x).unsqueeze(0), bounding_box)
        boxes = self.transform_bounding_boxes(boxes, transformation, training=training)
        return tree.map_structure(lambda x: x.squeeze(0), boxes)

    def transform_single_segmentation_mask(
        self, segmentation_mask: Any, transformation: Any, training: bool = True
    ) -> Tensor:
        """`transform_segmentation_masks` for one mask."""
        masks = convert_to_tensor(segmentation_mask).unsqueeze(0)
        return self.transform_segmentation_masks(masks, transformation, training=training).squeeze(0)

    # Tools of the layers --------------------------------------------------------------------------------------

    def _output(self, values: Tensor, dtype: torch.dtype) -> Tensor:
        """Images in the dtype of the output; of the input, for layers that keep integers."""
        is_kept = self.keeps_integers and not dtype.is_floating_point
        return rounded_to(values, dtype if is_kept else self._torch_dtype)

    def _batch(self, images: Tensor) -> tuple[int, int, int, int]:
        """The sizes B, C, H, W of one image or a batch."""
        batch, channels, height, width = Layout(images, self.data_format).planes(images).shape
        return batch, channels, height, width

    def _source(self, seed: Any, images: Tensor) -> torch.Generator | None:
        """The generator from which the draws for these images come; None is torch's own."""
        if images.device.type == "meta":
            return None
        return torch_generator(self.generator if seed is None else seed, images.device)

    def _uniform(self, shape: Any, low: Any, high: Any, like: Tensor, source: Any) -> Tensor:
        return torch.empty(shape, device=like.device).uniform_(float(low), float(high), generator=source)

    def _probability(self, factor: tuple[float, float], batch: int, like: Tensor, source: Any) -> Tensor:
        """For each image, whether something is done: with a probability drawn from the range `factor`."""
        chance = self._uniform((batch,), *factor, like, source)
        return self._uniform((batch,), 0, 1, like, source) < chance

    def _corners(self, bounding_boxes: Any, height: int, width: int) -> Tensor:
        """The boxes as (B, N, 4), in pixels: left, top, right, bottom."""
        kind = self.bounding_box_format or "xyxy"
        return boxes_of.convert_format(bounding_boxes["boxes"], kind, "xyxy", height, width)

    def _with_corners(self, bounding_boxes: Any, corners: Tensor, height: int, width: int) -> dict[str, Any]:
        """The boxes in the caller's format, clipped to an image of this size; those without area get the label -1."""
        clipped = boxes_of.clip_to_image_size({**bounding_boxes, "boxes": corners}, height, width)
        kind = self.bounding_box_format or "xyxy"
        return boxes_of.convert_format(clipped, "xyxy", kind, height, width)

    def _size(self, input_shape: Any) -> tuple[int, int]:
        """Height and width in the shape of images."""
        height, width = input_shape[-3:-1] if self.data_format == "channels_last" else input_shape[-2:]
        return height, width

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "data_format": self.data_format}
        if self.bounding_box_format is not None:
            config["bounding_box_format"] = self.bounding_box_format
        return config


def check_range(
    name: str, value: Any, lowest: float, highest: float, symmetric: bool = False, start: float = 0
) -> tuple[Any, Any]:
    """Return the range that a factor stands for: two numbers, or one for (start, value) or (−value, value)."""
    numbers = (int, float)
    pair: tuple[Any, ...] = ()
    if isinstance(value, numbers) and not isinstance(value, bool):
        pair = (-abs(value), abs(value)) if symmetric else (start, value)
    elif isinstance(value, (tuple, list)) and all(isinstance(x, numbers) for x in value):
        pair = tuple(sorted(value))
    if len(pair) != 2 or not lowest <= pair[0] <= pair[1] <= highest:
        raise ValueError(
            f"`{name}` must be a number or a range of two numbers within [{lowest}, {highest}]. "
            f"Received: {name}={value!r}"
        )
    return pair[0], pair[1]


def check_value_range(value_range: Any) -> Any:
    """Return the range of the values of pixels, or raise unless it is of two rising numbers."""
    is_pair = isinstance(value_range, (tuple, list)) and len(value_range) == 2
    if not is_pair or not value_range[0] < value_range[1]:
        raise ValueError(
            "`value_range` must be two rising numbers, usually (0, 255) or (0, 1). "
            f"Received: value_range={value_range!r}"
        )
    return value_range


def check_options(layer: Layer, options: dict[str, Any], **choices: Any) -> None:
    """Raise unless each option is one of its choices."""
    for name, allowed in choices.items():
        if options[name] not in allowed:
            raise ValueError(
                f"`{name}` of layer {layer.name!r} must be one of {sorted(allowed)}."
                f"{did_you_mean(options[name], allowed)} Received: {name}={options[name]!r}"
            )


def per_image(values: Tensor) -> Tensor:
    """One number for each image as (B, 1, 1, 1)."""
    return values.reshape(-1, 1, 1, 1)


def rescaled(x: Tensor, source: Any, target: Any) -> Tensor:
    """Map values linearly from one range to another."""
    if tuple(source) == tuple(target):
        return x
    return (x - source[0]) * ((target[1] - target[0]) / (source[1] - source[0])) + target[0]
