"""Control flow, parts of tensors and casts beside Keras's ops: results, gradients and symbolic shapes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import kerasish
from compat.parity.ops_harness import arrays, case, compare, compare_symbolic, numbers, shapes
from kerasish.ops import casting, control, indexing, rearranging

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in cast")  # in Keras's saturate_cast

SEED = st.integers(0, 99)
OURS = {**vars(casting), **vars(control), **vars(indexing), **vars(rearranging)}
DTYPES = ["float16", "float32", "float64", "int8", "int32", "int64", "uint8"]


def ours_and_theirs(name):
    return OURS[name], getattr(keras.ops, name)


@st.composite
def scattered(draw, name):
    """Indices of one or two dimensions into a matrix; distinct, where only the order of writing decides."""
    depth, dtype = draw(st.integers(1, 2)), draw(st.sampled_from(["float32", "float64", "int32"]))
    target = numbers((3, 4), dtype, draw(SEED))
    reduction = (
        draw(st.sampled_from([None, "add", "max", "min", "mul"])) if name == "scatter_update" else "add"
    )
    places = np.argwhere(np.ones(target.shape[:depth]))
    count = draw(st.integers(1, 3))
    chosen = np.random.default_rng(draw(SEED)).choice(len(places), count, replace=reduction == "add")
    updates = numbers((count, *target.shape[depth:]), dtype, draw(SEED)) + np.asarray(0.25).astype(dtype)
    if name == "scatter":
        return (places[chosen], updates, (3, 4)), {}
    return (target, places[chosen], updates), {"reduction": reduction}


@st.composite
def parts(draw, name):
    x = draw(arrays(shapes(1, 3), ["float32", "int32"]))
    starts = tuple(draw(st.integers(0, size - 1)) for size in x.shape)
    sizes = tuple(draw(st.integers(1, size - start)) for start, size in zip(starts, x.shape, strict=True))
    return (x, starts, sizes if name == "slice" else numbers(sizes, str(x.dtype), 5)), {}


@st.composite
def slices(draw):
    x = draw(arrays(shapes(1, 3), ["float32", "int32"]))
    return (x,), {"axis": draw(st.integers(-x.ndim, x.ndim - 1))}


@st.composite
def prefixes(draw):
    x = draw(arrays(shapes(1, 3, largest=9), ["float32"]))
    combine = draw(st.sampled_from([torch.add, lambda a, b: a + b, lambda a, b: a * b * 0.5 + a]))
    return (combine, x), {"axis": draw(st.integers(0, x.ndim - 1)), "reverse": draw(st.booleans())}


PATTERNS = [
    ("a b c -> c a b", {}), ("a b c -> (a b) c", {}), ("a (b d) c -> a b d c", {"d": 2}),
    ("a (d b) c -> (c d) b a", {"d": 2}),
]  # fmt: skip
CASES = {
    "associative_scan": prefixes(),
    "map": case(st.sampled_from([lambda x: x * x, lambda x: (x.sum(), x)]), arrays(shapes(1, 3))),
    "vectorized_map": case(st.sampled_from([lambda x: x * x, lambda x: (x.sum(), x)]), arrays(shapes(1, 3))),
    "scan": case(
        lambda c, x: (c * 0.5 + x, c * x),
        np.float32([1, 2]),
        arrays(st.just((4, 2)), ["float32"]),
        reverse=st.booleans(),
    ),
    "scatter": scattered("scatter"),
    "scatter_update": scattered("scatter_update"),
    "slice": parts("slice"),
    "slice_update": parts("slice_update"),
    "unstack": slices(),
    "stop_gradient": case(arrays(shapes(0, 3))),
    "saturate_cast": case(arrays(shapes(1, 2), ["float32", "float64"], scale=300.0), st.sampled_from(DTYPES)),
    "rearrange": st.tuples(SEED, st.sampled_from(PATTERNS)).map(
        lambda p: ((numbers((2, 6, 3), seed=p[0]), p[1][0]), p[1][1])
    ),
}
KERAS_HAS_NO_SYMBOLS = {"rearrange"}


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=20, deadline=None, derandomize=True)
@given(data=st.data())
def test_values_and_gradients(name, data):
    args, kwargs = data.draw(CASES[name])
    # Keras's other reductions have no gradients: they write in place.
    can_differentiate = kwargs.get("reduction") in (None, "add")
    compare(*ours_and_theirs(name), args, kwargs, can_differentiate)


@pytest.mark.parametrize("name", sorted(set(CASES) - KERAS_HAS_NO_SYMBOLS))
@settings(max_examples=5, deadline=None, derandomize=True)
@given(data=st.data())
def test_symbolic_results(name, data):
    args, kwargs = data.draw(CASES[name])
    hidden = [i for i in (0, 1) if name in ("map", "vectorized_map", "stop_gradient", "saturate_cast")]
    compare_symbolic(*ours_and_theirs(name), args, kwargs, hidden)


X = numbers((2, 3))
DOUBLE, SUM = (lambda x: x * 2), (lambda x: x + 1)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("cond", (True, lambda: 1.0, lambda: 2.0)),
        ("cond", (np.array([False]), lambda: 1.0, lambda: 2.0)),
        ("switch", (0, [DOUBLE, SUM], X)),
        ("switch", (np.array(1), [DOUBLE, SUM], X)),
        ("switch", (7, [DOUBLE, SUM], X)),
        ("switch", (-7, [DOUBLE, SUM], X)),
        ("while_loop", (lambda i: i < 5, lambda i: i + 2, 0)),
        ("while_loop", (lambda i, x: i < 3, lambda i, x: (i + 1, x * 2), (0, X))),
        ("while_loop", (lambda i, x: i < 3, lambda i, x: [i + 1, x * 2], [0, X], 2)),
        ("fori_loop", (0, 3, lambda i, x: x * i + 1, X)),
        ("fori_loop", (np.array(2), np.array(1), lambda i, x: x * i + 1, X)),
        ("map", (lambda pair: pair[0] * pair[1].sum(), (X, X))),
        ("map", (lambda d: {"y": d["x"] * 2}, {"x": X})),
        ("vectorized_map", (lambda pair: pair[0] * pair[1].sum(), [X, X])),
        ("scan", (lambda c, x: (c + 1, c * 2), np.float32(1), None, 3)),
        ("scan", (lambda c, x: ((c[0] + x["a"],), {"b": c[0]}), (np.float32([0, 0, 0]),), {"a": X})),
        ("associative_scan", (lambda a, b: [a[0] * b[0], a[1] * b[0] + b[1]], [X.T.copy(), X.T.copy() + 1])),
        ("unstack", (X, 3, 1)),
    ],
)
def test_control_flow(name, args):
    compare(*ours_and_theirs(name), args, {})


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        (
            "cond",
            lambda make: (make((), "bool"), lambda: make((2, 3), "float32"), lambda: make((2, 3), "float32")),
        ),
        ("switch", lambda make: (make((), "int32"), [DOUBLE, SUM], make((None, 3), "float32"))),
        ("while_loop", lambda make: (lambda x: x < 5, SUM, make((2,), "float32"))),
        (
            "while_loop",
            lambda make: (
                lambda x, y: x < 5,
                lambda x, y: (x, y),
                (make((2,), "int32"), make((), "float32")),
            ),
        ),
        ("fori_loop", lambda make: (0, 4, lambda i, x: x + 1, make((2,), "float32"))),
        ("fori_loop", lambda make: (0, make((), "int32"), lambda i, x: x + 1, make((2,), "float32"))),
        ("map", lambda make: (DOUBLE, make((None, 3), "float32"))),
        ("scan", lambda make: (lambda c, x: (c + x, c), make((3,), "float32"), make((None, 3), "float32"))),
        ("associative_scan", lambda make: (lambda a, b: a + b, make((None, 3), "float32"))),
        ("unstack", lambda make: (make((None, 3), "float32"), 2)),
    ],
)
def test_symbolic_control_flow(name, arguments):
    def specs(function, make):
        outputs = function(*arguments(lambda shape, dtype: make(shape, dtype=dtype)))
        return [(tuple(x.shape), str(x.dtype)) for x in keras.tree.flatten(outputs)]

    ours, theirs = ours_and_theirs(name)
    assert specs(ours, kerasish.KerasTensor) == specs(theirs, keras.KerasTensor)


KERAS_GIVES_GARBAGE = {("int32", "float32"), ("int64", "float32"), ("int64", "float64")}


@pytest.mark.parametrize("target", DTYPES)
@pytest.mark.parametrize("source", ["float16", "float32", "float64", "int32", "int64", "uint8"])
def test_saturation(source, target):
    extremes = torch.tensor([-1e4, -300, -129, -1.5, 0, 1.5, 127, 255, 300, 6e4], dtype=torch.float64)
    x = extremes.clamp(0, 255).to(torch.uint8) if source == "uint8" else extremes.to(getattr(torch, source))
    ours = casting.saturate_cast(x, target)
    expected = (
        x.to(ours.dtype) if (source, target) in KERAS_GIVES_GARBAGE else keras.ops.saturate_cast(x, target)
    )
    assert torch.equal(ours, expected)


def test_floats_beyond_the_largest_integer():
    """Where a float type cannot express the limit, Keras wraps around."""
    x = torch.tensor([-3e9, 3e9, float("inf")])
    assert casting.saturate_cast(x, "int32").tolist() == [-(2**31), 2**31 - 128, 2**31 - 128]


def test_custom_gradient():
    def function(a, b):
        return a * b, lambda *args, upstream: (upstream * 7, upstream * args[0])

    args = (X, X + 1)
    compare(control.custom_gradient(function), keras.ops.custom_gradient(function), args, {})
