"""`Dense`: activation(x · kernel + bias)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers

X = np.random.default_rng(0).standard_normal((5, 4), dtype="float32")


@pytest.mark.parametrize("shape", [(5, 4), (5, 3, 4), (5, 2, 3, 4)])
@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("activation", [None, "relu", "sigmoid", "softmax"])
def test_formula(shape, use_bias, activation):
    x = np.random.default_rng(1).standard_normal(shape, dtype="float32")
    layer = layers.Dense(3, activation=activation, use_bias=use_bias, bias_initializer="normal")
    output = layer(x).detach().numpy()
    z = x @ layer.kernel.numpy() + (layer.bias.numpy() if use_bias else 0)
    exp = np.exp(z - z.max(-1, keepdims=True))
    expected = {
        None: z, "relu": np.maximum(z, 0), "sigmoid": 1 / (1 + np.exp(-z)), "softmax": exp / exp.sum(-1, keepdims=True)
    }  # fmt: skip
    np.testing.assert_allclose(output, expected[activation], rtol=1e-4, atol=1e-5)


def test_initial_values():
    keras.utils.set_random_seed(0)
    layer = layers.Dense(300)
    layer.build((None, 784))
    limit = (6 / (784 + 300)) ** 0.5
    kernel = layer.kernel.numpy()
    assert kernel.shape == (784, 300) and np.abs(kernel).max() <= limit
    assert kernel.std() == pytest.approx(limit / 3**0.5, rel=0.02)
    assert (layer.bias.numpy() == 0).all()


def test_step_function_as_activation():
    """The linear threshold unit of the lecture."""
    unit = layers.Dense(1, activation=lambda z: (z >= 0).float(), kernel_initializer="ones")
    np.testing.assert_array_equal(unit(X)[:, 0], (X.sum(1) >= 0).astype("float32"))


@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool", "float64", "float16"])
def test_inputs_of_other_dtypes(dtype):
    layer = layers.Dense(2)
    x = (X > 0).astype(dtype)
    torch.testing.assert_close(layer(x), layer(x.astype("float32")))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: layers.Dense(0, name="d"),
            r"`units` of layer 'd' must be a positive integer. Received: units=0",
        ),
        (lambda: layers.Dense(2.5), r"must be a positive integer"),
        (lambda: layers.Dense(True), r"must be a positive integer"),
        (lambda: layers.Dense(2, lora_rank=4), r"LoRA and quantization are not supported.*peft"),
        (
            lambda: layers.Dense(2, name="d").build((None, None)),
            r"'d' must know the last size.*\(None, None\)",
        ),
        (lambda: layers.Dense(2)(torch.ones(3)), r"needs at least 2 dimensions"),
    ],
)
def test_mistakes(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_other_rank_than_built_with():
    layer = layers.Dense(2)
    assert layer(X).shape == (5, 2)
    assert layer(torch.ones(2, 7, 4)).shape == (2, 7, 2)


def test_gradients():
    layer = layers.Dense(2, activation="tanh")
    layer.build((None, 4))
    x = torch.from_numpy(X).double().requires_grad_()
    layer = layers.Dense(2, activation="tanh", dtype="float64")
    layer(x)
    assert torch.autograd.gradcheck(layer, (x,))
