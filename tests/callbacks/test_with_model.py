"""The callbacks that save and restore, on real models that are trained, interrupted and killed."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys

import numpy as np
import pytest
import torch

import kerasish as keras

X = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
Y = X[:, :2] * 2 - 1


class Interrupted(Exception):
    pass


class Interrupt(keras.callbacks.Callback):
    def __init__(self, epoch, batch):
        super().__init__()
        self.at = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            raise Interrupted


def make(seed=0, optimizer="adam", dropout_seed=None):
    keras.random.set_seed(seed) if hasattr(keras.random, "set_seed") else torch.manual_seed(seed)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(8, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.3, seed=dropout_seed),
            layers.Dense(2),
        ]
    )
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def fit(model, callbacks=(), epochs=4, shuffle=False, **kwargs):
    arguments = {"batch_size": 8, "verbose": 0, "validation_data": (X[:8], Y[:8]), **kwargs}
    return model.fit(X, Y, epochs=epochs, shuffle=shuffle, callbacks=list(callbacks), **arguments)


def state(model):
    return [v.detach().numpy().copy() for v in (*model.weights, *model.optimizer.variables)]


def assert_same(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("dropout_seed", [None, 7])
@pytest.mark.parametrize("at", [(0, 3), (2, 0), (3, 4)])
def test_backup_goes_on_bit_for_bit(tmp_path, at, dropout_seed, shuffle):
    model = make(dropout_seed=dropout_seed)
    history = fit(model, shuffle=shuffle)
    interrupted = make(dropout_seed=dropout_seed)
    with pytest.raises(Interrupted):
        fit(interrupted, [keras.callbacks.BackupAndRestore(tmp_path / "b"), Interrupt(*at)], shuffle=shuffle)
    resumed = make(seed=0 if at[0] == 0 else 1, dropout_seed=dropout_seed)
    found = fit(resumed, [keras.callbacks.BackupAndRestore(tmp_path / "b")], shuffle=shuffle)
    assert_same(state(resumed), state(model))
    assert found.history == history.history
    assert found.epoch == history.epoch == [0, 1, 2, 3]
    assert resumed.history.history == history.history
    assert not (tmp_path / "b").exists()


def test_backup_of_a_finished_training_gives_its_history(tmp_path):
    callback = keras.callbacks.BackupAndRestore(tmp_path / "b", delete_checkpoint=False)
    history = fit(make(), [callback])
    again = fit(make(seed=1), [callback])
    assert again.history == history.history
    assert again.epoch == [0, 1, 2, 3]
    longer = fit(make(seed=1), [callback], epochs=5)
    assert longer.epoch == [0, 1, 2, 3, 4]
    assert {name: values[:4] for name, values in longer.history.items()} == history.history


def test_backup_counts_when_the_kill_comes_between_its_two_files(tmp_path):
    directory = tmp_path / "b"
    expected = make()
    fit(expected)
    with pytest.raises(Interrupted):
        fit(make(), [keras.callbacks.BackupAndRestore(directory), Interrupt(2, 1)])
    (directory / "training_metadata.json").write_text(json.dumps({"epoch": 1, "batch": 0}))
    resumed = make(seed=1)
    fit(resumed, [keras.callbacks.BackupAndRestore(directory)])
    assert_same(state(resumed), state(expected))


def test_backup_restores_the_generators_of_numpy_and_python(tmp_path):
    draws = []

    class Draw(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            draws.append((epoch, np.random.rand(), random.random()))

    fit(make(), [keras.callbacks.BackupAndRestore(tmp_path / "a"), Draw()])
    undisturbed, draws[:] = {epoch: d for epoch, *d in draws}, []
    np.random.seed(1)
    with pytest.raises(Interrupted):
        fit(make(), [keras.callbacks.BackupAndRestore(tmp_path / "b"), Draw(), Interrupt(2, 0)])
    interrupted, draws[:] = {epoch: d for epoch, *d in draws}, []
    np.random.seed(2)
    fit(make(), [keras.callbacks.BackupAndRestore(tmp_path / "b"), Draw()])
    resumed = {epoch: d for epoch, *d in draws}
    assert resumed[2] == interrupted[2]
    assert resumed[2] != undisturbed[2]


def test_backup_within_an_epoch_keeps_weights_and_optimizer(tmp_path):
    kept = []

    class Keep(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            kept.append(state(self.model))

    backup = keras.callbacks.BackupAndRestore(tmp_path / "b", save_freq=7)
    with pytest.raises(Interrupted):
        fit(make(), [backup, Keep(), Interrupt(1, 3)])
    resumed = make(seed=1)

    class Look(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            assert_same(state(self.model), kept[6])

    assert fit(resumed, [keras.callbacks.BackupAndRestore(tmp_path / "b"), Look()]).epoch == [0, 1, 2, 3]


def test_backup_with_a_torch_optimizer(tmp_path):
    def run(callbacks, seed=0):
        model = make(seed, torch.optim.AdamW)
        fit(model, callbacks)
        return model

    expected = run([])
    with pytest.raises(Interrupted):
        run([keras.callbacks.BackupAndRestore(tmp_path / "b"), Interrupt(2, 1)])
    resumed = run([keras.callbacks.BackupAndRestore(tmp_path / "b")], seed=1)
    assert_same(state(resumed), state(expected))


SCRIPT = """
import os, random, signal, sys, time
import numpy as np
import torch
import kerasish as keras

torch.set_num_threads(1)
rng = np.random.default_rng(0)
x = rng.normal(size=(40, 4)).astype("float32")
y = x[:, :2] * 2 - 1

def train(name, batch_of_death):
    torch.manual_seed(0)
    model = keras.Sequential([
        keras.Input((4,)), keras.layers.Dense(8, activation="relu"), keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.3), keras.layers.Dropout(0.1, seed=3), keras.layers.Dense(2),
    ])
    model.compile("adam", "mse", metrics=["mae"])

    class Die(keras.callbacks.Callback):
        seen = 0
        def on_train_batch_end(self, batch, logs=None):
            self.seen += 1
            if self.seen == batch_of_death:
                os.kill(os.getpid(), signal.SIGKILL)

    callbacks = [keras.callbacks.BackupAndRestore(name), Die()]
    history = model.fit(x, y, batch_size=8, epochs=6, shuffle=True, verbose=0, callbacks=callbacks)
    arrays = [v.detach().numpy() for v in (*model.weights, *model.optimizer.variables)]
    columns = [history.history[name] for name in sorted(history.history)]
    np.savez(name + ".npz", *arrays, history=columns, epoch=history.epoch)

def in_a_process(name, batch_of_death=0, seconds=None):
    process = os.fork()
    if process == 0:
        train(name, batch_of_death)
        os._exit(0)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(process, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])

os.chdir(sys.argv[1])
began = time.perf_counter()
assert in_a_process("never") == 0
duration = time.perf_counter() - began
for i in range(int(sys.argv[2])):
    at = {"batch_of_death": random.randint(1, 29)} if i % 2 == 0 else {"seconds": random.random() * duration}
    if in_a_process(f"kill_{i}", **at) != 0:
        assert in_a_process(f"kill_{i}") == 0
    elif "batch_of_death" in at:
        sys.exit("The training was not killed.")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes that it forks")
@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=pytest.mark.slow)])
def test_kills_change_nothing(tmp_path, kills):
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    subprocess.run([sys.executable, str(script), str(tmp_path), str(kills)], env=environment, check=True)
    expected = dict(np.load(tmp_path / "never.npz"))
    assert expected["epoch"].tolist() == [0, 1, 2, 3, 4, 5]
    for i in range(kills):
        found = dict(np.load(tmp_path / f"kill_{i}.npz"))
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            np.testing.assert_array_equal(found[key], value)


@pytest.mark.parametrize("name", ["{epoch}.keras", "{epoch}.weights.h5"])
def test_checkpoints_hold_the_model_of_their_epoch(tmp_path, name):
    kept = []

    class Keep(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            kept.append((state(self.model), self.model.predict(X, verbose=0)))

    weights_only = name.endswith(".h5")
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / name, save_weights_only=weights_only)
    fit(make(), [checkpoint, Keep()], epochs=3)
    for epoch, (arrays, predictions) in enumerate(kept, 1):
        path = tmp_path / name.format(epoch=epoch)
        if weights_only:
            loaded = make(seed=1)
            loaded.load_weights(path)
        else:
            loaded = keras.models.load_model(path)
        assert_same(state(loaded), arrays)
        np.testing.assert_array_equal(loaded.predict(X, verbose=0), predictions)


def test_a_loaded_checkpoint_trains_on_bit_for_bit(tmp_path):
    model = make(dropout_seed=7)
    fit(model, [keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras")], epochs=4)
    loaded = keras.models.load_model(tmp_path / "2.keras")
    fit(loaded, epochs=4, initial_epoch=2)
    assert_same(state(loaded), state(model))


def test_only_the_best_model_is_kept(tmp_path):
    path = tmp_path / "best.keras"
    history = fit(
        make(optimizer=keras.optimizers.Adam(0.5)),
        [keras.callbacks.ModelCheckpoint(path, monitor="val_loss", save_best_only=True)],
        epochs=6,
    )
    losses = history.history["val_loss"]
    assert min(losses) < losses[-1]
    loss = keras.models.load_model(path).evaluate(X[:8], Y[:8], verbose=0)[0]
    assert loss == pytest.approx(min(losses), rel=1e-6)


def test_checkpoints_by_batch(tmp_path):
    fit(make(), [keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}-{batch}.keras", save_freq=3)], epochs=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1-3.keras", "2-1.keras", "2-4.keras"]


def test_early_stopping_puts_the_best_weights_back():
    weights = []

    class Keep(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            weights.append(self.model.get_weights())
            logs["score"] = [3.0, 1.0, 2.0, 2.5, 4.0, 5.0][epoch]

    model = make()
    stopping = keras.callbacks.EarlyStopping(
        monitor="score", mode="min", patience=2, restore_best_weights=True
    )
    history = fit(model, [Keep(), stopping], epochs=6)
    assert history.epoch == [0, 1, 2, 3]
    assert stopping.best_epoch == 1
    assert_same(model.get_weights(), weights[1])
