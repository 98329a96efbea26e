from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from kerasish.callbacks import SwapEMAWeights
from kerasish.optimizers import SGD


@pytest.fixture
def trained():
    """A weight of 1, trained in two steps of −1 each: it is −1 then, its average 0 · 0.5 + (−1) · 0.5."""
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = SGD(1.0, use_ema=True, ema_momentum=0.5)
    optimizer.build([weight])
    for _ in range(2):
        optimizer.apply([torch.ones(1)])
    return SimpleNamespace(optimizer=optimizer, trainable_variables=[weight], weight=weight)


@pytest.mark.parametrize("mode", ["test", "predict"])
def test_averages_while_evaluating(trained, mode):
    callback = SwapEMAWeights()
    callback.set_model(trained)
    getattr(callback, f"on_{mode}_begin")()
    assert trained.weight.item() == -0.5
    getattr(callback, f"on_{mode}_end")()
    assert trained.weight.item() == -1.0


@pytest.mark.parametrize(("swap_on_epoch", "between"), [(True, -0.5), (False, -1.0)])
def test_averages_between_epochs(trained, swap_on_epoch, between):
    callback = SwapEMAWeights(swap_on_epoch)
    callback.set_model(trained)
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    callback.on_epoch_end(0)
    assert trained.weight.item() == between
    callback.on_epoch_begin(1)
    assert trained.weight.item() == -1.0


def test_training_that_ends_early_leaves_the_averages(trained):
    callback = SwapEMAWeights(swap_on_epoch=True)
    callback.set_model(trained)
    callback.on_train_begin()
    callback.on_epoch_end(0)
    trained.optimizer.finalize_variable_values(trained.trainable_variables)
    callback.on_train_end()
    assert trained.weight.item() == -0.5
    callback.on_epoch_begin(0)
    assert trained.weight.item() == -0.5


def test_nothing_to_swap_before_the_first_step():
    weight = torch.nn.Parameter(torch.ones(1))
    model = SimpleNamespace(optimizer=SGD(use_ema=True), trainable_variables=[weight])
    callback = SwapEMAWeights()
    callback.set_model(model)
    callback.on_test_begin()
    assert weight.item() == 1.0


def test_optimizer_must_keep_averages(trained):
    trained.optimizer = SGD()
    callback = SwapEMAWeights()
    callback.set_model(trained)
    with pytest.raises(ValueError, match=r"`use_ema=True` is set on the optimizer. Received: use_ema=False"):
        callback.on_test_begin()
