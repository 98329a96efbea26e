from __future__ import annotations

import pytest
import torch

import kerasish
from kerasish.layers import LayerNormalization, RMSNormalization

X = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("axis", [-1, 1, 2, (1, 2), (2, 3), (1, 3), (1, 2, 3), [-1, -3]])
def test_formula_over_any_axes(axis):
    """Keras on PyTorch takes the last axes only, so the formula itself is the reference."""
    axes = tuple(sorted([axis] if isinstance(axis, int) else axis))
    layer = LayerNormalization(
        axis=axis, epsilon=0.01, gamma_initializer="random_normal", beta_initializer="ones"
    )
    outputs = layer(X)
    mean, variance = X.mean(axes, keepdim=True), X.var(axes, correction=0, keepdim=True)
    shape = [X.shape[i] if i in [a % 4 for a in axes] else 1 for i in range(4)]
    expected = (X - mean) / (variance + 0.01).sqrt() * layer.gamma.reshape(shape) + 1
    torch.testing.assert_close(outputs, expected)
    rms = RMSNormalization(axis=axis, epsilon=0.01)
    torch.testing.assert_close(rms(X), X / (X.square().mean(axes, keepdim=True) + 0.01).sqrt())


@pytest.mark.filterwarnings("ignore")
def test_rms_scaling_divides_by_the_deviation():
    layer = LayerNormalization(rms_scaling=True)
    expected = X / (X.var(-1, correction=0, keepdim=True) + 1e-3).sqrt()
    torch.testing.assert_close(layer(X), expected)
    assert [w.name for w in layer.weights] == ["gamma"]


@pytest.mark.parametrize("cls", [LayerNormalization, RMSNormalization])
@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize(
    ("policy", "dtype"), [("mixed_bfloat16", torch.bfloat16), ("float16", torch.float16)]
)
def test_halves(cls, axis, policy, dtype):
    plain, half = cls(axis=axis), cls(axis=axis, dtype=policy)
    assert half(X).dtype is dtype
    torch.testing.assert_close(half(X).float(), plain(X), rtol=0.02, atol=0.02)


@pytest.mark.parametrize("cls", [LayerNormalization, RMSNormalization])
def test_wrong_axes_and_inputs(cls):
    for axis in ("a", 1.5, (), None):
        with pytest.raises(TypeError, match=r"`axis` of layer .* Received: axis="):
            cls(axis=axis)
    for axis in (4, -5, (1, 1), (1, -3)):
        with pytest.raises(
            ValueError, match=r"must name different axes of its input of shape \(None, 3, 4, 5\)"
        ):
            cls(axis=axis)(X)
    with pytest.raises(ValueError, match=r"must know the sizes of the axes \[1\]. Received: \(None, None\)"):
        cls()(kerasish.Input((None,)))
    for axis in (-1, 1):
        layer = cls(axis=axis, name="looks")
        layer(X[:, :, 0])
        with pytest.raises(ValueError, match=r"'looks' was built for sizes .* Received: \(2, 2, 2\)"):
            layer(torch.ones(2, 2, 2))


def test_masks_pass():
    x = X[:, :, 0]
    x._keras_mask = torch.ones(2, 3, dtype=torch.bool)
    assert LayerNormalization()(x)._keras_mask is x._keras_mask


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("layer", [LayerNormalization(), LayerNormalization(axis=1), RMSNormalization()])
def test_it_compiles_in_one_graph(layer):
    expected = layer(X)
    torch.testing.assert_close(torch.compile(layer, fullgraph=True, backend="eager")(X), expected)
