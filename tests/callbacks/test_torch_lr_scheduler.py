"""Torch's schedulers beside a hand-written loop, and what is refused."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

import kerasish as keras
from kerasish.callbacks import TorchLRScheduler

rng = np.random.default_rng(0)
X, Y = rng.random((32, 3), dtype="float32"), rng.random((32, 1), dtype="float32")
HALVE = functools.partial(lr_scheduler.StepLR, step_size=1, gamma=0.5)


def made():
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)])


def trained_by_hand(interval):
    model = made()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = HALVE(optimizer)
    for _ in range(3):
        for x, y in zip(torch.tensor(X).split(8), torch.tensor(Y).split(8), strict=True):
            loss = torch.nn.functional.mse_loss(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if interval == "batch":
                scheduler.step()
        if interval == "epoch":
            scheduler.step()
    return model.get_weights()


@pytest.mark.parametrize("interval", ["epoch", "batch"])
@pytest.mark.parametrize("by_factory", [True, False])
def test_trains_like_the_hand_written_loop(interval, by_factory):
    model = made()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model.compile(functools.partial(torch.optim.SGD, lr=0.1) if by_factory else optimizer, "mse")
    callback = TorchLRScheduler(HALVE if by_factory else HALVE(optimizer), interval)
    history = model.fit(X, Y, batch_size=8, epochs=3, shuffle=False, verbose=0, callbacks=[callback]).history
    for a, b in zip(model.get_weights(), trained_by_hand(interval), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    if interval == "epoch":
        assert history["learning_rate"] == [0.1, 0.05, 0.025]


def test_a_bare_scheduler_among_the_callbacks():
    model = made()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model.compile(optimizer, "mse")
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=[HALVE(optimizer)]).history
    assert history["learning_rate"] == [0.1, 0.05, 0.025]


def test_reduce_on_plateau_watches_a_logged_value():
    model = made()
    model.compile(functools.partial(torch.optim.SGD, lr=0.1), "mse")
    plateau = functools.partial(lr_scheduler.ReduceLROnPlateau, patience=0, factor=0.5, threshold=1.0)
    callback = TorchLRScheduler(plateau, monitor="loss")
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=[callback]).history
    assert history["learning_rate"] == [0.1, 0.05, 0.025]
    with pytest.raises(ValueError, match="monitor='val_loss'"):
        model.fit(X, Y, verbose=0, callbacks=[TorchLRScheduler(plateau)])


def test_refused():
    model = made()
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="compiled with SGD of Keras"):
        model.fit(X, Y, verbose=0, callbacks=[TorchLRScheduler(HALVE)])
    stranger = torch.optim.SGD(made().parameters(), lr=0.1)
    model.compile(torch.optim.SGD, "mse")
    with pytest.raises(ValueError, match="belongs to another optimizer"):
        model.fit(X, Y, verbose=0, callbacks=[HALVE(stranger)])
    with pytest.raises(ValueError, match="interval='step'"):
        TorchLRScheduler(HALVE, interval="step")
    with pytest.raises(TypeError, match="must be a torch scheduler"):
        TorchLRScheduler(3)
