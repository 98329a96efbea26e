"""What all image layers share: modes, dictionaries, draws and refusals."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers
from tests.contracts.layer_samples.image import SAMPLES

X = torch.rand(4, 8, 10, 3)


def test_a_bare_call_augments_until_told_otherwise():
    layer = layers.RandomInvert(factor=(1.0, 1.0), value_range=(0, 1))
    torch.testing.assert_close(layer(X), 1 - X)
    torch.testing.assert_close(layer(X.numpy()), 1 - X)
    torch.testing.assert_close(layer(X, training=False), X)
    torch.testing.assert_close(layer.eval()(X), X)
    torch.testing.assert_close(layer(X, training=True), 1 - X)
    torch.testing.assert_close(layer.train()(X), 1 - X)


def test_a_model_augments_like_the_layer():
    layer = layers.RandomInvert(factor=(1.0, 1.0), value_range=(0, 1))
    for model in (keras.Sequential([layer]), keras.Sequential([keras.Input((8, 10, 3)), layer])):
        torch.testing.assert_close(model(X), 1 - X)
        torch.testing.assert_close(model(X, training=False), X)
        torch.testing.assert_close(model(X, training=True), 1 - X)
        np.testing.assert_allclose(model.predict(X, verbose=0), X.numpy())
        torch.testing.assert_close(layer(X), 1 - X)


def test_every_image_has_its_own_draw_and_a_seed_repeats_them():
    a, b = (layers.RandomBrightness(0.5, value_range=(0, 1), seed=seed) for seed in (3, 3))
    constant = torch.full((6, 4, 4, 3), 0.5)
    first, second = a(constant), a(constant)
    assert first.amax((1, 2, 3)).unique().numel() == 6
    assert not torch.equal(first, second)
    assert torch.equal(b(constant), first) and torch.equal(b(constant), second)
    keras.utils.set_random_seed(1)
    free = layers.RandomBrightness(0.5, value_range=(0, 1))
    values = free(constant)
    keras.utils.set_random_seed(1)
    assert torch.equal(free(constant), values)


@pytest.mark.parametrize("name", SAMPLES)
def test_one_image_is_a_batch_of_one(name):
    sample = SAMPLES[name][0]
    layer = getattr(layers, name)(**sample.arguments)
    draw = layer.get_random_transformation(X[:1] * 4, training=True)
    single, batch = (layer.transform_images(x * 4, draw, training=True) for x in (X[0], X[:1]))
    torch.testing.assert_close(single, batch[0])
    torch.testing.assert_close(layer.transform_single_image(X[0] * 4, draw), single)
    keras.utils.set_random_seed(2)
    assert getattr(layers, name)(**sample.arguments)(X[0]).shape == single.shape


@pytest.mark.parametrize("name", [n for n in SAMPLES if n not in ("RandomElasticTransform", "CutMix")])
def test_dictionaries(name):
    sample = SAMPLES[name][0]
    layer = getattr(layers, name)(**{**sample.arguments, "bounding_box_format": "xywh"})
    data = {
        "images": X.numpy(),
        "labels": np.eye(4, dtype="float32"),
        "segmentation_masks": np.ones((4, 8, 10), "uint8"),
        "bounding_boxes": {"boxes": np.ones((4, 2, 4), "float32"), "labels": np.ones((4, 2), "int64")},
        "file": "a.png",
    }
    for training in (True, False):
        result = layer(data, training=training)
        assert list(result) == list(data) and result["file"] == "a.png"
        assert result["segmentation_masks"].shape == result["images"].shape[:3]
        assert result["bounding_boxes"]["boxes"].shape[::2] == (4, 4)
        assert result["labels"].shape == (4, 4)
        single = {
            key: value[0] for key, value in data.items() if key in ("images", "labels", "segmentation_masks")
        }
        assert layer(single, training=training)["images"].shape == result["images"].shape[1:]


def test_symbolic_dictionaries():
    inputs = {"images": keras.Input((8, 10, 3)), "labels": keras.Input((4,))}
    for layer in (layers.CutMix(), layers.Resizing(4, 5), layers.RandAugment(), layers.RandomRotation(0.1)):
        outputs = layer(inputs)
        size = (4, 5) if isinstance(layer, layers.Resizing) else (8, 10)
        assert outputs["images"].shape == (None, *size, 3) and outputs["labels"].shape == (None, 4)
    model = keras.Model(inputs, layers.MixUp()(inputs))
    found = model({"images": X, "labels": torch.eye(4)}, training=True)
    torch.testing.assert_close(found["labels"].sum(1), torch.ones(4))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_recorded_step_draws_anew(name):
    """Each step's loss is another, where the layer draws at all, also when the step is replayed."""
    sample = SAMPLES[name][0]
    inputs = keras.Input((8, 10, 3))
    x = getattr(layers, name)(**sample.arguments)(inputs)
    model = keras.Model(inputs, layers.Dense(1)(layers.Flatten()(x)))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    fixed = {"AutoContrast", "CenterCrop", "ContrastLimitedAdaptiveHistogramEqualization", "Equalization"}
    fixed |= {"MaxNumBoundingBoxes", "Resizing"}
    keras.utils.set_random_seed(1)
    losses = model.fit(X[:, :, :] * 4, torch.zeros(4), epochs=12, batch_size=4, verbose=0, shuffle=False)
    assert (len({round(loss, 5) for loss in losses.history["loss"][3:]}) > 1) == (name not in fixed)


@pytest.mark.parametrize("name", ["RandomRotation", "CutMix"])
def test_one_graph_holds_the_layer(name):
    sample = SAMPLES[name][0]
    layer = getattr(layers, name)(**{k: v for k, v in sample.arguments.items() if k != "seed"})
    torch._dynamo.reset()
    compiled = torch.compile(lambda x: layer(x, training=True), fullgraph=True, backend="eager")
    torch.manual_seed(1)
    expected = layer(X * 4, training=True)
    torch.manual_seed(1)
    torch.testing.assert_close(compiled(X * 4), expected)


@pytest.mark.parametrize(
    ("make", "data", "error", "message"),
    [
        (
            layers.RandomFlip,
            torch.zeros(4, 5),
            ValueError,
            r"takes one image \(rank 3\) or a batch of images \(rank 4\)",
        ),
        (layers.RandomFlip, {"labels": torch.zeros(4)}, KeyError, r"needs the key 'images'.*\['labels'\]"),
        (
            layers.RandomFlip,
            {"images": X, "bounding_boxes": {"boxes": 1}},
            ValueError,
            r"does not know their format",
        ),
        (
            lambda: layers.RandomFlip(bounding_box_format="xyxy"),
            {"images": X, "bounding_boxes": torch.zeros(4, 1, 4)},
            ValueError,
            r"must be a dict of 'boxes' and 'labels'",
        ),
    ],
)
def test_wrong_inputs(make, data, error, message):
    with pytest.raises(error, match=message):
        make()(data)


def test_wrong_symbolic_inputs():
    with pytest.raises(ValueError, match=r"takes one image \(rank 3\) or a batch"):
        layers.RandomFlip()(keras.Input((5,)))


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("RandomFlip", {"mode": "horizontl"}, r"`mode` of layer .* Did you mean 'horizontal'\?"),
        ("RandomFlip", {"bounding_box_format": "xyxx"}, r"`bounding_box_format` must be one of .*Did you mean"),
        ("RandomFlip", {"data_format": "wrong"}, r"`data_format` must be"),
        ("RandomRotation", {"factor": 2}, r"`factor` must be a number or a range of two numbers within \[-1, 1\]"),
        ("RandomRotation", {"factor": 0.1, "fill_mode": "reflct"}, r"`fill_mode` of layer .* Did you mean 'reflect'\?"),
        ("RandomZoom", {"height_factor": 0.1, "interpolation": "bicubic"}, r"`interpolation` of layer"),
        ("RandomTranslation", {"height_factor": (1, 2, 3), "width_factor": 0}, r"`height_factor` must be"),
        ("RandomPerspective", {"scale": 2.0}, r"`scale` must be a number between 0 and 1"),
        ("RandomBrightness", {"factor": None}, r"`factor` must be a number or a range"),
        ("RandomContrast", {"factor": 2}, r"`factor` must be a number or two numbers within \[0, 1\]"),
        ("RandomHue", {"factor": 0.1, "value_range": (1, 0)}, r"`value_range` must be two rising numbers"),
        ("RandomPosterization", {"factor": 2.5}, r"must be of integers from 1 to 8"),
        ("RandomGaussianBlur", {"kernel_size": 4}, r"`kernel_size` must be an odd integer or two"),
        ("RandomGrayscale", {"factor": 2}, r"`factor` must be a probability"),
        ("Equalization", {"bins": 1}, r"`bins` must be an integer of at least 2"),
        ("ContrastLimitedAdaptiveHistogramEqualization", {"clip_limit": -1}, r"`clip_limit` must not be negative"),
        ("ContrastLimitedAdaptiveHistogramEqualization", {"tile_grid_size": 8}, r"`tile_grid_size` must be two"),
        ("MixUp", {"alpha": 0}, r"`alpha` must be a positive number"),
        ("MaxNumBoundingBoxes", {"max_number": 0}, r"`max_number` must be a positive integer"),
        ("RandAugment", {"num_ops": 0}, r"`num_ops` must be a positive integer"),
        ("AugMix", {"chain_depth": 0}, r"`chain_depth` must be a positive integer"),
        ("AugMix", {"alpha": 0}, r"`alpha` must be a positive number"),
        ("CenterCrop", {"height": 0, "width": 3}, r"`height` of layer .* must be a positive integer"),
        ("Resizing", {"height": 3, "width": 3, "interpolation": "biliner"}, r"Did you mean 'bilinear'\?"),
        ("RandomCrop", {"height": 3, "width": 2.5}, r"`width` of layer .* must be a positive integer"),
    ],
)  # fmt: skip
def test_wrong_arguments(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(layers, name)(**arguments)
