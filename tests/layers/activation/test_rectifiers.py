from __future__ import annotations

import pytest
import torch

import kerasish
from kerasish.layers import ELU, LeakyReLU, PReLU, ReLU, Softmax

X = torch.tensor([[-3.0, -1.0, 0.0, 0.5, 7.0]])


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (ReLU(), [0.0, 0.0, 0.0, 0.5, 7.0]),
        (ReLU(max_value=6), [0.0, 0.0, 0.0, 0.5, 6.0]),
        (ReLU(max_value=2, negative_slope=0.5, threshold=1), [-2.0, -1.0, -0.5, -0.25, 2.0]),
        (LeakyReLU(), [-0.9, -0.3, 0.0, 0.5, 7.0]),
        (LeakyReLU(alpha=0.1), [-0.3, -0.1, 0.0, 0.5, 7.0]),
        (ELU(2.0), [-1.9004, -1.2642, 0.0, 0.5, 7.0]),
        (PReLU(alpha_initializer="ones"), [-3.0, -1.0, 0.0, 0.5, 7.0]),
    ],
)
def test_values(layer, expected):
    torch.testing.assert_close(layer(X), torch.tensor([expected]), rtol=1e-4, atol=1e-4)


def test_slopes_are_trained_and_shared():
    images = torch.randn(2, 4, 3, 5)
    assert PReLU(shared_axes=[1, 2])(images).shape == images.shape
    layer = PReLU(shared_axes=[1, 2])
    layer(images)
    assert layer.alpha.shape == (1, 1, 5)
    assert layer(torch.randn(2, 7, 6, 5)).shape == (2, 7, 6, 5)
    with pytest.raises(ValueError, match=r"does not fit|expected"):
        layer(torch.randn(2, 7, 6, 4))
    with pytest.raises(ValueError, match=r"must know all sizes .* but those in `shared_axes`"):
        PReLU()(kerasish.Input((None, 3)))
    for axes in (0, [-1], ["a"]):
        with pytest.raises(ValueError, match=r"`shared_axes` of layer .* axes from 1 on"):
            PReLU(shared_axes=axes)
    with pytest.raises(ValueError, match=r"are not all axes of its input"):
        PReLU(shared_axes=[4])(images)


@pytest.mark.parametrize(
    ("cls", "arguments"),
    [
        (ReLU, {"max_value": -1}),
        (ReLU, {"max_value": "a"}),
        (ReLU, {"negative_slope": None}),
        (ReLU, {"threshold": -1.0}),
        (LeakyReLU, {"negative_slope": -0.1}),
        (LeakyReLU, {"negative_slope": None}),
        (ELU, {"alpha": None}),
    ],
)
def test_wrong_settings(cls, arguments):
    argument, value = next(iter(arguments.items()))
    with pytest.raises(ValueError, match=rf"`{argument}` of layer .* Received: {argument}={value!r}"):
        cls(**arguments)


def test_softmax_over_what_the_mask_allows():
    x = torch.randn(2, 3, 4)
    mask = torch.tensor([[True, True, False, True], [False] * 4, [True] * 4])
    outputs = Softmax()(x, mask=mask)
    assert not outputs[:, 1].any() and not outputs[:, 0, 2].any()
    torch.testing.assert_close(outputs[:, 0, [0, 1, 3]], torch.softmax(x[:, 0, [0, 1, 3]], -1))
    torch.testing.assert_close(outputs[:, 2], torch.softmax(x[:, 2], -1))
    several = Softmax(axis=(1, 2))(x, mask=mask)
    torch.testing.assert_close(several.sum((1, 2)), torch.ones(2))
    with pytest.raises(
        ValueError, match=r"must broadcast to its input of shape \(2, 3, 4\). Received: \(2, 3\)"
    ):
        Softmax()(x, mask=torch.ones(2, 3))
    for axis in ("a", (), None):
        with pytest.raises(ValueError, match=r"`axis` of layer"):
            Softmax(axis=axis)


def test_a_saturated_softmax_layer_still_learns():
    """The cross-entropy finds the logits that the layer was given."""
    model = kerasish.Sequential([kerasish.Input((2,)), Softmax()])
    x = torch.tensor([[500.0, -500.0]], requires_grad=True)
    loss = kerasish.losses.SparseCategoricalCrossentropy()(torch.tensor([1]), model(x))
    assert loss.item() == pytest.approx(1000)
    assert torch.autograd.grad(loss, x)[0].abs().sum() > 1
