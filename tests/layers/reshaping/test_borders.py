"""`ZeroPadding1D` to `3D` and `Cropping1D` to `3D`."""

from __future__ import annotations

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers

X = np.random.default_rng(0).standard_normal((2, 4, 5, 6, 3), dtype="float32")
INPUTS = {1: X[:, :, 0, 0], 2: X[:, :, :, 0], 3: X}
SIDES = [
    (1, 1, [(1, 1)]),
    (1, (0, 2), [(0, 2)]),
    (2, 2, [(2, 2), (2, 2)]),
    (2, (1, 0), [(1, 1), (0, 0)]),
    (2, [1, [0, 2]], [(1, 1), (0, 2)]),
    (2, ((1, 2), (0, 3)), [(1, 2), (0, 3)]),
    (3, 1, [(1, 1)] * 3),
    (3, ((1, 0), 2, (0, 3)), [(1, 0), (2, 2), (0, 3)]),
]


@pytest.mark.parametrize(("rank", "given", "pairs"), SIDES)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_padding(rank, given, pairs, data_format):
    x = INPUTS[rank] if data_format == "channels_last" else np.moveaxis(INPUTS[rank], -1, 1)
    layer = getattr(layers, f"ZeroPadding{rank}D")(given, data_format)
    ends = [(0, 0), *pairs, (0, 0)] if data_format == "channels_last" else [(0, 0), (0, 0), *pairs]
    np.testing.assert_array_equal(layer(x), np.pad(x, ends))
    assert layer.padding == (pairs[0] if rank == 1 else tuple(pairs))


@pytest.mark.parametrize(("rank", "given", "pairs"), SIDES)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_cropping_undoes_padding(rank, given, pairs, data_format):
    data_format = "channels_last" if rank == 1 else data_format
    x = INPUTS[rank] if data_format == "channels_last" else np.moveaxis(INPUTS[rank], -1, 1)
    layout = {} if rank == 1 else {"data_format": data_format}
    layer = getattr(layers, f"Cropping{rank}D")(given, **layout)
    padded = getattr(layers, f"ZeroPadding{rank}D")(given, data_format)(x)
    np.testing.assert_array_equal(layer(padded), x)
    assert layer.cropping == (pairs[0] if rank == 1 else tuple(pairs))


def test_unknown_sizes():
    assert layers.ZeroPadding2D(((1, 0), (2, 2)))(keras.Input((None, 5, 3))).shape == (None, None, 9, 3)
    assert layers.Cropping2D(((1, 0), (2, 2)))(keras.Input((None, 5, 3))).shape == (None, None, 1, 3)


@pytest.mark.parametrize("name", ["ZeroPadding", "Cropping"])
@pytest.mark.parametrize(
    ("rank", "given", "message"),
    [
        (
            1,
            (1, 2, 3),
            r"of layer 'b' must be a non-negative integer, or a pair of them. Received: .*=\(1, 2, 3\)",
        ),
        (1, -1, r"non-negative"),
        (2, (1, 2, 3), r"non-negative integer, or 2 of them, or 2 pairs \(before, after\)"),
        (2, ((1, 2, 3), 1), r"2 pairs"),
        (2, "ab", r"2 pairs"),
        (2, (1.5, 1), r"2 pairs"),
        (2, (1, (-1, 0)), r"non-negative"),
        (3, (1, 1), r"3 pairs"),
        (3, None, r"3 pairs"),
    ],
)
def test_mistakes(name, rank, given, message):
    with pytest.raises(ValueError, match=message):
        getattr(layers, f"{name}{rank}D")(given, name="b")


@pytest.mark.parametrize("cropping", [2, ((4, 0), (0, 0)), ((0, 0), (2, 3))])
def test_nothing_is_left(cropping):
    layer = layers.Cropping2D(cropping, name="crop")
    message = r"`cropping` of layer 'crop' leaves nothing of an input of shape \(2, 4, 5, 3\)"
    with pytest.raises(ValueError, match=message):
        layer(INPUTS[2])
    with pytest.raises(ValueError, match=r"leaves nothing of an input of shape \(None, 4, 5, 3\)"):
        layers.Cropping2D(cropping)(keras.Input((4, 5, 3)))


def test_wrong_rank():
    with pytest.raises(ValueError, match=r"Received: \(2, 4, 5, 3\)"):
        layers.ZeroPadding1D()(INPUTS[2])
    with pytest.raises(ValueError, match=r"Received: \(2, 4, 3\)"):
        layers.Cropping2D()(INPUTS[1])
