from __future__ import annotations

from kerasish.callbacks import History


def test_records_every_epoch_and_starts_anew_in_each_fit(model, fit):
    history = History()
    for _ in range(2):
        fit(history, [{"loss": 1.0}, {"loss": 0.5, "val_loss": 0.7}])
        assert history.history == {"loss": [1.0, 0.5], "val_loss": [0.7]}
        assert history.epoch == [0, 1]
        assert model.history is history


def test_works_without_a_model():
    history = History()
    history.on_train_begin()
    history.on_epoch_end(2, None)
    assert (history.epoch, history.history) == ([2], {})
