"""R14–R25: the lecture's classification of Fashion MNIST, slide by slide."""

from __future__ import annotations

import re

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import kerasish as keras

CLASS_NAMES = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
]


def test_r14_fashion_mnist_has_the_real_images():
    fashion_mnist = keras.datasets.fashion_mnist
    (X_train_full, y_train_full), (X_test, y_test) = fashion_mnist.load_data()
    assert X_train_full.shape == (60000, 28, 28)
    assert X_train_full.dtype == np.dtype("uint8")
    assert (X_test.shape, X_test.dtype) == ((10000, 28, 28), np.dtype("uint8"))
    assert (y_train_full.shape, y_train_full.dtype) == ((60000,), np.dtype("uint8"))
    assert (y_test.shape, y_test.dtype) == ((10000,), np.dtype("uint8"))
    np.testing.assert_array_equal(np.bincount(y_train_full), [6000] * 10)
    np.testing.assert_array_equal(np.bincount(y_test), [1000] * 10)
    # Mean and deviation that the data set's users normalize by: 0.2860 and 0.3530 of 255.
    assert X_train_full.mean() / 255 == pytest.approx(0.2860, abs=5e-5)
    assert X_train_full.std() / 255 == pytest.approx(0.3530, abs=5e-5)

    X_valid, X_train = X_train_full[:5000] / 255.0, X_train_full[5000:] / 255.0
    y_valid, y_train = y_train_full[:5000], y_train_full[5000:]
    assert (X_valid.shape, X_train.shape) == ((5000, 28, 28), (55000, 28, 28))
    assert X_train.dtype.kind == "f" and (X_train.min(), X_train.max()) == (0.0, 1.0)
    class_names = CLASS_NAMES
    assert class_names[y_train[0]] == "Coat"
    assert [class_names[label] for label in y_valid[:2]] == ["Ankle boot", "T-shirt/top"]


def one_by_one() -> keras.Model:
    model = keras.models.Sequential()
    model.add(keras.layers.Flatten(input_shape=[28, 28]))
    model.add(keras.layers.Dense(300, activation="relu"))
    model.add(keras.layers.Dense(100, activation="relu"))
    model.add(keras.layers.Dense(10, activation="softmax"))
    return model


def as_a_list() -> keras.Model:
    return keras.models.Sequential([
        keras.layers.Flatten(input_shape=[28, 28]),
        keras.layers.Dense(300, activation="relu"),
        keras.layers.Dense(100, activation="relu"),
        keras.layers.Dense(10, activation="softmax")])  # fmt: skip


def without_input_shape() -> keras.Model:
    return keras.models.Sequential(
        [
            keras.layers.Flatten(),
            keras.layers.Dense(300, activation="relu"),
            keras.layers.Dense(100, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


SHAPES = [(784, 300), (300,), (300, 100), (100,), (100, 10), (10,)]


@pytest.mark.parametrize("make", [one_by_one, as_a_list])
def test_r15_sequential_with_input_shape_is_built_at_once(make):
    model = make()
    assert model.built
    assert [weight.shape for weight in model.get_weights()] == SHAPES
    assert (model.input_shape, model.output_shape) == ((None, 28, 28), (None, 10))


@pytest.mark.parametrize("first_call", ["call", "predict", "fit"])
def test_r15_sequential_without_input_shape_is_built_at_the_first_call(fashion, first_call):
    model = without_input_shape()
    assert not model.built and model.weights == []
    if first_call == "call":
        model(fashion.X_train[:2])
    elif first_call == "predict":
        model.predict(fashion.X_train[:2], verbose=0)
    else:
        model.compile(loss="sparse_categorical_crossentropy", optimizer="SGD")
        model.fit(fashion.X_train[:64], fashion.y_train[:64], verbose=0)
    assert model.built
    assert [weight.shape for weight in model.get_weights()] == SHAPES


def test_r15_sequential_forms_compute_the_same(fashion):
    outputs = []
    for make in (one_by_one, as_a_list, without_input_shape):
        keras.utils.set_random_seed(1)
        outputs.append(make().predict(fashion.X_test[:50], verbose=0))
    np.testing.assert_array_equal(outputs[0], outputs[1])
    np.testing.assert_array_equal(outputs[0], outputs[2])


def test_r16_activation_by_name_equals_the_function(fashion):
    by_name = keras.layers.Dense(300, activation="relu")
    by_function = keras.layers.Dense(300, activation=keras.activations.relu)
    assert by_name.activation is by_function.activation
    assert by_name.get_config()["activation"] == by_function.get_config()["activation"] == "relu"
    X = fashion.X_test[:20].reshape(20, 784)
    by_name.build(X.shape)
    by_function.build(X.shape)
    by_function.set_weights(by_name.get_weights())
    outputs = by_name(X).detach().cpu().numpy()
    np.testing.assert_array_equal(outputs, by_function(X).detach().cpu().numpy())
    assert (outputs == 0).any() and (outputs > 0).any()


def summary_rows(text: str) -> list[list[str]]:
    """The cells of a summary's table, without its frame."""
    lines = [re.split(r"\s{2,}|[│┃|]", line.strip(" │┃|")) for line in text.splitlines()]
    return [cells for line in lines if len(cells := [cell.strip() for cell in line if cell.strip()]) == 3]


def test_r17_summary_shows_the_table_of_the_lecture(capsys):
    one_by_one()
    model = as_a_list()
    assert model.summary() is None
    text = capsys.readouterr().out
    assert 'Model: "sequential_1"' in text
    assert summary_rows(text) == [
        ["Layer (type)", "Output Shape", "Param #"],
        ["flatten_1 (Flatten)", "(None, 784)", "0"],
        ["dense_3 (Dense)", "(None, 300)", "235500"],
        ["dense_4 (Dense)", "(None, 100)", "30100"],
        ["dense_5 (Dense)", "(None, 10)", "1010"],
    ]
    assert "Total params: 266,610" in text
    assert "Trainable params: 266,610" in text
    assert "Non-trainable params: 0" in text


def test_r17_summary_default_names_count_up():
    first, second, third = one_by_one(), as_a_list(), without_input_shape()
    assert [model.name for model in (first, second, third)] == ["sequential", "sequential_1", "sequential_2"]
    assert [layer.name for layer in first.layers] == ["flatten", "dense", "dense_1", "dense_2"]
    assert [layer.name for layer in third.layers] == ["flatten_2", "dense_6", "dense_7", "dense_8"]
    keras.utils.clear_session()
    assert one_by_one().layers[1].name == "dense"


def test_r17_summary_counts_frozen_parameters_and_prints_elsewhere():
    lines: list[str] = []
    model = one_by_one()
    model.layers[1].trainable = False
    model.summary(print_fn=lambda line, *_, **__: lines.append(line))
    text = "\n".join(lines)
    assert "Trainable params: 31,110" in text
    assert "Non-trainable params: 235,500" in text


def test_r18_get_weights_gives_numpy_arrays():
    model = one_by_one()
    hidden1 = model.layers[1]
    weights, biases = hidden1.get_weights()
    assert type(weights) is type(biases) is np.ndarray
    assert weights.dtype == biases.dtype == np.float32
    assert weights.shape == (784, 300)
    assert biases.shape == (300,)
    np.testing.assert_array_equal(biases, np.zeros(300))
    weights[:] = 7.0
    assert hidden1.get_weights()[0].max() < 1.0, "get_weights must give copies"


def test_r19_compile_takes_both_spellings(fashion):
    losses = []
    for optimizer in ("SGD", "sgd", keras.optimizers.SGD(learning_rate=0.01)):
        keras.utils.set_random_seed(3)
        model = one_by_one()
        model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
        assert isinstance(model.optimizer, keras.optimizers.SGD)
        losses.append(model.fit(fashion.X_train[:640], fashion.y_train[:640], verbose=0).history["loss"])
    assert losses[0] == losses[1] == losses[2]


def test_r19_compile_takes_several_metrics(fashion):
    model = one_by_one()
    model.compile(
        loss="sparse_categorical_crossentropy",
        optimizer="sgd",
        metrics=[
            "accuracy",
            keras.metrics.SparseTopKCategoricalAccuracy(3, name="top_3"),
            "sparse_categorical_crossentropy",
        ],
    )
    X, y = fashion.X_test, fashion.y_test
    model.fit(fashion.X_train, fashion.y_train, verbose=0)
    results = model.evaluate(X, y, verbose=0, return_dict=True)
    y_proba = model.predict(X, verbose=0)
    ranks = (y_proba > y_proba[np.arange(len(y)), y][:, None]).sum(axis=1)
    assert results["accuracy"] == pytest.approx((ranks == 0).mean(), abs=1e-6)
    assert results["top_3"] == pytest.approx((ranks < 3).mean(), abs=1e-6)
    assert results["sparse_categorical_crossentropy"] == pytest.approx(results["loss"], rel=1e-4)
    assert set(results) == {"loss", "accuracy", "top_3", "sparse_categorical_crossentropy"}


def labels_as(kind: str, y: np.ndarray) -> np.ndarray:
    return {
        "index": y,
        "column": y[:, None],
        "one_hot": np.eye(10)[y],
        "binary": (y > 4).astype("float32"),
        "from_1": y + 1,
    }[kind]


@pytest.mark.parametrize(
    ("n_outputs", "activation", "labels", "loss", "fitting"),
    [
        (10, "softmax", "index", "categorical_crossentropy", "sparse_categorical_crossentropy"),
        (10, "softmax", "column", "categorical_crossentropy", "sparse_categorical_crossentropy"),
        (10, "softmax", "index", "binary_crossentropy", "sparse_categorical_crossentropy"),
        (10, "softmax", "one_hot", "sparse_categorical_crossentropy", "categorical_crossentropy"),
        (1, "sigmoid", "binary", "categorical_crossentropy", "binary_crossentropy"),
        (1, "sigmoid", "binary", "sparse_categorical_crossentropy", "binary_crossentropy"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_r20_mismatched_crossentropy_names_the_one_that_fits(
    fashion, n_outputs, activation, labels, loss, fitting, method
):
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(n_outputs, activation=activation)])
    model.compile(loss=loss, optimizer="sgd")
    X, y = fashion.X_train[:64], labels_as(labels, fashion.y_train[:64])
    with pytest.raises(
        ValueError, match=rf"(?s)Received.*['`\"]{fitting}['`\"]|['`\"]{fitting}['`\"].*Received"
    ):
        getattr(model, method)(X, y, verbose=0)


def test_r20_labels_beyond_the_classes_are_refused(fashion):
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")])
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd")
    with pytest.raises((ValueError, IndexError), match="10"):
        model.fit(fashion.X_train[:640], labels_as("from_1", fashion.y_train[:640]), verbose=0)


@pytest.mark.parametrize(
    ("n_outputs", "activation", "labels", "loss"),
    [
        (10, "softmax", "index", "sparse_categorical_crossentropy"),
        (10, "softmax", "column", "sparse_categorical_crossentropy"),
        (10, "softmax", "one_hot", "categorical_crossentropy"),
        (10, "sigmoid", "one_hot", "binary_crossentropy"),
        (1, "sigmoid", "binary", "binary_crossentropy"),
    ],
)
def test_r20_fitting_crossentropy_trains(fashion, n_outputs, activation, labels, loss):
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(n_outputs, activation=activation)])
    model.compile(loss=loss, optimizer="adam", metrics=["accuracy"])
    history = model.fit(
        fashion.X_train[:2000], labels_as(labels, fashion.y_train[:2000]), epochs=3, verbose=0
    ).history
    assert history["loss"][2] < history["loss"][0] and history["accuracy"][2] > 0.6


def test_r21_fit_returns_the_history_and_shows_a_bar(fashion, classifier, capsys):
    X_train, y_train, X_valid, y_valid, *_ = fashion
    model = classifier
    history = model.fit(X_train, y_train, epochs=3, validation_data=(X_valid, y_valid))
    assert set(history.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    for values in history.history.values():
        assert len(values) == 3 and all(type(value) is float for value in values)
    assert history.epoch == [0, 1, 2]
    assert history.params["epochs"] == 3 and history.params["steps"] == 188
    assert history.model is model
    assert model.evaluate(X_valid, y_valid, verbose=0) == pytest.approx(
        [history.history["val_loss"][-1], history.history["val_accuracy"][-1]], abs=1e-6
    )

    output = capsys.readouterr().out
    assert [f"Epoch {epoch}/3" in output for epoch in (1, 2, 3)] == [True] * 3
    last_bar = re.sub(r"\x1b\[[\d;]*m", "", output).rstrip().splitlines()[-1]
    assert "188/188" in last_bar
    for name, values in history.history.items():
        assert f"{name}: {values[-1]:.4f}" in last_bar


@pytest.mark.parametrize("verbose", [0, 2])
def test_r21_fit_shows_as_much_as_asked(fashion, classifier, capsys, verbose):
    classifier.fit(fashion.X_train[:320], fashion.y_train[:320], epochs=2, verbose=verbose)
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if line.strip()]) == {0: 0, 2: 4}[verbose]


def test_r22_batch_size_0_updates_after_every_record(digits):
    X, y = digits.X_train[:50], np.eye(10)[digits.y_train[:50]]
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, activation="sigmoid")])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.5))
    w, b = (weight.astype("float64") for weight in model.get_weights())
    model.fit(X, y, batch_size=0, shuffle=False, verbose=0)
    for record, label in zip(X, y, strict=True):
        y_hat = 1 / (1 + np.exp(-(record @ w + b)))
        error = 2 * (y_hat - label) / 10 * y_hat * (1 - y_hat)
        w, b = w - 0.5 * np.outer(record, error), b - 0.5 * error
    assert model.optimizer.iterations == 50
    np.testing.assert_allclose(model.get_weights()[0], w, atol=2e-6)
    np.testing.assert_allclose(model.get_weights()[1], b, atol=2e-6)


def test_r22_batch_size_0_trains_the_classifier_and_is_documented(fashion, classifier, capsys):
    X_train, y_train, X_valid, y_valid, *_ = fashion
    classifier.fit(X_train[:2000], y_train[:2000], batch_size=0, validation_data=(X_valid, y_valid))
    assert "2000/2000" in capsys.readouterr().out
    assert classifier.evaluate(X_valid, y_valid, verbose=0)[1] > 0.7
    assert (
        "batch_size" in keras.Model.fit.__doc__ and "0" in keras.Model.fit.__doc__.split("batch_size", 1)[1]
    )


@pytest.mark.parametrize("batch_size", [-1, 2.5, "32"])
def test_r22_other_wrong_batch_sizes_are_refused(fashion, classifier, batch_size):
    with pytest.raises((ValueError, TypeError), match="batch_size"):
        classifier.fit(fashion.X_train[:64], fashion.y_train[:64], batch_size=batch_size, verbose=0)


def test_r23_learning_curve_is_plotted(fashion, classifier, tmp_path, monkeypatch):
    picture = tmp_path / "learning_curve.png"
    monkeypatch.setattr(plt, "show", lambda: plt.savefig(picture))
    X_train, y_train, X_valid, y_valid, *_ = fashion
    history = classifier.fit(X_train, y_train, epochs=3, validation_data=(X_valid, y_valid), verbose=0)

    pd.DataFrame(history.history).plot(figsize=(8, 5))
    plt.grid(True)
    plt.gca().set_ylim(0, 1)  # set the vertical range to [0-1]
    plt.show()

    drawn = {line.get_label(): list(line.get_ydata()) for line in plt.gca().lines}
    plt.close("all")
    assert drawn == history.history
    pixels = plt.imread(picture)
    assert pixels.shape == (500, 800, 4)
    assert len(np.unique(pixels.reshape(-1, 4), axis=0)) > 50


def test_r24_evaluate_gives_a_list_of_floats(fashion, classifier, capsys):
    X_test, y_test = fashion.X_test, fashion.y_test
    model = classifier
    model.fit(fashion.X_train, fashion.y_train, epochs=5, verbose=0)
    result = model.evaluate(X_test, y_test)
    assert type(result) is list and [type(value) for value in result] == [float, float]
    y_pred = model.predict(X_test, verbose=0).argmax(axis=-1)
    assert result[1] == pytest.approx((y_pred == y_test).mean(), abs=1e-6)
    assert result[1] > 0.75 and result[0] < 0.8
    assert "32/32" in capsys.readouterr().out


def test_r25_predict_gives_probabilities(fashion, classifier):
    X_test = fashion.X_test
    model = classifier
    model.fit(fashion.X_train, fashion.y_train, epochs=8, verbose=0)
    X_new = X_test[:3]
    y_proba = model.predict(X_new)
    y_proba.round(2)
    assert type(y_proba) is np.ndarray
    assert (y_proba.dtype, y_proba.shape) == (np.float32, (3, 10))
    np.testing.assert_allclose(y_proba.sum(axis=1), 1, atol=1e-5)
    y_pred = np.argmax(y_proba, axis=-1)
    assert y_pred.tolist() == [9, 2, 1]
    np.testing.assert_allclose(model.predict(X_test, verbose=0)[:3], y_proba, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_r24_r25_accuracy_and_predictions_after_thirty_epochs(whole_fashion, classifier, seed):
    X_train, y_train, X_valid, y_valid, X_test, y_test = whole_fashion
    keras.utils.set_random_seed(seed)
    model = keras.models.clone_model(classifier)
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
    history = model.fit(X_train, y_train, epochs=30, validation_data=(X_valid, y_valid), verbose=0)
    assert [len(values) for values in history.history.values()] == [30] * 4
    loss, accuracy = model.evaluate(X_test, y_test, verbose=0)
    assert 0.875 <= accuracy <= 0.895
    assert 0.30 <= loss <= 0.36
    y_proba = model.predict(X_test[:3], verbose=0)
    assert np.argmax(y_proba, axis=-1).tolist() == [9, 2, 1]
