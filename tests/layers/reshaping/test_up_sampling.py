"""`UpSampling1D`, `UpSampling2D` and `UpSampling3D`."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers

RNG = np.random.default_rng(0)
X = {1: RNG.random((2, 4, 3)), 2: RNG.random((2, 4, 5, 3)), 3: RNG.random((2, 3, 4, 2, 3))}
SMOOTH = ("bilinear", "bicubic", "lanczos3", "lanczos5")


@pytest.mark.parametrize(("rank", "sizes"), [(1, (3,)), (2, (2, 3)), (2, (1, 7)), (3, (2, 1, 3))])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("dtype", ["float64", "int32"])
def test_repetition(rank, sizes, data_format, dtype):
    x = (X[rank] * 100).astype(dtype)
    is_last = data_format == "channels_last" or rank == 1
    layer = layers.UpSampling1D(sizes[0], dtype="float64") if rank == 1 else getattr(layers, f"UpSampling{rank}D")(
        sizes, data_format, dtype="float64"
    )  # fmt: skip
    expected = x
    for axis, size in enumerate(sizes, start=1):
        expected = expected.repeat(size, axis)
    output = layer(x if is_last else np.moveaxis(x, -1, 1)).numpy()
    np.testing.assert_array_equal(output if is_last else np.moveaxis(output, 1, -1), expected)
    assert output.dtype == dtype


def test_large_factors_repeat_exactly():
    x = np.arange(50.0).reshape(1, 50, 1)
    for size in (7, 41, 49):
        np.testing.assert_array_equal(layers.UpSampling1D(size, dtype="float64")(x), x.repeat(size, axis=1))


@pytest.mark.parametrize("interpolation", SMOOTH)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_interpolation_of_a_constant_and_of_one_axis(interpolation, data_format):
    x = X[2] if data_format == "channels_last" else np.moveaxis(X[2], -1, 1)
    layer = layers.UpSampling2D((2, 3), data_format, interpolation, dtype="float64")
    ones = layer(np.ones_like(x))
    torch.testing.assert_close(ones, torch.ones_like(ones))
    rows = 1 if data_format == "channels_last" else 2
    alone = layers.UpSampling2D((1, 3), data_format, interpolation, dtype="float64")
    torch.testing.assert_close(alone(x).select(rows, 1), alone(x.take([1], rows)).select(rows, 0))


def test_bilinear():
    x = np.array([0.0, 4.0]).reshape(1, 1, 2, 1)
    output = layers.UpSampling2D((1, 4), interpolation="bilinear", dtype="float64")(x).flatten()
    assert output.tolist() == [0, 0, 0.5, 1.5, 2.5, 3.5, 4, 4]


@pytest.mark.parametrize("radius", [3, 5])
def test_lanczos(radius):
    """Each output is the mean of the inputs, weighted by sinc(d)·sinc(d / radius) of their distance d."""
    x = RNG.random(7)
    output = layers.UpSampling2D((1, 2), interpolation=f"lanczos{radius}", dtype="float64")(
        x.reshape(1, 1, 7, 1)
    )
    for i, value in enumerate(output.flatten().tolist()):
        d = (i + 0.5) / 2 - 0.5 - np.arange(7)
        weights = np.where(abs(d) < radius, np.sinc(d) * np.sinc(d / radius), 0)
        assert value == pytest.approx((weights * x).sum() / weights.sum())


def test_lanczos_of_other_sizes_than_built_with():
    layer = layers.UpSampling2D(2, interpolation="lanczos3")
    fresh = layers.UpSampling2D(2, interpolation="lanczos3")
    small, large = X[2].astype("float32"), RNG.random((2, 6, 6, 3), dtype="float32")
    layer(small)
    torch.testing.assert_close(layer(large), fresh(large))
    assert layer(keras.Input((None, None, 3))).shape == (None, None, None, 3)
    assert layer.weights == []


@pytest.mark.parametrize("interpolation", SMOOTH)
@pytest.mark.parametrize("dtype", ["uint8", "int32"])
def test_integers_are_rounded(interpolation, dtype):
    x = RNG.choice([0, 255], (2, 4, 5, 3)).astype(dtype)
    layer = layers.UpSampling2D(3, interpolation=interpolation)
    limits = np.iinfo(dtype)
    expected = layer(x.astype("float32")).round().clamp(limits.min, limits.max)
    np.testing.assert_array_equal(layer(x), expected.numpy().astype(dtype))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: layers.UpSampling2D(0, name="u"),
            r"`size` of layer 'u' must be a positive integer or a tuple of 2",
        ),
        (lambda: layers.UpSampling2D(2.5), r"`size` .* positive integer"),
        (lambda: layers.UpSampling1D((2,)), r"`size` .* positive integer"),
        (lambda: layers.UpSampling3D((2, 2)), r"`size` .* tuple of 3"),
        (
            lambda: layers.UpSampling2D(interpolation="bilnear"),
            r"Did you mean 'bilinear'\? Received: interpolation=",
        ),
        (lambda: layers.UpSampling2D()(X[1]), r"Received: \(2, 4, 3\)"),
    ],
)
def test_mistakes(make, message):
    with pytest.raises(ValueError, match=message):
        make()
