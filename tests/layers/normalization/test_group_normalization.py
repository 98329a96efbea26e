from __future__ import annotations

import pytest
import torch

import kerasish
from kerasish.layers import GroupNormalization, LayerNormalization

X = torch.randn(2, 4, 3, 6)


@pytest.mark.parametrize(
    ("groups", "axis"), [(1, -1), (2, -1), (3, 3), (6, -1), (-1, -1), (2, 1), (4, 1), (3, 2)]
)
def test_formula(groups, axis):
    layer = GroupNormalization(groups, axis=axis, gamma_initializer="random_normal", beta_initializer="ones")
    outputs = layer(X).movedim(axis, 1)
    x = X.movedim(axis, 1)
    count = x.shape[1] if groups == -1 else groups
    rows = x.reshape(2, count, -1)
    normal = (rows - rows.mean(-1, keepdim=True)) / (rows.var(-1, correction=0, keepdim=True) + 1e-3).sqrt()
    expected = normal.reshape(x.shape) * layer.gamma.reshape(-1, 1, 1) + 1
    torch.testing.assert_close(outputs, expected)


def test_one_group_of_vectors_is_layer_normalization():
    torch.testing.assert_close(GroupNormalization(1)(X[:, 0, 0]), LayerNormalization()(X[:, 0, 0]))


@pytest.mark.parametrize(
    "settings", [{}, {"center": False}, {"scale": False}, {"center": False, "scale": False}]
)
def test_gradients(settings):
    layer = GroupNormalization(2, dtype="float64", **settings)
    x = X.double().requires_grad_()
    layer(x)
    assert torch.autograd.gradcheck(layer, (x,))
    gradients = torch.autograd.grad((layer(x) ** 3).sum(), layer.trainable_weights) if layer.weights else []
    assert len(gradients) == len(layer.weights) and all(g.abs().sum() > 0 for g in gradients)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"groups": 0}, r"`groups` of layer .* positive integer, or -1"),
        ({"groups": 2.0}, "`groups`"),
        ({"axis": 0}, r"`axis` of layer .* other than 0"),
        ({"axis": (1,)}, "`axis`"),
        ({"groups": 4}, r"`groups` of layer .* must divide the number of channels, 6"),
        ({"groups": 7}, "must divide"),
        (
            {"groups": 2, "axis": 4},
            r"needs an input with an axis 4 after the batch. Received: \(None, 4, 3, 6\)",
        ),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        GroupNormalization(**arguments)(X)


def test_wrong_inputs():
    with pytest.raises(ValueError, match=r"must know the size of axis -1"):
        GroupNormalization(1)(kerasish.Input((3, None)))
    layer = GroupNormalization(2)
    layer(X)
    for wrong in (X[0], X[..., :4]):
        with pytest.raises(ValueError, match=r"was built for inputs of 4 dimensions|does not fit"):
            layer(wrong)
