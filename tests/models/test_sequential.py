"""`Sequential`: a stack of layers, built as soon as the input is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers

X = np.random.default_rng(0).random((6, 4), dtype="float32")


def test_list_and_add_make_the_same_model():
    keras.utils.set_random_seed(0)
    listed = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(2)])
    keras.utils.set_random_seed(0)
    added = keras.Sequential()
    added.add(keras.Input((4,)))
    added.add(layers.Dense(3))
    added.add(layers.Dense(2))
    np.testing.assert_array_equal(listed(X).detach(), added(X).detach())


@pytest.mark.parametrize(
    "first",
    [
        lambda: [keras.Input((4,)), layers.Dense(3)],
        lambda: [layers.InputLayer((4,)), layers.Dense(3)],
        lambda: [layers.Dense(3, input_shape=(4,))],
        lambda: [layers.Dense(3, input_dim=4)],
        lambda: [layers.Dense(3, batch_input_shape=(None, 4))],
        lambda: [keras.Sequential([keras.Input((4,)), layers.Dense(3)])],
    ],
    ids=["Input", "InputLayer", "input_shape", "input_dim", "batch_input_shape", "nested model"],
)
def test_ways_to_give_the_input(first):
    model = keras.Sequential(first())
    assert model.built
    assert (model.input_shape, model.output_shape) == ((None, 4), (None, 3))
    assert model.count_params() == 15


@pytest.mark.parametrize(
    "build",
    [
        lambda model: model(X),
        lambda model: model(torch.from_numpy(X)),
        lambda model: model.build((None, 4)),
        lambda model: model.build(input_shape=(6, 4)),
        lambda model: model.predict(X, verbose=0),
        lambda model: model(keras.Input((4,))),
    ],
    ids=["array", "tensor", "build", "build batch", "predict", "symbolic"],
)
def test_deferred_build(build):
    model = keras.Sequential([layers.Dense(3), layers.Dense(2)])
    assert not model.built and model.weights == []
    with pytest.raises(AttributeError, match=r"`input.*` of model.*Give it an `Input`"):
        model.input_shape  # noqa: B018
    build(model)
    assert model.built and model.output_shape[-1] == 2
    assert [tuple(w.shape) for w in model.weights] == [(4, 3), (3,), (3, 2), (2,)]


def test_layers_leave_the_input_out():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="a"), layers.Dense(2, name="b")])
    assert [layer.name for layer in model.layers] == ["a", "b"]
    assert model.get_layer("b") is model.get_layer(index=1) is model.layers[1]


def test_pop():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(2)])
    last = model.layers[-1]
    assert model.pop() is last
    assert model.output_shape == (None, 3) and len(model.weights) == 2
    model.add(layers.Dense(7))
    assert model.predict(X, verbose=0).shape == (6, 7)
    with pytest.raises(ValueError, match=r"has no layer to take off"):
        keras.Sequential(name="empty").pop()


def test_compiled_model_trains_with_a_layer_added():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    model.compile("adam", "mse")
    model.add(layers.Dense(1))
    model.compile("adam", "mse")
    model.fit(X, X[:, :1], verbose=0)
    assert len(model.optimizer._trainable_variables) == 4


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: keras.Sequential([layers.Dense]), TypeError, r"must be an instance: write `Dense\(…\)`"),
        (lambda: keras.Sequential([3]), TypeError, r"Expected a layer or a torch.nn.Module\. Received: 3"),
        (
            lambda: keras.Sequential([torch.relu]),
            TypeError,
            r"For a plain function use `layers.Lambda\(function\)`",
        ),
        (
            lambda: keras.Sequential([layers.Dense(1, name="a"), layers.Dense(1, name="a")]),
            ValueError,
            r"must have different names.*'a' already",
        ),
        (
            lambda: keras.Sequential([layers.Dense(1), keras.Input((3,))]),
            ValueError,
            r"an `Input` comes first",
        ),
        (lambda: keras.Sequential().build((None, 3)), ValueError, r"has no layers: add some"),
        (
            lambda: keras.Sequential([layers.Dense(1)]).build(3),
            ValueError,
            r"must be a tuple such as \(None, 784\)",
        ),
        (lambda: keras.Sequential([layers.Dense(1)])([X, X]), ValueError, r"takes one tensor.*Received: 2"),
        (lambda: keras.Sequential([layers.Dense(1)])(torch.ones(())), ValueError, r"takes batches"),
    ],
)
def test_mistakes(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_nested_models_share_their_weights():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    outer = keras.Sequential([inner, layers.Dense(2)])
    assert outer.weights[0] is inner.weights[0]
    outer.compile(keras.optimizers.SGD(0.5), "mse")
    before = inner.get_weights()[0]
    outer.fit(X, X[:, :2], verbose=0)
    assert np.abs(inner.get_weights()[0] - before).max() > 0


def test_functional_face_of_a_sequential_model():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="hidden"), layers.Dense(2)])
    features = keras.Model(model.inputs, model.get_layer("hidden").output)
    np.testing.assert_allclose(features(X).detach(), model.layers[0](X).detach(), rtol=1e-6)
    assert features.layers[-1] is model.layers[0]


def test_torch_sees_an_ordinary_module():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), torch.nn.BatchNorm1d(3)])
    assert isinstance(model, torch.nn.Module)
    assert list(model.state_dict()) == [
        "0.kernel", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked",
    ]  # fmt: skip
    loss = model(torch.from_numpy(X)).square().sum()
    loss.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert not model.training
    assert model.train().training and model.layers[0].training
