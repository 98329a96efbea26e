from __future__ import annotations

import pytest
import torch

import kerasish
from kerasish.layers import (
    ActivityRegularization,
    AlphaDropout,
    Dense,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)

NOISES = [AlphaDropout, GaussianDropout, GaussianNoise, SpatialDropout1D]


@pytest.mark.parametrize("cls", NOISES)
def test_noise_in_training_only_and_seeds(cls):
    x = torch.randn(8, 5, 4)
    assert cls(0.5)(x) is x and cls(0.0)(x, training=True) is x
    a, b = cls(0.5, seed=3), cls(0.5, seed=3)
    first = a(x, training=True)
    assert torch.equal(first, b(x, training=True))
    assert not torch.equal(first, a(x, training=True))
    torch.manual_seed(1)
    drawn = cls(0.5)(x, training=True)
    torch.manual_seed(1)
    assert torch.equal(drawn, cls(0.5)(x, training=True))


def test_moments():
    x = torch.randn(400, 500)
    for rate in (0.1, 0.5):
        kept = AlphaDropout(rate)(x, training=True)
        assert abs(kept.mean().item()) < 0.01 and abs(kept.std().item() - 1) < 0.01
        noise = GaussianDropout(rate)(torch.ones_like(x), training=True)
        assert abs(noise.mean().item() - 1) < 0.01
        assert abs(noise.std().item() - (rate / (1 - rate)) ** 0.5) < 0.01
        added = GaussianNoise(rate)(x, training=True) - x
        assert abs(added.mean().item()) < 0.01 and abs(added.std().item() - rate) < 0.01


def test_alpha_dropout_s_two_values():
    values = AlphaDropout(0.2, seed=1)(torch.ones(50, 50), training=True).unique()
    torch.testing.assert_close(values, torch.tensor([-1.23618, 1.18788]), rtol=1e-4, atol=1e-4)
    shared = AlphaDropout(0.5, noise_shape=(None, 1, 4), seed=1)(torch.ones(3, 6, 4), training=True)
    assert torch.equal(shared, shared[:, :1].expand(3, 6, 4))
    with pytest.raises(ValueError, match=r"`noise_shape` of layer .* as many sizes"):
        AlphaDropout(0.5, noise_shape=(None, 1))(torch.ones(3, 6, 4), training=True)


@pytest.mark.parametrize(
    ("layer", "shape", "axes"),
    [
        (SpatialDropout1D(0.5), (20, 5, 30), (1,)),
        (SpatialDropout2D(0.5), (20, 5, 4, 30), (1, 2)),
        (SpatialDropout2D(0.5, data_format="channels_first"), (20, 30, 5, 4), (2, 3)),
        (SpatialDropout3D(0.5), (20, 3, 2, 4, 30), (1, 2, 3)),
        (SpatialDropout3D(0.5, data_format="channels_first", seed=1), (20, 30, 3, 2, 4), (2, 3, 4)),
    ],
)
def test_whole_channels_are_dropped(layer, shape, axes):
    outputs = layer(torch.ones(shape), training=True)
    channels = outputs.amax(axes)
    assert torch.equal(outputs, outputs.amax(axes, keepdim=True).expand(shape))
    assert set(channels.unique().tolist()) == {0.0, 2.0}
    assert abs((channels > 0).float().mean().item() - 0.5) < 0.1
    with pytest.raises(ValueError, match=r"does not fit.*Received: \(2, 3\)"):
        layer(torch.ones(2, 3))


@pytest.mark.parametrize("cls", NOISES)
def test_wrong_rates(cls):
    wrong = [-0.1, 1.5, "a"] + ([1.0] if cls in (AlphaDropout, GaussianDropout) else [])
    for rate in wrong:
        with pytest.raises(ValueError, match=r"of layer .* Received: (rate|stddev)="):
            cls(rate)
    with pytest.raises(ValueError, match=r"data_format"):
        SpatialDropout2D(0.5, data_format="last")


def test_activity_regularization():
    x = torch.randn(4, 3)
    layer = ActivityRegularization(l1=0.1, l2=0.2)
    assert torch.equal(layer(x), x)
    expected = (0.1 * x.abs().sum() + 0.2 * x.square().sum()) / 4
    torch.testing.assert_close(layer.losses[0], expected)
    model = kerasish.Sequential([kerasish.Input((3,)), layer, Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", "mse")
    assert model.evaluate(x, torch.zeros(4), verbose=0) == pytest.approx(expected.item(), rel=1e-5)
    with pytest.raises(ValueError, match=r"l1"):
        ActivityRegularization(l1=-1.0)
