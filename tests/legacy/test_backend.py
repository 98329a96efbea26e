from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish
from kerasish.legacy import backend as K

X = torch.arange(24.0).reshape(2, 3, 4)
ROWS = torch.tensor([[3.0, -4.0], [0.0, 1.0]])


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("argmax", (ROWS,), [0, 1]),
        ("argmin", (ROWS, 0), [1, 0]),
        ("batch_flatten", (X,), X.reshape(2, 12)),
        ("cast_to_floatx", (torch.tensor([1, 2]),), [1.0, 2.0]),
        ("concatenate", ([ROWS, ROWS],), [[3.0, -4, 3, -4], [0, 1, 0, 1]]),
        ("cumprod", (ROWS,), [[3.0, -4], [0, -4]]),
        ("cumsum", (ROWS,), [[3.0, -4], [3, -3]]),
        ("expand_dims", (ROWS,), [[[3.0], [-4]], [[0], [1]]]),
        ("flatten", (ROWS,), [3.0, -4, 0, 1]),
        ("gather", (ROWS, [1, 1]), [[0.0, 1], [0, 1]]),
        ("hard_sigmoid", (torch.tensor([-3.0, 0, 1, 3]),), [0.0, 0.5, 0.7, 1.0]),
        ("identity", (ROWS,), ROWS),
        ("in_top_k", (torch.tensor([[1.0, 3, 2], [1, 3, 2]]), torch.tensor([2, 0]), 2), [True, False]),
        ("l2_normalize", (ROWS, -1), [[0.6, -0.8], [0, 1]]),
        ("l2_normalize", (torch.zeros(2),), [0.0, 0.0]),
        ("one_hot", (torch.tensor([1, 0]), 2), [[0.0, 1], [1, 0]]),
        ("repeat", (ROWS, 2), [[[3.0, -4], [3, -4]], [[0, 1], [0, 1]]]),
        ("switch", (torch.tensor([True, False]), ROWS, torch.zeros(2, 2)), [[3.0, -4], [0, 0]]),
        ("switch", (True, lambda: ROWS, lambda: ROWS + 1), ROWS),
        ("temporal_padding", (torch.ones(1, 1, 2), (1, 0)), [[[0.0, 0], [1, 1]]]),
    ],
)
def test_values(name, arguments, expected):
    torch.testing.assert_close(getattr(K, name)(*arguments), torch.as_tensor(expected))


@pytest.mark.parametrize(
    ("x_shape", "y_shape", "axes", "formula"),
    [
        ((2, 3), (2, 3), 1, "ai,ai->a"),
        ((2, 3), (2, 3), None, "ai,ai->a"),
        ((2, 3, 4), (2, 4, 5), None, "abi,aic->abc"),
        ((2, 3, 4), (2, 5, 4), (2, 2), "abi,aci->abc"),
        ((2, 3, 4), (2, 3, 5), 1, "aib,aic->abc"),
        ((2, 3, 4), (2, 4), (-1, -1), "abi,ai->ab"),
    ],
)
def test_batch_dot(x_shape, y_shape, axes, formula):
    x, y = torch.rand(x_shape), torch.rand(y_shape)
    expected = torch.einsum(formula, x, y)
    torch.testing.assert_close(
        K.batch_dot(x, y, axes), expected.reshape(*expected.shape, *(1,) * (expected.ndim == 1))
    )


def test_batch_dot_keeps_the_batch_axis():
    with pytest.raises(ValueError, match="batch axis"):
        K.batch_dot(X, X, 0)


def test_spatial_padding_follows_the_data_format():
    x = torch.ones(1, 2, 2, 3)
    assert K.spatial_2d_padding(x, ((1, 0), (0, 2))).shape == (1, 3, 4, 3)
    assert K.spatial_2d_padding(x, ((1, 0), (0, 2)), "channels_first").shape == (1, 2, 3, 5)


def test_variables():
    v = kerasish.Variable([1.0, 2.0])
    assert K.update(v, [3.0, 4.0]) is v and K.update_add(v, 1.0) is v and K.update_sub(v, [0.0, 1.0]) is v
    assert v.numpy().tolist() == [4.0, 4.0]
    K.moving_average_update(v, 0.0, 0.5)
    K.batch_set_value([(v, v.numpy() + 1)])
    np.testing.assert_array_equal(K.batch_get_value([v])[0], [3.0, 3.0])
    K.set_value(v, [0.0, 0.0])
    assert v.numpy().tolist() == [0.0, 0.0]
    assert K.is_variable(v) and not K.is_variable(X) and not K.is_sparse(X) and K.is_sparse(X.to_sparse())
    assert K.count_params(v) == 2 and K.int_shape(v) == (2,) and K.dtype(v) == "float32"


def test_random_draws():
    assert K.random_normal_variable((200, 50), 3.0, 0.1, seed=1).mean().item() == pytest.approx(3, abs=0.01)
    uniform = K.random_uniform_variable((500,), 1.0, 2.0, dtype="float64", seed=1)
    assert uniform.dtype == torch.float64 and 1 <= uniform.min() < uniform.max() < 2
    binomial = K.random_binomial((1000,), 0.3, seed=1)
    assert set(binomial.tolist()) == {0.0, 1.0} and binomial.mean().item() == pytest.approx(0.3, abs=0.05)


def test_print_tensor_prints_and_passes_on(capsys):
    assert K.print_tensor(ROWS, "rows:") is ROWS
    assert capsys.readouterr().out.startswith("rows: [[")


def test_symbolic_tensors():
    x = kerasish.Input((3,))
    assert K.int_shape(K.concatenate([x, x])) == (None, 6)
    assert K.int_shape(K.expand_dims(x)) == (None, 3, 1)
    assert K.int_shape(K.batch_dot(x, x, 1)) == (None, 1)
    assert K.int_shape(K.l2_normalize(x, -1)) == (None, 3)
