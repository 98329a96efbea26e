"""One batch passes at most 150 Python calls, at most 12 deep: what keeps small models fast."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers

BATCHES = 20
MOST_CALLS = 150
DEEPEST = 12


class Count:
    """Counts the Python calls of whole epochs and how deep they go below the caller of `fit`."""

    def __init__(self) -> None:
        self.calls = self.depth = self.deepest = 0

    def __enter__(self) -> Count:
        sys.setprofile(self._profile)
        return self

    def __exit__(self, *exc_info) -> None:
        sys.setprofile(None)

    def _profile(self, frame, event, argument) -> None:
        if event == "call":
            self.calls += 1
            self.depth += 1
            self.deepest = max(self.deepest, self.depth)
        elif event == "return":
            self.depth -= 1


def lecture_model(**arguments) -> keras.Sequential:
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(300, activation="relu"),
            layers.Dense(100, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], **arguments)
    return model


def count_of_one_batch(run) -> tuple[float, int]:
    """Calls per batch: the difference between a long and a short run, so that what comes once does not count."""
    counts = []
    for batches in (BATCHES, 2 * BATCHES):
        with Count() as count:
            run(batches)
        counts.append(count)
    return (counts[1].calls - counts[0].calls) / BATCHES, counts[1].deepest


X = np.zeros((2 * BATCHES * 32, 28, 28), dtype="float32")
Y = np.zeros(2 * BATCHES * 32, dtype="int64")


@pytest.mark.parametrize("verbose", [0, 1, 2])
@pytest.mark.parametrize("run_eagerly", [False, True], ids=["recorded", "eager"])
def test_fit(run_eagerly, verbose, capsys):
    model = lecture_model(run_eagerly=run_eagerly)

    def run(batches):
        model.fit(X[: batches * 32], Y[: batches * 32], epochs=1, verbose=verbose)

    run(BATCHES)
    calls, deepest = count_of_one_batch(run)
    capsys.readouterr()
    assert calls <= MOST_CALLS
    if not run_eagerly and not verbose:
        assert calls <= 30


@pytest.mark.parametrize("run_eagerly", [False, True], ids=["recorded", "eager"])
def test_depth_of_a_step(run_eagerly):
    model = lecture_model(run_eagerly=run_eagerly)
    model.fit(X[:128], Y[:128], verbose=0)
    deepest = 0

    class Deepest(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.count = Count()
            self.count.__enter__()

        def on_train_batch_end(self, batch, logs=None):
            nonlocal deepest
            sys.setprofile(None)
            if batch >= 4:
                deepest = max(deepest, self.count.deepest)

    model.fit(X[: 32 * 8], Y[: 32 * 8], verbose=0, callbacks=[Deepest()])
    assert 0 < deepest <= DEEPEST


@pytest.mark.parametrize("run_eagerly", [False, True], ids=["recorded", "eager"])
def test_evaluate(run_eagerly):
    model = lecture_model(run_eagerly=run_eagerly)
    run = lambda batches: model.evaluate(X[: batches * 32], Y[: batches * 32], verbose=0)  # noqa: E731
    run(BATCHES)
    assert count_of_one_batch(run)[0] <= MOST_CALLS


def test_predict():
    model = lecture_model()
    run = lambda batches: model.predict(X[: batches * 32], verbose=0)  # noqa: E731
    run(BATCHES)
    assert count_of_one_batch(run)[0] <= MOST_CALLS
