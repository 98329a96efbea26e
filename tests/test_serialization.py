"""Objects to JSON and back."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers, saving
from kerasish.serialization import deserialize_keras_object, serialize_keras_object


def round_trip(obj, **arguments):
    return deserialize_keras_object(json.loads(json.dumps(serialize_keras_object(obj))), **arguments)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        2.5,
        "text",
        b"bytes",
        [1, [2]],
        {"a": {"b": [1]}},
        ...,
        slice(1, None, 2),
        torch.float16,
    ],
)
def test_plain_values(value):
    expected = "float16" if value is torch.float16 else value
    assert round_trip(value) == expected


def test_arrays_and_tensors():
    array = np.array([[1.5, 2.0]], dtype="float32")
    found = round_trip({"x": array, "n": np.int64(3), "shape": torch.Size([2, 3])})
    assert found["x"].dtype == np.float32 and (found["x"] == array).all()
    assert found["n"] == 3 and found["shape"] == [2, 3]
    tensor = round_trip(torch.tensor([1, 2]))
    assert tensor.dtype is torch.int64 and tensor.tolist() == [1, 2]


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.Dense(3, activation="relu", kernel_regularizer="l2"),
        lambda: keras.losses.Huber(delta=2.0),
        lambda: keras.metrics.MeanAbsoluteError(name="m"),
        lambda: keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)),
        lambda: keras.initializers.HeNormal(seed=3),
        lambda: keras.regularizers.L1L2(0.1, 0.2),
        lambda: keras.constraints.MaxNorm(2),
        lambda: keras.DTypePolicy("mixed_bfloat16"),
        lambda: keras.Sequential([keras.Input((3,)), layers.Dense(2)]),
    ],
)
def test_objects(make):
    obj = make()
    config = serialize_keras_object(obj)
    assert set(config) >= {"module", "class_name", "config", "registered_name"}
    assert config["module"].startswith("keras")
    found = round_trip(obj)
    assert type(found) is type(obj)
    assert json.dumps(serialize_keras_object(found)) == json.dumps(config)


def test_built_layers_are_built_again():
    layer = layers.Dense(3)
    layer.build((None, 4))
    assert round_trip(layer).kernel.shape == (4, 3)


@saving.register_keras_serializable(package="tests")
class Swish(layers.Layer):
    def __init__(self, beta=1.0, **kwargs):
        super().__init__(**kwargs)
        self.beta = beta

    def call(self, inputs):
        return inputs * torch.sigmoid(self.beta * inputs)

    def get_config(self):
        return {**super().get_config(), "beta": self.beta}


@saving.register_keras_serializable(package="tests")
def steep(x):
    return torch.tanh(3 * x)


class Unregistered(Swish):
    pass


def test_registered_classes_and_functions():
    assert saving.get_registered_name(Swish) == "tests>Swish"
    assert saving.get_registered_object("tests>Swish") is Swish
    assert round_trip(Swish(beta=2.0)).beta == 2.0
    assert round_trip(layers.Dense(2, activation=steep)).activation is steep


def test_unregistered_class_needs_custom_objects():
    with pytest.raises(ValueError, match=r"Could not find 'Unregistered'.*custom_objects=\{'Unregistered'"):
        round_trip(Unregistered())
    assert type(round_trip(Unregistered(), custom_objects={"Unregistered": Unregistered})) is Unregistered
    with saving.CustomObjectScope({"Unregistered": Unregistered}):
        assert type(round_trip(Unregistered(3.0))) is Unregistered


def test_registered_names_must_be_free_of_doubt():
    with pytest.raises(ValueError):
        saving.register_keras_serializable()(type("NoConfig", (), {}))
    with pytest.raises(TypeError, match=r"`custom_objects` must be a dictionary"):
        saving.CustomObjectScope([Swish])


def test_lambdas_are_refused():
    with pytest.raises(ValueError, match=r"A lambda cannot be saved"):
        serialize_keras_object(lambda x: x)
    with pytest.raises(ValueError, match=r"holds a Python lambda, whose code would run on loading"):
        deserialize_keras_object({"class_name": "__lambda__", "config": {"value": "x"}})


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        (
            {"module": "keras.layers", "class_name": "Dens", "config": {}},
            ValueError,
            r"Could not find 'Dens'.*Did you mean 'Dense'",
        ),
        ({"module": "os", "class_name": "system", "config": {}}, ValueError, r"Could not find 'system'"),
        (
            {"module": "builtins", "class_name": "function", "config": "eval"},
            ValueError,
            r"Could not find 'eval'",
        ),
        ({"module": "keras.layers", "class_name": "Dense", "config": 3}, TypeError, r"must be a dictionary"),
        ({"class_name": "__wat__", "config": {}}, ValueError, r"Unknown kind of value"),
        (object(), TypeError, r"Could not read the config"),
    ],
)
def test_configs_that_cannot_be_read(config, error, message):
    with pytest.raises(error, match=message):
        deserialize_keras_object(config)


def test_things_that_cannot_be_written():
    with pytest.raises(TypeError, match=r"Cannot serialize.*give its class a `get_config\(\)` method"):
        serialize_keras_object(object())


def test_layer_of_the_user_without_get_config():
    class Plain(layers.Layer):
        def __init__(self, size, factor=2.0):
            super().__init__()
            self.size, self.factor = size, factor

        def call(self, inputs):
            return inputs * self.factor

    found = round_trip(Plain(3, factor=4.0), custom_objects={"Plain": Plain})
    assert (found.size, found.factor) == (3, 4.0)
    with pytest.raises(NotImplementedError, match=r"Plain needs a `get_config\(\)` method"):
        Plain(lambda x: x).get_config()
