"""Memory stays flat, without help from the cyclic collector: what is dropped is freed at once."""

from __future__ import annotations

import gc
import itertools
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import callbacks, layers

X = np.random.default_rng(0).random((64, 8), dtype="float32")
Y = np.arange(64) % 3
ALLOWED = 4 * 2**20  # bytes of growth over a whole test, for the allocator's own arenas


@pytest.fixture(scope="module", autouse=True)
def only_new_objects():
    """Leave what was there before out of counts and collections, which are fast then."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def no_cyclic_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def resident() -> int:
    """Bytes of memory that the process holds."""
    status = Path("/proc/self/statm")
    if not status.exists():
        pytest.skip("the resident size is read from /proc")
    return int(status.read_text().split()[1]) * 4096


def live_objects() -> tuple[int, int]:
    """The number of tensors and of all container objects."""
    objects = gc.get_objects()
    return sum(issubclass(type(x), torch.Tensor) for x in objects), len(objects)


def assert_flat(action, times: int) -> None:
    """Run `action` some times to warm up, then often: neither objects nor memory may become more."""
    for _ in range(max(10, times // 10)):
        action()
    tensors, objects = live_objects()
    before = resident()
    for _ in range(times):
        action()
    more_tensors, more_objects = live_objects()
    assert more_tensors <= tensors
    assert more_objects - objects < times // 2
    assert resident() - before < ALLOWED


def classifier() -> keras.Sequential:
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(16, activation="relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Dropout(0.1),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def functional() -> keras.Model:
    inputs = keras.Input((8,))
    left, right = layers.Dense(4)(inputs), layers.Dense(4)(inputs)
    merged = layers.Concatenate()([left, right * 2])
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(merged))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.stack = [layers.Dense(4), layers.Dense(3, activation="softmax")]

    def call(self, inputs):
        for layer in self.stack:
            inputs = layer(inputs)
        return inputs


def subclassed() -> keras.Model:
    model = Subclassed()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model(X)
    return model


def with_torch_module() -> keras.Sequential:
    model = keras.Sequential(
        [keras.Input((8,)), torch.nn.Linear(8, 4), layers.Dense(3, activation="softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def test_thousand_predictions():
    model = classifier()
    assert_flat(lambda: model.predict_on_batch(X[:1]), 1000)


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_two_hundred_fits(run_eagerly):
    model = classifier()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=run_eagerly)
    assert_flat(lambda: model.fit(X, Y, batch_size=16, validation_split=0.25, verbose=0), 200)


def test_many_steps_by_hand():
    model = classifier()
    assert_flat(lambda: (model.train_on_batch(X, Y), model.test_on_batch(X, Y)), 200)


def test_two_hundred_models_built_and_dropped():
    makers = itertools.cycle([classifier, functional, subclassed])
    assert_flat(lambda: next(makers)() and None, 200)


def test_models_trained_and_dropped():
    assert_flat(lambda: classifier().fit(X, Y, batch_size=16, verbose=0) and None, 40)


@pytest.mark.parametrize("make", [classifier, functional, subclassed, with_torch_module])
@pytest.mark.parametrize(
    "use",
    [
        lambda model: None,
        lambda model: model.fit(X, Y, batch_size=16, epochs=2, verbose=0),
        lambda model: model.fit(
            X,
            Y,
            validation_split=0.5,
            verbose=0,
            callbacks=[callbacks.EarlyStopping(restore_best_weights=True)],
        ),
        lambda model: [model.train_on_batch(X, Y) for _ in range(3)],
        lambda model: model.evaluate(X, Y, verbose=0),
        lambda model: model.predict(X, verbose=0),
        lambda model: model.summary(print_fn=lambda text: None),
        lambda model: model.get_weights(),
    ],
    ids=["build", "fit", "callbacks", "train_on_batch", "evaluate", "predict", "summary", "get_weights"],
)
def test_a_dropped_model_is_freed_at_once(make, use):
    model = make()
    use(model)
    parts = [weakref.ref(part) for part in (model, *model.weights, *model.optimizer.variables)]
    del model
    assert [part() for part in parts] == [None] * len(parts)


def test_history_keeps_its_records_when_the_model_is_gone():
    model = classifier()
    history = model.fit(X, Y, epochs=2, verbose=0)
    assert history.model is model
    assert model.history.history == history.history
    reference = weakref.ref(model)
    del model
    assert reference() is not None and history.model is reference()
    records = history.history
    del history
    assert reference() is None
    assert len(records["loss"]) == 2


def test_intermediate_values_of_training_are_freed():
    model = classifier()
    model.fit(X, Y, verbose=0)
    losses = [model.train_on_batch(X, Y, return_dict=True)["loss"] for _ in range(5)]
    assert all(isinstance(loss, float) for loss in losses)
    kept = live_objects()[0]
    for _ in range(20):
        model.train_on_batch(X, Y)
    assert live_objects()[0] == kept
