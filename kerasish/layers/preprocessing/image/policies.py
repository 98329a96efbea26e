"""Layers that apply other augmentations, drawn at random."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish import tree
from kerasish.layers.preprocessing.image.color import (
    RandomBrightness,
    RandomColorDegeneration,
    RandomContrast,
    RandomPosterization,
    RandomSharpness,
    Solarization,
)
from kerasish.layers.preprocessing.image.histograms import AutoContrast, Equalization
from kerasish.layers.preprocessing.image.image_augmentation import (
    ImageAugmentation,
    check_options,
    check_range,
    check_value_range,
)
from kerasish.layers.preprocessing.image.mixing import beta_draws
from kerasish.layers.preprocessing.image.warping import RandomRotation, RandomShear, RandomTranslation
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.image.warping import ORDERS
from kerasish.symbolic import KerasTensor

OPERATIONS = (
    "random_shear", "random_translation", "random_rotation", "random_brightness", "random_color_degeneration",
    "random_contrast", "random_sharpness", "random_posterization", "solarization", "auto_contrast", "equalization",
)  # fmt: skip
WITHOUT_COLOURS = (
    "random_shear", "random_translation", "random_rotation", "random_posterization", "solarization", "auto_contrast",
    "equalization",
)  # fmt: skip


class _Policy(ImageAugmentation):
    """A layer that owns the eleven augmentations of `OPERATIONS` and applies drawn ones.

    The operations are chosen by Python from drawn numbers, so a training step with such a layer is run eagerly: `item`
    tells a recording or a CUDA graph so, `tolist` would not on the CPU.
    """

    def _make_operations(self, factor: Any, value_range: Any, interpolation: str) -> None:
        self.factor = factor = check_range("factor", factor, 0, 1)
        self.value_range = check_value_range(value_range)
        check_options(self, {"interpolation": interpolation}, interpolation=ORDERS)
        self.interpolation = interpolation
        common = {
            "data_format": self.data_format, "bounding_box_format": self.bounding_box_format,
            "dtype": self.dtype_policy,
        }  # fmt: skip
        colour = {"value_range": value_range, **common}
        warp = {"interpolation": interpolation, **common}
        self.random_shear = RandomShear(factor, factor, **warp)
        self.random_translation = RandomTranslation(factor, factor, **warp)
        self.random_rotation = RandomRotation(factor, **warp)
        self.random_brightness = RandomBrightness(factor, **colour)
        self.random_color_degeneration = RandomColorDegeneration(factor, **colour)
        self.random_contrast = RandomContrast(factor, **colour)
        self.random_sharpness = RandomSharpness(factor, **colour)
        self.random_posterization = RandomPosterization(max(1, int(8 * factor[1])), **colour)
        self.solarization = Solarization(factor, factor, **colour)
        self.auto_contrast = AutoContrast(**colour)
        self.equalization = Equalization(**colour)

    def _draw(self, name: str, images: Tensor, seed: Any) -> Any:
        return getattr(self, name).get_random_transformation(images, seed=seed)

    def compute_output_spec(self, inputs: Any, **kwargs: Any) -> Any:
        """The symbolic output for symbolic inputs: of the inputs' shapes."""
        if not isinstance(inputs, dict):
            return super().compute_output_spec(inputs, **kwargs)
        outputs = tree.map_structure(lambda x: KerasTensor(x.shape, x.dtype), inputs)
        return {**outputs, "images": KerasTensor(inputs["images"].shape, self.compute_dtype)}


class RandAugment(_Policy):
    """In training apply `num_ops` operations, drawn for a batch.

    They are shear, translation, rotation, brightness, colour degeneration, contrast, sharpness, posterization,
    solarization, auto-contrast and equalization.

    Args:
        value_range: range of the values of pixels.
        num_ops: number of operations, one after another.
        factor: range of the operations' strength within [0, 1], or a number for (0, number).
        interpolation: `"bilinear"` or `"nearest"`.
        seed: integer for reproducible draws.
        data_format: `"channels_last"` or `"channels_first"`.

    The operations are chosen by Python from drawn numbers, so a training step with this layer is run eagerly.

    Source: Cubuk et al., 2019, *RandAugment: practical automated data augmentation with a reduced search space*.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_ops: int = 2,
        factor: Any = 0.5,
        interpolation: str = "bilinear",
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if isinstance(num_ops, bool) or not isinstance(num_ops, int) or num_ops < 1:
            raise ValueError(f"`num_ops` must be a positive integer. Received: num_ops={num_ops!r}")
        self.num_ops = num_ops
        self._set_seed(seed)
        self._make_operations(factor, value_range, interpolation)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        images = self._images_of(data)
        seed = self.generator if seed is None else seed
        source = self._source(seed, images)
        choice = torch.randint(0, len(OPERATIONS), (self.num_ops,), device=images.device, generator=source)
        return {
            "transforms": {name: self._draw(name, images, seed) for name in OPERATIONS},
            "layer_idxes": choice,
        }

    def _applied(self, hook: str, value: Any, transformation: Any, training: bool) -> Any:
        if transformation is None or not training:
            return value
        for index in convert_to_tensor(transformation["layer_idxes"]).unbind():
            name = OPERATIONS[index.item()]
            draw = transformation["transforms"][name]
            value = getattr(getattr(self, name), hook)(value, draw, training=True)
        return value

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Tensor:
        images = self._images_of(images)
        images = self._output(images, images.dtype)
        return self._applied("transform_images", images, transformation, training)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        return self._applied("transform_bounding_boxes", bounding_boxes, transformation, training)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        return self._applied("transform_segmentation_masks", segmentation_masks, transformation, training)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "value_range": self.value_range,
            "num_ops": self.num_ops,
            "factor": self.factor,
            "interpolation": self.interpolation,
            "seed": self.seed,
        }


class AugMix(_Policy):
    """In training mix images with a weighted sum of chains of drawn operations: w x + (1 − w) Σᵢ mᵢ chainᵢ(x).

    The draws hold for a batch. Each place of a chain has one of the operations of `RandAugment`, or none.

    Args:
        value_range: range of the values of pixels.
        num_chains: number of chains.
        chain_depth: number of operations in a chain.
        factor: range of the operations' strength within [0, 1], or a number for (0, number).
        alpha: parameter of the beta distribution of w and of the Dirichlet distribution of m.
        all_ops: False leaves out those on colours and sharpness, which are among the usual tests of robustness.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: integer for reproducible draws.
        data_format: `"channels_last"` or `"channels_first"`.

    Bounding boxes and masks stay as they are. The operations are chosen by Python from drawn numbers, so a training
    step with this layer is run eagerly.

    Source: Hendrycks et al., 2019, *AugMix: a simple data processing method to improve robustness and uncertainty*.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Any = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        for name, value in (("num_chains", num_chains), ("chain_depth", chain_depth)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
        if not alpha > 0:
            raise ValueError(f"`alpha` must be a positive number. Received: alpha={alpha!r}")
        self.num_chains = num_chains
        self.chain_depth = chain_depth
        self.alpha = alpha
        self.all_ops = all_ops
        self._set_seed(seed)
        self._make_operations(factor, value_range, interpolation)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        images = self._images_of(data)
        seed = self.generator if seed is None else seed
        source = self._source(seed, images)
        names = OPERATIONS if self.all_ops else WITHOUT_COLOURS
        alphas = torch.full((self.num_chains,), float(self.alpha), device=images.device)
        shares = torch._standard_gamma(alphas, generator=source)
        shape = (self.num_chains, self.chain_depth)
        choice = torch.randint(0, len(names) + 1, shape, device=images.device, generator=source)
        chains = [
            [
                {"layer_name": names[i], "transformation": self._draw(names[i], images, seed)}
                for i in (int(place.item()) for place in chain)
                if i < len(names)
            ]
            for chain in choice
        ]
        return {
            "chain_mixing_weights": shares / shares.sum(),
            "weight_sample": beta_draws((), self.alpha, images, source),
            "chain_transforms": chains,
        }

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Tensor:
        images = self._images_of(images)
        images = self._output(images, images.dtype)
        if transformation is None or not training:
            return images
        mixed: Any = 0
        for share, chain in zip(
            transformation["chain_mixing_weights"], transformation["chain_transforms"], strict=True
        ):
            augmented = images
            for step in chain:
                layer = getattr(self, step["layer_name"])
                augmented = layer.transform_images(augmented, step["transformation"], training=True)
            mixed = mixed + share * augmented
        weight = transformation["weight_sample"]
        result = weight * images + (1 - weight) * mixed
        return self._output(result, result.dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "value_range": self.value_range,
            "num_chains": self.num_chains,
            "chain_depth": self.chain_depth,
            "factor": self.factor,
            "alpha": self.alpha,
            "all_ops": self.all_ops,
            "interpolation": self.interpolation,
            "seed": self.seed,
        }
