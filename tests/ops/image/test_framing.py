"""Cropping and padding."""

from __future__ import annotations

import pytest
import torch

import kerasish as keras
from kerasish.ops import image

X = torch.arange(2 * 5 * 7.0).reshape(1, 5, 7, 2)


def test_cropping_undoes_padding():
    padded = image.pad_images(X, 1, 2, 3, 4)
    assert padded.shape == (1, 9, 13, 2) and padded.sum() == X.sum()
    assert torch.equal(image.crop_images(padded, 1, 2, 3, 4), X)
    assert torch.equal(image.crop_images(padded, 1, 2, target_height=5, target_width=7), X)
    first = image.pad_images(X[0].movedim(-1, 0), 1, 2, 3, 4, data_format="channels_first")
    assert torch.equal(first.movedim(0, -1), padded[0])


def test_symbolic_images():
    x = keras.Input((8, 9, 3))
    assert image.crop_images(x, 1, 2, 3, 4).shape == (None, 4, 3, 3)
    assert image.pad_images(x, 1, 2, target_height=20, target_width=30).shape == (None, 20, 30, 3)


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        ("crop_images", (1, 1), r"exactly two of top_cropping, bottom_cropping, target_height"),
        ("pad_images", (1, 1, 1, 1, 1), r"exactly two of top_padding, bottom_padding, target_height"),
        ("crop_images", (-1, 1, 1, 1), r"must not be negative.*top_cropping=-1"),
        ("crop_images", (3, 0, 3, 0), r"together exceed the size"),
        ("crop_images", (None, 0, 0, 0, 9), r"top_cropping=-4"),
        ("pad_images", (None, 0, 0, 0, 3), r"top_padding=-2"),
    ],
)
def test_refusals(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(image, function)(X, *arguments)
