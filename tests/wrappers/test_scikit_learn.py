from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV

import kerasish as keras
from kerasish.wrappers.scikit_learn import BaseWrapper, KerasClassifier, KerasRegressor


def build_model(n_hidden=1, n_neurons=30, input_shape=[8, 8]):  # noqa: B006
    model = keras.models.Sequential()
    model.add(keras.layers.Flatten(input_shape=input_shape))
    for _ in range(n_hidden):
        model.add(keras.layers.Dense(n_neurons, activation="relu"))
    model.add(keras.layers.Dense(10, activation="softmax"))
    model.compile(optimizer="SGD", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def build_regressor(optimizer="adagrad"):
    model = keras.models.Sequential([keras.layers.Dense(30, activation="relu"), keras.layers.Dense(1)])
    model.compile(optimizer=optimizer, loss="mse")
    return model


def test_grid_search_of_the_lecture(digits, capsys):
    X_train, y_train, X_valid, y_valid = digits[0][:240], digits[1][:240], digits[0][240:], digits[1][240:]
    keras_clf = KerasClassifier(build_model)
    param_distribs = {"n_hidden": [1, 2], "n_neurons": [5, 10]}
    search = GridSearchCV(keras_clf, param_distribs, cv=2)
    search.fit(
        X_train,
        y_train,
        epochs=2,
        validation_data=(X_valid, y_valid),
        callbacks=[keras.callbacks.EarlyStopping(patience=10)],
        verbose=0,
    )
    assert set(search.best_params_) == {"n_hidden", "n_neurons"}
    assert 0 < search.best_score_ < 1
    search.best_estimator_.model.summary()
    assert "Total params" in capsys.readouterr().out


def test_randomized_search(digits):
    search = RandomizedSearchCV(
        KerasClassifier(build_model, epochs=1, verbose=0), {"n_neurons": range(3, 9)}, n_iter=2, cv=2
    )
    search.fit(*digits)
    assert search.best_estimator_.model.layers[1].units == search.best_params_["n_neurons"]


def test_parameters_go_to_the_builder_and_to_fit(digits):
    clf = KerasClassifier(build_fn=build_model, n_hidden=2, epochs=2, batch_size=100, verbose=0)
    clf.set_params(n_neurons=7)
    assert {"n_hidden": 2, "n_neurons": 7, "epochs": 2}.items() <= clf.get_params().items()
    assert clone(clf).get_params() == clf.get_params()
    history = clf.fit(*digits).history
    assert len(history["accuracy"]) == 2
    assert [layer.units for layer in clf.model.layers[1:]] == [7, 7, 10]
    assert int(clf.model.optimizer.iterations) == 2 * 3


def test_score_is_the_accuracy(digits):
    X, y = digits
    clf = KerasClassifier(build_model, epochs=10, verbose=0).fit(X, y)
    assert clf.score(X, y) == pytest.approx(clf.model.evaluate(X, y, verbose=0)[1], abs=1e-6)
    np.testing.assert_array_equal(clf.predict_proba(X).argmax(axis=1), clf.predict(X))


def test_score_takes_arguments_of_predict(digits):
    clf = KerasClassifier(build_model, epochs=1, verbose=0).fit(*digits)
    assert clf.score(*digits, verbose=0, batch_size=50) == clf.score(*digits)


def test_fit_has_the_epochs_and_keeps_its_model(digits):
    clf = KerasClassifier(build_model, epochs=2, verbose=0).fit(*digits)
    assert clf.epoch == [0, 1]
    with pytest.raises(AttributeError, match=r"KerasClassifier\(model\)\.initialize\(X, y\)"):
        clf.model = clf.model_


def test_regressor_s_score_is_the_negative_loss(diabetes):
    X, y = diabetes
    reg = KerasRegressor(build_regressor, epochs=2, verbose=0).fit(X, y)
    assert reg.score(X, y) == pytest.approx(-np.mean((reg.predict(X) - y) ** 2), rel=1e-5)
    weight = np.arange(len(y)) / len(y)
    assert reg.score(X, y, sample_weight=weight) == pytest.approx(
        -reg.model.evaluate(X, y, sample_weight=weight, verbose=0)
    )


@pytest.mark.parametrize("optimizer", ["SGD", "RMSprop"])
def test_builder_s_argument_with_the_name_of_an_argument_of_compile(optimizer, diabetes):
    reg = KerasRegressor(build_regressor, optimizer=optimizer, verbose=0).fit(*diabetes)
    assert type(reg.model.optimizer).__name__ == optimizer


def test_subclass_that_is_its_own_builder(diabetes):
    class Regressor(KerasRegressor):
        def __call__(self, n_neurons=3):
            model = keras.Sequential([keras.layers.Dense(n_neurons), keras.layers.Dense(1)])
            model.compile(loss="mse")
            return model

    reg = Regressor(n_neurons=4, verbose=0).fit(*diabetes)
    assert reg.model.layers[0].units == 4


def test_unknown_parameter(digits):
    with pytest.raises(ValueError, match=r"Invalid parameter 'n_hiden'.*Did you mean 'n_hidden'"):
        KerasClassifier(build_model, n_hiden=2).fit(*digits)
    with pytest.raises(ValueError, match="Did you mean 'n_hidden'"):
        KerasClassifier(build_model).check_params({"n_hiden": 2})


def test_filter_sk_params():
    clf = KerasClassifier(build_model, n_hidden=2, epochs=3)
    assert clf.filter_sk_params(build_model) == {"n_hidden": 2}
    assert clf.filter_sk_params(keras.Model.fit, {"verbose": 0}) == {"epochs": 3, "verbose": 0}


def test_before_fit():
    clf = KerasClassifier(build_model)
    assert isinstance(clf, BaseWrapper)
    with pytest.raises(AttributeError, match="no model before `fit`"):
        clf.model  # noqa: B018
    with pytest.raises(AttributeError, match="no history before `fit`"):
        clf.history  # noqa: B018
