import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from kerasish import activations
from kerasish.config import floatx, set_floatx
from kerasish.serialization import custom_object_scope, serialize_keras_object
from kerasish.symbolic import KerasTensor

LECTURE = {
    "deserialize", "elu", "exponential", "gelu", "get", "hard_sigmoid", "linear", "relu", "selu", "serialize",
    "sigmoid", "softmax", "softplus", "softsign", "swish", "tanh",
}  # fmt: skip


def sigma(x):
    return 1 / (1 + np.exp(-x))


def erf(x):
    return torch.erf(torch.as_tensor(x)).numpy()


FORMULAS = {
    "celu": lambda x: np.maximum(x, 0) + np.minimum(np.expm1(x), 0),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "exponential": np.exp,
    "gelu": lambda x: x * (1 + erf(x / np.sqrt(2))) / 2,
    "hard_shrink": lambda x: np.where(abs(x) > 0.5, x, 0),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_silu": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "linear": lambda x: x,
    "log_sigmoid": lambda x: np.log(sigma(x)),
    "log_softmax": lambda x: x - np.log(np.exp(x).sum(-1, keepdims=True)),
    "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "selu": lambda x: (
        1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0)))
    ),
    "sigmoid": sigma,
    "silu": lambda x: x * sigma(x),
    "soft_shrink": lambda x: np.sign(x) * np.maximum(abs(x) - 0.5, 0),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "softsign": lambda x: x / (1 + abs(x)),
    "sparse_plus": lambda x: np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x)),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "squareplus": lambda x: (x + np.sqrt(x**2 + 4)) / 2,
    "tanh": lambda x: 2 * sigma(2 * x) - 1,
    "tanh_shrink": lambda x: x - np.tanh(x),
}
NAMES = [*FORMULAS, "glu", "sparsemax"]
KINKS = np.array([-6.0, -3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0])


@pytest.mark.parametrize("name", FORMULAS)
def test_values_equal_the_formula(name):
    x = np.concatenate([np.random.default_rng(0).normal(0, 3, 47), KINKS, KINKS + 1e-3]).reshape(5, 13)
    y = getattr(activations, name)(torch.tensor(x))
    np.testing.assert_allclose(y.numpy(), FORMULAS[name](x), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_equal_finite_differences(name):
    x = torch.tensor(np.random.default_rng(1).normal(0, 2, (3, 6)).round(2) + 0.0137, requires_grad=True)
    assert gradcheck(getattr(activations, name), (x,))


@pytest.mark.parametrize("name", sorted({*NAMES} - {"exponential"}))
def test_large_inputs_stay_finite_with_finite_gradients(name):
    x = torch.tensor([[-1e4, 1e4, 0.0, -1e4], [1e4, 1e4, -1e4, 5.0]], requires_grad=True)
    y = getattr(activations, name)(x)
    y.sum().backward()
    assert torch.isfinite(y).all()
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("name", NAMES)
def test_lists_arrays_and_integers_give_what_float_tensors_give(name):
    function = getattr(activations, name)
    expected = function(torch.tensor([[1.0, -2.0]]))
    for x in ([[1.0, -2.0]], np.array([[1.0, -2.0]], "float32"), [[1, -2]], torch.tensor([[1, -2]])):
        np.testing.assert_allclose(np.asarray(function(x)), expected.numpy())


def test_lists_become_floatx_and_arrays_keep_their_type():
    before = floatx()
    try:
        set_floatx("float64")
        assert activations.tanh([1.0]).dtype is activations.tanh([1]).dtype is torch.float64
    finally:
        set_floatx(before)
    assert activations.tanh([1.0]).dtype is torch.float32
    assert activations.tanh(np.array([1.0])).dtype is torch.float64
    assert activations.tanh(torch.ones(1, dtype=torch.bfloat16)).dtype is torch.bfloat16


@pytest.mark.parametrize("name", NAMES)
def test_symbolic_tensors(name):
    y = getattr(activations, name)(KerasTensor((None, 6)))
    assert isinstance(y, KerasTensor)
    assert y.shape == ((None, 3) if name == "glu" else (None, 6))
    if name not in ("relu", "relu6", "hard_tanh", "linear"):
        assert getattr(activations, name)(KerasTensor((2, 6), dtype="int32")).dtype == "float32"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"negative_slope": 0.5}, [-2.0, -0.5, 0.0, 1.0, 2.0, 8.0]),
        ({"max_value": 6.0}, [0.0, 0.0, 0.0, 1.0, 2.0, 6.0]),
        ({"threshold": 1.0}, [0.0, 0.0, 0.0, 0.0, 2.0, 8.0]),
        ({"negative_slope": 0.5, "max_value": 6.0, "threshold": 1.0}, [-2.5, -1.0, -0.5, 0.0, 2.0, 6.0]),
    ],
)
def test_relu_arguments(arguments, expected):
    assert activations.relu([-4.0, -1.0, 0.0, 1.0, 2.0, 8.0], **arguments).tolist() == expected


def test_other_arguments():
    x = torch.tensor([-2.0, 0.25, 2.0])
    assert activations.threshold(x, 0.5, -7).tolist() == [-7.0, -7.0, 2.0]
    assert activations.hard_shrink(x, threshold=3).tolist() == [0.0, 0.0, 0.0]
    assert activations.soft_shrink(x, threshold=1.5).tolist() == [-0.5, 0.0, 0.5]
    assert activations.leaky_relu(x, negative_slope=0.5).tolist() == [-1.0, 0.25, 2.0]
    assert activations.squareplus(x, b=0).tolist() == [0.0, 0.25, 2.0]
    torch.testing.assert_close(
        activations.elu(x, alpha=2.0), torch.tensor([2 * np.expm1(-2.0), 0.25, 2.0]).float()
    )
    torch.testing.assert_close(
        activations.celu(x, alpha=2.0), torch.tensor([2 * np.expm1(-1.0), 0.25, 2.0]).float()
    )
    inner = np.sqrt(2 / np.pi) * (x.numpy() + 0.044715 * x.numpy() ** 3)
    expected = 0.5 * x.numpy() * (1 + np.tanh(inner))
    np.testing.assert_allclose(activations.gelu(x, approximate=True).numpy(), expected, rtol=1e-5)
    assert activations.glu([[1.0], [0.0]], axis=0).tolist() == [[0.5]]


@pytest.mark.parametrize("axis", [0, 1, -1, (0, 1), [1, 2], None])
def test_softmax_sums_to_one_over_the_axes(axis):
    x = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0)) * 100
    dims = tuple(range(3)) if axis is None else axis
    total = activations.softmax(x, axis=axis).sum(dims)
    torch.testing.assert_close(total, torch.ones_like(total))
    torch.testing.assert_close(activations.log_softmax(x, axis=axis).exp(), activations.softmax(x, axis=axis))


def test_softmax_over_one_unit_warns():
    with pytest.warns(UserWarning, match="use `sigmoid`"):
        assert activations.softmax(torch.randn(3, 1)).tolist() == [[1.0]] * 3


def test_softmax_and_sigmoid_leave_their_logits_on_the_output():
    x = torch.tensor([[1e4, -1e4]], requires_grad=True)
    for name in ("softmax", "sigmoid"):
        y = getattr(activations, name)(x)
        assert y._keras_logits is x
        assert y._keras_logits_of == name
    assert not hasattr(activations.softmax(torch.ones(2, 2), axis=0), "_keras_logits")
    assert not hasattr(activations.tanh(x), "_keras_logits")


def test_get():
    module = torch.nn.ReLU()
    assert activations.get(None) is activations.linear
    assert activations.get("relu") is activations.relu
    assert activations.get("swish") is activations.swish is activations.silu
    assert activations.get("hard_swish") is activations.hard_swish is activations.hard_silu
    assert activations.get(torch.tanh) is torch.tanh
    assert activations.get(module) is module
    with custom_object_scope({"double": torch.add}):
        assert activations.get("double") is torch.add


@pytest.mark.parametrize(
    ("identifier", "message"), [("rellu", "Did you mean 'relu'"), (3, "Received: 3"), ([1.0], "Received")]
)
def test_get_refuses_what_is_no_activation(identifier, message):
    with pytest.raises(ValueError, match=message):
        activations.get(identifier)


@pytest.mark.parametrize("name", [*NAMES, "threshold"])
def test_config_is_the_name_and_comes_back(name):
    function = getattr(activations, name)
    assert activations.serialize(function) == name
    for config in (name, serialize_keras_object(function), {"class_name": name, "config": {}}):
        assert activations.deserialize(config) is function
        assert activations.get(config) is function
    of_keras = {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}
    assert activations.get(of_keras) is function


def custom(x):
    return x + 1


def test_custom_functions_come_back_from_their_config():
    config = activations.serialize(custom)
    assert config["config"] == "custom"
    assert activations.deserialize(config, custom_objects={"custom": custom}) is custom
    with pytest.raises(ValueError, match="custom"):
        activations.deserialize(config)


def test_dir_reads_like_the_lecture():
    names = dir(activations)
    assert names == sorted(names)
    assert not LECTURE - set(names)
    assert {*NAMES, "threshold", "swish", "hard_swish", "get", "serialize", "deserialize"} == set(names)
