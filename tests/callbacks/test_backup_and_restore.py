from __future__ import annotations

import json

import pytest

from kerasish.callbacks import BackupAndRestore

STEPS = 3


class Crash(Exception):
    pass


@pytest.fixture
def train(model, tmp_path):
    """Train 4 epochs of 3 batches, each adding 1 to the weight, on a fresh model; crash where told."""

    def run(crash_at=None, **kwargs):
        fresh = type(model)()
        callback = BackupAndRestore(tmp_path / "backup", **kwargs)
        callback.set_params({"steps": STEPS})
        callback.set_model(fresh)
        callback.on_train_begin()
        trained = []
        for epoch in range(fresh._initial_epoch or 0, 4):
            callback.on_epoch_begin(epoch)
            for batch in range(STEPS):
                if (epoch, batch) == crash_at:
                    return trained
                fresh.weight += 1
                trained.append((epoch, batch, fresh.weight))
                callback.on_train_batch_end(batch)
            callback.on_epoch_end(epoch)
        callback.on_train_end()
        assert fresh._initial_epoch is None
        return trained

    return run


@pytest.mark.parametrize(
    ("save_freq", "crash_at", "first"),
    [
        ("epoch", (0, 2), (0, 0, 1.0)),
        ("epoch", (2, 0), (2, 0, 7.0)),
        ("epoch", (2, 1), (2, 0, 7.0)),
        (2, (2, 1), (2, 0, 7.0)),
        (4, (2, 1), (1, 0, 5.0)),
        (3, (2, 1), (2, 0, 7.0)),
    ],
)
def test_goes_on_where_the_backup_was_made(train, tmp_path, save_freq, crash_at, first):
    train(crash_at, save_freq=save_freq)
    trained = train(save_freq=save_freq)
    assert trained[0] == first
    assert trained[-1][:2] == (3, 2)
    assert not (tmp_path / "backup").exists()
    assert train(save_freq=save_freq)[0] == (0, 0, 1.0)


def test_backup_may_be_kept(train, tmp_path):
    train(delete_checkpoint=False)
    assert json.loads((tmp_path / "backup" / "training_metadata.json").read_text()) == {
        "epoch": 4,
        "batch": 0,
    }
    assert train(delete_checkpoint=False) == []


def test_files_of_others_are_left_alone(train, tmp_path):
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "notes.txt").touch()
    train()
    assert [path.name for path in (tmp_path / "backup").iterdir()] == ["notes.txt"]


def test_crash_while_saving_leaves_the_backup_before_it(train, model, tmp_path, monkeypatch):
    def half_written(self, filepath, overwrite=True):
        with open(filepath, "w") as file:
            file.write("1")
            raise Crash

    train((2, 1))
    with monkeypatch.context() as patch, pytest.raises(Crash):
        patch.setattr(type(model), "save_weights", half_written)
        train()
    assert train((3, 0))[0] == (2, 0, 7.0)


@pytest.mark.parametrize("damaged", ["latest.weights.h5", "training_metadata.json"])
def test_double_checkpoint_falls_back_on_the_backup_before(train, tmp_path, damaged):
    train((2, 1), double_checkpoint=True)
    (tmp_path / "backup" / damaged).write_text("{damaged")
    assert train(double_checkpoint=True)[0] == (1, 0, 4.0)
    assert not (tmp_path / "backup").exists()


def test_damaged_backup_is_an_error_without_double_checkpoint(train, tmp_path):
    train((2, 1))
    (tmp_path / "backup" / "latest.weights.h5").write_text("damaged")
    with pytest.raises(ValueError, match="damaged"):
        train()


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"backup_dir": ""}, "`backup_dir` must not be empty"),
        (
            {"backup_dir": "a", "save_freq": "week"},
            "BackupAndRestore: `save_freq` must be 'epoch' or a positive",
        ),
        ({"backup_dir": "a", "save_freq": False}, "Received: save_freq=False"),
    ],
)
def test_errors(kwargs, message):
    with pytest.raises(ValueError, match=message):
        BackupAndRestore(**kwargs)
