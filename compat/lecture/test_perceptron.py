"""R03–R06: the linear threshold unit, the perceptron and its training rule, and why layers are stacked."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch

import kerasish as keras


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def step(z):
    return torch.where(z < 0, 0.0, 1.0)


class Step(torch.nn.Module):
    def forward(self, z):
        return step(z)


STEPS = {
    "function": step,
    "lambda": lambda z: 1.0 - (z < 0).to(z.dtype),
    "partial": functools.partial(torch.heaviside, values=torch.ones(())),
    "module": Step(),
    "arithmetic": lambda z: (z >= 0) * 1.0,
}


@pytest.mark.parametrize("activation", STEPS.values(), ids=STEPS.keys())
def test_r03_threshold_unit_is_a_dense_layer_with_a_step(breast_cancer, activation):
    X = breast_cancer.X_test
    model = keras.Sequential([keras.Input((30,)), keras.layers.Dense(1, activation=activation)])
    w, b = model.get_weights()
    expected = np.where(X.astype("float32") @ w + b < 0, 0.0, 1.0)
    assert 0 < expected.mean() < 1
    np.testing.assert_array_equal(model.predict(X, verbose=0), expected)


def test_r03_threshold_unit_gives_1_at_zero_and_computes_and_or():
    inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype="float32")
    unit = keras.layers.Dense(1, activation=step)
    unit.build((None, 2))
    for bias, table in ((-2.0, [0, 0, 0, 1]), (-1.0, [0, 1, 1, 1])):
        unit.set_weights([np.ones((2, 1)), np.array([bias])])
        np.testing.assert_array_equal(unit(inputs).detach().cpu().numpy().ravel(), table)


@pytest.mark.parametrize("n_records", [1, 20], ids=["one_record", "minibatch"])
@pytest.mark.parametrize("n_outputs", [1, 10])
def test_r04_training_rule_equals_the_rule_by_hand(digits, n_outputs, n_records):
    eta = 0.5
    X = digits.X_train[:n_records]
    y = np.eye(10)[digits.y_train[:n_records]][:, :n_outputs]
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(n_outputs, activation="sigmoid")])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(learning_rate=eta))
    w, b = (weight.astype("float64") for weight in model.get_weights())

    y_hat = sigmoid(X @ w + b)
    error_at_z = 2 * (y_hat - y) / y.size * y_hat * (1 - y_hat)
    w_new = w - eta * X.T @ error_at_z
    b_new = b - eta * error_at_z.sum(axis=0)

    history = model.fit(X, y, batch_size=n_records, epochs=1, verbose=0)
    np.testing.assert_allclose(history.history["loss"], [np.mean((y_hat - y) ** 2)], atol=1e-6)
    np.testing.assert_allclose(model.get_weights()[0], w_new, atol=1e-6)
    np.testing.assert_allclose(model.get_weights()[1], b_new, atol=1e-6)


def test_r05_matrix_form_is_the_forward_pass(digits):
    X = digits.X_test
    model = keras.Sequential([keras.layers.Dense(7, activation="sigmoid", bias_initializer="normal")])
    y_hat = model.predict(X, verbose=0)
    kernel, b = model.get_weights()
    W = kernel.T
    np.testing.assert_allclose(y_hat, np.stack([sigmoid(W @ x + b) for x in X]), atol=1e-6)


XOR_INPUTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype="float32")
XOR = np.array([0, 1, 1, 0], dtype="float32")


def xor_accuracy(*layers: keras.layers.Layer) -> float:
    model = keras.Sequential([keras.Input((2,)), *layers])
    model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(0.1), metrics=["accuracy"])
    model.fit(XOR_INPUTS, XOR, epochs=300, verbose=0)
    return model.evaluate(XOR_INPUTS, XOR, verbose=0)[1]


@pytest.mark.parametrize("seed", range(3))
def test_r06_xor_needs_a_hidden_layer(seed):
    keras.utils.set_random_seed(seed)
    assert xor_accuracy(keras.layers.Dense(1, activation="sigmoid")) <= 0.75
    hidden = keras.layers.Dense(8, activation="tanh")
    assert xor_accuracy(hidden, keras.layers.Dense(1, activation="sigmoid")) == 1.0
