from __future__ import annotations

import copy
import pickle
import random

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import _get_feature_names

import kerasish as keras
from kerasish.callbacks import Callback, EarlyStopping
from kerasish.wrappers import BaseWrapper, KerasClassifier, KerasRegressor

layers = keras.layers


def build(meta, hidden=8, activation="relu"):
    units = meta["n_classes_"]
    return keras.Sequential([layers.Dense(hidden, activation), layers.Dense(units, "softmax")])


def build_regressor(meta, hidden=8):
    return keras.Sequential([layers.Dense(hidden, "relu"), layers.Dense(meta["n_outputs_"])])


def build_compiled():
    model = keras.Sequential([layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def classifier(model=build, **params):
    defaults = {
        "loss": "sparse_categorical_crossentropy",
        "optimizer": "adam",
        "optimizer__learning_rate": 0.05,
        "epochs": 10,
        "verbose": 0,
        "random_state": 0,
    }
    return KerasClassifier(model, **{**defaults, **params})


def regressor(model=build_regressor, **params):
    defaults = {
        "loss": "mse",
        "optimizer": "adam",
        "optimizer__learning_rate": 0.05,
        "epochs": 10,
        "verbose": 0,
    }
    return KerasRegressor(model, random_state=0, **{**defaults, **params})


# Parameters ---------------------------------------------------------------------------------------------------


def test_parameters_reach_where_they_are_routed_to(iris):
    clf = classifier(
        model__hidden=5,
        activation="tanh",
        metrics=["accuracy", "SparseTopKCategoricalAccuracy"],
        metrics__1__k=3,
        loss__ignore_class=2,
        compile__steps_per_execution=2,
        fit__epochs=2,
        fit__batch_size=50,
        callbacks=EarlyStopping,
        callbacks__monitor="loss",
    ).fit(*iris)
    model = clf.model_
    assert [layer.units for layer in model.layers] == [5, 3]
    assert model.layers[0].activation is keras.activations.tanh
    assert float(model.optimizer.learning_rate) == pytest.approx(0.05)
    assert model.steps_per_execution == 2
    assert model._compiled_loss.losses[0].ignore_class == 2
    assert clf.history_["sparse_top_k_categorical_accuracy"] == [1, 1]
    assert len(clf.history_["loss"]) == 2
    assert int(model.optimizer.iterations) == 2 * 3
    assert clf.callbacks_[0].monitor == "loss"


def test_get_params_holds_routed_parameters_and_those_of_the_builder():
    clf = classifier(model__hidden=5, activation="tanh")
    params = clf.get_params()
    assert params["model__hidden"] == 5
    assert params["activation"] == "tanh"
    assert clone(clf).get_params() == params


def test_set_params_takes_what_the_builder_names():
    clf = classifier().set_params(hidden=3, model__activation="tanh", callbacks__patience=1)
    assert clf.hidden == 3
    assert clone(clf).get_params()["callbacks__patience"] == 1


def test_parameters_of_a_nested_estimator():
    clf = classifier(validation_split=regressor(epochs=1))
    assert clf.get_params()["validation_split__epochs"] == 1
    assert clf.set_params(validation_split__epochs=3).validation_split.epochs == 3


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("epocs", "Invalid parameter 'epocs' for estimator KerasClassifier.*Did you mean 'epochs'"),
        ("hiden", "Did you mean 'hidden'"),
    ],
)
def test_unknown_parameter(name, message, iris):
    clf = classifier()
    with pytest.raises(ValueError, match=message):
        clf.set_params(**{name: 3})
    assert name not in clf.get_params()
    with pytest.raises(ValueError, match=message):
        classifier(**{name: 3}).fit(*iris)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model__hiden", "Invalid parameter 'model__hiden' for build.*Did you mean 'model__hidden'"),
        ("fit__epocs", "Did you mean 'fit__epochs'"),
        ("compile__los", "Did you mean 'compile__loss'"),
        ("optimizer__learning_rat", "Did you mean 'learning_rate'"),
    ],
)
def test_unknown_routed_parameter(name, message, iris):
    with pytest.raises(ValueError, match=message):
        classifier(**{name: 3}).fit(*iris)


def test_unknown_argument_of_fit_and_predict(iris):
    clf = classifier()
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'epoch'. Did you mean 'epochs'"):
        clf.fit(*iris, epoch=3)
    clf.fit(*iris, epochs=1).set_params(predict__batch=3)
    with pytest.raises(ValueError, match="Did you mean 'predict__batch_size'"):
        clf.predict(iris[0])


# Builders -----------------------------------------------------------------------------------------------------


def test_builder_is_told_about_the_data(iris, species):
    told = {}

    def build_and_tell(meta, compile_kwargs, params):
        told.update(
            meta, loss=compile_kwargs["loss"], optimizer=compile_kwargs["optimizer"], epochs=params["epochs"]
        )
        return build(meta)

    classifier(build_and_tell, epochs=1).fit(pd.DataFrame(iris[0], columns=list("abcd")), species)
    assert told["n_features_in_"] == 4
    assert told["X_shape_"] == (150, 4)
    assert list(told["feature_names_in_"]) == list("abcd")
    assert told["target_type_"] == "multiclass"
    assert list(told["classes_"]) == ["setosa", "versicolor", "virginica"]
    assert told["n_classes_"] == 3
    assert isinstance(told["optimizer"], keras.optimizers.Adam)
    assert told["loss"] == "sparse_categorical_crossentropy"
    assert told["epochs"] == 1


def test_builder_with_any_names(iris):
    given = {}

    def build_of_anything(**kwargs):
        given.update(kwargs)
        return build(kwargs["meta"])

    classifier(build_of_anything, epochs=1, depth=3, model__width=4).fit(*iris)
    assert set(given) == {"meta", "compile_kwargs", "params", "depth", "width"}


def test_builder_may_compile_with_the_parameters(iris):
    def build_and_compile(compile_kwargs):
        model = keras.Sequential([layers.Dense(3, "softmax")])
        model.compile(**compile_kwargs)
        return model

    clf = classifier(build_and_compile, epochs=1).fit(*iris)
    assert float(clf.model_.optimizer.learning_rate) == pytest.approx(0.05)


def test_builder_s_own_default_is_kept(iris):
    def build_with_optimizer(optimizer="adagrad"):
        model = keras.Sequential([layers.Dense(3, "softmax")])
        model.compile(optimizer, "sparse_categorical_crossentropy")
        return model

    clf = KerasClassifier(build_with_optimizer, verbose=0)
    assert isinstance(clf.fit(*iris).model_.optimizer, keras.optimizers.Adagrad)
    assert isinstance(clf.set_params(optimizer="sgd").fit(*iris).model_.optimizer, keras.optimizers.SGD)


def test_compiled_model_and_a_loss_that_agrees(iris):
    assert (
        KerasClassifier(build_compiled, loss="sparse_categorical_crossentropy", verbose=0)
        .fit(*iris)
        .initialized_
    )


@pytest.mark.parametrize(
    "params",
    [{"optimizer": "adam"}, {"optimizer__learning_rate": 1}, {"loss": "mse"}, {"metrics": ["accuracy"]}],
)
def test_compile_parameters_that_cannot_take_effect(params, iris):
    with pytest.raises(ValueError, match="cannot take effect: the model is compiled already"):
        KerasClassifier(build_compiled, verbose=0, **params).fit(*iris)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (
            None,
            ValueError,
            r"has no model: give a function that returns one, `KerasClassifier\(model=build\)`",
        ),
        (lambda: None, ValueError, "must return a model; does it end with `return model`"),
        (lambda: "model", ValueError, "Received: 'model'"),
        ("model", TypeError, "`model` must be a function that returns a model"),
    ],
)
def test_no_model(model, error, message, iris):
    with pytest.raises(error, match=message):
        classifier(model).fit(*iris)


def test_no_loss(iris):
    with pytest.raises(ValueError, match="must be compiled, or KerasClassifier be given a loss"):
        KerasClassifier(build, verbose=0).fit(*iris)


def test_model_instance_is_copied_with_its_weights(iris):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, "softmax")])
    before = copy.deepcopy(model.get_weights())
    clf = classifier(model)
    scores = [clf.fit(*iris).score(*iris) for _ in range(2)]
    assert scores[0] == scores[1] > 0.8
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    assert not model.compiled
    assert clone(clf).fit(*iris).score(*iris) == scores[0]


def test_parameters_for_a_builder_that_is_a_model(iris):
    with pytest.raises(ValueError, match="`model__…` need a function or class"):
        classifier(keras.Sequential([layers.Dense(3)]), model__hidden=3).fit(*iris)


@pytest.mark.parametrize(
    "model",
    [
        torch.nn.Linear(4, 3),
        lambda: torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3)),
    ],
)
def test_torch_module(model, iris, species):
    clf = classifier(model, loss=torch.nn.CrossEntropyLoss(), optimizer__learning_rate=0.1).fit(
        iris[0], species
    )
    assert clf.score(iris[0], species) > 0.8
    np.testing.assert_allclose(clf.predict_proba(iris[0]).sum(axis=1), 1, rtol=1e-5)


def test_torch_optimizer_gets_its_parameters(iris):
    loss = torch.nn.CrossEntropyLoss
    clf = KerasClassifier(torch.nn.Linear(4, 3), loss=loss, optimizer=torch.optim.AdamW, optimizer__lr=0.1)
    factory = clf.initialize(*iris).model_.optimizer.factory
    assert (factory.func, factory.keywords) == (torch.optim.AdamW, {"lr": 0.1})


def test_torch_module_class(iris):
    clf = classifier(
        torch.nn.Linear, model__in_features=4, model__out_features=3, loss=torch.nn.CrossEntropyLoss
    )
    assert clf.fit(*iris).score(*iris) > 0.8


def test_subclass_that_builds_its_model(iris):
    class MLPClassifier(KerasClassifier):
        def __init__(self, hidden_layer_sizes=(5,), optimizer="adam", epochs=10, verbose=0, **kwargs):
            super().__init__(**kwargs)
            self.hidden_layer_sizes = hidden_layer_sizes
            self.optimizer = optimizer
            self.epochs = epochs
            self.verbose = verbose

        def _keras_build_fn(self, compile_kwargs):
            hidden = [layers.Dense(n, "relu") for n in self.hidden_layer_sizes]
            model = keras.Sequential([*hidden, layers.Dense(self.n_classes_, "softmax")])
            model.compile(compile_kwargs["optimizer"], "sparse_categorical_crossentropy")
            return model

    clf = clone(MLPClassifier(hidden_layer_sizes=(6, 7), optimizer__learning_rate=0.05, random_state=0)).fit(
        *iris
    )
    assert [layer.units for layer in clf.model_.layers] == [6, 7, 3]
    assert clf.score(*iris) > 0.8


def test_feature_encoder_and_target_encoder(diabetes):
    class TwoInputs(KerasRegressor):
        @property
        def feature_encoder(self):
            return FunctionTransformer(lambda X: {"left": X[:, :5], "right": X[:, 5:]})

        @property
        def target_encoder(self):
            return FunctionTransformer(lambda y: 2 * y, lambda y: y.reshape(-1) / 2)

    def build_two():
        left, right = keras.Input((5,), name="left"), keras.Input((5,), name="right")
        summed = layers.Add()([layers.Dense(8, "relu")(left), layers.Dense(8, "relu")(right)])
        return keras.Model({"left": left, "right": right}, layers.Dense(1)(summed))

    reg = TwoInputs(
        build_two, optimizer__learning_rate=0.05, optimizer="adam", loss="mse", epochs=10, verbose=0
    )
    reg.fit(*diabetes)
    assert reg.score(*diabetes) > 0.4
    assert (
        abs(reg.model_.predict(reg.feature_encoder_.transform(diabetes[0]), verbose=0)).max()
        > 1.2 * abs(reg.predict(diabetes[0])).max()
    )


def test_base_wrapper_leaves_targets_and_outputs_as_they_are(iris):
    wrapper = BaseWrapper(
        lambda: keras.Sequential([layers.Dense(3, "softmax")]),
        loss="sparse_categorical_crossentropy",
        verbose=0,
    )
    outputs = wrapper.fit(*iris).predict(iris[0])
    np.testing.assert_array_equal(outputs, wrapper.model_.predict(iris[0], verbose=0))


def test_base_wrapper_has_no_score(iris):
    wrapper = BaseWrapper(lambda: keras.Sequential([layers.Dense(1)]), loss="mse", verbose=0).fit(*iris)
    with pytest.raises(NotImplementedError, match="must define `scorer"):
        wrapper.score(*iris)


# Training -----------------------------------------------------------------------------------------------------


def test_the_same_random_state_gives_the_same_model_and_leaves_global_draws_alone(iris):
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    expected = random.random(), np.random.rand(), torch.rand(()).item()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    first, second, other = (classifier(random_state=seed).fit(*iris) for seed in (0, 0, 1))
    assert (random.random(), np.random.rand(), torch.rand(()).item()) == expected
    np.testing.assert_array_equal(first.predict_proba(iris[0]), second.predict_proba(iris[0]))
    assert not np.array_equal(first.predict_proba(iris[0]), other.predict_proba(iris[0]))


def test_without_random_state_the_global_seed_governs(iris):
    results = []
    for seed in (3, 3, 4):
        keras.utils.set_random_seed(seed)
        results.append(classifier(random_state=None, epochs=1).fit(*iris).predict_proba(iris[0]))
    np.testing.assert_array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])


def test_fit_begins_anew_and_warm_start_goes_on(iris):
    clf = classifier(epochs=2).fit(*iris)
    assert clf.fit(*iris).current_epoch == 2
    model = clf.model_
    assert clf.set_params(warm_start=True).fit(*iris).model_ is model
    assert clf.current_epoch == 2
    assert clf.partial_fit(*iris).current_epoch == 3


def test_partial_fit_trains_one_epoch_more(iris):
    X, y = iris
    clf = classifier(epochs=50).partial_fit(X[:20], y[:20], classes=[0, 1, 2])
    assert list(clf.classes_) == [0, 1, 2]
    model = clf.model_
    for _ in range(9):
        clf.partial_fit(X, y)
    assert clf.model_ is model
    assert clf.current_epoch == len(clf.history_["loss"]) == 10
    assert clf.score(X, y) > 0.8
    with pytest.raises(TypeError, match="takes no `epochs`"):
        clf.partial_fit(X, y, epochs=3)
    assert clf.fit(X, y, epochs=1).current_epoch == 1


def test_partial_fit_draws_on(iris):
    def shuffles():
        clf = classifier(lambda: keras.Sequential([layers.Dropout(0.5), layers.Dense(3, "softmax")]))
        return [clf.partial_fit(*iris).history_["loss"][-1] for _ in range(2)]

    assert shuffles() == shuffles()


def test_initialize_builds_without_training(iris):
    clf = classifier().initialize(*iris)
    assert clf.initialized_
    assert clf.current_epoch == 0
    assert clf.predict(iris[0]).shape == (150,)


def test_callbacks_are_this_fit_s_own(iris):
    class Count(Callback):
        def __init__(self):
            self.epochs = 0

        def on_epoch_end(self, epoch, logs=None):
            self.epochs += 1

    given = Count()
    clf = classifier(callbacks=[given], epochs=2)
    assert clf.fit(*iris).callbacks_[0].epochs == 2
    assert clf.fit(*iris).callbacks_[0].epochs == 2
    assert clf.fit(*iris, callbacks=[given, Count]).callbacks_[1].epochs == 2
    assert given.epochs == 0


def test_early_stopping_by_a_stratified_split(iris):
    stop = EarlyStopping(patience=0, min_delta=10.0)
    splitter = StratifiedShuffleSplit(1, test_size=30, random_state=0)
    clf = classifier(callbacks=stop, validation_split=splitter, epochs=50).fit(*iris)
    assert clf.current_epoch == 2
    assert int(clf.model_.optimizer.iterations) == 2 * 4
    assert "val_loss" in clf.history_


def test_validation_data_in_the_form_of_the_data(iris, species):
    X, y = iris[0], species
    clf = classifier(epochs=1, metrics=["accuracy"])
    by_tuple = clf.fit(X, y, validation_data=(scipy.sparse.csr_array(X), list(y))).history_["val_loss"]
    by_names = clf.fit(X, y, X_val=pd.DataFrame(X), y_val=y).history_["val_loss"]
    weighted = clf.fit(X, y, validation_data=(X, y, np.ones(150))).history_["val_loss"]
    assert by_tuple == by_names == pytest.approx(weighted, rel=1e-5)


def test_batch_size_of_all_records(iris):
    clf = classifier(batch_size=-1, epochs=3, predict__batch_size=-1).fit(*iris)
    assert int(clf.model_.optimizer.iterations) == 3
    assert clf.predict(iris[0]).shape == (150,)


def test_weight_zero_leaves_a_record_out(iris):
    X, y = iris
    weight = (y != 1).astype(float)
    left_out = classifier().fit(X, y, sample_weight=weight)
    assert list(left_out.classes_) == [0, 2]
    np.testing.assert_array_equal(left_out.predict(X), classifier().fit(X[y != 1], y[y != 1]).predict(X))


def test_class_weight_goes_by_label(iris, species):
    X = iris[0]
    heavy = {"setosa": 1e-3, "versicolor": 1e-3, "virginica": 100.0}
    counts = dict(
        zip(
            *np.unique(classifier(class_weight=heavy).fit(X, species).predict(X), return_counts=True),
            strict=True,
        )
    )
    assert counts["virginica"] > 60
    overridden = classifier(class_weight=heavy).fit(X, species, class_weight={"virginica": 1.0})
    assert (overridden.predict(X) == "virginica").sum() < 60


def test_balanced_class_weight_is_the_matching_sample_weight(iris):
    X, y = iris[0][:120], iris[1][:120]
    weight = np.where(y == 2, 120 / (3 * 20), 120 / (3 * 50))
    balanced = classifier(class_weight="balanced", epochs=2).fit(X, y)
    np.testing.assert_allclose(
        balanced.predict_proba(X),
        classifier(epochs=2).fit(X, y, sample_weight=weight).predict_proba(X),
        rtol=1e-5,
    )


def test_balanced_class_weight_of_one_hot_rows(iris):
    X, y = iris[0][:120], iris[1][:120]
    by_rows = classifier(class_weight="balanced", epochs=2).fit(X, np.eye(3)[y])
    by_numbers = classifier(class_weight="balanced", epochs=2).fit(X, y)
    np.testing.assert_allclose(by_rows.predict_proba(X), by_numbers.predict_proba(X), rtol=1e-5)


def test_class_weight_is_not_for_regressors(diabetes):
    with pytest.raises(TypeError, match="`class_weight` is for classifiers"):
        regressor().fit(*diabetes, class_weight={0: 1})


# Kinds of data ------------------------------------------------------------------------------------------------


def network(units, activation, outputs=1):
    def build_network():
        x = keras.Input((4,))
        hidden = layers.Dense(8, "relu")(x)
        heads = [layers.Dense(units, activation)(hidden) for _ in range(outputs)]
        return keras.Model(x, heads if outputs > 1 else heads[0])

    return build_network


@pytest.mark.parametrize(
    ("units", "activation", "loss"),
    [
        (1, "sigmoid", "binary_crossentropy"),
        (1, None, keras.losses.BinaryCrossentropy(from_logits=True)),
        (1, "tanh", "hinge"),
        (2, "softmax", "sparse_categorical_crossentropy"),
        (2, "softmax", "categorical_crossentropy"),
        (2, None, torch.nn.CrossEntropyLoss()),
    ],
)
def test_two_classes(units, activation, loss, iris):
    X, y = iris[0], np.where(iris[1] == 0, "setosa", "other")
    clf = classifier(network(units, activation), loss=loss).fit(X, y)
    assert clf.score(X, y) > 0.9
    decision = clf.decision_function(X)
    np.testing.assert_array_equal(clf.classes_[(decision > 0).astype(int)], clf.predict(X))
    if loss != "hinge":
        assert clf.predict_proba(X).shape == (150, 2)


def test_one_hot_rows(iris):
    X, y = iris[0], np.eye(3, dtype=int)[iris[1]]
    clf = classifier(network(3, "softmax"), loss="categorical_crossentropy").fit(X, y)
    assert clf.predict(X).shape == (150, 3)
    assert clf.score(X, y) > 0.8


def test_label_matrix(iris):
    X, y = iris[0], np.stack([iris[1] == 0, iris[1] > 0, iris[1] == 2], axis=1).astype(int)
    clf = classifier(network(3, "sigmoid"), loss="binary_crossentropy").fit(X, y)
    assert clf.score(X, y) > 0.8
    assert clf.predict_proba(X).shape == clf.decision_function(X).shape == (150, 3)


def test_several_columns_of_classes(iris, species):
    X, y = iris[0], np.stack([species.astype(str), np.where(iris[1] == 0, "small", "large")], axis=1)

    def build_two_heads(meta):
        x = keras.Input((4,))
        hidden = layers.Dense(8, "relu")(x)
        return keras.Model(x, [layers.Dense(units, "softmax")(hidden) for units in meta["n_classes_"]])

    clf = classifier(build_two_heads, loss=["sparse_categorical_crossentropy", "categorical_crossentropy"])
    clf.fit(X, y)
    assert clf.score(X, y) > 0.8
    assert clf.score(X, y, sample_weight=clf.predict(X)[:, 0] == y[:, 0]) > 0.9
    assert [len(classes) for classes in clf.classes_] == [3, 2]
    assert [p.shape for p in clf.predict_proba(X)] == [(150, 3), (150, 2)]


@pytest.mark.parametrize("outputs", [1, 2])
def test_several_numbers(outputs, diabetes):
    X, y = diabetes[0], np.stack([diabetes[1], -diabetes[1]], axis=1)

    def build_several():
        x = keras.Input((10,))
        hidden = layers.Dense(8, "relu")(x)
        return keras.Model(
            x, layers.Dense(2)(hidden) if outputs == 1 else [layers.Dense(1)(hidden) for _ in range(2)]
        )

    reg = regressor(build_several, loss="mse" if outputs == 1 else ["mse", "mse"]).fit(X, y)
    assert reg.predict(X).shape == (442, 2)
    assert reg.score(X, y) > 0.3


def test_images_and_shapes(digits):
    X, y = digits

    def build_for_images(n_neurons=30):
        flat = layers.Flatten(input_shape=[8, 8])
        return keras.Sequential([flat, layers.Dense(n_neurons, "relu"), layers.Dense(10, "softmax")])

    clf = classifier(build_for_images).fit(X, y)
    assert clf.score(X, y) > 0.8
    with pytest.raises(
        ValueError, match=r"X has shape \(300, 8, 7\), but KerasClassifier is expecting \(None, 8, 8\)"
    ):
        clf.predict(X[:, :, :7])


def test_frames_sparse_matrices_and_lists_are_all_the_same(iris, species):
    X, y = iris[0], species
    expected = classifier(epochs=2).fit(X, y).predict_proba(X)
    frame = pd.DataFrame(X, columns=list("abcd"))
    by_frame = classifier(epochs=2).fit(frame, pd.Series(y))
    assert list(by_frame.feature_names_in_) == list("abcd")
    np.testing.assert_array_equal(by_frame.predict_proba(frame), expected)
    sparse = scipy.sparse.csr_matrix(X)
    np.testing.assert_array_equal(classifier(epochs=2).fit(sparse, y).predict_proba(sparse), expected)
    by_lists = classifier(epochs=2).fit(X.tolist(), y.tolist())
    np.testing.assert_array_equal(by_lists.predict_proba(X.tolist()), expected)


def test_polars_frames(iris, species):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(iris[0], schema=list("abcd"))
    if _get_feature_names(frame) is None:
        pytest.skip("this scikit-learn is too old to find the names in this polars")
    clf = classifier(epochs=2).fit(frame, polars.Series(species.astype(str)))
    assert list(clf.feature_names_in_) == list("abcd")
    expected = classifier(epochs=2).fit(iris[0], species.astype(str))
    np.testing.assert_array_equal(clf.predict_proba(frame), expected.predict_proba(iris[0]))
    reg = regressor(epochs=1).fit(frame, polars.DataFrame({"size": iris[0][:, 0]}))
    assert reg.predict(frame).shape == (150, 1)
    with pytest.raises(ValueError, match="The feature names should match"):
        clf.predict(frame.rename({"a": "z"}))


def test_whole_numbers_to_predict(diabetes):
    y = np.arange(442)
    assert regressor(epochs=1).fit(diabetes[0], y).predict(diabetes[0]).dtype == np.float64


def test_regression_keeps_the_float_type_of_the_targets(diabetes):
    X, y = diabetes
    reg = regressor(epochs=1)
    assert reg.fit(X, y.astype(np.float32)).predict(X).dtype == np.float32
    assert reg.fit(X, y).predict(X).dtype == np.float64
    assert reg.fit(X, y[:, None]).predict(X).shape == (442, 1)


# Bad input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_use_before_fit(method, iris):
    with pytest.raises(NotFittedError, match="This KerasClassifier instance is not fitted yet"):
        getattr(classifier(), method)(iris[0])


def test_labels_unseen_in_training(iris, species):
    clf = classifier(epochs=1)
    with pytest.raises(ValueError, match="y contains previously unseen labels"):
        clf.fit(iris[0], species, validation_data=(iris[0], np.full(150, "rose", dtype=object)))
    with pytest.raises(ValueError, match="y contains previously unseen labels"):
        clf.partial_fit(iris[0], np.full(150, "rose", dtype=object))


def test_another_number_of_features(iris):
    clf = classifier(epochs=1).fit(*iris)
    with pytest.raises(ValueError, match="X has 3 features, but KerasClassifier is expecting 4 features"):
        clf.predict(iris[0][:, :3])


def test_targets_that_no_class_can_be_made_of(iris):
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        classifier().fit(iris[0], iris[0][:, 0])
    with pytest.raises(ValueError, match="contains NaN"):
        regressor().fit(iris[0], np.full(150, np.nan))


def test_all_weights_zero(iris):
    with pytest.raises(ValueError, match="at least one non-zero number"):
        classifier().fit(*iris, sample_weight=np.zeros(150))


def test_too_few_units(iris):
    with pytest.raises(ValueError, match=r"has 2 unit.s., but y has 3 classes"):
        classifier(network(2, "softmax")).fit(*iris)


# Keeping ------------------------------------------------------------------------------------------------------


def build_with_input(meta):
    return keras.Sequential([keras.Input((4,)), layers.Dense(3, "softmax")])


def build_functional(meta):
    x = keras.Input((4,))
    return keras.Model(x, layers.Dense(3, "softmax")(x))


@pytest.mark.parametrize("model", [build, build_with_input, build_functional])
def test_pickle_joblib_and_deepcopy(model, iris, tmp_path):
    clf = classifier(model, epochs=2, callbacks=EarlyStopping(monitor="loss")).fit(*iris)
    joblib.dump(clf, tmp_path / "clf.joblib")
    for again in (pickle.loads(pickle.dumps(clf)), joblib.load(tmp_path / "clf.joblib"), copy.deepcopy(clf)):
        np.testing.assert_array_equal(again.predict_proba(iris[0]), clf.predict_proba(iris[0]))
        assert again.get_params()["optimizer__learning_rate"] == 0.05
        assert again.partial_fit(*iris).current_epoch == 3


def test_callbacks_that_cannot_be_pickled_do_not_keep_the_estimator_from_it(iris):
    clf = classifier(epochs=1).fit(
        *iris, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda e, logs: None)]
    )
    assert len(clf.callbacks_) == 1
    assert not hasattr(pickle.loads(pickle.dumps(clf)), "callbacks_")


def test_unfitted_estimator_pickles():
    assert pickle.loads(pickle.dumps(classifier(model__hidden=3))).get_params()["model__hidden"] == 3


def test_representations(iris):
    clf = classifier(epochs=1)
    assert "optimizer__learning_rate=0.05" in repr(clf)
    assert "KerasClassifier" in clf.fit(*iris)._repr_html_()
