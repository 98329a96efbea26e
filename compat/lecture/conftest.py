"""Data of the lecture's tests: the real Fashion MNIST, and scikit-learn's bundled sets, standardized."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from sklearn import datasets
from sklearn.model_selection import train_test_split

import kerasish as keras


class Split(NamedTuple):
    """Training, validation and test records, under the lecture's names."""

    X_train: np.ndarray
    y_train: np.ndarray
    X_valid: np.ndarray
    y_valid: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


@pytest.fixture(autouse=True)
def fresh_session():
    """Every test starts with default names uncounted and the same random draws."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(42)


@pytest.fixture
def float64():
    """Layers, losses and inputs in double precision, for comparisons to the last digits."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="session")
def fashion_mnist_images():
    """`((X_train_full, y_train_full), (X_test, y_test))` as `load_data()` gives them."""
    return keras.datasets.fashion_mnist.load_data()


@pytest.fixture(scope="session")
def fashion(fashion_mnist_images) -> Split:
    """The lecture's split and scaling, on the first 6,000 / 1,000 / 1,000 images of each part."""
    (X_train_full, y_train_full), (X_test, y_test) = fashion_mnist_images
    return Split(
        X_train_full[5000:11000] / 255.0,
        y_train_full[5000:11000],
        X_train_full[:1000] / 255.0,
        y_train_full[:1000],
        X_test[:1000] / 255.0,
        y_test[:1000],
    )


@pytest.fixture(scope="session")
def whole_fashion(fashion_mnist_images) -> Split:
    """The lecture's split and scaling of all images."""
    (X_train_full, y_train_full), (X_test, y_test) = fashion_mnist_images
    X_valid, X_train = X_train_full[:5000] / 255.0, X_train_full[5000:] / 255.0
    y_valid, y_train = y_train_full[:5000], y_train_full[5000:]
    return Split(X_train, y_train, X_valid, y_valid, X_test / 255.0, y_test)


def standardized(bunch) -> Split:
    """60 % training, 20 % validation, 20 % test; inputs with mean 0 and deviation 1 on the training part."""
    X, y = bunch.data, bunch.target
    X_rest, X_test, y_rest, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
    X_train, X_valid, y_train, y_valid = train_test_split(X_rest, y_rest, test_size=0.25, random_state=0)
    mean, deviation = X_train.mean(axis=0), X_train.std(axis=0) + 1e-3
    X_train, X_valid, X_test = ((part - mean) / deviation for part in (X_train, X_valid, X_test))
    return Split(X_train, y_train, X_valid, y_valid, X_test, y_test)


@pytest.fixture(scope="session")
def diabetes() -> Split:
    """442 patients, 10 measurements; the progression of the disease, standardized."""
    split = standardized(datasets.load_diabetes(scaled=False))
    mean, deviation = split.y_train.mean(), split.y_train.std()
    return split._replace(
        y_train=(split.y_train - mean) / deviation,
        y_valid=(split.y_valid - mean) / deviation,
        y_test=(split.y_test - mean) / deviation,
    )


@pytest.fixture(scope="session")
def breast_cancer() -> Split:
    """569 tumours, 30 measurements; malignant (0) or benign (1)."""
    return standardized(datasets.load_breast_cancer())


@pytest.fixture(scope="session")
def digits() -> Split:
    """1,797 handwritten digits of 8 × 8 pixels; classes 0 to 9."""
    return standardized(datasets.load_digits())


@pytest.fixture
def classifier():
    """The lecture's MLP, as printed and compiled as printed."""
    model = keras.models.Sequential()
    model.add(keras.layers.Flatten(input_shape=[28, 28]))
    model.add(keras.layers.Dense(300, activation="relu"))
    model.add(keras.layers.Dense(100, activation="relu"))
    model.add(keras.layers.Dense(10, activation="softmax"))
    model.compile(loss="sparse_categorical_crossentropy", optimizer="SGD", metrics=["accuracy"])
    return model
