from __future__ import annotations

import pytest
import torch

from kerasish import layers
from kerasish.layers import Dot


@pytest.mark.parametrize(
    ("axes", "first", "second", "equation"),
    [
        (1, (2, 3), (2, 3), "bk,bk->b"),
        (2, (2, 3, 4), (2, 5, 4), "bik,bjk->bij"),
        ((2, 1), (2, 3, 4), (2, 4, 5), "bik,bkj->bij"),
        ((1, -1), (2, 3, 4), (2, 5, 6, 3), "bki,bjlk->bijl"),
        ((2, 1), (2, 4, 3), (2, 3), "bik,bk->bi"),
        ((2, 3), (2, 3, 4, 5), (2, 6, 7, 4), "bikj,blmk->bijlm"),
    ],
)
def test_products(axes, first, second, equation):
    x, y = torch.randn(first), torch.randn(second)
    expected = torch.einsum(equation, x, y)
    expected = expected if expected.dim() > 1 else expected[:, None]
    torch.testing.assert_close(Dot(axes)([x, y]), expected)
    torch.testing.assert_close(layers.dot([x, y], axes=axes), expected)
    assert Dot(axes).compute_output_shape([first, second]) == tuple(expected.shape)


def test_cosine_similarity():
    x, y = torch.randn(5, 3), torch.randn(5, 3)
    similar = torch.nn.functional.cosine_similarity(x, y)[:, None]
    torch.testing.assert_close(Dot(1, normalize=True)([x, y]), similar)
    assert not Dot(1, normalize=True)([torch.zeros(5, 3), y]).any()


@pytest.mark.parametrize(
    ("axes", "shapes", "message"),
    [
        (1, [(2, 3)], "multiplies two tensors|list of two"),
        (
            1,
            [(2, 3), (2, 4)],
            r"axes of the same size, not 3 and 4. Received: shapes \(None, 3\) and \(None, 4\)",
        ),
        (0, [(2, 3), (2, 3)], "axes of its inputs other than the batch"),
        (2, [(2, 3), (2, 3)], "axes of its inputs other than the batch"),
        (-2, [(2, 3), (2, 3)], "axes of its inputs other than the batch"),
        (1, [(2, 3), (4, 3)], "batch sizes must be equal"),
    ],
)
def test_wrong_inputs(axes, shapes, message):
    with pytest.raises(ValueError, match=message):
        Dot(axes)([torch.ones(shape) for shape in shapes])


def test_wrong_axes():
    with pytest.raises(TypeError, match=r"`axes` of layer .* Received: axes='a'"):
        Dot("a")
    with pytest.raises(ValueError, match=r"pair of integers. Received: axes=\(1, 2, 3\)"):
        Dot((1, 2, 3))
    with pytest.raises(ValueError, match=r"merges a list of tensors|list of two"):
        Dot(1)(torch.ones(2, 3))
