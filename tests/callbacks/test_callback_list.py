from __future__ import annotations

import pytest

from kerasish.callbacks import (
    BackupAndRestore,
    Callback,
    CallbackList,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ProgbarLogger,
    ReduceLROnPlateau,
    SwapEMAWeights,
    TensorBoard,
    TerminateOnNaN,
)


class OnBatchEnd(Callback):
    def __init__(self) -> None:
        self.calls: list[tuple] = []

    def on_train_batch_end(self, batch, logs=None) -> None:
        self.calls.append((batch, logs))


class OnBatchEndOldName(Callback):
    def on_batch_end(self, batch, logs=None) -> None:
        self.last = batch


class CheckpointThatListens(ModelCheckpoint):
    def on_train_batch_end(self, batch, logs=None) -> None:
        self.last = batch


class SilentProgbar(ProgbarLogger):
    def set_params(self, params) -> None:
        super().set_params({"verbose": 2, "steps": 3})


@pytest.mark.parametrize(
    ("callback", "listens", "keeps_logs"),
    [
        (Callback(), False, False),
        (History(), False, False),
        (EarlyStopping(), False, False),
        (ReduceLROnPlateau(), False, False),
        (LearningRateScheduler(lambda epoch: 0.1), False, False),
        (CSVLogger("log.csv"), False, False),
        (SwapEMAWeights(), False, False),
        (LambdaCallback(on_epoch_end=print), False, False),
        (ModelCheckpoint("a.keras"), False, False),
        (BackupAndRestore("a"), False, False),
        (TensorBoard(), False, False),
        (SilentProgbar(), False, False),
        (ProgbarLogger(), True, False),
        (TerminateOnNaN(), True, False),
        (ModelCheckpoint("a.keras", save_freq=5), True, False),
        (BackupAndRestore("a", save_freq=5), True, False),
        (TensorBoard(update_freq=5), True, False),
        (TensorBoard(profile_batch=5), True, False),
        (OnBatchEnd(), True, True),
        (OnBatchEndOldName(), True, True),
        (CheckpointThatListens("a.keras"), True, True),
        (LambdaCallback(on_train_batch_end=print), True, True),
        (LambdaCallback(on_batch_end=print), True, True),
        (LambdaCallback(on_train_batch_begin=print), True, False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_batch_hooks_are_known_beforehand(callback, listens, keeps_logs):
    callbacks = CallbackList([callback])
    assert callbacks.has_train_batch_hooks is listens
    assert callbacks.keeps_batch_logs is keeps_logs


@pytest.mark.parametrize("mode", ["train", "test", "predict"])
def test_batch_hooks_are_told_apart_by_mode(mode):
    callbacks = CallbackList([LambdaCallback(**{f"on_{mode}_batch_end": print})])
    has_hooks = {name: getattr(callbacks, f"has_{name}_batch_hooks") for name in ("train", "test", "predict")}
    assert has_hooks == {"train": False, "test": False, "predict": False} | {mode: True}


def test_hooks_set_in_on_train_begin_are_found():
    class SetsHook(Callback):
        def on_train_begin(self, logs=None) -> None:
            self.on_train_batch_end = lambda batch, logs: seen.append(batch)

    seen: list[int] = []
    callbacks = CallbackList([SetsHook()])
    assert not callbacks.has_train_batch_hooks
    callbacks.on_train_begin()
    callbacks.on_train_batch_end(7)
    assert (callbacks.has_train_batch_hooks, seen) == (True, [7])


def test_hooks_reach_all_in_order_with_the_very_logs():
    first, second = OnBatchEnd(), OnBatchEnd()
    callbacks = CallbackList([first, [second]])
    logs = {"loss": 1.0}
    callbacks.on_train_batch_end(3, logs)
    callbacks.on_train_batch_end(4)
    assert first.calls == second.calls == [(3, logs), (4, {})]
    assert first.calls[0][1] is logs


def test_old_name_is_called_by_the_new_one():
    callback = OnBatchEndOldName()
    CallbackList(callback).on_train_batch_end(5)
    assert callback.last == 5


def test_defaults_are_added_once(model):
    names = [
        type(c).__name__ for c in CallbackList(add_history=True, add_progbar=True, model=model).callbacks
    ]
    assert names == ["History", "ProgbarLogger"]
    history = History()
    callbacks = CallbackList([history], add_history=True, add_progbar=True, model=model, epochs=2)
    assert callbacks.callbacks[0] is history is model.history
    assert len(callbacks.callbacks) == 2
    assert history.params == {"epochs": 2}
    assert history.model is model


@pytest.mark.parametrize(
    ("wrong", "message"),
    [(3, "lacks 'set_params'"), (EarlyStopping, r"write `EarlyStopping\(\)`"), ("EarlyStopping", "lacks")],
)
def test_what_is_no_callback_is_refused(wrong, message):
    with pytest.raises(TypeError, match=message):
        CallbackList([wrong])


def test_subclass_need_not_call_the_base_constructor(model):
    class Forgetful(Callback):
        def __init__(self) -> None:
            self.number = 1

    callback = Forgetful()
    assert callback.model is None
    assert callback.params is None
    CallbackList([callback], model=model, steps=3)
    assert callback.model is model
