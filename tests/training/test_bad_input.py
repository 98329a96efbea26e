"""Every mistake gives a message that says where it is, what was expected and what was received."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers

X = np.random.default_rng(0).random((40, 8), dtype="float32")
Y = np.arange(40) % 3
ONE_HOT = np.eye(3, dtype="float32")[Y]


def classifier(
    loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=("accuracy",)
) -> keras.Sequential:
    model = keras.Sequential(
        [keras.Input((8,)), layers.Dense(5, name="hidden"), layers.Dense(3, activation="softmax")]
    )
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


def batches(count):
    for _ in range(count):
        yield X, Y


@pytest.mark.parametrize(
    "use",
    [
        lambda model, x: model.fit(x, Y, verbose=0),
        lambda model, x: model.evaluate(x, Y, verbose=0),
        lambda model, x: model.predict(x, verbose=0),
        lambda model, x: model.train_on_batch(x, Y),
        lambda model, x: model.predict_on_batch(x),
        lambda model, x: model(x),
    ],
    ids=["fit", "evaluate", "predict", "train_on_batch", "predict_on_batch", "call"],
)
def test_wrong_feature_count_names_the_layer_and_both_shapes(use):
    with pytest.raises(ValueError, match=r"layer 'hidden'.* expected \(None, 8\)\. Received: \(\d+, 5\)"):
        use(classifier(), X[:, :5])


def test_wrong_feature_count_while_drawing_a_graph():
    dense = layers.Dense(2, name="narrow")
    dense(keras.Input((4,)))
    with pytest.raises(ValueError, match=r"layer 'narrow'.* expected \(None, 4\)\. Received: \(None, 6\)"):
        dense(keras.Input((6,)))


@pytest.mark.parametrize(
    ("loss", "targets", "message"),
    [
        (
            "sparse_categorical_crossentropy",
            Y + 5,
            r"labels run from 5 to 7, but the model has 3 outputs.*8 outputs",
        ),
        (
            "sparse_categorical_crossentropy",
            Y - 1,
            r"labels run from -1 to 1.*Number the classes from 0",
        ),
        (
            "sparse_categorical_crossentropy",
            ONE_HOT,
            r"3 columns, as one-hot labels have\. Use loss='categorical_crossentropy'",
        ),
        (
            "sparse_categorical_crossentropy",
            Y + 0.5,
            r"not whole numbers.*mean_squared_error",
        ),
        (
            "categorical_crossentropy",
            Y,
            r"these are class numbers\. Use loss='sparse_categorical_crossentropy'.*to_categorical",
        ),
        ("categorical_crossentropy", np.eye(4)[Y], r"expected one-hot labels of shape \(\d+, 3\)"),
        ("binary_crossentropy", Y, r"Use loss='sparse_categorical_crossentropy' with activation='softmax'"),
        ("mse", np.ones((40, 2)), r"targets of shape \(40, 2\) do not fit outputs of shape \(\d+, 3\)"),
    ],
    ids=[
        "out of range",
        "negative",
        "one-hot under sparse",
        "fractions",
        "numbers under categorical",
        "four columns",
        "binary",
        "regression",
    ],
)
def test_labels_that_do_not_fit_the_loss(loss, targets, message):
    for method in ("fit", "evaluate"):
        with pytest.raises(ValueError, match=message):
            getattr(classifier(loss), method)(X, targets, verbose=0)


def test_one_output_under_a_softmax_loss():
    model = keras.Sequential([keras.Input((8,)), layers.Dense(1)])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match=r"one output.*binary_crossentropy"):
        model.fit(X, Y % 2, verbose=0)


@pytest.mark.parametrize(
    "fit",
    [
        lambda model: model.fit(X, Y[:-1], verbose=0),
        lambda model: model.fit(X, Y, sample_weight=np.ones(39), verbose=0),
        lambda model: model.fit(X, Y, validation_data=(X, Y[:-1]), verbose=0),
        lambda model: model.fit(X, Y[:-1], validation_split=0.5, verbose=0),
        lambda model: model.evaluate(X, Y[:-1], verbose=0),
    ],
    ids=["fit", "sample_weight", "validation_data", "validation_split", "evaluate"],
)
def test_different_lengths(fit):
    with pytest.raises(ValueError, match=r"must have the same number of records\. Received: .*40.*39"):
        fit(classifier())


@pytest.fixture
def nan_check():
    keras.config.enable_nan_check()
    yield
    keras.config.enable_nan_check(False)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize(
    "use",
    [
        lambda model, x: model.fit(x, Y, verbose=0),
        lambda model, x: model.fit(X, Y, validation_data=(x, Y), verbose=0),
        lambda model, x: model.evaluate(x, Y, verbose=0),
        lambda model, x: model.predict(x, verbose=0),
    ],
    ids=["fit", "validation", "evaluate", "predict"],
)
def test_nan_in_inputs_when_asked_to_look(nan_check, use, value):
    x = X.copy()
    x[7, 2] = value
    with pytest.raises(ValueError, match=r"`x` holds NaN or infinity, first in record 7"):
        use(classifier(), x)


def test_nan_in_targets_when_asked_to_look(nan_check):
    y = ONE_HOT.copy()
    y[3, 1] = np.nan
    with pytest.raises(ValueError, match=r"`y` holds NaN or infinity, first in record 3"):
        classifier("mse").fit(X, y, verbose=0)


def test_nan_passes_when_nobody_asked():
    x = X.copy()
    x[0] = np.nan
    history = classifier().fit(x, Y, epochs=1, verbose=0)
    assert np.isnan(history.history["loss"][0])


@pytest.mark.parametrize("strings", [np.array(["a", "b"] * 20), np.array(["a", "b"] * 20, dtype=object)])
def test_string_arrays(strings):
    with pytest.raises(ValueError, match=r"`y` holds values of type .*LabelEncoder.* Received.*'a'"):
        classifier().fit(X, strings, verbose=0)
    with pytest.raises(ValueError, match=r"`x` holds values of type .*cannot compute with"):
        classifier().predict(np.stack([strings] * 8, axis=1), verbose=0)


@pytest.mark.parametrize(
    "use",
    [
        lambda model: model.fit(X[:0], Y[:0], verbose=0),
        lambda model: model.fit([], [], verbose=0),
        lambda model: model.evaluate(X[:0], Y[:0], verbose=0),
        lambda model: model.predict(X[:0], verbose=0),
    ],
    ids=["fit", "lists", "evaluate", "predict"],
)
def test_empty_data(use):
    with pytest.raises(ValueError, match=r"`x` is empty.*Received: 0 records"):
        use(classifier())


def test_no_data():
    with pytest.raises(ValueError, match=r"`x` must be given: arrays, tensors, a DataLoader"):
        classifier().fit(verbose=0)
    with pytest.raises(TypeError, match=r"`x` must be arrays.*Received: <class 'int'>"):
        classifier().fit(3, verbose=0)
    with pytest.raises(ValueError, match=r"compiled with a loss, but no targets were given"):
        classifier().fit(X, verbose=0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: classifier("mean_sqared_error"),
            r"Unknown loss: 'mean_sqared_error'\. Did you mean 'mean_squared_error'",
        ),
        (lambda: classifier(optimizer="adamm"), r"Unknown optimizer: 'adamm'\. Did you mean 'adam'"),
        (lambda: classifier(metrics=["acuracy"]), r"Unknown metric: 'acuracy'\. Did you mean 'accuracy'"),
        (lambda: layers.Dense(3, activation="rellu"), r"Unknown activation: 'rellu'\. Did you mean 'relu'"),
        (lambda: layers.Activation("sofmax"), r"Unknown activation: 'sofmax'\. Did you mean 'softmax'"),
        (lambda: layers.Dense(3, kernel_initializer="he_norml"), r"Did you mean 'he_normal'"),
        (lambda: classifier(loss=3), r"Could not interpret the loss.*Received: 3"),
        (lambda: classifier(optimizer=3), r"Could not interpret optimizer.*Received: 3"),
        (lambda: classifier(metrics=[3]), r"Could not interpret the metric.*Received: 3"),
    ],
)
def test_unknown_names(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_not_compiled(method):
    model = keras.Sequential([layers.Dense(3)], name="raw")
    with pytest.raises(
        ValueError, match=rf"Model 'raw' must be compiled before `{method}`: call `model.comp"
    ):
        getattr(model, method)(X, Y)


@pytest.mark.parametrize("split", [1.0, -0.1, 1.5, True, "half"])
def test_wrong_validation_split(split):
    with pytest.raises(ValueError, match=r"`validation_split` must be between 0 and 1\. Received: "):
        classifier().fit(X, Y, validation_split=split, verbose=0)


def test_validation_split_that_leaves_nothing():
    with pytest.raises(ValueError, match=r"of 40 records leaves no record for training"):
        classifier().fit(X, Y, validation_split=0.99, verbose=0)
    with pytest.raises(ValueError, match=r"works on arrays only.*pass `validation_data`"):
        classifier().fit(batches(2), validation_split=0.5, verbose=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": -1}, r"`epochs` must be an integer of at least 0\. Received: epochs=-1"),
        ({"epochs": None}, r"`epochs` must be an integer of at least 0\. Received: epochs=None"),
        ({"epochs": 1.5}, r"`epochs` must be an integer"),
        ({"epochs": "3"}, r"`epochs` must be an integer.*'3'"),
        ({"initial_epoch": -1}, r"`initial_epoch` must be an integer"),
        ({"steps_per_epoch": 0}, r"`steps_per_epoch` must be a positive integer"),
        ({"validation_steps": 0}, r"`validation_steps` must be a positive integer"),
        ({"batch_size": -1}, r"`batch_size` must be a positive integer, or 0\. Received: batch_size=-1"),
        ({"batch_size": 2.5}, r"`batch_size` must be a positive integer"),
        ({"validation_data": (X, Y), "validation_freq": 0}, r"`validation_freq` must be a positive integer"),
        ({"validation_data": (X,)}, r"`validation_data` must be \(x, y\)"),
        ({"verbose": 7}, r"`verbose` must be 0, 1, 2 or 'auto'"),
        ({"class_weight": {"cat": 1.0}}, r"`class_weight` maps class indices"),
    ],
)
def test_wrong_numbers(arguments, message):
    with pytest.raises(ValueError, match=message):
        classifier().fit(X, Y, **{"verbose": 0, **arguments})


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__(name="own")
        self.dense = layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)


@pytest.mark.parametrize("model", [keras.Sequential([layers.Dense(3)], name="own"), Subclassed()])
def test_summary_of_a_model_without_shapes(model):
    with pytest.raises(ValueError, match=r"Model 'own' is not built yet.*build\(input_shape\)"):
        model.summary()
    with pytest.raises(ValueError, match=r"no weights before it is built"):
        model.count_params()


def test_generator_that_runs_dry():
    with pytest.warns(UserWarning, match=r"ran out after 1 of 2 steps of the epoch: training stops"):
        history = classifier().fit(batches(3), steps_per_epoch=2, epochs=5, verbose=0)
    assert len(history.history["loss"]) == 2
    with pytest.warns(UserWarning, match=r"generator ran out after epoch 1 of 3: training stops"):
        history = classifier().fit(batches(3), epochs=3, verbose=0)
    assert len(history.history["loss"]) == 1
    with pytest.warns(UserWarning, match=r"ran out after 3 of 5 steps"):
        classifier().evaluate(batches(3), steps=5, verbose=0)


def test_generator_that_is_at_its_end():
    with pytest.raises(ValueError, match=r"given as data is empty: it gave no batch"):
        classifier().fit(iter([]), verbose=0)
    model, source = classifier(), batches(2)
    model.fit(source, verbose=0)
    with pytest.raises(ValueError, match=r"no batch in this epoch.*one pass only"):
        model.fit(source, verbose=0)


def test_optimizer_of_another_model():
    optimizer = keras.optimizers.Adam()
    classifier(optimizer=optimizer).fit(X, Y, verbose=0)
    with pytest.raises(
        ValueError, match=r"Unknown variable: '.*kernel' .*built for other variables: make a new"
    ):
        classifier(optimizer=optimizer).fit(X, Y, verbose=0)


def test_torch_optimizer_of_another_model():
    stranger = classifier()
    with pytest.raises(ValueError, match=r"The SGD given to `compile` holds none of this model's weights"):
        classifier(optimizer=torch.optim.SGD(stranger.parameters(), lr=0.1)).fit(X, Y, verbose=0)


@pytest.mark.parametrize("name", ["y", "sample_weight", "batch_size"])
def test_arguments_that_do_not_go_with_batches(name):
    with pytest.raises(ValueError, match=rf"`{name}` must not be given when `x` is a generator"):
        classifier().fit(batches(2), verbose=0, **{name: 4})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"jit_compile": "yes"},
            r"`jit_compile` must be True, False or 'auto'\. Received: jit_compile='yes'",
        ),
        ({"jit_compile": True, "run_eagerly": True}, r"exclude each other"),
        ({"steps_per_execution": 0}, r"`steps_per_execution` must be a positive integer"),
    ],
)
def test_wrong_compile_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        keras.Sequential([layers.Dense(1)]).compile("sgd", "mse", **arguments)
