from __future__ import annotations

import copy
from types import SimpleNamespace

import numpy as np
import pytest


class FakeOptimizer:
    """Keeps the learning rate in float32, as the real one does."""

    built = True
    iterations = 0

    def __init__(self) -> None:
        self.__dict__["learning_rate"] = np.float32(0.5)

    def __setattr__(self, name, value) -> None:
        self.__dict__[name] = np.float32(value) if name == "learning_rate" else value


class FakeModel:
    """A model of one weight, saved as text."""

    def __init__(self) -> None:
        self.optimizer = FakeOptimizer()
        self.metrics = [
            SimpleNamespace(name="accuracy", _direction="up"),
            SimpleNamespace(name="compiled", metrics=[SimpleNamespace(name="error", _direction="down")]),
            SimpleNamespace(name="count"),
        ]
        self.stop_training = False
        self.weight = 0.0
        self._initial_epoch = None

    def get_weights(self) -> list:
        return [np.array(self.weight)]

    def set_weights(self, weights) -> None:
        self.weight = float(weights[0])

    def save_weights(self, filepath, overwrite=True) -> None:
        with open(filepath, "w") as file:
            file.write(str(self.weight))

    def load_weights(self, filepath) -> None:
        with open(filepath) as file:
            self.weight = float(file.read())

    save = save_weights


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def fit(model):
    """Lead a callback through epochs whose logs are given; return the logs as the callback left them."""

    def run(callback, epochs, batches=0, on=model):
        on.stop_training = False
        callback.set_model(on)
        callback.on_train_begin()
        left = []
        for epoch, logs in enumerate(epochs):
            callback.on_epoch_begin(epoch)
            for batch in range(batches):
                callback.on_train_batch_end(batch, copy.copy(logs))
            on.weight = float(epoch + 1)
            left.append(dict(logs))
            callback.on_epoch_end(epoch, left[-1])
            if on.stop_training:
                break
        callback.on_train_end()
        return left

    return run
