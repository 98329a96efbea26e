"""`Activation` and `Identity`."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kerasish import activations, layers

X = np.random.default_rng(0).standard_normal((5, 4), dtype="float32")


@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh", "softmax", "elu", "linear", "gelu"])
def test_by_name_and_by_function(name):
    function = getattr(activations, name)
    expected = function(torch.from_numpy(X))
    torch.testing.assert_close(layers.Activation(name)(X), expected)
    torch.testing.assert_close(layers.Activation(function)(X), expected)


@pytest.mark.parametrize(
    "function", [torch.relu, torch.nn.functional.relu, torch.nn.ReLU(), lambda x: x.clamp(min=0)]
)
def test_functions_of_torch(function):
    np.testing.assert_array_equal(layers.Activation(function)(X), np.maximum(X, 0))


def test_identity():
    x = torch.from_numpy(X)
    assert layers.Identity()(x) is x
    nested = {"a": x, "b": [x]}
    assert layers.Identity()(nested)["b"][0] is x
