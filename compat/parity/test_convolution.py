"""Convolution, pooling and reshaping against the real Keras 3: what the grid of settings cannot say."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from kerasish import layers

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword",  # Keras's
    "ignore:.*does not support masking",  # Keras's
)

SHAPES = {1: (2, 11, 4), 2: (2, 7, 6, 4), 3: (2, 5, 6, 4, 4)}
STEPS = [(1, 1), (2, 1), (3, 1), (1, 2)]
LAYOUTS = ("channels_last", "channels_first")


def same_values(name, settings, rank, layout):
    """Compare output and error of one layer, with the same random weights."""
    x = np.random.default_rng(0).standard_normal(SHAPES[rank], dtype="float32")
    x = x if layout == "channels_last" else np.ascontiguousarray(np.moveaxis(x, -1, 1))
    results = []
    for namespace in (layers, keras.layers):
        try:
            layer = getattr(namespace, name)(**settings, data_format=layout)
            layer.build(x.shape)
        except ValueError:
            results.append(None)
            continue
        rng = np.random.default_rng(1)
        layer.set_weights([rng.standard_normal(w.shape, dtype="float32") for w in layer.get_weights()])
        results.append(layer(x).detach())
        assert tuple(layer.compute_output_shape(x.shape)) == tuple(results[-1].shape)
    ours, theirs = results
    assert (ours is None) == (theirs is None), (name, settings, layout)
    if ours is not None:
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4, msg=f"{name} {settings} {layout}")
    return ours is not None


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_setting_of_convolution(rank, layout):
    paddings = ("valid", "same", "causal") if rank == 1 else ("valid", "same")
    computed = 0
    for size, (strides, dilation), padding in product((1, 2, 3, 4), STEPS, paddings):
        common = {"kernel_size": size, "strides": strides, "dilation_rate": dilation, "padding": padding}
        for groups in (1, 2, 4):
            computed += same_values(f"Conv{rank}D", {"filters": 4, "groups": groups, **common}, rank, layout)
        if rank < 3:
            computed += same_values(f"DepthwiseConv{rank}D", {"depth_multiplier": 3, **common}, rank, layout)
            computed += same_values(f"SeparableConv{rank}D", {"filters": 3, **common}, rank, layout)
    assert computed > 80


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_setting_of_transposed_convolution(rank, layout):
    computed = 0
    for size, (strides, dilation), padding, more in product(
        (1, 2, 3, 4, 5), [*STEPS, (4, 1)], ("valid", "same"), (None, 0, 1, 2)
    ):
        settings = {"kernel_size": size, "strides": strides, "dilation_rate": dilation, "padding": padding}
        settings |= {"filters": 3, "output_padding": more}
        computed += same_values(f"Conv{rank}DTranspose", settings, rank, layout)
    assert computed == 150


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_setting_of_pooling(rank, layout):
    """Averages over padding that is larger at the end are left out: Keras's backends differ there."""
    for size, strides, padding in product((1, 2, 3, 4), (None, 1, 2, 3), ("valid", "same")):
        settings = {"pool_size": size, "strides": strides, "padding": padding}
        assert same_values(f"MaxPooling{rank}D", settings, rank, layout)
        if padding == "valid":
            assert same_values(f"AveragePooling{rank}D", settings, rank, layout)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", "float64"])
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("MaxPooling2D", {}),
        ("GlobalMaxPooling2D", {}),
        ("GlobalAveragePooling2D", {}),
        ("UpSampling2D", {}),
        ("UpSampling2D", {"interpolation": "bilinear"}),
        ("ZeroPadding2D", {}),
        ("Cropping2D", {"cropping": 1}),
        ("Permute", {"dims": (2, 1, 3)}),
    ],
)
def test_inputs_of_other_dtypes(name, settings, dtype):
    x = (np.random.default_rng(0).random(SHAPES[2]) * 200).astype(dtype)
    ours, theirs = (getattr(namespace, name)(**settings)(x) for namespace in (layers, keras.layers))
    assert ours.dtype == theirs.dtype
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("name", ["Conv2D", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D"])
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "bfloat16", "float64"])
def test_dtype_policies(name, policy):
    settings = {"kernel_size": 3, "dtype": policy, "activation": "relu"}
    settings |= {} if name == "DepthwiseConv2D" else {"filters": 2}
    ours, theirs = (getattr(namespace, name)(**settings) for namespace in (layers, keras.layers))
    x = np.random.default_rng(0).random(SHAPES[2]).astype("float32")
    for layer in (ours, theirs):
        layer(x)
    ours.set_weights(theirs.get_weights())
    assert ours(x).dtype == theirs(x).dtype
    torch.testing.assert_close(ours(x).float(), theirs(x).float(), rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("keepdims", [False, True])
def test_average_of_unmasked_steps(layout, keepdims):
    x = torch.randn(SHAPES[1] if layout == "channels_last" else (2, 4, 11))
    x._keras_mask = torch.rand(2, 11) < 0.5
    x._keras_mask[1] = False
    ours, theirs = (
        namespace.GlobalAveragePooling1D(data_format=layout, keepdims=keepdims)(x)
        for namespace in (layers, keras.layers)
    )
    torch.testing.assert_close(ours, theirs, equal_nan=True)
    assert getattr(ours, "_keras_mask", None) is getattr(theirs, "_keras_mask", None) is None


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("Conv1D", {"filters": 2, "kernel_size": 2}),
        ("MaxPooling1D", {}),
        ("GlobalAveragePooling1D", {}),
        ("GlobalMaxPooling1D", {}),
        ("ZeroPadding1D", {}),
        ("Cropping1D", {}),
        ("UpSampling1D", {}),
        ("Permute", {"dims": (1, 2)}),
    ],
)
def test_masks(name, settings):
    found = []
    for namespace in (layers, keras.layers):
        x = torch.randn(SHAPES[1])
        x._keras_mask = torch.ones(2, 11, dtype=torch.bool)
        layer = getattr(namespace, name)(**settings)
        found.append((layer.supports_masking, getattr(layer(x), "_keras_mask", None) is None))
    assert found[0] == found[1]


ALIASES = [
    name for name in vars(keras.layers) if any(word in name for word in ("Pool", "Convolution")) and "ing" not in name
]  # fmt: skip


@pytest.mark.parametrize("alias", ALIASES)
def test_aliases(alias):
    assert getattr(layers, alias).__name__ == getattr(keras.layers, alias).__name__


@pytest.mark.parametrize(
    ("name", "arguments", "shape"),
    [
        ("Conv2D", (0, 3), None),
        ("Conv2D", (2, 0), None),
        ("Conv2D", (2, (3,)), None),
        ("Conv2D", (2, 3, 0), None),
        ("Conv2D", (2, 3, 1, "causal"), None),
        ("Conv2D", (2, 3, 2, "valid", None, 2), None),
        ("Conv2D", (4, 3, 1, "valid", None, 1, 3), None),
        ("Conv2D", (2, 9), (None, 7, 8, 3)),
        ("Conv2D", (4, 3, 1, "valid", None, 1, 2), (None, 7, 8, 3)),
        ("Conv2D", (4, 3), (None, 7, 8, 3, 3)),
        ("Conv2DTranspose", (2, 3, 2, "valid", 2), None),
        ("DepthwiseConv2D", (3, 1, "valid", 0), None),
        ("SeparableConv1D", (2, 3, 1, "causal"), None),
        ("MaxPooling2D", (0,), None),
        ("Cropping2D", (-1,), None),
        ("ZeroPadding2D", ((1, 2, 3),), None),
        ("Permute", ((1, 3),), None),
        ("RepeatVector", (0,), None),
        ("UpSampling2D", (0,), None),
    ],
)
def test_both_refuse(name, arguments, shape):
    for namespace in (layers, keras.layers):
        with pytest.raises(ValueError, match=r"."):
            getattr(namespace, name)(*arguments).build(shape)
