"""`utils.bounding_boxes` against the real Keras 3."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kerasish.utils import bounding_boxes

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword"
)  # Keras's
theirs = keras.utils.bounding_boxes

FORMATS = (
    "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh",
)  # fmt: skip
BOXES = torch.tensor([[10.0, 20, 30, 45], [-5, -2, 70, 80], [3, 4, 9, 30], [60, 50, 75, 99]])
OTHERS = torch.tensor([[12.0, 22, 36, 40], [1, 2, 60, 90], [40, 41, 42, 43], [-1, -1, -1, -1]])
SHAPE = (100, 50, 3)


def same(name, *args, **kwargs):
    a, b = (getattr(namespace, name)(*args, **kwargs) for namespace in (bounding_boxes, theirs))
    for x, y in zip(*(list(r.values()) if isinstance(r, dict) else [r] for r in (a, b)), strict=True):
        torch.testing.assert_close(x, torch.as_tensor(y), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("source", FORMATS)
def test_formats(source, target):
    given = theirs.convert_format(BOXES, "xyxy", source, height=100, width=50)
    same("convert_format", given, source, target, height=100, width=50)
    same("convert_format", given[None].numpy(), source, target.upper(), height=100, width=50, dtype="float64")
    same("convert_format", {"boxes": given, "labels": torch.arange(4)}, source, target, height=100, width=50)


@pytest.mark.parametrize(("kind", "divisor"), [("xyxy", 1), ("rel_xyxy", 50)])
def test_clipping(kind, divisor):
    boxes = (
        torch.tensor([[-10.0, -20, 150, 160], [50, 40, 70, 80], [130, 10, 140, 20], [10, 10, 10, 30]])
        / divisor
    )
    for given in (boxes, boxes.long() if divisor == 1 else boxes, boxes[None]):
        labels = torch.arange(4).reshape(given.shape[:-1])
        given = {"boxes": given, "labels": labels}
        same("clip_to_image_size", given, height=100, width=120, bounding_box_format=kind)


def test_cropping_and_padding():
    for boxes in (BOXES, BOXES[None], BOXES.double()):
        same("crop", boxes, 10, 20, 40, 30)
        same("pad", boxes, 10, 20)
        same("pad", boxes, 10, 20, 100, 120)


@pytest.mark.parametrize(
    "change",
    [
        {}, {"angle": 30.0}, {"translate_x": 0.1, "translate_y": -0.2}, {"scale": 1.7}, {"shear_x": 12.0},
        {"shear_y": -9.0}, {"angle": -50.0, "center_x": 0.2, "center_y": 0.1},
        {"angle": 33.0, "translate_x": 0.3, "scale": 1.5, "shear_x": 10.0, "shear_y": 20.0},
    ],
)  # fmt: skip
def test_affine_maps(change):
    plain = {
        "angle": 0.0,
        "translate_x": 0.0,
        "translate_y": 0.0,
        "scale": 1.0,
        "shear_x": 0.0,
        "shear_y": 0.0,
    }
    settings = {**plain, **change}
    settings = {
        key: np.array([value, value / 2 + 0.5]) if key in plain else value for key, value in settings.items()
    }
    boxes = torch.stack([BOXES, OTHERS]).double()
    same("affine_transform", boxes, **settings, height=100, width=80)


@pytest.mark.parametrize("encoding", ["center_yxhw", "center_xywh"])
@pytest.mark.parametrize("variance", [None, [0.1, 0.1, 0.2, 0.3]])
def test_deltas(encoding, variance):
    boxes, anchors = OTHERS[:2], BOXES[:2]
    for given in (boxes, boxes[None]):
        same("encode_box_to_deltas", anchors, given, "xyxy", "xyxy", encoding, variance)
        same("decode_deltas_to_boxes", anchors, given / 100, "xyxy", "xywh", encoding, variance)
    same("encode_box_to_deltas", anchors / 100, boxes, "rel_xyxy", "xywh", encoding, variance, SHAPE)
    same("decode_deltas_to_boxes", anchors, boxes / 100, "xyxy", "rel_xyxy", encoding, variance, SHAPE)
    levels = [{0: BOXES, 1: BOXES / 2}, {0: OTHERS / 100, 1: OTHERS / 50}]
    same("decode_deltas_to_boxes", *levels, "xyxy", "xyxy", encoding, variance)


@pytest.mark.parametrize("kind", ["xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw"])
def test_overlap(kind):
    first, second = (boxes.clamp(min=0) if kind != "xyxy" else boxes for boxes in (BOXES, OTHERS))
    for settings in ({}, {"use_masking": True}, {"use_masking": True, "mask_val": -7}):
        same("compute_iou", first, second, kind, **settings)
        same("compute_iou", torch.stack([first, second]), torch.stack([second, first]), kind, **settings)
    same("compute_iou", torch.stack([first, second]), second[:3], kind)
    same("compute_iou", first[:2], torch.stack([first, second]), kind)
    same("compute_ciou", first, second, kind)


def test_overlap_of_relative_boxes():
    same("compute_iou", BOXES / 100, OTHERS / 100, "rel_xyxy", image_shape=SHAPE)


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("convert_format", (BOXES, "xyxy", "wrong"), {}),
        ("convert_format", (BOXES, "wrong", "xyxy"), {}),
        ("convert_format", (BOXES, "xyxy", "rel_xyxy"), {}),
        ("convert_format", (BOXES[:, :3], "xyxy", "xywh"), {}),
        ("clip_to_image_size", ({"boxes": BOXES, "labels": torch.arange(4)},), {}),
        ("encode_box_to_deltas", (BOXES, OTHERS, "xyxy", "xyxy", "xyxy"), {}),
        ("encode_box_to_deltas", (BOXES, OTHERS, "xyxy", "xyxy"), {"variance": [1.0, 2.0]}),
        ("decode_deltas_to_boxes", (BOXES, OTHERS, "xyxy", "xyxy", "xyxy"), {}),
        ("compute_iou", (BOXES, OTHERS, "rel_xyxy"), {}),
        ("compute_iou", (BOXES[None, None], OTHERS, "xyxy"), {}),
    ],
)
def test_both_refuse(name, args, kwargs):
    for namespace in (theirs, bounding_boxes):
        with pytest.raises(ValueError):
            getattr(namespace, name)(*args, **kwargs)
