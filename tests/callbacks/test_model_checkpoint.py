from __future__ import annotations

import numpy as np
import pytest

from kerasish.callbacks import ModelCheckpoint


def losses(*values):
    return [{"loss": value} for value in values]


def files(directory):
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("name", "kwargs", "saved"),
    [
        ("{epoch:02d}-{loss:.1f}.keras", {}, ["01-3.0.keras", "02-2.0.keras", "03-2.5.keras"]),
        ("{epoch}.keras", {"save_best_only": True, "monitor": "loss"}, ["1.keras", "2.keras"]),
        ("{epoch}.keras", {"save_best_only": True, "monitor": "loss", "mode": "max"}, ["1.keras"]),
        (
            "{epoch}.keras",
            {"save_best_only": True, "monitor": "loss", "initial_value_threshold": 2.2},
            ["2.keras"],
        ),
        (
            "deep/er/{epoch}.weights.h5",
            {"save_weights_only": True},
            [f"deep/er/{i}.weights.h5" for i in (1, 2, 3)],
        ),
        ("model.h5", {}, ["model.h5"]),
        ("{epoch}-{batch}.keras", {"save_freq": 2}, ["1-2.keras", "2-2.keras", "3-2.keras"]),
        ("{epoch}-{batch}.keras", {"save_freq": 3}, ["2-1.keras", "3-2.keras"]),
    ],
)
def test_saves(fit, tmp_path, name, kwargs, saved):
    fit(ModelCheckpoint(tmp_path / name, **kwargs), losses(3.0, 2.0, 2.5), batches=2)
    assert files(tmp_path) == saved


def test_saves_the_weights_of_the_best_epoch(model, fit, tmp_path):
    path = tmp_path / "best.weights.h5"
    fit(ModelCheckpoint(path, "loss", save_best_only=True, save_weights_only=True), losses(3, 1, 2))
    model.load_weights(path)
    assert model.weight == 2.0


def test_says_what_it_does(fit, tmp_path, capsys):
    fit(ModelCheckpoint(tmp_path / "a.keras", "loss", verbose=1, save_best_only=True), losses(3, 4))
    path = tmp_path / "a.keras"
    assert capsys.readouterr().out == (
        f"\nEpoch 1: loss improved from None to 3.00000, saving model to {path}\n"
        f"\nEpoch 1: finished saving model to {path}\n"
        "\nEpoch 2: loss did not improve from 3.00000\n"
    )


def test_best_is_kept_for_the_same_model_and_forgotten_for_another(model, fit, tmp_path):
    callback = ModelCheckpoint(tmp_path / "a.keras", "loss", save_best_only=True, initial_value_threshold=4)
    fit(callback, losses(2))
    fit(callback, losses(3))
    assert callback.best == 2
    fit(callback, losses(3), on=type(model)())
    assert callback.best == 3


def test_each_fit_counts_its_batches_anew(fit, tmp_path):
    callback = ModelCheckpoint(tmp_path / "{epoch}-{batch}.keras", save_freq=5)
    for _ in range(2):
        fit(callback, losses(1, 1, 1), batches=3)
    assert files(tmp_path) == ["2-2.keras"]


def test_best_of_a_missing_or_vector_value_is_warned_about_and_saved(fit, tmp_path):
    callback = ModelCheckpoint(tmp_path / "{epoch}.keras", save_best_only=True)
    with pytest.warns(UserWarning, match="Can save best model only with val_loss available"):
        fit(callback, losses(1))
    with pytest.warns(UserWarning, match="only when `monitor` is a scalar value"):
        fit(callback, [{"val_loss": np.ones(2)}] * 2)
    assert files(tmp_path) == ["1.keras", "2.keras"]


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"filepath": "a.pt"}, ValueError, r"must end in `.keras`.*Received: filepath=a.pt"),
        ({"filepath": "a.keras", "save_weights_only": True}, ValueError, r"must end in `.weights.h5`"),
        (
            {"filepath": "a.keras", "save_freq": "week"},
            ValueError,
            "`save_freq` must be 'epoch' or a positive",
        ),
        ({"filepath": "a.keras", "save_freq": 0}, ValueError, "Received: save_freq=0"),
        ({"filepath": "a.keras", "save_freq": True}, ValueError, "Received: save_freq=True"),
        (
            {"filepath": "{val_loss}.keras"},
            KeyError,
            r"names 'val_loss', which is not among \['epoch', 'loss'\]",
        ),
        ({"filepath": "."}, ValueError, "must end in"),
    ],
)
def test_errors(fit, tmp_path, monkeypatch, kwargs, error, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        fit(ModelCheckpoint(**kwargs), losses(1))


def test_a_directory_is_refused(fit, tmp_path):
    (tmp_path / "a.keras").mkdir()
    with pytest.raises(IsADirectoryError, match="non-directory filepath"):
        fit(ModelCheckpoint(tmp_path / "a.keras"), losses(1))
