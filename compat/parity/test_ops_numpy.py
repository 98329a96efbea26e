"""Every function of `keras.ops.numpy` beside the real one: dtypes, shapes and values, eager and symbolic."""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from kerasish.symbolic import KerasTensor

keras = pytest.importorskip("keras")
theirs = keras.ops
ours = importlib.import_module("kerasish.ops.numpy")

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]
QUICK = settings(
    max_examples=14,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
FLOATS = ("float16", "bfloat16", "float32", "float64")
INTS = ("uint8", "int8", "int16", "int32", "int64")
DTYPES = ("bool", *INTS, *FLOATS)
TOLERANCE = {torch.float16: 4e-3, torch.bfloat16: 3e-2, torch.float32: 1e-5, torch.float64: 1e-6}
SHAPES = st.sampled_from([(), (1,), (3,), (2, 3), (0, 3), (2, 1, 4), (3, 3)])
FILLED = st.sampled_from([(), (3,), (2, 3), (2, 1, 4)])
SPECIAL = (math.nan, math.inf, -math.inf, -0.0, 0.0, 1.0, -2.5)


def make(shape, dtype="float32", seed=0, special=False, low=-3, high=4):
    """A tensor of random numbers: integers, and floats of which some are special."""
    rng = np.random.default_rng(seed)
    if dtype in FLOATS:
        values = rng.uniform(low, high, shape)
        if special:
            values = np.where(rng.random(shape) < 0.3, rng.choice(SPECIAL, shape), values)
    else:
        values = rng.integers(0 if dtype in ("bool", "uint8") else low, 2 if dtype == "bool" else high, shape)
    return torch.tensor(values).to(getattr(torch, dtype))


def tensors(shapes=SHAPES, dtypes=DTYPES, special=False, **limits):
    return st.builds(
        lambda shape, dtype, seed, special: make(shape, dtype, seed, special, **limits),
        shapes if not isinstance(shapes, list) else st.sampled_from(shapes),
        st.sampled_from(dtypes),
        st.integers(0, 99),
        st.booleans() if special else st.just(False),
    )


def broadcast_with(x, dtypes):
    """Another tensor whose shape broadcasts with that of `x`, or a number."""
    others = [x.shape, (), tuple(1 for _ in x.shape), x.shape[-1:], (2, *(1 for _ in x.shape))]
    return tensors(others, dtypes, special=True) | st.sampled_from([2, 1.5, True, -1, 0])


@st.composite
def pairs(draw, dtypes=DTYPES):
    x = draw(tensors(dtypes=dtypes, special=True))
    other = draw(broadcast_with(x, dtypes))
    return (x, other) if draw(st.booleans()) else (other, x)


@st.composite
def reduced(draw, several=True, dtypes=DTYPES, keepdims=True, special=True, shapes=SHAPES, **options):
    """A tensor, axes of it, and further arguments."""
    x = draw(tensors(shapes, dtypes, special))
    choices = [None, *range(-x.ndim, x.ndim)]
    if several:
        choices += [tuple(range(x.ndim)) or None, (-1,) if x.ndim else None, (0, -1) if x.ndim > 1 else None]
    kwargs = {"axis": draw(st.sampled_from(choices))}
    if keepdims:
        kwargs["keepdims"] = kwargs["axis"] is not None and draw(st.booleans())
    for name, values in options.items():
        if draw(st.booleans()):
            kwargs[name] = draw(st.sampled_from(values))
    return (x,), kwargs


def call(*args, **kwargs):
    """Strategies of arguments → a strategy of (args, kwargs)."""
    return st.tuples(
        st.tuples(*map(as_strategy, args)),
        st.fixed_dictionaries({k: as_strategy(v) for k, v in kwargs.items()}),
    )


def as_strategy(value):
    if isinstance(value, st.SearchStrategy):
        return value
    return st.sampled_from(value) if isinstance(value, list) else st.just(value)


UNARY = [
    "abs", "absolute", "angle", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctanh", "array",
    "bitwise_invert", "bitwise_not", "cbrt", "ceil", "conj", "conjugate", "copy", "cos", "cosh", "deg2rad",
    "empty_like", "exp", "exp2", "expm1", "fabs", "floor", "i0", "isfinite", "isinf", "isnan", "isneginf",
    "isposinf", "isreal", "log", "log10", "log1p", "log2", "logical_not", "nan_to_num", "negative",
    "ones_like", "rad2deg", "ravel", "real", "reciprocal", "sign", "signbit", "sin", "sinc", "sinh",
    "sqrt", "square", "tan", "tanh", "transpose", "trunc", "zeros_like",
]  # fmt: skip
BINARY = [
    "add", "arctan2", "bitwise_and", "bitwise_or", "bitwise_xor", "divide", "divide_no_nan", "equal",
    "floor_divide", "fmax", "fmin", "fmod", "gcd", "greater", "greater_equal", "heaviside", "hypot",
    "isclose", "isin", "kron", "lcm", "ldexp", "less", "less_equal", "logaddexp", "logaddexp2", "logical_and",
    "logical_or", "logical_xor", "maximum", "minimum", "mod", "multiply", "not_equal", "outer", "power",
    "subtract", "true_divide", "allclose",
]  # fmt: skip
REDUCTIONS = [
    "all", "amax", "amin", "any", "max", "mean", "min", "prod", "ptp", "std", "sum", "var", "nanmax",
    "nanmin", "nanmean", "nanstd", "nansum", "nanvar", "nanprod",
]  # fmt: skip
VECTORS = [(3,), (1,), (4,)]
MATRICES = [(3, 3), (2, 3), (4, 1)]
CUBES = [(2, 3, 4), (1, 2, 2)]

CALLS = {name: call(tensors(special=True)) for name in UNARY}
CALLS |= {name: st.tuples(pairs(), st.just({})) for name in BINARY}
CALLS |= {name: reduced() for name in REDUCTIONS}
CALLS |= {name: reduced(several=False) for name in ("argmax", "argmin", "nanargmax", "nanargmin")}
CALLS |= {
    name: reduced(several=False, keepdims=False, dtype=["float32", "int64", "float16"])
    for name in ("cumsum", "cumprod", "nancumsum", "nancumprod")
}
METHODS = ["linear", "lower", "higher", "midpoint", "nearest"]
LENGTHS = call([0, 1, 2, 5, 8, torch.tensor(4)])
ENDS = [0, 1, 2.5, -3, torch.tensor(2.0), torch.tensor(3)]


def quantiles(fractions):
    def arguments(case):
        (x,), options = case
        return call(st.just(x), fractions, options["axis"], METHODS, options["keepdims"])

    return reduced().flatmap(arguments)


@st.composite
def choices(draw):
    """A condition and two values for `where`."""
    values = draw(pairs())
    shape = next(value.shape for value in values if isinstance(value, torch.Tensor))
    return (draw(tensors([(), shape], ["bool", "int32"])), *values), {}


def listed(shapes):
    """Lists of two or three tensors of one of the shapes, of any dtypes."""
    return st.sampled_from(shapes).flatmap(lambda shape: st.lists(tensors([shape]), min_size=2, max_size=3))


def same_dtype(*shapes, dtypes=DTYPES, **limits):
    """Tensors of these shapes that share one dtype."""
    return st.sampled_from(dtypes).flatmap(
        lambda dtype: st.tuples(*(tensors([shape], [dtype], **limits) for shape in shapes))
    )


def one_of(*argument_lists):
    """Tensors of given shapes and further arguments: rows of ([shapes], arguments…)."""
    return st.sampled_from(argument_lists).flatmap(
        lambda row: call(
            *(tensors([shape], ["float32", "int64", "float16"]) for shape in row[0]), *map(st.just, row[1:])
        )
    )


CALLS |= {
    "append": call(tensors([(2, 3)]), tensors([(2, 3), (1, 3)]), axis=[None, 0]),
    "arange": call([0, 1, 2.5, -3, 5], [7, 8.5, torch.tensor(6)], [1, 2, 0.5],
        dtype=[None, "float32", "int64"]),
    "argsort": reduced(several=False, keepdims=False, dtypes=("int32", "bool", "float32", "bfloat16"),
        special=False),
    "array_split": call(tensors(CUBES), [1, 2, 3, 5], [0, 1, -1]),
    "average": one_of(
        ([(2, 3)],), ([(2, 3)], 0), ([(2, 3)], (0, 1)), ([(2, 3)], 1, torch.tensor([1, 2, 3])),
        ([(2, 3)], 0, torch.tensor([1.0, 2])), ([(2, 3)], -1, make((2, 3), low=1)), ([(3,)], None, [1, 2, 3]),
    ),
    "bartlett": LENGTHS,
    "bincount": call(
        tensors([(4,)], INTS, low=0), [None, [1, 2, 3, 4], [0.5, 1.0, 1.0, 2.0]], minlength=[0, 9]
    ) | call(tensors([(2, 3)], INTS, low=3), [None, make((2, 3), "int32")], [0, 9]),
    "bitwise_left_shift": call(tensors(dtypes=INTS), tensors([(), (3,)], INTS, low=0)),
    "bitwise_right_shift": call(tensors(dtypes=INTS), [0, 1, 2]),
    "blackman": LENGTHS,
    "broadcast_to": call(tensors([(), (3,), (2, 1), (2, 3)]), [(2, 3), [4, 2, 3]]),
    "clip": call(tensors(special=True), [0, -1.5, True], [1, 2.5, make((), "int8", low=2)]),
    "concatenate": call(listed([(2, 3), (1, 2, 3)]), [0, 1, -1]),
    "corrcoef": call(tensors([(2, 3), (4,), (3, 3)])),
    "correlate": call(tensors([(4,), (5,)]), tensors([(2,), (3,), (4,)]), mode=["valid", "same", "full"]),
    "count_nonzero": reduced(keepdims=False, shapes=st.just((3, 3))),
    "cross": call(tensors([(3,), (2, 3)]), tensors([(3,), (2, 3)])) | one_of(([(3, 2), (3, 2)], -1, -1, -1, 0)),
    "diag": call(tensors([*VECTORS, *MATRICES]), [0, 1, -2]),
    "diagflat": call(tensors(), [0, 1, -1]),
    "diagonal": call(tensors(CUBES), [0, 1, -1], [0, -1], [1]),
    "diff": call(tensors(MATRICES), [0, 1, 2, 5], [0, 1, -1]),
    "digitize": call(tensors(special=True), [[1, 2, 3], [-1.0, 0.5, 1.0], make((), "float16").reshape(1)]),
    "dot": call(tensors([(2, 3), (3,), ()]), tensors([(3,), (3, 2), ()])),
    "dsplit": call(tensors(CUBES), [1, 2, [1], (0, 2)]),
    "dstack": call(listed([(), (2,), (2, 3), (2, 3, 2)])),
    "einsum": st.builds(
        lambda row, dtype: ((row[0], *(make(shape, dtype) for shape in row[1:])), {}),
        st.sampled_from([
            ("ij,jk->ik", (2, 3), (3, 4)), ("ij->ji", (2, 3)), ("i,i", (3,), (3,)),
            ("bij,bjk", (2, 2, 3), (2, 3, 1)),
            ("i...,...i->...", (2, 3), (3, 2)), ("ij,kj,k->i", (2, 3), (4, 3), (4,)),
        ]),
        st.sampled_from(DTYPES),
    ),
    "empty": call([(2, 3), 2, []], [None, "int32", "bfloat16"]),
    "expand_dims": call(tensors(), [0, -1, (0, 1), [0, -1]]),
    "eye": call([1, 3, torch.tensor(2)], [None, 1, 4], [0, 1, -2, 9], dtype=[None, "int32", "bool"]),
    "flip": reduced(keepdims=False),
    "fliplr": call(tensors(MATRICES + CUBES)),
    "flipud": call(tensors(VECTORS + MATRICES)),
    "full": call([(2, 3), 3], [1, 2.5, True, [1, 2, 3], torch.tensor(2)], [None, "int32", "float16"]),
    "full_like": call(tensors([(2, 3)]), [1, 2.5, [1, 2, 3]], [None, "int32"]),
    "geomspace": call([1, 2.5, torch.tensor([1.0, 2.0])], [9, 4.5, torch.tensor(8.0)], [2, 5], [True, False])
    | call([-1], [-8], [4]),
    "get_item": call(tensors([(3, 3)]), [0, -1, (0, 1), slice(1, 3), (slice(None), None, 1), (Ellipsis, 0),
        torch.tensor([0, 2])]),
    "hamming": LENGTHS,
    "hanning": LENGTHS,
    "histogram": call(tensors([(9,)], ["float32", "float64"]), bins=[1, 4, 10],
        range=[None, (0, 2), (-1.5, 3)]),
    "hsplit": call(tensors([(4,), (2, 4)]), [1, 2, 4, [1, 3]]),
    "hstack": call(listed([(), (2,), (2, 3)])),
    "identity": call([0, 3], [None, "int32"]),
    "imag": call(st.builds(torch.complex, tensors([(3,)], ["float32"]), tensors([(3,)], ["float32"]))),
    "inner": call(tensors([(2, 3), (3,), ()]), tensors([(3,), (2, 3), (4, 2, 3), ()])),
    "kaiser": call([0, 1, 5, 8], [0.0, 2.0, 14]),
    "left_shift": call(tensors(dtypes=INTS), [0, 1, 2]),
    "linspace": call(ENDS, [*ENDS, 7], [0, 2, 5], [True, False], dtype=[None, "float16", "int32"]),
    "logspace": call([0, 1, -1.5, torch.tensor([0.0, 1.0])], [2, 2.5, torch.tensor([1.0, 2.0])], [2, 5],
        [True, False], [10, 2]),
    "matmul": call(tensors([(2, 3), (3,), (2, 2, 3)]), tensors([(3,), (3, 2), (2, 3, 4), (1, 3, 1)])),
    "max": reduced(initial=[0, 1, 9.0], shapes=FILLED),
    "median": reduced(),
    "meshgrid": st.builds(
        lambda xs, indexing: (xs, {"indexing": indexing}),
        same_dtype((2,), (3,), (1,)) | same_dtype((2,)) | same_dtype((), (3,)),
        st.sampled_from(["xy", "ij"]),
    ),
    "min": reduced(initial=[0, -9, 1.0], shapes=FILLED),
    "moveaxis": call(tensors(CUBES), [0, -1, (0, 1)], [1, (2, 0)]) | call(tensors(CUBES), [(0, 1)], [(1, -1)]),
    "nanmedian": reduced(),
    "nanpercentile": quantiles([50, 0, 30, [10, 90]]),
    "nanquantile": quantiles([0.5, 0.0, 1.0, 0.3, [0.1, 0.9], [0.25]]),
    "ndim": call(tensors()),
    "nextafter": call(tensors(dtypes=["float64"]), [torch.tensor(9.0, dtype=torch.float64)]),
    "nonzero": call(tensors([(3,), (2, 3), (0, 3)])),
    "ones": call([(2, 3), 2, []], [None, "int32", "bfloat16"]),
    "pad": call(tensors([(3, 4)]), [((1, 2), (0, 1)), ((0, 0), (2, 2))],
        ["constant", "reflect", "circular", "replicate"])
    | call(tensors([(3, 4)]), [((1, 2), (0, 1))], constant_values=[None, 2, 1.5]),
    "percentile": quantiles([50, 0, 30, [10, 90]]),
    "quantile": quantiles([0.5, 0.0, 1.0, 0.3, [0.1, 0.9], [0.25]]),
    "repeat": call(tensors([(2, 3), (2,), ()]), [0, 1, 3], [None, 0, -1])
    | call(tensors([(3, 2)]), st.just(torch.tensor([1, 0, 2])), [0]),
    "reshape": call(tensors([(2, 6), (3, 4), (12,)]), [-1, (3, -1), (2, 2, 3), [12], (-1, 4)]),
    "right_shift": call(tensors(dtypes=INTS), [0, 1, 2]),
    "roll": call(tensors(CUBES), [1, -2], [None, 0, -1]) | call(tensors(CUBES), (1, 2), [(0, 1), (-1, 0)]),
    "rot90": call(tensors(MATRICES + CUBES), [0, 1, -1, 2, 7], [(0, 1), (1, 0)]),
    "round": call(tensors(special=True, low=-300, high=300), decimals=[0, 1, 2, -1]),
    "searchsorted": call(st.sampled_from(DTYPES).map(lambda d: make((5,), d).sort().values), tensors(),
        side=["left", "right"]),
    "select": st.builds(
        lambda conditions, choices, default: ((list(conditions), list(choices), default), {}),
        same_dtype((2, 3), (3,), dtypes=["bool"]), st.tuples(tensors([(2, 3)]), tensors([(2, 3)])),
        st.sampled_from([0, 1.5]),
    ),
    "size": call(tensors([(3,), (2, 3)])),
    "slogdet": call(tensors([(2, 2), (3, 2, 2)], ["float32", "float64"])),
    "sort": reduced(several=False, keepdims=False),
    "split": call(tensors([(4, 6), (2, 4, 4)]), [1, 2, [1, 3], (2,)], [0, 1, -1]),
    "squeeze": call(tensors([(1, 3, 1)]), [None, 0, -1, (0, 2)]) | call(tensors()),
    "stack": call(listed([(), (2,), (2, 3)]), [0, -1]),
    "swapaxes": call(tensors(CUBES), [0, -1], [1, 2]),
    "take": call(tensors([(3, 3), (3, 4)]), [0, -1, [0, 2], [[1, -1]], torch.tensor([1, 0])], [0, 1, -1])
    | call(tensors([(3, 4)]), [0, [5, 11]], [None]),
    "take_along_axis": call(tensors([(3, 3)]), [torch.tensor(i) for i in ([[0, 2, -1]], [[1, 0, 0], [2, 2, 2]])], [0])
    | call(tensors([(3, 3)]), [[0, 5]], [None]),
    "tensordot": st.sampled_from([
        ((2, 3), (2, 3), 2), ((2, 3), (3, 4), 1), ((2, 3), (3, 4), 0), ((2, 3), (4, 3), (1, 1)),
        ((2, 3, 4), (4, 3), [[1, 2], [1, 0]]),
    ]).flatmap(lambda row: call(tensors([row[0]], FLOATS), tensors([row[1]], FLOATS), st.just(row[2]))),
    "tile": call(tensors(), [0, 2, (2, 1), [1, 2, 3]]),
    "trace": call(tensors(CUBES + MATRICES), [0, 1, -1]) | call(tensors(CUBES), [0], [1], [2]),
    "trapezoid": one_of(
        ([(2, 3)],), ([(2, 3)], None, 2.0, 0), ([(2, 3)], [1.0, 2.0, 4.0]), ([(2, 3)], [1.0, 2.0], 1.0, 0),
        ([(2, 3)], make((2, 3))),
    ),
    "tri": call([0, 3], [None, 2, 4], [0, 1, -1], [None, "int32", "bool"]),
    "tril": call(tensors(MATRICES + CUBES), [0, 1, -1, 9]),
    "triu": call(tensors(MATRICES + CUBES), [0, 1, -1, 9]),
    "unique": call(tensors(special=False), return_index=[False, True], return_inverse=[False, True],
        return_counts=[False, True])
    | call(tensors([(3, 3)], INTS), axis=[0, 1])
    | call(tensors([(4,)], INTS), size=[1, 3, 6], fill_value=[None, 9]),
    "unravel_index": call(tensors(dtypes=INTS, low=-2, high=6), [(2, 3), (3, 2, 2)]),
    "vander": call(tensors(VECTORS), [None, 0, 2, 5], [False, True]),
    "vdot": call(tensors([(3,)]), tensors([(3,)])),
    "view": call(tensors([(2, 4)], ["float32", "int32"]), ["int32", "float32", "int16", "int8", "int64"]),
    "vsplit": call(tensors([(4,), (4, 2)]), [1, 2, [1, 3]]),
    "vstack": call(listed([(), (2,), (2, 3)])),
    "where": choices(),
    "zeros": call([(2, 3), 2, []], [None, "int32", "bfloat16"]),
}  # fmt: skip


def flat(result):
    return list(result) if isinstance(result, (list, tuple)) else [result]


def assert_same(mine, yours, name):
    assert type(mine) is type(yours) or not isinstance(yours, (list, tuple)) or name in OTHER_CONTAINER
    mine, yours = flat(mine), list(yours) if name in OTHER_CONTAINER else flat(yours)
    assert len(mine) == len(yours)
    for a, b in zip(mine, yours, strict=True):
        if not isinstance(b, torch.Tensor):
            assert float(a) == pytest.approx(float(b), nan_ok=True)
            continue
        assert a.shape == b.shape
        assert a.dtype is b.dtype
        if name not in ANY_VALUES:
            tolerance = TOLERANCE.get(b.dtype, 0)
            torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)


ANY_VALUES = {"empty": "not defined", "empty_like": "not defined"}
OTHER_CONTAINER = {"nonzero": "theirs is a tensor on torch, a tuple elsewhere"}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_eager(name):
    function, reference = getattr(ours, name), getattr(theirs, name)
    compared = 0

    @QUICK
    @given(CALLS[name])
    def compare(arguments):
        nonlocal compared
        args, kwargs = arguments
        try:
            expected = reference(*args, **kwargs)
        except Exception:
            assume(False)
        compared += 1
        assert_same(function(*args, **kwargs), expected, name)

    compare()
    assert compared >= 3


def symbolic(values, kind, unknown):
    """The arguments with their tensors made symbolic, of unknown first size or not."""
    if isinstance(values, torch.Tensor):
        shape = (None, *values.shape[1:]) if unknown and values.ndim > 1 else values.shape
        return kind(shape, str(values.dtype).removeprefix("torch."))
    if isinstance(values, (list, tuple)):
        return type(values)(symbolic(value, kind, unknown) for value in values)
    return values


def is_symbolic(values):
    return any(
        isinstance(v, torch.Tensor) or (isinstance(v, (list, tuple)) and is_symbolic(v)) for v in values
    )


WITHOUT_TENSORS = {
    "arange", "bartlett", "blackman", "empty", "eye", "full", "geomspace", "hamming", "hanning", "identity",
    "kaiser", "linspace", "logspace", "ndim", "ones", "tri", "zeros",
}  # fmt: skip
NEEDS_VALUES = {"bincount", "nonzero", "unique"}


FIRST_SIZE_MATTERS = {
    "average", "broadcast_to", "corrcoef", "cross", "diag", "diagonal", "dot", "einsum", "inner", "kron",
    "matmul", "repeat", "reshape", "rot90", "slogdet", "split", "squeeze", "tensordot", "vdot", "vsplit",
}  # fmt: skip


def agrees(shape, actual):
    """Whether a shape with unknown sizes can be the actual one."""
    return len(shape) == len(actual) and all(a in (None, b) for a, b in zip(shape, actual, strict=True))


@pytest.mark.parametrize("name", sorted(set(CALLS) - WITHOUT_TENSORS - NEEDS_VALUES))
def test_symbolic(name):
    function, reference = getattr(ours, name), getattr(theirs, name)
    compared = 0

    @QUICK
    @given(CALLS[name], st.booleans())
    def compare(arguments, unknown):
        nonlocal compared
        args, kwargs = arguments
        unknown = unknown and name not in FIRST_SIZE_MATTERS
        assume(is_symbolic(args) and not (name == "repeat" and isinstance(args[1], torch.Tensor)))
        try:
            actual = function(*args, **kwargs)
        except (ValueError, TypeError, RuntimeError, NotImplementedError):
            assume(False)
        mine = function(*symbolic(args, KerasTensor, unknown), **kwargs)
        try:
            yours = reference(*symbolic(args, keras.KerasTensor, unknown), **kwargs)
        except Exception:
            yours = mine
        for a, b, c in zip(flat(actual), flat(mine), flat(yours), strict=True):
            assert agrees(b.shape, a.shape)
            assert b.dtype == str(a.dtype).removeprefix("torch.")
            if not unknown:
                assert b.shape == a.shape
            elif agrees(c.shape, a.shape):
                assert agrees(c.shape, b.shape)
        compared += 1

    compare()
    assert compared >= 3


def gradient(package, name):
    """The gradient of a sum with weights of what a function gives, or None where it has none."""
    x = torch.tensor([[0.3, -0.8, 0.6], [0.9, 0.2, -0.4], [0.1, -0.5, 0.7]]) + (name == "arccosh") * 1.5
    x.requires_grad_()
    result = getattr(package, name)(
        x, *SECOND_ARGUMENTS.get(name, (make((3, 3), low=1),) if name in BINARY else ())
    )
    if not isinstance(result, torch.Tensor) or not result.requires_grad:
        return None
    (result * torch.arange(1, 1 + result.numel()).reshape(result.shape)).sum().backward()
    return x.grad


SECOND_ARGUMENTS = {
    "quantile": (0.3,), "take": ([0, 2, 0], 0), "pad": (((1, 1), (2, 2)), "reflect"), "kron": (make((2,)),),
    "clip": (-0.5, 0.5),
    "matmul": (make((3, 2)),), "dot": (make((3, 2)),), "cross": (make((3, 3)), -1, -1, -1, 1),
    "ldexp": (torch.tensor(2),),
    "tile": (2,),
}  # fmt: skip
NO_GRADIENT = {
    "bitwise_and", "bitwise_invert", "bitwise_not", "bitwise_or", "bitwise_xor", "gcd", "lcm", "floor_divide",
    "heaviside",
}  # fmt: skip
MORE = [
    "average", "clip", "corrcoef", "cross", "cumprod", "cumsum", "diff", "dot", "matmul", "median",
    "nancumprod", "pad",
]  # fmt: skip
MORE += ["quantile", "sort", "take", "tile", "trace", "trapezoid", "tril"]


@pytest.mark.parametrize("name", sorted({*UNARY, *BINARY, *REDUCTIONS, *MORE} - NO_GRADIENT))
def test_gradients(name):
    mine, yours = gradient(ours, name), gradient(theirs, name)
    assert (mine is None) == (yours is None)
    if yours is not None:
        torch.testing.assert_close(mine, yours, rtol=1e-5, atol=1e-5, equal_nan=True)


@pytest.mark.parametrize("name", sorted(NEEDS_VALUES))
def test_symbolic_needs_values(name):
    with pytest.raises(ValueError, match="depends on values"):
        getattr(ours, name)(KerasTensor((3,), "int32"))


def test_table_is_complete():
    names = {name for name in dir(theirs.numpy) if callable(getattr(theirs.numpy, name)) and name[0] != "_"}
    assert names == set(CALLS) | {"argpartition", "vectorize"}
