"""`Masking` marks padded time steps."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers


@pytest.mark.parametrize("mask_value", [0.0, -1.0, [1.0, 2.0]])
def test_masks_steps_whose_features_all_equal_the_value(mask_value):
    x = torch.tensor(np.random.default_rng(0).integers(-1, 3, (4, 20, 2)).astype("float32"))
    x[:, 0] = torch.as_tensor(mask_value)
    output = layers.Masking(mask_value)(x)
    expected = ~(x == torch.as_tensor(mask_value)).all(-1)
    assert torch.equal(output._keras_mask, expected)
    assert torch.equal(output, x * expected.unsqueeze(-1))
    assert not expected[:, 0].any() and expected.any()


def test_the_mask_reaches_the_loss_and_the_layers_behind():
    """Padding changes neither the prediction nor, recorded or not, the training."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(12, 6, 2)).astype("float32")
    lengths = rng.integers(1, 7, 12)
    x[np.arange(6) >= lengths[:, None]] = 0
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((None, 2)), layers.Masking(), layers.LSTM(3), layers.Dense(1)])
    longer = np.concatenate([x, np.zeros((12, 3, 2), "float32")], axis=1)
    np.testing.assert_allclose(model.predict(x, verbose=0), model.predict(longer, verbose=0), atol=1e-6)
    for i, length in enumerate(lengths):
        np.testing.assert_allclose(
            model.predict(x[i : i + 1], verbose=0), model.predict(x[i : i + 1, :length], verbose=0), atol=1e-6
        )
