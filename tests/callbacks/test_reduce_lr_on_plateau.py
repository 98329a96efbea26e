from __future__ import annotations

import pytest

from kerasish.callbacks import ReduceLROnPlateau


def rates(fit, model, series, **kwargs):
    fit(ReduceLROnPlateau("loss", **kwargs), [{"loss": value} for value in series])
    return float(model.optimizer.learning_rate)


@pytest.mark.parametrize(
    ("kwargs", "series", "rate"),
    [
        ({"patience": 2}, [1] * 3, 0.05),
        ({"patience": 2}, [1] * 5, 0.005),
        ({"patience": 2, "factor": 0.5, "cooldown": 2}, [1] * 6, 0.125),
        ({"patience": 2, "factor": 0.5, "cooldown": 2}, [1] * 5, 0.25),
        ({"patience": 1, "factor": 0.5, "min_lr": 0.2}, [1] * 9, 0.2),
        ({"patience": 1, "min_delta": 0.5}, [3, 2.8], 0.05),
        ({"patience": 1, "epsilon": 0.5}, [3, 2.8], 0.05),
        ({"patience": 1, "mode": "max"}, [1, 2, 3], 0.5),
        ({"patience": 1, "mode": "min"}, [1, 2, 3], 0.005),
    ],
    ids=str,
)
def test_rate_after_a_series(fit, model, kwargs, series, rate):
    assert rates(fit, model, series, **kwargs) == pytest.approx(rate)


def test_logs_the_rate_of_the_epoch_and_says_what_it_does(fit, capsys):
    logs = fit(ReduceLROnPlateau("loss", patience=1, verbose=1), [{"loss": 1.0}] * 3)
    assert [entry["learning_rate"] for entry in logs] == pytest.approx([0.5, 0.5, 0.05])
    assert "\nEpoch 2: ReduceLROnPlateau reducing learning rate to 0.05.\n" in capsys.readouterr().out


def test_one_object_serves_several_fits(fit, model):
    callback = ReduceLROnPlateau("loss", patience=2, cooldown=3)
    fit(callback, [{"loss": 0.1}] * 3)
    assert callback.in_cooldown()
    fit(callback, [{"loss": 1.0}] * 2)
    assert not callback.in_cooldown()
    assert callback.best == 1.0
    assert float(model.optimizer.learning_rate) == pytest.approx(0.05)


def test_missing_value_is_warned_about(fit):
    with pytest.warns(UserWarning, match="`val_loss` which is not available. Available metrics are: loss"):
        fit(ReduceLROnPlateau(), [{"loss": 1.0}])


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"factor": 1.0}, "factor >= 1.0. Received factor=1.0"),
        ({"patients": 3}, r"Unrecognized.*\['patients'\]"),
    ],
)
def test_errors(kwargs, message):
    with pytest.raises(ValueError, match=message):
        ReduceLROnPlateau(**kwargs)
