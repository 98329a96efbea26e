"""Image layers against the real Keras 3: both get the same drawn transformation; draws are compared in moments."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import torch

from compat.parity.layer_cases.image import COMPARED_ELSEWHERE
from kerasish import layers

keras = pytest.importorskip("keras")
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword"),  # Keras's
    pytest.mark.filterwarnings("ignore:(.|\\n)*Tensor.T is deprecated"),
]

rng = np.random.default_rng(0)
IMAGES = torch.tensor((rng.random((3, 17, 20, 3)) * 255).astype("float32"))
SQUARE = IMAGES[:, :16, :16]
MASKS = torch.tensor(rng.integers(0, 4, (3, 17, 20, 1)).astype("float32"))
BOXES = torch.tensor([[2.0, 3, 9, 12], [5, 4, 15, 15], [1, 0, 7, 6]])
BOXES = {"boxes": torch.stack([BOXES, BOXES * 0.8, BOXES * 0.9]), "labels": torch.arange(9).reshape(3, 3)}

# class, arguments, the arguments' names that fix the transformation where it is drawn within a batch
COLOURS = [
    ("RandomBrightness", {"factor": 0.4}),
    ("RandomBrightness", {"factor": (0.1, 0.7), "value_range": (-1, 1)}),
    ("RandomContrast", {"factor": 0.6}),
    ("RandomContrast", {"factor": (0.6, 0.9)}),
    ("RandomColorDegeneration", {"factor": 0.6}),
    ("RandomColorDegeneration", {"factor": (0.1, 0.9)}),
    ("RandomHue", {"factor": 0.9}),
    ("RandomHue", {"factor": (0.2, 0.4), "value_range": (-1, 1)}),
    ("RandomSaturation", {"factor": (0.1, 0.5)}),
    ("RandomSaturation", {"factor": (0.5, 0.9), "value_range": (0, 1)}),
    ("RandomSharpness", {"factor": 1.0}),
    ("RandomSharpness", {"factor": (0.2, 0.9), "value_range": (-1, 1)}),
    ("RandomPosterization", {"factor": (1, 8)}),
    ("RandomPosterization", {"factor": 5, "value_range": (-1, 1)}),
    ("Solarization", {"addition_factor": 0.5, "threshold_factor": 0.9}),
    ("Solarization", {"threshold_factor": (0.3, 0.9), "value_range": (0, 1)}),
    ("RandomInvert", {"factor": 1.0}),
    ("RandomInvert", {"factor": (0.3, 0.6), "value_range": (0, 1)}),
    ("RandomGrayscale", {"factor": 0.5}),
    ("RandomGaussianBlur", {"factor": (0.5, 1.0), "kernel_size": 5, "sigma": 1.0}),
    ("RandomErasing", {}),
    ("RandomErasing", {"fill_value": 9.0, "scale": (0.3, 0.6)}),
    ("CutMix", {}),
    ("MixUp", {}),
    ("MixUp", {"alpha": 0.8}),
]
WARPS = [
    *[("RandomFlip", {"mode": mode}) for mode in ("horizontal", "vertical", "horizontal_and_vertical")],
    *[
        (name, {**settings, "interpolation": interpolation, "fill_mode": mode, "fill_value": 7.0})
        for name, settings in (
            ("RandomRotation", {"factor": 0.3}),
            ("RandomTranslation", {"height_factor": 0.3, "width_factor": (-0.4, 0.2)}),
            ("RandomZoom", {"height_factor": 0.3, "width_factor": (-0.4, 0.2)}),
            ("RandomShear", {"x_factor": 0.3, "y_factor": (0.1, 0.2)}),
        )
        for interpolation in ("nearest", "bilinear")
        for mode in ("constant", "nearest", "wrap", "reflect")
    ],
    ("RandomZoom", {"height_factor": (-0.3, 0.5)}),
    ("RandomPerspective", {"scale": 0.6}),
    ("RandomPerspective", {"scale": 0.6, "interpolation": "nearest", "fill_value": 3.0}),
]


OTHERS = [
    (
        "AugMix",
        {"num_chains": 2, "chain_depth": 4, "factor": (0.1, 0.4), "alpha": 0.5, "all_ops": False, "seed": 2},
    ),
    ("AutoContrast", {"value_range": (0, 1)}),
    ("CenterCrop", {"height": 5, "width": 6}),
    ("ContrastLimitedAdaptiveHistogramEqualization", {"clip_limit": 2.0, "tile_grid_size": (3, 2)}),
    ("Equalization", {"bins": 64, "value_range": (0, 1)}),
    ("MaxNumBoundingBoxes", {"max_number": 4}),
    ("RandAugment", {"num_ops": 3, "factor": 0.2, "interpolation": "nearest", "seed": 3}),
    (
        "RandomColorJitter",
        {"brightness_factor": 0.2, "contrast_factor": (0.1, 0.2), "hue_factor": 0.3, "seed": 4},
    ),
    ("RandomCrop", {"height": 5, "width": 6, "seed": 3}),
    ("RandomElasticTransform", {"factor": 0.4, "scale": (0.1, 0.3), "fill_mode": "nearest", "seed": 1}),
    (
        "Resizing",
        {"height": 7, "width": 30, "interpolation": "bicubic", "antialias": True, "fill_value": 2.0},
    ),
]


def pair(name, settings):
    return getattr(layers, name)(**settings), getattr(keras.layers, name)(**settings)


def in_range(images, layer):
    low, high = getattr(layer, "value_range", (0, 255))
    return images / 255 * (high - low) + low


def arranged(x, data_format):
    return x.movedim(-1, 1).contiguous() if data_format == "channels_first" else x


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("name", "settings"), COLOURS + WARPS)
def test_same_transformation(name, settings, seed, data_format):
    ours, theirs = pair(name, {**settings, "seed": seed, "data_format": data_format})
    x = arranged(in_range(IMAGES, theirs), data_format)
    drawn = theirs.get_random_transformation(x, training=True)
    found = []
    for layer in (ours, theirs):
        given = x.clone().requires_grad_(name != "RandomBrightness")  # Keras's brightness changes its input
        output = layer.transform_images(given, copy.deepcopy(drawn), training=True)
        gradient = None
        if output.requires_grad:
            gradient = torch.autograd.grad(
                (output * torch.linspace(-1, 1, output.numel()).reshape(output.shape)).sum(), given
            )[0]
        found.append((output.detach(), gradient))
    if (
        settings.get("interpolation") == "nearest"
    ):  # a place half-way between two pixels may be rounded to either
        assert ((found[0][0] - found[1][0]).abs() > 2e-4).float().mean() < 0.01
        return
    tolerance = {"RandomPerspective": 2e-3, "RandomRotation": 5e-4}.get(name, 2e-4)
    torch.testing.assert_close(found[0][0], found[1][0], rtol=1e-5, atol=tolerance)
    if found[0][1] is not None and found[1][1] is not None and name not in ("RandomHue", "RandomSaturation"):
        torch.testing.assert_close(found[0][1], found[1][1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("name", "settings"), [row for row in WARPS if "nearest" not in row[1].values()])
def test_same_masks(name, settings):
    ours, theirs = pair(name, settings)
    drawn = theirs.get_random_transformation(IMAGES, training=True)
    a, b = (
        layer.transform_segmentation_masks(MASKS.clone(), copy.deepcopy(drawn), training=True)
        for layer in (ours, theirs)
    )
    torch.testing.assert_close(a, b.to(a.dtype))


@pytest.mark.parametrize("kind", ["xyxy"])
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        *WARPS[:3],
        ("RandomRotation", {"factor": 0.3}),
        ("RandomTranslation", {"height_factor": 0.3, "width_factor": (-0.4, 0.2)}),
        ("RandomZoom", {"height_factor": 0.3, "width_factor": (-0.4, 0.2)}),
        ("RandomShear", {"x_factor": (0.1, 0.1)}),
        ("RandomShear", {"y_factor": 0.2}),
        ("RandomPerspective", {"scale": 0.3}),
        ("RandomErasing", {}),
        ("RandomBrightness", {"factor": 0.3}),
    ],
)
def test_same_boxes(name, settings, kind):
    ours, theirs = pair(name, {**settings, "bounding_box_format": kind})
    boxes = keras.utils.bounding_boxes.convert_format(copy.deepcopy(BOXES), "xyxy", kind, 16, 16)
    for _ in range(3):
        drawn = theirs.get_random_transformation(SQUARE, training=True)
        a, b = (
            layer.transform_bounding_boxes(copy.deepcopy(boxes), copy.deepcopy(drawn), training=True)
            for layer in (ours, theirs)
        )
        has_area = b["labels"] >= 0
        torch.testing.assert_close(a["boxes"][has_area], b["boxes"][has_area], rtol=1e-4, atol=1e-3)
        torch.testing.assert_close(a["labels"], b["labels"])
        assert a["boxes"].dtype == b["boxes"].dtype


def test_mixed_labels_and_masks():
    one_hot = torch.eye(4)[torch.tensor([1, 3, 0])]
    for name in ("MixUp", "CutMix"):
        ours, theirs = pair(name, {})
        drawn = theirs.get_random_transformation(IMAGES, training=True)
        a, b = (layer.transform_labels(one_hot, drawn, training=True) for layer in (ours, theirs))
        torch.testing.assert_close(a, b)
    a, b = (layer.transform_segmentation_masks(MASKS, drawn, training=True) for layer in (ours, theirs))
    torch.testing.assert_close(a, b[..., :1])
    ours, theirs = pair("MixUp", {"bounding_box_format": "xyxy"})
    drawn = theirs.get_random_transformation(IMAGES, training=True)
    a, b = (layer.transform_bounding_boxes(BOXES, drawn, training=True)["boxes"] for layer in (ours, theirs))
    torch.testing.assert_close(a, b)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("Resizing", {"height": 9, "width": 25}),
        ("Resizing", {"height": 9, "width": 25, "interpolation": "bicubic", "antialias": True}),
        ("Resizing", {"height": 9, "width": 25, "interpolation": "nearest", "crop_to_aspect_ratio": True}),
        ("Resizing", {"height": 30, "width": 25, "pad_to_aspect_ratio": True, "fill_value": 3.0}),
        ("CenterCrop", {"height": 9, "width": 11}),
        ("CenterCrop", {"height": 17, "width": 20}),
        ("CenterCrop", {"height": 30, "width": 11}),
        ("CenterCrop", {"height": 30, "width": 31}),
        ("ContrastLimitedAdaptiveHistogramEqualization", {}),
        ("ContrastLimitedAdaptiveHistogramEqualization", {"clip_limit": 20.0, "tile_grid_size": (4, 5)}),
        ("ContrastLimitedAdaptiveHistogramEqualization", {"clip_limit": 0.0, "tile_grid_size": (3, 4)}),
        ("ContrastLimitedAdaptiveHistogramEqualization", {"value_range": (0, 1), "tile_grid_size": (1, 2)}),
        ("Equalization", {}),
        ("Equalization", {"bins": 16}),
        ("Equalization", {"bins": 300, "value_range": (0, 1)}),
        ("RandomColorJitter", {"brightness_factor": (0.2, 0.2), "value_range": (0, 1)}),
        ("RandomColorJitter", {}),
        ("MaxNumBoundingBoxes", {"max_number": 2}),
    ],
)  # fmt: skip
def test_without_draws(name, settings, data_format, training):
    ours, theirs = pair(name, {**settings, "data_format": data_format})
    x = arranged(in_range(IMAGES, theirs), data_format)
    for given in (x, x[0]):
        a, b = ours(given.clone(), training=training), theirs(given.clone(), training=training)
        assert a.dtype == b.dtype
        torch.testing.assert_close(a, b, rtol=1e-5, atol=2e-4)


@pytest.mark.parametrize("value_range", [(0, 255), (0, 1), (-1, 1)])
@pytest.mark.parametrize("training", [False, True])
def test_auto_contrast(value_range, training):
    """Keras takes `channels_first` images for `channels_last` ones here."""
    ours, theirs = pair("AutoContrast", {"value_range": value_range})
    x = in_range(IMAGES / 2 + 20, theirs)
    x[1, ..., 2] = x[1, 0, 0, 2]
    torch.testing.assert_close(ours(x, training=training), theirs(x, training=training), rtol=1e-4, atol=1e-4)
    first = layers.AutoContrast(value_range=value_range, data_format="channels_first")
    torch.testing.assert_close(first(x.movedim(-1, 1)).movedim(1, -1), ours(x))


@pytest.mark.parametrize(
    ("name", "settings", "dtype"),
    [
        ("RandomBrightness", {"factor": (0.19, 0.19)}, "int32"),
        ("RandomBrightness", {"factor": (-0.23, -0.23)}, "int32"),
        ("RandomGrayscale", {"factor": 1.0}, "uint8"),
        ("Resizing", {"height": 9, "width": 25}, "uint8"),
        ("Resizing", {"height": 9, "width": 25, "interpolation": "nearest"}, "int32"),
        ("Resizing", {"height": 30, "width": 25, "interpolation": "bicubic"}, "uint8"),
        ("MaxNumBoundingBoxes", {"max_number": 2}, "uint8"),
        ("ContrastLimitedAdaptiveHistogramEqualization", {}, "uint8"),
        ("CenterCrop", {"height": 9, "width": 11}, "uint8"),
        ("AutoContrast", {}, "uint8"),
        ("Equalization", {}, "uint8"),
        ("RandomInvert", {"factor": (1.0, 1.0)}, "uint8"),
        ("RandomRotation", {"factor": (0.1, 0.1)}, "uint8"),
        ("RandomColorDegeneration", {"factor": (0.3, 0.3)}, "int32"),
        ("RandomSharpness", {"factor": (0.3, 0.3)}, "uint8"),
        ("RandomPosterization", {"factor": (3, 3)}, "uint8"),
        ("RandomTranslation", {"height_factor": (0.2, 0.2), "width_factor": (0.1, 0.1)}, "uint8"),
        ("RandomZoom", {"height_factor": (0.2, 0.2)}, "uint8"),
    ],
)
def test_integer_images_in_training(name, settings, dtype):
    ours, theirs = pair(name, settings)
    x = IMAGES.to(getattr(torch, dtype))
    a, b = ours(x.clone(), training=True), theirs(x.clone(), training=True)
    assert a.dtype == b.dtype
    torch.testing.assert_close(a, b, rtol=1e-5, atol=2e-4)
    a, b = ours(x.numpy(), training=False), theirs(x.numpy(), training=False)
    torch.testing.assert_close(a, b.to(a.dtype), rtol=1e-5, atol=2e-4)


def figures(value):
    """Moments of what a transformation draws: by name, over all numbers."""
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    else:
        items = [("", value)]
    found = {}
    for key, x in items:
        if isinstance(x, torch.Tensor):
            x = x.double()
            ends = [x.mean(), x.mean()]
            if x.unique().numel() > 10:
                ends = torch.quantile(x.flatten()[:20000], torch.tensor([0.05, 0.95], dtype=torch.float64))
            found[key] = [x.mean().item(), x.std().item(), *(end.item() for end in ends)]
    return found


@pytest.mark.parametrize(
    ("name", "settings"),
    [row for row in COLOURS if row[0] not in ("CutMix", "RandomGaussianBlur")]
    + [
        ("RandomFlip", {}),
        ("RandomRotation", {"factor": 0.3}),
        ("RandomTranslation", {"height_factor": 0.3, "width_factor": (-0.4, 0.2)}),
        ("RandomZoom", {"height_factor": 0.3, "width_factor": (-0.4, 0.2)}),
        ("RandomShear", {"x_factor": 0.3, "y_factor": (0.1, 0.2)}),
        ("RandomPerspective", {"scale": 0.6}),
        ("CutMix", {"factor": (0.6, 0.6)}),
    ],
)
def test_same_distribution(name, settings):
    ours, theirs = pair(name, {**settings, "seed": 5})
    batch = torch.zeros(4000, 12, 15, 1)
    a, b = (figures(layer.get_random_transformation(batch, training=True)) for layer in (ours, theirs))
    assert set(a) == set(b)
    for key in a:
        scale = max(b[key][1], 1e-3)
        np.testing.assert_allclose(
            np.array(a[key]) / scale, np.array(b[key]) / scale, atol=0.15, err_msg=str(key)
        )


def test_random_crop():
    ours, theirs = pair("RandomCrop", {"height": 9, "width": 11, "seed": 1})
    for place in ((0, 0), (3, 5), (8, 9)):
        a = ours.transform_images(IMAGES, (*place, 17, 20), training=True)
        torch.testing.assert_close(a, theirs.transform_images(IMAGES, place, training=True))
    draws = np.array([[int(n) for n in ours.get_random_transformation(IMAGES)[:2]] for _ in range(500)])
    assert draws.min(0).tolist() == [0, 0] and draws.max(0).tolist() == [8, 9]


def test_blur_sigmas():
    ours, theirs = pair("RandomGaussianBlur", {"factor": (0.3, 0.3), "sigma": (0.4, 0.9), "seed": 1})
    for layer in (ours, theirs):
        draws = [layer.get_random_transformation(torch.zeros(500, 4, 4, 1)) for _ in range(200)]
        sigmas = torch.stack([draw["blur_factor"] for draw in draws])
        assert sigmas.shape == (200, 2)
        assert sigmas.min() >= 0.4 and sigmas.max() <= 0.9001 and abs(sigmas.mean() - 0.65) < 0.03
        assert abs(torch.stack([draw["should_apply_blur"] for draw in draws]).float().mean() - 0.3) < 0.01


def test_elastic_displacements_have_the_same_moments():
    y, x = np.meshgrid(np.arange(80), np.arange(80), indexing="ij")
    ramp = torch.tensor(np.stack([np.stack([x, y], -1)] * 60).astype("float32"))
    settings = {"factor": (1.0, 1.0), "scale": (0.5, 0.5), "fill_mode": "nearest", "value_range": (-999, 999)}
    found = []
    for layer in pair("RandomElasticTransform", settings):
        moved = (layer(ramp, training=True) - ramp)[:, 20:-20, 20:-20].numpy()
        found.append([moved.std(), (moved[:, :, :-2] * moved[:, :, 2:]).mean() / moved.var(), moved.mean()])
        assert layer.get_elastic_transform_params(64, 32, 0.7) == pytest.approx((4.48, 1.12))
    np.testing.assert_allclose(found[0], found[1], atol=0.12)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"factor": (0.2, 0.7), "value_range": (0, 1), "interpolation": "nearest"},
        {"factor": 0.1},
        {"factor": 1.0},
    ],
)
@pytest.mark.parametrize("name", ["RandAugment", "AugMix"])
def test_policies(name, settings):
    if settings.get("factor") == 0.1:
        ours, theirs = layers.RandAugment(**settings), None
        assert ours.random_posterization.factor == (1, 1)
        return
    ours, theirs = pair(name, settings)
    x = in_range(IMAGES, theirs)
    for _ in range(6):
        drawn = theirs.get_random_transformation(x, training=True)
        without_changes_in_place(drawn)
        a, b = (
            layer.transform_images(x.clone(), copy.deepcopy(drawn), training=True) for layer in (ours, theirs)
        )
        is_other = (
            a - b
        ).abs() > 1e-3  # where a value lies at the edge of a level of posterization or equalization
        assert is_other.float().mean() < 0.003
    names = list(vars(ours)["_modules"])
    for key in names:
        a, b = (getattr(layer, key).get_config() for layer in (ours, theirs))
        ignored = ("name", "seed", "dtype")
        assert json.dumps([v for k, v in a.items() if k not in ignored]) == json.dumps(
            [v for k, v in b.items() if k not in ignored]
        )


def without_changes_in_place(drawn):
    """Keras's brightness changes its input and its rotation the matrix, also where RandAugment has not chosen them."""
    if isinstance(drawn, dict):
        for key, value in drawn.items():
            if key == "rgb_delta":
                value.zero_()
            elif key == "rotation_matrix":
                value.copy_(torch.tensor([1.0, 0, 0, 0, 1, 0, 0, 0]))
            without_changes_in_place(value)
    elif isinstance(drawn, list):
        for value in drawn:
            without_changes_in_place(value)


def test_depth_of_chains():
    for all_ops, operations in ((True, 11), (False, 7)):
        lengths, chosen = [], set()
        for layer in pair("AugMix", {"all_ops": all_ops, "num_chains": 4, "seed": 3}):
            chains = [
                c for _ in range(60) for c in layer.get_random_transformation(IMAGES)["chain_transforms"]
            ]
            lengths.append(np.mean([len(chain) for chain in chains]))
            chosen |= {step["layer_name"] for chain in chains for step in chain}
        assert abs(lengths[0] - lengths[1]) < 0.35
        assert len(chosen) == operations


def test_dict_inputs():
    data = {
        "images": SQUARE.numpy(),
        "labels": np.eye(3, dtype="float32"),
        "segmentation_masks": MASKS[:, :16, :16].numpy(),
        "bounding_boxes": {key: value.numpy() for key, value in BOXES.items()},
    }
    for name, settings in (
        ("RandomTranslation", {"height_factor": (0.25, 0.25), "width_factor": (-0.125, -0.125)}),
        ("RandomZoom", {"height_factor": (0.25, 0.25)}),
        ("Resizing", {"height": 8, "width": 24}),
        ("CenterCrop", {"height": 8, "width": 10}),
        ("MaxNumBoundingBoxes", {"max_number": 5}),
        ("MaxNumBoundingBoxes", {"max_number": 2}),
        ("RandomRotation", {"factor": (0.25, 0.25)}),
    ):
        ours, theirs = pair(name, {**settings, "bounding_box_format": "xyxy"})
        for training in (True, False):
            for single in (False, True):
                if (
                    name == "RandomRotation"
                ):  # Keras spoils the matrix when it turns the images, then turns the masks by it
                    data.pop("segmentation_masks", None)
                given = keras.tree.map_structure(lambda x: x[0], data) if single else data
                results = [layer(copy.deepcopy(given), training=training) for layer in (ours, theirs)]
                flat = [keras.tree.flatten(result) for result in results]
                assert list(results[0]) == list(results[1])
                for a, b in zip(*flat, strict=True):
                    assert a.shape == b.shape
                    torch.testing.assert_close(a, torch.as_tensor(b).to(a.dtype), rtol=1e-4, atol=1e-2)


def test_every_image_layer_is_compared():
    assert {row[0] for row in COLOURS + WARPS + OTHERS} == COMPARED_ELSEWHERE


@pytest.mark.parametrize("more", [{}, {"data_format": "channels_first"}, {"bounding_box_format": "rel_xyxy"}])
@pytest.mark.parametrize(("name", "settings"), COLOURS + WARPS + OTHERS)
def test_config(name, settings, more):
    ours, theirs = pair(name, {"name": "layer", **settings, **more})
    assert json.dumps(layers.serialize(ours)) == json.dumps(keras.layers.serialize(theirs))
    back = layers.deserialize(keras.layers.serialize(theirs))
    assert json.dumps(layers.serialize(back)) == json.dumps(layers.serialize(ours))
    if name != "RandomShear":  # Keras refuses the range that it has written
        there = keras.layers.deserialize(layers.serialize(ours))
        copied = keras.layers.deserialize(keras.layers.serialize(theirs))
        assert json.dumps(keras.layers.serialize(there)) == json.dumps(keras.layers.serialize(copied))
    assert ours.weights == theirs.weights == [] and ours.supports_masking == theirs.supports_masking


@pytest.mark.parametrize(("name", "settings"), COLOURS + WARPS + OTHERS)
def test_symbolic_shapes(name, settings):
    for shape in ((None, 17, 20, 3), (4, 17, 20, 3)):
        found = []
        for layer, namespace in zip(pair(name, settings), (layers, keras.layers), strict=True):
            output = layer(namespace.Input(batch_shape=shape))
            found.append((tuple(output.shape), output.dtype, tuple(layer.compute_output_shape(shape))))
        assert found[0] == found[1]


def test_both_augment_in_a_bare_call():
    for namespace in (layers, keras.layers):
        layer = namespace.RandomInvert(factor=(1.0, 1.0))
        torch.testing.assert_close(layer(IMAGES), 255 - IMAGES)
        torch.testing.assert_close(layer(IMAGES, training=False), IMAGES)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("RandomBrightness", {"factor": 1.5}),
        ("RandomContrast", {"factor": -0.1}),
        ("RandomHue", {"factor": 1.5}),
        ("RandomSaturation", {"factor": "a"}),
        ("RandomPosterization", {"factor": 9}),
        ("RandomPosterization", {"factor": 0}),
        ("RandomRotation", {"factor": 0.2, "fill_mode": "wrong"}),
        ("RandomRotation", {"factor": 0.2, "interpolation": "wrong"}),
        ("RandomZoom", {"height_factor": 0.2, "fill_mode": "wrong"}),
        ("RandomTranslation", {"height_factor": 2.0, "width_factor": 0.1}),
        ("RandomShear", {"x_factor": 1.5}),
        ("CutMix", {"factor": 2.0}),
    ],
)
def test_both_refuse(name, settings):
    for namespace in (keras.layers, layers):
        with pytest.raises((ValueError, NotImplementedError)):
            getattr(namespace, name)(**settings)
