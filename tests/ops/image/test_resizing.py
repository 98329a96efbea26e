"""Resizing, scaling and translation."""

from __future__ import annotations

import pytest
import torch

import kerasish as keras
from kerasish.ops import image

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_constants_stay_and_the_same_size_changes_nothing(interpolation, antialias):
    settings = {"interpolation": interpolation, "antialias": antialias}
    x = torch.rand(2, 9, 7, 3)
    torch.testing.assert_close(image.resize(x, (9, 7), **settings), x)
    constant = image.resize(torch.full((1, 9, 7, 3), 0.3), (4, 20), **settings)
    torch.testing.assert_close(constant, torch.full((1, 4, 20, 3), 0.3))


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("radius", [3, 5])
def test_lanczos_is_scale_and_translate(radius, antialias):
    x = torch.rand(12, 10)
    size, method = (5, 23), f"lanczos{radius}"
    scale = [5 / 12, 2.3]
    expected = image.scale_and_translate(x, size, scale, [0.0, 0.0], (0, 1), method, antialias)
    found = image.resize(x.unsqueeze(-1), size, method, antialias=antialias)[..., 0]
    torch.testing.assert_close(found, expected)


def test_integers_are_rounded_and_held_in_their_range():
    x = torch.tensor([[0, 255], [255, 0]], dtype=torch.uint8).reshape(1, 2, 2, 1).repeat(1, 4, 4, 1)
    for interpolation in INTERPOLATIONS:
        y = image.resize(x, (13, 13), interpolation)
        assert y.dtype is torch.uint8
        floats = image.resize(x.float(), (13, 13), interpolation)
        torch.testing.assert_close(y.float(), floats.round().clamp(0, 255))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_aspect_ratios(data_format):
    x = torch.ones(1, 10, 20, 3) if data_format == "channels_last" else torch.ones(1, 3, 10, 20)
    kept = image.resize(x, (6, 6), pad_to_aspect_ratio=True, fill_value=-1.0, data_format=data_format)
    assert kept.shape == ((1, 6, 6, 3) if data_format == "channels_last" else (1, 3, 6, 6))
    assert kept.min() == -1 and kept.max() == 1
    assert image.resize(x, (6, 6), crop_to_aspect_ratio=True, data_format=data_format).unique().tolist() == [
        1
    ]


def test_translation_by_whole_pixels():
    x = torch.rand(6, 5)
    y = image.scale_and_translate(x, (6, 5), [1.0, 1.0], [2.0, -1.0], (0, 1), "cubic")
    torch.testing.assert_close(y[2:, :4], x[:4, 1:])
    assert not y[:2].any() and not y[:, 4].any()


def test_symbolic_images():
    x = keras.Input((None, 9, 3))
    assert image.resize(x, (4, 5)).shape == (None, 4, 5, 3)
    assert image.resize(keras.Input((3, 8, 9)), (4, 5), "lanczos3", data_format="channels_first").shape == (
        None,
        3,
        4,
        5,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 4}, r"`size` must be a tuple of 2 integers"),
        ({"size": (0, 4)}, r"`size` must be of positive integers"),
        ({"interpolation": "bilinaer"}, r"Did you mean 'bilinear'\?"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, r"Only one of"),
        ({"fill_mode": "reflect"}, r"`fill_mode` must be 'constant'"),
        ({"data_format": "wrong"}, r"`data_format` must be"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        image.resize(torch.zeros(1, 8, 8, 3), **{"size": (4, 4), **arguments})
    with pytest.raises(ValueError, match=r"one number in `scale` and `translation`"):
        image.scale_and_translate(torch.zeros(4, 4), (4, 4), [1.0], [1.0, 1.0], (0, 1), "linear")
    with pytest.raises(ValueError, match=r"`method` must be one of"):
        image.scale_and_translate(torch.zeros(4, 4), (4, 4), [1.0], [1.0], (0,), "nearest")
