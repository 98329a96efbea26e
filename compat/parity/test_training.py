"""`compile`, `fit`, `evaluate`, `predict` and the steps on one batch against the real Keras 3, weights copied across.

On an output of softmax or sigmoid the crossentropies use the logits, as tf.keras does; Keras 3 on torch clips the
probabilities. The two differ only where an output saturates (p < 1e-7), which weights and inputs here are too small
for.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword"
)  # Keras's

STEPS, RECORDS, FEATURES, CLASSES = 5, 24, 4, 3
RNG = np.random.default_rng(0)
X = RNG.normal(0, 1, (RECORDS, FEATURES)).astype("float32")
TARGETS = {
    "real": RNG.normal(0, 1, (RECORDS, CLASSES)).astype("float32"),
    "positive": RNG.gamma(2, 1, (RECORDS, CLASSES)).astype("float32"),
    "binary": (RNG.random((RECORDS, 1)) < 0.4).astype("float32"),
    "labels": RNG.integers(0, CLASSES, RECORDS),
    "signs": np.sign(RNG.normal(0, 1, (RECORDS, CLASSES))).astype("float32"),
}
TARGETS["one_hot"] = np.eye(CLASSES, dtype="float32")[TARGETS["labels"]]
TARGETS["column"] = TARGETS["real"][:, :1]
WEIGHTS = RNG.uniform(0, 2, RECORDS).astype("float32")
WEIGHTS[3] = 0.0

LOSSES = [
    ("mse", None, "real"),
    ("MeanSquaredError", "tanh", "signs"),
    ("mae", None, "real"),
    ("mape", "softplus", "positive"),
    ("msle", "softplus", "positive"),
    ("huber", None, "real"),
    ("log_cosh", None, "real"),
    ("poisson", "exponential", "positive"),
    ("hinge", "tanh", "signs"),
    ("categorical_hinge", None, "one_hot"),
    ("cosine_similarity", None, "real"),
    ("kl_divergence", "softmax", "one_hot"),
    ("binary_crossentropy", "sigmoid", "binary"),
    (("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}), None, "binary"),
    (("BinaryFocalCrossentropy", {"gamma": 1.5}), "sigmoid", "binary"),
    ("categorical_crossentropy", "softmax", "one_hot"),
    (("CategoricalCrossentropy", {"from_logits": True}), None, "one_hot"),
    ("sparse_categorical_crossentropy", "softmax", "labels"),
    (("SparseCategoricalCrossentropy", {"from_logits": True, "reduction": "sum"}), None, "labels"),
    (("SparseCategoricalCrossentropy", {"ignore_class": 1}), "softmax", "labels"),
]
OPTIMIZERS = [
    ("SGD", {"learning_rate": 0.05}),
    ("SGD", {"learning_rate": 0.02, "momentum": 0.9, "nesterov": True, "clipnorm": 1.0}),
    ("Adam", {"learning_rate": 0.01}),
    ("RMSprop", {"learning_rate": 0.01, "momentum": 0.5}),
    ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.1}),
]


def mlp(K, units=CLASSES, activation=None, hidden=()):
    """A small net; `hidden` are more layers, each a name with its settings."""
    more = [getattr(K.layers, name)(**settings) for name, settings in hidden]
    return K.Sequential(
        [
            K.Input((FEATURES,)),
            K.layers.Dense(6, activation="tanh"),
            *more,
            K.layers.Dense(units, activation=activation),
        ]
    )


def two_heads(K):
    x = K.Input((FEATURES,), name="features")
    hidden = K.layers.Dense(5, activation="relu", name="hidden")(x)
    number = K.layers.Dense(1, name="number")(hidden)
    kind = K.layers.Dense(CLASSES, activation="softmax", name="kind")(hidden)
    return K.Model(x, [number, kind])


def make(K, entry, namespace):
    """A loss, optimizer or metric: by name, or as an object of the namespace with settings."""
    return entry if isinstance(entry, str) else getattr(getattr(K, namespace), entry[0])(**entry[1])


def pair(build, compile_with):
    """Our model and Keras's, compiled alike, with the same weights."""
    keras.utils.set_random_seed(0)
    models = []
    for K in (kerasish, keras):
        model = build(K)
        model.compile(**compile_with(K))
        models.append(model)
    models[0].set_weights(models[1].get_weights())
    return models


def assert_close(ours, theirs, tolerance=1e-5):
    if isinstance(theirs, dict):
        assert sorted(ours) == sorted(theirs)
        ours, theirs = [ours[key] for key in theirs], list(theirs.values())
    if isinstance(theirs, (list, tuple)):
        assert isinstance(ours, (list, tuple))
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert_close(a, b, tolerance)
        return
    assert np.shape(ours) == np.shape(theirs)
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def assert_same_steps(ours, theirs, x, y, **kwargs):
    for _ in range(STEPS):
        results = [model.train_on_batch(x, y, return_dict=True, **kwargs) for model in (ours, theirs)]
        assert_close(*results)
        assert_close(ours.get_weights(), theirs.get_weights())
    assert_close(ours.test_on_batch(x, y, return_dict=True), theirs.test_on_batch(x, y, return_dict=True))
    assert_close(ours.predict_on_batch(x), theirs.predict_on_batch(x))


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda entry: "-".join([entry[0], *entry[1]][:3]))
@pytest.mark.parametrize(("loss", "activation", "targets"), LOSSES, ids=str)
def test_steps(loss, activation, targets, optimizer):
    y = TARGETS[targets]
    units = 1 if targets == "binary" else CLASSES
    ours, theirs = pair(
        lambda K: mlp(K, units, activation),
        lambda K: {"loss": make(K, loss, "losses"), "optimizer": make(K, optimizer, "optimizers")},
    )
    assert_same_steps(ours, theirs, X, y)


HIDDEN = {
    "batch norm": [("BatchNormalization", {})],
    "batch norm, quick": [
        ("BatchNormalization", {"momentum": 0.5, "scale": False}), ("Activation", {"activation": "relu"}),
    ],
    "batch norm, frozen": [("BatchNormalization", {"trainable": False})],
    "frozen": [("Dense", {"units": 5, "trainable": False, "kernel_regularizer": "l2"})],
    "penalties": [("Dense", {"units": 5, "kernel_regularizer": "l2", "bias_regularizer": "l1"})],
    "penalty of the output": [("Dense", {"units": 5, "activity_regularizer": "l1l2"})],
    "penalty of an activation": [("Activation", {"activation": "relu", "activity_regularizer": "l2"})],
    "constraints": [("Dense", {"units": 5, "kernel_constraint": "unit_norm", "bias_constraint": "non_neg"})],
    "layers without weights": [
        ("Rescaling", {"scale": 2.0, "offset": 0.1}), ("Reshape", {"target_shape": (2, 3)}),
        ("Dropout", {"rate": 0.0}), ("Flatten", {}), ("Normalization", {"mean": 0.1, "variance": 2.0}),
    ],
}  # fmt: skip
EXTRAS = {
    "none": {},
    "sample_weight": {"sample_weight": WEIGHTS},
    "class_weight": {"class_weight": {0: 0.5, 1: 2.0, 2: 1.5}},
    "some classes": {"class_weight": {2: 3.0}},
}


@pytest.mark.parametrize("extra", EXTRAS)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_steps_with_state_penalties_and_weights(hidden, extra):
    ours, theirs = pair(
        lambda K: mlp(K, CLASSES, "softmax", HIDDEN[hidden]),
        lambda K: {
            "loss": "sparse_categorical_crossentropy",
            "optimizer": K.optimizers.Adam(0.01),
            "metrics": ["accuracy"],
            "weighted_metrics": ["accuracy", "sparse_categorical_crossentropy"],
        },
    )
    assert_same_steps(ours, theirs, X, TARGETS["labels"], **EXTRAS[extra])


METRICS = [
    ("mse", None, "real", ["mae", "mse", "RootMeanSquaredError", "r2_score"], None),
    ("mse", None, "column", ["accuracy", "mean_absolute_percentage_error"], ["mae"]),
    ("binary_crossentropy", "sigmoid", "binary", ["accuracy", "AUC", "Precision", "Recall"], ["acc"]),
    ("binary_crossentropy", "sigmoid", "binary", ["binary_crossentropy", "binary_accuracy"], ["mse"]),
    ("categorical_crossentropy", "softmax", "one_hot", ["accuracy", "CategoricalCrossentropy"], ["mae"]),
    ("categorical_crossentropy", "softmax", "one_hot", ["acc", ("TopKCategoricalAccuracy", {"k": 2})], ["mse"]),
    ("sparse_categorical_crossentropy", "softmax", "labels", ["accuracy"], ["accuracy"]),
    ("sparse_categorical_crossentropy", "softmax", "labels", ["Accuracy", "sparse_categorical_crossentropy"], None),
    ("sparse_categorical_crossentropy", "softmax", "labels", [], ["accuracy"]),
    ("mse", None, "real", None, None),
    ("mse", None, "real", [("MeanSquaredError", {"name": "first"}), ("MeanSquaredError", {"name": "second"})], ["mse"]),
    ("mse", None, "real", ["mae", "mae"], None),
]  # fmt: skip


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("loss", "activation", "targets", "metrics", "weighted_metrics"), METRICS, ids=str)
def test_metrics_in_history_and_evaluation(loss, activation, targets, metrics, weighted_metrics, weighted):
    def compile_with(K):
        made = [make(K, m, "metrics") for m in metrics] if isinstance(metrics, list) else metrics
        return {
            "loss": loss, "optimizer": K.optimizers.SGD(0.05), "metrics": made, "weighted_metrics": weighted_metrics,
        }  # fmt: skip

    y = TARGETS[targets]
    units = 1 if targets in ("binary", "column") else CLASSES
    ours, theirs = pair(lambda K: mlp(K, units, activation), compile_with)
    weights = {"sample_weight": WEIGHTS} if weighted else {}
    validation = (X[:7], y[:7], WEIGHTS[:7]) if weighted else (X[:7], y[:7])
    assert_same_fit(ours, theirs, X, y, epochs=2, batch_size=8, validation_data=validation, **weights)
    results = [m.evaluate(X, y, batch_size=7, verbose=0, return_dict=True, **weights) for m in (ours, theirs)]
    assert_close(*results, 1e-4)
    assert list(results[0]) == list(results[1])
    has_repeats = len([*(metrics or []), *(weighted_metrics or [])]) != len(
        {*map(str, metrics or []), *(weighted_metrics or [])}
    )
    if not has_repeats:  # Keras lists the first of two metrics of one name twice
        results = [m.evaluate(X, y, batch_size=7, verbose=0, **weights) for m in (ours, theirs)]
        assert_close(*results, 1e-4)
    assert ours.metrics_names == theirs.metrics_names


def assert_same_fit(ours, theirs, x, y, **kwargs):
    """The same history, its keys in the same order, and the same weights and predictions afterwards."""
    histories = [model.fit(x, y, shuffle=False, verbose=0, **kwargs) for model in (ours, theirs)]
    assert histories[0].epoch == histories[1].epoch
    assert list(histories[0].history) == list(histories[1].history)
    assert_close(histories[0].history, histories[1].history, 1e-4)
    assert_close(ours.get_weights(), theirs.get_weights(), 1e-4)
    assert_close(ours.predict(x, verbose=0, batch_size=7), theirs.predict(x, verbose=0, batch_size=7), 1e-4)
    return histories


FITS = {
    "defaults": {},
    "no rest": {"batch_size": 8, "epochs": 3},
    "short last batch": {"batch_size": 7, "epochs": 3},
    "one record at a time": {"batch_size": 1, "epochs": 2},
    "one batch": {"batch_size": 100, "epochs": 4},
    "validation_split": {"batch_size": 5, "epochs": 3, "validation_split": 0.3},
    "validation_split, odd": {"batch_size": 4, "epochs": 2, "validation_split": 0.23, "validation_batch_size": 2},
    "validation_data": {"batch_size": 8, "epochs": 3, "validation_data": (X[:9], TARGETS["labels"][:9])},
    "weighted validation": {"epochs": 2, "validation_data": (X[:9], TARGETS["labels"][:9], WEIGHTS[:9])},
    "validation_split with weights": {"epochs": 2, "validation_split": 0.25, "sample_weight": WEIGHTS},
    "validation_freq": {"epochs": 5, "validation_split": 0.25, "validation_freq": 2},
    "validation epochs": {"epochs": 5, "validation_split": 0.25, "validation_freq": [1, 4]},
    "validation_steps": {
        "epochs": 2, "validation_data": (X, TARGETS["labels"]), "validation_batch_size": 4, "validation_steps": 3,
    },
    "initial_epoch": {"epochs": 5, "initial_epoch": 3},
    "steps_per_epoch": {"batch_size": 4, "epochs": 2, "steps_per_epoch": 3},
    "sample_weight": {"batch_size": 7, "epochs": 3, "sample_weight": WEIGHTS},
    "class_weight": {"batch_size": 7, "epochs": 3, "class_weight": {0: 0.2, 1: 3.0}},
    "class_weight and validation_split": {"epochs": 2, "class_weight": {0: 0.2, 1: 3.0}, "validation_split": 0.25},
}  # fmt: skip


# A batch of one record is constant after batch normalization: which output is largest is a matter of rounding.
@pytest.mark.parametrize("hidden", ["batch norm", "penalties"])
@pytest.mark.parametrize("arguments", FITS)
def test_fit(arguments, hidden):
    hidden = "frozen" if arguments == "one record at a time" and hidden == "batch norm" else hidden
    ours, theirs = pair(
        lambda K: mlp(K, CLASSES, "softmax", HIDDEN[hidden]),
        lambda K: {
            "loss": "sparse_categorical_crossentropy",
            "optimizer": K.optimizers.RMSprop(0.005),
            "metrics": ["accuracy"],
            "weighted_metrics": ["sparse_categorical_crossentropy"],
        },
    )
    assert_same_fit(ours, theirs, X, TARGETS["labels"], **FITS[arguments])


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_steps_per_execution_and_second_fit(steps):
    ours, theirs = pair(
        lambda K: mlp(K),
        lambda K: {
            "loss": "mse",
            "optimizer": "adam",
            "metrics": ["mae"],
            "steps_per_execution": steps if K is kerasish else 1,  # Keras on torch refuses more
        },
    )
    for epochs in (2, 3):
        assert_same_fit(ours, theirs, X, TARGETS["real"], epochs=epochs, batch_size=5)


@pytest.mark.parametrize("change", ["learning rate", "trainable", "weights", "recompile", "fewer records"])
def test_changes_between_fits(change):
    def compile_with(K):
        return {"loss": "mse", "optimizer": K.optimizers.Adam(0.01), "metrics": ["mae"]}

    models = pair(lambda K: mlp(K, hidden=HIDDEN["batch norm"]), compile_with)
    assert_same_fit(*models, X, TARGETS["real"], epochs=2, batch_size=8)
    x = X
    for K, model in zip((kerasish, keras), models, strict=True):
        if change == "learning rate":
            model.optimizer.learning_rate = 0.001
        elif change == "trainable":
            model.layers[0].trainable = False
            model.compile(**compile_with(K))
        elif change == "weights":
            model.set_weights([0.5 * w for w in model.get_weights()])
        elif change == "recompile":
            model.compile(loss="mae", optimizer=K.optimizers.SGD(0.1), metrics=["mse"])
        else:
            x = X[:9]
    assert_same_fit(*models, x, TARGETS["real"][: len(x)], epochs=2, batch_size=8)


HEADS = {
    "list": {"loss": ["mse", "sparse_categorical_crossentropy"]},
    "dictionary": {"loss": {"kind": "sparse_categorical_crossentropy", "number": "mse"}},
    "loss_weights as list": {"loss": ["mse", "sparse_categorical_crossentropy"], "loss_weights": [0.3, 2.0]},
    "loss_weights as dictionary": {
        "loss": {"number": "mae", "kind": "sparse_categorical_crossentropy"},
        "loss_weights": {"number": 0.3, "kind": 2.0},
    },
    "metrics as dictionary": {
        "loss": ["mse", "sparse_categorical_crossentropy"],
        "metrics": {"kind": ["accuracy"], "number": ["mae", "mse"]},
    },
    "metrics as lists": {
        "loss": ["mse", "sparse_categorical_crossentropy"],
        "metrics": [["mae"], ["accuracy"]],
        "weighted_metrics": [["mse"], ["accuracy"]],
    },
    "metrics of one output": {
        "loss": ["mse", "sparse_categorical_crossentropy"],
        "loss_weights": [1.0, 0.5],
        "metrics": {"kind": "accuracy"},
    },
    "no loss for one output": {"loss": [None, "sparse_categorical_crossentropy"], "metrics": [None, ["accuracy"]]},
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Gradients do not exist")  # Keras's, of the output without a loss
@pytest.mark.parametrize("validation", [{}, {"validation_split": 0.25}])
@pytest.mark.parametrize("weights", [None, "list"])
@pytest.mark.parametrize("heads", HEADS)
def test_several_outputs(heads, weights, validation):
    ours, theirs = pair(two_heads, lambda K: {"optimizer": K.optimizers.SGD(0.05), **HEADS[heads]})
    y = [TARGETS["column"], TARGETS["labels"]]
    if heads == "dictionary":
        y = {"number": y[0], "kind": y[1]}
    arguments = dict(validation)
    if weights and isinstance(y, list):
        arguments["sample_weight"] = [WEIGHTS, WEIGHTS[::-1].copy()]
    assert_same_fit(ours, theirs, X, y, epochs=2, batch_size=7, **arguments)
    arguments.pop("validation_split", None)
    for return_dict in (False, True):
        settings = {"verbose": 0, "batch_size": 5, "return_dict": return_dict, **arguments}
        assert_close(ours.evaluate(X, y, **settings), theirs.evaluate(X, y, **settings), 1e-4)
        settings = {"return_dict": return_dict, **arguments}
        assert_close(ours.train_on_batch(X, y, **settings), theirs.train_on_batch(X, y, **settings), 1e-4)
        assert_close(ours.test_on_batch(X, y, **settings), theirs.test_on_batch(X, y, **settings), 1e-4)


def test_outputs_as_dictionary():
    def build(K):
        x = K.Input((FEATURES,), name="x")
        hidden = K.layers.Dense(5, activation="relu")(x)
        return K.Model(
            {"x": x}, {"b": K.layers.Dense(1, name="b")(hidden), "a": K.layers.Dense(3, name="a")(hidden)}
        )

    ours, theirs = pair(
        build,
        lambda K: {
            "optimizer": K.optimizers.SGD(0.05), "loss": {"a": "mse", "b": "mae"}, "loss_weights": {"a": 1.0, "b": 0.2},
            "metrics": {"a": ["mae"], "b": ["mse"]},
        },
    )  # fmt: skip
    y = {"a": TARGETS["real"], "b": TARGETS["column"]}
    assert_same_fit(ours, theirs, {"x": X}, y, epochs=2, batch_size=7)
    assert_close(ours.evaluate({"x": X}, y, verbose=0), theirs.evaluate({"x": X}, y, verbose=0), 1e-4)


def test_train_on_batch_goes_on_with_its_metrics():
    ours, theirs = pair(
        lambda K: mlp(K), lambda K: {"optimizer": K.optimizers.SGD(0.05), "loss": "mse", "metrics": ["mae"]}
    )
    for start in (0, 5, 11):
        rows = slice(start, start + 7)
        settings = {"return_dict": start == 5, "sample_weight": WEIGHTS[rows]}
        results = [m.train_on_batch(X[rows], TARGETS["real"][rows], **settings) for m in (ours, theirs)]
        assert_close(*results)
        for value in results[0] if isinstance(results[0], list) else results[0].values():
            assert isinstance(value, (float, np.floating, np.ndarray))
    for model in (ours, theirs):
        model.reset_metrics()
    results = [m.test_on_batch(X, TARGETS["real"]) for m in (ours, theirs)]
    assert_close(*results)


@pytest.mark.parametrize("batch_size", [None, 1, 7, 100])
@pytest.mark.parametrize("build", [mlp, two_heads])
def test_predict(build, batch_size):
    ours, theirs = build(kerasish), build(keras)
    ours.set_weights(theirs.get_weights())
    results = [model.predict(X, batch_size=batch_size, verbose=0) for model in (ours, theirs)]
    assert type(results[0]) is type(results[1])
    assert_close(*results)
    assert_close(ours.predict_on_batch(X), theirs.predict_on_batch(X))
    one = [model.predict(X[:1], verbose=0) for model in (ours, theirs)]
    assert_close(*one)
    called = [model(torch.tensor(X)) for model in (ours, theirs)]
    assert type(called[0]) is type(called[1])


@pytest.mark.parametrize(
    "y", ["column", "flat", "integers", "float64", "list"], ids=lambda value: f"targets: {value}"
)
def test_shapes_and_dtypes_of_targets(y):
    """A column and a flat array are the same targets; integers and float64 are cast."""
    column = TARGETS["column"]
    y = {
        "column": column, "flat": column[:, 0], "integers": np.round(column).astype(int),
        "float64": column.astype(float),
        "list": column.astype(float),
    }[y]  # fmt: skip
    ours, theirs = pair(
        lambda K: mlp(K, 1),
        lambda K: {"optimizer": K.optimizers.SGD(0.05), "loss": "mse", "metrics": ["mae"]},
    )
    assert_same_fit(ours, theirs, X.astype(float), y, epochs=2, batch_size=7)
