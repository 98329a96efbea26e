"""Colour spaces: round trips, known colours, refusals."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import kerasish as keras
from kerasish.ops import image

unit = st.floats(0, 1, width=32)


@settings(deadline=None, max_examples=30)
@given(unit, unit, unit)
def test_hsv_is_that_of_the_standard_library_and_inverted(red, green, blue):
    pixel = torch.tensor([[[red, green, blue]]], dtype=torch.float64)
    hsv = image.rgb_to_hsv(pixel)
    expected = colorsys.rgb_to_hsv(red, green, blue)
    assert (
        abs(hsv[0, 0, 0].item() - expected[0]) % 1 < 1e-6 or abs(hsv[0, 0, 0].item() - expected[0]) > 1 - 1e-6
    )
    np.testing.assert_allclose(hsv[0, 0, 1:].numpy(), expected[1:], atol=1e-9)
    torch.testing.assert_close(image.hsv_to_rgb(hsv), pixel, rtol=1e-9, atol=1e-9)


def test_greys():
    x = torch.rand(2, 3, 4, 5)
    grey = image.rgb_to_grayscale(x, data_format="channels_first")
    torch.testing.assert_close(grey[:, 0], 0.2989 * x[:, 0] + 0.587 * x[:, 1] + 0.114 * x[:, 2])
    assert image.rgb_to_grayscale(grey, data_format="channels_first") is grey
    assert image.rgb_to_grayscale(np.full((2, 2, 3), 255, "uint8")).unique().tolist() == [254]


def test_symbolic_images():
    x = keras.Input((8, 9, 3))
    assert image.rgb_to_grayscale(x).shape == (None, 8, 9, 1)
    assert image.rgb_to_hsv(x).shape == (None, 8, 9, 3)


@pytest.mark.parametrize(
    ("function", "shape", "dtype", "message"),
    [
        (
            "rgb_to_grayscale",
            (4, 4, 2),
            "float32",
            r"takes 3 channels, or 1\. Received: Tensor of shape \(4, 4, 2\)",
        ),
        ("rgb_to_hsv", (4, 4, 3), "uint8", r"takes floating-point images with 3 channels"),
        ("hsv_to_rgb", (4, 4, 1), "float32", r"takes floating-point images with 3 channels"),
        ("rgb_to_hsv", (4, 3), "float32", r"must have rank 3 .* or 4"),
    ],
)
def test_refusals(function, shape, dtype, message):
    with pytest.raises(ValueError, match=message):
        getattr(image, function)(torch.zeros(shape, dtype=getattr(torch, dtype)))
