"""Blur, edges and structural similarity."""

from __future__ import annotations

import pytest
import torch

import kerasish as keras
from kerasish.ops import image


def test_blur_is_the_product_of_two_gaussians():
    x = torch.zeros(1, 9, 11, 2)
    x[0, 4, 5, 1] = 1.0
    y = image.gaussian_blur(x, (3, 5), (0.7, 2.0))
    down, across = torch.arange(-1.0, 2), torch.arange(-2.0, 3)
    window = torch.exp(-(down**2) / (2 * 0.7**2)).unsqueeze(1) * torch.exp(-(across**2) / (2 * 2.0**2))
    torch.testing.assert_close(y[0, 3:6, 3:8, 1], window / window.sum())
    assert not y[..., 0].any() and y.shape == x.shape
    first = image.gaussian_blur(x.movedim(-1, 1), (3, 5), (0.7, 2.0), data_format="channels_first")
    torch.testing.assert_close(first.movedim(1, -1), y)
    assert image.gaussian_blur(x[0], (4, 2)).shape == x[0].shape


def test_edges_of_a_ramp():
    y, x = torch.meshgrid(torch.arange(7.0), torch.arange(6.0), indexing="ij")
    edges = image.sobel_edges((3 * x - 2 * y).reshape(1, 7, 6, 1))
    assert edges[0, 1:-1, 1:-1, 0, 0].unique().tolist() == [-16]
    assert edges[0, 1:-1, 1:-1, 0, 1].unique().tolist() == [24]


def test_similarity():
    x = torch.rand(3, 16, 16, 2, dtype=torch.float64)
    torch.testing.assert_close(image.ssim(x, x), torch.ones(3, dtype=torch.float64))
    noisy = [image.ssim(x, x + s * torch.randn_like(x), filter_size=7)[0].item() for s in (0.02, 0.1, 0.5)]
    assert 1 > noisy[0] > noisy[1] > noisy[2]
    whole = (x * 255).to(torch.uint8)
    torch.testing.assert_close(image.ssim(whole, whole, max_val=255), torch.ones(3))
    assert image.ssim(x[0], x[1]).shape == ()


def test_symbolic_images():
    x = keras.Input((8, 9, 3))
    assert image.gaussian_blur(x).shape == (None, 8, 9, 3)
    assert image.sobel_edges(x).shape == (None, 8, 9, 3, 2)
    assert image.ssim(x, x, filter_size=5).shape == (None,)


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        ("gaussian_blur", ((0, 3),), r"`kernel_size` must be two positive numbers"),
        ("gaussian_blur", ((3, 3), (0.0, 1.0)), r"`sigma` must be two positive numbers"),
        ("gaussian_blur", ((3, 3, 3),), r"`kernel_size` must be two"),
        ("ssim", (torch.zeros(1, 8, 8, 1),), r"two images of one shape"),
        ("ssim", (torch.zeros(1, 8, 8, 3), 1.0, 9), r"`filter_size` must be between 1 and the size"),
    ],
)
def test_refusals(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(image, function)(torch.zeros(1, 8, 8, 3), *arguments)
    with pytest.raises(ValueError, match=r"of rank 4"):
        image.sobel_edges(torch.zeros(8, 8, 3))
