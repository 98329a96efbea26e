"""Affine, perspective and elastic maps, and interpolation at coordinates."""

from __future__ import annotations

import pytest
import torch

import kerasish as keras
from kerasish.ops import image

X = torch.rand(2, 6, 8, 3, dtype=torch.float64)
SQUARE = [[0.0, 0.0], [7, 0], [0, 5], [7, 5]]


@pytest.mark.parametrize(
    ("fill_mode", "expected"),
    [
        ("constant", [9, 9, 9, 0, 1, 2, 3, 9, 9]),
        ("nearest", [0, 0, 0, 0, 1, 2, 3, 3, 3]),
        ("reflect", [2, 1, 0, 0, 1, 2, 3, 3, 2]),
        ("mirror", [3, 2, 1, 0, 1, 2, 3, 2, 1]),
        ("wrap", [1, 2, 3, 0, 1, 2, 3, 0, 1]),
    ],
)
@pytest.mark.parametrize("order", [0, 1])
def test_what_is_outside(fill_mode, expected, order):
    found = image.map_coordinates(torch.arange(4.0), torch.arange(-3.0, 6).unsqueeze(0), order, fill_mode, 9)
    assert found.tolist() == expected


def test_one_pixel_may_be_mirrored():
    assert image.map_coordinates(torch.tensor([5.0]), [[-2.0, 0, 3]], 1, "mirror").tolist() == [5, 5, 5]


def test_coordinates_have_gradients():
    values = torch.tensor([[0.0, 1, 4], [9, 16, 25]], dtype=torch.float64, requires_grad=True)
    at = torch.tensor([[0.3, 0.7], [1.2, 0.4]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v, c: image.map_coordinates(v, c, 1), (values, at))


def test_affine_maps_compose():
    moved = image.affine_transform(X, [1.0, 0, -2, 0, 1, 1, 0, 0], fill_mode="wrap")
    torch.testing.assert_close(moved, X.roll((-1, 2), (1, 2)))
    each = torch.tensor([[1.0, 0, 0, 0, 1, 0, 0, 0], [-1, 0, 7, 0, -1, 5, 0, 0]], dtype=torch.float64)
    turned = image.affine_transform(X, each)
    torch.testing.assert_close(turned[0], X[0])
    torch.testing.assert_close(turned[1], X[1].flip(0, 1))


def test_perspective_moves_the_corners():
    end = torch.tensor([[1.0, 1], [6, 0], [0, 4], [7, 5]], dtype=torch.float64)
    start = torch.tensor(SQUARE, dtype=torch.float64)
    y = image.perspective_transform(X, start, end, "nearest")
    for (x0, y0), (x1, y1) in zip(start.long().tolist(), end.long().tolist(), strict=True):
        torch.testing.assert_close(y[:, y1, x1], X[:, y0, x0])
    torch.testing.assert_close(image.perspective_transform(X, start, start), X)


def test_elastic_draws_are_reproducible():
    a, b, c = (image.elastic_transform(X, 3.0, 1.0, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(a, b) and not torch.equal(a, c)
    assert a.dtype is X.dtype
    torch.testing.assert_close(image.elastic_transform(X, 0.0, 1.0), X)


def test_integers_and_half_precision():
    whole = (X * 255).to(torch.uint8)
    half = image.affine_transform(X.bfloat16(), [1.0, 0, 0.5, 0, 1, 0, 0, 0], fill_mode="nearest")
    assert half.dtype is torch.bfloat16
    y = image.affine_transform(whole, [1.0, 0, 0.5, 0, 1, 0, 0, 0], fill_mode="nearest")
    expected = image.affine_transform(
        whole.double(), [1.0, 0, 0.5, 0, 1, 0, 0, 0], fill_mode="nearest"
    ).round()
    torch.testing.assert_close(y.double(), expected)


def test_symbolic_images():
    x = keras.Input((8, 9, 3))
    assert image.affine_transform(x, torch.eye(3).flatten()[:8]).shape == (None, 8, 9, 3)
    assert image.perspective_transform(x, torch.tensor(SQUARE), torch.tensor(SQUARE)).shape == (None, 8, 9, 3)
    assert image.elastic_transform(x, seed=1).shape == (None, 8, 9, 3)


@pytest.mark.parametrize(
    ("function", "arguments", "error", "message"),
    [
        ("affine_transform", ([1.0] * 7,), ValueError, r"`transform` must have shape \(8,\) or \(2, 8\)"),
        ("affine_transform", ([1.0] * 8, "bicubic"), ValueError, r"one of \['bilinear', 'nearest'\]"),
        ("affine_transform", ([1.0] * 8, "nearest", "refelct"), ValueError, r"Did you mean 'reflect'\?"),
        ("perspective_transform", (SQUARE[:3], SQUARE), ValueError, r"`start_points` must have shape \(4, 2\)"),
        ("map_coordinates", (torch.zeros(2, 5), 1), ValueError, r"one row for each axis of `inputs`"),
        ("map_coordinates", (torch.zeros(4, 5), 3), NotImplementedError, r"`order` must be 0 \(nearest\) or 1"),
        ("elastic_transform", (1.0, 1.0, "cubic"), ValueError, r"`interpolation` must be one of"),
    ],
)  # fmt: skip
def test_refusals(function, arguments, error, message):
    with pytest.raises(error, match=message):
        getattr(image, function)(X, *arguments)
