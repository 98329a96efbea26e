"""The door: names, `get`, `serialize`, `deserialize`, Keras 1 and 2 names."""

from __future__ import annotations

import pytest
import torch

from kerasish import optimizers
from kerasish.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop, ScheduleFreeAdamW, schedules
from kerasish.serialization import register_keras_serializable


@register_keras_serializable(package="tests")
class Mine(SGD):
    pass


def test_public_names():
    assert dir(optimizers) == [
        "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion",
        "LossScaleOptimizer", "MultiOptimizer", "Muon", "Nadam", "Optimizer", "OptimizerMap", "RMSprop",
        "SGD", "ScheduleFreeAdamW", "deserialize", "get", "legacy", "schedules", "serialize",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("identifier", "cls"),
    [
        ("sgd", SGD), ("SGD", SGD), ("Adam", Adam), ("adamw", AdamW), ("RMSprop", RMSprop),
        ("rmsprop", RMSprop), ("RMSProp", RMSprop), ("schedulefreeadamw", ScheduleFreeAdamW),
        (Adam, Adam), (Mine, Mine),
        ({"class_name": "sgd", "config": {"learning_rate": 0.5}}, SGD),
        ({"class_name": "Adam", "config": {}}, Adam),
    ],
)  # fmt: skip
def test_get(identifier, cls):
    assert type(optimizers.get(identifier)) is cls


def test_get_returns_what_it_is_given():
    optimizer = SGD()
    assert optimizers.get(optimizer) is optimizer
    assert optimizers.get(None) is None


@pytest.mark.parametrize(
    ("identifier", "message"),
    [
        ("adamx", "Unknown optimizer: 'adamx'.*Did you mean 'adam"),
        (3, "Could not interpret optimizer identifier"),
        (len, "Could not interpret optimizer identifier"),
        ("LossScaleOptimizer", "LossScaleOptimizer needs arguments"),
        ({"class_name": "Nadm", "config": {}}, "Could not find 'Nadm'.*Did you mean 'Nadam'"),
    ],
)
def test_get_of_something_else(identifier, message):
    with pytest.raises(ValueError, match=message):
        optimizers.get(identifier)


def plain_samples():
    for name in dir(optimizers):
        cls = getattr(optimizers, name)
        if isinstance(cls, type) and issubclass(cls, Optimizer) and cls is not Optimizer:
            if name == "LossScaleOptimizer":
                yield cls(SGD(0.5), initial_scale=4.0)
            elif name == "MultiOptimizer":
                yield cls(optimizers.OptimizerMap(SGD(), {"a": Adam()}))
            else:
                yield cls(learning_rate=0.25, clipnorm=1.0, name="mine")
    yield Adam(schedules.CosineDecay(0.1, 10))
    yield Mine(0.5, decay=0.1)


@pytest.mark.parametrize("optimizer", list(plain_samples()), ids=lambda optimizer: type(optimizer).__name__)
def test_round_trip(optimizer):
    config = optimizers.serialize(optimizer)
    copy = optimizers.deserialize(config)
    assert type(copy) is type(optimizer)
    assert optimizers.serialize(copy) == config
    assert config["module"] == ("keras.optimizers" if type(optimizer) is not Mine else __name__)


def test_named_function_as_learning_rate_round_trips():
    @register_keras_serializable(package="tests")
    def constant():
        return 0.5

    copy = SGD.from_config(SGD(constant).get_config())
    assert copy.learning_rate == 0.5


def test_keras_1_and_2_names():
    assert optimizers.rmsprop is RMSprop
    assert optimizers.legacy.Adam is Adam
    weight = torch.nn.Parameter(torch.ones(1))
    optimizers.legacy.SGD(lr=0.5, decay=1.0).apply([torch.ones(1)], [weight])
    assert weight.item() == 0.5
    with pytest.raises(AttributeError, match=r"no attribute 'Adm'.*Did you mean 'Adam'"):
        optimizers.Adm  # noqa: B018
