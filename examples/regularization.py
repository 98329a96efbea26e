"""Five remedies against overfitting, side by side: L1, L2, both, dropout and early stopping.

A wide MLP learns the measurements of 300 diabetes patients by heart; the other 142 show what it understood.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale

import kerasish as keras

REMEDIES: Mapping[str, Mapping[str, Any]] = {
    "none": {},
    "L1": {"kernel_regularizer": keras.regularizers.L1(0.005)},
    "L2": {"kernel_regularizer": keras.regularizers.L2(0.02)},
    "L1 + L2": {"kernel_regularizer": keras.regularizers.L1L2(l1=0.003, l2=0.01)},
    "dropout": {"dropout": 0.5},
    "early stopping": {},
}


def build_model(kernel_regularizer: Any = None, dropout: float = 0.0) -> keras.Model:
    model = keras.Sequential()
    for _ in range(2):
        model.add(keras.layers.Dense(100, activation="relu", kernel_regularizer=kernel_regularizer))
        model.add(keras.layers.Dropout(dropout))
    model.add(keras.layers.Dense(1))
    model.compile(loss="mse", optimizer="adam", metrics=["mse"])
    return model


def main(epochs: int = 100, seed: int = 42) -> dict[str, float]:
    """Train the MLP with each remedy and return the test errors (1 is the error of guessing the mean)."""
    X, y = load_diabetes(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(scale(X), scale(y), train_size=300, random_state=seed)

    test_errors = {}
    print(f"{'remedy':<15} {'epochs':>6} {'penalty':>8} {'training error':>15} {'test error':>11}")
    for name, options in REMEDIES.items():
        keras.utils.set_random_seed(seed)
        model = build_model(**options)
        stopping = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
        history = model.fit(
            X_train,
            y_train,
            epochs=epochs,
            validation_split=0.2,
            callbacks=[stopping] if name == "early stopping" else [],
            verbose=0,
        )
        training_error = model.evaluate(X_train, y_train, verbose=0)[1]
        cost, test_error = model.evaluate(X_test, y_test, verbose=0)
        print(
            f"{name:<15} {len(history.epoch):>6} {cost - test_error:>8.3f} "
            f"{training_error:>15.3f} {test_error:>11.3f}"
        )
        test_errors[name] = test_error
    return test_errors


if __name__ == "__main__":
    main()
