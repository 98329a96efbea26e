"""Regression with a small MLP: the progression of diabetes from ten measurements of 442 patients."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import kerasish as keras


def build_model() -> keras.Model:
    model = keras.Sequential([keras.layers.Dense(30, activation="relu"), keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.003), metrics=[keras.metrics.R2Score()])
    return model


def main(epochs: int = 60, seed: int = 42) -> float:
    """Train and test the regressor, and return R² of the test set."""
    keras.utils.set_random_seed(seed)
    X, y = load_diabetes(return_X_y=True, scaled=False)
    X_train, X_test, y_train, y_test = train_test_split(X, y[:, None], test_size=0.2, random_state=seed)
    inputs, targets = StandardScaler().fit(X_train), StandardScaler().fit(y_train)

    model = build_model()
    model.fit(
        inputs.transform(X_train),
        targets.transform(y_train),
        epochs=epochs,
        validation_split=0.2,
        callbacks=[keras.callbacks.EarlyStopping(patience=10, restore_best_weights=True)],
        verbose=2,
    )
    _, r2 = model.evaluate(inputs.transform(X_test), targets.transform(y_test), verbose=0)

    y_hat = targets.inverse_transform(model.predict(inputs.transform(X_test), verbose=0))
    error = np.sqrt(np.mean((y_hat - y_test) ** 2))
    error_of_mean = np.sqrt(np.mean((y_train.mean() - y_test) ** 2))
    print(
        f"root mean squared error {error:.1f} (of always guessing the mean: {error_of_mean:.1f}), R² {r2:.3f}"
    )
    return r2


if __name__ == "__main__":
    main()
