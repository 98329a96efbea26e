"""`Normalization` and `Rescaling`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

import kerasish as keras
from kerasish import layers

rng = np.random.default_rng(0)
X = rng.normal(3, 2, (50, 4)).astype("float32")


@pytest.mark.parametrize(
    "convert",
    [
        lambda x: x, torch.from_numpy, pd.DataFrame, lambda x: [x[:20], x[20:]],
        lambda x: torch.utils.data.DataLoader(torch.from_numpy(x), batch_size=7),
    ],
    ids=["array", "tensor", "frame", "batches", "DataLoader"],
)  # fmt: skip
def test_adapt(convert):
    layer = layers.Normalization()
    layer.adapt(convert(X))
    output = layer(X).numpy()
    np.testing.assert_allclose(output, (X - X.mean(0)) / X.std(0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("axis", "kept"), [(None, ()), (-1, (2,)), (1, (1,)), ((1, 2), (1, 2))])
def test_axis(axis, kept):
    x = rng.random((20, 3, 4), dtype="float32")
    layer = layers.Normalization(axis=axis)
    layer.adapt(x)
    axes = tuple(i for i in range(3) if i not in kept)
    expected = (x - x.mean(axes, keepdims=True)) / x.std(axes, keepdims=True)
    np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-4, atol=1e-4)


def test_given_statistics_and_their_inverse():
    layer = layers.Normalization(mean=[1.0] * 4, variance=[4.0] * 4)
    np.testing.assert_allclose(layer(X).numpy(), (X - 1) / 2, rtol=1e-5)
    inverse = layers.Normalization(mean=[1.0] * 4, variance=[4.0] * 4, invert=True)
    np.testing.assert_allclose(inverse(layer(X)).numpy(), X, rtol=1e-5, atol=1e-5)


def test_constant_column():
    layer = layers.Normalization()
    layer.adapt(np.ones((5, 2), "float32"))
    assert torch.isfinite(layer(np.ones((5, 2), "float32"))).all()


def test_vector_of_numbers():
    layer = layers.Normalization(axis=None)
    layer.adapt(X[:, 0])
    assert layer(X[:, :1]).numpy().mean() == pytest.approx(0, abs=1e-4)


def test_statistics_survive_weights_and_models():
    layer = layers.Normalization()
    layer.adapt(X)
    model = keras.Sequential([keras.Input((4,)), layer, layers.Dense(1)])
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    np.testing.assert_allclose(twin.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-5)
    loaded = keras.models.clone_model(model)
    loaded.load_state_dict(model.state_dict())
    np.testing.assert_allclose(loaded.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Normalization(mean=1.0), r"give both `mean` and `variance`, or neither"),
        (lambda: layers.Normalization(mean=1.0, variance=1.0).adapt(X), r"cannot `adapt`"),
        (lambda: layers.Normalization(axis=0).adapt(X), r"must not name the batch"),
        (lambda: layers.Normalization().adapt([]), r"no data"),
        (lambda: layers.Normalization()(keras.Input((None,))), r"must know the size of axis"),
    ],
)
def test_mistakes(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("dtype", ["uint8", "float32", "int64"])
def test_rescaling(dtype):
    x = np.arange(6).reshape(2, 3).astype(dtype)
    output = layers.Rescaling(1 / 2, offset=-1.0)(x)
    assert output.dtype is torch.float32
    np.testing.assert_allclose(output, x / 2 - 1)


def test_rescaling_by_arrays():
    x = np.ones((2, 3), "float32")
    np.testing.assert_allclose(layers.Rescaling([1.0, 2.0, 3.0], [0.0, 1.0, 0.0])(x), [[1, 3, 3]] * 2)
