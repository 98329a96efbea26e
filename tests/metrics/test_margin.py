import numpy as np
import pytest

from kerasish import metrics

RNG = np.random.default_rng(9)
SIGNS, SCORES = RNG.choice([-1.0, 1.0], (10, 3)), RNG.normal(size=(10, 3))


@pytest.mark.parametrize("labels", [SIGNS, (SIGNS + 1) / 2])
def test_hinges(labels):
    margin = np.maximum(1 - SIGNS * SCORES, 0)
    np.testing.assert_allclose(metrics.Hinge()(labels, SCORES), margin.mean(), rtol=1e-5)
    np.testing.assert_allclose(metrics.SquaredHinge()(labels, SCORES), (margin**2).mean(), rtol=1e-5)


def test_categorical_hinge():
    one_hot = np.eye(3)[RNG.integers(0, 3, 10)]
    right, wrong = (one_hot * SCORES).sum(1), ((1 - one_hot) * SCORES).max(1)
    expected = np.maximum(1 + wrong - right, 0).mean()
    np.testing.assert_allclose(metrics.CategoricalHinge()(one_hot, SCORES), expected, rtol=1e-5)
