from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFE, RFECV, SelectFromModel, SequentialFeatureSelector
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import kerasish as keras
from kerasish.callbacks import EarlyStopping
from kerasish.wrappers import KerasClassifier, KerasRegressor

layers = keras.layers


def build(meta, hidden=8):
    return keras.Sequential([layers.Dense(hidden, "relu"), layers.Dense(meta["n_classes_"], "softmax")])


def build_regressor(hidden=8):
    return keras.Sequential([layers.Dense(hidden, "relu"), layers.Dense(1)])


TRAINING = {
    "optimizer": "adam",
    "optimizer__learning_rate": 0.05,
    "epochs": 8,
    "verbose": 0,
    "random_state": 0,
    "run_eagerly": True,
}


# The default before 1.6 weighs by probabilities, which two estimators are too few for.
SAMME = {"algorithm": "SAMME"} if AdaBoostClassifier().get_params().get("algorithm") == "SAMME.R" else {}


@pytest.fixture
def clf():
    return KerasClassifier(build, loss="sparse_categorical_crossentropy", **TRAINING)


@pytest.fixture
def reg():
    return KerasRegressor(build_regressor, loss="mse", **TRAINING)


def test_grid_search(clf, iris, species):
    grid = {"model__hidden": [1, 8], "optimizer__learning_rate": [0.05]}
    search = GridSearchCV(clf, grid, cv=3).fit(iris[0], species)
    assert search.best_params_["model__hidden"] == 8
    assert search.best_score_ > 0.8
    assert search.best_estimator_.model_.layers[0].units == 8


def test_grid_search_over_optimizers_and_callbacks(clf, iris):
    clf.set_params(optimizer__learning_rate=0.1)
    grid = {"optimizer": ["sgd", keras.optimizers.Adam], "callbacks": [None, EarlyStopping("loss")]}
    search = GridSearchCV(clf, grid, cv=2).fit(*iris)
    assert search.best_params_["optimizer"] is keras.optimizers.Adam
    assert not np.isnan(search.cv_results_["mean_test_score"]).any()


def test_randomized_search(clf, iris):
    distributions = {"optimizer__learning_rate": loguniform(1e-2, 1e-1), "model__hidden": [4, 8]}
    search = RandomizedSearchCV(clf, distributions, n_iter=2, cv=2, random_state=0).fit(*iris)
    assert search.best_score_ > 0.7


def test_halving_search_over_epochs(clf, iris):
    search = HalvingGridSearchCV(
        clf, {"model__hidden": [1, 8]}, resource="epochs", max_resources=8, min_resources=4, factor=2, cv=2
    )
    assert search.fit(*iris).best_estimator_.current_epoch == 8


def test_folds_do_not_share_a_callback(clf, iris):
    stop = EarlyStopping("loss", patience=0, min_delta=10.0)
    results = cross_validate(clf.set_params(callbacks=stop), *iris, cv=3, return_estimator=True)
    assert [estimator.current_epoch for estimator in results["estimator"]] == [2, 2, 2]
    assert len({id(estimator.callbacks_[0]) for estimator in results["estimator"]}) == 3


def test_cross_validation_is_reproducible(clf, iris):
    first, second = (cross_val_score(clf, *iris, cv=3) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.mean() > 0.8
    folds = [
        fold
        for fold, _ in zip(*np.unique(cross_val_predict(clf, *iris, cv=3), return_counts=True), strict=True)
    ]
    assert folds == [0, 1, 2]


@pytest.mark.parametrize("scoring", ["roc_auc_ovr", "neg_log_loss", "f1_macro"])
def test_scorers(scoring, clf, iris):
    scores = cross_val_score(clf, *iris, cv=2, scoring=scoring)
    assert (scores > -0.5).all()


def test_cross_val_predict_of_probabilities(clf, iris):
    probabilities = cross_val_predict(clf, *iris, cv=2, method="predict_proba")
    assert probabilities.shape == (150, 3)
    assert (probabilities.argmax(axis=1) == iris[1]).mean() > 0.7


def test_learning_curve(clf, iris):
    sizes, _, scores = learning_curve(clf, *iris, cv=2, train_sizes=[0.5, 1.0], shuffle=True, random_state=0)
    assert list(sizes) == [37, 75]
    assert scores[-1].mean() > 0.7


def test_pipeline(clf, iris):
    pipe = make_pipeline(StandardScaler(), clf)
    assert pipe.fit(100 * iris[0] + 7, iris[1]).score(100 * iris[0] + 7, iris[1]) > 0.8
    pipe.set_params(kerasclassifier__model__hidden=3).fit(*iris, kerasclassifier__epochs=1)
    assert pipe[-1].model_.layers[0].units == 3
    assert pipe[-1].current_epoch == 1


def test_column_transformer_with_sparse_columns(clf, iris, species):
    frame = pd.DataFrame(iris[0], columns=list("abcd")).assign(
        size=np.where(iris[0][:, 0] > 0, "large", "small")
    )
    columns = make_column_transformer(
        (StandardScaler(), list("abcd")), (OneHotEncoder(), ["size"]), sparse_threshold=1.0
    )
    assert make_pipeline(columns, clf).fit(frame, species).score(frame, species) > 0.8


@pytest.mark.skipif(
    "transform_input" not in Pipeline._get_param_names(),
    reason="scikit-learn before 1.6 has no transform_input",
)
def test_pipeline_that_transforms_validation_data(clf, iris):
    X, y = 100 * iris[0] + 7, iris[1]
    with sklearn.config_context(enable_metadata_routing=True):
        clf.set_fit_request(X_val=True, y_val=True)
        pipe = Pipeline([("scale", StandardScaler()), ("net", clf)], transform_input=["X_val"])
        pipe.fit(X, y, X_val=X, y_val=y)
    assert pipe["net"].history_["val_loss"][-1] < 0.6


def test_metadata_routing_of_weights(clf, iris):
    weight = np.where(iris[1] == 0, 0.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        clf.set_fit_request(sample_weight=True, epochs=True).set_score_request(sample_weight=False)
        results = cross_validate(
            clf, *iris, cv=2, params={"sample_weight": weight, "epochs": 1}, return_estimator=True
        )
    for estimator in results["estimator"]:
        assert list(estimator.classes_) == [1, 2]
        assert estimator.current_epoch == 1


def test_metadata_that_nobody_asked_for(clf, iris):
    with (
        sklearn.config_context(enable_metadata_routing=True),
        pytest.raises(sklearn.exceptions.UnsetMetadataPassedError, match="validation_data"),
    ):
        cross_validate(clf, *iris, cv=2, params={"validation_data": iris})


@pytest.mark.parametrize(
    "make",
    [
        lambda clf: VotingClassifier([("net", clf), ("linear", LogisticRegression())], voting="soft"),
        lambda clf: StackingClassifier([("net", clf), ("linear", LogisticRegression())], cv=2),
        lambda clf: BaggingClassifier(clf, n_estimators=3, random_state=0),
        lambda clf: AdaBoostClassifier(clf, n_estimators=2, random_state=0, **SAMME),
        lambda clf: CalibratedClassifierCV(clf, cv=2),
        lambda clf: CalibratedClassifierCV(clf, cv=2, method="isotonic"),
        lambda clf: OneVsRestClassifier(clf),
    ],
    ids=[
        "voting",
        "stacking",
        "bagging",
        "boosting",
        "sigmoid_calibration",
        "isotonic_calibration",
        "one_vs_rest",
    ],
)
def test_classifiers_of_classifiers(make, clf, iris, species):
    estimator = make(clf).fit(iris[0], species)
    assert estimator.score(iris[0], species) > 0.8
    np.testing.assert_allclose(estimator.predict_proba(iris[0]).sum(axis=1), 1, rtol=1e-5)


def test_bagging_gives_every_network_a_seed(clf, iris):
    bagging = BaggingClassifier(clf, n_estimators=3, random_state=0).fit(*iris)
    assert len({estimator.random_state for estimator in bagging.estimators_}) == 3


def test_calibration_of_a_hinge_loss(iris):
    X, y = iris[0], iris[1] > 0
    clf = KerasClassifier(lambda: keras.Sequential([layers.Dense(1)]), loss="hinge", **TRAINING)
    calibrated = CalibratedClassifierCV(clf, cv=2).fit(X, y)
    assert calibrated.predict_proba(X).shape == (150, 2)
    assert calibrated.score(X, y) > 0.9


@pytest.mark.parametrize(
    "make",
    [
        lambda reg: TransformedTargetRegressor(reg, transformer=StandardScaler()),
        lambda reg: VotingRegressor([("net", reg), ("linear", Ridge())]),
        lambda reg: BaggingRegressor(reg, n_estimators=2, random_state=0),
    ],
    ids=["transformed_target", "voting", "bagging"],
)
def test_regressors_of_regressors(make, reg, diabetes):
    X, y = diabetes
    assert make(reg).fit(X, y).score(X, y) > 0.3


def test_permutation_importance(clf, iris):
    importance = permutation_importance(clf.fit(*iris), *iris, n_repeats=2, random_state=0).importances_mean
    assert importance[2:].sum() > importance[:2].sum()


@pytest.mark.parametrize(
    "make", [RFE, lambda clf: RFECV(clf, cv=2), SelectFromModel], ids=["rfe", "rfecv", "select"]
)
def test_selection_by_importances_is_told_no(make, clf, iris):
    with pytest.raises(
        TypeError, match=r"KerasClassifier has neither coef_ nor feature_.*permutation_importance"
    ):
        make(clf).fit(*iris).transform(iris[0])


def test_selection_by_scores_and_by_a_getter(clf, iris):
    def importances(estimator):
        return estimator.model_.layers[0].kernel.abs().sum(dim=1).detach().numpy()

    chosen = SequentialFeatureSelector(clf, n_features_to_select=1, cv=2).fit(*iris)
    assert chosen.get_support()[2:].any()
    assert RFE(clf, n_features_to_select=2, importance_getter=importances).fit(*iris).n_features_ == 2
    assert not hasattr(clf, "feature_importances_")


def test_failing_candidates_are_told(clf, iris):
    search = GridSearchCV(clone(clf), {"model__hidden": [8, -1]}, cv=2)
    with pytest.warns() as warned:
        search.fit(*iris)
    assert {w.category for w in warned} >= {sklearn.exceptions.FitFailedWarning, UserWarning}
    assert search.best_params_ == {"model__hidden": 8}
