"""`ops.nn` beside Keras's: values, dtypes, gradients and symbolic shapes, over drawn shapes, dtypes and settings."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from compat.parity.ops_harness import arrays, case, compare, compare_symbolic, numbers, shapes
from kerasish.ops import nn

keras = pytest.importorskip("keras")
pytestmark = [
    pytest.mark.filterwarnings("ignore:You are using a softmax over axis"),
    pytest.mark.filterwarnings("ignore:You might experience inconsistencies"),
]

FLOATS = arrays(shapes(1, 4))
PADDING = st.sampled_from(["valid", "same"])
DATA_FORMAT = st.sampled_from([None, "channels_last", "channels_first"])
COEFFICIENT = st.floats(0.1, 2.0)


@st.composite
def with_axis(draw, name="axis", largest=5):
    x = draw(arrays(shapes(1, 4, largest=largest)))
    return (x,), {name: draw(st.integers(-x.ndim, x.ndim - 1))}


@st.composite
def with_axes(draw):
    x = draw(arrays(shapes(2, 4, smallest=2)))
    axes = st.lists(st.integers(0, x.ndim - 1), min_size=1, unique=True).map(tuple)
    return (x,), {"axis": draw(st.one_of(st.none(), st.integers(-x.ndim, x.ndim - 1), axes))}


@st.composite
def halves(draw):
    x = draw(arrays(shapes(1, 3).map(lambda s: (*s[:-1], 2 * s[-1]))))
    return (x,), {"axis": -1}


def laid_out(x, data_format):
    """An array with the channels last in the layout that is asked for."""
    return np.ascontiguousarray(np.moveaxis(x, -1, 1)) if data_format == "channels_first" else x


@st.composite
def spatial(draw, smallest=4, largest=8, ranks=(1, 2, 3)):
    """Sizes, and numbers per dimension for windows, strides and dilation."""
    rank = draw(st.sampled_from(ranks))
    sizes = tuple(draw(st.integers(smallest, largest)) for _ in range(rank))

    def per_dimension(low, high):
        one, each = st.integers(low, high), st.tuples(*[st.integers(low, high)] * rank)
        return draw(st.one_of(one, each))

    return rank, sizes, per_dimension


@st.composite
def convolutions(draw, transposed=False, depthwise=False):
    rank, sizes, per_dimension = draw(spatial(ranks=(1, 1, 2, 3)))
    groups = 1 if transposed or depthwise else draw(st.integers(1, 2))
    channels, outputs = draw(st.integers(1, 2)) * groups, draw(st.integers(1, 2)) * groups
    kernel = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    seed, data_format = draw(st.integers(0, 99)), draw(DATA_FORMAT)
    # Torch's gradient of transposed float64 convolutions fails with Keras's views of kernels.
    dtype = "float32" if transposed else draw(st.sampled_from(["float32", "float64"]))
    x = laid_out(numbers((2, *sizes, channels), dtype, seed), data_format)
    last = (
        (outputs, channels)
        if transposed
        else (channels, outputs)
        if depthwise
        else (channels // groups, outputs)
    )
    strides = per_dimension(1, 3)
    is_strided = strides != 1 and set(np.atleast_1d(strides)) != {1}
    options = {
        "strides": strides,
        "padding": draw(PADDING),
        "data_format": data_format,
        "dilation_rate": 1 if is_strided else per_dimension(1, 2 if rank == 1 else 1),
    }
    if transposed:
        options["output_padding"] = None if is_strided or draw(st.booleans()) else 0
        options["strides"] = strides if isinstance(strides, int) else max(strides)
    return (x, numbers((*kernel, *last), dtype, seed + 1)), options


@st.composite
def separable(draw):
    (x, kernel), options = draw(convolutions(depthwise=True))
    mixed = kernel.shape[-1] * kernel.shape[-2]
    return (x, kernel, numbers((*(1,) * (kernel.ndim - 2), mixed, 3), x.dtype)), options


@st.composite
def pooling(draw):
    _, sizes, per_dimension = draw(spatial())
    data_format = draw(DATA_FORMAT)
    x = draw(arrays((2, *sizes, 3)))
    strides = draw(st.sampled_from([None, 1])) or per_dimension(1, 3)
    return (laid_out(x, data_format), per_dimension(1, 3)), {
        "strides": strides,
        "padding": draw(PADDING),
        "data_format": data_format,
    }


@st.composite
def adaptive(draw):
    _, sizes, per_dimension = draw(spatial())
    data_format = draw(DATA_FORMAT)
    return (laid_out(draw(arrays((2, *sizes, 3))), data_format), per_dimension(1, 4)), {
        "data_format": data_format
    }


@st.composite
def batch_moments(draw):
    x = draw(arrays(shapes(2, 4), ["float32", "float64"]))
    axis = draw(st.integers(-x.ndim, x.ndim - 1))
    size, dtype = x.shape[axis], str(x.dtype)
    optional = st.sampled_from([None, numbers((size,), dtype, 3)])
    options = {
        "offset": draw(optional),
        "scale": draw(optional),
        "epsilon": draw(st.sampled_from([1e-3, 0.5])),
    }
    return (x, numbers((size,), dtype, 1), np.abs(numbers((size,), dtype, 2)), axis), options


@st.composite
def trailing_axes(draw, names):
    """Keras normalizes layers over the last axes only."""
    x = draw(arrays(shapes(2, 4, smallest=4), ["float16", "float32", "float64"]))
    count = draw(st.integers(1, x.ndim - 1))
    axis = -1 if count == 1 else tuple(range(x.ndim - count, x.ndim))
    size = x.shape[x.ndim - count :]
    options = {name: draw(st.sampled_from([None, numbers(size, str(x.dtype), 5)])) for name in names}
    return (x,), {**options, "axis": axis, "epsilon": draw(st.sampled_from([None, 0.1]))}


@st.composite
def images_in_blocks(draw, to_space):
    block, data_format = draw(st.integers(2, 3)), draw(st.sampled_from(["channels_last", "channels_first"]))
    h, w, c = (draw(st.integers(1, 3)) for _ in range(3))
    shape = (2, h, w, c * block**2) if to_space else (2, h * block, w * block, c)
    return (laid_out(draw(arrays(shape, ["float32", "int32"])), data_format), block), {
        "data_format": data_format
    }


@st.composite
def attention(draw):
    dtype, groups, heads = (
        draw(st.sampled_from(["float32", "float64"])),
        draw(st.integers(1, 2)),
        draw(st.integers(1, 2)),
    )
    t, s = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    query, key, value = (
        numbers((2, n, h, 3), dtype, i)
        for i, (n, h) in enumerate([(t, heads * groups), (s, heads), (s, heads)])
    )
    bias = numbers((2, heads * groups, t, s), dtype, 7)
    mask = bias > 0
    mask[..., 0] = True
    extra = draw(st.sampled_from([{}, {"bias": bias}, {"mask": mask}]))
    return (query, key, value), {
        **extra,
        "scale": draw(st.sampled_from([None, 0.3])),
        "is_causal": draw(st.booleans()) and "bias" not in extra,
    }


@st.composite
def labels(draw, kind):
    """Targets, and probabilities or logits."""
    shape, dtype = draw(shapes(2, 4, smallest=2, largest=4)), draw(st.sampled_from(["float32", "float64"]))
    from_logits, axis = draw(st.booleans()), draw(st.integers(-len(shape), len(shape) - 1))
    output = numbers(shape, dtype, draw(st.integers(0, 99)))
    if kind == "binary":
        return (
            np.float64(numbers(shape) > 0).astype(dtype),
            output if from_logits else 1 / (1 + np.exp(-output)),
        ), {"from_logits": from_logits}
    if not from_logits:
        output = np.exp(output) / np.exp(output).sum(axis, keepdims=True)
    classes = np.random.default_rng(0).integers(0, shape[axis], np.delete(shape, axis))
    if kind == "sparse":
        is_column = axis in (-1, len(shape) - 1) and draw(st.booleans())
        return (classes[..., None] if is_column else classes, output), {
            "from_logits": from_logits,
            "axis": axis,
        }
    hot = np.moveaxis(np.eye(shape[axis], dtype=dtype)[classes], -1, axis)
    return (hot, output), {"from_logits": from_logits, "axis": axis}


@st.composite
def transcripts(draw):
    dtype, classes = draw(st.sampled_from(["float32", "float64"])), draw(st.integers(3, 5))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    blank = draw(st.sampled_from([0, classes - 1]))
    target = rng.integers(1 if blank == 0 else 0, classes if blank == 0 else classes - 1, (3, 4))
    logits = rng.normal(0, 2, (3, 9, classes)).astype(dtype)
    return (target, logits, rng.integers(1, 5, 3), np.array([9, 9, 8])), {"mask_index": blank}


@st.composite
def spoken(draw, strategy):
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    logits = rng.normal(0, 3, (2, draw(st.integers(1, 7)), 4)).astype(
        draw(st.sampled_from(["float32", "float64"]))
    )
    options = {"strategy": strategy, "mask_index": draw(st.sampled_from([0, 3]))}
    if strategy == "greedy":
        options["merge_repeated"] = draw(st.booleans())
    else:
        options |= {"beam_width": 20, "top_paths": draw(st.integers(1, 2))}
    return (logits, rng.integers(1, logits.shape[1] + 1, 2)), options


@st.composite
def classes_of(draw, name):
    x = np.random.default_rng(draw(st.integers(0, 99))).integers(0, 4, draw(shapes(1, 3)))
    axis = draw(st.integers(-1, x.ndim - 1)) if name == "one_hot" else -1
    return (x, 4), {"axis": axis, "dtype": draw(st.sampled_from([None, "int32", "float64", "bool"]))}


@st.composite
def patches(draw, backwards):
    k, p, s = draw(st.integers(1, 2)), draw(st.integers(0, 1)), draw(st.integers(1, 2))
    x = draw(arrays((2, 3, 4, 5)))
    options = {"dilation": 1, "padding": p, "stride": s}
    if not backwards:
        return (x, k), options
    columns = torch.nn.functional.unfold(torch.tensor(x), k, 1, p, s).numpy()
    return (columns, (4, 5), k), options


ELEMENTWISE = [
    "celu", "elu", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu",
    "log_sigmoid", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softplus", "softsign", "sparse_plus",
    "sparse_sigmoid", "squareplus", "swish", "tanh_shrink",
]  # fmt: skip
CASES = {
    **{name: case(FLOATS) for name in ELEMENTWISE},
    "glu": halves(),
    "log_softmax": with_axes(),
    "softmax": with_axes(),
    "sparsemax": with_axis(),
    "threshold": case(FLOATS, COEFFICIENT, COEFFICIENT),
    "conv": convolutions(),
    "conv_transpose": convolutions(transposed=True),
    "depthwise_conv": convolutions(depthwise=True),
    "separable_conv": separable(),
    "max_pool": pooling(),
    "average_pool": pooling(),
    "adaptive_max_pool": adaptive(),
    "adaptive_average_pool": adaptive(),
    "batch_normalization": batch_moments(),
    "layer_normalization": trailing_axes(["gamma", "beta"]),
    "rms_normalization": trailing_axes(["scale"]),
    "binary_crossentropy": labels("binary"),
    "categorical_crossentropy": labels("categorical"),
    "sparse_categorical_crossentropy": labels("sparse"),
    "ctc_loss": transcripts(),
    "ctc_decode": st.one_of(spoken("greedy"), spoken("beam_search")),
    "depth_to_space": images_in_blocks(True),
    "space_to_depth": images_in_blocks(False),
    "dot_product_attention": attention(),
    "one_hot": classes_of("one_hot"),
    "multi_hot": classes_of("multi_hot"),
    "fold": patches(True),
    "unfold": patches(False),
    "polar": st.integers(0, 99).map(
        lambda i: ((abs(numbers((2, 3), seed=i)), numbers((2, 3), seed=i + 1)), {})
    ),
    "psnr": st.integers(0, 99).map(
        lambda i: ((numbers((2, 3), seed=i), numbers((2, 3), seed=i + 1), 3.0), {})
    ),
}
SETTINGS = {
    "celu": case(FLOATS, alpha=COEFFICIENT),
    "elu": case(FLOATS, alpha=COEFFICIENT),
    "gelu": case(FLOATS, approximate=st.booleans()),
    "hard_shrink": case(FLOATS, threshold=COEFFICIENT),
    "leaky_relu": case(FLOATS, negative_slope=COEFFICIENT),
    "soft_shrink": case(FLOATS, threshold=COEFFICIENT),
    "squareplus": case(FLOATS, b=COEFFICIENT),
}


@st.composite
def moments_cases(draw):
    x = draw(arrays(shapes(1, 4), ["float16", "float32", "float64"]))
    axes = draw(st.lists(st.integers(0, x.ndim - 1), min_size=1, unique=True))
    return (x, tuple(axes)), {"keepdims": draw(st.booleans())}


@st.composite
def normalize_cases(draw):
    (x,), options = draw(with_axes())
    order = draw(st.integers(1, 3)) if isinstance(options["axis"], int) else 2
    return (x,), {**options, "order": order, "epsilon": draw(st.sampled_from([None, 1.0]))}


CASES |= {"moments": moments_cases(), "normalize": normalize_cases()}
KERAS_GIVES_OTHER_SYMBOLIC_DTYPE = {"normalize", "polar", "multi_hot"}  # than for tensors
KERAS_GIVES_NO_SYMBOLS = {
    "adaptive_max_pool",
    "adaptive_average_pool",
}  # or of more dimensions than for tensors


def is_right_in_keras(name, args, kwargs):
    """Whether Keras's symbolic result has the shape of its result for tensors."""
    if "categorical" in name:
        return kwargs["axis"] == -1
    if name == "conv":  # not with groups
        return args[1].shape[-2] == args[0].shape[1 if kwargs["data_format"] == "channels_first" else -1]
    return name != "batch_normalization" or (kwargs["offset"] is None) == (kwargs["scale"] is None)


def ours_and_theirs(name):
    return getattr(nn, name), getattr(keras.ops, name)


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=15, deadline=None, derandomize=True)
@given(data=st.data())
def test_values_and_gradients(name, data):
    args, kwargs = data.draw(st.one_of(CASES[name], SETTINGS.get(name, CASES[name])))
    # Torch's gradient of nll_loss, which Keras calls, fails on images with the classes in another axis than the second.
    can_differentiate = name != "sparse_categorical_crossentropy" or args[1].ndim < 4
    tolerance = 1e-4 if "conv" in name or "normalization" in name else None
    compare(*ours_and_theirs(name), args, kwargs, can_differentiate, tolerance)


@pytest.mark.parametrize("name", sorted(set(CASES) - KERAS_GIVES_NO_SYMBOLS))
@settings(max_examples=5, deadline=None, derandomize=True)
@given(data=st.data())
def test_symbolic_results(name, data):
    args, kwargs = data.draw(CASES[name])
    assume(is_right_in_keras(name, args, kwargs))
    compare_symbolic(
        *ours_and_theirs(name),
        args,
        kwargs,
        unknown=unknown_sizes(name, args),
        with_dtype=name not in KERAS_GIVES_OTHER_SYMBOLIC_DTYPE,
    )


def unknown_sizes(name, args):
    """The places of the arguments whose first size is hidden: the batch, where no other argument tells it."""
    if name in ("batch_normalization", "dot_product_attention", "glu") or "crossentropy" in name:
        return ()
    return (0,) if "conv" in name else [i for i, x in enumerate(args) if isinstance(x, np.ndarray)]


def test_queries_that_see_nothing_see_all_alike():
    query, key, value = (numbers((1, 3, 1, 2), seed=i) for i in range(3))
    mask = np.array([[True, False, True], [False, False, False], [False, True, False]])[None, None]
    compare(
        *ours_and_theirs("dot_product_attention"), (query, key, value), {"mask": mask}, differentiate=False
    )


def test_every_name_is_compared():
    assert set(CASES) == set(nn.__all__)
