from __future__ import annotations

import numpy as np
import pytest
import torch

from kerasish.utils.numerical import normalize, to_categorical

keras = pytest.importorskip("keras")


@pytest.mark.parametrize("num_classes", [None, 7])
@pytest.mark.parametrize(
    "labels", [[0, 2, 5], [[1], [4]], [[1, 2], [0, 3]], 3, [1.0, 2.0], np.array([6], "uint8")]
)
def test_to_categorical(labels, num_classes):
    ours, theirs = to_categorical(labels, num_classes), keras.utils.to_categorical(labels, num_classes)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


def test_to_categorical_of_a_tensor():
    labels = torch.tensor([[1], [4]])
    ours, theirs = to_categorical(labels, 5), keras.utils.to_categorical(labels, 5)
    assert ours.dtype == theirs.dtype and torch.equal(ours, theirs)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize(
    "x", [[1.0, -2.0], [[3, 4], [0, 0]], np.full((2, 3), 1e-20), np.eye(3, dtype="float32")]
)
def test_normalize_along_the_last_axis(x, order):
    ours, theirs = normalize(x, -1, order), keras.utils.normalize(x, -1, order)
    assert type(ours) is type(theirs) and ours.dtype == theirs.dtype
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=1e-6)


@pytest.mark.parametrize(("axis", "order"), [(0, 1), (1, 1), (0, 2), (1, 2), ((0, 2), 2)])
def test_normalize_of_a_tensor_along_other_axes(axis, order):
    x = torch.arange(24.0).reshape(2, 3, 4)
    torch.testing.assert_close(normalize(x, axis, order), keras.utils.normalize(x, axis, order))
