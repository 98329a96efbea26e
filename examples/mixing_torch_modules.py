"""torch modules and kerasish layers in one model: each layer is an `nn.Module`, each `nn.Module` a layer."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import kerasish as keras


class ResidualBlock(torch.nn.Module):
    """x + W₂ GELU(W₁ LayerNorm(x)), written as plain PyTorch."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.branch = torch.nn.Sequential(
            torch.nn.LayerNorm(size),
            torch.nn.Linear(size, size),
            torch.nn.GELU(),
            torch.nn.Linear(size, size),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.branch(x)


def sequential_model() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((64,)),
            torch.nn.Linear(64, 32),
            torch.nn.BatchNorm1d(32),
            keras.layers.Activation("relu"),
            ResidualBlock(32),
            torch.nn.Dropout(0.2),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


def functional_model() -> keras.Model:
    pixels = keras.Input((64,))
    x = keras.layers.Dense(32, activation="relu")(pixels)
    for _ in range(2):
        x = keras.layers.TorchModuleWrapper(ResidualBlock(32))(x)
    return keras.Model(pixels, keras.layers.Dense(10, activation="softmax")(x))


def torch_model() -> torch.nn.Module:
    return torch.nn.Sequential(
        keras.layers.Dense(32, activation="relu"), ResidualBlock(32), torch.nn.Linear(32, 10)
    )


def main(epochs: int = 20, seed: int = 42) -> dict[str, float]:
    """Train the two mixed Keras models with `fit`, and run a torch model that holds a Keras layer."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 16, y, test_size=0.2, random_state=seed)

    accuracies = {}
    for name, build in {"sequential": sequential_model, "functional": functional_model}.items():
        keras.utils.set_random_seed(seed)
        model = build()
        model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
        model.fit(X_train, y_train, epochs=epochs, verbose=0)
        accuracies[name] = model.evaluate(X_test, y_test, verbose=0)[1]
        print(f"{name}: {model.count_params():,} parameters, test accuracy {accuracies[name]:.1%}")

    model = torch_model()
    logits = model(torch.as_tensor(X_test.astype(np.float32), device=keras.config.get_device()))
    n_parameters = sum(parameter.numel() for parameter in model.parameters())
    print(f"torch.nn.Sequential: {n_parameters:,} parameters, logits of shape {tuple(logits.shape)}")
    return accuracies


if __name__ == "__main__":
    main()
