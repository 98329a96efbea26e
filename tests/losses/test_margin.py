import numpy as np
import pytest
import torch

from kerasish import losses

rng = np.random.default_rng(0)
p = rng.normal(size=(5, 3))
signs = np.sign(rng.normal(size=(5, 3)))
one_hot = np.eye(3)[[0, 1, 2, 2, 1]]


@pytest.mark.parametrize("labels", [signs, (signs + 1) / 2], ids=["-1/1", "0/1"])
def test_hinge_and_squared_hinge(labels):
    margin = np.maximum(1 - signs * p, 0)
    np.testing.assert_allclose(losses.hinge(labels, p), margin.mean(-1))
    np.testing.assert_allclose(losses.squared_hinge(labels, p), (margin**2).mean(-1))


def test_labels_that_are_not_all_binary_stay():
    assert losses.hinge([[0.0, 0.5]], [[1.0, 1.0]]).tolist() == [0.75]


def test_categorical_hinge():
    expected = np.maximum(((1 - one_hot) * p).max(-1) - (one_hot * p).sum(-1) + 1, 0)
    np.testing.assert_allclose(losses.categorical_hinge(one_hot, p), expected)


def test_all_equal_outputs_share_the_gradient():
    prediction = torch.zeros(1, 3, requires_grad=True)
    losses.CategoricalHinge()([[0.0, 1.0, 0.0]], prediction).backward()
    np.testing.assert_allclose(prediction.grad, [[1 / 3, -1, 1 / 3]], rtol=1e-6)
