"""Dtypes, and tensors made from anything, as in real Keras."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from kerasish import config, ops
from kerasish.backend import result_type
from kerasish.symbolic import KerasTensor

keras = pytest.importorskip("keras")

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

DTYPES = [
    "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float16", "bfloat16",
    "float32", "float64", "complex64", "complex128", "float8_e4m3fn", "string",
]  # fmt: skip


def outcome(function, *args):
    try:
        return function(*args)
    except ValueError:
        return "ValueError"


@pytest.fixture(params=["float32", "float16", "bfloat16", "float64"])
def floatx(request):
    keras.config.set_floatx(request.param)
    config.set_floatx(request.param)
    yield request.param
    keras.config.set_floatx("float32")
    config.set_floatx("float32")


def test_result_type(floatx):
    kinds = [*DTYPES, int, float, bool, None]
    for count in (0, 1, 2):
        for dtypes in itertools.product(kinds, repeat=count):
            assert outcome(result_type, *dtypes) == outcome(keras.backend.result_type, *dtypes), dtypes


def test_result_type_of_three():
    for dtypes in itertools.product([*DTYPES[:13], int, float], repeat=3):
        assert result_type(*dtypes) == keras.backend.result_type(*dtypes), dtypes


VALUES = [
    1, 1.5, True, 2**40, 2j, [1, 2], [1.0, 2], [True, False], [True, 1], [], [[]], (1, 2.0),
    [[1, 2], [3.0, 4]], [1, 1j], range(3),
    np.float64(2), np.int64(2), np.float16(3), np.bool_(True), [np.float32(1), np.float64(2)], [np.int8(1)],
    [np.arange(2), np.arange(2)],
    np.ones(2), np.arange(3)[::-1], np.ones(2, "uint16"), np.ones(2, "uint32"), np.ones(2, "float16"),
    np.array([1j]),
    torch.ones(2, dtype=torch.float64), torch.tensor(1j), [torch.tensor(1), torch.tensor(2.0)],
    [torch.ones(2, requires_grad=True), [1, 2]],
    None, "a", [None], [[1], [1, 2]], np.array(["a"]), np.array([1, None]), {"a": 1}, np.ones(1, "uint64"),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_convert_to_tensor(value, floatx):
    try:
        expected = keras.ops.convert_to_tensor(value)
    except (ValueError, TypeError):
        with pytest.raises(ValueError):
            ops.convert_to_tensor(value)
        return
    result = ops.convert_to_tensor(value)
    assert result.dtype is expected.dtype
    assert result.requires_grad == expected.requires_grad
    assert torch.equal(result, expected)


@pytest.mark.parametrize(
    "dtype", ["float32", "int8", "bool", "uint32", "bfloat16", int, float, torch.int16, None]
)
def test_cast(dtype):
    for value in (torch.tensor([1.7, 0.0]), [1, 0], 1, True, np.array([1.0, 3.0])):
        result, expected = ops.cast(value, dtype), keras.ops.cast(value, dtype)
        assert result.dtype is expected.dtype
        assert torch.equal(result, expected)
    assert ops.cast(KerasTensor((None, 2)), dtype).dtype == ops.dtype(result)


def test_the_rest_of_core():
    x = torch.tensor([1.5, 2.0], dtype=torch.bfloat16)
    assert ops.convert_to_numpy(x).dtype == np.float32  # Keras needs the package ml_dtypes for its bfloat16
    assert np.array_equal(ops.convert_to_numpy(x), keras.ops.convert_to_numpy(x).astype("float32"))
    for value in ([1, 2], 3.0, np.ones(2), [x.float(), x.float()], torch.ones(2, requires_grad=True)):
        mine, theirs = ops.convert_to_numpy(value), keras.ops.convert_to_numpy(value)
        assert mine.dtype == theirs.dtype
        assert np.array_equal(mine, theirs)
    assert (ops.is_tensor(x), ops.is_tensor([1]), ops.is_tensor(KerasTensor((2,)))) == (True, False, False)
    assert ops.shape(KerasTensor((None, 2))) == (None, 2)
    assert ops.shape(x) == (2,)
    assert ops.dtype(x) == keras.ops.dtype(x) == "bfloat16"
    with pytest.raises(ValueError, match="symbolic"):
        ops.convert_to_numpy(KerasTensor((2,)))
    with pytest.raises(ValueError, match="sparse"):
        ops.convert_to_tensor(x, sparse=True)
    with pytest.raises(ValueError, match="ragged"):
        ops.convert_to_tensor(x, ragged=True)


def test_arrays_are_copied_and_gradients_kept():
    array = np.ones(2, "float32")
    tensor = ops.convert_to_tensor(array)
    array[0] = 5
    assert tensor.tolist() == [1.0, 1.0]
    x = torch.ones(2, requires_grad=True)
    assert ops.convert_to_tensor(x) is x
    ops.convert_to_tensor([x, 2 * x]).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
