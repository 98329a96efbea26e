"""Real data, small enough for a training within a tenth of a second."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.preprocessing import StandardScaler

import kerasish as keras


@pytest.fixture(autouse=True)
def same_draws():
    keras.utils.set_random_seed(0)


@pytest.fixture(scope="session")
def iris():
    """150 flowers, 4 measurements (standardized), 3 species."""
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.fixture(scope="session")
def species(iris):
    """The names of the species."""
    return np.array(["setosa", "versicolor", "virginica"], dtype=object)[iris[1]]


@pytest.fixture(scope="session")
def digits():
    """300 images of 8 × 8 pixels in [0, 1], 10 digits."""
    X, y = load_digits(return_X_y=True)
    return X[:300].reshape(-1, 8, 8) / 16, y[:300]


@pytest.fixture(scope="session")
def diabetes():
    """442 patients, 10 measurements; the progression of the disease, standardized."""
    X, y = load_diabetes(return_X_y=True)
    return X * 20, (y - y.mean()) / y.std()
