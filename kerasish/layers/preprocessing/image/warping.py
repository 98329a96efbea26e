"""Layers that move pixels: rotation, translation, zoom, shear, perspective and elastic deformation."""

# B images, H height, W width

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish.layers.preprocessing.image.bounding_boxes import affine_transform as transform_boxes
from kerasish.layers.preprocessing.image.image_augmentation import (
    ImageAugmentation,
    check_options,
    check_range,
    check_value_range,
    per_image,
)
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.image.layout import Layout, computed_as_float, rounded_to
from kerasish.ops.image.warping import (
    FILL_MODES,
    ORDERS,
    displacements,
    grid,
    homography,
    sample_planes,
    warp_affine,
    warp_perspective,
)


class _Warp(ImageAugmentation):
    """A layer that resamples images at moved coordinates, and masks at the nearest pixel."""

    interpolation: str
    fill_mode: str
    fill_value: float

    def _set_sampling(self, interpolation: str, fill_mode: str, fill_value: float) -> None:
        options = {"interpolation": interpolation, "fill_mode": fill_mode}
        check_options(self, options, interpolation=ORDERS, fill_mode=FILL_MODES)
        self.interpolation = interpolation
        self.fill_mode = fill_mode
        self.fill_value = fill_value

    def _transform(self, planes: Tensor, transformation: Any) -> Tensor:
        return self._warped(planes, transformation, self.interpolation)

    def _warped(self, planes: Tensor, transformation: Any, interpolation: str) -> Tensor:
        matrix = self._matrix(transformation, planes)
        return warp_affine(planes, matrix, interpolation, self.fill_mode, self.fill_value)

    def _matrix(self, transformation: Any, planes: Tensor) -> Tensor:
        """The affine maps (B, 8) from the result's pixels to the input's."""
        raise NotImplementedError(f"Layer {self.name!r} must define `_matrix` or `_warped`.")

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        if transformation is None or not training:
            return segmentation_masks
        masks = convert_to_tensor(segmentation_masks)
        layout = Layout(masks, self.data_format)
        warped = self._warped(computed_as_float(layout.planes(masks)), transformation, "nearest")
        return rounded_to(layout.restore(warped), masks.dtype)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        if transformation is None or not training:
            return bounding_boxes
        height, width = self._size(transformation["input_shape"])
        corners = self._corners(bounding_boxes, height, width)
        matrix = self._matrix(transformation, corners.new_empty((len(corners), 1, height, width)))
        a0, a1, a2, b0, b1, b2 = matrix[:, :6].reshape(-1, 6, 1).unbind(1)
        left, top, right, bottom = corners.unbind(-1)
        x = torch.stack([left, right, left, right], -1).flatten(1) - a2
        y = torch.stack([top, top, bottom, bottom], -1).flatten(1) - b2
        determinant = a0 * b1 - a1 * b0
        new_x = ((b1 * x - a1 * y) / determinant).unflatten(1, (-1, 4))
        new_y = ((a0 * y - b0 * x) / determinant).unflatten(1, (-1, 4))
        return self._with_corners(bounding_boxes, _around(new_x, new_y), height, width)


def _around(x: Tensor, y: Tensor) -> Tensor:
    """The boxes around groups of points (…, 4)."""
    return torch.stack([x.amin(-1), y.amin(-1), x.amax(-1), y.amax(-1)], -1)


def _matrix_of(*numbers: Any) -> Tensor:
    """Affine maps (B, 8) from six columns and two of zeros."""
    like = next(number for number in numbers if isinstance(number, Tensor))
    columns = [n if isinstance(n, Tensor) else torch.full_like(like, n) for n in (*numbers, 0.0, 0.0)]
    return torch.stack(columns, -1)


class RandomRotation(_Warp):
    """In training rotate each image about its middle.

    Args:
        factor: range of the angle as a fraction of 360°, counter-clockwise, or a for (−a, a).
        fill_mode: what comes in from outside: `"reflect"`, `"constant"` (`fill_value`), `"nearest"`, `"wrap"`,
            `"mirror"`.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: integer for reproducible draws.
        fill_value: value outside with `fill_mode="constant"`.
        data_format: `"channels_last"` or `"channels_first"`.
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Any = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = check_range("factor", factor, -1, 1, symmetric=True)
        self._set_sampling(interpolation, fill_mode, fill_value)
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        images = self._images_of(data)
        batch, _, height, width = self._batch(images)
        low, high = (360 * x for x in self.factor)
        angle = self._uniform((batch,), low, high, images, self._source(seed, images))
        radians = torch.deg2rad(angle)
        cos, sin = torch.cos(radians), torch.sin(radians)
        x, y = (width - 1) / 2, (height - 1) / 2
        matrix = _matrix_of(cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y)
        return {
            "angle": angle,
            "rotation_matrix": matrix,
            "image_height": height,
            "image_width": width,
            "batch_size": batch,
        }

    def _matrix(self, transformation: Any, planes: Tensor) -> Tensor:
        return convert_to_tensor(transformation["rotation_matrix"]).reshape(-1, 8)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        if transformation is None or not training:
            return bounding_boxes
        height, width = transformation["image_height"], transformation["image_width"]
        corners = self._corners(bounding_boxes, height, width)
        corners = transform_boxes(corners, transformation["angle"], 0, 0, 1, 0, 0, height, width)
        return self._with_corners(bounding_boxes, corners, height, width)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "factor": self.factor,
            "fill_mode": self.fill_mode,
            "fill_value": self.fill_value,
            "interpolation": self.interpolation,
            "seed": self.seed,
        }


class RandomTranslation(_Warp):
    """In training move each image.

    Args:
        height_factor: range of the shift downwards as a fraction of the height, or a for (−a, a).
        width_factor: range of the shift to the right as a fraction of the width, or a for (−a, a).
        fill_mode: what comes in from outside: `"reflect"`, `"constant"` (`fill_value`), `"nearest"`, `"wrap"`,
            `"mirror"`.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: integer for reproducible draws.
        fill_value: value outside with `fill_mode="constant"`.
        data_format: `"channels_last"` or `"channels_first"`.
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Any = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height_factor = height_factor
        self.width_factor = width_factor
        self.height_lower, self.height_upper = check_range(
            "height_factor", height_factor, -1, 1, symmetric=True
        )
        self.width_lower, self.width_upper = check_range("width_factor", width_factor, -1, 1, symmetric=True)
        self._set_sampling(interpolation, fill_mode, fill_value)
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        images = self._images_of(data)
        batch, _, height, width = self._batch(images)
        source = self._source(seed, images)
        dy = self._uniform((batch,), self.height_lower * height, self.height_upper * height, images, source)
        dx = self._uniform((batch,), self.width_lower * width, self.width_upper * width, images, source)
        return {"translations": torch.stack([dx, dy], -1), "input_shape": tuple(images.shape)}

    def _matrix(self, transformation: Any, planes: Tensor) -> Tensor:
        dx, dy = convert_to_tensor(transformation["translations"]).unbind(-1)
        return _matrix_of(1.0, 0.0, -dx, 0.0, 1.0, -dy)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "height_factor": self.height_factor,
            "width_factor": self.width_factor,
            "fill_mode": self.fill_mode,
            "interpolation": self.interpolation,
            "seed": self.seed,
            "fill_value": self.fill_value,
        }


class RandomZoom(_Warp):
    """In training zoom each image about its middle, out by a factor 1 + a.

    Args:
        height_factor: range of a along the height, or a number for (−number, number); negative ones zoom in.
        width_factor: range along the width; None keeps the aspect ratio.
        fill_mode: what comes in from outside: `"reflect"`, `"constant"` (`fill_value`), `"nearest"`, `"wrap"`,
            `"mirror"`.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: integer for reproducible draws.
        fill_value: value outside with `fill_mode="constant"`.
        data_format: `"channels_last"` or `"channels_first"`.
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Any = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height_factor = height_factor
        self.width_factor = width_factor
        self.height_lower, self.height_upper = check_range(
            "height_factor", height_factor, -1, 1, symmetric=True
        )
        if width_factor is not None:
            self.width_lower, self.width_upper = check_range(
                "width_factor", width_factor, -1, 1, symmetric=True
            )
        self._set_sampling(interpolation, fill_mode, fill_value)
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        images = self._images_of(data)
        shape, source = (self._batch(images)[0], 1), self._source(seed, images)
        height = self._uniform(shape, 1 + self.height_lower, 1 + self.height_upper, images, source)
        width = height
        if self.width_factor is not None:
            width = self._uniform(shape, 1 + self.width_lower, 1 + self.width_upper, images, source)
        return {"height_zoom": height, "width_zoom": width, "input_shape": tuple(images.shape)}

    def _matrix(self, transformation: Any, planes: Tensor) -> Tensor:
        zx, zy = (
            convert_to_tensor(transformation[name]).reshape(-1) for name in ("width_zoom", "height_zoom")
        )
        x, y = (planes.shape[-1] - 1) / 2, (planes.shape[-2] - 1) / 2
        return _matrix_of(zx, 0.0, (1 - zx) * x, 0.0, zy, (1 - zy) * y)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "height_factor": self.height_factor,
            "width_factor": self.width_factor,
            "fill_mode": self.fill_mode,
            "interpolation": self.interpolation,
            "seed": self.seed,
            "fill_value": self.fill_value,
        }


class RandomShear(_Warp):
    """In training shear each image: the pixel (x, y) is taken from (x + s y, y + t x), both signs turned at random.

    Args:
        x_factor: range of s, or a number for (−number, number).
        y_factor: range of t, or a number for (−number, number).
        interpolation: `"bilinear"` or `"nearest"`.
        fill_mode: what comes in from outside: `"reflect"`, `"constant"` (`fill_value`), `"nearest"`, `"wrap"`,
            `"mirror"`.
        fill_value: value outside with `fill_mode="constant"`.
        data_format: `"channels_last"` or `"channels_first"`.
        seed: integer for reproducible draws.

    Differs: boxes are those around the sheared boxes; Keras 3.15 shears them by other amounts in images that are not
    square.
    """

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.x_factor = check_range("x_factor", x_factor, -1, 1, symmetric=True)
        self.y_factor = check_range("y_factor", y_factor, -1, 1, symmetric=True)
        self._set_sampling(interpolation, fill_mode, fill_value)
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        images = self._images_of(data)
        batch, source = self._batch(images)[0], self._source(seed, images)
        sign = torch.where(self._uniform((batch,), 0, 1, images, source) < 0.5, -1.0, 1.0)
        factors = [
            self._uniform((batch,), *factor, images, source) for factor in (self.x_factor, self.y_factor)
        ]
        shear = torch.stack(factors, -1) * sign.unsqueeze(-1)
        return {"shear_factor": shear, "input_shape": tuple(images.shape)}

    def _matrix(self, transformation: Any, planes: Tensor) -> Tensor:
        x, y = convert_to_tensor(transformation["shear_factor"]).unbind(-1)
        return _matrix_of(1.0, x, 0.0, y, 1.0, 0.0)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "x_factor": self.x_factor,
            "y_factor": self.y_factor,
            "fill_mode": self.fill_mode,
            "interpolation": self.interpolation,
            "seed": self.seed,
            "fill_value": self.fill_value,
        }


class RandomPerspective(_Warp):
    """In training look at each image from another side.

    The coordinates of its corners are multiplied by random factors from [1 − scale / 2, 1 + scale / 2].

    Args:
        factor: range of the probability of doing so, or a number for (0, number).
        scale: strength, 0 to 1.
        interpolation: `"bilinear"` or `"nearest"`.
        fill_value: value of what lies outside.
        seed: integer for reproducible draws.
        data_format: `"channels_last"` or `"channels_first"`.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = check_range("factor", factor, 0, 1)
        if isinstance(scale, bool) or not isinstance(scale, (int, float)) or not 0 <= scale <= 1:
            raise ValueError(f"`scale` must be a number between 0 and 1. Received: scale={scale!r}")
        self.scale = scale
        self._set_sampling(interpolation, "constant", fill_value)
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        images = self._images_of(data)
        batch, _, height, width = self._batch(images)
        source = self._source(seed, images)
        is_applied = self._probability(self.factor, batch, images, source)
        corner = torch.arange(4, device=images.device)
        start = torch.stack([corner % 2 * (width - 1.0), corner // 2 * (height - 1.0)], -1).expand(
            batch, 4, 2
        )
        low, high = 1 - self.scale / 2, 1 + self.scale / 2
        return {
            "apply_perspective": is_applied,
            "start_points": start,
            "end_points": start * self._uniform((batch, 4, 2), low, high, images, source),
            "input_shape": tuple(images.shape),
        }

    def _warped(self, planes: Tensor, transformation: Any, interpolation: str) -> Tensor:
        points = [convert_to_tensor(transformation[name]).float() for name in ("start_points", "end_points")]
        warped = warp_perspective(planes, homography(*points), interpolation, self.fill_value)
        return torch.where(per_image(convert_to_tensor(transformation["apply_perspective"])), warped, planes)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        if transformation is None or not training:
            return bounding_boxes
        height, width = self._size(transformation["input_shape"])
        corners = self._corners(bounding_boxes, height, width)
        points = [convert_to_tensor(transformation[name]).float() for name in ("end_points", "start_points")]
        a0, a1, a2, b0, b1, b2, c0, c1 = homography(*points).unsqueeze(-1).unbind(1)
        left, top, right, bottom = corners.unbind(-1)
        x = torch.stack([left, right, left, right], -1).flatten(1)
        y = torch.stack([top, top, bottom, bottom], -1).flatten(1)
        k = c0 * x + c1 * y + 1
        new_x = ((a0 * x + a1 * y + a2) / k).unflatten(1, (-1, 4))
        new_y = ((b0 * x + b1 * y + b2) / k).unflatten(1, (-1, 4))
        is_applied = convert_to_tensor(transformation["apply_perspective"]).reshape(-1, 1, 1)
        corners = torch.where(is_applied, _around(new_x, new_y), corners)
        return self._with_corners(bounding_boxes, corners, height, width)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "factor": self.factor,
            "scale": self.scale,
            "interpolation": self.interpolation,
            "fill_value": self.fill_value,
            "seed": self.seed,
        }


class RandomElasticTransform(_Warp):
    """In training deform images by smooth random displacements.

    Args:
        factor: range of the probability of doing so, or a number for (0, number).
        scale: range of the strength, drawn once for a batch, or a number for (0, number): the displacements have a
            deviation of about scale · longer side / 35 pixels, smooth over scale · shorter side / 20 pixels.
        interpolation: `"bilinear"` or `"nearest"`.
        fill_mode: what comes in from outside: `"reflect"`, `"constant"` (`fill_value`), `"nearest"`, `"wrap"`,
            `"mirror"`.
        fill_value: value outside with `fill_mode="constant"`.
        value_range: range of the values of pixels, to which the result is clipped.
        seed: integer for reproducible draws.
        data_format: `"channels_last"` or `"channels_first"`.

    Source: Simard et al., 2003, *Best practices for convolutional neural networks applied to visual document analysis*.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Any = (0, 255),
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = check_range("factor", factor, 0, 1)
        self.scale = check_range("scale", scale, 0, 1)
        self.value_range = check_value_range(value_range)
        self._set_sampling(interpolation, fill_mode, fill_value)
        self._set_seed(seed)

    def get_elastic_transform_params(self, height: int, width: int, factor: Any) -> tuple[Any, Any]:
        """The strength alpha and the smoothness sigma for images of this size, in pixels."""
        return max(height, width) * 0.1 * factor, min(height, width) * 0.05 * factor

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        images = self._images_of(data)
        batch, _, height, width = self._batch(images)
        source = self._source(seed, images)
        noise = torch.empty((batch, 2, height, width), device=images.device)
        return {
            "apply_transform": self._probability(self.factor, batch, images, source),
            "distortion_factor": self._uniform((), *self.scale, images, source),
            "noise": noise.normal_(generator=source),
        }

    def _warped(self, planes: Tensor, transformation: Any, interpolation: str) -> Tensor:
        height, width = planes.shape[-2:]
        factor = convert_to_tensor(transformation["distortion_factor"]).clamp(min=1e-6)
        alpha, sigma = self.get_elastic_transform_params(height, width, factor)
        largest = self.get_elastic_transform_params(height, width, self.scale[1])[1]
        noise = convert_to_tensor(transformation["noise"]).to(planes.dtype)
        dx, dy = displacements(noise, alpha, sigma, int(6 * largest) | 1).unbind(1)
        y, x = grid(height, width, noise)
        moved = sample_planes(planes, y + dy, x + dx, interpolation, self.fill_mode, self.fill_value)
        return torch.where(per_image(convert_to_tensor(transformation["apply_transform"])), moved, planes)

    def _transform(self, planes: Tensor, transformation: Any) -> Tensor:
        return super()._transform(planes, transformation).clamp(*self.value_range)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        if transformation is None or not training:
            return bounding_boxes
        raise NotImplementedError(
            f"Layer {self.name!r} cannot move bounding boxes: an elastic deformation does not keep boxes."
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "factor": self.factor,
            "scale": self.scale,
            "interpolation": self.interpolation,
            "fill_mode": self.fill_mode,
            "fill_value": self.fill_value,
            "value_range": self.value_range,
            "seed": self.seed,
        }
