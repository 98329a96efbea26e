"""`ops.math` beside Keras's: values, dtypes, gradients and symbolic shapes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat.parity.ops_harness import arrays, case, compare, compare_symbolic, numbers, shapes
from kerasish.ops import math

keras = pytest.importorskip("keras")

REALS = arrays(shapes(0, 3), ["float16", "float32", "float64", "int32", "bool"])
SEED = st.integers(0, 99)
DTYPE = st.sampled_from(["float32", "float64"])


@st.composite
def segments(draw):
    n, dtype = draw(st.integers(1, 6)), draw(st.sampled_from(["float32", "float64", "int32"]))
    data = numbers((n, *draw(shapes(0, 2))), dtype, draw(SEED))
    ids = np.random.default_rng(draw(SEED)).permutation(
        n
    )  # every id up to n once, so that no segment is empty
    ids = np.minimum(ids, draw(st.integers(0, n)))
    return (data, ids), {"num_segments": draw(st.sampled_from([None, int(ids.max()) + 1])), "sorted": False}


@st.composite
def rankings(draw):
    predictions = numbers((4, draw(st.integers(2, 5))), draw(DTYPE), draw(SEED))
    predictions[0] = 1.0  # ties
    targets = np.random.default_rng(draw(SEED)).integers(0, predictions.shape[1], 4)
    return (targets, predictions, draw(st.integers(1, predictions.shape[1]))), {}


@st.composite
def reductions(draw):
    x = draw(arrays(shapes(1, 3), ["float16", "float32", "float64", "int32"]))
    several = st.lists(st.integers(0, x.ndim - 1), min_size=1, unique=True).map(tuple)
    axis = draw(st.one_of(st.none(), st.integers(-x.ndim, x.ndim - 1), several))
    return (x,), {"axis": axis, "keepdims": draw(st.booleans())}


@st.composite
def complex_parts(draw, rank=1):
    shape, dtype = draw(shapes(rank, 3, smallest=2)), draw(DTYPE)
    return ((numbers(shape, dtype, draw(SEED)), numbers(shape, dtype, 1)),), {}


@st.composite
def distances(draw):
    f, batch, dtype = draw(st.integers(1, 4)), draw(st.sampled_from([(), (2,)])), draw(DTYPE)
    x, y = (numbers((*batch, draw(st.integers(1, 4)), f), dtype, seed) for seed in (draw(SEED), 100))
    return (x, y), {}


@st.composite
def signals(draw, inverse=False):
    length = draw(st.integers(4, 16))
    fft_length = length + draw(st.sampled_from([0, 1, 5]))
    stride, dtype = draw(st.integers(1, length)), draw(DTYPE)
    own = numbers((length,), dtype, 3)
    window = draw(st.sampled_from(["hann", "hamming", None, own]))
    options = {"window": window, "center": draw(st.booleans())}
    if not inverse:
        shape = draw(st.sampled_from([(60,), (2, 60), (2, 3, 60)]))
        return (numbers(shape, dtype, draw(SEED)), length, stride, fft_length), options
    shape = (*draw(st.sampled_from([(), (2,), (2, 3)])), 5, fft_length // 2 + 1)
    parts = (numbers(shape, dtype, draw(SEED)), numbers(shape, dtype, 1))
    options["window"] = draw(st.sampled_from([None, "hamming"]))
    stride = draw(st.integers(-(-fft_length // 5), max(length, -(-fft_length // 5))))
    length_of_result = draw(st.sampled_from([None, fft_length // 2 + 2]))
    return (parts, length, stride, fft_length), {**options, "length": length_of_result}


CASES = {
    "erf": case(REALS),
    "erfc": case(REALS),
    "erfinv": case(arrays(shapes(0, 3), ["float32", "float64"], scale=0.3)),
    "rsqrt": case(arrays(shapes(0, 3), ["float32", "float64"]).map(lambda x: abs(x) + 0.1)),
    "logsumexp": reductions(),
    "logdet": st.tuples(SEED, DTYPE).map(lambda p: ((np.eye(3) * 4 + numbers((2, 3, 3), p[1], p[0]),), {})),
    "segment_sum": segments(),
    "segment_prod": segments(),
    "segment_max": segments(),
    "segment_min": segments(),
    "top_k": case(arrays(shapes(1, 3, smallest=2)), k=st.integers(1, 2), sorted=st.just(True)),
    "in_top_k": rankings(),
    "cdist": distances(),
    "view_as_complex": case(arrays(shapes(0, 2).map(lambda s: (*s, 2)), ["float32", "float64", "int32"])),
    "view_as_real": SEED.map(lambda i: (((numbers((2, 3), seed=i) + 1j * numbers((2, 3), seed=i + 1)),), {})),
    "extract_sequences": case(
        arrays(shapes(1, 3, smallest=3), ["float32", "int32"]), st.integers(1, 3), st.integers(1, 3)
    ),
    "fft": complex_parts(),
    "fft2": complex_parts(2),
    "ifft2": complex_parts(2),
    "rfft": case(arrays(shapes(1, 3, smallest=2)), fft_length=st.sampled_from([None, 3, 6])),
    "irfft": complex_parts().flatmap(
        lambda c: st.sampled_from([None, 3, 6]).map(lambda n: (c[0], {"fft_length": n}))
    ),
    "stft": signals(),
    "istft": signals(inverse=True),
}
# For tensors Keras gives another dtype.
KERAS_GIVES_OTHER_SYMBOLIC_DTYPE = {"cdist", "erf", "erfc", "erfinv", "logsumexp", "rfft", "rsqrt", "top_k"}


def ours_and_theirs(name):
    return getattr(math, name), getattr(keras.ops, name)


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=20, deadline=None, derandomize=True)
@given(data=st.data())
def test_values_and_gradients(name, data):
    args, kwargs = data.draw(CASES[name])
    compare(*ours_and_theirs(name), args, kwargs, tolerance=1e-4 if "ft" in name else None)


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=5, deadline=None, derandomize=True)
@given(data=st.data())
def test_symbolic_results(name, data):
    args, kwargs = data.draw(CASES[name])
    if name.startswith("segment"):
        kwargs["num_segments"] = 3
    is_batch = name == "in_top_k" or name.startswith("segment")
    hidden = [0, 1] if is_batch else [0] if name in ("erf", "erfc", "erfinv", "rsqrt", "logsumexp") else []
    compare_symbolic(
        *ours_and_theirs(name), args, kwargs, hidden, name not in KERAS_GIVES_OTHER_SYMBOLIC_DTYPE
    )


@pytest.mark.parametrize("name", ["segment_sum", "segment_prod", "segment_max", "segment_min"])
def test_segments_out_of_range_and_empty_ones(name):
    data, ids = numbers((5, 2)), np.array([0, -1, 3, 9, 0])
    compare(*ours_and_theirs(name), (data, ids, 5), {})


def test_infinities_and_missing_numbers():
    rows = np.array(
        [[np.inf, 1, 2], [-np.inf, -np.inf, -np.inf], [np.nan, 1, 2], [1, np.inf, -np.inf]], "float32"
    )
    compare(*ours_and_theirs("logsumexp"), (rows,), {"axis": -1}, differentiate=False)
    for k in (1, 2, 3):
        compare(*ours_and_theirs("in_top_k"), (np.array([0, 1, 2, 2]), rows, k), {}, differentiate=False)
    compare(*ours_and_theirs("erfinv"), (np.array([-2, -1, 0, 1, 2], "float32"),), {}, differentiate=False)
    compare(*ours_and_theirs("logdet"), (np.stack([np.zeros((3, 3)), -np.eye(3)]),), {}, differentiate=False)


def test_the_inverse_of_a_transform_is_the_signal():
    signal = numbers((2, 64))
    parts = math.stft(signal, 16, 4, 20, window="hamming")
    np.testing.assert_allclose(math.istft(parts, 16, 4, 20, window="hamming"), signal, atol=1e-5)
