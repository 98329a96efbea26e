from __future__ import annotations

import numpy as np
import pytest

from kerasish.callbacks import EarlyStopping


def losses(*values):
    return [{"val_loss": value} for value in values]


def test_stops_after_patience_epochs_without_improvement(model, fit, capsys):
    callback = EarlyStopping(patience=2, verbose=1)
    assert len(fit(callback, losses(3, 2, 2.5, 2.4, 1))) == 4
    assert model.stop_training
    assert (callback.stopped_epoch, callback.best, callback.best_epoch) == (3, 2, 1)
    assert model.weight == 4.0
    assert capsys.readouterr().out == "Epoch 4: early stopping\n"


@pytest.mark.parametrize("series", [(3, 2, 2.5, 2.4), (3, 2, 2.5)])
def test_restores_the_best_weights_however_the_training_ended(model, fit, capsys, series):
    fit(EarlyStopping(patience=2, restore_best_weights=True, verbose=1), losses(*series))
    assert model.weight == 2.0
    assert "Restoring model weights from the end of the best epoch: 2.\n" in capsys.readouterr().out


def test_one_object_serves_several_fits(model, fit):
    callback = EarlyStopping(patience=1, restore_best_weights=True)
    assert len(fit(callback, losses(0.1, 0.2, 0.3))) == 2
    assert len(fit(callback, losses(5, 4, 3, 4, 5))) == 4
    assert (callback.best, callback.best_epoch, callback.stopped_epoch, model.weight) == (3, 2, 3, 3.0)
    assert len(fit(callback, losses(5, 4))) == 2
    assert callback.stopped_epoch == 0


@pytest.mark.parametrize(
    ("monitor", "rises"),
    [
        ("val_loss", False),
        ("output_loss", False),
        ("accuracy", True),
        ("val_accuracy", True),
        ("val_output_accuracy", True),
        ("val_error", False),
    ],
)
def test_auto_mode_knows_losses_and_metrics(fit, monitor, rises):
    callback = EarlyStopping(monitor, patience=10)
    fit(callback, [{monitor: value} for value in (2.0, 1.0, 3.0)])
    assert callback.best == (3.0 if rises else 1.0)


@pytest.mark.parametrize("monitor", ["count", "val_accurracy"])
def test_auto_mode_asks_for_the_mode_where_it_cannot_know(fit, monitor):
    with pytest.raises(ValueError, match=f"EarlyStopping received monitor='{monitor}'.*Pass `mode='max'`"):
        fit(EarlyStopping(monitor), [{monitor: 1.0}])
    assert len(fit(EarlyStopping(monitor, mode="max", patience=5), [{monitor: 1.0}] * 3)) == 3


def test_missing_value_is_warned_about(fit):
    with pytest.warns(
        UserWarning, match="`val_loss` which is not available. Available metrics are: loss,acc"
    ):
        fit(EarlyStopping(), [{"loss": 1.0, "acc": 2.0}])


def test_unknown_mode_is_warned_about():
    with pytest.warns(UserWarning, match="EarlyStopping mode 'sideways' is unknown"):
        assert EarlyStopping(mode="sideways").mode == "auto"


@pytest.mark.parametrize(
    ("kwargs", "series", "epochs"),
    [
        ({"min_delta": 0.5, "patience": 2}, (3, 2.6, 2.3, 2.2, 2.1, 1), 5),
        ({"min_delta": -0.5, "patience": 2}, (3, 2.6, 2.3, 2.2, 2.1, 1), 5),
        ({"baseline": 1.0, "patience": 3}, (3, 2, 0.9, 1, 0.99, 0.95, 0.95), 6),
        ({"start_from_epoch": 3, "patience": 1}, (1, 2, 3, 4, 5, 6), 5),
        ({"patience": 0}, (3, 3, 3), 2),
        ({"patience": 1}, (np.nan, 1, 2), 2),
    ],
)
def test_parameters(fit, kwargs, series, epochs):
    assert len(fit(EarlyStopping(**kwargs), losses(*series))) == epochs
