"""`keras.ops.numpy` beside NumPy itself, above all where Keras on torch falls short of it; gradients and errors."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from kerasish import Input, Model, config, ops
from kerasish.symbolic import KerasTensor

X = np.array([[3.0, -1.0, 2.5], [0.5, 4.0, -2.0]], "float32")
CUBE = np.arange(24, dtype="float32").reshape(2, 3, 4) - 7
NAN = np.array([[1.0, np.nan, 2.0], [np.nan, np.nan, 5.0]], "float32")

REDUCTIONS = [
    "sum", "prod", "mean", "var", "std", "max", "min", "ptp", "all", "any", "nansum", "nanprod", "nanmean",
    "nanvar", "nanstd", "nanmax", "nanmin",
]  # fmt: skip
ROWS = [
    *((name, (X,), {"axis": axis, "keepdims": True}) for name in [*REDUCTIONS, "median"] for axis in (None, 0,
        (0, 1), (-1, 0))),
    *((name, (X,), {"axis": ()}) for name in [*REDUCTIONS, "count_nonzero"] if name not in ("ptp", "nanmax",
        "nanmin")),
    ("max", (np.zeros((0, 3), "float32"),), {"axis": 0, "initial": 2.5}),
    ("count_nonzero", (CUBE,), {"axis": -3}),
    ("nanmedian", (NAN[:, [0, 2]],), {"axis": (0, 1), "keepdims": True}),
    ("quantile", (CUBE, [[0.1, 0.5], [0.9, 1.0]]), {"axis": (0, 2), "keepdims": True}),
    ("percentile", (CUBE, 40), {"axis": -1, "method": "nearest"}),
    ("average", (CUBE,), {"axis": (0, 2), "weights": np.ones((2, 4), "float32")}),
    ("average", (CUBE,), {"axis": (2, 0), "weights": np.arange(1, 9, dtype="float32").reshape(4, 2)}),
    ("average", (X,), {"weights": X + 3}),
    ("pad", (X, 1), {}),
    ("pad", (X, (1, 2)), {}),
    ("pad", (X, ((0, 0), (5, 4))), {"mode": "reflect"}),
    ("pad", (X, ((3, 1), (5, 4))), {"mode": "symmetric"}),
    ("pad", (CUBE, 2), {"mode": "edge"}),
    ("pad", (X, ((0, 3), (7, 1))), {"mode": "wrap"}),
    ("pad", (X[0], 2), {"mode": "constant", "constant_values": np.float32(1.5)}),
    ("take", (X, [0, -1]), {}),
    ("take_along_axis", (X, np.array([[-1], [0]])), {"axis": 1}),
    ("repeat", (X, [1, 0, 2]), {"axis": 1}),
    ("repeat", (X, [2]), {"axis": 0}),
    ("roll", (X, 1), {"axis": (0, 1)}),
    ("roll", (X, (1, 2)), {"axis": 1}),
    ("dot", (X, np.stack([X.T, X.T + 1])), {}),
    ("inner", (X, X), {}),
    ("vdot", (X, X), {}),
    ("kron", (X, 2.0), {}),
    ("cross", (X.T, X.T + 1), {"axisa": 0, "axisb": 0}),
    ("cross", (X, X + 1), {"axisc": 0}),
    ("tensordot", (X, X), {"axes": ([0, 1], [0, 1])}),
    *(("correlate", (a, b), {"mode": mode}) for mode in ("valid", "same", "full") for a,
        b in ((X[0], X[1, :2]), (X[0, :2], X[1]), (X[0], CUBE[0, 0]), (X[0], X[1]))),
    ("linspace", (X[0], X[1], 4), {"axis": -1}),
    ("linspace", (0, 1, 5), {"endpoint": False, "retstep": True}),
    ("linspace", (X[0], 1.0, 1), {}),
    ("logspace", (X[0], X[1], 3), {"axis": 1}),
    ("geomspace", (1, 1000, 1), {}),
    ("geomspace", (-2, -32, 5), {"endpoint": False}),
    ("geomspace", (np.array([1.0, 2.0]), 32, 4), {"axis": 1}),
    ("arange", (5, 0), {}),
    ("arange", (5, 0, -2), {}),
    ("split", (X[0], [1, 9]), {}),
    ("split", (X[0], [-1]), {}),
    ("array_split", (np.arange(7), [2, 5]), {}),
    ("meshgrid", (X, [1, 2]), {}),
    ("histogram", (X,), {"bins": 4}),
    ("histogram", (X,), {"bins": [-2.0, 0.0, 3.0, 4.0]}),
    ("histogram", (X,), {"bins": 3, "range": (0.0, 3.0)}),
    ("histogram", (np.ones(3, "float32"),), {"bins": 2}),
    ("unique", (np.array([[2, 1], [0, 1], [2, 1]]),), {"axis": 0, "return_index": True, "return_counts": True}),
    ("nonzero", (CUBE,), {}),
    ("where", (X > 1,), {}),
    ("unravel_index", ([5, 0], (2, 3)), {}),
    ("imag", (X,), {}),
    ("round", (np.array([15, 25, -35]), -1), {}),
    ("diagonal", (CUBE, -1, 2, 0), {}),
    ("trace", (CUBE, 1, 2, 0), {}),
    ("rot90", (CUBE, 3, (2, 0)), {}),
    ("vander", (X[0], 4, True), {}),
    ("corrcoef", (CUBE[0] ** 2,), {}),
    ("trapezoid", (CUBE, np.array([0.0, 1.0, 4.0])), {"axis": 1}),
    ("nextafter", (np.float32(1), np.float32(2)), {}),
    ("nextafter", (X, -X), {}),
    ("ndim", (X,), {}),
    ("size", (X,), {}),
    ("bartlett", (4,), {}),
    ("isin", (np.array([True, False]), np.array([True])), {}),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "args", "kwargs"), ROWS, ids=[f"{row[0]}{i}" for i, row in enumerate(ROWS)])
def test_as_numpy(name, args, kwargs):
    result, expected = getattr(ops, name)(*args, **kwargs), getattr(np, name)(*args, **kwargs)
    if not isinstance(expected, (tuple, list)):
        result, expected = [result], [expected]
    assert len(result) == len(expected)
    for mine, theirs in zip(result, expected, strict=True):
        values = np.asarray(mine)
        assert values.shape == np.shape(theirs)
        np.testing.assert_allclose(values, theirs, rtol=2e-6, atol=2e-6)


def test_cross_of_plane_vectors_is_the_third_component():
    a, b = torch.tensor([[1.0, 2.0], [0.0, 1.0]]), torch.tensor([3.0, 4.0])
    assert ops.cross(a, b).tolist() == [-2.0, -3.0]


@pytest.mark.parametrize("kth", [0, 2, -1])
def test_argpartition(kth):
    x = torch.randn(3, 6, generator=torch.Generator().manual_seed(0))
    ordered = ops.take_along_axis(x, ops.argpartition(x, kth), -1)
    assert torch.equal(ordered[:, kth], x.sort().values[:, kth])
    assert (ordered[:, :kth] <= ordered[:, kth : kth + 1 or None]).all()


def test_vectorize():
    distance = ops.vectorize(lambda a, b: ((a - b) ** 2).sum(), signature="(n),(n)->()")
    a, b = torch.tensor([[0.0, 0.0], [1.0, 1.0]]), torch.tensor([3.0, 4.0])
    assert distance(a, b).tolist() == [25.0, 13.0]
    assert distance(KerasTensor((None, 2)), b).shape == (None,)
    scaled = ops.vectorize(lambda a, times, shift: a * times + shift, excluded={1, "shift"})
    assert scaled([[1, 2]], 3, shift=1).tolist() == [[4, 7]]
    with pytest.raises(ValueError, match="must look like"):
        ops.vectorize(lambda a: a, signature="n->n")
    with pytest.raises(ValueError, match="must be a function"):
        ops.vectorize(3)
    with pytest.raises(ValueError, match="2 arguments"):
        distance(a)


def test_einsum_takes_tensors_of_several_dtypes_and_refuses_unknown_options():
    assert ops.einsum("i,i->", [1, 2], [0.5, 1.0], optimize=True).item() == 2.5
    with pytest.raises(TypeError, match="foo"):
        ops.einsum("i,i->", [1, 2], [1, 2], foo=True)


def test_integer_products_are_exact():
    large = torch.tensor([2**24 + 1])
    assert ops.dot(large, torch.tensor([1])).item() == 2**24 + 1
    assert ops.matmul(torch.tensor([[True]]), torch.tensor([[True]])).dtype is torch.bool


def test_quantiles_of_more_elements_than_torch_takes():
    x = torch.arange(2**24 + 3, dtype=torch.float32)
    assert ops.median(x).item() == 2**23 + 1


def test_division_without_nan_has_no_nan_gradient():
    x1, x2 = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([0.0, 4.0], requires_grad=True)
    ops.sum(ops.divide_no_nan(x1, x2)).backward()
    assert x1.grad.tolist() == [0.0, 0.25]
    assert x2.grad.tolist() == [0.0, -0.125]


@pytest.mark.parametrize("mode", ["constant", "reflect", "symmetric", "edge", "wrap"])
def test_gradient_of_padding(mode):
    x = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: ops.pad(x, ((2, 1), (0, 3)), mode), x)


@pytest.mark.parametrize(
    "name", ["median", "nanmedian", "nanvar", "nanstd", "nanmean", "nanmax", "std", "prod"]
)
def test_gradient_of_reductions(name):
    x = torch.tensor([[0.3, -1.2, 2.0], [1.5, 0.1, -0.7]])
    reduce = getattr(ops, name)
    x.requires_grad_()
    reduce(x, axis=1).sum().backward()
    with torch.no_grad():
        steps = 1e-2 * torch.eye(6).reshape(6, 2, 3)
        differences = [(reduce(x + step, axis=1) - reduce(x - step, axis=1)).sum() / 2e-2 for step in steps]
    torch.testing.assert_close(x.grad, torch.stack(differences).reshape(2, 3), rtol=1e-2, atol=1e-2)


def test_numbers_beside_tensors_are_not_copied_to_their_device():
    """On CUDA a copy would stop the capture of a graph; here the meta device would refuse it."""
    x = torch.empty(2, device="meta")
    for op in (ops.add, ops.multiply, ops.divide, ops.power, ops.less):
        assert op(x, 2.0).device == x.device
        assert op(2.0, x).shape == (2,)


def test_symbolic_ops_become_functional_models():
    inputs = Input((3,))
    outputs = ops.sum(ops.multiply(ops.reshape(inputs, (-1, 3, 1)), ops.arange(2.0)), axis=1)
    model = Model(inputs, outputs)
    assert outputs.shape == (None, 2)
    assert model(torch.ones(4, 3)).tolist() == [[0.0, 3.0]] * 4


ERRORS = [
    (ValueError, "cannot be reshaped", lambda: ops.reshape(X, (4, -1))),
    (ValueError, "cannot be reshaped", lambda: ops.reshape(X, (-1, -1))),
    (ValueError, "axis=2", lambda: ops.sum(X, axis=2)),
    (ValueError, "twice", lambda: ops.sum(X, axis=(0, -2))),
    (ValueError, "no maximum", lambda: ops.max(np.zeros((0, 2)), axis=0)),
    (ValueError, "no largest", lambda: ops.argmax(np.zeros((0, 2)), axis=0)),
    (ValueError, "no quantiles", lambda: ops.median(np.zeros(0))),
    (ValueError, "between 0 and 1", lambda: ops.quantile(X, 1.5)),
    (ValueError, "between 0 and 100", lambda: ops.percentile(X, [-1, 50])),
    (ValueError, "`method`", lambda: ops.quantile(X, 0.5, method="closest")),
    (ValueError, "array_split", lambda: ops.split(X, 2, axis=1)),
    (ValueError, "size 1", lambda: ops.squeeze(X, 0)),
    (ValueError, "`pad_width`", lambda: ops.pad(X, ((1, 1), (1, 1), (1, 1)))),
    (ValueError, "`pad_width`", lambda: ops.pad(X, ((-1, 1), (1, 1)))),
    (ValueError, "`mode`", lambda: ops.pad(X, 1, mode="mirror")),
    (ValueError, "constant_values", lambda: ops.pad(X, 1, mode="edge", constant_values=1)),
    (ValueError, "`repeats`", lambda: ops.repeat(X, [1, 2], axis=1)),
    (ValueError, "`shift`", lambda: ops.roll(X, (1, 2, 3), axis=(0, 1))),
    (ValueError, "at least 1 dimension", lambda: ops.matmul(X, 2.0)),
    (ValueError, "2 or 3 elements", lambda: ops.cross(CUBE, CUBE)),
    (ValueError, "`mode`", lambda: ops.correlate(X[0], X[1], mode="all")),
    (ValueError, "two vectors", lambda: ops.correlate(X, X[1])),
    (ValueError, "`indexing`", lambda: ops.meshgrid(X[0], X[1], indexing="yx")),
    (ValueError, "both `x1` and `x2`", lambda: ops.where(X > 0, 1)),
    (ValueError, "as many conditions", lambda: ops.select([X > 0], [X, X])),
    (ValueError, "must be lists", lambda: ops.select(X > 0, X)),
    (ValueError, "`side`", lambda: ops.searchsorted([1, 2], 1, side="middle")),
    (ValueError, "must be a vector", lambda: ops.searchsorted([[1, 2]], 1)),
    (ValueError, "a vector or a matrix", lambda: ops.diag(CUBE)),
    (ValueError, "2 dimensions", lambda: ops.tril(X[0])),
    (ValueError, "takes a vector", lambda: ops.vander(X)),
    (ValueError, "sparse=True", lambda: ops.bincount([1], sparse=True)),
    (ValueError, "of integers", lambda: ops.bincount([0.5])),
    (ValueError, "`weights`", lambda: ops.average(X, axis=1, weights=[1, 2])),
    (ValueError, "`bins`", lambda: ops.histogram(X, bins=0)),
    (ValueError, "`range`", lambda: ops.histogram(X, range=(2, 1))),
    (ValueError, "`num`", lambda: ops.linspace(0, 1, -1)),
    (ValueError, "`step`", lambda: ops.arange(0, 5, 0)),
    (TypeError, "one integer", lambda: ops.hanning(2.5)),
    (TypeError, "must be integers", lambda: ops.ldexp(X, 0.5)),
    (TypeError, "must be integers", lambda: ops.unravel_index(0.5, (2, 3))),
    (TypeError, "integer", lambda: ops.zeros((2.0,))),
    (ValueError, "uint64", lambda: ops.zeros((2,), "uint64")),
    (ValueError, "depends on values", lambda: ops.nonzero(KerasTensor((3,)))),
    (ValueError, "depends on values", lambda: ops.repeat(KerasTensor((3,)), KerasTensor((3,), "int32"))),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "call"), ERRORS, ids=[f"{i}" for i in range(len(ERRORS))])
def test_errors(kind, text, call):
    with pytest.raises(kind, match=text):
        call()


def test_unique_of_a_given_size():
    values, index, counts = ops.unique(
        [3, 1, 3], return_index=True, return_counts=True, size=4, fill_value=-1
    )
    assert (values.tolist(), index.tolist(), counts.tolist()) == ([1, 3, -1, -1], [1, 0, 1, 1], [1, 2, 0, 0])
    assert ops.unique([3, 1, 3], size=1).tolist() == [1]


def test_nan_of_all_nan_slices():
    x = torch.tensor([[math.nan, math.nan], [math.nan, 1.0]])
    assert ops.nanargmax(x, axis=1).tolist() == [-1, 1]
    assert ops.nansum(x, axis=1).tolist() == [0.0, 1.0]
    for name in ("nanmax", "nanmin", "nanmean", "nanmedian", "nanstd"):
        result = getattr(ops, name)(x, axis=1)
        assert result[0].isnan() and not result[1].isnan()


def test_ops_are_compiled_into_one_graph():
    def function(x):
        x = ops.maximum(x, 0.0) + ops.arange(6.0)
        x = ops.concatenate([ops.take(x, [0, 1], axis=1), ops.clip(x, 0, 1)], 1)
        return ops.quantile(ops.reshape(ops.pad(x, ((0, 0), (1, 1)), "reflect"), (-1, 2)), [0.3, 0.5], axis=0)

    config.get_device()  # looks for the hardware, once
    x = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))
    compiled = torch.compile(function, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x), function(x))
