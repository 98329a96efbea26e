"""`Permute` and `RepeatVector`."""

from __future__ import annotations

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers

X = np.arange(48, dtype="float32").reshape(2, 4, 2, 3)


@pytest.mark.parametrize("dims", [(1, 2, 3), (3, 1, 2), [2, 1, 3]])
def test_permute(dims):
    layer = layers.Permute(dims)
    np.testing.assert_array_equal(layer(X), X.transpose(0, *dims))
    assert layer(keras.Input((4, None, 3))).shape == (None, *((4, None, 3)[d - 1] for d in dims))


def test_integers_stay_integers():
    assert layers.Permute((2, 1))(keras.Input((4, 3), dtype="int32")).dtype == "int32"
    assert layers.Permute((2, 1))(np.ones((1, 4, 3), "int32")).numpy().dtype == "int32"


def test_repeat():
    x = X[:, :, 0, 0]
    np.testing.assert_array_equal(layers.RepeatVector(3)(x), np.repeat(x[:, None], 3, axis=1))
    assert layers.RepeatVector(3)(keras.Input((4,))).shape == (None, 3, 4)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: layers.Permute((1, 3), name="p"),
            ValueError,
            r"`dims` of layer 'p' must be the numbers 1 to n",
        ),
        (lambda: layers.Permute((0, 1)), ValueError, r"the batch left out. Received: dims=\(0, 1\)"),
        (lambda: layers.Permute((1, 1)), ValueError, r"numbers 1 to n"),
        (
            lambda: layers.Permute((2, 1))(X),
            ValueError,
            r"expected \(None, None, None\). Received: \(2, 4, 2, 3\)",
        ),
        (
            lambda: layers.RepeatVector(2.5, name="r"),
            TypeError,
            r"`n` of layer 'r' must be an integer. Received: n=2.5",
        ),
        (lambda: layers.RepeatVector(0), ValueError, r"must be positive. Received: n=0"),
        (lambda: layers.RepeatVector(2)(X), ValueError, r"expected \(None, None\). Received: \(2, 4, 2, 3\)"),
    ],
)
def test_mistakes(make, error, message):
    with pytest.raises(error, match=message):
        make()
