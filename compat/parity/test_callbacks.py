"""Keras's callbacks and ours, led through the same logs, must decide, save and print the same."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import time
import warnings

import numpy as np
import pytest

import kerasish

keras = pytest.importorskip("keras")

BOTH = (keras, kerasish)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class FakeOptimizer:
    built = True

    def __init__(self) -> None:
        self._rate = np.float32(0.5)

    @property
    def learning_rate(self) -> np.float32:
        return self._rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self._rate = np.float32(value)


class FakeModel:
    metrics = ()

    def __init__(self) -> None:
        self.optimizer = FakeOptimizer()
        self.stop_training = False
        self.weight = 0.0
        self.saved: list[tuple] = []

    def get_weights(self) -> list[np.ndarray]:
        return [np.array(self.weight)]

    def set_weights(self, weights: list[np.ndarray]) -> None:
        self.weight = float(weights[0])

    def save(self, filepath, overwrite=True) -> None:
        self.saved.append(("model", str(filepath), self.weight))

    def save_weights(self, filepath, overwrite=True) -> None:
        self.saved.append(("weights", str(filepath), self.weight))


def fit(make, series, monitor="loss", batches=0, fits=1):
    """Lead a callback through epochs; return everything that it did."""
    model, events = FakeModel(), []
    output = io.StringIO()
    with contextlib.redirect_stdout(output), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            callback = make()
            callback.set_model(model)
            for _ in range(fits):
                model.stop_training = False
                callback.on_train_begin({})
                for epoch, value in enumerate(series):
                    callback.on_epoch_begin(epoch, {})
                    for batch in range(batches):
                        model.weight += 0.001
                        callback.on_train_batch_end(batch, {monitor: value + batch / 10})
                    model.weight = float(epoch + 1)
                    logs = {monitor: value}
                    callback.on_epoch_end(epoch, logs)
                    events.append((epoch, logs, float(model.optimizer.learning_rate), model.stop_training))
                    if model.stop_training:
                        break
                callback.on_train_end(logs)
        except (ValueError, TypeError, KeyError, OSError) as error:
            events.append((type(error) if not isinstance(error, OSError) else OSError, ""))
    return {
        "events": events,
        "weight": model.weight,
        "saved": model.saved,
        "printed": output.getvalue(),
        "warnings": [str(warning.message) for warning in caught if warning.category is UserWarning],
    }


def assert_same(name, kwargs, series, **run):
    theirs, ours = (
        fit(lambda package=package: getattr(package.callbacks, name)(**kwargs), series, **run)
        for package in BOTH
    )
    np.testing.assert_equal(ours, theirs)
    return ours


NAN, INF = float("nan"), float("inf")

EARLY_STOPPING = [
    ({"patience": 1}, [3, 2, 2.5, 2.4, 1]),
    ({"patience": 0}, [3, 2, 2, 1]),
    ({"patience": 0, "baseline": 1.0}, [3, 2, 2, 1]),
    ({"patience": 2, "baseline": 1.0}, [3, 2, 1.5, 1, 1, 1]),
    ({"patience": 3, "baseline": 1.0}, [3, 2, 0.9, 1, 0.99, 0.95, 0.95]),
    ({"patience": 2, "baseline": 1.0, "min_delta": 0.2}, [3, 2, 0.9, 0.85, 0.5, 0.5, 0.5]),
    ({"patience": 2, "min_delta": 0.5}, [3, 2.6, 2.3, 2.2, 2.1, 1]),
    ({"patience": 2, "min_delta": -0.5}, [3, 2.6, 2.3, 2.2, 2.1, 1]),
    ({"patience": 2, "min_delta": 0.5, "mode": "max"}, [3, 2.6, 3.3, 3.5, 3.6, 1]),
    ({"patience": 1, "start_from_epoch": 3}, [1, 2, 3, 4, 5, 6]),
    ({"patience": 1, "start_from_epoch": 3, "restore_best_weights": True}, [1, 2]),
    ({"patience": 5, "restore_best_weights": True}, [3, 2, 2.5, 2.4]),
    ({"patience": 1, "restore_best_weights": True}, [3, 2, 2.5, 2.4]),
    ({"patience": 5, "restore_best_weights": True}, [3, 2, 1]),
    ({"patience": 1}, [NAN, 1, 2, 3]),
    ({"patience": 2}, [INF, INF, 2, 3]),
    ({"patience": 1, "mode": "sideways"}, [1, 2, 3]),
    ({"patience": 1, "monitor": "val_loss"}, [1, 2]),
]


@pytest.mark.parametrize("fits", [1, 2])
@pytest.mark.parametrize(("kwargs", "series"), EARLY_STOPPING, ids=str)
def test_early_stopping(kwargs, series, fits):
    assert_same("EarlyStopping", {"monitor": "loss", "verbose": 1} | kwargs, series, fits=fits)


@pytest.mark.parametrize("seed", range(20))
def test_early_stopping_on_random_series(seed):
    draw = np.random.default_rng(seed)
    kwargs = {
        "monitor": "loss",
        "patience": int(draw.integers(0, 4)),
        "min_delta": draw.choice([0.0, 0.1]),
        "mode": draw.choice(["auto", "min", "max"]),
        "baseline": draw.choice([None, 0.5]),
        "restore_best_weights": bool(draw.integers(2)),
        "start_from_epoch": int(draw.integers(0, 3)),
        "verbose": 1,
    }
    assert_same("EarlyStopping", kwargs, draw.random(20).round(1).tolist())


@pytest.fixture(scope="module")
def compiled_models():
    models = []
    for package in BOTH:
        model = package.Sequential([package.layers.Dense(1)])
        model.compile(
            "sgd", "mse", metrics=["accuracy", "mae", "r2_score", lambda y_true, y_pred: y_pred[..., 0]]
        )
        model.train_on_batch(np.ones((2, 3), "float32"), np.ones((2, 1), "float32"))
        models.append(model)
    return models


@pytest.mark.parametrize(
    "monitor", ["loss", "val_loss", "accuracy", "val_mae", "val_r2_score", "<lambda>", "absent"]
)
def test_auto_mode_finds_the_direction(monitor, compiled_models):
    found = []
    for package, model in zip(BOTH, compiled_models, strict=True):
        callback = package.callbacks.EarlyStopping(monitor)
        callback.set_model(model)
        try:
            callback.on_epoch_end(0, {monitor: 1.0})
            found.append(bool(callback.monitor_op(1.0, 2.0)))
        except ValueError:
            found.append(ValueError)
    assert found[1] == found[0]


METRIC_ARGUMENTS = (
    {},
    {"num_classes": 2},
    {"num_classes": 2, "target_class_ids": [0]},
    {"recall": 0.5},
    {"precision": 0.5},
    {"sensitivity": 0.5},
    {"specificity": 0.5},
)


def test_metrics_have_the_direction_of_keras():
    def directions(package):
        classes = {
            name: getattr(keras.metrics, name)
            for name in dir(keras.metrics)
            if isinstance(getattr(keras.metrics, name), type)
            and hasattr(getattr(package.metrics, name, None), "__init__")
        }
        found = {}
        for name in classes:
            for extra in METRIC_ARGUMENTS:
                with contextlib.suppress(TypeError, ValueError):
                    found[name] = getattr(getattr(package.metrics, name)(**extra), "_direction", None)
                    break
        return found

    theirs, ours = directions(keras), directions(kerasish)
    assert {name: ours[name] for name in theirs if name in ours} == {
        n: d for n, d in theirs.items() if n in ours
    }
    assert len(ours) > 30


PLATEAU = [
    ({"patience": 2}, [1] * 8),
    ({"patience": 0, "factor": 0.5}, [1] * 4),
    ({"patience": 2, "factor": 0.5, "cooldown": 2}, [1] * 12),
    ({"patience": 2, "factor": 0.5, "min_lr": 0.2}, [1] * 10),
    ({"patience": 2, "factor": 0.5}, [1, 0.99995, 0.9999, 0.9998, 0.9997]),
    ({"patience": 2, "factor": 0.5, "min_delta": -1}, [1, 0.9, 0.8, 0.7, 0.6]),
    ({"patience": 1, "mode": "max"}, [1, 2, 3, 3, 3]),
    ({"patience": 2}, [NAN, 1, 1, 1, 1]),
    ({"patience": 1, "monitor": "val_loss"}, [1, 1, 1]),
    ({"factor": 1.0}, [1]),
    ({"patience": 1, "mode": "sideways"}, [1, 1, 1]),
]


@pytest.mark.parametrize("fits", [1, 2])
@pytest.mark.parametrize(("kwargs", "series"), PLATEAU, ids=str)
def test_reduce_lr_on_plateau(kwargs, series, fits):
    assert_same("ReduceLROnPlateau", {"monitor": "loss", "verbose": 1} | kwargs, series, fits=fits)


@pytest.mark.parametrize("seed", range(20))
def test_reduce_lr_on_plateau_on_random_series(seed):
    draw = np.random.default_rng(seed)
    kwargs = {
        "monitor": "loss",
        "patience": int(draw.integers(0, 4)),
        "min_delta": draw.choice([0.0, 0.1]),
        "mode": draw.choice(["auto", "min", "max"]),
        "cooldown": int(draw.integers(0, 4)),
        "min_lr": draw.choice([0.0, 0.01]),
        "factor": draw.choice([0.1, 0.5, 0.9]),
        "verbose": 1,
    }
    assert_same("ReduceLROnPlateau", kwargs, draw.random(30).round(1).tolist())


SCHEDULES = [
    lambda epoch: 0.1 * (epoch + 1),
    lambda epoch, rate: rate * 0.5,
    lambda epoch, rate=0.3: rate * 0.5,
    lambda epoch: np.float32(0.25),
    lambda epoch: "a",
    lambda epoch: None,
]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_learning_rate_scheduler(schedule):
    assert_same("LearningRateScheduler", {"schedule": schedule, "verbose": 1}, [1, 1, 1])


CHECKPOINT = [
    {},
    {"save_best_only": True, "monitor": "loss"},
    {"save_best_only": True},
    {"save_best_only": True, "monitor": "loss", "initial_value_threshold": 2.2},
    {"save_best_only": True, "monitor": "loss", "initial_value_threshold": 2.2, "mode": "max"},
    {"save_best_only": True, "monitor": "loss", "mode": "sideways"},
    {"save_weights_only": True, "filepath": "{epoch}.weights.h5"},
    {"save_weights_only": True, "filepath": "{epoch}.pt"},
    {"save_weights_only": True},
    {"filepath": "model.h5"},
    {"filepath": "model.weights.h5"},
    {"filepath": "model.pt"},
    {"filepath": "model"},
    {"filepath": "{absent}.keras"},
    {"save_freq": "week"},
    {"save_freq": 1.5},
    {"save_freq": 2, "filepath": "{epoch}-{batch}-{loss:.1f}.keras"},
    {"save_freq": 4, "filepath": "{epoch}-{batch}.keras"},
    {"save_freq": 7, "filepath": "{epoch}-{batch}.keras"},
    {"save_freq": 2, "filepath": "{epoch}-{batch}.keras", "save_best_only": True, "monitor": "loss"},
    {"save_freq": 2, "filepath": "{epoch}-{batch}.keras", "save_best_only": True},
]


@pytest.mark.parametrize("verbose", [0, 1])
@pytest.mark.parametrize("kwargs", CHECKPOINT, ids=str)
def test_model_checkpoint(kwargs, verbose, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kwargs = {"filepath": "{epoch:02d}-{loss:.2f}.keras", "verbose": verbose} | kwargs
    assert_same("ModelCheckpoint", kwargs, [3, 2, 2.5, 1], batches=3)


@pytest.mark.parametrize(
    "series", [[3, 2, 4], [NAN, 2, 1], [np.float32(1.23456789)], [np.array([1.0, 2.0])]], ids=str
)
def test_model_checkpoint_keeps_the_best_of_several_fits(series, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kwargs = {"filepath": "{epoch}.keras", "save_best_only": True, "monitor": "loss", "verbose": 1}
    assert_same("ModelCheckpoint", kwargs, series, fits=2)


LOGS = [
    [{"loss": 1.0, "acc": 0.5}, {"loss": 0.5, "acc": np.float32(0.7)}],
    [{"loss": 1.0}, {"loss": 1.0, "val_loss": 2.0}],
    [{"loss": 1.0, "val_loss": 2.0}, {"loss": 1.0}],
    [{"loss": [1.0, 2.0], "text": "a, b", "whole": 3}],
    [None, {}],
    [],
]


@pytest.mark.parametrize("logs", LOGS, ids=str)
@pytest.mark.parametrize("kwargs", [{}, {"separator": ";"}, {"append": True}], ids=str)
def test_csv_logger(logs, kwargs, tmp_path):
    texts = []
    for package in BOTH:
        callback = package.callbacks.CSVLogger(tmp_path / package.__name__, **kwargs)
        callback.set_model(FakeModel())
        for _ in range(2):
            callback.on_train_begin()
            for epoch, epoch_logs in enumerate(logs):
                callback.on_epoch_end(epoch, epoch_logs)
            callback.on_train_end()
        texts.append((tmp_path / package.__name__).read_bytes())
    assert texts[1] == texts[0]


@pytest.mark.parametrize("raise_error", [False, True])
@pytest.mark.parametrize(
    "logs", [{"loss": NAN}, {"loss": -INF}, {"loss": 1.0}, {"other": NAN}, None], ids=str
)
def test_terminate_on_nan(logs, raise_error):
    results = []
    for package in BOTH:
        model, output = FakeModel(), io.StringIO()
        callback = package.callbacks.TerminateOnNaN(raise_error=raise_error)
        callback.set_model(model)
        error = None
        with contextlib.redirect_stdout(output):
            try:
                callback.on_train_batch_end(3, logs)
            except RuntimeError as raised:
                error = str(raised)
        results.append((model.stop_training, output.getvalue(), error))
    assert results[1] == results[0]


class Stored(FakeModel):
    """A model whose weights are one number in a text file."""

    def save_weights(self, filepath, overwrite=True) -> None:
        with open(filepath, "w") as file:
            file.write(str(self.weight))

    def load_weights(self, filepath) -> None:
        with open(filepath) as file:
            self.weight = float(file.read())


def train(package, directory, crash_at, is_first, **kwargs):
    """Train 4 epochs of 3 batches, from a backup if there is one; return the batches and the files."""
    model, trained = Stored(), []
    model.built = True
    model._initial_epoch = None
    callback = package.callbacks.BackupAndRestore(directory, **kwargs)
    callback.set_params({"steps": 3})
    callback.set_model(model)
    callback.on_train_begin()
    for epoch in range(model._initial_epoch or 0, 4):
        callback.on_epoch_begin(epoch, {})
        for batch in range(3):
            if is_first and (epoch, batch) == crash_at:
                files = sorted(path.name for path in directory.iterdir()) if directory.exists() else []
                return trained, files
            model.weight += 1
            trained.append((epoch, batch, model.weight))
            callback.on_train_batch_end(batch, {})
        callback.on_epoch_end(epoch, {})
    callback.on_train_end({})
    return trained, sorted(path.name for path in directory.iterdir()) if directory.exists() else []


@pytest.mark.parametrize("crash_at", [(0, 1), (1, 0), (2, 1), (3, 2)])
@pytest.mark.parametrize(
    "kwargs",
    [{}, {"delete_checkpoint": False}, {"double_checkpoint": True}, {"save_freq": 4}, {"save_freq": 5}],
    ids=str,
)
def test_backup_and_restore(kwargs, crash_at, tmp_path):
    results = [
        [
            train(package, tmp_path / package.__name__, crash_at, is_first, **kwargs)
            for is_first in (True, False)
        ]
        for package in BOTH
    ]
    assert results[1] == results[0]


def test_backups_are_read_by_keras_and_the_other_way_round(tmp_path):
    for writer, reader in (BOTH, BOTH[::-1]):
        directory = tmp_path / writer.__name__
        train(writer, directory, (2, 1), True)
        assert json.loads((directory / "training_metadata.json").read_text()) == {"epoch": 2, "batch": 0}
        assert train(reader, directory, None, False)[0][0] == (2, 0, 7.0)
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def clock(monkeypatch):
    moment = [1000.0]
    monkeypatch.setattr(time, "time", lambda: moment[0])
    monkeypatch.setenv("COLUMNS", "1000")
    return moment


def written(act) -> str:
    """What `act` writes to a terminal; Keras's backspaces before a carriage return are of no effect."""
    stream = Terminal()
    with contextlib.redirect_stdout(stream):
        act()
    return re.sub("\b+\r", "\r", stream.getvalue().replace("\n\b", "\n")).replace("\b", "")


PROGBAR = [
    {"target": 10},
    {"target": 10, "stateful_metrics": ["accuracy"]},
    {"target": 10, "stateless_metrics": ["accuracy"]},
    {"target": 10, "stateless_metrics": []},
    {"target": None},
    {"target": 10, "verbose": 2},
    {"target": 10, "verbose": 0},
    {"target": 10, "width": 7, "unit_name": "record"},
    {"target": 10, "interval": 0.5},
    {"target": 1234},
]


@pytest.mark.parametrize("seconds", [0.0, 1e-5, 0.02, 0.7, 12.3, 800.0])
@pytest.mark.parametrize("kwargs", PROGBAR, ids=str)
def test_progbar(kwargs, seconds, clock):
    def act(package):
        clock[0] = 1000.0
        draw = np.random.default_rng(0)
        bar = package.utils.Progbar(**kwargs)
        for step in range(1, 11):
            clock[0] += seconds * draw.random()
            bar.update(step, [("loss", 10.0 ** draw.uniform(-6, 3)), ("accuracy", draw.random())])
        if kwargs["target"] is None:
            bar.update(10, [("loss", 1.0), ("val_loss", 2.0)], finalize=True)

    theirs, ours = (written(lambda package=package: act(package)) for package in BOTH)
    assert ours == theirs


@pytest.mark.parametrize("mode", ["train", "test", "predict"])
@pytest.mark.parametrize("params", [
    {"verbose": verbose, "epochs": epochs, "steps": steps}
    for verbose in (0, 1, 2, "auto") for epochs in (1, 2) for steps in (3, 5, None)
], ids=str)  # fmt: skip
def test_progbar_logger(params, mode, clock):
    def act(package):
        clock[0] = 1000.0
        callback = package.callbacks.ProgbarLogger()
        callback.set_params(params)
        callback.set_model(FakeModel())
        getattr(callback, f"on_{mode}_begin")()
        for epoch in range(params["epochs"] if mode == "train" else 1):
            if mode == "train":
                callback.on_epoch_begin(epoch)
            for batch in range(3):
                clock[0] += 0.1
                getattr(callback, f"on_{mode}_batch_end")(
                    batch, {"loss": 1 / (batch + 1), "accuracy": batch / 10}
                )
            if mode == "train":
                callback.on_test_begin()
                callback.on_test_batch_end(0, {"loss": 9.0})
                callback.on_test_end({"loss": 9.0})
                callback.on_epoch_end(epoch, {"loss": 7.0, "accuracy": 0.8, "val_loss": 9.0})
        getattr(callback, f"on_{mode}_end")({"loss": 7.0} if mode == "test" else {})

    theirs, ours = (written(lambda package=package: act(package)) for package in BOTH)
    assert ours == theirs


HOOKS = sorted(name for name in dir(keras.callbacks.Callback) if name.startswith("on_"))


def spy(package, calls):
    """A callback of `package` that notes the arguments of every hook."""

    def note(hook):
        return lambda self, *index, logs=None: calls.append((hook, *index, logs))

    return type("Spy", (package.callbacks.Callback,), {hook: note(hook) for hook in HOOKS})()


@pytest.mark.parametrize("logs", [[], [{"loss": 1.0}]], ids=str)
@pytest.mark.parametrize("hook", HOOKS)
def test_callback_list_passes_every_hook_on(hook, logs):
    index = [3] if "batch" in hook or "epoch" in hook else []
    recorded = []
    for package in BOTH:
        calls: list[tuple] = []
        callbacks = package.callbacks.CallbackList([spy(package, calls)], model=FakeModel(), epochs=1)
        if hook.endswith("_end"):
            getattr(callbacks, hook.replace("_end", "_begin"))(*index)
        getattr(callbacks, hook)(*index, *logs)
        names = [[part for part in call if part is not None] for call in calls]
        recorded.append((names, callbacks.params))
    assert recorded[1] == recorded[0]


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")  # of Keras
@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_swap_ema_weights(swap_on_epoch):
    x = np.random.default_rng(0).random((6, 4)).astype("float32")
    y = x.sum(axis=1, keepdims=True)
    seen = []
    for package in BOTH:
        model = package.Sequential([package.layers.Dense(1, use_bias=False)])
        model.compile(package.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), "mse")
        model.build((None, 4))
        model.set_weights([np.full((4, 1), 0.5, "float32")])
        weights = []

        def note(*args, model=model, weights=weights, **kwargs):
            weights.append(model.get_weights()[0])

        hooks = (
            "on_epoch_begin",
            "on_epoch_end",
            "on_test_begin",
            "on_test_end",
            "on_predict_begin",
            "on_train_end",
        )
        callbacks = [
            package.callbacks.SwapEMAWeights(swap_on_epoch),
            package.callbacks.LambdaCallback(**dict.fromkeys(hooks, note)),
        ]
        model.fit(
            x,
            y,
            epochs=3,
            batch_size=3,
            shuffle=False,
            validation_data=(x, y),
            callbacks=callbacks,
            verbose=0,
        )
        model.predict(x, callbacks=callbacks, verbose=0)
        note()
        seen.append(weights)
    np.testing.assert_allclose(seen[1], seen[0], atol=1e-5)
