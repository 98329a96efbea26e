from __future__ import annotations

import numpy as np
import pytest

from kerasish.callbacks import CSVLogger


@pytest.mark.parametrize(
    ("logs", "text"),
    [
        ([{"loss": 1.0, "val_loss": 2.0}, {"loss": 0.5}], "epoch,loss,val_loss\n0,1.0,2.0\n1,0.5,NA\n"),
        ([{"loss": 1.0}, {"loss": 0.5, "val_loss": 2.0}], "epoch,loss,val_loss\n0,1.0,NA\n1,0.5,2.0\n"),
        ([{"val_b": 1, "a": np.float32(0.25)}], "epoch,a,val_b\n0,0.25,1\n"),
        ([], ""),
    ],
)
def test_rows(fit, tmp_path, logs, text):
    fit(CSVLogger(tmp_path / "log.csv"), logs)
    assert (tmp_path / "log.csv").read_text() == text


def test_separator_and_vectors(fit, tmp_path):
    fit(CSVLogger(tmp_path / "log.csv", separator=";"), [{"a": 1, "val_a": [1.0, 2.0]}])
    assert (tmp_path / "log.csv").read_text() == 'epoch;a;val_a\n0;1;"""[1.0, 2.0]"""\n'


@pytest.mark.parametrize(("append", "rows"), [(False, 1), (True, 2)])
def test_second_fit_overwrites_or_appends(fit, tmp_path, append, rows):
    callback = CSVLogger(tmp_path / "log.csv", append=append)
    for _ in range(2):
        fit(callback, [{"loss": 1.0, "val_loss": 2.0}])
    assert (tmp_path / "log.csv").read_text() == "epoch,loss,val_loss\n" + "0,1.0,2.0\n" * rows


def test_appended_rows_go_under_the_columns_of_the_file(fit, tmp_path):
    (tmp_path / "log.csv").write_text("epoch,val_loss,loss\n0,2.0,1.0\n")
    fit(CSVLogger(tmp_path / "log.csv", append=True), [{"loss": 3.0, "acc": 5.0, "val_loss": 4.0}])
    assert (tmp_path / "log.csv").read_text() == "epoch,val_loss,loss\n0,2.0,1.0\n0,4.0,3.0\n"


def test_file_is_whole_after_every_epoch(model, tmp_path):
    callback = CSVLogger(tmp_path / "log.csv")
    callback.on_train_begin()
    callback.on_epoch_end(0, {"loss": 1.0})
    assert (tmp_path / "log.csv").read_text() == "epoch,loss,val_loss\n0,1.0,NA\n"
