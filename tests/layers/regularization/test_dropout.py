"""`Dropout`."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kerasish import layers, random

ONES = torch.ones(200, 50)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("seed", [None, 3])
def test_share_and_scale(rate, seed):
    torch.manual_seed(0)
    output = layers.Dropout(rate, seed=seed)(ONES, training=True)
    assert {round(v, 3) for v in output.unique().tolist()} == {0.0, round(1 / (1 - rate), 3)}
    assert (output == 0).float().mean().item() == pytest.approx(rate, abs=0.02)
    assert output.mean().item() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("layer", [layers.Dropout(0.0), layers.Dropout(0.5)])
def test_nothing_happens_in_inference_or_at_rate_zero(layer):
    assert torch.equal(layer(ONES, training=layer.rate == 0), ONES)


def test_everything_is_dropped_at_rate_one():
    assert not layers.Dropout(1)(ONES, training=True).any()
    assert not layers.Dropout(1.0, seed=1)(ONES, training=True).any()


def test_seeds():
    def draws(seed):
        layer = layers.Dropout(0.5, seed=seed)
        return layer(ONES, training=True), layer(ONES, training=True)

    first, second = draws(3)
    assert not torch.equal(first, second)
    assert all(map(torch.equal, draws(3), (first, second)))
    shared = random.SeedGenerator(3)
    assert torch.equal(draws(shared)[0], first)
    torch.manual_seed(0)
    one = draws(None)
    torch.manual_seed(0)
    assert all(map(torch.equal, draws(None), one))


@pytest.mark.parametrize("noise_shape", [(None, 1), (200, 1), (1, 50), (1, None)])
def test_noise_shape(noise_shape):
    dropped = layers.Dropout(0.5, noise_shape=noise_shape, seed=0)(ONES, training=True) == 0
    rows, columns = dropped.float().std(dim=1), dropped.float().std(dim=0)
    assert (rows == 0).all() if noise_shape[1] == 1 else (columns == 0).all()


@pytest.mark.parametrize("rate", [-0.1, 1.5, "half", None])
def test_wrong_rate(rate):
    with pytest.raises(ValueError, match=r"`rate` of layer 'd' must be between 0 and 1\. Received: rate="):
        layers.Dropout(rate, name="d")


def test_gradient_is_the_same_mask():
    x = torch.ones(10, 10, requires_grad=True)
    output = layers.Dropout(0.5)(x, training=True)
    output.sum().backward()
    np.testing.assert_array_equal(x.grad, output.detach())
