from __future__ import annotations

import pytest
import torch

import kerasish
from kerasish import layers
from kerasish.layers import Lambda
from kerasish.serialization import deserialize_keras_object, serialize_keras_object

X = torch.tensor([[1.0, -2.0]])


def scaled(x, factor=1.0):
    return x * factor


def test_function_and_arguments():
    assert torch.equal(Lambda(scaled, arguments={"factor": 3})(X), 3 * X)
    assert torch.equal(Lambda(torch.square)(X), X**2)
    assert torch.equal(Lambda(lambda pair: pair[0] - pair[1])([X, X]), X - X)


def test_mask_and_training_are_passed_on():
    seen = []

    def look(x, mask=None, training=None):
        seen.append((mask, training))
        return x

    mask = torch.tensor([[True, False]])
    Lambda(look)(X, mask=mask, training=True)
    assert seen[0] == (mask, True)


def test_masks():
    x = X.clone()
    x._keras_mask = torch.tensor([True])
    assert not hasattr(Lambda(lambda x: x + 1)(x), "_keras_mask")
    turned = Lambda(lambda x: x + 1, mask=lambda inputs, mask: ~mask)(x)
    assert torch.equal(turned._keras_mask, torch.tensor([False]))


def test_output_shape():
    inputs = kerasish.Input((3,))
    assert Lambda(lambda x: x.sum(-1))(inputs).shape == (None,)
    assert Lambda(lambda x: x.numpy(), output_shape=(3, 4))(inputs).shape == (None, 3, 4)
    assert Lambda(lambda x: x, output_shape=lambda shape: (*shape, 2))(inputs).shape == (None, 3, 2)
    with pytest.raises(ValueError, match=r"For a `Lambda` layer, give it as `output_shape`"):
        Lambda(lambda x: x.nonzero())(inputs)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"function": 3}, r"`function` of layer .* must be callable. Received: 3"),
        ({"function": scaled, "arguments": [1]}, r"`arguments` .* must be a dictionary"),
        ({"function": scaled, "output_shape": 4}, r"`output_shape` .* must be a tuple"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(TypeError, match=message):
        Lambda(**arguments)


def test_named_functions_are_saved_by_name():
    config = layers.serialize(Lambda(scaled, arguments={"factor": 2}))
    assert config["config"]["function"]["config"] == "scaled"
    copy = layers.deserialize(config, custom_objects={"scaled": scaled})
    assert torch.equal(copy(X), 2 * X)
    with pytest.raises(ValueError, match=r"Could not find 'scaled'.*custom_objects"):
        layers.deserialize(config)


def test_lambdas_run_from_files_only_when_asked_for(tmp_path):
    factor = 3
    model = kerasish.Sequential([kerasish.Input((2,)), Lambda(lambda x, shift=1: factor * x + shift)])
    path = tmp_path / "model.keras"
    model.save(path)
    with pytest.raises(ValueError, match=r"lambda.*safe_mode=False"):
        kerasish.models.load_model(path)
    loaded = kerasish.models.load_model(path, safe_mode=False)
    assert torch.equal(loaded(X), 3 * X + 1)


def test_lambdas_in_configs():
    layer = Lambda(lambda x: x + 1, output_shape=lambda shape: shape, mask=lambda inputs, mask: mask)
    config = serialize_keras_object(layer)
    for read in (Lambda.from_config, lambda config: deserialize_keras_object(config)):
        given = config["config"] if read == Lambda.from_config else config
        with pytest.raises(ValueError, match=r"holds a Python lambda, whose code would run"):
            read(given)
    copy = deserialize_keras_object(config, safe_mode=False)
    assert torch.equal(copy(X), X + 1)
    assert copy.compute_output_shape((None, 3)) == (None, 3) and copy.compute_mask(X, 5) == 5
    assert torch.equal(Lambda.from_config(config["config"], safe_mode=False)(X), X + 1)
