from __future__ import annotations

import numpy as np
import pytest

from kerasish.callbacks import TerminateOnNaN


@pytest.mark.parametrize("loss", [np.nan, np.inf, -np.inf, np.array([1.0, np.nan])], ids=str)
def test_stops(model, loss, capsys):
    callback = TerminateOnNaN()
    callback.set_model(model)
    callback.on_train_batch_end(3, {"loss": loss})
    assert model.stop_training
    assert capsys.readouterr().out == "Batch 3: Invalid loss, terminating training\n"


@pytest.mark.parametrize(
    "logs", [{"loss": 1.0}, {"loss": np.ones(2)}, {"accuracy": np.nan}, {}, None], ids=str
)
def test_goes_on(model, logs):
    callback = TerminateOnNaN()
    callback.set_model(model)
    callback.on_train_batch_end(3, logs)
    assert not model.stop_training


def test_raises_when_asked_to():
    with pytest.raises(RuntimeError, match=r"NaN or Inf loss encountered at batch 3. Loss value: nan"):
        TerminateOnNaN(raise_error=True).on_train_batch_end(3, {"loss": np.nan})
