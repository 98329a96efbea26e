"""Layers that change the colours of pixels."""

# B images, C channels, H height, W width

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish.layers.preprocessing.image.image_augmentation import (
    ImageAugmentation,
    check_range,
    check_value_range,
    per_image,
    rescaled,
)
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.image.color import hsv_to_rgb, rgb_to_grayscale, rgb_to_hsv
from kerasish.ops.image.filters import filter_rows_and_columns, gaussian_window

UNIT, BYTE = (0, 1), (0, 255)


class _Factor(ImageAugmentation):
    """A layer that draws one number of a range for each image and returns pixels within `value_range`."""

    factor: tuple[float, float]
    value_range: Any

    def _set_factor(self, factor: Any, value_range: Any, seed: Any, lowest: float, symmetric: bool) -> None:
        self.factor = check_range("factor", factor, lowest, 1, symmetric)
        self.value_range = check_value_range(value_range)
        self._set_seed(seed)

    def _draws(self, data: Any, low: float, high: float, seed: Any) -> Tensor:
        images = self._images_of(data)
        return self._uniform((self._batch(images)[0],), low, high, images, self._source(seed, images))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "factor": self.factor,
            "value_range": self.value_range,
            "seed": self.seed,
        }


class RandomBrightness(_Factor):
    """In training add one number to all values of an image: a drawn factor times the width of `value_range`.

    Args:
        factor: range of the factor within [−1, 1], or a for (−a, a).
        value_range: range of the values of pixels, to which the result is clipped.
        seed: integer for reproducible draws.

    Differs: integers stop at the ends of `value_range`; those of Keras 3.15 on torch wrap around.
    """

    keeps_integers = True

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._set_factor(factor, value_range, seed, -1, symmetric=True)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        width = self.value_range[1] - self.value_range[0]
        return {"rgb_delta": per_image(self._draws(data, *self.factor, seed) * width)}

    def _transform(self, planes: Tensor, transformation: Any) -> Tensor:
        delta = per_image(convert_to_tensor(transformation["rgb_delta"]))
        if not planes.is_floating_point():
            planes, delta = planes.long(), delta.long()
        return (planes + delta).clamp(*self.value_range)


class RandomContrast(_Factor):
    """In training move the values x of each channel of an image from their mean m or to it: (x − m) a + m.

    Args:
        factor: (lower, upper) for a from [1 − lower, 1 + upper], or upper for (0, upper).
        value_range: range of the values of pixels, to which the result is clipped.
        seed: integer for reproducible draws.
    """

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        pair = factor if isinstance(factor, (tuple, list)) else (0, factor)
        if len(pair) != 2 or any(not isinstance(x, (int, float)) or not 0 <= x <= 1 for x in pair):
            raise ValueError(
                f"`factor` must be a number or two numbers within [0, 1]. Received: factor={factor!r}"
            )
        self.factor = tuple(pair)
        self.value_range = check_value_range(value_range)
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        low, high = 1 - self.factor[0], 1 + self.factor[1]
        return {"contrast_factor": per_image(self._draws(data, low, high, seed))}

    def _transform(self, planes: Tensor, transformation: Any) -> Tensor:
        factor = per_image(convert_to_tensor(transformation["contrast_factor"]))
        mean = planes.mean((2, 3), keepdim=True)
        return ((planes - mean) * factor + mean).clamp(*self.value_range)


class RandomColorDegeneration(_Factor):
    """In training mix each RGB image with its greys: x + a (grey − x).

    Args:
        factor: range of a within [−1, 1], or a number for (−number, number): 0 changes nothing, 1 gives greys,
            negative numbers strengthen the colours.
        value_range: range of the values of pixels, to which the result is clipped.
        data_format: `"channels_last"` or `"channels_first"`.
        seed: integer for reproducible draws.
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor, value_range, seed, -1, symmetric=True)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        return {"factor": per_image(self._draws(data, *self.factor, seed))}

    def _transform(self, planes: Tensor, transformation: Any) -> Tensor:
        factor = per_image(convert_to_tensor(transformation["factor"]))
        grey = rgb_to_grayscale(planes, "channels_first")
        return (planes + factor * (grey - planes)).clamp(*self.value_range)


class RandomHue(_Factor):
    """In training turn the hue of each RGB image by a drawn factor times ±180°.

    Args:
        factor: range of the factor within [0, 1], or a number for (0, number).
        value_range: range of the values of pixels.
        data_format: `"channels_last"` or `"channels_first"`.
        seed: integer for reproducible draws.
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor, value_range, seed, 0, symmetric=False)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        images = self._images_of(data)
        source = self._source(seed, images)
        shape = (self._batch(images)[0],)
        sign = torch.where(self._uniform(shape, 0, 1, images, source) < 0.5, -0.5, 0.5)
        return {"factor": self._uniform(shape, *self.factor, images, source) * sign}

    def _transform(self, planes: Tensor, transformation: Any) -> Tensor:
        turn = convert_to_tensor(transformation["factor"]).reshape(-1, 1, 1)
        pixels = rescaled(planes, self.value_range, UNIT)
        hue, saturation, value = rgb_to_hsv(pixels, "channels_first").unbind(1)
        pixels = hsv_to_rgb(torch.stack([(hue + turn) % 1, saturation, value], 1), "channels_first")
        return rescaled(pixels, UNIT, self.value_range)


class RandomSaturation(_Factor):
    """In training multiply the saturation of each RGB image by a / (1 − a).

    Args:
        factor: range of a within [−1, 1], or a number for (−number, number): 0 and less give greys, 0.5 changes
            nothing, 1 gives full colours.
        value_range: range of the values of pixels.
        data_format: `"channels_last"` or `"channels_first"`.
        seed: integer for reproducible draws.

    Differs: colours stay within `value_range`; Keras 3.15 takes pixels of other ranges than (0, 1) for such of (0, 1).
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor, value_range, seed, -1, symmetric=True)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        factor = self._draws(data, *self.factor, seed)
        return {"factor": factor / (1 - factor + 1e-7)}

    def _transform(self, planes: Tensor, transformation: Any) -> Tensor:
        factor = convert_to_tensor(transformation["factor"]).reshape(-1, 1, 1)
        pixels = rescaled(planes, self.value_range, UNIT)
        hue, saturation, value = rgb_to_hsv(pixels, "channels_first").unbind(1)
        saturation = (saturation * factor).clamp(0, 1)
        pixels = hsv_to_rgb(torch.stack([hue, saturation, value], 1), "channels_first")
        return rescaled(pixels, UNIT, self.value_range)


class RandomSharpness(_Factor):
    """In training blur or sharpen each image: s + 2 a (x − s), s being smoothed by [1 1 1; 1 5 1; 1 1 1] / 13.

    Args:
        factor: range of a within [0, 1], or a number for (0, number): 0 blurs, 0.5 changes nothing, 1 sharpens.
        value_range: range of the values of pixels, to which the result is clipped.
        data_format: `"channels_last"` or `"channels_first"`.
        seed: integer for reproducible draws.
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor, value_range, seed, 0, symmetric=False)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        return {"factor": self._draws(data, *self.factor, seed)}

    def _transform(self, planes: Tensor, transformation: Any) -> Tensor:
        factor = per_image(convert_to_tensor(transformation["factor"]))
        ones = planes.new_ones(3)
        smooth = (filter_rows_and_columns(planes, ones, ones) + 4 * planes) / 13
        return (smooth + 2 * factor * (planes - smooth)).clamp(*self.value_range)


class RandomPosterization(_Factor):
    """In training keep only the highest bits of the values as 8-bit integers.

    Args:
        factor: range (low, high) of the number of bits from 1 to 8, drawn from low, …, high − 1 as in Keras (low where
            they are equal), or high for (1, high).
        value_range: range of the values of pixels.
        data_format: `"channels_last"` or `"channels_first"`.
        seed: integer for reproducible draws.

    Source: Cubuk et al., 2019, *AutoAugment: learning augmentation policies from data*.
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = check_range("factor", factor, 1, 8, start=1)
        if any(int(bits) != bits for bits in self.factor):
            raise ValueError(f"`factor` must be of integers from 1 to 8. Received: factor={factor!r}")
        self.value_range = check_value_range(value_range)
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        images = self._images_of(data)
        low, high = (int(bits) for bits in self.factor)
        bits = torch.randint(
            low, max(high, low + 1), (self._batch(images)[0],), device=images.device,
            generator=self._source(seed, images),
        )  # fmt: skip
        return {"shift_factor": (8 - bits).to(torch.uint8)}

    def _transform(self, planes: Tensor, transformation: Any) -> Tensor:
        shift = per_image(convert_to_tensor(transformation["shift_factor"])).int()
        pixels = rescaled(planes, self.value_range, BYTE).clamp(*BYTE).int()
        pixels = (pixels >> shift) << shift
        return rescaled(pixels.to(planes.dtype), BYTE, self.value_range)


class Solarization(ImageAugmentation):
    """In training add a number to the values of an image, then invert those of at least a threshold.

    Args:
        addition_factor: upper end of what is added, as a fraction of the width of `value_range`: the draws are from
            (0, addition_factor), or (0, b) for a range (a, b), as in Keras.
        threshold_factor: upper end of the threshold, in the same way.
        value_range: range of the values of pixels.
        seed: integer for reproducible draws.
    """

    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Any = (0, 255),
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.addition_factor = check_range("addition_factor", addition_factor, 0, 1)
        self.threshold_factor = check_range("threshold_factor", threshold_factor, 0, 1)
        self.value_range = check_value_range(value_range)
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        images = self._images_of(data)
        batch, source = self._batch(images)[0], self._source(seed, images)
        factors = {"additions": self.addition_factor, "thresholds": self.threshold_factor}
        return {
            name: per_image(self._uniform((batch,), 0, 255 * factor[1], images, source))
            for name, factor in factors.items()
        }

    def _transform(self, planes: Tensor, transformation: Any) -> Tensor:
        additions, thresholds = (
            per_image(convert_to_tensor(transformation[name])) for name in ("additions", "thresholds")
        )
        pixels = (rescaled(planes, self.value_range, BYTE) + additions).clamp(*BYTE)
        pixels = torch.where(pixels < thresholds, pixels, 255 - pixels)
        return rescaled(pixels, BYTE, self.value_range)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "value_range": self.value_range,
            "addition_factor": self.addition_factor,
            "threshold_factor": self.threshold_factor,
            "seed": self.seed,
        }


class RandomInvert(_Factor):
    """In training invert the values of images with a probability.

    Args:
        factor: range of the probability, or a number for (0, number).
        value_range: range (low, high) of the values of pixels; x becomes low + high − x.
        seed: integer for reproducible draws.
        data_format: `"channels_last"` or `"channels_first"`.

    Differs: Keras 3.15 gives high − x, outside of the range where `low` is not 0.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        value_range: Any = (0, 255),
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor, value_range, seed, 0, symmetric=False)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        images = self._images_of(data)
        source = self._source(seed, images)
        return {"apply_inversion": self._probability(self.factor, self._batch(images)[0], images, source)}

    def _transform(self, planes: Tensor, transformation: Any) -> Tensor:
        is_inverted = per_image(convert_to_tensor(transformation["apply_inversion"]))
        return torch.where(is_inverted, sum(self.value_range) - planes, planes)


class RandomGrayscale(ImageAugmentation):
    """In training replace RGB images by their greys with a probability; the number of channels stays.

    Args:
        factor: the probability.
        data_format: `"channels_last"` or `"channels_first"`.
        seed: integer for reproducible draws.
    """

    keeps_integers = True

    def __init__(
        self, factor: float = 0.5, data_format: str | None = None, seed: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not 0 <= factor <= 1:
            raise ValueError(f"`factor` must be a probability. Received: factor={factor!r}")
        self.factor = factor
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        images = self._images_of(data)
        draws = self._uniform((self._batch(images)[0],), 0, 1, images, self._source(seed, images))
        return per_image(draws < self.factor)

    def _transform(self, planes: Tensor, transformation: Any) -> Tensor:
        grey = rgb_to_grayscale(planes, "channels_first")
        return torch.where(per_image(convert_to_tensor(transformation)), grey, planes)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "factor": self.factor}
        return config if self.seed is None else {**config, "seed": self.seed}


class RandomGaussianBlur(ImageAugmentation):
    """In training blur images by a Gaussian with a probability.

    Args:
        factor: range of the probability, or a number for (0, number).
        kernel_size: size of the window, or (height, width).
        sigma: range of the standard deviations in pixels, or a number for (0, number); one for
            the width and one for the height are drawn for a batch.
        value_range: range of the values of pixels, to which the result is clipped.
        data_format: `"channels_last"` or `"channels_first"`.
        seed: integer for reproducible draws.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: Any = 3,
        sigma: Any = 1.0,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = check_range("factor", factor, 0, 1)
        sizes = (kernel_size, kernel_size) if isinstance(kernel_size, int) else tuple(kernel_size)
        if len(sizes) != 2 or any(not isinstance(n, int) or n <= 0 or n % 2 == 0 for n in sizes):
            raise ValueError(
                f"`kernel_size` must be an odd integer or two. Received: kernel_size={kernel_size!r}"
            )
        self.kernel_size = sizes
        self.sigma = check_range("sigma", sigma, 0, float("inf"))
        self.value_range = check_value_range(value_range)
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        images = self._images_of(data)
        batch, source = self._batch(images)[0], self._source(seed, images)
        return {
            "should_apply_blur": self._probability(self.factor, batch, images, source),
            "blur_factor": self._uniform((2,), *self.sigma, images, source) + 1e-6,
        }

    def _transform(self, planes: Tensor, transformation: Any) -> Tensor:
        across, down = convert_to_tensor(transformation["blur_factor"]).to(planes.dtype).unbind()
        vertical = gaussian_window(self.kernel_size[0], down, planes)
        horizontal = gaussian_window(self.kernel_size[1], across, planes)
        blurred = filter_rows_and_columns(planes, vertical, horizontal).clamp(*self.value_range)
        is_blurred = per_image(convert_to_tensor(transformation["should_apply_blur"]))
        return torch.where(is_blurred, blurred, planes)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "factor": self.factor,
            "kernel_size": self.kernel_size,
            "sigma": self.sigma,
            "value_range": self.value_range,
            "seed": self.seed,
        }


class RandomColorJitter(ImageAugmentation):
    """In training change brightness, contrast, saturation and hue, in this order, by the layers of these names.

    Args:
        value_range: range of the values of pixels.
        brightness_factor, contrast_factor, saturation_factor, hue_factor: the layers' `factor`; None leaves one out.
        seed: integer for reproducible draws.
        data_format: `"channels_last"` or `"channels_first"`.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = check_value_range(value_range)
        self.brightness_factor = brightness_factor
        self.contrast_factor = contrast_factor
        self.saturation_factor = saturation_factor
        self.hue_factor = hue_factor
        self._set_seed(seed)
        factors = {
            "random_brightness": (RandomBrightness, brightness_factor),
            "random_contrast": (RandomContrast, contrast_factor),
            "random_saturation": (RandomSaturation, saturation_factor),
            "random_hue": (RandomHue, hue_factor),
        }
        settings = {"value_range": value_range, "data_format": self.data_format, "dtype": self.dtype_policy}
        for name, (cls, factor) in factors.items():
            setattr(self, name, None if factor is None else cls(factor, **settings))

    @property
    def _steps(self) -> dict[str, Any]:
        names = ("random_brightness", "random_contrast", "random_saturation", "random_hue")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        images = self._images_of(data)
        seed = self.generator if seed is None else seed
        return {
            name: layer.get_random_transformation(images, seed=seed) for name, layer in self._steps.items()
        }

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Tensor:
        images = self._images_of(images)
        images = self._output(images, images.dtype)
        if transformation is None or not training:
            return images
        for name, layer in self._steps.items():
            images = layer.transform_images(images, transformation[name])
        return images

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "value_range": self.value_range,
            "brightness_factor": self.brightness_factor,
            "contrast_factor": self.contrast_factor,
            "saturation_factor": self.saturation_factor,
            "hue_factor": self.hue_factor,
            "seed": self.seed,
        }
