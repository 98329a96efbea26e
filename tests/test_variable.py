"""A Variable is a torch Parameter that answers to Keras's names."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import Variable, initializers


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ([1.0, 2.0], torch.float32), ([1, 2], torch.int64), (np.ones(2), torch.float64),
        (np.ones(2, "float32"), torch.float32), (torch.ones(2, dtype=torch.float16), torch.float16),
        (3.0, torch.float32),
    ],
)  # fmt: skip
def test_from_values(value, dtype):
    variable = Variable(value)
    assert isinstance(variable, torch.nn.Parameter)
    assert variable.dtype is dtype
    np.testing.assert_array_equal(variable.numpy(), np.asarray(value))


@pytest.mark.parametrize("initializer", ["ones", initializers.Ones(), lambda shape, dtype: np.ones(shape)])
def test_from_an_initializer(initializer):
    variable = Variable(initializer, (2, 3), "float64")
    assert variable.shape == (2, 3) and variable.dtype is torch.float64
    assert (variable == 1).all()


def test_values_are_copied():
    values = torch.zeros(2)
    variable = Variable(values)
    values.fill_(5)
    assert variable.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Variable("ones"), r"`shape` must be given"),
        (lambda: Variable([1.0], shape=(2,)), r"expected|`shape` must be that of the initial value, \(1,\)"),
        (
            lambda: Variable(lambda shape, dtype: np.ones(3), (2,)),
            r"must return shape \(2,\)\. Received: \(3,\)",
        ),
        (lambda: Variable([1.0], name="a/b"), r"`name` must be a string without '/'"),
        (lambda: Variable([1.0], colour=1), r"Unrecognized keyword arguments.*colour"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_names():
    variable = Variable([1.0], name="w")
    assert variable.name == variable.path == "w"
    assert variable.value is variable
    assert repr(variable).startswith("<Variable path=w, shape=(1,), dtype=torch.float32, value=")


def test_assignments_are_in_place():
    variable = Variable([1.0, 2.0])
    place = variable.data_ptr()
    assert variable.assign([3.0, 4.0]) is variable
    variable.assign_add(1.0)
    variable.assign_sub(np.array([0.5, 1.0]))
    assert variable.tolist() == [3.5, 4.0]
    assert variable.data_ptr() == place
    with pytest.raises(ValueError, match=r"variable 'variable.*': expected \(2,\)\. Received: \(3,\)"):
        variable.assign([1.0, 2.0, 3.0])


def test_trainable_is_requires_grad():
    variable = Variable([1.0])
    assert variable.trainable and variable.requires_grad
    variable.trainable = False
    assert not variable.requires_grad
    assert not Variable([1.0], trainable=False).requires_grad
    assert not Variable([1], trainable=True).requires_grad


def test_operations_give_plain_tensors():
    variable = Variable([1.0, 2.0])
    for result in (variable + 1, variable.sum(), variable.detach(), torch.stack([variable]), variable[0]):
        assert type(result) is torch.Tensor
    (variable**2).sum().backward()
    assert variable.grad.tolist() == [2.0, 4.0]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
@pytest.mark.parametrize("trainable", [True, False])
def test_copies(copied, trainable):
    variable = Variable([1.0, 2.0], trainable=trainable, name="w")
    variable.regularizer = keras.regularizers.L2(0.1)
    twin = copied(variable)
    assert type(twin) is Variable and twin.name == "w" and twin.trainable is trainable
    assert twin.regularizer.l2 == pytest.approx(0.1)
    twin.assign([5.0, 6.0])
    assert variable.tolist() == [1.0, 2.0]


def test_numpy():
    variable = Variable([1.0, 2.0])
    array = variable.numpy()
    array[0] = 9
    assert variable.tolist() == [1.0, 2.0]
    assert np.asarray(variable).dtype == np.float32
    assert np.asarray(variable, dtype="float64").dtype == np.float64
    half = Variable([1.5], dtype="bfloat16")
    assert half.numpy().dtype == np.float32 and half.numpy() == 1.5


def test_torch_moves_and_casts_keep_the_object():
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    kernel = layer.kernel
    layer.double()
    assert layer.kernel is kernel and kernel.dtype is torch.float64 and type(kernel) is Variable
