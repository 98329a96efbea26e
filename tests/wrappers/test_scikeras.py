"""What SciKeras's tutorials do, with one import changed."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.metrics import accuracy_score, mean_squared_error
from sklearn.model_selection import GridSearchCV, StratifiedShuffleSplit, cross_validate
from sklearn.preprocessing import LabelEncoder, MinMaxScaler

import kerasish as keras
from kerasish.callbacks import Callback, EarlyStopping, LearningRateScheduler
from kerasish.wrappers import BaseWrapper, KerasClassifier

layers = keras.layers


def build(meta, hidden=8):
    return keras.Sequential([layers.Dense(hidden, "relu"), layers.Dense(meta["n_classes_"], "softmax")])


def classifier(model=build, **params):
    defaults = {
        "loss": "sparse_categorical_crossentropy",
        "optimizer": "adam",
        "verbose": 0,
        "random_state": 0,
    }
    return KerasClassifier(model, **{**defaults, "optimizer__learning_rate": 0.05, "epochs": 2, **params})


# An estimator of one's own, which shares its layers with two others ------------------------------------------


class AutoEncoder(TransformerMixin, BaseWrapper):
    def _keras_build_fn(self, encoding_dim, meta):
        inputs, codes = keras.Input((meta["n_features_in_"],)), keras.Input((encoding_dim,))
        encoder = keras.Model(inputs, layers.Dense(encoding_dim, "relu")(inputs))
        decoder = keras.Model(codes, layers.Dense(meta["n_features_in_"], "sigmoid")(codes))
        self.encoder_model_ = BaseWrapper(encoder, verbose=self.verbose)
        self.decoder_model_ = BaseWrapper(decoder, verbose=self.verbose)
        return keras.Model(inputs, decoder(encoder(inputs)))

    def _initialize(self, X, y=None):
        X, _ = super()._initialize(X=X, y=y)
        self.decoder_model_.initialize(self.encoder_model_.initialize(X).predict(X))
        return X, X

    def fit(self, X, y=None, *, sample_weight=None):
        return super().fit(X=X, y=X, sample_weight=sample_weight)

    def score(self, X, y=None):
        return 1 - mean_squared_error(self.predict(X), X)

    def transform(self, X):
        return self.encoder_model_.predict(X)

    def inverse_transform(self, X):
        return self.decoder_model_.predict(X)


def test_autoencoder(iris):
    X = MinMaxScaler().fit_transform(iris[0]).astype("float32")
    params = {"loss": "binary_crossentropy", "optimizer": "adam", "verbose": 0, "random_state": 0}
    auto = AutoEncoder(encoding_dim=2, epochs=3, **params)
    before = AutoEncoder(encoding_dim=2, epochs=0, **params).fit(X).transform(X)
    auto.fit(X)
    assert auto.transform(X).shape == (150, 2)
    assert not np.allclose(auto.transform(X), before)
    np.testing.assert_allclose(auto.inverse_transform(auto.transform(X)), auto.predict(X), rtol=1e-5)
    again = pickle.loads(pickle.dumps(auto))
    np.testing.assert_array_equal(again.transform(X), auto.transform(X))
    search = GridSearchCV(auto, {"encoding_dim": [1, 2]}, cv=2).fit(X)
    assert search.best_estimator_.transform(X).shape == (150, search.best_params_["encoding_dim"])


# Encoders of one's own -----------------------------------------------------------------------------------------


class TwoTargets(TransformerMixin, BaseEstimator):
    def fit(self, y):
        self.encoders_ = [LabelEncoder().fit(column) for column in y.T]
        return self

    def transform(self, y):
        return [encoder.transform(column) for encoder, column in zip(self.encoders_, y.T, strict=True)]

    def inverse_transform(self, outputs, return_proba=False):
        if return_proba:
            return np.column_stack(outputs)
        numbers = [(outputs[0] > 0.5).astype(int).ravel(), outputs[1].argmax(axis=1)]
        return np.stack(
            [e.inverse_transform(n) for e, n in zip(self.encoders_, numbers, strict=True)], axis=1
        )

    def get_metadata(self):
        return {"n_classes_": [len(e.classes_) for e in self.encoders_], "n_outputs_expected_": 2}


class TwoTargetClassifier(KerasClassifier):
    @property
    def target_encoder(self):
        return TwoTargets()

    @staticmethod
    def scorer(y_true, y_pred, **kwargs):
        return np.mean([accuracy_score(a, b) for a, b in zip(y_true.T, y_pred.T, strict=True)])


def build_two_heads(meta):
    x = keras.Input((meta["n_features_in_"],))
    hidden = layers.Dense(20, "relu")(x)
    binary = layers.Dense(1, "sigmoid", name="binary")(hidden)
    return keras.Model(x, [binary, layers.Dense(meta["n_classes_"][1], "softmax", name="several")(hidden)])


@pytest.mark.parametrize(
    "loss",
    [
        ["binary_crossentropy", "sparse_categorical_crossentropy"],
        {"binary": "binary_crossentropy", "several": "sparse_categorical_crossentropy"},
    ],
)
def test_two_outputs_with_a_target_encoder(loss, iris, species):
    y = np.stack([np.where(iris[1] == 0, "small", "large"), species.astype(str)], axis=1)
    clf = TwoTargetClassifier(
        build_two_heads, loss=loss, optimizer="adam", optimizer__learning_rate=0.05, epochs=10, verbose=0
    ).fit(iris[0], y)
    assert clf.score(iris[0], y) > 0.8
    assert clf.predict(iris[0]).shape == (150, 2)
    assert clf.predict_proba(iris[0]).shape == (150, 4)


# A model that is there already ---------------------------------------------------------------------------------


def test_initialize_uses_the_given_model_itself_without_a_loss(iris):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, "softmax")])
    clf = KerasClassifier(model).initialize(*iris)
    assert clf.model_ is model
    np.testing.assert_array_equal(clf.predict(iris[0]), model.predict(iris[0], verbose=0).argmax(axis=1))
    with pytest.raises(ValueError, match="must be compiled, or KerasClassifier be given a loss"):
        clf.fit(*iris)
    assert (
        KerasClassifier(model, loss="sparse_categorical_crossentropy", verbose=0).fit(*iris).model_
        is not model
    )


def test_initialize_without_targets(iris):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    assert BaseWrapper(model).initialize(iris[0]).predict(iris[0]).shape == (150, 3)


def test_initialize_begins_anew(iris):
    assert classifier().fit(*iris).initialize(*iris).current_epoch == 0


# Callbacks -----------------------------------------------------------------------------------------------------


def test_callbacks_of_training_and_of_predictions(iris):
    heard = []

    class Listener(Callback):
        def __init__(self, name):
            self.name = name

        def on_train_begin(self, logs=None):
            heard.append((self.name, "train"))

        def on_predict_begin(self, logs=None):
            heard.append((self.name, "predict"))

    names = {
        "callbacks": {"first": Listener, "more": [Listener, Listener("given")]},
        "callbacks__first__name": "both",
        "callbacks__more__0__name": "nested",
        "fit__callbacks": Listener,
        "fit__callbacks__name": "fit",
        "predict__callbacks": [Listener],
        "predict__callbacks__name": "prediction",
    }
    clf = classifier(epochs=1, **names).fit(*iris)
    assert [name for name, _ in heard] == ["both", "nested", "given", "fit"]
    heard.clear()
    clf.predict(iris[0])
    assert heard == [(name, "predict") for name in ("both", "nested", "given", "prediction")]
    assert pickle.loads(pickle.dumps(classifier(epochs=1).fit(*iris))).predict(iris[0]).shape == (150,)


def test_search_over_parameters_of_a_callback(iris):
    clf = classifier(callbacks=EarlyStopping, callbacks__monitor="loss", callbacks__min_delta=10.0, epochs=9)
    grid = {"callbacks__patience": [1, 3], "model__hidden": [4]}
    search = GridSearchCV(clf, grid, cv=2).fit(*iris)
    assert search.best_estimator_.current_epoch == search.best_params_["callbacks__patience"] + 1


def test_arguments_by_position(iris):
    clf = classifier(callbacks=[LearningRateScheduler], callbacks__0__0=lambda epoch, lr: 0.5).fit(*iris)
    assert float(clf.model_.optimizer.learning_rate) == 0.5


def test_every_fold_stops_by_its_own_validation_split(iris):
    sizes = []

    class Splitter(StratifiedShuffleSplit):
        def split(self, X, y=None, groups=None):
            for train, valid in super().split(X, y, groups):
                sizes.append((len(train), list(np.bincount(y[valid]))))
                yield train, valid

    clf = classifier(
        validation_split=Splitter(1, test_size=30, random_state=0),
        callbacks=EarlyStopping(patience=0, min_delta=10.0),
        epochs=20,
    )
    results = cross_validate(clf, *iris, cv=3, return_estimator=True)
    assert [estimator.current_epoch for estimator in results["estimator"]] == [2, 2, 2]
    assert sizes == [(70, [10, 10, 10])] * 3


# Parameters ----------------------------------------------------------------------------------------------------


def test_sample_weights_as_parameters(iris):
    X, y = iris
    weight = np.where(y == 0, 0.0, 1.0)
    by_parameter = classifier(fit__sample_weight=weight).fit(X, y)
    np.testing.assert_array_equal(by_parameter.predict(X), classifier().fit(X, y, weight).predict(X))
    clf = classifier(score__sample_weight=weight).fit(X, y)
    assert clf.score(X, y) == accuracy_score(y, clf.predict(X), sample_weight=weight)
    assert clf.score(X, y, np.ones(150)) == accuracy_score(y, clf.predict(X))


def test_builder_hears_of_classes_to_come(iris):
    X, y = iris
    told = []
    clf = classifier(lambda meta: told.append(meta["target_type_"]) or build(meta))
    clf.partial_fit(X[y < 2], y[y < 2], classes=[0, 1, 2]).partial_fit(X, y)
    assert told == ["multiclass"]


def test_learning_rate_belongs_to_the_optimizer(iris):
    with pytest.raises(ValueError, match="Did you mean 'optimizer__learning_rate'"):
        classifier(learning_rate=0.1).fit(*iris)


def test_numbers_that_numpy_has_drawn(iris):
    clf = classifier(model__hidden=np.int64(5), epochs=np.int64(1), optimizer__learning_rate=np.float64(0.1))
    assert clf.fit(*iris).model_.layers[0].units == 5


class OwnDense(layers.Layer):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, shape):
        self.w = self.add_weight((shape[-1], self.units))

    def call(self, x):
        return keras.ops.softmax(x @ self.w)


class OwnModel(keras.Model):
    def __init__(self, hidden=4, **kwargs):
        super().__init__(**kwargs)
        self.hidden, self.head = layers.Dense(hidden, "relu"), OwnDense()

    def call(self, x):
        return self.head(self.hidden(x))


def own_loss(y_true, y_pred):
    return keras.losses.sparse_categorical_crossentropy(y_true, y_pred)


def test_class_of_a_model_and_other_custom_objects(iris):
    clf = classifier(OwnModel, model__hidden=5, loss=own_loss, callbacks=EarlyStopping("loss")).fit(*iris)
    assert clf.model_.hidden.units == 5
    again = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(again.predict_proba(iris[0]), clf.predict_proba(iris[0]))
    assert again.partial_fit(*iris).current_epoch == 3
    with pytest.raises(ValueError, match="Did you mean 'hidden'"):
        clf.set_params(hiden=5)


def test_subclass_that_asks_for_the_outputs(iris):
    class Certain(KerasClassifier):
        def certainty(self, X):
            return self._predict_raw(X, batch_size=50).max(axis=1)

    clf = Certain(build, loss="sparse_categorical_crossentropy", verbose=0).fit(*iris)
    np.testing.assert_array_equal(clf.certainty(iris[0]), clf.predict_proba(iris[0]).max(axis=1))


def test_validation_split_that_is_no_number(iris):
    with pytest.raises(ValueError, match=r"`validation_split` must be between 0 and 1. Received: 'a fifth'"):
        classifier(validation_split="a fifth").fit(*iris)
