from __future__ import annotations

import pytest
import torch

from kerasish.callbacks import LearningRateScheduler


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (lambda epoch: 0.25 * (epoch + 1), [0.25, 0.5]),
        (lambda epoch, rate: rate / 2, [0.25, 0.125]),
        (lambda epoch, rate=1.0: rate / 2, [0.25, 0.125]),
        (lambda epoch: torch.tensor(0.25), [0.25, 0.25]),
        (lambda epoch: 1, [1.0, 1.0]),
    ],
)
def test_sets_the_rate_and_logs_it(fit, schedule, rates):
    logs = fit(LearningRateScheduler(schedule), [{"loss": 1.0}] * 2)
    assert [entry["learning_rate"] for entry in logs] == rates


def test_says_what_it_does(fit, capsys):
    fit(LearningRateScheduler(lambda epoch: 0.1, verbose=1), [{}])
    assert capsys.readouterr().out == "\nEpoch 1: LearningRateScheduler setting learning rate to 0.1.\n"


def test_error_inside_the_schedule_is_not_hidden(fit):
    def schedule(epoch, rate):
        raise TypeError("inside")

    with pytest.raises(TypeError, match="inside"):
        fit(LearningRateScheduler(schedule), [{}])


@pytest.mark.parametrize("wrong", [None, "0.1", [0.1]])
def test_schedule_must_return_a_number(fit, wrong):
    with pytest.raises(ValueError, match=r"output of the `schedule` function should be a float. Received"):
        fit(LearningRateScheduler(lambda epoch: wrong), [{}])


def test_errors(model, fit):
    with pytest.raises(TypeError, match=r"`schedule` must be callable. Received: 0.1"):
        LearningRateScheduler(0.1)
    model.optimizer = object()
    with pytest.raises(ValueError, match='Optimizer must have a "learning_rate" attribute'):
        fit(LearningRateScheduler(lambda epoch: 0.1), [{}])
