"""R07–R09: cross-entropy and MSE, initial weights and minibatches, backpropagation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras


def softmax(z: np.ndarray) -> np.ndarray:
    powers = np.exp(z - z.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def logits_of(split) -> np.ndarray:
    """Scores of ten classes for every test record, by a fixed random matrix."""
    return np.tanh(split.X_test) @ np.random.default_rng(0).normal(0, 0.3, (split.X_test.shape[1], 10))


def test_r07_crossentropy_equals_the_formula(digits):
    y_hat = softmax(logits_of(digits))
    y = np.eye(10)[digits.y_test]
    cost = np.mean(-np.sum(y * np.log(y_hat), axis=1))
    categorical = keras.losses.CategoricalCrossentropy()(y, y_hat)
    sparse = keras.losses.SparseCategoricalCrossentropy()(digits.y_test, y_hat)
    np.testing.assert_allclose(float(categorical), cost, rtol=1e-5)
    np.testing.assert_allclose(float(sparse), cost, rtol=1e-5)


def test_r07_mse_equals_the_formula(diabetes):
    y_hat = np.roll(diabetes.y_test, 1)
    cost = np.mean((diabetes.y_test - y_hat) ** 2)
    loss = keras.losses.MeanSquaredError()(diabetes.y_test[:, None], y_hat[:, None])
    np.testing.assert_allclose(float(loss), cost, rtol=1e-6)


def test_r07_reported_cost_is_the_mean_over_all_records(fashion, classifier):
    X, y = fashion.X_test[:999], fashion.y_test[:999]  # the last of 32 minibatches is a short one
    y_hat = classifier.predict(X, verbose=0).astype("float64")
    cost = -np.log(y_hat[np.arange(len(y)), y]).mean()
    np.testing.assert_allclose(classifier.evaluate(X, y, verbose=0)[0], cost, rtol=1e-5)
    classifier.compile(loss="categorical_crossentropy", optimizer="sgd")
    np.testing.assert_allclose(classifier.evaluate(X, np.eye(10)[y], verbose=0), cost, rtol=1e-5)


def test_r08_weights_start_small_and_random_and_biases_at_zero(classifier):
    for layer in classifier.layers[1:]:
        weights, biases = layer.get_weights()
        bound = np.sqrt(6 / sum(weights.shape))
        assert np.abs(weights).max() <= bound < 0.25
        assert len(np.unique(weights)) > 0.9 * weights.size
        np.testing.assert_allclose(weights.std(), bound / np.sqrt(3), rtol=0.05)
        np.testing.assert_array_equal(biases, np.zeros(weights.shape[1]))


def test_r08_loss_falls_with_minibatch_gradient_descent(fashion, classifier):
    X_train, y_train, X_valid, y_valid, *_ = fashion
    history = classifier.fit(X_train, y_train, epochs=3, validation_data=(X_valid, y_valid), verbose=0)
    assert history.history["loss"][0] > history.history["loss"][1] > history.history["loss"][2]
    assert history.history["val_loss"][0] > history.history["val_loss"][2]
    assert classifier.optimizer.iterations == 3 * np.ceil(len(X_train) / 32)


class Recorder(keras.Sequential):
    """A model that notes the labels of every minibatch it is trained on."""

    def train_step(self, data):
        self.seen.append(data[1].tolist())
        return super().train_step(data)


@pytest.mark.parametrize("shuffle", [True, False])
def test_r08_minibatches_are_shuffled_each_epoch(diabetes, shuffle):
    order = np.arange(len(diabetes.X_train), dtype="float32")
    model = Recorder([keras.Input((10,)), keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(1e-9), run_eagerly=True)
    epochs = []
    for _ in range(2):
        model.seen = []
        model.fit(diabetes.X_train, order, batch_size=50, epochs=2, shuffle=shuffle, verbose=0)
        assert [len(batch) for batch in model.seen] == ([50] * 5 + [len(order) - 250]) * 2
        seen = np.concatenate(model.seen)
        epochs += [seen[: len(order)], seen[len(order) :]]
    for epoch in epochs:
        np.testing.assert_array_equal(np.sort(epoch), order)
        assert np.array_equal(epoch, order) is not shuffle
    assert len({tuple(epoch) for epoch in epochs}) == (4 if shuffle else 1)


def one_hidden_layer(activation: str, output: str) -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(5, activation=activation, bias_initializer="normal"),
            keras.layers.Dense(10, activation=output, bias_initializer="normal"),
        ]
    )
    loss = keras.losses.CategoricalCrossentropy() if output == "softmax" else keras.losses.MeanSquaredError()
    model.compile(loss=loss, optimizer=keras.optimizers.SGD(0.1))
    return model


def cost_and_gradients(model: keras.Model, X, y) -> tuple[float, list[np.ndarray]]:
    model.zero_grad()
    loss = model.compute_loss(x=X, y=y, y_pred=model(X, training=True))
    loss.backward()
    return float(loss.detach()), [
        weight.value.grad.cpu().numpy().copy() for weight in model.trainable_weights
    ]


HIDDEN = {
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda h: h * (1 - h)),
    "tanh": (np.tanh, lambda h: 1 - h**2),
    "relu": (lambda z: np.maximum(z, 0), lambda h: (h > 0).astype(float)),
}


@pytest.mark.parametrize("output", ["softmax", "linear"])
@pytest.mark.parametrize("activation", HIDDEN)
def test_r09_gradients_equal_the_backward_pass_by_hand(float64, digits, activation, output):
    X, y = digits.X_train[:40], np.eye(10)[digits.y_train[:40]]
    model = one_hidden_layer(activation, output)
    W1, b1, W2, b2 = model.get_weights()
    function, derivative = HIDDEN[activation]

    h = function(X @ W1 + b1)
    z = h @ W2 + b2
    if output == "softmax":
        y_hat = softmax(z)
        cost = np.mean(-np.sum(y * np.log(y_hat), axis=1))
        output_error = (y_hat - y) / len(X)
    else:
        cost = np.mean((z - y) ** 2)
        output_error = 2 * (z - y) / y.size
    hidden_error = output_error @ W2.T * derivative(h)
    by_hand = [X.T @ hidden_error, hidden_error.sum(axis=0), h.T @ output_error, output_error.sum(axis=0)]

    loss, gradients = cost_and_gradients(model, torch.as_tensor(X), torch.as_tensor(y))
    np.testing.assert_allclose(loss, cost, rtol=1e-7)
    for gradient, expected in zip(gradients, by_hand, strict=True):
        np.testing.assert_allclose(gradient, expected, atol=1e-9)

    model.fit(X, y, batch_size=40, epochs=1, verbose=0)
    for weight, before, expected in zip(model.get_weights(), (W1, b1, W2, b2), by_hand, strict=True):
        np.testing.assert_allclose(weight, before - 0.1 * expected, atol=1e-7)


@pytest.mark.parametrize("output", ["softmax", "linear"])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_r09_gradients_equal_finite_differences(float64, digits, activation, output):
    X, y = torch.as_tensor(digits.X_train[:20]), torch.as_tensor(np.eye(10)[digits.y_train[:20]])
    model = one_hidden_layer(activation, output)
    _, gradients = cost_and_gradients(model, X, y)
    weights = model.get_weights()
    step = 1e-5
    draw = np.random.default_rng(0)
    for weight, gradient in zip(weights, gradients, strict=True):
        for index in draw.permutation(weight.size)[:10]:
            value = weight.flat[index]
            costs = []
            for sign in (1, -1):
                weight.flat[index] = value + sign * step
                model.set_weights(weights)
                costs.append(float(model.compute_loss(x=X, y=y, y_pred=model(X)).detach()))
            weight.flat[index] = value
            np.testing.assert_allclose(gradient.flat[index], (costs[0] - costs[1]) / (2 * step), atol=1e-8)


def test_r09_chain_rule_adds_the_two_paths(float64, digits):
    x = keras.Input((64,))
    y1 = keras.layers.Dense(6, activation="tanh")(x)
    y2 = keras.layers.Dense(6, activation="sigmoid")(x)
    model = keras.Model(x, keras.layers.Multiply()([y1, y2]))

    X = digits.X_test[:30]
    W1, b1, W2, b2 = model.get_weights()
    g, h = np.tanh(X @ W1 + b1), 1 / (1 + np.exp(-(X @ W2 + b2)))
    first_path = (h * (1 - g**2)) @ W1.T
    second_path = (g * h * (1 - h)) @ W2.T

    inputs = torch.tensor(X, requires_grad=True)
    z = model(inputs)
    np.testing.assert_allclose(z.detach().cpu().numpy(), g * h, atol=1e-12)
    z.sum().backward()
    np.testing.assert_allclose(inputs.grad.numpy(), first_path + second_path, atol=1e-12)
