from __future__ import annotations

import pytest

from kerasish.callbacks import TimeLimit, time_limit


@pytest.fixture
def clock(monkeypatch):
    now = iter(range(1000))
    monkeypatch.setattr(time_limit.time, "monotonic", lambda: float(next(now)))


def test_stops_with_the_batch_that_reaches_the_limit(clock, fit, model, capsys):
    limit = TimeLimit(seconds=5, verbose=1)
    assert len(fit(limit, [{"loss": 1.0}] * 4, batches=3)) == 2
    assert limit.stopped_epoch == 1 and model.stop_training
    assert capsys.readouterr().out.strip() == "Epoch 2: stopped after 5 seconds"


def test_each_fit_has_the_whole_time(clock, fit, model):
    limit = TimeLimit(seconds=5)
    for _ in range(2):
        assert len(fit(limit, [{"loss": 1.0}] * 2, batches=2)) == 2
        assert limit.stopped_epoch is None and not model.stop_training


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), "60", True])
def test_errors(seconds):
    with pytest.raises(ValueError, match=r"`seconds` must be a positive number\. Received: seconds="):
        TimeLimit(seconds)
