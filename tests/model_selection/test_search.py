from __future__ import annotations

import logging
import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn.model_selection
import torch
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.metrics import make_scorer, mean_absolute_error
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import kerasish as keras
from kerasish import layers
from kerasish.model_selection import GridSearchCV, RandomizedSearchCV
from kerasish.wrappers import (
    KerasClassifier,
    KerasRegressor,
    SKLearnRegressor,
    SKLearnTransformer,
    scikit_learn,
)

X, Y = load_diabetes(return_X_y=True)
X, Y = (X * 20).astype("float32")[:100], ((Y - Y.mean()) / Y.std())[:100]
IRIS = load_iris(return_X_y=True)
TRAINING = {"optimizer": "adam", "epochs": 2, "batch_size": 16, "verbose": 0, "random_state": 0}


def build(hidden=4, penalty=None, rate=0.0, activation="relu"):
    return keras.Sequential(
        [
            keras.Input((X.shape[1],)),
            layers.Dense(hidden, activation, kernel_regularizer=penalty),
            layers.Dropout(rate),
            layers.Dense(1),
        ]
    )


def build_classifier(meta, hidden=4):
    layers_ = [layers.Dense(hidden, "tanh"), layers.Dense(meta["n_classes_"], "softmax")]
    return keras.Sequential(layers_)


def regressor(**changes):
    return KerasRegressor(build, **{"loss": "mse", **TRAINING, **changes})


def classifier(**changes):
    options = {"loss": "sparse_categorical_crossentropy", **TRAINING, **changes}
    return KerasClassifier(build_classifier, **options)


def both(estimator, grid, X=X, y=Y, params=None, **options):
    """The search here and scikit-learn's, from the same global random state."""
    searches = []
    for kind in (GridSearchCV, sklearn.model_selection.GridSearchCV):
        keras.utils.set_random_seed(3)
        searches.append(kind(clone(estimator), grid, **options).fit(X, y, **(params or {})))
    return searches


def assert_same_results(ours, theirs):
    for name, expected in theirs.cv_results_.items():
        if "time" in name:
            continue
        if name == "params" or name.startswith("param_"):
            assert list(ours.cv_results_[name]) == list(expected)
        elif not name.startswith("rank"):
            np.testing.assert_allclose(ours.cv_results_[name], expected, atol=1e-4, err_msg=name)
    assert ours.cv_results_.keys() == theirs.cv_results_.keys()
    assert ours.best_params_ == theirs.best_params_


RATES_IN_PIPELINE = {"kerasregressor__optimizer__learning_rate": [0.001, 0.01]}
DECAY = keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.9)
L2, L1L2 = keras.regularizers.L2, keras.regularizers.L1L2
RATES = {"optimizer__learning_rate": [0.001, 0.01]}


@pytest.mark.parametrize(
    ("changes", "grid"),
    [
        ({}, RATES),
        ({"random_state": None}, RATES),
        ({"shuffle": False}, RATES),
        ({"metrics": ["mae", keras.metrics.MeanSquaredError(name="squares")]}, RATES),
        ({"random_state": np.random.RandomState(1)}, RATES),
        ({"batch_size": 80}, RATES),
        ({"batch_size": 200}, RATES),
        ({"batch_size": -1}, RATES),
        ({}, {"hidden": [3, 5], **RATES}),
        ({}, {"epochs": [1, 2, 3]}),
        ({}, {"batch_size": [16, 40]}),
        ({}, {"optimizer": ["sgd", "adam", "rmsprop", "adamw", "nadam", "lion", "adagrad", "adamax"]}),
        ({"optimizer": keras.optimizers.SGD}, {"optimizer__momentum": [0.0, 0.9]}),
        ({"optimizer": keras.optimizers.Adam(DECAY)}, {"hidden": [3]}),
        ({}, {"model__penalty": [None, "l1", L2(0.1), L2(0.3), L1L2(0.1, 0.2)]}),
        ({}, {"loss": ["mse", "mae", keras.losses.Huber(2.0), keras.losses.MeanSquaredError("sum")]}),
        ({}, {"model__activation": ["relu", "tanh", "gelu"]}),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "cv", [4, KFold(3, shuffle=True, random_state=0)], ids=["equal_folds", "unequal_folds"]
)
def test_the_scores_are_those_of_one_fit_after_the_other(changes, grid, cv):
    ours, theirs = both(regressor(**changes), grid, cv=cv)
    assert ours.stacked_ == len(theirs.cv_results_["params"]) * theirs.n_splits_
    assert_same_results(ours, theirs)


def test_classes_and_weights():
    weight = np.linspace(0.5, 2, 150)
    ours, theirs = both(
        classifier(metrics=["accuracy"], class_weight="balanced"),
        {"hidden": [4], "optimizer__learning_rate": [0.01, 0.1]},
        *IRIS,
        params={"sample_weight": weight},
        cv=KFold(4, shuffle=True, random_state=0),
        scoring=["accuracy", "neg_log_loss"],
        refit="neg_log_loss",
        return_train_score=True,
    )
    assert ours.stacked_ == 8
    assert_same_results(ours, theirs)
    assert ours.best_estimator_.score(*IRIS) == theirs.best_estimator_.score(*IRIS)


def test_one_search_for_every_face():
    def build_compiled(hidden=4, **_):
        model = build(hidden)
        model.compile("adam", "mse")
        return model

    keras_2 = scikit_learn.KerasRegressor(build_compiled, epochs=2, verbose=0)
    keras_3 = SKLearnRegressor(build_compiled, fit_kwargs={"epochs": 2, "verbose": 0})
    for estimator, grid in ((keras_2, {"hidden": [3, 4]}), (keras_3, {"model_kwargs": [{"hidden": 3}]})):
        ours, theirs = both(estimator, grid, cv=3)
        assert ours.stacked_ == 3 * len(theirs.cv_results_["params"])
        assert_same_results(ours, theirs)


def test_randomized_search_draws_the_same_candidates():
    distributions = {"optimizer__learning_rate": loguniform(1e-3, 1e-1), "hidden": [3, 4]}
    ours, theirs = (
        kind(regressor(), distributions, n_iter=4, cv=2, random_state=5).fit(X, Y)
        for kind in (RandomizedSearchCV, sklearn.model_selection.RandomizedSearchCV)
    )
    assert ours.stacked_ > 4
    assert_same_results(ours, theirs)


def test_estimators_are_whole_ones_when_they_are_scored():
    seen = []

    def scorer(estimator, X_test, y_test):
        seen.append(estimator)
        return -mean_absolute_error(y_test, estimator.predict(X_test))

    search = GridSearchCV(regressor(metrics=["mae"], epochs=3), RATES, cv=2, scoring=scorer).fit(X, Y)
    assert search.stacked_ == 4
    assert len({id(estimator.model_) for estimator in seen}) == 4
    for estimator in seen:
        alone = clone(estimator)
        train = slice(50, 100) if seen.index(estimator) % 2 == 0 else slice(0, 50)
        alone.fit(X[train], Y[train])
        np.testing.assert_allclose(estimator.predict(X), alone.predict(X), atol=1e-5)
        assert list(estimator.history_) == list(alone.history_) == ["loss", "mae"]
        for name, values in alone.history_.items():
            np.testing.assert_allclose(estimator.history_[name], values, rtol=1e-5)
        assert estimator.current_epoch == 3
        assert estimator.n_features_in_ == 10
        restored = pickle.loads(pickle.dumps(estimator))
        np.testing.assert_array_equal(restored.predict(X), estimator.predict(X))


def test_pipelines_are_stacked_behind_their_transformers():
    pipe = Pipeline([("scale", StandardScaler()), ("net", regressor())])
    grid = {"scale__with_mean": [True, False], "net__optimizer__learning_rate": [0.01, 0.1]}
    ours, theirs = both(pipe, grid, X=X * 3 + 1, cv=3, params={"net__epochs": 3})
    assert ours.stacked_ == 12
    assert_same_results(ours, theirs)
    assert ours.best_estimator_["net"].current_epoch == 3


def test_pipeline_whose_transformer_draws_trains_again_on_what_it_gets_then():
    pipe = make_pipeline(PCA(10, svd_solver="randomized", iterated_power=0), regressor(epochs=20))
    search = GridSearchCV(pipe, RATES_IN_PIPELINE, cv=2, error_score="raise").fit(X, Y)
    assert search.stacked_ == 0
    assert np.isfinite(search.best_score_)


def test_frames_groups_and_callable_refit():
    frame = pd.DataFrame(X, columns=list("abcdefghij"))
    groups = np.arange(100) % 7
    ours, theirs = both(
        regressor(), RATES, X=frame, params={"groups": groups}, cv=GroupKFold(3), refit=lambda results: 0
    )
    assert ours.stacked_ == 6
    assert ours.best_index_ == 0
    assert list(ours.feature_names_in_) == list("abcdefghij")
    assert_same_results(ours, theirs)


def test_splits_that_differ_each_time_are_the_same_in_training_and_scoring():
    np.random.seed(0)
    search = GridSearchCV(
        regressor(epochs=20), {"hidden": [8]}, cv=ShuffleSplit(2), return_train_score=True
    ).fit(X, Y)
    assert search.stacked_ == 2
    assert isinstance(search.cv, ShuffleSplit)


def test_transformer_without_targets():
    def build_compiled(**_):
        model = keras.Sequential([layers.Dense(10)])
        model.compile("adam", "mse")
        return model

    transformer = SKLearnTransformer(build_compiled, fit_kwargs={"epochs": 1, "verbose": 0})
    search = GridSearchCV(transformer, {}, cv=2, scoring=lambda fitted, X: -abs(fitted.transform(X)).mean())
    with pytest.raises(ValueError, match="missing 1 required positional argument: 'y'"):
        search.fit(X)


def test_failing_candidates_get_the_error_score():
    search = GridSearchCV(regressor(), {"hidden": [4, -1]}, cv=2, error_score=-9.0)
    with pytest.warns(sklearn.exceptions.FitFailedWarning, match="2 fits failed"):
        search.fit(X, Y)
    assert list(search.cv_results_["mean_test_score"] == -9.0) == [False, True]
    assert search.stacked_ == 2
    with pytest.raises(ValueError, match="units"):
        search.set_params(error_score="raise").fit(X, Y)


def double(x):
    return x * 2


class OwnFit(KerasRegressor):
    def fit(self, X, y, **kwargs):
        return super().fit(X, y, **kwargs)


class OwnInitialize(KerasRegressor):
    def _initialize(self, X, y=None):
        return super()._initialize(X, y)


class OwnLayer(layers.Layer):
    def call(self, inputs):
        return inputs * 2


def with_convolution():
    return keras.Sequential([layers.Reshape((10, 1)), layers.Conv1D(2, 3), layers.Flatten(), layers.Dense(1)])


def with_batch_normalization():
    return keras.Sequential([layers.Dense(3), layers.BatchNormalization(), layers.Dense(1)])


@pytest.mark.parametrize(
    ("estimator", "reason"),
    [
        (Ridge(), "Ridge is no estimator"),
        (OwnFit(build, loss="mse", **TRAINING), "has its own fit"),
        (OwnInitialize(build, loss="mse", **TRAINING), "has its own _initialize"),
        (regressor(callbacks=keras.callbacks.EarlyStopping("loss")), "fit has callbacks"),
        (regressor(validation_split=0.2), "fit has validation_split"),
        (regressor(shuffle="batch"), "fit has shuffle"),
        (regressor(fit__steps_per_epoch=2), "fit has steps_per_epoch"),
        (regressor(warm_start=True), "warm_start is on"),
        (regressor(run_eagerly=True), "run_eagerly"),
        (regressor(optimizer="lamb"), "not elementwise"),
        (regressor(optimizer=torch.optim.Adam), "not elementwise"),
        (regressor(optimizer__clipnorm=1.0), "option of the optimizer"),
        (regressor(optimizer__use_ema=True), "option of the optimizer"),
        (regressor(loss=lambda y, p: (y - p) ** 2), "custom code"),
        (regressor(loss=torch.nn.MSELoss()), "not one of single records"),
        (regressor(metrics=[lambda y, p: (y - p) ** 2]), "custom code"),
        (regressor(metrics=["auc"]), "not a mean over records"),
        (regressor(compile__weighted_metrics=["mae"]), "weighted metrics"),
        (regressor(model__activation=double), "custom code"),
        (regressor(model__activation=lambda x: x * 2), "lambda"),
        (regressor(model__penalty=lambda w: 0.1 * (w**4).sum()), "penalty other than"),
        (regressor(model__rate=0.5), "random"),
        (KerasRegressor(with_batch_normalization, loss="mse", **TRAINING), "not trained by gradients"),
        (KerasRegressor(with_convolution, loss="mse", **TRAINING), "3 dimensions"),
        (KerasRegressor(lambda: keras.Sequential([OwnLayer(), layers.Dense(1)]), loss="mse", **TRAINING), "OwnLayer"),
        (make_pipeline(StandardScaler(), regressor(), memory="cache"), "memory"),
    ],
)  # fmt: skip
def test_what_cannot_be_stacked_runs_one_by_one(estimator, reason, caplog, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG, "kerasish")
    ours, theirs = both(estimator, {}, cv=2, return_train_score=True)
    assert ours.stacked_ == 0
    assert reason in caplog.text
    assert_same_results(ours, theirs)


def test_global_draws_are_those_of_one_fit_after_the_other_even_where_one_cannot_be_stacked(caplog):
    caplog.set_level(logging.DEBUG, "kerasish")
    ours, theirs = both(regressor(random_state=None), {"model__rate": [0.0, 0.5]}, cv=2)
    assert "random_state=None" in caplog.text
    assert ours.stacked_ == 0
    assert_same_results(ours, theirs)


def test_some_candidates_stack_and_others_do_not():
    grid = {"callbacks": [None, keras.callbacks.EarlyStopping("loss", patience=0)]}
    searches = [
        kind(regressor(), grid, cv=2).fit(X, Y)
        for kind in (GridSearchCV, sklearn.model_selection.GridSearchCV)
    ]
    assert searches[0].stacked_ == 2
    for name in ("split0_test_score", "split1_test_score"):
        np.testing.assert_allclose(searches[0].cv_results_[name], searches[1].cv_results_[name], atol=1e-4)


def test_stacks_are_no_larger_than_memory_allows(monkeypatch, caplog):
    caplog.set_level(logging.DEBUG, "kerasish")
    monkeypatch.setattr("kerasish.model_selection.search.LARGEST_STACK", 3 * 49 * 4)
    ours, theirs = both(regressor(), RATES, cv=4)
    assert ours.stacked_ == 8
    assert_same_results(ours, theirs)


def test_metadata_routing_goes_one_by_one():
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = regressor().set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
        search = GridSearchCV(estimator, RATES, cv=2).fit(X, Y, sample_weight=np.ones(100))
    assert search.stacked_ == 0


def test_times_are_shares_of_the_stack():
    search = GridSearchCV(regressor(epochs=10), RATES, cv=2).fit(X, Y)
    assert (search.cv_results_["mean_fit_time"] > 1e-3).all()
    assert search.refit_time_ > 0


def test_nothing_of_the_search_is_left_on_the_object():
    search = GridSearchCV(regressor(), RATES, cv=2, n_jobs=2).fit(X, Y)
    assert (search.n_jobs, search.cv) == (2, 2)
    restored = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(restored.predict(X), search.predict(X))
    assert clone(search).get_params().keys() == search.get_params().keys()


def test_scorer_object():
    ours, theirs = both(
        regressor(), RATES, cv=2, scoring=make_scorer(mean_absolute_error, greater_is_better=False)
    )
    assert_same_results(ours, theirs)
    assert ours.stacked_ == 4
