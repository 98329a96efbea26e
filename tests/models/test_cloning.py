"""`clone_model`, pickle, deepcopy and JSON: the same model again."""

from __future__ import annotations

import copy
import io
import json
import pickle

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers, models

X = np.random.default_rng(0).random((6, 4), dtype="float32")


def sequential():
    return keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, activation="relu"), layers.BatchNormalization(), layers.Dense(1)]
    )


def deferred():
    model = keras.Sequential([layers.Dense(3), layers.Dense(1)])
    model(X)
    return model


def functional():
    x = keras.Input((4,), name="x")
    dense = layers.Dense(3, name="shared")
    return keras.Model(
        x, layers.Dense(1)(layers.Add()([dense(x), dense(layers.Rescaling(2.0)(x))])), name="net"
    )


def nested():
    x = keras.Input((4,))
    return keras.Model(x, layers.Dense(1)(sequential()(x)))


def several():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    both = layers.Concatenate()([a, b])
    return keras.Model({"a": a, "b": b}, [layers.Dense(1, name="p")(both), layers.Dense(2, name="q")(both)])


class Own(keras.Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.stack = [layers.Dense(units), layers.Dense(1)]

    def call(self, inputs):
        for layer in self.stack:
            inputs = layer(inputs)
        return inputs


def subclassed():
    model = Own(units=5)
    model(X)
    return model


def with_torch_module():
    return keras.Sequential([keras.Input((4,)), torch.nn.Linear(4, 2), layers.Dense(1)])


def with_torch_function():
    x = keras.Input((4,))
    return keras.Model(x, layers.Dense(1)(torch.relu(x) * 2))


MODELS = [sequential, deferred, functional, nested, several, subclassed]
data = {several: {"a": X, "b": X + 1}}


def outputs(model, make):
    return [output.detach().numpy() for output in keras.tree.flatten(model(data.get(make, X)))]


def assert_same(model, twin, make):
    for a, b in zip(outputs(model, make), outputs(twin, make), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def in_a_file(model):
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize("make", [*MODELS, with_torch_module, with_torch_function])
@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m)), in_a_file],
    ids=["deepcopy", "pickle", "torch.save"],
)
def test_copies(make, copied):
    model = make()
    twin = copied(model)
    assert type(twin) is type(model) and twin.name == model.name
    assert_same(model, twin, make)
    assert [w.shape for w in twin.weights] == [w.shape for w in model.weights]
    twin.set_weights([w * 0 for w in twin.get_weights()])
    assert sum(np.abs(w).sum() for w in model.get_weights()) > 0
    assert all(np.abs(o).sum() == 0 for o in outputs(twin, make))


@pytest.mark.parametrize("make", [sequential, functional, subclassed])
def test_trained_model_goes_on_training_after_a_copy(make):
    model = make()
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(X, X[:, :1], epochs=2, shuffle=False, verbose=0)
    twin = pickle.loads(pickle.dumps(model))
    for one in (model, twin):
        one.fit(X, X[:, :1], epochs=2, shuffle=False, verbose=0)
    assert_same(model, twin, make)
    assert int(twin.optimizer.iterations) == 4


@pytest.mark.parametrize("make", MODELS)
def test_json(make):
    model = make()
    scope = {"Own": Own} if make is subclassed else None
    text = model.to_json(indent=2)
    twin = models.model_from_json(text, custom_objects=scope)
    assert type(twin) is type(model) and twin.name == model.name
    assert json.loads(twin.to_json()) == json.loads(text)
    twin.set_weights(model.get_weights())
    assert_same(model, twin, make)


@pytest.mark.parametrize("make", [sequential, functional, nested, several])
def test_config(make):
    model = make()
    twin = type(model).from_config(model.get_config())
    assert [layer.name for layer in twin.layers] == [layer.name for layer in model.layers]
    twin.set_weights(model.get_weights())
    assert_same(model, twin, make)


def test_json_keeps_what_was_compiled():
    model = sequential()
    model.compile(keras.optimizers.SGD(0.25), "mse", metrics=["mae"])
    twin = models.model_from_json(model.to_json())
    assert float(twin.optimizer.learning_rate) == 0.25
    assert set(twin.evaluate(X, X[:, :1], verbose=0, return_dict=True)) == {"loss", "mae"}


def test_json_keeps_frozen_layers():
    model = sequential()
    model.layers[0].trainable = False
    assert len(models.model_from_json(model.to_json()).trainable_weights) == len(model.trainable_weights)


@pytest.mark.parametrize("make", [with_torch_module, with_torch_function])
def test_what_json_cannot_describe(make):
    with pytest.raises(NotImplementedError, match=r"Keras's JSON cannot describe"):
        make().to_json()


@pytest.mark.parametrize("make", [sequential, functional, nested, several])
def test_clone(make):
    model = make()
    twin = models.clone_model(model)
    assert type(twin) is type(model)
    assert not set(map(id, twin.weights)) & set(map(id, model.weights))
    assert any(not np.array_equal(a, b) for a, b in zip(model.get_weights(), twin.get_weights(), strict=True))
    twin.set_weights(model.get_weights())
    assert_same(model, twin, make)


def test_clone_of_a_subclassed_model():
    twin = models.clone_model(subclassed())
    assert type(twin) is Own and twin.units == 5
    with pytest.raises(ValueError, match=r"need a Sequential or functional model"):
        models.clone_model(subclassed(), clone_function=lambda layer: layer)


@pytest.mark.parametrize("make", [sequential, functional])
def test_clone_function(make):
    def wider(layer):
        config = layer.get_config()
        if isinstance(layer, layers.Dense):
            config["units"] *= 2
        return type(layer).from_config(config)

    assert models.clone_model(make(), clone_function=wider).output_shape == (None, 2)


@pytest.mark.parametrize("make", [sequential, functional])
def test_clone_on_other_inputs(make):
    x = keras.Input((4,), batch_size=7)
    assert models.clone_model(make(), input_tensors=x).input_shape == (7, 4)


def test_clone_arguments():
    with pytest.raises(ValueError, match=r"`model` must be a Model"):
        models.clone_model(layers.Dense(1))
    with pytest.raises(ValueError, match=r"unknown arguments \['colour'\]"):
        models.clone_model(sequential(), colour=1)


def test_recursive_clone_reaches_nested_models():
    seen = []

    def note(layer):
        seen.append(type(layer).__name__)
        return type(layer).from_config(layer.get_config())

    models.clone_model(nested(), clone_function=note, recursive=True)
    assert seen.count("Dense") == 3
