"""What single image layers do to images, boxes, masks and labels that are known."""

from __future__ import annotations

import pytest
import torch

from kerasish import layers
from kerasish.utils import bounding_boxes

HEIGHT, WIDTH = 24, 32
BOX = (8, 5, 20, 13)  # left, top, right, bottom

GEOMETRIC = [
    ("RandomFlip", {"mode": "horizontal"}),
    ("RandomFlip", {}),
    ("RandomRotation", {"factor": (0.06, 0.06)}),
    ("RandomTranslation", {"height_factor": (0.2, 0.2), "width_factor": (-0.1, -0.1)}),
    ("RandomZoom", {"height_factor": (0.3, 0.3), "width_factor": (-0.2, -0.2)}),
    ("RandomShear", {"x_factor": (0.2, 0.2)}),
    ("RandomShear", {"x_factor": (0.1, 0.1), "y_factor": (0.2, 0.2)}),
    ("RandomPerspective", {"factor": (1.0, 1.0), "scale": 0.3}),
    ("RandomCrop", {"height": 20, "width": 25}),
    ("RandomCrop", {"height": 30, "width": 25}),
    ("CenterCrop", {"height": 20, "width": 25}),
    ("CenterCrop", {"height": 48, "width": 30}),
    ("Resizing", {"height": 40, "width": 20}),
    ("Resizing", {"height": 40, "width": 20, "pad_to_aspect_ratio": True}),
    ("Resizing", {"height": 20, "width": 21, "crop_to_aspect_ratio": True}),
]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("kind", ["xyxy", "rel_center_xywh"])
@pytest.mark.parametrize(("name", "settings"), GEOMETRIC)
def test_boxes_and_masks_follow_the_image(name, settings, kind, data_format, training):
    """The image is a box, the mask the same box: afterwards the boxes still hold it, within a pixel."""
    fill = (
        {"fill_mode": "constant"}
        if name in ("RandomRotation", "RandomTranslation", "RandomZoom", "RandomShear")
        else {}
    )
    layer = (
        getattr(layers, name)(**settings, **fill, bounding_box_format=kind, data_format=data_format, seed=1)
        if (name not in ("CenterCrop", "Resizing"))
        else getattr(layers, name)(**settings, bounding_box_format=kind, data_format=data_format)
    )
    images = torch.zeros(3, HEIGHT, WIDTH, 1)
    images[:, BOX[1] : BOX[3], BOX[0] : BOX[2]] = 1.0
    images = images if data_format == "channels_last" else images.movedim(-1, 1)
    boxes = {"boxes": torch.tensor([BOX] * 3, dtype=torch.float32).unsqueeze(1), "labels": torch.ones(3, 1)}
    boxes = bounding_boxes.convert_format(boxes, "xyxy", kind, HEIGHT, WIDTH)
    data = {"images": images, "segmentation_masks": images.to(torch.uint8), "bounding_boxes": boxes}
    result = layer(data, training=training)
    assert result["segmentation_masks"].dtype is torch.uint8
    masks = (
        result["segmentation_masks"].movedim(1, -1)
        if data_format == "channels_first"
        else result["segmentation_masks"]
    )
    _, height, width, _ = masks.shape
    found = bounding_boxes.convert_format(result["bounding_boxes"], kind, "xyxy", height, width)["boxes"]
    picture = result["images"].movedim(1, -1) if data_format == "channels_first" else result["images"]
    assert ((picture > 0.5) != masks.bool()).float().mean() < 0.03
    for mask, box in zip(masks[..., 0], found[:, 0].tolist(), strict=True):
        rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
        actual = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert max(abs(float(a) - b) for a, b in zip(actual, box, strict=True)) <= 1.6


def test_boxes_that_leave_the_image_lose_their_label():
    layer = layers.RandomTranslation((0.5, 0.5), (0.0, 0.0), bounding_box_format="xyxy")
    boxes = {"boxes": torch.tensor([[[1.0, 2, 5, 6], [1, 6, 5, 10]]]), "labels": torch.tensor([[3, 4]])}
    result = layer({"images": torch.zeros(1, 10, 10, 1), "bounding_boxes": boxes})["bounding_boxes"]
    assert result["boxes"].tolist() == [[[1, 7, 5, 10], [1, 10, 5, 10]]]
    assert result["labels"].tolist() == [[3, -1]]


def test_layers_that_cannot_move_boxes_say_so():
    data = {
        "images": torch.rand(2, 8, 8, 3),
        "bounding_boxes": {"boxes": torch.ones(2, 1, 4), "labels": torch.ones(2, 1)},
    }
    for layer, message in (
        (layers.RandomElasticTransform(bounding_box_format="xyxy"), r"cannot move bounding boxes"),
        (layers.CutMix(bounding_box_format="xyxy"), r"cannot mix bounding boxes.* MixUp can"),
    ):
        with pytest.raises(NotImplementedError, match=message):
            layer(data)
        assert torch.equal(layer(data, training=False)["images"], data["images"])


def test_number_of_boxes():
    boxes = {"boxes": torch.ones(2, 3, 4), "labels": torch.ones(2, 3)}
    for number, fill in ((2, -1), (5, -7)):
        layer = layers.MaxNumBoundingBoxes(number, fill, bounding_box_format="xyxy")
        found = layer({"images": torch.zeros(2, 4, 4, 3), "bounding_boxes": boxes})["bounding_boxes"]
        assert found["boxes"].shape == (2, number, 4) and found["labels"].shape == (2, number)
        assert (found["labels"][:, 3:] == fill).all()
        assert type(layer).from_config(layer.get_config()).fill_value == fill


@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
def test_mixed_labels_weigh_what_is_seen(name):
    layer = getattr(layers, name)(seed=3)
    values = torch.arange(8.0)
    images = values.reshape(8, 1, 1, 1).expand(8, 60, 60, 3)
    labels = torch.eye(8)
    result = layer({"images": images, "labels": labels, "segmentation_masks": images[..., :1]})
    torch.testing.assert_close(result["labels"].sum(1), torch.ones(8))
    seen = result["images"].mean((1, 2, 3))
    torch.testing.assert_close(result["labels"] @ values, seen, atol=0.25, rtol=0)
    torch.testing.assert_close(result["segmentation_masks"].mean((1, 2, 3)), seen)
    assert (result["images"][..., 0] == result["images"][..., 2]).all()


@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
def test_class_numbers_cannot_be_mixed(name):
    layer = getattr(layers, name)()
    data = {"images": torch.zeros(4, 8, 8, 3), "labels": torch.arange(4)}
    with pytest.raises(ValueError, match=r"one-hot encoded first.*to_categorical"):
        layer(data)
    assert torch.equal(layer(data, training=False)["labels"], data["labels"])
    assert layer({**data, "labels": torch.rand(4)})["labels"].shape == (4,)


def test_equal_values_after_equalization():
    x = (torch.rand(1, 64, 64, 1) ** 2) * 255
    equal = layers.Equalization()(x)
    assert (torch.histc(equal, 8, 0, 255) / equal.numel()).sub(1 / 8).abs().max() < 0.12
    stretched = layers.AutoContrast()(x / 3 + 50, training=False)
    assert stretched.min() == 0 and abs(stretched.max() - 255) < 1e-3
    assert layers.Equalization()(torch.full((1, 4, 4, 3), 77.0)).unique().tolist() == [77]


def test_brightness_of_integers_stays_in_range():
    x = torch.tensor([0, 100, 250], dtype=torch.uint8).reshape(1, 1, 3, 1)
    assert layers.RandomBrightness((0.2, 0.2))(x).flatten().tolist() == [51, 151, 255]
    assert layers.RandomBrightness((-0.5, -0.5))(x).flatten().tolist() == [0, 0, 123]


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("RandomContrast", {"factor": (0.9, 0.9)}), ("RandomHue", {"factor": (1.0, 1.0)}),
        ("RandomSaturation", {"factor": (1.0, 1.0)}), ("RandomSharpness", {"factor": (1.0, 1.0)}),
        ("RandomInvert", {"factor": (1.0, 1.0)}), ("RandomColorDegeneration", {"factor": (-1.0, -1.0)}),
        ("Solarization", {"addition_factor": 1.0, "threshold_factor": 1.0}), ("RandomPosterization", {"factor": 8}),
        ("RandomErasing", {"factor": (1.0, 1.0)}), ("RandomGaussianBlur", {"factor": (1.0, 1.0)}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("value_range", [(0, 255), (0, 1), (-1, 1)])
def test_values_stay_in_their_range(name, settings, value_range):
    low, high = value_range
    x = torch.rand(4, 9, 9, 3) * (high - low) + low
    y = getattr(layers, name)(value_range=value_range, **settings)(x)
    assert y.min() >= low - 1e-3 and y.max() <= high + 1e-3
    assert not torch.equal(x, y)


def test_erased_part():
    layer = layers.RandomErasing(factor=(1.0, 1.0), scale=(0.25, 0.25), fill_value=0.0, seed=1)
    erased = layer(torch.full((50, 40, 60, 3), 9.0)) == 0
    assert abs(erased.float().mean() - 0.25) < 0.02
    assert torch.equal(erased.any(2) & erased.any(1, keepdim=True).any(2), erased.any(2))


def test_policies_apply_the_chosen_operations():
    layer = layers.RandAugment(num_ops=3, seed=1, value_range=(0, 1))
    x = torch.rand(2, 8, 8, 3)
    draw = layer.get_random_transformation(x)
    names = list(draw["transforms"])
    expected = x
    for index in draw["layer_idxes"].tolist():
        operation = getattr(layer, names[index])
        expected = operation.transform_images(expected, draw["transforms"][names[index]])
    torch.testing.assert_close(layer.transform_images(x, draw), expected)
    assert torch.equal(layer.transform_images(x, draw, training=False), x)
    assert layer.get_random_transformation(x, training=False) is None
