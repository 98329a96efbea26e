"""R12–R13: every entry of the lecture's two tables of typical architectures trains on real data."""

from __future__ import annotations

import numpy as np
import pytest

import kerasish as keras


def trained(split, y_train, n_outputs: int, hidden: str, output: str | None, loss: str, metric: str = "mae"):
    output_bias = "ones" if output == "relu" else "zeros"  # a ReLU below zero for all records learns nothing
    model = keras.Sequential(
        [
            keras.layers.Dense(50, activation=hidden),
            keras.layers.Dense(20, activation=hidden),
            keras.layers.Dense(n_outputs, activation=output, bias_initializer=output_bias),
        ]
    )
    model.compile(loss=loss, optimizer=keras.optimizers.Adam(0.005), metrics=[metric])
    model.fit(split.X_train, y_train, epochs=30, verbose=0)
    return model


def r2_score(y: np.ndarray, y_hat: np.ndarray) -> float:
    return 1 - np.sum((y - y_hat.ravel()) ** 2) / np.sum((y - y.mean()) ** 2)


TARGET_RANGE = {None: None, "relu": (0.0, 3.0), "sigmoid": (0.1, 0.9), "tanh": (-0.9, 0.9)}


def scaled_targets(diabetes, output: str | None) -> np.ndarray:
    """The targets as they are, or moved into the range that a bounded output can reach."""
    y = diabetes.y_train
    if TARGET_RANGE[output] is None:
        return y
    low, high = TARGET_RANGE[output]
    return low + (high - low) * (y - y.min()) / (y.max() - y.min())


@pytest.mark.parametrize("output", TARGET_RANGE, ids=str)
@pytest.mark.parametrize("hidden", ["relu", "sigmoid", "tanh"])
def test_r12_regression_trains_with_each_activation(diabetes, hidden, output):
    y = scaled_targets(diabetes, output)
    model = trained(diabetes, y, 1, hidden, output, "mse")
    y_hat = model.predict(diabetes.X_train, verbose=0)
    assert r2_score(y, y_hat) > 0.4
    if output is not None:
        lowest, highest = {"relu": (0, np.inf), "sigmoid": (0, 1), "tanh": (-1, 1)}[output]
        assert y_hat.min() >= lowest and y_hat.max() <= highest


@pytest.mark.parametrize(
    "loss", ["mse", "mae", "huber", "log_cosh", "mean_squared_logarithmic_error", "mape", "poisson"]
)
def test_r12_regression_trains_with_each_loss(diabetes, loss):
    positive_output = loss in ("mean_squared_logarithmic_error", "mape", "poisson")
    y = scaled_targets(diabetes, "relu") + 0.5 if positive_output else diabetes.y_train
    output = "softplus" if positive_output else None
    model = trained(diabetes, y, 1, "relu", output, loss)
    assert r2_score(y, model.predict(diabetes.X_train, verbose=0)) > (0.2 if loss == "mape" else 0.4)


@pytest.mark.parametrize("n_hidden", [1, 20])
def test_r12_regression_trains_with_each_depth(diabetes, n_hidden):
    model = keras.Sequential(
        [keras.layers.Dense(30, activation="relu", kernel_initializer="he_normal") for _ in range(n_hidden)]
    )
    model.add(keras.layers.Dense(1))
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.002))
    model.fit(diabetes.X_train, diabetes.y_train, epochs=30, verbose=0)
    assert r2_score(diabetes.y_train, model.predict(diabetes.X_train, verbose=0)) > 0.4


def test_r12_regression_has_one_output_per_prediction_dimension(diabetes):
    inputs, targets = diabetes.X_train[:, :7], diabetes.X_train[:, 7:]
    model = keras.Sequential([keras.layers.Dense(30, activation="relu"), keras.layers.Dense(3)])
    model.compile(loss="mse", optimizer="adam")
    losses = model.fit(inputs, targets, epochs=40, verbose=0).history["loss"]
    assert model.predict(inputs, verbose=0).shape == (len(inputs), 3)
    assert losses[-1] < 0.5 * losses[0]


HIDDEN = pytest.mark.parametrize("hidden", ["relu", "sigmoid", "tanh"])


@HIDDEN
def test_r13_binary_classification(breast_cancer, hidden):
    model = trained(
        breast_cancer, breast_cancer.y_train, 1, hidden, "sigmoid", "binary_crossentropy", "accuracy"
    )
    assert model.evaluate(breast_cancer.X_test, breast_cancer.y_test, verbose=0)[1] > 0.93


def digit_labels(y: np.ndarray) -> np.ndarray:
    """Three labels of a digit: odd, greater than 4, drawn with a closed loop."""
    return np.stack([y % 2 == 1, y > 4, np.isin(y, [0, 6, 8, 9])], axis=1).astype("float32")


@HIDDEN
def test_r13_multi_label_binary_classification(digits, hidden):
    model = trained(
        digits, digit_labels(digits.y_train), 3, hidden, "sigmoid", "binary_crossentropy", "binary_accuracy"
    )
    y_hat = model.predict(digits.X_test, verbose=0) > 0.5
    assert np.all((y_hat == digit_labels(digits.y_test)).mean(axis=0) > 0.93)
    reported = model.evaluate(digits.X_test, digit_labels(digits.y_test), verbose=0)[1]
    np.testing.assert_allclose(reported, (y_hat == digit_labels(digits.y_test)).mean(), atol=1e-6)


@HIDDEN
@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
def test_r13_multi_class_classification(digits, hidden, loss):
    labels = (lambda y: y) if loss.startswith("sparse") else (lambda y: np.eye(10)[y])
    model = trained(digits, labels(digits.y_train), 10, hidden, "softmax", loss, "accuracy")
    assert model.evaluate(digits.X_test, labels(digits.y_test), verbose=0)[1] > 0.93
