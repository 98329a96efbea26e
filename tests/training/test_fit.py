"""Every argument of `fit`, `evaluate` and `predict` does what it says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import callbacks, layers

rng = np.random.default_rng(0)
X = rng.random((50, 4), dtype="float32")
Y = rng.random((50, 1), dtype="float32")


class Batches(callbacks.Callback):
    """Notes the hooks in order, and how often the weights were updated."""

    def __init__(self) -> None:
        super().__init__()
        self.hooks: list[tuple] = []

    def on_epoch_begin(self, epoch, logs=None):
        self.hooks.append(("epoch", epoch))

    def on_train_batch_begin(self, batch, logs=None):
        self.hooks.append(("begin", batch))

    def on_train_batch_end(self, batch, logs=None):
        self.hooks.append(("end", batch))

    def on_test_begin(self, logs=None):
        self.hooks.append(("test",))


def line(**arguments) -> keras.Sequential:
    """`y = w·x` with equal weights, so that results can be worked out by hand."""
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(0.1)),
        ]
    )
    model.compile(**{"optimizer": keras.optimizers.SGD(0.1), "loss": "mse", **arguments})
    return model


def weights_after(epochs: int, batch: int, records=slice(None), weight=None) -> np.ndarray:
    """The kernel after gradient descent without shuffling, in NumPy."""
    w = np.full((4, 1), 0.1)
    x, y = X[records].astype(float), Y[records].astype(float)
    factor = np.ones(len(x)) if weight is None else weight[records]
    for _ in range(epochs):
        for start in range(0, len(x), batch):
            rows = slice(start, start + batch)
            error = (x[rows] @ w - y[rows]) * factor[rows, None]
            w = w - 0.1 * 2 * x[rows].T @ error / len(x[rows])
    return w


def updates(model) -> int:
    return int(model.optimizer.iterations)


def loss_of(model, x, y, weight=None) -> float:
    error = (x @ model.get_weights()[0] - y) ** 2
    return float(np.mean(error if weight is None else error * weight[:, None]))


@pytest.mark.parametrize(
    ("batch_size", "expected"), [(10, 5), (16, 4), (50, 1), (999, 1), (1, 50), (0, 50), (None, 2)]
)
def test_batch_size(batch_size, expected):
    model = line()
    model.fit(X, Y, batch_size=batch_size, verbose=0)
    assert updates(model) == expected


@pytest.mark.parametrize("batch_size", [1, 7, 16])
def test_training_is_gradient_descent(batch_size):
    model = line()
    model.fit(X, Y, batch_size=batch_size, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], weights_after(2, batch_size), atol=1e-5)


def test_batch_size_zero_updates_after_every_record():
    model = line()
    model.fit(X, Y, batch_size=0, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], weights_after(1, 1), atol=1e-5)


def test_epochs_and_initial_epoch():
    assert line().fit(X, Y, epochs=3, verbose=0).epoch == [0, 1, 2]
    assert line().fit(X, Y, epochs=5, initial_epoch=3, verbose=0).epoch == [3, 4]
    assert line().fit(X, Y, epochs=3, initial_epoch=3, verbose=0).history == {}
    assert line().fit(X, Y, epochs=0, verbose=0).history == {}


def test_epoch_loss_is_the_mean_over_records():
    model = line(optimizer=keras.optimizers.SGD(0.0))
    history = model.fit(X, Y, batch_size=16, verbose=0).history
    assert history["loss"][0] == pytest.approx(loss_of(model, X, Y), rel=1e-5)


@pytest.mark.parametrize("split", [0.2, 0.5])
def test_validation_split_takes_the_last_records(split):
    model = line()
    history = model.fit(X, Y, batch_size=10, validation_split=split, shuffle=False, verbose=0).history
    cut = int(50 * (1 - split))
    assert updates(model) == -(-cut // 10)
    np.testing.assert_allclose(model.get_weights()[0], weights_after(1, 10, slice(0, cut)), atol=1e-5)
    assert history["val_loss"][0] == pytest.approx(loss_of(model, X[cut:], Y[cut:]), rel=1e-4)


def test_validation_data_comes_before_validation_split():
    model = line()
    history = model.fit(X, Y, validation_data=(X[:7], Y[:7]), validation_split=0.5, verbose=0).history
    assert updates(model) == 2
    assert history["val_loss"][0] == pytest.approx(loss_of(model, X[:7], Y[:7]), rel=1e-4)


def test_validation_data_with_weights_and_as_batches():
    weight = rng.random(50)
    model = line(optimizer=keras.optimizers.SGD(0.0), weighted_metrics=["mae"])
    history = model.fit(X, Y, validation_data=(X, Y, weight), verbose=0).history
    assert history["val_loss"][0] == pytest.approx(loss_of(model, X, Y, weight), rel=1e-4)
    batches = [(X[:25], Y[:25]), (X[25:], Y[25:])]
    history = model.fit(X, Y, validation_data=(batch for batch in batches), verbose=0).history
    assert history["val_loss"][0] == pytest.approx(loss_of(model, X, Y), rel=1e-4)


@pytest.mark.parametrize(("freq", "expected"), [(1, [0, 1, 2, 3]), (2, [1, 3]), (3, [2]), ([1, 4], [0, 3])])
def test_validation_freq(freq, expected):
    class Seen(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if "val_loss" in logs:
                epochs.append(epoch)

    epochs: list[int] = []
    line().fit(X, Y, epochs=4, validation_data=(X, Y), validation_freq=freq, callbacks=[Seen()], verbose=0)
    assert epochs == expected


def test_validation_steps_and_batch_size():
    class Count(callbacks.Callback):
        batches = 0

        def on_test_batch_end(self, batch, logs=None):
            self.batches += 1

    count = Count()
    model = line()
    model.fit(X, Y, validation_data=(X, Y), validation_batch_size=5, callbacks=[count], verbose=0)
    assert count.batches == 10
    history = model.fit(
        X,
        Y,
        validation_data=(X, Y),
        validation_batch_size=5,
        validation_steps=2,
        callbacks=[count],
        verbose=0,
    ).history
    assert count.batches == 12
    assert history["val_loss"][0] == pytest.approx(loss_of(model, X[:10], Y[:10]), rel=1e-4)


@pytest.mark.parametrize("shuffle", [False, True, "batch"])
def test_shuffle(shuffle):
    seen: list[list[float]] = []

    class Recorder(keras.Sequential):
        def train_step(self, data):
            seen.append(data[0][:, 0].tolist())
            return super().train_step(data)

    model = Recorder([keras.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.arange(50.0)[:, None]
    model.fit(x, x, batch_size=8, epochs=2, shuffle=shuffle, verbose=0)
    first, second = ([value for batch in seen[i : i + 7] for value in batch] for i in (0, 7))
    assert sorted(first) == sorted(second) == list(range(50))
    assert (first == list(range(50))) is (shuffle is False)
    assert (first == second) is (shuffle is False)
    if shuffle == "batch":
        assert all(np.diff(batch).tolist() == [1.0] * (len(batch) - 1) for batch in seen)
        assert seen[6] == [48.0, 49.0]


def test_shuffling_follows_the_seed():
    def train() -> np.ndarray:
        keras.utils.set_random_seed(4)
        model = line()
        model.fit(X, Y, batch_size=4, verbose=0)
        return model.get_weights()[0]

    np.testing.assert_array_equal(train(), train())


def test_sample_weight():
    weight = rng.random(50)
    model = line()
    model.fit(X, Y, batch_size=16, sample_weight=weight, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], weights_after(1, 16, weight=weight), atol=1e-5)


def test_sample_weight_zero_leaves_records_out():
    weight = np.repeat([1.0, 0.0], 25)
    model, half = (
        line(loss=keras.losses.MeanSquaredError("sum")),
        line(loss=keras.losses.MeanSquaredError("sum")),
    )
    model.fit(X, Y, batch_size=50, sample_weight=weight, verbose=0)
    half.fit(X[:25], Y[:25], batch_size=25, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], half.get_weights()[0], atol=1e-5)


@pytest.mark.parametrize("kind", ["numbers", "column", "one-hot"])
def test_class_weight_equals_sample_weight(kind):
    labels = np.arange(50) % 3
    given = {"numbers": labels, "column": labels[:, None], "one-hot": np.eye(3, dtype="float32")[labels]}[
        kind
    ]
    loss = "categorical_crossentropy" if kind == "one-hot" else "sparse_categorical_crossentropy"

    def train(**arguments) -> list:
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")])
        model.compile("sgd", loss)
        model.fit(X, given, shuffle=False, verbose=0, **arguments)
        return model.get_weights()

    by_class = train(class_weight={0: 1.0, 1: 5.0, 2: 0.5})
    by_record = train(sample_weight=np.array([1.0, 5.0, 0.5])[labels])
    np.testing.assert_allclose(by_class[0], by_record[0], atol=1e-6)
    both = train(class_weight={1: 2.0}, sample_weight=np.full(50, 3.0))
    np.testing.assert_allclose(both[0], train(sample_weight=np.array([3.0, 6.0, 3.0])[labels])[0], atol=1e-6)


def test_steps_per_epoch_goes_on_where_the_last_epoch_ended():
    model = line()
    history = model.fit(X, Y, batch_size=10, epochs=3, steps_per_epoch=2, shuffle=False, verbose=0)
    assert len(history.history["loss"]) == 3
    assert updates(model) == 6
    expected = weights_after(1, 10)
    for rows in [slice(0, 10)]:
        expected = expected - 0.1 * 2 * X[rows].T @ (X[rows] @ expected - Y[rows]) / 10
    np.testing.assert_allclose(model.get_weights()[0], expected, atol=1e-5)


@pytest.mark.parametrize("verbose", [0, 1, 2, "auto", True])
def test_verbose(verbose, capsys):
    model = line(metrics=["mae"])
    model.fit(X, Y, epochs=2, verbose=verbose)
    model.evaluate(X, Y, verbose=verbose)
    model.predict(X, verbose=verbose)
    printed = capsys.readouterr().out
    if verbose == 0:
        assert printed == ""
        return
    assert "Epoch 1/2" in printed and "Epoch 2/2" in printed
    assert "2/2" in printed and "loss: " in printed and "mae: " in printed
    assert ("━" in printed) is (verbose != 2)


def test_disabled_logging_prints_one_line_per_epoch(capsys):
    keras.config.disable_interactive_logging()
    try:
        line().fit(X, Y, verbose="auto")
    finally:
        keras.config.enable_interactive_logging()
    assert "━" not in capsys.readouterr().out


def test_hooks_come_in_order():
    noted = Batches()
    line().fit(X, Y, batch_size=20, epochs=2, validation_split=0.2, callbacks=[noted], verbose=0)
    one = [("begin", 0), ("end", 0), ("begin", 1), ("end", 1), ("test",)]
    assert noted.hooks == [("epoch", 0), *one, ("epoch", 1), *one]


def test_stop_training_ends_after_the_batch():
    class Stop(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    model = line()
    history = model.fit(X, Y, batch_size=5, epochs=3, callbacks=[Stop()], verbose=0)
    assert updates(model) == 2
    assert history.epoch == [0]


def test_logs_are_running_means_as_python_floats():
    class Keep(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            kept.append(logs)

    kept: list[dict] = []
    model = line(optimizer=keras.optimizers.SGD(0.0))
    model.fit(X, Y, batch_size=20, shuffle=False, callbacks=[Keep()], verbose=0)
    assert [logs["loss"] for logs in kept] == [
        pytest.approx(loss_of(model, X[:end], Y[:end]), rel=1e-5) for end in (20, 40, 50)
    ]
    assert all(type(logs["loss"]) is float for logs in kept)


def test_mode_is_left_as_it_was():
    model = keras.Sequential([keras.Input((4,)), layers.Dropout(0.5), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, Y, validation_split=0.5, verbose=0)
    assert not any(module.training for module in model.modules())
    model.train()
    model.predict(X, verbose=0)
    assert all(module.training for module in model.modules())


def test_interrupted_training_leaves_inference_mode_and_can_go_on():
    class Break(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    model = line()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, callbacks=[Break()], verbose=0)
    assert not model.training
    model.fit(X, Y, verbose=0)


def test_backup_survives_an_interruption_and_training_goes_on_from_it(tmp_path):
    class Break(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                raise RuntimeError("power cut")

    model = line()
    backup = callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(RuntimeError, match="power cut"):
        model.fit(X, Y, epochs=5, callbacks=[backup, Break()], verbose=0)
    model = line()
    again, noted = callbacks.BackupAndRestore(tmp_path / "backup"), Batches()
    model.fit(X, Y, epochs=5, callbacks=[again, noted], verbose=0)
    assert [hook for hook in noted.hooks if hook[0] == "epoch"] == [("epoch", 3), ("epoch", 4)]
    assert model.fit(X, Y, epochs=1, verbose=0).epoch == [0]


def test_evaluate():
    model = line(metrics=["mae"])
    loss, mae = model.evaluate(X, Y, batch_size=7, verbose=0)
    assert loss == pytest.approx(loss_of(model, X, Y), rel=1e-5)
    assert mae == pytest.approx(np.abs(X @ model.get_weights()[0] - Y).mean(), rel=1e-5)
    assert model.evaluate(X, Y, verbose=0, return_dict=True) == {
        "loss": pytest.approx(loss), "mae": pytest.approx(mae)
    }  # fmt: skip
    assert line().evaluate(X, Y, verbose=0) == pytest.approx(loss_of(line(), X, Y), rel=1e-5)
    assert model.evaluate(X, Y, batch_size=10, steps=2, verbose=0)[0] == pytest.approx(
        loss_of(model, X[:20], Y[:20]), rel=1e-5
    )
    weight = rng.random(50)
    assert model.evaluate(X, Y, sample_weight=weight, verbose=0)[0] == pytest.approx(
        loss_of(model, X, Y, weight), rel=1e-5
    )


def test_evaluate_changes_no_weights():
    model = keras.Sequential([keras.Input((4,)), layers.BatchNormalization(), layers.Dense(1)])
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("batch_size", [None, 1, 7, 50])
def test_predict(batch_size):
    model = line()
    prediction = model.predict(X, batch_size=batch_size, verbose=0)
    assert isinstance(prediction, np.ndarray) and prediction.dtype == np.float32
    np.testing.assert_allclose(prediction, X @ model.get_weights()[0], atol=1e-6)


def test_predict_in_steps_and_with_callbacks():
    class Outputs(callbacks.Callback):
        def on_predict_batch_end(self, batch, logs=None):
            shapes.append(tuple(logs["outputs"].shape))

    shapes: list[tuple] = []
    model = line()
    assert model.predict(X, batch_size=10, steps=2, callbacks=[Outputs()], verbose=0).shape == (20, 1)
    assert shapes == [(10, 1), (10, 1)]


def test_predict_needs_no_compile():
    model = keras.Sequential([layers.Dense(2)])
    assert model.predict(X, verbose=0).shape == (50, 2)


def test_single_batches():
    model = line(metrics=["mae"])
    first = model.train_on_batch(X, Y)
    assert first[0] == pytest.approx(loss_of(line(), X, Y), rel=1e-5)
    np.testing.assert_allclose(model.get_weights()[0], weights_after(1, 50), atol=1e-5)
    assert set(model.train_on_batch(X, Y, return_dict=True)) == {"loss", "mae"}
    model.reset_metrics()
    assert model.test_on_batch(X, Y)[0] == pytest.approx(loss_of(model, X, Y), rel=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(X), X @ model.get_weights()[0], atol=1e-6)


def test_single_batch_with_weights():
    weight = rng.random(50)
    model = line()
    model.train_on_batch(X, Y, sample_weight=weight)
    np.testing.assert_allclose(model.get_weights()[0], weights_after(1, 50, weight=weight), atol=1e-5)


def test_limits_for_quick_checks():
    keras.config.set_max_epochs(2)
    keras.config.set_max_steps_per_epoch(3)
    try:
        model = line()
        history = model.fit(X, Y, batch_size=5, epochs=10, validation_data=(X, Y), verbose=0)
        assert len(history.history["loss"]) == 2 and updates(model) == 6
        assert model.predict(X, batch_size=5, verbose=0).shape == (15, 1)
    finally:
        keras.config.set_max_epochs(None)
        keras.config.set_max_steps_per_epoch(None)


def test_fit_returns_the_history_of_the_model():
    model = line()
    history = model.fit(X, Y, epochs=2, verbose=0)
    assert isinstance(history, callbacks.History)
    assert history.params["epochs"] == 2 and history.params["steps"] == 2
    assert model.history.history == history.history


def test_errors_point_at_the_line_of_the_user():
    def bad_loss(y_true, y_pred):
        raise ZeroDivisionError("mine")

    model = line(loss=bad_loss)
    with pytest.raises(ZeroDivisionError, match="mine") as caught:
        model.fit(X, Y, verbose=0)
    names = [entry.name for entry in caught.traceback]
    assert names[-1] == "bad_loss"
    assert "_train_epoch" not in names


def test_own_step_functions_report_what_they_return():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, inputs):
            return self.dense(inputs)

        def train_step(self, data):
            x, y = data[0], data[1]
            loss = (self(x) - y).square().mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            return {"own": loss}

        def test_step(self, data):
            return {"tested": torch.tensor(3.0)}

        def predict_step(self, data):
            return self(data[0]) * 0 + 5

    model = Own()
    model.compile("sgd", "mse")
    history = model.fit(X, Y, batch_size=50, epochs=3, validation_data=(X, Y), verbose=0).history
    assert set(history) == {"own", "val_tested"}
    assert history["own"][-1] < history["own"][0]
    assert model.evaluate(X, Y, verbose=0) == 3.0
    assert (model.predict(X, verbose=0) == 5).all()


def test_own_loss_and_metrics_methods():
    class Own(keras.Sequential):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return (y_pred - y).abs().mean()

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            return {"seven": 7.0, **super().compute_metrics(x, y, y_pred, sample_weight)}

    model = Own([keras.Input((4,)), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.0))
    history = model.fit(X, Y, verbose=0).history
    assert history["seven"] == [7.0]
    assert history["loss"][0] == pytest.approx(np.abs(model.predict(X, verbose=0) - Y).mean(), rel=1e-5)
