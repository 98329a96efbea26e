"""`Flatten` and `Reshape`."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers

X = np.arange(48, dtype="float32").reshape(2, 4, 2, 3)


def test_flatten():
    np.testing.assert_array_equal(layers.Flatten()(X), X.reshape(2, -1))
    assert layers.Flatten()(torch.arange(3.0)).shape == (3, 1)
    first = layers.Flatten(data_format="channels_first")(X)
    np.testing.assert_array_equal(first, np.moveaxis(X, 1, -1).reshape(2, -1))


@pytest.mark.parametrize(("shape", "flat"), [((4, 3), 12), ((4, None), None), ((5,), 5), ((), 1)])
def test_shape_of_flatten(shape, flat):
    assert layers.Flatten()(keras.Input(shape)).shape == (None, flat)


@pytest.mark.parametrize(
    ("target", "expected"),
    [((24,), (24,)), ((6, 4), (6, 4)), ((-1, 3), (8, 3)), ((2, -1, 2), (2, 6, 2)), (24, (24,))],
)
def test_reshape(target, expected):
    layer = layers.Reshape(target)
    np.testing.assert_array_equal(layer(X), X.reshape(2, *expected))
    assert layers.Reshape(target)(keras.Input((4, 2, 3))).shape == (None, *expected)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ((5, 5), r"cannot reshape records of shape \(4, 2, 3\) \(24 values\) to \(5, 5\) \(25 values\)"),
        ((-1, 5), r"cannot reshape"),
        ((-1, -1), r"Only one size of `target_shape` may be -1"),
    ],
)
def test_mistakes(target, message):
    with pytest.raises(ValueError, match=message):
        layers.Reshape(target)(X)
