from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from kerasish.utils.numerical import normalize, to_categorical


@given(arrays("int64", array_shapes(max_dims=3, max_side=4), elements=st.integers(0, 6)))
def test_to_categorical_has_one_one_where_the_label_says(labels):
    one_hot = to_categorical(labels, 7)
    expected = labels.reshape(labels.shape[:-1]) if labels.ndim > 1 and labels.shape[-1] == 1 else labels
    assert one_hot.shape == (*expected.shape, 7) and one_hot.dtype == "float64"
    np.testing.assert_array_equal(one_hot.argmax(-1), expected)
    np.testing.assert_array_equal(one_hot.sum(-1), np.ones(expected.shape))


@pytest.mark.parametrize("labels", [[0, 2], [[0], [2]], [0.0, 2.0], np.array([0, 2], "uint8")])
def test_to_categorical_takes_what_counts_as_labels(labels):
    np.testing.assert_array_equal(to_categorical(labels), [[1, 0, 0], [0, 0, 1]])


def test_to_categorical_keeps_tensors_as_tensors():
    one_hot = to_categorical(torch.tensor([[1], [0]], dtype=torch.uint8))
    assert isinstance(one_hot, torch.Tensor) and one_hot.tolist() == [[0, 1], [1, 0]]
    assert to_categorical(torch.tensor([1]), 2, dtype="float32").dtype == torch.float32


def test_to_categorical_dtype_and_empty():
    assert to_categorical([1], dtype="float32").dtype == "float32"
    assert to_categorical([], 3).shape == (0, 3)


@pytest.mark.parametrize(
    ("labels", "num_classes", "message"),
    [
        ([0, 3], 3, r"between 0 and 2 .*from 0 to 3"),
        ([-1, 0], None, r"between 0 and 0 .*from -1 to 0"),
        (torch.tensor([5]), 2, r"between 0 and 1"),
        ([], None, r"`num_classes` must be given"),
    ],
)
def test_to_categorical_refuses_labels_without_a_class(labels, num_classes, message):
    with pytest.raises(ValueError, match=message):
        to_categorical(labels, num_classes)


@pytest.mark.parametrize("order", [1, 2, 3, np.inf])
@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_normalize_makes_norms_one(order, axis):
    x = np.random.RandomState(0).normal(size=(3, 4, 5))
    array, tensor = normalize(x, axis, order), normalize(torch.tensor(x), axis, order)
    np.testing.assert_allclose(np.linalg.norm(array, order, axis), 1, rtol=1e-12)
    np.testing.assert_allclose(tensor.numpy(), array, rtol=1e-12)


def test_normalize_kinds():
    assert normalize([3, 4]).tolist() == pytest.approx([0.6, 0.8])
    assert normalize(torch.tensor([3, 4])).dtype == torch.float32
    assert normalize(np.zeros((2, 2))).tolist() == [[0, 0], [0, 0]]
    x = torch.zeros(2, 3, requires_grad=True)
    normalize(x).sum().backward()
    assert torch.isfinite(x.grad).all()
    with pytest.raises(ValueError, match="`order` must be 1 or more"):
        normalize([1.0], order=0)
