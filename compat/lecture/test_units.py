"""R10–R11: hidden and output units equal their formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras

Z = np.linspace(-12, 12, 241)[:, None] + np.array([0.0, 0.03, -0.07])


def sigmoid(z):
    return np.exp(z) / (1 + np.exp(z))


UNITS = {
    "sigmoid": sigmoid,
    "tanh": lambda z: 2 * sigmoid(2 * z) - 1,
    "relu": lambda z: np.maximum(0, z),
    "linear": lambda z: z,
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True),
}


def values(name: str, z: np.ndarray) -> np.ndarray:
    return getattr(keras.activations, name)(torch.as_tensor(z)).cpu().numpy()


def check_formula(name: str, split) -> None:
    np.testing.assert_allclose(values(name, Z), UNITS[name](Z), atol=1e-12)
    layer = keras.layers.Dense(10, activation=name)
    outputs = layer(torch.as_tensor(split.X_test)).detach().cpu().numpy()
    W, b = layer.get_weights()
    np.testing.assert_allclose(outputs, UNITS[name](split.X_test @ W + b), atol=1e-12)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu"])
def test_r10_hidden_units_equal_the_formulas(float64, name, digits):
    check_formula(name, digits)


def test_r10_hidden_units_tanh_is_a_scaled_sigmoid():
    np.testing.assert_allclose(values("tanh", Z), 2 * values("sigmoid", 2 * Z) - 1, atol=1e-12)


@pytest.mark.parametrize("name", ["linear", "sigmoid", "softmax"])
def test_r11_output_units_equal_the_formulas(float64, name, digits):
    check_formula(name, digits)
    if name == "softmax":
        np.testing.assert_allclose(values(name, Z).sum(axis=-1), 1, atol=1e-12)


LARGE = np.array([[1e4, 0.0, -1e4], [-1e4, -1e4, -2e4], [88.8, -103.9, 710.0]], dtype="float32")


def test_r11_output_units_are_stable_for_large_inputs():
    np.testing.assert_array_equal(values("linear", LARGE), LARGE)
    np.testing.assert_allclose(values("sigmoid", LARGE), [[1, 0.5, 0], [0, 0, 0], [1, 0, 1]], atol=1e-30)
    np.testing.assert_allclose(values("softmax", LARGE), [[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1]], atol=1e-30)


@pytest.mark.parametrize(
    ("activation", "loss", "label"),
    [
        ("softmax", "sparse_categorical_crossentropy", 0),
        ("softmax", "categorical_crossentropy", [1.0, 0.0]),
        ("sigmoid", "binary_crossentropy", [1.0, 0.0]),
    ],
)
def test_r11_output_units_learn_from_a_confident_mistake(activation, loss, label):
    """z = (−500, 500) for the first class: the cost is 1000 (or 500), and its gradient does not vanish."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, activation=activation)])
    model.set_weights([np.array([[-500.0, 500.0]]), np.zeros(2)])
    model.compile(loss=loss, optimizer=keras.optimizers.SGD(1.0))
    cost = model.train_on_batch(np.ones((1, 1)), np.array([label]))
    np.testing.assert_allclose(cost, 1000 if activation == "softmax" else 500)
    size = 1.0 if activation == "softmax" else 0.5
    np.testing.assert_allclose(model.get_weights()[1], [size, -size])
