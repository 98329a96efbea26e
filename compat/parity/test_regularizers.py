import json

import numpy as np
import pytest
import torch

from kerasish import regularizers

keras = pytest.importorskip("keras")

CALLS = [
    ("L1", ()), ("L1", (0.3,)), ("L1", (None,)), ("L1", (1,)), ("L2", ()), ("L2", (1,)), ("L2", (None,)),
    ("L1L2", ()), ("L1L2", (0.1, 0.2)), ("L1L2", (0.1,)), ("L1L2", (0, 0.2)), ("L1L2", (None, 1)),
    ("OrthogonalRegularizer", ()), ("OrthogonalRegularizer", (0.1, "columns")),
]  # fmt: skip
INPUTS = [
    np.random.default_rng(0).normal(0, 2, (5, 4)),
    np.random.default_rng(1).normal(0, 1e-8, (5, 4)),
    np.random.default_rng(2).normal(0, 1e4, (3, 6)),
    np.array([[1.0, -1.0], [0.5, 2.0]]),
]


def value_and_gradient(regularizer, x, dtype):
    x = torch.tensor(x.astype(dtype), requires_grad=True)
    penalty = regularizer(x)
    gradient = torch.autograd.grad(penalty, x)[0] if penalty.requires_grad else torch.zeros_like(x)
    return penalty.detach(), gradient


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("x", INPUTS, ids=range(len(INPUTS)))
@pytest.mark.parametrize(("name", "arguments"), CALLS, ids=str)
def test_values_and_gradients(name, arguments, x, dtype):
    ours = value_and_gradient(getattr(regularizers, name)(*arguments), x, dtype)
    theirs = value_and_gradient(getattr(keras.regularizers, name)(*arguments), x, dtype)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("name", "arguments"), CALLS, ids=str)
def test_config(name, arguments):
    ours = regularizers.serialize(getattr(regularizers, name)(*arguments))
    theirs = keras.regularizers.serialize(getattr(keras.regularizers, name)(*arguments))
    assert json.dumps(ours) == json.dumps(theirs)
    assert regularizers.serialize(regularizers.deserialize(theirs)) == ours
    assert keras.regularizers.serialize(keras.regularizers.deserialize(ours)) == theirs


def test_names():
    public = {name for name in dir(keras.regularizers) if not name.startswith("_")}
    assert set(dir(regularizers)) == public
