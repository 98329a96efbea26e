"""A training step of one's own: mixup, by overriding `train_step` and keeping `fit`.

Mixup trains on blends of two records and of their labels: x = λ xᵢ + (1 − λ) xⱼ, y = λ yᵢ + (1 − λ) yⱼ.
Source: Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2018, equation 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import kerasish as keras


class MixupModel(keras.Model):
    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        blend = torch.rand((len(x), 1), device=x.device)
        partner = torch.randperm(len(x), device=x.device)
        x = blend * x + (1 - blend) * x[partner]
        y = blend * y + (1 - blend) * y[partner]

        self.zero_grad()
        y_pred = self(x, training=True)
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred)
        loss.backward()

        trainable_weights = self.trainable_weights
        gradients = [weight.value.grad for weight in trainable_weights]
        with torch.no_grad():
            self.optimizer.apply(gradients, trainable_weights)

        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics}


def build_model(model_class: type[keras.Model]) -> keras.Model:
    pixels = keras.Input((64,))
    x = keras.layers.Dense(200, activation="relu")(pixels)
    x = keras.layers.Dense(200, activation="relu")(x)
    model = model_class(pixels, keras.layers.Dense(10, activation="softmax")(x))
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def main(epochs: int = 100, seed: int = 42) -> dict[str, float]:
    """Train on 300 digits without and with mixup, and return the test accuracies."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X.astype(np.float32) / 16,
        np.eye(10, dtype=np.float32)[y],
        train_size=300,
        random_state=seed,
        stratify=y,
    )
    accuracies = {}
    for model_class in (keras.Model, MixupModel):
        keras.utils.set_random_seed(seed)
        model = build_model(model_class)
        model.fit(X_train, y_train, epochs=epochs, verbose=0)
        loss, accuracy = model.evaluate(X_test, y_test, verbose=0)
        print(f"{model_class.__name__:<10} test loss {loss:.3f}, test accuracy {accuracy:.1%}")
        accuracies[model_class.__name__] = accuracy
    return accuracies


if __name__ == "__main__":
    main()
