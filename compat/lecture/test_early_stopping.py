"""R28: training stops when the validation error has reached its minimum."""

from __future__ import annotations

import numpy as np
import pytest

import kerasish as keras

EPOCHS = 60


def overfitting_model() -> keras.Model:
    keras.utils.set_random_seed(5)
    model = keras.Sequential([keras.layers.Dense(100, activation="relu"), keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01), metrics=["mae"])
    return model


def train(split, model=None, **early_stopping):
    model = model or overfitting_model()
    callbacks = [keras.callbacks.EarlyStopping(**early_stopping)] if early_stopping else []
    history = model.fit(
        split.X_train[:100],
        split.y_train[:100],
        epochs=EPOCHS,
        validation_data=(split.X_valid, split.y_valid),
        callbacks=callbacks,
        verbose=0,
    )
    return model, history, callbacks


@pytest.fixture(scope="module")
def full_curves(diabetes):
    """The learning curves of the same training without early stopping."""
    return train(diabetes)[1].history


def epochs_until_stop(
    values, patience=0, min_delta=0.0, baseline=None, start_from_epoch=0, sign=1
) -> tuple[int, int]:
    """The number of epochs trained and the best epoch (both counted from 0 and 1 as Keras's rule says)."""
    best, best_epoch, wait = baseline if baseline is not None else sign * np.inf, 0, 0
    for epoch, value in enumerate(values):
        if epoch < start_from_epoch:
            continue
        wait += 1
        if sign * (best - value) > min_delta:
            best, best_epoch, wait = value, epoch, 0
        elif wait >= patience and epoch > 0:
            return epoch + 1, best_epoch
    return len(values), best_epoch


def test_r28_early_stopping_stops_after_the_minimum_of_the_validation_error(diabetes, full_curves):
    validation_error = full_curves["val_loss"]
    minimum = int(np.argmin(validation_error))
    assert validation_error[-1] > 1.2 * validation_error[minimum], "the training must overfit"
    _, history, (callback,) = train(diabetes, patience=10)
    assert len(history.history["val_loss"]) == minimum + 1 + 10
    assert callback.stopped_epoch == minimum + 10
    np.testing.assert_allclose(history.history["val_loss"], validation_error[: minimum + 11], rtol=1e-4)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"monitor": "val_loss", "patience": 1},
        {"monitor": "val_mae", "patience": 4},
        {"monitor": "loss", "patience": 5},
        {"patience": 3, "min_delta": 0.05},
        {"patience": 3, "min_delta": -0.05},
        {"patience": 2, "start_from_epoch": 20},
        {"patience": 3, "baseline": 0.2},
        {"patience": 3, "baseline": 10.0},
        {"monitor": "val_mae", "patience": 2, "mode": "min"},
        {"monitor": "val_mae", "patience": 2, "mode": "max"},
        {"monitor": "val_loss", "patience": 3, "mode": "auto"},
    ],
    ids=str,
)
def test_r28_early_stopping_parameters(diabetes, full_curves, parameters):
    rule = {key: abs(value) if key == "min_delta" else value for key, value in parameters.items()}
    values = full_curves[rule.pop("monitor", "val_loss")]
    expected, _ = epochs_until_stop(values, sign=-1 if rule.pop("mode", "min") == "max" else 1, **rule)
    _, history, _ = train(diabetes, **({"monitor": "val_loss"} | parameters))
    assert len(history.epoch) == expected


def test_r28_early_stopping_restores_the_best_weights(diabetes, full_curves):
    best = min(full_curves["val_loss"])
    restored, *_ = train(diabetes, patience=8, restore_best_weights=True)
    kept, *_ = train(diabetes, patience=8)
    assert restored.evaluate(diabetes.X_valid, diabetes.y_valid, verbose=0)[0] == pytest.approx(
        best, rel=1e-4
    )
    assert kept.evaluate(diabetes.X_valid, diabetes.y_valid, verbose=0)[0] > best


def test_r28_early_stopping_says_what_it_does(diabetes, full_curves, capsys):
    expected, best_epoch = epochs_until_stop(full_curves["val_loss"], patience=3)
    train(diabetes, patience=3, verbose=1, restore_best_weights=True)
    output = capsys.readouterr().out
    assert f"Epoch {expected}: early stopping" in output
    assert f"Restoring model weights from the end of the best epoch: {best_epoch + 1}" in output


def test_r28_early_stopping_object_may_be_used_again(diabetes, full_curves):
    callback = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    expected, _ = epochs_until_stop(full_curves["val_loss"], patience=3)
    data = {"validation_data": (diabetes.X_valid, diabetes.y_valid), "epochs": EPOCHS, "verbose": 0}
    for _ in range(2):
        history = overfitting_model().fit(
            diabetes.X_train[:100], diabetes.y_train[:100], callbacks=[callback], **data
        )
        assert len(history.epoch) == expected


def test_r28_early_stopping_with_the_lectures_patience(fashion, classifier):
    X_train, y_train, X_valid, y_valid, *_ = fashion
    history = classifier.fit(X_train[:1000], y_train[:1000], epochs=10,
          validation_data=(X_valid, y_valid),
          callbacks=[keras.callbacks.EarlyStopping(patience=10)], verbose=0)  # fmt: skip
    assert len(history.epoch) == 10
