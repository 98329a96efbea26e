"""One batch passes at most 150 Python calls, and a recorded one at most 12 deep: what keeps small models fast."""

from __future__ import annotations

import contextlib
import sys

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers

BATCH = 32
BATCHES = 20
MOST_CALLS = 150
DEEPEST = 12

X = np.zeros((2 * BATCHES * BATCH, 28, 28), dtype="float32")
Y = np.zeros(2 * BATCHES * BATCH, dtype="int64")


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


@contextlib.contextmanager
def watching_calls(watch):
    """Context in which `watch(frame)` is called for every Python function that is entered."""
    sys.setprofile(lambda frame, event, argument: watch(frame) if event == "call" else None)
    try:
        yield
    finally:
        sys.setprofile(None)


def calls_per_batch(run) -> float:
    """Python calls of one more batch: a run of 40 less a run of 20, so that what comes once does not count."""
    run(BATCHES)
    counts = []
    for batches in (BATCHES, 2 * BATCHES):
        entered = []
        with watching_calls(lambda frame, entered=entered: entered.append(1)):
            run(batches)
        counts.append(len(entered))
    return (counts[1] - counts[0]) / BATCHES


@pytest.mark.parametrize(
    ("run_eagerly", "verbose", "most"),
    [(False, 0, 30), (False, 1, 40), (False, 2, 30), (True, 0, MOST_CALLS), (True, 2, MOST_CALLS)],
)
def test_calls_of_a_batch_in_fit(run_eagerly, verbose, most, capsys):
    model = lecture_model(run_eagerly=run_eagerly)
    assert calls_per_batch(lambda n: model.fit(X[: n * BATCH], Y[: n * BATCH], verbose=verbose)) <= most


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_calls_of_a_batch_in_evaluate_and_predict(run_eagerly):
    model = lecture_model(run_eagerly=run_eagerly)
    assert calls_per_batch(lambda n: model.evaluate(X[: n * BATCH], Y[: n * BATCH], verbose=0)) <= MOST_CALLS
    assert calls_per_batch(lambda n: model.predict(X[: n * BATCH], verbose=0)) <= MOST_CALLS


@pytest.mark.parametrize(("run_eagerly", "outermost"), [(False, "fit"), (True, "train_step")])
def test_depth_of_a_batch(run_eagerly, outermost):
    """A recorded batch is measured from `Model.fit`, an eager one from `train_step`."""
    model = lecture_model(run_eagerly=run_eagerly)
    model.fit(X[: 4 * BATCH], Y[: 4 * BATCH], verbose=0)
    depths: list[int] = []

    def measure(frame) -> None:
        names = []
        while frame is not None and frame.f_code.co_name != "test_depth_of_a_batch":
            names.append(frame.f_code.co_name)
            frame = frame.f_back
        names.reverse()
        if "_train_epoch" in names and outermost in names:
            depths.append(len(names) - names.index(outermost))

    with watching_calls(measure):
        model.fit(X[: 4 * BATCH], Y[: 4 * BATCH], verbose=0)
    assert 3 <= max(depths) <= DEEPEST
