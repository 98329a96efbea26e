"""scikit-learn's own checks, for every face.

They run in double precision, on the whole data at once and with a loss divided by the sum of the weights: so even
"a weight of 2 is a repeated record" holds, which scikit-learn lets its own SGDClassifier fail.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks

import kerasish as keras
from kerasish import wrappers
from kerasish.wrappers import scikit_learn

# Before 1.6 a check asks for a fit that has learnt something, and no class may need an argument.
IS_OLD = not hasattr(estimator_checks, "estimator_checks_generator")
estimator_checks_generator = (
    functools.partial(estimator_checks.check_estimator, generate_only=True)
    if IS_OLD
    else estimator_checks.estimator_checks_generator
)

layers, losses = keras.layers, keras.losses


@pytest.fixture(autouse=True)
def double_precision():
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


def compiled(units, activation, loss):
    model = keras.Sequential([layers.Dense(units, activation=activation)])
    model.compile(keras.optimizers.Adam(0.1), loss(reduction="mean_with_sample_weight"))
    return model


def build_classifier(meta):
    if meta["target_type_"] == "multilabel-indicator":
        return compiled(meta["n_classes_"], "sigmoid", losses.BinaryCrossentropy)
    return compiled(meta["n_classes_"], "softmax", losses.SparseCategoricalCrossentropy)


def build_regressor(meta):
    return compiled(meta["n_outputs_"], None, losses.MeanSquaredError)


def build_keras3_classifier(X, y):
    keras.utils.set_random_seed(0)
    return compiled(y.shape[1], "softmax", losses.CategoricalCrossentropy)


def build_keras3_regressor(X, y):
    keras.utils.set_random_seed(0)
    return compiled(1 if y is None else y.shape[1], None, losses.MeanSquaredError)


FIT = {"epochs": 10 if IS_OLD else 2, "verbose": 0, "batch_size": -1}
ESTIMATORS = [
    wrappers.KerasClassifier(build_classifier, random_state=0, **FIT),
    wrappers.KerasRegressor(build_regressor, random_state=0, **FIT),
    scikit_learn.KerasClassifier(build_classifier, random_state=0, **FIT),
    scikit_learn.KerasRegressor(build_regressor, random_state=0, **FIT),
    wrappers.SKLearnClassifier(build_keras3_classifier, fit_kwargs=FIT),
    wrappers.SKLearnRegressor(build_keras3_regressor, fit_kwargs=FIT),
    wrappers.SKLearnTransformer(build_keras3_regressor, fit_kwargs=FIT),
]


def name_of(estimator):
    return f"{type(estimator).__module__.removeprefix('kerasish.wrappers.')}.{type(estimator).__name__}"


def checks():
    for estimator in ESTIMATORS:
        for copy, check in estimator_checks_generator(estimator):
            options = ",".join(map(str, check.keywords.values())) if hasattr(check, "keywords") else ""
            function = getattr(check, "func", check)
            if IS_OLD and "SKLearn" in name_of(estimator) and "default_constructible" in function.__name__:
                continue
            yield pytest.param(copy, check, id=f"{name_of(estimator)}-{function.__name__}-{options}")


@pytest.mark.filterwarnings("ignore:Can't check dok sparse matrix:UserWarning")
@pytest.mark.parametrize(("estimator", "check"), list(checks()))
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
def test_checks_that_scikit_learn_leaves_out_for_non_deterministic_estimators(estimator):
    name = type(estimator).__name__
    estimator_checks.check_methods_sample_order_invariance(name, estimator)
    estimator_checks.check_methods_subset_invariance(name, estimator)
    X, y = make_blobs(30, random_state=0)
    alone, piped = clone(estimator).fit(X, y), make_pipeline(clone(estimator)).fit(X, y)
    np.testing.assert_allclose(piped.predict(X), alone.predict(X))
