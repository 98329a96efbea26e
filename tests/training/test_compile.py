"""What `compile` takes: names, objects, functions and torch's own."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers, losses, metrics, optimizers

rng = np.random.default_rng(0)
X = rng.random((40, 4), dtype="float32")
NUMBERS = np.arange(40) % 3
ONE_HOT = np.eye(3, dtype="float32")[NUMBERS]
VALUES = rng.random((40, 3), dtype="float32")


def made(units=3, activation=None, **arguments) -> keras.Sequential:
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4,)), layers.Dense(units, activation=activation)])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **arguments})
    return model


def evaluated(y, **arguments) -> dict[str, float]:
    return made(**arguments).evaluate(X, y, verbose=0, return_dict=True)


def user_mse(y_true, y_pred):
    return ((y_true - y_pred) ** 2).mean(dim=-1)


@pytest.mark.parametrize(
    "loss",
    [
        "mean_squared_error", "MeanSquaredError", "MSE", losses.MeanSquaredError(), losses.MeanSquaredError,
        losses.mean_squared_error, user_mse, lambda a, b: (a - b).square().mean(), torch.nn.MSELoss(),
        {"class_name": "MeanSquaredError", "config": {}},
    ],
)  # fmt: skip
def test_ways_to_name_a_loss(loss):
    expected = evaluated(VALUES)["loss"]
    assert evaluated(VALUES, loss=loss)["loss"] == pytest.approx(expected, rel=1e-6)
    weight = rng.random(40)
    weighted = made().evaluate(X, VALUES, sample_weight=weight, verbose=0)
    if getattr(loss, "__name__", "") != "<lambda>":
        assert made(loss=loss).evaluate(X, VALUES, sample_weight=weight, verbose=0) == pytest.approx(
            weighted, rel=1e-5
        )


def test_torch_losses_of_classes():
    expected = evaluated(NUMBERS, loss=losses.SparseCategoricalCrossentropy(from_logits=True))["loss"]
    for labels in (NUMBERS, NUMBERS[:, None], NUMBERS.astype("int32"), ONE_HOT):
        assert evaluated(labels, loss=torch.nn.CrossEntropyLoss())["loss"] == pytest.approx(
            expected, rel=1e-5
        )
    binary = losses.BinaryCrossentropy(from_logits=True)
    two = NUMBERS % 2
    assert evaluated(two, units=1, loss=torch.nn.BCEWithLogitsLoss())["loss"] == pytest.approx(
        evaluated(two, units=1, loss=binary)["loss"], rel=1e-5
    )


def test_model_without_loss_trains_on_what_layers_add():
    class Penalty(layers.Layer):
        def call(self, inputs):
            self.add_loss(inputs.square().mean())
            return inputs

    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), Penalty()])
    model.compile(optimizers.SGD(0.5))
    history = model.fit(X, epochs=3, verbose=0).history["loss"]
    assert history[2] < history[1] < history[0]


@pytest.mark.parametrize(
    "optimizer",
    ["SGD", "sgd", optimizers.SGD(), optimizers.SGD, {"class_name": "SGD", "config": {}}],
)
def test_ways_to_name_an_optimizer(optimizer):
    model, expected = made(optimizer=optimizer), made()
    model.fit(X, VALUES, shuffle=False, verbose=0)
    expected.fit(X, VALUES, shuffle=False, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], expected.get_weights()[0])


@pytest.mark.parametrize(
    ("make", "twin"),
    [
        (lambda model: torch.optim.SGD(model.parameters(), lr=0.1), lambda: optimizers.SGD(0.1)),
        (
            lambda model: functools.partial(torch.optim.SGD, lr=0.1, momentum=0.9),
            lambda: optimizers.SGD(0.1, 0.9),
        ),
        (lambda model: torch.optim.AdamW, lambda: optimizers.AdamW(1e-3, weight_decay=0.01, epsilon=1e-8)),
        (
            lambda model: lambda weights: torch.optim.Adam(weights, lr=1e-3),
            lambda: optimizers.Adam(epsilon=1e-8),
        ),
    ],
    ids=["instance", "partial", "class", "function"],
)
def test_torch_optimizers(make, twin):
    model, expected = made(), made(optimizer=twin())
    model.compile(make(model), "mse")
    model.fit(X, VALUES, batch_size=8, epochs=2, shuffle=False, verbose=0)
    expected.fit(X, VALUES, batch_size=8, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_learning_rate_of_a_torch_optimizer():
    model = made()
    model.compile(torch.optim.SGD(model.parameters(), lr=0.1), "mse")
    model.fit(X, VALUES, verbose=0, callbacks=[keras.callbacks.LearningRateScheduler(lambda epoch: 0.0)])
    assert model.optimizer.learning_rate == 0.0
    with pytest.raises(ValueError, match="made at the first `fit`"):
        made(optimizer=torch.optim.SGD).optimizer.learning_rate  # noqa: B018


@pytest.mark.parametrize(
    ("units", "activation", "labels", "loss", "kind"),
    [
        (3, "softmax", NUMBERS, "sparse_categorical_crossentropy", "Sparse"),
        (3, "softmax", NUMBERS[:, None], "sparse_categorical_crossentropy", "Sparse"),
        (3, "softmax", ONE_HOT, "categorical_crossentropy", "Categorical"),
        (1, "sigmoid", NUMBERS % 2, "binary_crossentropy", "Binary"),
        (1, "sigmoid", (NUMBERS % 2)[:, None], "binary_crossentropy", "Binary"),
    ],
)
def test_accuracy_becomes_the_right_one(units, activation, labels, loss, kind):
    names = ["accuracy"] if labels.ndim == 1 and units == 1 else ["accuracy", "crossentropy"]
    model = made(units, activation, loss=loss, metrics=names)
    results = model.evaluate(X, labels, verbose=0, return_dict=True)
    prediction = model.predict(X, verbose=0)
    true = labels.argmax(-1) if kind == "Categorical" else np.ravel(labels)
    chosen = prediction.argmax(-1) if units > 1 else prediction[:, 0] > 0.5
    assert results["accuracy"] == pytest.approx((chosen == true).mean())
    assert results.get("crossentropy", results["loss"]) == pytest.approx(results["loss"], rel=1e-4)
    assert type(model._compiled_metrics.metrics[0]).__name__.startswith(kind)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("mae", "mae"), ("mean_absolute_error", "mean_absolute_error"), ("MeanAbsoluteError", "MeanAbsoluteError"),
        (metrics.MeanAbsoluteError(), "mean_absolute_error"), (metrics.MeanAbsoluteError(name="x"), "x"),
        (losses.mean_absolute_error, "mean_absolute_error"), (user_mse, "user_mse"),
    ],
)  # fmt: skip
def test_ways_to_name_a_metric(given, name):
    results = evaluated(VALUES, metrics=[given])
    assert set(results) - {"loss"} == {name}
    expected = evaluated(VALUES)["loss"] if given is user_mse else evaluated(VALUES, loss="mae")["loss"]
    assert results[name] == pytest.approx(expected, rel=1e-5)


def test_a_single_metric_needs_no_list():
    assert set(evaluated(VALUES, metrics="mae")) == {"loss", "mae"}


def test_metric_that_the_user_writes():
    class Largest(metrics.Metric):
        def __init__(self, name="largest", **kwargs):
            super().__init__(name=name, **kwargs)
            self.value = self.add_weight(name="value", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.value.assign(torch.maximum(self.value, y_true.max()))

        def result(self):
            return self.value

    assert evaluated(VALUES, metrics=[Largest()])["largest"] == pytest.approx(VALUES.max())


def test_metrics_kept_as_attributes_are_reported_and_reset():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)
            self.calls = metrics.Sum(name="calls")

        def call(self, inputs):
            self.calls.update_state(1.0)
            return self.dense(inputs)

    model = Own()
    model.compile("sgd", "mse")
    history = model.fit(X, VALUES, batch_size=10, epochs=2, verbose=0).history
    assert history["calls"] == [4.0, 4.0]


def two_outputs(**arguments) -> keras.Model:
    x = keras.Input((4,))
    model = keras.Model(x, [layers.Dense(3, name="a")(x), layers.Dense(3, name="b")(x)])
    model.compile(**{"optimizer": optimizers.SGD(0.0), "loss": "mse", **arguments})
    return model


@pytest.mark.parametrize(
    "loss_weights", [[0.5, 2.0], {"a": 0.5, "b": 2.0}, None, {"b": 2.0}], ids=["list", "names", "none", "one"]
)
def test_loss_weights(loss_weights):
    results = two_outputs(loss_weights=loss_weights).evaluate(
        X, [VALUES, VALUES], verbose=0, return_dict=True
    )
    a, b = {None: (1.0, 1.0), 2: (0.5, 2.0), 1: (1.0, 2.0)}[loss_weights and len(loss_weights)]
    assert results["loss"] == pytest.approx(a * results["a_loss"] + b * results["b_loss"], rel=1e-5)


def test_loss_weight_of_a_single_output():
    assert evaluated(VALUES, loss_weights=0.5)["loss"] == pytest.approx(evaluated(VALUES)["loss"] / 2)


@pytest.mark.parametrize("loss", [["mse", "mae"], {"a": "mse", "b": "mae"}])
def test_losses_for_each_output(loss):
    model = two_outputs(loss=loss)
    results = model.evaluate(X, [VALUES, VALUES], verbose=0, return_dict=True)
    first, second = model.predict(X, verbose=0)
    assert results["a_loss"] == pytest.approx(((first - VALUES) ** 2).mean(), rel=1e-5)
    assert results["b_loss"] == pytest.approx(np.abs(second - VALUES).mean(), rel=1e-5)


def test_output_without_a_loss():
    model = two_outputs(loss=["mse", None])
    results = model.evaluate(X, [VALUES, VALUES], verbose=0, return_dict=True)
    error = model.predict(X, verbose=0)[0] - VALUES
    assert results == {"loss": pytest.approx((error**2).mean(), rel=1e-5)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loss": ["mse"]}, r"`loss` must have one entry for each of the 2 outputs"),
        ({"loss": {"c": "mse"}}, r"names the output 'c'.* its outputs are \['a', 'b'\]"),
        ({"metrics": {"aa": ["mse"]}}, r"`metrics` names the output 'aa'.*Did you mean 'a'"),
        ({"metrics": ["mse", "mae", "mse"]}, r"`metrics` must have one entry"),
    ],
)
def test_structures_that_do_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        two_outputs(**arguments).evaluate(X, [VALUES, VALUES], verbose=0)


def test_names_of_metrics_of_several_outputs():
    model = two_outputs(metrics=[["mae"], ["mse", "mae"]])
    results = model.evaluate(X, [VALUES, VALUES], verbose=0, return_dict=True)
    assert set(results) == {"loss", "a_loss", "b_loss", "a_mae", "b_mse", "b_mae"}


def test_weighted_metrics():
    weight = rng.random(40)
    model = made(metrics=["mae"], weighted_metrics=["mae"])
    results = model.evaluate(X, VALUES, sample_weight=weight, verbose=0, return_dict=True)
    error = np.abs(model.predict(X, verbose=0) - VALUES).mean(axis=1)
    assert results["mae"] == pytest.approx(error.mean(), rel=1e-5)
    assert results["weighted_mae"] == pytest.approx((error * weight).sum() / weight.sum(), rel=1e-5)


def test_run_eagerly_runs_every_step_as_python():
    steps = []

    class Counted(keras.Sequential):
        def train_step(self, data):
            steps.append(self.run_eagerly)
            return super().train_step(data)

    model = Counted([keras.Input((4,)), layers.Dense(3)])
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(X, VALUES, batch_size=8, verbose=0)
    assert steps == [True] * 5


def test_steps_per_execution_groups_the_hooks():
    class Noted(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            hooks.append(("begin", batch))

        def on_train_batch_end(self, batch, logs=None):
            hooks.append(("end", batch))

    hooks: list[tuple] = []
    model, plain = made(steps_per_execution=2), made()
    model.fit(X, VALUES, batch_size=8, shuffle=False, callbacks=[Noted()], verbose=0)
    plain.fit(X, VALUES, batch_size=8, shuffle=False, verbose=0)
    assert hooks == [("begin", 0), ("end", 1), ("begin", 2), ("end", 3), ("begin", 4), ("end", 4)]
    np.testing.assert_array_equal(model.get_weights()[0], plain.get_weights()[0])


def test_compile_again_starts_afresh():
    model = made(optimizer="adam", metrics=["mae"])
    model.fit(X, VALUES, verbose=0)
    assert int(model.optimizer.iterations) == 2
    model.compile("adam", "mae")
    assert int(model.optimizer.iterations) == 0
    assert set(model.fit(X, VALUES, verbose=0).history) == {"loss"}


def test_compile_config_round_trip():
    model = made(optimizer=optimizers.Adam(0.01), metrics=["mae"], loss_weights=[0.5])
    config = model.get_compile_config()
    twin = made()
    twin.compile_from_config(config)
    assert float(twin.optimizer.learning_rate) == pytest.approx(0.01)
    assert twin.evaluate(X, VALUES, verbose=0) == pytest.approx(model.evaluate(X, VALUES, verbose=0))
    assert made(loss=torch.nn.MSELoss()).get_compile_config() is None


def test_jit_compile_gives_the_same_training(monkeypatch, tmp_path):
    """The compiler itself is not run here: torch's `eager` backend shows that the compiled call is used."""
    used = []

    def backend(graph, example_inputs):
        used.append(graph)
        return graph.forward

    compile_with = functools.partial(torch.compile, backend=backend)
    monkeypatch.setattr(torch, "compile", compile_with)
    model, plain = made(jit_compile=True), made()
    assert model.jit_compile and not plain.jit_compile
    for one in (model, plain):
        one.fit(X, VALUES, batch_size=8, epochs=2, shuffle=False, verbose=0)
    assert used
    np.testing.assert_allclose(model.get_weights()[0], plain.get_weights()[0], rtol=1e-5)
    np.testing.assert_allclose(model.predict(X, verbose=0), plain.predict(X, verbose=0), rtol=1e-4)
