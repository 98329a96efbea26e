"""What the grid of layers cannot say of embeddings, `EinsumDense` and `Lambda`, against the real Keras 3."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import kerasish
from kerasish import layers

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword"
)  # Keras's

IDS = np.array([[1, 2, 0], [4, 0, 0]])


def pair(name, settings, shape):
    ours, theirs = getattr(layers, name)(**settings), getattr(keras.layers, name)(**settings)
    for layer in (ours, theirs):
        layer.build(shape)
    ours.set_weights(theirs.get_weights())
    return ours, theirs


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float32", "bool"])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "float64"])
def test_indices_and_policies(dtype, policy):
    settings = {"input_dim": 5, "output_dim": 3, "mask_zero": True, "dtype": policy}
    ours, theirs = pair("Embedding", settings, (None, 3))
    ids = IDS.astype(dtype)
    a, b = ours(ids), theirs(ids)
    assert a.dtype == b.dtype and torch.equal(a, b.detach())
    assert torch.equal(a._keras_mask, b._keras_mask)


@pytest.mark.parametrize("tie_weights", [True, False])
@pytest.mark.parametrize("settings", [{}, {"logit_soft_cap": 1.5}, {"reverse_dtype": "float16"}])
def test_the_way_back(tie_weights, settings):
    settings = {"input_dim": 5, "output_dim": 3, "tie_weights": tie_weights, **settings}
    ours, theirs = pair("ReversibleEmbedding", settings, (None, 3))
    results = []
    for layer in (ours, theirs):
        x = torch.tensor(
            np.random.default_rng(0).normal(0, 9, (2, 4, 3)).astype("float32"), requires_grad=True
        )
        scores = layer(x, reverse=True)
        weights = [getattr(w, "value", w) for w in layer.trainable_weights]
        results.append([scores, *torch.autograd.grad((scores**2).sum(), [x, *weights], allow_unused=True)])
    for a, b in zip(*results, strict=True):
        assert (a is None) == (b is None)
        assert a is None or a.dtype == b.dtype
        tolerance = 0.02 if "reverse_dtype" in settings else 1e-5
        assert a is None or torch.allclose(a, b, rtol=tolerance, atol=tolerance)
    shapes = [layer.compute_output_shape((None, 4, 3), reverse=True) for layer in (ours, theirs)]
    assert tuple(shapes[0]) == tuple(shapes[1])


@pytest.mark.parametrize(
    ("settings", "shape"),
    [
        ({"equation": "abc,cd->abd", "output_shape": (None, 4), "bias_axes": "d"}, (2, 5, 3)),
        ({"equation": "abcd,cde->abe", "output_shape": (None, 7), "bias_axes": "e"}, (2, 5, 3, 4)),
        ({"equation": "...x,xy->...y", "output_shape": 4, "bias_axes": "y"}, (2, 3, 4, 5)),
        ({"equation": "AB,AB->A", "output_shape": ()}, (2, 3)),
    ],
)
def test_products_of_which_keras_does_not_know_the_shape(settings, shape):
    ours, theirs = pair("EinsumDense", settings, shape)
    x = torch.randn(shape)
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-5, atol=1e-5)
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]


@pytest.mark.parametrize(
    ("equation", "output_shape", "shape"),
    [
        ("ab,bc->ac", 40, (None, 50)),
        ("abc,cde->abde", (None, 8, 64), (None, 4, 128)),
        ("abcd,cde->abe", (None, 128), (None, 4, 8, 64)),
        ("abc,cbd->abd", (50, 60), (None, 50, 30)),
        ("ab,b->ab", 3000, (None, 3000)),
    ],
)
@pytest.mark.parametrize("initializer", ["glorot_uniform", "he_uniform"])
def test_kernels_start_at_the_same_scale(equation, output_shape, shape, initializer):
    widest = []
    for namespace in (layers, keras.layers):
        layer = namespace.EinsumDense(equation, output_shape, kernel_initializer=initializer)
        layer.build(shape)
        widest.append(np.abs(layer.get_weights()[0]).max())
    assert widest[0] == pytest.approx(widest[1], rel=0.03)


def test_lambdas_are_written_as_keras_does_and_read_by_it(tmp_path):
    factor = 3

    def make(namespace):
        return namespace.Lambda(lambda x, shift: factor * x + shift, name="l", arguments={"shift": 2.0})

    ours, theirs = make(layers).get_config(), make(keras.layers).get_config()
    assert list(ours) == list(theirs)
    assert ours["function"]["config"]["closure"] == list(theirs["function"]["config"]["closure"])
    with_default = keras.layers.Lambda(lambda x, shift=1.0: x + shift).get_config()
    assert layers.Lambda.from_config(json.loads(json.dumps(with_default)), safe_mode=False)(2.0) == 3.0
    x = torch.tensor([[1.0, 2.0]])
    read = keras.layers.Lambda.from_config(json.loads(json.dumps(ours)), safe_mode=False)
    assert torch.equal(read(x), 3 * x + 2)
    read = layers.Lambda.from_config(json.loads(json.dumps(theirs)), safe_mode=False)
    assert torch.equal(read(x), 3 * x + 2)
    keras.Sequential([keras.Input((2,)), make(keras.layers)]).save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"safe_mode"):
        kerasish.models.load_model(tmp_path / "model.keras")
    model = kerasish.models.load_model(tmp_path / "model.keras", safe_mode=False)
    assert torch.equal(model(x), 3 * x + 2)


def test_masks_flow_from_an_embedding_through_a_model(tmp_path):
    """Without a residual connection: Keras's `MultiHeadAttention` deletes the mask of the query it was given."""

    def make(namespace):
        inputs = namespace.Input((None,), dtype="int32")
        x = namespace.layers.Embedding(5, 4, mask_zero=True, name="e")(inputs)
        y = namespace.layers.MultiHeadAttention(2, 2, name="m")(x, x)
        x = namespace.layers.LayerNormalization(name="n")(y)
        x = namespace.layers.Attention(name="t")([x, x])
        return namespace.Model(inputs, namespace.layers.Dense(1, name="d")(x))

    ours, theirs = make(kerasish), make(keras)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(
        ours.predict(IDS, verbose=0), theirs.predict(IDS, verbose=0), rtol=1e-5, atol=1e-5
    )
    theirs.save(tmp_path / "model.keras")
    loaded = kerasish.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        loaded.predict(IDS, verbose=0), ours.predict(IDS, verbose=0), rtol=1e-5, atol=1e-5
    )
