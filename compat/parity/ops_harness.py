"""One op of ours beside Keras's: values, dtypes and gradients, and the shapes and dtypes of symbolic results.

A case is (arguments, keyword arguments), in which NumPy arrays stand for tensors.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import strategies as st

import kerasish
from kerasish import tree

keras = pytest.importorskip("keras")

FLOATS = ["float32", "float64"]
TOLERANCE = {torch.float16: 1e-2, torch.bfloat16: 5e-2}


def numbers(shape, dtype="float32", seed=0, scale=2.0):
    """Normal draws, or integers around 0, without ties among the floats."""
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind in "iu":
        return rng.integers(0 if np.dtype(dtype).kind == "u" else -5, 6, shape).astype(dtype)
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    return np.asarray(rng.normal(0, scale, shape)).astype(dtype)


@st.composite
def arrays(draw, shapes, dtypes=("float32", "float64"), scale=2.0):
    """An array of a drawn shape, dtype and seed."""
    shape = draw(shapes) if hasattr(shapes, "example") else shapes
    return numbers(shape, draw(st.sampled_from(dtypes)), draw(st.integers(0, 99)), scale)


def shapes(least=1, most=4, smallest=1, largest=5):
    return st.lists(st.integers(smallest, largest), min_size=least, max_size=most).map(tuple)


def case(*args, **kwargs):
    """A strategy of cases from strategies of arguments."""
    return st.tuples(
        st.tuples(*map(fixed, args)), st.fixed_dictionaries({k: fixed(v) for k, v in kwargs.items()})
    )


def fixed(value):
    return value if isinstance(value, st.SearchStrategy) else st.just(value)


def run(function, args, kwargs, differentiate):
    """The tensors of the result, and the gradients of a weighted sum of them by the float arguments."""

    def tensor(x):
        if not isinstance(x, np.ndarray):
            return x
        x = torch.tensor(x)
        return x.requires_grad_() if differentiate and x.is_floating_point() else x

    args, kwargs = tree.map_structure(tensor, (args, kwargs))
    results = [torch.as_tensor(x) for x in tree.flatten(function(*args, **kwargs))]
    total, has_gradient = 0.0, False
    for result in results:
        if result.requires_grad:
            real = torch.view_as_real(result) if result.is_complex() else result
            total = total + (real * torch.linspace(0.5, 1.5, real.numel()).reshape(real.shape)).sum()
            has_gradient = True
    leaves = [x for x in tree.flatten((args, kwargs)) if isinstance(x, torch.Tensor) and x.requires_grad]
    gradients = torch.autograd.grad(total, leaves, allow_unused=True) if has_gradient and leaves else []
    return [x.detach() for x in results], gradients


def assert_close(ours, theirs, what, tolerance=None):
    if ours is None or theirs is None:
        zeros = [x for x in (ours, theirs) if x is not None]
        assert all(not x.any() for x in zeros), what
        return
    assert ours.dtype == theirs.dtype, (what, ours.dtype, theirs.dtype)
    limit = max(tolerance or 0, TOLERANCE.get(ours.dtype, 1e-5))
    torch.testing.assert_close(
        ours, theirs, rtol=limit, atol=limit, equal_nan=True, msg=lambda m: f"{what}: {m}"
    )


def compare(ours, theirs, args, kwargs, differentiate=True, tolerance=None):
    """Assert that two functions have the same results and gradients."""
    (a, a_gradients), (b, b_gradients) = (run(f, args, kwargs, differentiate) for f in (ours, theirs))
    assert len(a) == len(b)
    for x, y in zip(a, b, strict=True):
        assert_close(x, y, "result", tolerance)
    if a_gradients and b_gradients:
        for x, y in zip(a_gradients, b_gradients, strict=True):
            assert_close(x, y, "gradient", tolerance and 10 * tolerance)


def compare_symbolic(ours, theirs, args, kwargs, unknown=(), with_dtype=True):
    """Assert that two functions give symbolic results of the same shapes and dtypes.

    The arrays at the places `unknown` among the positional arguments have an unknown first size.
    """

    def specs(function, kind):
        def symbol(x, hides=False):
            if not isinstance(x, np.ndarray):
                return x
            return kind((None, *x.shape[1:]) if hides and x.ndim else x.shape, dtype=str(x.dtype))

        symbols = [
            tree.map_structure(lambda leaf, i=i: symbol(leaf, i in unknown), x) for i, x in enumerate(args)
        ]
        outputs = function(*symbols, **tree.map_structure(symbol, kwargs))
        return [(tuple(x.shape), str(x.dtype) if with_dtype else "") for x in tree.flatten(outputs)]

    assert specs(ours, kerasish.KerasTensor) == specs(theirs, keras.KerasTensor)
