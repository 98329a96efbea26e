"""`ops.linalg` beside Keras's: values, dtypes, gradients and symbolic shapes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from compat.parity.ops_harness import compare, compare_symbolic, numbers
from kerasish.ops import linalg

keras = pytest.importorskip("keras")

DTYPE = st.sampled_from(["float32", "float64"])
BATCH = st.sampled_from([(), (2,), (2, 3)])
SIZE = st.integers(1, 4)
SEED = st.integers(0, 99)


@st.composite
def square(draw, is_definite=False, *, is_triangular=False):
    """Well-conditioned square matrices."""
    n, dtype = draw(SIZE), draw(DTYPE)
    x = numbers((*draw(BATCH), n, n), dtype, draw(SEED)) + 3 * np.sqrt(n) * np.eye(n, dtype=dtype)
    if is_definite:
        x = x @ np.swapaxes(x, -1, -2)
    return np.tril(x) if is_triangular else x


@st.composite
def rectangular(draw, batch=BATCH):
    return numbers((*draw(batch), draw(SIZE), draw(SIZE)), draw(DTYPE), draw(SEED))


@st.composite
def systems(draw):
    a = draw(square())
    shape = (*a.shape[:-1], draw(SIZE)) if a.ndim > 2 or draw(st.booleans()) else a.shape[:-1]
    return (a, numbers(shape, str(a.dtype), 7)), {}


@st.composite
def overdetermined(draw):
    m, n = draw(st.integers(3, 5)), draw(st.integers(1, 3))
    a = numbers((m, n), draw(DTYPE), draw(SEED))
    return (a, numbers((m, 2) if draw(st.booleans()) else (m,), str(a.dtype), 7)), {}


@st.composite
def norms(draw):
    x = numbers(
        draw(st.sampled_from([(3,), (3, 4), (2, 3, 4)])),
        draw(st.sampled_from(["float32", "int32"])),
        draw(SEED),
    )
    vector, matrix = [None, 0, 1, 2, 3, np.inf, -np.inf], [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf]
    if x.ndim == 3:
        axis, order = draw(st.sampled_from([(0, 1), (2, 0), (-1, 1), 1, -1, None])), None
    else:
        axis, order = draw(st.sampled_from([None, 0, -1])), None
    count = x.ndim if axis is None else np.size(axis)
    if count < 3:
        order = draw(st.sampled_from(vector if count == 1 else matrix))
    return (x,), {"ord": order, "axis": axis, "keepdims": draw(st.booleans())}


def alone(strategy, **settings_of):
    return st.tuples(st.tuples(strategy), st.fixed_dictionaries(settings_of))


CASES = {
    "cholesky": alone(square(is_definite=True), upper=st.booleans()),
    "cholesky_inverse": alone(square(is_triangular=True)),
    "det": alone(square()),
    "eig": alone(square(is_definite=True)),
    "eigh": alone(square(is_definite=True)),
    "inv": alone(square()),
    "lstsq": overdetermined(),
    "lu_factor": alone(square()),
    "matrix_rank": alone(rectangular(), tol=st.sampled_from([None, 0.5])),
    "norm": norms(),
    "pinv": alone(rectangular(), rcond=st.sampled_from([None, 1e-3])),
    "qr": alone(rectangular(), mode=st.sampled_from(["reduced", "complete"])),
    "solve": systems(),
    "solve_triangular": systems(),
    "svd": alone(rectangular(), full_matrices=st.booleans(), compute_uv=st.booleans()),
}
# Up to signs and phases only; Keras takes `lstsq` from a routine with a derivative for full rank only.
VALUES_ONLY = {"eig", "eigh", "lu_factor", "matrix_rank", "norm", "qr", "svd"}
KERAS_GIVES_OTHER_SYMBOLIC_DTYPE = {"eig", "lu_factor", "norm"}


def ours_and_theirs(name):
    return getattr(linalg, name), getattr(keras.ops, name)


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=20, deadline=None, derandomize=True)
@given(data=st.data())
def test_values_and_gradients(name, data):
    args, kwargs = data.draw(CASES[name])
    compare(*ours_and_theirs(name), args, kwargs, name not in VALUES_ONLY, tolerance=2e-4)


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=8, deadline=None, derandomize=True)
@given(data=st.data())
def test_symbolic_results(name, data):
    args, kwargs = data.draw(CASES[name])
    hidden = [0] if args[0].ndim > 2 and len(args) == 1 and name != "norm" else []
    with_dtype = name not in KERAS_GIVES_OTHER_SYMBOLIC_DTYPE
    compare_symbolic(*ours_and_theirs(name), args, kwargs, hidden, with_dtype)


@pytest.mark.parametrize("order", [2, 1, 3, np.inf])
def test_gradients_of_norms(order):
    for axis in (0, 1):
        kwargs = {"ord": order, "axis": axis}
        compare(linalg.norm, keras.ops.norm, (numbers((3, 4)),), kwargs)


def test_solutions_of_least_norm():
    a, b = np.ones((3, 2), "float32"), numbers((3,))
    compare(linalg.lstsq, keras.ops.lstsq, (a, b), {}, differentiate=False)
    compare(
        linalg.lstsq, keras.ops.lstsq, (numbers((4, 3)), numbers((4,))), {"rcond": 0.9}, differentiate=False
    )


@pytest.mark.parametrize(
    ("function", "has_aux"), [(lambda a, b: a * torch.sin(b), False), (lambda a, b: (a**2 * b, a), True)]
)
def test_jvp(function, has_aux):
    x, t = numbers((2, 3), seed=1), numbers((2, 3), seed=2)

    def derivative(jvp):
        return lambda *args: jvp(function, args[:2], args[2:], has_aux=has_aux)

    compare(derivative(linalg.jvp), derivative(keras.ops.jvp), (x, t, t, x), {}, differentiate=False)


def test_every_name_is_compared():
    public = {name for name in dir(keras.ops.linalg) if not name.startswith("_")}
    assert {*CASES, "jvp"} == public
