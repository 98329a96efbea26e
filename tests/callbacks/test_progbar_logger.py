from __future__ import annotations

import io
import re
import sys
import time

import pytest

from kerasish.callbacks import ProgbarLogger

BAR = "━" * 20
STEP = 1 / 256  # seconds


class Logs(dict):
    """Counts how often it is read."""

    reads = 0

    def items(self):
        Logs.reads += 1
        return super().items()

    def __len__(self) -> int:
        Logs.reads += 1
        return super().__len__()


@pytest.fixture
def clock(monkeypatch):
    moment = [1000.0]
    monkeypatch.setattr(time, "time", lambda: moment[0])
    return moment


def train(clock, params, epochs=1, batches=3):
    callback = ProgbarLogger()
    callback.set_params(params)
    callback.on_train_begin()
    for epoch in range(epochs):
        callback.on_epoch_begin(epoch)
        for batch in range(batches):
            clock[0] += STEP
            callback.on_train_batch_end(batch, Logs(loss=1.0))
        callback.on_test_begin()
        callback.on_test_batch_end(0, Logs(loss=9.0))
        callback.on_test_end(Logs(loss=9.0))
        callback.on_epoch_end(epoch, Logs(loss=0.5, val_loss=9.0))
    callback.on_train_end()
    return callback


@pytest.mark.parametrize(
    ("params", "epochs", "text"),
    [
        (
            {"verbose": 1, "epochs": 1, "steps": 3},
            1,
            f"3/3 {BAR} 0s 4ms/step - loss: 0.5000 - val_loss: 9.0000\n",
        ),
        (
            {"verbose": "auto", "epochs": 2, "steps": None},
            2,
            "".join(
                f"Epoch {e}/2\n3/3 {BAR} 0s 4ms/step - loss: 0.5000 - val_loss: 9.0000\n" for e in (1, 2)
            ),
        ),
        (
            {"verbose": 2, "epochs": 1, "steps": 3},
            1,
            "3/3 - 0s - 4ms/step - loss: 0.5000 - val_loss: 9.0000\n",
        ),
        ({"verbose": 0, "epochs": 2, "steps": 3}, 2, ""),
    ],
    ids=["bar", "unknown steps", "lines", "silent"],
)
def test_fit_in_a_file(capsys, clock, params, epochs, text):
    train(clock, params, epochs)
    assert capsys.readouterr().out == text


def test_logs_are_not_looked_into_until_the_bar_is_drawn(monkeypatch, clock):
    stream = io.StringIO()
    stream.isatty = lambda: True
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(Logs, "reads", 0)
    train(clock, {"verbose": 1, "epochs": 1, "steps": 1000}, batches=1000)
    drawings = stream.getvalue().count("\r")
    assert drawings == pytest.approx(1000 * STEP / 0.05, rel=0.1)
    assert Logs.reads <= 2 * drawings
    assert re.search(r"1000/1000.*- loss: 0.5000 - val_loss: 9.0000\n$", stream.getvalue())


@pytest.mark.parametrize("mode", ["test", "predict"])
@pytest.mark.parametrize("steps", [3, None])
def test_evaluate_and_predict(capsys, clock, mode, steps):
    callback = train(clock, {"verbose": 0, "epochs": 1, "steps": 1})
    callback.set_params({"verbose": 1, "epochs": 1, "steps": steps})
    getattr(callback, f"on_{mode}_begin")()
    for batch in range(3):
        clock[0] += STEP
        getattr(callback, f"on_{mode}_batch_end")(
            batch, {"outputs": None} if mode == "predict" else {"loss": 1.0}
        )
    getattr(callback, f"on_{mode}_end")({} if mode == "predict" else {"loss": 0.5})
    ending = "" if mode == "predict" else " - loss: 0.5000"
    assert capsys.readouterr().out == f"3/3 {BAR} 0s 4ms/step{ending}\n"
