"""R29–R30: regression, and the L1 and L2 penalties."""

from __future__ import annotations

import numpy as np
import pytest

import kerasish as keras


def test_r29_regression_fits_evaluates_and_predicts(diabetes):
    X_reg_training, y_reg_training, X_reg_val, y_reg_val, X_reg_test, y_reg_test = diabetes
    model_reg = keras.Sequential()
    model_reg.add(keras.layers.Dense(30, activation="relu"))
    model_reg.add(keras.layers.Dense(1))
    model_reg.compile(optimizer="sgd", loss="mse")
    history = model_reg.fit(
        X_reg_training, y_reg_training, epochs=30, validation_data=(X_reg_val, y_reg_val), verbose=0
    )
    assert set(history.history) == {"loss", "val_loss"}

    error = model_reg.evaluate(X_reg_test, y_reg_test)
    y_hat = model_reg.predict(X_reg_test)
    assert type(error) is float
    assert (y_hat.shape, y_hat.dtype) == ((len(X_reg_test), 1), np.float32)
    assert error == pytest.approx(np.mean((y_hat[:, 0] - y_reg_test) ** 2), rel=1e-5)
    assert error < 0.75 * np.mean((y_reg_test - y_reg_training.mean()) ** 2)


L1, L2 = 0.03, 0.02


def l1(W: np.ndarray) -> float:
    return L1 * np.abs(W).sum()


def l2(W: np.ndarray) -> float:
    return L2 * (W**2).sum()


PENALTIES = {
    "l1": (lambda: keras.regularizers.l1(L1), l1),
    "L1": (lambda: keras.regularizers.L1(l1=L1), l1),
    "l2": (lambda: keras.regularizers.l2(L2), l2),
    "L2": (lambda: keras.regularizers.L2(l2=L2), l2),
    "l1_l2": (lambda: keras.regularizers.l1_l2(l1=L1, l2=L2), lambda W: l1(W) + l2(W)),
    "L1L2": (lambda: keras.regularizers.L1L2(l1=L1, l2=L2), lambda W: l1(W) + l2(W)),
    "by_name": (lambda: "l2", lambda W: 0.01 * (W**2).sum()),
}


@pytest.mark.parametrize(("regularizer", "penalty"), PENALTIES.values(), ids=PENALTIES.keys())
def test_r30_reported_loss_is_data_loss_plus_penalty(diabetes, regularizer, penalty):
    X, y = diabetes.X_train, diabetes.y_train
    model = keras.Sequential(
        [
            keras.Input((10,)),
            keras.layers.Dense(4, activation="relu", kernel_regularizer=regularizer()),
            keras.layers.Dense(1, kernel_regularizer=regularizer(), bias_regularizer=regularizer()),
        ]
    )
    model.compile(optimizer="sgd", loss="mse", metrics=["mse"])

    def expected() -> tuple[float, float]:
        W1, _, W2, b2 = (weight.astype("float64") for weight in model.get_weights())
        data_loss = np.mean((model.predict(X, verbose=0)[:, 0] - y) ** 2)
        return data_loss + penalty(W1) + penalty(W2) + penalty(b2), data_loss

    before_training = expected()
    history = model.fit(X, y, batch_size=len(X), epochs=1, verbose=0).history
    assert (history["loss"][0], history["mse"][0]) == pytest.approx(before_training, rel=1e-5)
    model.fit(X, y, epochs=3, verbose=0)
    assert model.evaluate(X, y, verbose=0) == pytest.approx(expected(), rel=1e-5)
    assert float(sum(model.losses).detach()) == pytest.approx(expected()[0] - expected()[1], rel=1e-4)


def test_r30_penalty_enters_the_training_rule(diabetes):
    X, y, eta = diabetes.X_train, diabetes.y_train, 0.1
    model = keras.Sequential(
        [keras.Input((10,)), keras.layers.Dense(1, kernel_regularizer=keras.regularizers.l1_l2(l1=L1, l2=L2))]
    )
    model.compile(optimizer=keras.optimizers.SGD(eta), loss="mse")
    W, b = (weight.astype("float64") for weight in model.get_weights())
    error = 2 * (X @ W + b - y[:, None]) / len(X)
    W_new = W - eta * (X.T @ error + L1 * np.sign(W) + 2 * L2 * W)
    model.fit(X, y, batch_size=len(X), epochs=1, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], W_new, atol=1e-6)
    np.testing.assert_allclose(model.get_weights()[1], b - eta * error.sum(axis=0), atol=1e-6)


def test_r30_minibatch_descent_with_l1_and_l2_as_printed(diabetes):
    X_reg_training, y_reg_training, X_reg_val, y_reg_val, *_ = diabetes
    a, b = 0.01, 0.01
    n_records = 10
    model_reg = keras.Sequential()
    # no need to use a Flattern layer
    model_reg.add(keras.layers.Dense(4, activation="relu",
      kernel_regularizer=keras.regularizers.l1_l2(l1=a, l2=b)))  # fmt: skip
    model_reg.add(keras.layers.Dense(1))
    model_reg.compile(optimizer="sgd", loss="mse")
    history = model_reg.fit(X_reg_training, y_reg_training,
      validation_data=(X_reg_val, y_reg_val),
         epochs=40, batch_size=n_records, verbose=0)  # fmt: skip
    assert model_reg.optimizer.iterations == 40 * np.ceil(len(X_reg_training) / n_records)
    assert history.history["loss"][-1] < 0.7 * history.history["loss"][0]

    W = model_reg.layers[0].get_weights()[0].astype("float64")
    data_loss = np.mean((model_reg.predict(X_reg_val, verbose=0)[:, 0] - y_reg_val) ** 2)
    penalty = a * np.abs(W).sum() + b * (W**2).sum()
    assert history.history["val_loss"][-1] == pytest.approx(data_loss + penalty, rel=1e-5)


def test_r30_penalties_shrink_the_weights(diabetes):
    sizes = {}
    for name, regularizer in {
        "none": None,
        "l1": keras.regularizers.l1(0.1),
        "l2": keras.regularizers.l2(0.1),
    }.items():
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [
                keras.Input((10,)),
                keras.layers.Dense(20, activation="relu", kernel_regularizer=regularizer),
                keras.layers.Dense(1),
            ]
        )
        model.compile(optimizer="adam", loss="mse")
        model.fit(diabetes.X_train, diabetes.y_train, epochs=60, verbose=0)
        W = np.abs(model.layers[0].get_weights()[0])
        sizes[name] = (W.sum(), np.square(W).sum(), np.median(W))
    assert sizes["l1"][0] < 0.5 * sizes["none"][0]
    assert sizes["l2"][1] < 0.5 * sizes["none"][1]
    assert sizes["l1"][2] < 0.2 * sizes["none"][2], "L1 drives most weights to zero"
