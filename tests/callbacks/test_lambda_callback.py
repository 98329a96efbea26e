from __future__ import annotations

import pytest

from kerasish.callbacks import Callback, CallbackList, LambdaCallback


def test_every_hook_can_be_given():
    hooks = [name for name in dir(Callback) if name.startswith("on_")]
    calls = []
    callbacks = CallbackList(
        [LambdaCallback(**{hook: lambda *args, hook=hook: calls.append(hook) for hook in hooks})]
    )
    for hook in hooks:
        getattr(callbacks, hook)(*([0] if "batch" in hook or "epoch" in hook else []))
    assert calls == hooks


def test_old_name_is_called(fit):
    batches = []
    fit(LambdaCallback(on_batch_end=lambda batch, logs: batches.append(batch)), [{}], batches=2)
    assert batches == [0, 1]


def test_errors():
    with pytest.raises(
        ValueError, match=r"'on_epoch_ends' is not a hook of Callback. Did you mean 'on_epoch_end'"
    ):
        LambdaCallback(on_epoch_ends=print)
    with pytest.raises(TypeError, match=r"'on_epoch_end' must be callable. Received: 3"):
        LambdaCallback(on_epoch_end=3)
