from __future__ import annotations

import pytest
import torch

import kerasish
from kerasish.layers import Dense, Embedding, ReLU, SpectralNormalization, UnitNormalization


def test_the_spectral_norm_becomes_1():
    layer = SpectralNormalization(Dense(4), power_iterations=30)
    x = torch.randn(2, 6)
    before = layer(x)
    torch.testing.assert_close(layer(x), before)
    norm = torch.linalg.norm(layer.layer.kernel.detach(), 2)
    kernel = layer.normalized_weights()[1].detach()
    torch.testing.assert_close(torch.linalg.norm(kernel, 2), torch.tensor(1.0), rtol=1e-3, atol=1e-3)
    outputs = layer(x, training=True)
    torch.testing.assert_close(
        torch.linalg.norm(layer.kernel.detach(), 2), torch.tensor(1.0), rtol=1e-3, atol=1e-3
    )
    torch.testing.assert_close(outputs, before / norm, rtol=1e-3, atol=1e-3)
    assert layer.kernel is layer.layer.kernel
    assert [w.name for w in layer.non_trainable_weights] == ["vector_u"]


def test_embeddings_and_zeros():
    layer = SpectralNormalization(Embedding(5, 3), power_iterations=30)
    layer(torch.tensor([[1, 2]]), training=True)
    torch.testing.assert_close(
        torch.linalg.norm(layer.kernel.detach(), 2), torch.tensor(1.0), rtol=1e-3, atol=1e-3
    )
    zeros = SpectralNormalization(Dense(3, kernel_initializer="zeros"))
    assert torch.equal(zeros(torch.ones(2, 4), training=True), torch.zeros(2, 3))
    assert torch.isfinite(zeros.vector_u).all()


def test_it_trains_as_a_recording():
    results = []
    for run_eagerly in (False, True):
        kerasish.utils.set_random_seed(0)
        model = kerasish.Sequential([kerasish.Input((4,)), SpectralNormalization(Dense(3)), Dense(1)])
        model.compile("sgd", "mse", run_eagerly=run_eagerly)
        x = torch.randn(40, 4)
        model.fit(x, x.sum(1), batch_size=8, epochs=2, shuffle=False, verbose=0)
        results.append(model.get_weights())
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(torch.tensor(a), torch.tensor(b))


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"wraps a layer"):
        SpectralNormalization(3)
    with pytest.raises(ValueError, match=r"`power_iterations` of layer .* Received: power_iterations=0"):
        SpectralNormalization(Dense(2), power_iterations=0)
    with pytest.raises(ValueError, match=r"normalizes the `kernel` or `embeddings` .* has neither"):
        SpectralNormalization(ReLU())(torch.ones(2, 3))


def test_unit_normalization():
    x = torch.randn(2, 3, 4)
    for axis in (-1, 1, (1, 2)):
        lengths = UnitNormalization(axis)(x).square().sum(axis)
        torch.testing.assert_close(lengths, torch.ones_like(lengths))
    assert not UnitNormalization()(torch.zeros(2, 3)).any()
    with pytest.raises(TypeError, match=r"`axis` of layer"):
        UnitNormalization(axis=None)
    with pytest.raises(ValueError, match=r"must name different axes"):
        UnitNormalization(axis=3)(x)
