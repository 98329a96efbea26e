from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish
from kerasish import layers


def test_layers_one_after_the_other():
    pipeline = layers.Pipeline([layers.Rescaling(2.0), torch.nn.ReLU(), layers.Dense(3)])
    x = np.array([[1.0, -1.0]], "float32")
    assert pipeline(x).shape == (1, 3)
    kernel, bias = pipeline.get_weights()
    np.testing.assert_allclose(pipeline(x).detach(), [[2.0, 0.0]] @ kernel + bias, rtol=1e-6)
    assert len(pipeline.trainable_weights) == 2


def test_symbolic_and_trained():
    inputs = kerasish.Input((4,))
    model = kerasish.Model(
        inputs, layers.Pipeline([layers.Dense(3), layers.Dropout(0.5), layers.Dense(1)])(inputs)
    )
    assert model.output_shape == (None, 1) and model.count_params() == 19
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 4)), np.zeros(8), verbose=0)
    assert model.predict(np.ones((2, 4)), verbose=0).shape == (2, 1)


def test_strings():
    pipeline = layers.Pipeline([layers.StringLookup(vocabulary=["a"], output_mode="count"), layers.Dense(1)])
    model = kerasish.Sequential([kerasish.Input((2,), dtype="string"), pipeline])
    assert model.predict(np.array([["a", "b"]]), verbose=0).shape == (1, 1)


@pytest.mark.parametrize("given", [[], layers.Identity(), None])
def test_mistakes(given):
    with pytest.raises(ValueError, match=r"takes a list of at least one layer"):
        layers.Pipeline(given)
