"""Symbolic tensors: shapes without values."""

from __future__ import annotations

import gc
import operator
import weakref

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers
from kerasish.symbolic import KerasTensor, any_symbolic, is_keras_tensor

X = np.random.default_rng(0).standard_normal((5, 3), dtype="float32")


def evaluated(build, *values):
    """Real and inferred results of a function of symbolic inputs."""
    inputs = [keras.Input(value.shape[1:], dtype=str(value.dtype)) for value in values]
    output = build(*inputs)
    model = keras.Model(inputs, output)
    return model([torch.as_tensor(value) for value in values]), output


FUNCTIONS = {
    "torch function": lambda x: torch.relu(x),
    "functional": lambda x: torch.nn.functional.softmax(x, dim=-1),
    "method": lambda x: x.sum(dim=1, keepdim=True),
    "size": lambda x: x.reshape(-1, x.size(1) // 1, 1),
    "arithmetic": lambda x: (2 * x + 1 - x) / 3 // 1 % 2,
    "reflected": lambda x: 1 - (2 / (x * x + 1)) ** 2,
    "power of two": lambda x: 2**x,
    "matrix product": lambda x: x @ torch.ones(3, 4),
    "reflected product": lambda x: torch.matmul(x, torch.eye(3)),
    "comparison": lambda x: (x > 0) & (x <= 1) | (x != 0),
    "negation": lambda x: -abs(x),
    "inversion": lambda x: ~(x > 0),
    "slices": lambda x: x[:, 1:],
    "ellipsis": lambda x: x[..., None],
    "index": lambda x: x[:, -1],
    "concatenation": lambda x: torch.cat([x, x * 2], dim=-1),
    "stack": lambda x: torch.stack([x, x], dim=1),
    "where": lambda x: torch.where(x > 0, x, torch.zeros(())),
    "new dtype": lambda x: x.to(torch.float64),
    "transposed": lambda x: x.unsqueeze(1).mT,
    "split": lambda x: torch.split(x, [1, 2], dim=1)[1],
    "batch": lambda x: x.mean(dim=0, keepdim=True) + x,
    "einsum": lambda x: torch.einsum("bi,bj->bij", x, x),
    "one for every pair": lambda x: torch.cdist(x, x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    result, symbolic = evaluated(FUNCTIONS[name], X)
    expected = FUNCTIONS[name](torch.from_numpy(X))
    torch.testing.assert_close(result, expected)
    assert isinstance(symbolic, KerasTensor)
    assert symbolic.dtype == str(expected.dtype).removeprefix("torch.")
    assert len(symbolic.shape) == expected.dim()
    assert all(s in (None, r) for s, r in zip(symbolic.shape, expected.shape, strict=True))
    if name != "one for every pair":
        assert symbolic.shape[1:] == tuple(expected.shape[1:])


def test_batch_size_is_unknown_or_given():
    assert (keras.Input((3,)) * 2).shape == (None, 3)
    assert (keras.Input((3,), batch_size=4) * 2).shape == (4, 3)
    assert (keras.Input((None, 3)) * 2).sum(dim=1).shape == (None, 3)
    assert torch.cat([keras.Input((None,)), keras.Input((3,))], dim=1).shape == (None, None)


def test_operators_between_symbolic_tensors():
    for function in (operator.add, operator.mul, torch.maximum):
        result, _ = evaluated(function, X, X + 1)
        torch.testing.assert_close(result, function(torch.from_numpy(X), torch.from_numpy(X + 1)))


@pytest.mark.parametrize(
    "use",
    [
        bool, float, int, np.asarray, list, lambda x: 1 if x > 0 else 2, lambda x: np.sin(x),
    ],
)  # fmt: skip
def test_there_are_no_values(use):
    with pytest.raises(TypeError, match=r"has no values: it cannot become a NumPy array, a Python number"):
        use(keras.Input((3,)))


def test_functions_of_values_are_refused():
    with pytest.raises(
        ValueError, match=r"output shape of 'nonzero' could not be inferred.*compute_output_shape"
    ):
        torch.nonzero(keras.Input((3,)))
    with pytest.raises(AttributeError, match=r"has no attribute 'colour'"):
        keras.Input((3,)).colour  # noqa: B018


def test_length():
    assert len(keras.Input(batch_shape=(4, 3))) == 4
    with pytest.raises(TypeError, match=r"shape \(None, 3\) is unknown"):
        len(keras.Input((3,)))


def test_looks():
    x = keras.Input((3,), name="x", dtype="int32")
    assert (x.shape, x.ndim, x.dim(), x.size(1), x.dtype) == ((None, 3), 2, 2, 3, "int32")
    assert repr(x) == "<KerasTensor shape=(None, 3), dtype=int32, name=x>"
    assert is_keras_tensor(x) and not is_keras_tensor(torch.ones(1))
    assert any_symbolic([1, {"a": x}]) and not any_symbolic([1])


@pytest.mark.parametrize("arguments", [{"sparse": True}, {"ragged": True}, {"colour": 1}])
def test_unsupported_kinds(arguments):
    with pytest.raises(ValueError, match=r"not supported|Unrecognized"):
        KerasTensor((None, 3), **arguments)


def test_history_leads_back_to_the_input():
    x = keras.Input((3,), name="start")
    dense = layers.Dense(2)
    y = dense(x)
    assert y._keras_history.operation is dense
    assert y._keras_history.node.parents[0].operation.name == "start"
    assert dense.input is x and dense.output is y
    dense(keras.Input((3,)))
    assert dense.input is x  # the other call is not part of any graph that is still there
    z = dense(keras.Input((3,)))
    assert z is not None
    with pytest.raises(ValueError, match=r"has 2 symbolic calls, so `input` does not name one tensor"):
        dense.input  # noqa: B018


def test_weights_are_real_while_shapes_are_inferred():
    layer = layers.Dense(2)
    layer(keras.Input((3,)))
    assert layer.kernel.device.type != "meta"
    assert layer.kernel.abs().sum() > 0


def test_random_state_is_left_alone():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    layers.Dropout(0.5)(keras.Input((3,)), training=True)
    assert torch.equal(torch.rand(1), expected)


def test_user_code_runs_on_meta_tensors_only():
    devices = set()

    class Spy(layers.Layer):
        def call(self, inputs):
            devices.add(inputs.device.type)
            return inputs + torch.arange(3.0, device=inputs.device)

    assert Spy()(keras.Input((3,))).shape == (None, 3)
    assert devices == {"meta"}


def test_dropped_graphs_are_freed_at_once():
    gc.collect()
    gc.disable()
    try:
        x = keras.Input((3,))
        y = torch.relu(layers.Dense(2)(x) * 2)
        parts = [weakref.ref(part) for part in (x, y, y._keras_history.node)]
        del x, y
        assert [part() for part in parts] == [None, None, None]
    finally:
        gc.enable()
