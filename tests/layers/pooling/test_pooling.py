"""Pooling over windows, over all positions, and to a given size."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers

RNG = np.random.default_rng(0)
SHAPES = {1: (2, 7, 3), 2: (2, 6, 5, 3), 3: (2, 4, 5, 6, 3)}


def by_definition(x, function, size, strides, padding):
    """The function of each window's part that lies inside; x is (B, …, C)."""
    sizes = x.shape[1:-1]
    if padding == "same":
        outputs = [-(-n // strides) for n in sizes]
        starts = [-(max((m - 1) * strides + size - n, 0) // 2) for n, m in zip(sizes, outputs, strict=True)]
    else:
        outputs, starts = [(n - size) // strides + 1 for n in sizes], [0] * len(sizes)
    y = np.zeros((len(x), *outputs, x.shape[-1]), x.dtype)
    for place in itertools.product(*map(range, outputs)):
        begins = [start + p * strides for p, start in zip(place, starts, strict=True)]
        window = tuple(slice(max(begin, 0), max(begin + size, 0)) for begin in begins)
        y[(slice(None), *place)] = function(x[(slice(None), *window)], axis=tuple(range(1, x.ndim - 1)))
    return y


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kind", ["Max", "Average"])
def test_definition(rank, data_format, padding, kind):
    x = RNG.standard_normal(SHAPES[rank])
    is_last = data_format == "channels_last"
    for size, strides in itertools.product((1, 2, 3, 4), (None, 1, 2, 3)):
        layer = getattr(layers, f"{kind}Pooling{rank}D")(size, strides, padding, data_format, dtype="float64")
        output = layer(x if is_last else np.moveaxis(x, -1, 1)).numpy()
        function = np.max if kind == "Max" else np.mean
        expected = by_definition(x, function, size, strides or size, padding)
        np.testing.assert_allclose(output if is_last else np.moveaxis(output, 1, -1), expected, atol=1e-12)


@pytest.mark.parametrize("kind", ["Max", "Average"])
def test_windows_larger_than_the_input(kind):
    x = RNG.standard_normal((2, 3, 4, 2), dtype="float32")
    layer = getattr(layers, f"{kind}Pooling2D")(9, padding="same")
    expected = x.max((1, 2)) if kind == "Max" else x.mean((1, 2))
    np.testing.assert_allclose(layer(x)[:, 0, 0], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_global(rank, data_format, keepdims):
    x = RNG.standard_normal(SHAPES[rank])
    axes = tuple(range(1, rank + 1)) if data_format == "channels_last" else tuple(range(2, rank + 2))
    for kind, function in (("Max", np.max), ("Average", np.mean)):
        layer = getattr(layers, f"Global{kind}Pooling{rank}D")(data_format, keepdims, dtype="float64")
        np.testing.assert_allclose(layer(x), function(x, axis=axes, keepdims=keepdims), atol=1e-12)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_adaptive(rank, data_format, size):
    x = RNG.standard_normal(SHAPES[rank])
    is_last = data_format == "channels_last"
    for kind, function in (("Max", np.max), ("Average", np.mean)):
        layer = getattr(layers, f"Adaptive{kind}Pooling{rank}D")(size, data_format, dtype="float64")
        output = layer(x if is_last else np.moveaxis(x, -1, 1)).numpy()
        output = output if is_last else np.moveaxis(output, 1, -1)
        for place in itertools.product(range(size), repeat=rank):
            window = tuple(
                slice(i * n // size, math.ceil((i + 1) * n / size))
                for i, n in zip(place, x.shape[1:-1], strict=True)
            )
            expected = function(x[(slice(None), *window)], axis=tuple(range(1, rank + 1)))
            np.testing.assert_allclose(output[(slice(None), *place)], expected, atol=1e-12)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_mean_of_unmasked_steps(data_format, keepdims):
    x = RNG.standard_normal((2, 4, 3), dtype="float32")
    given = x if data_format == "channels_last" else np.moveaxis(x, -1, 1)
    mask = np.array([[1, 0, 1, 0], [0, 1, 1, 1]], bool)
    layer = layers.GlobalAveragePooling1D(data_format, keepdims)
    expected = np.stack([x[0, mask[0]].mean(0), x[1, mask[1]].mean(0)])
    expected = expected.reshape(layer(given).shape)
    np.testing.assert_allclose(layer(given, mask=torch.from_numpy(mask)), expected, rtol=1e-5)
    marked = torch.from_numpy(given.copy())
    marked._keras_mask = torch.from_numpy(mask)
    output = layer(marked)
    np.testing.assert_allclose(output, expected, rtol=1e-5)
    assert getattr(output, "_keras_mask", None) is None


@pytest.mark.parametrize("dtype", ["uint8", "int32"])
def test_integers(dtype):
    x = RNG.integers(0, 200, (2, 4, 4, 3)).astype(dtype)
    assert str(layers.MaxPooling2D()(x).dtype) == f"torch.{dtype}"
    assert str(layers.GlobalMaxPooling2D()(x).dtype) == f"torch.{dtype}"
    for layer in (
        layers.AveragePooling2D(2), layers.GlobalAveragePooling2D(), layers.AdaptiveAveragePooling2D(2)
    ):  # fmt: skip
        assert layer(x).dtype is torch.float32
        torch.testing.assert_close(layer(x), layer(x.astype("float32")))
    assert layers.AdaptiveMaxPooling2D(2)(x).max() == x.max()


def test_gradients_of_equal_values_are_those_of_torch():
    x = torch.ones(1, 2, 2, 1, requires_grad=True)
    (gradient,) = torch.autograd.grad(layers.MaxPooling2D()(x).sum(), x)
    assert gradient.flatten().tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (layers.MaxPooling2D(), (None, 7, 3), (None, 3, 3)),
        (layers.AveragePooling1D(3, 2, "same"), (None, 3), (None, 3)),
        (layers.MaxPooling3D(data_format="channels_first"), (3, 4, None, 6), (3, 2, None, 3)),
        (layers.GlobalMaxPooling2D(), (None, None, 3), (3,)),
        (layers.GlobalAveragePooling2D(keepdims=True), (None, None, 3), (1, 1, 3)),
        (layers.AdaptiveMaxPooling2D((2, 3)), (None, None, 3), (2, 3, 3)),
    ],
)
def test_unknown_sizes(layer, shape, expected):
    assert layer(keras.Input(shape)).shape == (None, *expected)


X = np.zeros((2, 7, 8, 3), "float32")
MAX = layers.MaxPooling2D


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MAX(0, name="p"), r"`pool_size` of layer 'p' must be a positive integer or a tuple of 2"),
        (lambda: MAX((2, 2, 2)), r"`pool_size` .* tuple of 2 of them. Received: pool_size=\(2, 2, 2\)"),
        (lambda: MAX(2, strides=0), r"`strides` .* positive"),
        (lambda: MAX(2, padding="causal"), r"`padding` .* must be one of 'valid', 'same'"),
        (lambda: MAX(2, padding="vald"), r"Did you mean 'valid'"),
        (lambda: MAX(2, data_format="nhwc"), r"`data_format` must be"),
        (lambda: MAX(8)(X), r"window \(8, 8\) .* is larger than its input"),
        (lambda: MAX(2)(X[0]), r"expected \(None, None, None, None\). Received: \(7, 8, 3\)"),
        (lambda: MAX(2).build((None, 7, 3)), r"expects inputs of 4 dimensions"),
        (lambda: layers.GlobalAveragePooling1D()(X), r"Received: \(2, 7, 8, 3\)"),
        (lambda: layers.AdaptiveAveragePooling2D(0), r"`output_size` .* positive"),
        (lambda: layers.AdaptiveAveragePooling2D((2, None)), r"`output_size` .* positive"),
        (lambda: layers.AdaptiveMaxPooling3D((2, 2)), r"`output_size` .* tuple of 3"),
        (lambda: layers.AdaptiveMaxPooling2D(2)(X[0]), r"Received: \(7, 8, 3\)"),
        (
            lambda: layers.GlobalAveragePooling1D(name="g")(X[0], mask=torch.ones(7, 4)),
            r"mask of layer 'g' must have the shape \(batch, time\) = \(7, 8\). Received: Tensor of shape \(7, 4\)",
        ),
    ],
)
def test_mistakes(make, message):
    with pytest.raises(ValueError, match=message):
        make()
