"""A recorded step does what an eager step does, and notices what changes between two steps."""

from __future__ import annotations

import contextlib
import cProfile
import pstats
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import callbacks, layers, optimizers
from kerasish.training import replay
from kerasish.training.step import CapturedGraph

RECORDS, FEATURES, CLASSES, BATCH = 72, 6, 3, 16  # 4 full batches and one of 8

rng = np.random.default_rng(0)
X = rng.random((RECORDS, FEATURES), dtype="float32")
Y = rng.integers(0, CLASSES, RECORDS)


class Watch(callbacks.Callback):
    """Counts the shapes of batches that were prepared, and acts before one batch."""

    def __init__(self, act=None, before: int = 7) -> None:
        super().__init__()
        self.act, self.before = act, before
        self.batches = self.prepared = 0

    def on_train_batch_begin(self, batch, logs=None):
        self.prepared = max(self.prepared, len(self.model._steps["train"].prepared))
        self.batches += 1
        if self.act is not None and self.batches == self.before:
            self.act(self.model)


def sequential(*middle):
    inner = [make() for make in middle]
    return keras.Sequential(
        [
            keras.Input((FEATURES,)),
            layers.Dense(8, activation="relu"),
            *inner,
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def functional():
    inputs = keras.Input((FEATURES,))
    hidden = layers.Dense(5, activation="tanh")(inputs)
    merged = layers.Concatenate()([inputs, layers.BatchNormalization()(hidden) * 2])
    return keras.Model(inputs, layers.Dense(CLASSES, activation="softmax")(merged))


def train(eager, build=sequential, act=None, epochs=3, compile=None, **arguments):
    keras.utils.set_random_seed(3)
    model = build()
    made = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
    made.update({key: value() if key == "optimizer" else value for key, value in (compile or {}).items()})
    model.compile(run_eagerly=eager, **made)
    watch = Watch(act)
    history = model.fit(
        X, Y, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=[watch], **arguments
    ).history
    return model, history, watch


def assert_same_training(recorded, **arguments):
    """Train twice, once eagerly, and compare all weights and the history."""
    model, history, watch = train(False, **arguments)
    twin, eager_history, eager_watch = train(True, **arguments)
    assert (watch.prepared > 0) is recorded
    assert eager_watch.prepared == 0
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)
    assert history.keys() == eager_history.keys()
    for name in history:
        np.testing.assert_allclose(history[name], eager_history[name], rtol=1e-6, err_msg=name)
    assert int(model.optimizer.iterations) == int(twin.optimizer.iterations)
    return model, history


@pytest.mark.parametrize(
    "optimizer",
    [
        optimizers.SGD,
        lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        optimizers.Adam,
        lambda: optimizers.Adam(clipnorm=0.1),
        lambda: optimizers.Adam(gradient_accumulation_steps=3),
        lambda: optimizers.Adam(use_ema=True, ema_overwrite_frequency=4),
        lambda: optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)),
        lambda: optimizers.SGD(0.1, decay=0.1),
        *(getattr(optimizers, name) for name in ("AdamW", "RMSprop", "Nadam", "Adagrad", "Lion", "Ftrl")),
    ],
)
def test_every_kind_of_update(optimizer):
    assert_same_training(True, compile={"optimizer": optimizer}, epochs=2)


@pytest.mark.parametrize(
    "build",
    [
        functional,
        lambda: sequential(layers.BatchNormalization),
        lambda: sequential(lambda: layers.Dropout(0.5)),
        lambda: sequential(lambda: layers.Dropout(0.5, seed=3)),
        lambda: sequential(lambda: layers.Dropout(0.5, noise_shape=(None, 1))),
        lambda: sequential(
            lambda: layers.Dense(4, kernel_regularizer="l2", kernel_constraint="max_norm", bias_constraint="non_neg")
        ),
        lambda: sequential(lambda: layers.Dense(4, activity_regularizer="l2")),
        lambda: sequential(lambda: torch.nn.Linear(8, 4), lambda: torch.nn.BatchNorm1d(4), torch.nn.Dropout),
        lambda: sequential(lambda: layers.Reshape((4, 2)), layers.Flatten, lambda: layers.Rescaling(2.0, 1.0)),
        lambda: sequential(lambda: keras.Sequential([layers.Dense(4), layers.BatchNormalization()])),
    ],
    ids=[
        "functional", "batch norm", "dropout", "seeded dropout", "noise shape", "regularizers", "activity",
        "torch modules", "reshaping", "nested",
    ],
)  # fmt: skip
def test_every_kind_of_model(build):
    assert_same_training(True, build=build)


@pytest.mark.parametrize(
    "arguments",
    [
        {"validation_split": 0.25},
        {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}, "compile": {"weighted_metrics": ["accuracy"]}},
        {"sample_weight": rng.random(RECORDS), "compile": {"weighted_metrics": ["accuracy"]}},
        {"compile": {"metrics": ["accuracy", "sparse_top_k_categorical_accuracy"]}},
        {
            "compile": {
                "loss": keras.losses.SparseCategoricalCrossentropy(reduction="sum"),
                "loss_weights": 0.5,
            }
        },
    ],
    ids=["validation", "class_weight", "sample_weight", "metrics", "loss"],
)
def test_every_kind_of_argument(arguments):
    assert_same_training(True, **arguments)


def set_rate(model):
    model.optimizer.learning_rate = 0.5


def set_schedule(model):
    model.optimizer.learning_rate = optimizers.schedules.ExponentialDecay(0.5, 3, 0.5)


def set_weights(model):
    model.layers[-1].set_weights([w * 0 + 0.1 for w in model.layers[-1].get_weights()])


def load_state(model):
    model.load_state_dict({name: value * 0.5 for name, value in model.state_dict().items()})


def move_memory(model):
    model.layers[-1].kernel.data = model.layers[-1].kernel.data * 0.5


def freeze(model):
    model.layers[0].trainable = False


def freeze_the_torch_way(model):
    model.layers[0].kernel.requires_grad_(False)


def set_dropout(model):
    model.layers[1].rate = 0.9


def set_momentum(model):
    model.optimizer.momentum = 0.1


def set_clipping(model):
    model.optimizer.clipnorm = 0.01


@pytest.mark.parametrize(
    "act",
    [
        set_rate, set_schedule, set_weights, load_state, move_memory, freeze, freeze_the_torch_way, set_dropout,
        set_momentum, set_clipping,
    ],
)  # fmt: skip
def test_change_in_the_middle_of_an_epoch_counts_from_the_next_batch(act):
    arguments = {
        "build": lambda: sequential(lambda: layers.Dropout(0.2)),
        "compile": {"optimizer": lambda: optimizers.SGD(0.1, momentum=0.9)},
    }
    changed, _ = assert_same_training(True, act=act, **arguments)
    untouched, _, _ = train(False, **arguments)
    assert any(
        np.abs(a - b).max() > 1e-4
        for a, b in zip(changed.get_weights(), untouched.get_weights(), strict=True)
    )


def test_dropout_is_drawn_anew_in_every_replay():
    model = keras.Sequential([keras.Input((100,)), layers.Dropout(0.5), layers.Dense(1, trainable=False)])
    model.compile(optimizers.SGD(0.0), "mse")
    losses = []
    for _ in range(6):
        model.reset_metrics()
        losses.append(model.train_on_batch(np.ones((1, 100)), np.zeros(1)))
    assert len(model._steps["train"].prepared) == 1
    assert len(set(losses)) == 6


def test_last_short_batch_is_its_own_recording():
    model, _, watch = train(False, epochs=3)
    assert int(model.optimizer.iterations) == 15
    model.fit(X, Y, batch_size=BATCH, steps_per_epoch=20, verbose=0, callbacks=[watch])
    assert watch.prepared == 2


def user_loss(y_true, y_pred):
    return -y_pred.gather(1, y_true.long().reshape(-1, 1)).log().mean()


def user_metric(y_true, y_pred):
    return (y_pred.argmax(-1) == y_true).float()


class Doubling(layers.Layer):
    def call(self, inputs):
        return inputs * 2


class Counting(layers.Layer):
    """Does nothing to tensors: only its Python code shows that it runs."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def call(self, inputs):
        self.__dict__["calls"] += 1
        return inputs


@pytest.mark.parametrize(
    "arguments",
    [
        {"compile": {"loss": user_loss}},
        {"compile": {"metrics": [user_metric]}},
        {"compile": {"optimizer": lambda: optimizers.SGD(lambda: 0.1)}},
        {"build": lambda: sequential(Doubling)},
        {"build": lambda: sequential(lambda: layers.Activation(lambda x: x * 0.5))},
    ],
    ids=["loss", "metric", "learning rate", "layer", "activation"],
)
def test_code_of_the_user_runs_in_every_step(arguments):
    batch_norm = {"build": lambda: sequential(layers.BatchNormalization)}  # its state shows a step run twice
    assert_same_training(False, **{**batch_norm, **arguments})


def test_python_code_without_tensors_runs_in_every_step():
    model, _, _ = train(False, build=lambda: sequential(Counting))
    assert model.layers[1].calls >= 15


class OwnStep(keras.Sequential):
    steps = 0

    def train_step(self, data):
        self.__dict__["steps"] = self.steps + 1
        return super().train_step(data)


def test_own_train_step_runs_in_every_step():
    model, _, _ = train(
        False, build=lambda: OwnStep([keras.Input((FEATURES,)), layers.Dense(CLASSES, activation="softmax")])
    )
    assert model.steps == 15


def test_hooks_are_called_in_every_step():
    calls = []

    def build():
        model = sequential()
        model.layers[0].register_forward_hook(lambda *_: calls.append("forward"))
        return model

    _, _, watch = train(False, build=build)
    assert watch.prepared == 0
    assert len(calls) >= 15


def test_gradient_hooks_are_called_in_every_step():
    calls = []

    def build():
        model = sequential()
        model.layers[0].kernel.register_hook(lambda gradient: calls.append(gradient.shape))
        return model

    train(False, build=build)
    assert len(calls) == 15


def test_hook_added_between_two_batches():
    model = sequential()
    model.compile("sgd", "sparse_categorical_crossentropy")
    calls = []
    for _ in range(4):
        model.train_on_batch(X[:BATCH], Y[:BATCH])
    model.layers[0].register_forward_hook(lambda *_: calls.append(1))
    for _ in range(4):
        model.train_on_batch(X[:BATCH], Y[:BATCH])
    assert len(calls) == 4


def test_batch_norm_state_follows_every_step():
    def moving_mean(eager):
        model, _, _ = train(eager, build=lambda: sequential(layers.BatchNormalization))
        return model.layers[1].moving_mean.numpy()

    np.testing.assert_allclose(moving_mean(False), moving_mean(True), rtol=1e-6)
    assert np.abs(moving_mean(False)).max() > 0


def test_weights_stay_the_same_objects():
    model = sequential()
    before = [(id(w), w.data_ptr()) for w in model.weights]
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(X, Y, batch_size=BATCH, epochs=2, verbose=0)
    assert [(id(w), w.data_ptr()) for w in model.weights] == before
    assert all(w.grad is None and w.grad_fn is None for w in model.weights)


def test_model_trains_on_after_recompilation_and_after_unfreezing():
    model, _, _ = train(False)
    model.layers[0].trainable = False
    model.compile("sgd", "sparse_categorical_crossentropy")
    frozen = model.layers[0].get_weights()
    model.fit(X, Y, batch_size=BATCH, epochs=2, verbose=0)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], frozen[0])
    model.trainable = True
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(X, Y, batch_size=BATCH, epochs=2, verbose=0)
    assert np.abs(model.layers[0].get_weights()[0] - frozen[0]).max() > 0


def test_too_large_a_step_runs_eagerly_and_once(monkeypatch):
    monkeypatch.setattr(replay, "LARGEST_RECORDING", 10)
    assert_same_training(False, build=lambda: sequential(layers.BatchNormalization))


def test_profiler_of_the_user_keeps_working():
    profile = cProfile.Profile()
    profile.enable()
    _, _, watch = train(False)
    profile.disable()
    assert watch.prepared > 0
    functions = {name for _, _, name in pstats.Stats(profile).stats}
    assert {"fit", "on_train_end"} <= functions


def test_recording_refuses_and_still_returns_the_result():
    def step(batch):
        return batch[0] * 2

    with pytest.raises(replay.NotRecordable, match=r"step of .* is not library code") as caught:
        replay.Recording(step, (torch.ones(2),))
    assert caught.value.result.tolist() == [2.0, 2.0]


def test_recording_refuses_what_depends_on_values():
    with pytest.raises(replay.NotRecordable, match="depends on values"):
        replay.Recording(torch.nonzero, torch.ones(3))


def test_a_captured_graph_is_fed_and_replayed(monkeypatch):
    """The handling of a CUDA graph, without CUDA: the graph is a recording of the same step."""
    graphs = []

    class Graph:
        def __init__(self):
            self.replays = 0
            graphs.append(self)

        def replay(self):
            self.replays += 1

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", lambda graph: contextlib.nullcontext())
    batch = (torch.ones(2, 3), {"y": torch.zeros(2)}, None)
    captured = CapturedGraph(SimpleNamespace(function=lambda batch: {"sum": batch[0].sum()}), batch)
    assert graphs[0].replays == 1  # a capture alone does not run the step
    assert captured.result["sum"] == 6
    assert captured.run([torch.full((2, 3), 5.0), torch.ones(2)]) is captured.result
    assert graphs[0].replays == 2
    assert [x.flatten()[0].item() for x in captured.inputs] == [5.0, 1.0]
    assert batch[0].sum() == 6  # the batch that it was captured with is the caller's
