"""`BatchNormalization`: γ (x − μ) / √(σ² + ε) + β."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers

rng = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("shape", "axis"), [((8, 4), -1), ((8, 5, 4), -1), ((8, 3, 5, 4), -1), ((8, 3, 5), 1)]
)
def test_training_normalizes_the_batch(shape, axis):
    x = rng.normal(3, 2, shape).astype("float32")
    layer = layers.BatchNormalization(axis=axis, beta_initializer="ones")
    output = layer(x, training=True).detach().numpy()
    axes = tuple(i for i in range(len(shape)) if i != axis % len(shape))
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    np.testing.assert_allclose(output, (x - mean) / np.sqrt(variance + 1e-3) + 1, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.01 * mean.ravel(), rtol=1e-4)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.99 + 0.01 * variance.ravel(), rtol=1e-4)


def test_inference_uses_the_moving_averages():
    layer = layers.BatchNormalization(epsilon=0.01)
    layer.build((None, 3))
    layer.set_weights([[2.0] * 3, [1.0] * 3, [0.5] * 3, [4.0] * 3])
    x = rng.random((5, 3), dtype="float32")
    np.testing.assert_allclose(layer(x).detach(), 2 * (x - 0.5) / np.sqrt(4.01) + 1, rtol=1e-5)
    assert (layer.moving_mean == 0.5).all()


def test_momentum_and_many_batches():
    layer = layers.BatchNormalization(momentum=0.5)
    x = torch.full((4, 2), 8.0)
    for expected in (4.0, 6.0, 7.0):
        layer(x, training=True)
        assert layer.moving_mean.tolist() == [expected] * 2


def test_frozen_layer_runs_in_inference_mode():
    layer = layers.BatchNormalization()
    x = rng.random((5, 3), dtype="float32")
    layer(x)
    layer.trainable = False
    torch.testing.assert_close(layer(x, training=True), layer(x))
    assert (layer.moving_mean == 0).all()


def test_without_center_and_scale():
    layer = layers.BatchNormalization(center=False, scale=False)
    layer(torch.ones(2, 3))
    assert layer.gamma is None and layer.beta is None
    assert layer.trainable_weights == [] and len(layer.weights) == 2


def test_order_of_weights():
    layer = layers.BatchNormalization()
    layer.build((None, 3))
    assert [w.name for w in layer.weights] == ["gamma", "beta", "moving_mean", "moving_variance"]


def test_mask_leaves_positions_out():
    x = torch.tensor([[[1.0], [3.0], [100.0]]])
    layer = layers.BatchNormalization(momentum=0.0)
    layer(x, training=True, mask=torch.tensor([[True, True, False]]))
    assert layer.moving_mean.item() == pytest.approx(2.0, rel=1e-4)
    assert layer.moving_variance.item() == pytest.approx(1.0, rel=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"renorm": True}, r"batch renormalization is not supported"),
        ({"synchronized": True}, r"SyncBatchNorm"),
    ],
)
def test_unsupported(arguments, message):
    with pytest.raises(ValueError, match=message):
        layers.BatchNormalization(**arguments)


def test_unknown_size():
    with pytest.raises(ValueError, match=r"must know the size of axis -1"):
        layers.BatchNormalization()(keras.Input((None,)))
    layer = layers.BatchNormalization(name="norm")
    layer(torch.ones(2, 3))
    with pytest.raises(ValueError, match=r"layer 'norm'.*expected \(None, 3\)\. Received: \(2, 4\)"):
        layer(torch.ones(2, 4))


def test_gradients():
    layer = layers.BatchNormalization(dtype="float64")
    x = torch.from_numpy(rng.random((5, 3))).requires_grad_()
    layer(x)
    assert torch.autograd.gradcheck(lambda x: layer(x, training=True), (x,))
