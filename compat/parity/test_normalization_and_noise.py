"""Spectral norms, masks, old arguments, dtypes and build configs of the small layers, against the real Keras 3."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from kerasish import layers

keras = pytest.importorskip("keras")
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword"),  # Keras's
    pytest.mark.filterwarnings("ignore:.*rms_scaling.*"),  # Keras's
    pytest.mark.filterwarnings("ignore:.*`alpha` is deprecated"),  # Keras's
    pytest.mark.filterwarnings("ignore:(.|\\n)*does not support masking"),  # Keras's
]
X = np.random.default_rng(0).normal(0, 2, (4, 5, 6)).astype("float32")


def pair(name, settings, shape):
    ours, theirs = getattr(layers, name)(**settings), getattr(keras.layers, name)(**settings)
    for layer in (ours, theirs):
        layer.build(shape)
    rng = np.random.default_rng(1)
    theirs.set_weights([rng.normal(1, 0.3, w.shape) for w in theirs.get_weights()])
    ours.set_weights(theirs.get_weights())
    return ours, theirs


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("LayerNormalization", {"rms_scaling": True}),
        ("LayerNormalization", {"rms_scaling": True, "axis": 1}),
        ("LeakyReLU", {"alpha": 0.1}),
    ],
)
def test_old_arguments(name, settings):
    ours, theirs = pair(name, settings, X.shape)
    torch.testing.assert_close(ours(X), theirs(X), rtol=1e-5, atol=1e-5)
    config = {**theirs.get_config(), "name": ours.name}
    assert json.dumps(ours.get_config()) == json.dumps(config)


@pytest.mark.parametrize("power_iterations", [1, 3])
@pytest.mark.parametrize(
    ("inner", "shape"), [("Dense", (4, 6)), ("Dense", (2, 3, 6)), ("Embedding", (4, 3)), ("zeros", (4, 6))]
)
def test_spectral_norms(inner, shape, power_iterations):
    def make(namespace):
        if inner == "Embedding":
            layer = namespace.Embedding(5, 3, name="inner")
        else:
            initializer = "zeros" if inner == "zeros" else "glorot_uniform"
            layer = namespace.Dense(3, kernel_initializer=initializer, name="inner")
        return namespace.SpectralNormalization(layer, power_iterations=power_iterations, name="outer")

    ours, theirs = make(layers), make(keras.layers)
    for layer in (ours, theirs):
        layer.build(shape)
    ours.set_weights(theirs.get_weights())
    assert json.dumps(layers.serialize(ours)) == json.dumps(keras.layers.serialize(theirs))
    rng = np.random.default_rng(0)
    x = rng.integers(0, 5, shape) if inner == "Embedding" else rng.normal(0, 1, shape).astype("float32")
    for training in (False, True, True, False):
        a, b = ours(x, training=training), theirs(x, training=training)
        if inner != "Embedding":  # Keras casts the vectors to the integers' dtype
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)
        for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    assert ours.compute_output_shape(shape) == theirs.compute_output_shape(shape)
    called = make(layers), make(keras.layers)
    paths = [[w.path for w in layer.weights] for layer in called if layer(x) is not None]
    assert paths[0] == paths[1]


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        *[
            (name, {})
            for name in ("ReLU", "LeakyReLU", "PReLU", "ELU", "LayerNormalization", "UnitNormalization")
        ],
        ("GroupNormalization", {"groups": 2}),
        ("RMSNormalization", {}),
        ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": (5, 4)}),
        ("ActivityRegularization", {"l1": 0.1}),
        *[(name, {"rate": 0.2}) for name in ("AlphaDropout", "GaussianDropout", "SpatialDropout1D")],
        ("GaussianNoise", {"stddev": 0.2}),
    ],
)
def test_layers_that_pass_masks_on(name, settings):
    mask = torch.tensor(np.random.default_rng(5).random(X.shape[:2]) < 0.6)
    found = []
    for namespace in (layers, keras.layers):
        x = torch.tensor(X)
        x._keras_mask = mask
        layer = getattr(namespace, name)(**settings)
        found.append((layer.supports_masking, getattr(layer(x), "_keras_mask", None)))
    assert found[0][0] == found[1][0]
    assert (found[0][1] is None) == (found[1][1] is None)
    assert found[0][1] is None or torch.equal(found[0][1], found[1][1])


@pytest.mark.parametrize("axis", [-1, 1, (1, 2)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_with_masks(axis, dtype):
    mask = torch.tensor(np.random.default_rng(3).random((1, 5, 6)) < 0.6)
    mask[0, 2] = False
    results = []
    for namespace in (layers, keras.layers):
        x = torch.tensor(X, requires_grad=True)
        outputs = namespace.Softmax(axis=axis, dtype=dtype)(x, mask=mask)
        results.append((outputs, torch.autograd.grad((outputs**2).sum(), x)[0]))
    torch.testing.assert_close(results[0], results[1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "mixed_bfloat16", "float64"])
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("LayerNormalization", {}),
        ("RMSNormalization", {}),
        ("GroupNormalization", {"groups": 2}),
        ("UnitNormalization", {}),
        ("PReLU", {}),
        ("Softmax", {}),
        ("ELU", {}),
    ],
)
def test_policies(name, settings, dtype):
    ours, theirs = pair(name, {**settings, "dtype": dtype}, X.shape)
    a, b = ours(X), theirs(X)
    assert a.dtype == b.dtype
    tolerance = 1e-5 if dtype == "float64" else 0.02
    torch.testing.assert_close(a.detach().float(), b.detach().float(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", ["AlphaDropout", "GaussianDropout", "GaussianNoise"])
@pytest.mark.parametrize("rate", [0.1, 0.4])
def test_moments_of_noise(name, rate):
    x = torch.tensor(np.random.default_rng(2).normal(0.5, 1, (300, 400)).astype("float32"))
    moments = []
    for namespace in (layers, keras.layers):
        outputs = getattr(namespace, name)(rate, seed=1)(x, training=True)
        moments.append([outputs.mean(), outputs.std(), (outputs * x).mean(), outputs.min()])
    for a, b in zip(moments[0][:3], moments[1][:3], strict=True):
        assert a.item() == pytest.approx(b.item(), abs=0.02)


@pytest.mark.parametrize("size", [1e-5, 1e-7, 1e-13, 0.0])
def test_short_vectors(size):
    short, ones = torch.full((2, 4), size), torch.ones(2, 4)
    results = [
        (namespace.UnitNormalization()(short), namespace.Dot(1, normalize=True)([short, ones]))
        for namespace in (layers, keras.layers)
    ]
    torch.testing.assert_close(results[0], results[1], rtol=1e-5, atol=1e-9)
