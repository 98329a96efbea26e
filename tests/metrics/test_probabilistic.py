import numpy as np
import pytest
import torch

from kerasish import activations, losses, metrics

RNG = np.random.default_rng(8)
LOGITS = RNG.normal(size=(12, 4)).astype("float32")
LABELS = RNG.integers(0, 4, 12)
SOFTMAX = torch.as_tensor(LOGITS).softmax(-1).numpy()


def test_crossentropies_are_the_formula():
    expected = -np.log(SOFTMAX[np.arange(12), LABELS]).mean()
    one_hot = np.eye(4, dtype="float32")[LABELS]
    for from_logits, y_pred in ((False, SOFTMAX), (True, LOGITS)):
        sparse = metrics.SparseCategoricalCrossentropy(from_logits=from_logits)
        np.testing.assert_allclose(sparse(LABELS, y_pred), expected, rtol=1e-5)
        categorical = metrics.CategoricalCrossentropy(from_logits=from_logits)
        np.testing.assert_allclose(categorical(one_hot, y_pred), expected, rtol=1e-5)
    sigmoid = 1 / (1 + np.exp(-LOGITS))
    expected = -(one_hot * np.log(sigmoid) + (1 - one_hot) * np.log(1 - sigmoid)).mean()
    np.testing.assert_allclose(metrics.BinaryCrossentropy()(one_hot, sigmoid), expected, rtol=1e-5)
    np.testing.assert_allclose(
        metrics.BinaryCrossentropy(from_logits=True)(one_hot, LOGITS), expected, rtol=1e-5
    )


@pytest.mark.parametrize("name", ["kl_divergence", "poisson"])
def test_means_of_losses(name):
    cls = {"kl_divergence": metrics.KLDivergence, "poisson": metrics.Poisson}[name]
    np.testing.assert_allclose(
        cls()(SOFTMAX, SOFTMAX[::-1].copy()),
        getattr(losses, name)(SOFTMAX, SOFTMAX[::-1].copy()).mean(),
        rtol=1e-5,
    )


def test_saturated_outputs_use_known_logits():
    y_pred = activations.softmax(torch.tensor([[200.0, 0.0]]))
    assert float(metrics.SparseCategoricalCrossentropy()([1], y_pred)) == pytest.approx(200)
