from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

import kerasish as keras
from kerasish.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

try:
    from sklearn import frozen
except ImportError:  # scikit-learn before 1.6
    frozen = None

layers = keras.layers


def dynamic_model(X, y, loss, hidden=(8,), activation="softmax", units=None):
    inputs = x = keras.Input(X.shape[1:])
    for size in hidden:
        x = layers.Dense(size, activation="relu")(x)
    model = keras.Model(inputs, layers.Dense(units or y.shape[1], activation)(x))
    model.compile(optimizer=keras.optimizers.Adam(0.05), loss=loss)
    return model


@pytest.mark.parametrize(
    ("loss", "activation"),
    [
        ("categorical_crossentropy", "softmax"),
        ("sparse_categorical_crossentropy", "softmax"),
        (keras.losses.CategoricalCrossentropy(from_logits=True), None),
        (lambda y_true, y_pred: keras.losses.categorical_crossentropy(y_true, y_pred), "softmax"),
    ],
)
def test_classifier(loss, activation, iris, species):
    clf = SKLearnClassifier(dynamic_model, model_kwargs={"loss": loss, "activation": activation})
    assert clf.fit(iris[0], species, epochs=10, verbose=0) is clf
    assert clf.score(iris[0], species) > 0.8
    assert clf.history_.epoch == list(range(10))
    assert clf.epoch_ == 10
    np.testing.assert_allclose(clf.predict_proba(iris[0]).sum(axis=1), 1, rtol=1e-5)
    assert clf.decision_function(iris[0]).shape == (150, 3)


def test_one_sigmoid_unit(iris):
    X, y = iris[0], iris[1] > 0
    kwargs = {"loss": "binary_crossentropy", "activation": "sigmoid", "units": 1}
    clf = SKLearnClassifier(dynamic_model, model_kwargs=kwargs, fit_kwargs={"epochs": 10, "verbose": 0}).fit(
        X, y
    )
    assert clf.score(X, y) > 0.9
    assert clf.predict(X).dtype == bool
    assert clf.decision_function(X).shape == (150,)


def test_clone_keeps_all_arguments_and_fit_does_not_change_them(iris):
    fit_kwargs = {"epochs": 2, "verbose": 0}
    clf = SKLearnClassifier(dynamic_model, False, {"loss": "categorical_crossentropy"}, fit_kwargs)
    assert clone(clf).get_params() == clf.get_params()
    assert clone(clf).fit(*iris, epochs=3).epoch_ == 3
    assert fit_kwargs == {"epochs": 2, "verbose": 0}


def test_search_over_model_kwargs(iris):
    clf = SKLearnClassifier(dynamic_model, fit_kwargs={"epochs": 10, "verbose": 0})
    grid = {"model_kwargs": [{"loss": "categorical_crossentropy", "hidden": hidden} for hidden in [(), (8,)]]}
    assert GridSearchCV(clf, grid, cv=3).fit(*iris).best_score_ > 0.8


def compiled_model(units=3, activation="softmax", loss="categorical_crossentropy"):
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dense(units, activation)(inputs))
    model.compile(keras.optimizers.Adam(0.1), loss, metrics=["accuracy"])
    return model


def test_model_instance_is_cloned_with_new_weights(iris):
    model = compiled_model()
    before = model.get_weights()[0].copy()
    clf = SKLearnClassifier(model, fit_kwargs={"epochs": 10, "verbose": 0}).fit(*iris)
    np.testing.assert_array_equal(model.get_weights()[0], before)
    assert clf.model_ is not model
    assert clf.model_.optimizer is not model.optimizer
    assert float(clf.model_.optimizer.learning_rate) == pytest.approx(0.1)
    assert set(clf.history_.history) == {"loss", "accuracy"}
    assert clf.score(*iris) > 0.8
    assert clf.fit(*iris).model_.optimizer.iterations == clf.epoch_ * 5


def test_warm_start_uses_the_model_itself_and_goes_on(iris):
    model = compiled_model()
    clf = SKLearnClassifier(model, warm_start=True, fit_kwargs={"verbose": 0}).fit(*iris).fit(*iris)
    assert clf.model_ is model
    assert int(model.optimizer.iterations) == 2 * 5


def test_regressor(diabetes):
    kwargs = {"loss": "mse", "activation": None}
    reg = SKLearnRegressor(dynamic_model, model_kwargs=kwargs, fit_kwargs={"epochs": 10, "verbose": 0})
    assert reg.fit(*diabetes).predict(diabetes[0]).shape == (442,)
    assert cross_val_score(reg, *diabetes, cv=3).mean() > 0.3


def test_transformer(iris):
    model = compiled_model(units=2, activation=None, loss="mse")
    transformer = SKLearnTransformer(model, fit_kwargs={"epochs": 2, "verbose": 0})
    y = iris[0][:, :2]
    assert transformer.fit(iris[0], y).transform(iris[0]).shape == (150, 2)
    assert list(transformer.get_feature_names_out()) == ["sklearntransformer0", "sklearntransformer1"]
    frame = transformer.set_output(transform="pandas").transform(iris[0])
    assert list(frame.columns) == list(transformer.get_feature_names_out())


def test_transformer_in_a_pipeline(iris):
    kwargs = {"loss": "sparse_categorical_crossentropy", "units": 3}
    pipe = make_pipeline(SKLearnTransformer(dynamic_model, model_kwargs=kwargs), LogisticRegression())
    pipe.fit(*iris, sklearntransformer__verbose=0, sklearntransformer__epochs=3)
    assert pipe.score(*iris) > 0.8


def test_transformer_of_a_model_trained_elsewhere(iris):
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(8, "relu")(x))
    transformer = SKLearnTransformer(model)
    np.testing.assert_array_equal(transformer.transform(iris[0]), model.predict(iris[0], verbose=0))
    np.testing.assert_array_equal(transformer.predict(iris[0]), transformer.transform(iris[0]))
    assert len(transformer.get_feature_names_out()) == 8
    if frozen is not None:
        pipe = make_pipeline(frozen.FrozenEstimator(transformer), LogisticRegression()).fit(*iris)
        assert pipe.score(*iris) > 0.8
    with pytest.raises(NotFittedError):
        SKLearnTransformer(dynamic_model).transform(iris[0])


def test_validation_data_as_labels_or_as_one_hot_rows(iris, species):
    losses = []
    for y_val in (species, np.eye(3)[iris[1]]):
        keras.utils.set_random_seed(0)
        clf = SKLearnClassifier(compiled_model(), fit_kwargs={"verbose": 0, "epochs": 2})
        losses += clf.fit(iris[0], species, validation_data=(iris[0], y_val)).history_.history["val_loss"]
    assert losses[:2] == losses[2:]


def test_callbacks_are_copied(iris):
    stop = keras.callbacks.EarlyStopping("loss", min_delta=10.0)
    kwargs = {"loss": "categorical_crossentropy"}
    clf = SKLearnClassifier(dynamic_model, False, kwargs, {"callbacks": [stop], "epochs": 5, "verbose": 0})
    assert clf.fit(*iris).epoch_ == clf.fit(*iris).epoch_ == 2
    assert stop.model is None


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (
            keras.Sequential([layers.Dense(3)]),
            RuntimeError,
            "needs to be compiled, and have a loss and an optimizer",
        ),
        (lambda X, y: None, ValueError, "must return a Model. Received: None"),
        ("model", TypeError, "must be a Model, or a function"),
    ],
)
def test_no_model(model, error, message, iris):
    with pytest.raises(error, match=message):
        SKLearnClassifier(model).fit(*iris)
