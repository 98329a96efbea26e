import numpy as np
import pytest
import torch

from kerasish import activations

keras = pytest.importorskip("keras")

NAMES = [
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish",
    "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu",
    "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid",
    "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink",
]  # fmt: skip
RELU = [
    {"negative_slope": 0.1}, {"negative_slope": -0.1}, {"max_value": 6.0}, {"max_value": 2.0},
    {"max_value": -1.0}, {"max_value": 0.0}, {"threshold": 1.0}, {"threshold": -1.0},
    {"max_value": 0.5, "threshold": 1.0}, {"max_value": 6.0, "threshold": 1.0},
    {"negative_slope": 0.1, "max_value": 2.0}, {"negative_slope": 0.1, "max_value": 6.0},
    {"negative_slope": 0.1, "threshold": 1.0}, {"negative_slope": 0.1, "threshold": -1.0, "max_value": 2.0},
    {"negative_slope": 0.1, "threshold": 1.0, "max_value": 2.0},
]  # fmt: skip
OTHERS = [
    ("gelu", {"approximate": True}), ("elu", {"alpha": 0.3}), ("celu", {"alpha": 0.3}),
    ("squareplus", {"b": 1}), ("leaky_relu", {"negative_slope": 0.01}), ("hard_shrink", {"threshold": 1.0}),
    ("soft_shrink", {"threshold": 1.0}), ("threshold", {"threshold": 1.0, "default_value": -7.0}),
    ("softmax", {"axis": 0}), ("softmax", {"axis": (0, 1)}), ("softmax", {"axis": None}),
    ("log_softmax", {"axis": 0}), ("log_softmax", {"axis": (0, 1)}), ("log_softmax", {"axis": None}),
    ("glu", {"axis": 0}), ("sparsemax", {"axis": 0}),
]  # fmt: skip
KINKS = [-1e4, -6.0, -3.0, -2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, 3.0, 6.0, 20.0, 80.0, 1e4]


def value_and_gradient(function, x, **arguments):
    x = torch.tensor(x, requires_grad=True)
    y = function(x, **arguments)
    weights = torch.linspace(0.5, 1.5, y.numel(), dtype=y.dtype).reshape(y.shape)
    (y * weights).sum().backward()
    return y.detach().numpy(), x.grad.numpy()


def assert_same(name, x, **arguments):
    ours = value_and_gradient(getattr(activations, name), x, **arguments)
    theirs = value_and_gradient(getattr(keras.activations, name), x, **arguments)
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("name", "arguments"), [*((name, {}) for name in NAMES), *(("relu", a) for a in RELU), *OTHERS], ids=str
)
def test_values_and_gradients(name, arguments, dtype):
    assert_same(name, np.random.default_rng(0).normal(0, 3, (6, 8)).astype(dtype), **arguments)
    assert_same(name, np.array(KINKS, dtype).reshape(2, 8), **arguments)


@pytest.mark.parametrize("name", [*NAMES, "threshold"])
def test_config(name):
    assert activations.serialize(getattr(activations, name)) == keras.activations.serialize(
        getattr(keras.activations, name)
    )
    assert activations.deserialize(
        keras.saving.serialize_keras_object(getattr(keras.activations, name))
    ) is getattr(activations, name)


def test_names():
    public = {name for name in dir(keras.activations) if not name.startswith("_")}
    assert set(dir(activations)) == public
