"""The lecture's classifier of Fashion MNIST, from a look at the data to the confusion matrix.

Run `python examples/lecture.py --epochs 30 --output out`; the pictures appear in the output directory.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import ConfusionMatrixDisplay

import kerasish as keras

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def save_samples(
    images: np.ndarray, labels: np.ndarray, path: Path, rows: int = 4, columns: int = 10
) -> None:
    figure, grid = plt.subplots(rows, columns, figsize=(1.2 * columns, 1.4 * rows))
    for axes, image, label in zip(grid.flat, images, labels, strict=False):
        axes.imshow(image, cmap="binary")
        axes.set_title(CLASS_NAMES[label], fontsize=8)
        axes.axis("off")
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def build_model() -> keras.Model:
    model = keras.models.Sequential(
        [
            keras.layers.Flatten(input_shape=[28, 28]),
            keras.layers.Dense(300, activation="relu"),
            keras.layers.Dense(100, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
    return model


def save_learning_curve(history: keras.callbacks.History, path: Path) -> None:
    axes = pd.DataFrame(history.history, index=np.add(history.epoch, 1)).plot(figsize=(8, 5))
    axes.grid(True)
    axes.set_ylim(0, 1)
    axes.set_xlabel("epoch")
    axes.figure.savefig(path)
    plt.close(axes.figure)


def save_confusion_matrix(labels: np.ndarray, predictions: np.ndarray, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(8, 8))
    ConfusionMatrixDisplay.from_predictions(
        labels,
        predictions,
        labels=range(10),
        display_labels=CLASS_NAMES,
        xticks_rotation="vertical",
        colorbar=False,
        ax=axes,
    )
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def main(
    epochs: int = 30, seed: int = 42, output: Path = Path("out"), max_images: int | None = None
) -> float:
    """Train and test the classifier, save three pictures to `output`, and return the test accuracy."""
    keras.utils.set_random_seed(seed)
    output.mkdir(parents=True, exist_ok=True)

    (X_train_full, y_train_full), (X_test, y_test) = keras.datasets.fashion_mnist.load_data()
    X_valid, X_train = X_train_full[:5000] / 255.0, X_train_full[5000:][:max_images] / 255.0
    y_valid, y_train = y_train_full[:5000], y_train_full[5000:][:max_images]
    X_test = X_test / 255.0
    save_samples(X_train, y_train, output / "samples.png")

    model = build_model()
    model.summary()
    history = model.fit(X_train, y_train, epochs=epochs, validation_data=(X_valid, y_valid))
    save_learning_curve(history, output / "learning_curve.png")

    loss, accuracy = model.evaluate(X_test, y_test, verbose=0)
    probabilities = model.predict(X_test, verbose=0)
    predictions = np.argmax(probabilities, axis=-1)
    save_confusion_matrix(y_test, predictions, output / "confusion_matrix.png")

    print(f"test loss {loss:.4f}, test accuracy {accuracy:.4f}")
    print("the first three test images:", ", ".join(CLASS_NAMES[label] for label in predictions[:3]))
    print(probabilities[:3].round(2))
    print(f"the data, the learning curve and the confusion matrix are pictures in {output.resolve()}")
    return accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30, help="passes over the 55,000 training images")
    parser.add_argument(
        "--seed", type=int, default=42, help="seed of the initial weights and of the shuffling"
    )
    parser.add_argument("--output", type=Path, default=Path("out"), help="directory of the pictures")
    main(**vars(parser.parse_args()))
