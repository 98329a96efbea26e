from __future__ import annotations

import functools

import pytest
import torch

from kerasish import callbacks, losses, metrics, optimizers
from kerasish.wrappers.parameters import copied, make_callbacks, make_loss, make_metrics, make_optimizer


@pytest.mark.parametrize("given", ["sgd", "SGD", optimizers.SGD, functools.partial(optimizers.SGD)])
def test_optimizer_gets_its_parameters(given):
    optimizer = make_optimizer(given, {"learning_rate": 0.25, "momentum": 0.5})
    assert isinstance(optimizer, optimizers.SGD)
    assert float(optimizer.learning_rate) == 0.25
    assert optimizer.momentum == 0.5


def test_optimizer_with_a_nested_schedule():
    optimizer = make_optimizer(
        "adam",
        {
            "learning_rate": optimizers.schedules.ExponentialDecay,
            "learning_rate__initial_learning_rate": 0.5,
            "learning_rate__decay_steps": 10,
            "learning_rate__decay_rate": 0.1,
        },
    )
    assert optimizer.get_config()["learning_rate"]["config"]["initial_learning_rate"] == 0.5


def test_optimizer_instance_is_copied():
    given = optimizers.Adam(0.5)
    given.build([torch.nn.Parameter(torch.zeros(3))])
    optimizer = make_optimizer(given, {})
    assert optimizer is not given
    assert float(optimizer.learning_rate) == 0.5
    assert not optimizer.built


def test_torch_optimizer_class_gets_its_parameters():
    factory = make_optimizer(torch.optim.AdamW, {"lr": 0.5})
    assert factory.func is torch.optim.AdamW
    assert factory.keywords == {"lr": 0.5}


def test_torch_optimizer_instance_is_refused():
    given = object.__new__(torch.optim.SGD)
    with pytest.raises(TypeError, match=r"optimizer=torch\.optim\.SGD"):
        make_optimizer(given, {})


@pytest.mark.parametrize("given", ["binary_crossentropy", "BinaryCrossentropy", losses.BinaryCrossentropy])
def test_loss_gets_its_parameters(given):
    loss = make_loss(given, {"label_smoothing": 0.25})
    assert isinstance(loss, losses.BinaryCrossentropy)
    assert loss.label_smoothing == 0.25


def test_losses_by_output():
    made = make_loss({"a": "mse", "b": losses.Huber}, {"b__delta": 2.0})
    assert made["a"] == "mse"
    assert made["b"].delta == 2.0


def test_metrics_with_parameters_for_one_and_for_all():
    accuracy, auc = make_metrics(["BinaryAccuracy", metrics.AUC], {"0__threshold": 0.25, "dtype": "float64"})
    assert accuracy.threshold == 0.25
    assert accuracy.dtype == auc.dtype == "float64"


def test_one_metric_becomes_a_list():
    assert make_metrics("accuracy", {}) == ["accuracy"]
    assert make_metrics(None, {}) is None


@pytest.mark.parametrize(
    "given",
    [
        callbacks.EarlyStopping,
        [callbacks.EarlyStopping],
        {"stop": callbacks.EarlyStopping},
        functools.partial(callbacks.EarlyStopping),
        lambda patience: callbacks.EarlyStopping(patience=patience),
    ],
)
def test_callbacks_of_classes_and_functions(given):
    (callback,) = make_callbacks(given, {"patience": 3})
    assert isinstance(callback, callbacks.EarlyStopping)
    assert callback.patience == 3


def test_callback_object_is_copied_without_its_model():
    given = callbacks.EarlyStopping(patience=2)
    given.set_model(torch.nn.Linear(2, 2))
    (callback,) = make_callbacks(given, {})
    assert callback is not given
    assert callback.patience == 2
    assert callback.model is None
    assert given.model is not None


def test_callback_that_cannot_be_copied():
    given = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None)
    given.handle = open(__file__)  # noqa: SIM115
    with given.handle, pytest.raises(TypeError, match="give its class, or a function"):
        copied(given)


@pytest.mark.parametrize("given", [3, ["early_stopping"], object()])
def test_what_is_no_callback(given):
    with pytest.raises(TypeError, match="`callbacks` must be callbacks"):
        make_callbacks(given, {})


@pytest.mark.parametrize(
    ("make", "given", "params", "error", "message"),
    [
        (make_callbacks, callbacks.EarlyStopping, {"patence": 1}, ValueError, "Did you mean 'callbacks__patience'"),
        (make_callbacks, callbacks.EarlyStopping(), {"patience": 1}, TypeError, "callbacks__patience needs a class"),
        (make_callbacks, None, {"patience": 1}, TypeError, "callbacks__patience needs a class"),
        (make_metrics, "accuracy", {"threshold": 1}, TypeError, "metrics__threshold needs a class"),
        (make_loss, losses.Huber, {"dleta": 1}, ValueError, "Did you mean 'loss__delta'"),
        (make_optimizer, torch.optim.SGD, {"learning_rate": 1}, ValueError, "'optimizer__learning_rate' for SGD"),
        (make_optimizer, optimizers.SGD(), {"momentum": 1}, TypeError, "optimizer__momentum needs a class"),
    ],
)  # fmt: skip
def test_parameters_that_nothing_takes(make, given, params, error, message):
    with pytest.raises(error, match=message):
        make(given, params)
