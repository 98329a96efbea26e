"""Patches of images and volumes."""

from __future__ import annotations

import pytest
import torch

import kerasish as keras
from kerasish.ops import image


def test_patches_hold_the_pixels():
    x = torch.arange(6 * 8 * 3.0).reshape(6, 8, 3)
    patches = image.extract_patches(x, (2, 4))
    assert patches.shape == (3, 2, 24)
    assert torch.equal(patches[1, 1].reshape(2, 4, 3), x[2:4, 4:8])
    dilated = image.extract_patches(x, 2, strides=1, dilation_rate=3)
    assert torch.equal(dilated[1, 2].reshape(2, 2, 3), x[1:5:3, 2:6:3])
    same = image.extract_patches(x, 3, strides=2, padding="same")
    assert same.shape == (3, 4, 27)


def test_gradient_counts_in_how_many_patches_a_pixel_is():
    x = torch.zeros(1, 4, 4, 1, requires_grad=True)
    image.extract_patches(x, 3, strides=1).sum().backward()
    assert x.grad[0, :, :, 0].tolist() == [[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]]


def test_symbolic_volumes():
    assert image.extract_patches_3d(keras.Input((4, 6, 8, 2)), 2).shape == (None, 2, 3, 4, 16)
    assert image.extract_patches(keras.Input((6, 8, 2)), (2, 4)).shape == (None, 3, 2, 16)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("3",), TypeError, r"`size` must be an integer or a tuple. Received: size='3'"),
        (((1, 2, 3, 4),), ValueError, r"`size` must have 2 numbers, or 3"),
        (((9, 2),), ValueError, r"does not fit into the input"),
        ((2, 0), ValueError, r"`strides` must be positive"),
        ((2, (1, 1, 1)), ValueError, r"`strides` must be an integer or a tuple of 2"),
        ((2, None, 1, "wrong"), ValueError, r"`padding` must be one of \['same', 'valid'\]"),
        (((2, 2, 2),), ValueError, r"Patches of 3 dimensions are taken from tensors of rank 4"),
    ],
)
def test_refusals(arguments, error, message):
    with pytest.raises(error, match=message):
        image.extract_patches(torch.zeros(6, 8, 3), *arguments)
