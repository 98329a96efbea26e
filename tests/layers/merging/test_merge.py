"""`Add` and `Concatenate`."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers

rng = np.random.default_rng(0)


def arrays(*shapes):
    return [torch.from_numpy(rng.random(shape, dtype="float32")) for shape in shapes]


@pytest.mark.parametrize(
    "shapes",
    [[(5, 3), (5, 3)], [(5, 3), (5, 1), (5, 3)], [(5, 2, 3), (5, 3)], [(5, 2, 3), (5, 2, 1), (5, 1, 3)]],
)
def test_add(shapes):
    given = arrays(*shapes)
    rank = max(x.dim() for x in given)
    expected = sum(x.reshape(len(x), *(1,) * (rank - x.dim()), *x.shape[1:]) for x in given)
    torch.testing.assert_close(layers.Add()(given), expected)
    torch.testing.assert_close(layers.add(given), expected)


@pytest.mark.parametrize("axis", [1, -1, 2])
def test_concatenate(axis):
    given = arrays((5, 2, 3), (5, 2, 3))
    expected = torch.cat(given, dim=axis)
    torch.testing.assert_close(layers.Concatenate(axis=axis)(given), expected)
    torch.testing.assert_close(layers.concatenate(given, axis=axis), expected)


def test_unknown_sizes():
    a, b = keras.Input((None, 3)), keras.Input((4, 3))
    assert layers.Add()([a, b]).shape == (None, None, 3)
    assert layers.Concatenate(axis=1)([a, b]).shape == (None, None, 3)
    assert layers.Concatenate()([b, b]).shape == (None, 4, 6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: layers.Add(name="a")(torch.ones(2, 3)),
            r"'a' merges a list of tensors\. Received: one of shape",
        ),
        (lambda: layers.Add(name="a")(arrays((5, 3), (5, 4))), r"'a' cannot merge.*\(None, 3\), \(None, 4\)"),
        (
            lambda: layers.Concatenate(axis=1, name="c")(arrays((5, 2, 3), (5, 2, 4))),
            r"'c' cannot concatenate.*along axis 1",
        ),
        (lambda: layers.Concatenate(name="c")(arrays((5, 2, 3), (5, 3))), r"'c' cannot concatenate"),
    ],
)
def test_mistakes(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_masks():
    a, b = arrays((2, 3, 1), (2, 3, 1))
    a._keras_mask = torch.tensor([[True, False, False]] * 2)
    b._keras_mask = torch.tensor([[True, True, False]] * 2)
    assert layers.Add()([a, b])._keras_mask[0].tolist() == [True, True, False]
    assert layers.Concatenate()([a, b])._keras_mask[0].tolist() == [True, True, False]
    joined = layers.Concatenate(axis=1)([a, b])._keras_mask[0]
    assert joined.tolist() == [True, False, False, True, True, False]
