"""Masks, scores, files and dropout of the attention layers against the real Keras 3."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish
from kerasish import layers

keras = pytest.importorskip("keras")
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword"),  # Keras's
    pytest.mark.filterwarnings("ignore:(.|\n)*does not support masking"),  # Keras's
]

QUERY, VALUE = (2, 4, 3), (2, 5, 3)
HEADS = {"num_heads": 2, "key_dim": 3}
GROUPS = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}
QUERY_MASK = np.array([[1, 1, 0, 0], [1, 1, 1, 1]], bool)
VALUE_MASK = np.array([[1, 1, 0, 0, 1], [0, 0, 0, 0, 0]], bool)
PAIR_MASK = np.random.default_rng(3).random((2, 4, 5)) < 0.6


def draw(shape, seed):
    return torch.tensor(np.random.default_rng(seed).normal(0, 1, shape).astype("float32"), requires_grad=True)


def masked(x, mask):
    x = x * 1.0
    if mask is not None:
        x._keras_mask = torch.tensor(mask)
    return x


def pair(name, settings, *shapes):
    ours, theirs = getattr(layers, name)(**settings), getattr(keras.layers, name)(**settings)
    for layer in (ours, theirs):
        layer.build(*shapes)
    rng = np.random.default_rng(1)
    theirs.set_weights([rng.normal(0, 0.3, w.shape) for w in theirs.get_weights()])
    ours.set_weights(theirs.get_weights())
    return ours, theirs


def sees_any(query_mask=None, value_mask=None, key_mask=None, attention_mask=None, use_causal_mask=False):
    """Which queries see a key, shape (B, T, 1): the gradients of the others are rounding errors in Keras."""
    visible = np.tri(4, 5, dtype=bool) if use_causal_mask else np.ones((4, 5), bool)
    visible = visible & np.ones((2, 1, 1, 1), bool)
    for mask, axis in ((query_mask, -1), (value_mask, -2), (key_mask, -2)):
        if mask is not None:
            visible = visible & np.expand_dims(mask, axis)[:, None]
    if attention_mask is not None:
        expanded = attention_mask if attention_mask.ndim != 3 else attention_mask[:, None]
        visible = visible & expanded.astype(bool)
    return torch.tensor(visible.any((1, 3)))[..., None]


def outcome(layer, call, inputs, counted=1.0):
    """Outputs with their first mask, and gradients of a sum of what is counted."""
    outputs = call(layer)
    flat = outputs if isinstance(outputs, tuple) else (outputs,)
    weights = [getattr(w, "value", w) for w in layer.trainable_weights]
    total = (flat[0] ** 2 * counted).sum() + sum((x**2).sum() for x in flat[1:])
    gradients = torch.autograd.grad(total, [*inputs, *weights], allow_unused=True)
    return [*flat, getattr(flat[0], "_keras_mask", None), *gradients]


def assert_same(ours, theirs):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize(
    ("name", "settings"), [("MultiHeadAttention", HEADS), ("GroupQueryAttention", GROUPS)]
)
@pytest.mark.parametrize(
    ("own_masks", "settings_of_call"),
    [
        ((QUERY_MASK, VALUE_MASK), {}),
        ((QUERY_MASK, None), {"use_causal_mask": True}),
        ((None, VALUE_MASK), {}),
        ((None, None), {"query_mask": QUERY_MASK, "value_mask": VALUE_MASK, "key_mask": ~VALUE_MASK}),
        ((None, None), {"use_causal_mask": True}),
        ((None, None), {"attention_mask": PAIR_MASK}),
        ((None, None), {"attention_mask": PAIR_MASK[0]}),
        ((None, None), {"attention_mask": PAIR_MASK[:, :1].astype("float32"), "use_causal_mask": True}),
        ((None, None), {"attention_mask": PAIR_MASK[:, None]}),
        ((QUERY_MASK, VALUE_MASK), {"attention_mask": PAIR_MASK, "use_causal_mask": True}),
    ],
)
def test_masks_of_heads(name, settings, own_masks, settings_of_call, dropout, scores):
    """Positions without any key are averaged, or zero, as Keras has it in each case."""
    ours, theirs = pair(name, {**settings, "dropout": dropout}, QUERY, VALUE)
    inputs = draw(QUERY, 1), draw(VALUE, 2)
    given = {
        key: torch.tensor(value) if isinstance(value, np.ndarray) else value
        for key, value in settings_of_call.items()
    }

    def call(layer):
        tensors = [masked(x, mask) for x, mask in zip(inputs, own_masks, strict=True)]
        return layer(*tensors, return_attention_scores=scores, **given)

    masks = {"query_mask": own_masks[0], "value_mask": own_masks[1], **settings_of_call}
    counted = sees_any(**masks)
    assert_same(outcome(ours, call, inputs, counted), outcome(theirs, call, inputs, counted))


@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize("settings_of_call", [{}, {"use_causal_mask": True}])
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("Attention", {}),
        ("Attention", {"use_scale": True}),
        ("Attention", {"score_mode": "concat", "use_scale": True}),
        ("AdditiveAttention", {}),
        ("AdditiveAttention", {"use_scale": False}),
    ],
)
@pytest.mark.parametrize(
    "own_masks", [(None, None), (QUERY_MASK, None), (None, VALUE_MASK), (QUERY_MASK, VALUE_MASK)]
)
def test_masks_of_attention(name, settings, own_masks, settings_of_call, scores):
    ours, theirs = pair(name, settings, [QUERY, VALUE])
    inputs = draw(QUERY, 1), draw(VALUE, 2)

    def call(layer):
        tensors = [masked(x, mask) for x, mask in zip(inputs, own_masks, strict=True)]
        return layer(tensors, return_attention_scores=scores, **settings_of_call)

    masks = {"query_mask": own_masks[0], "value_mask": own_masks[1], **settings_of_call}
    counted = sees_any(**masks)
    assert_same(outcome(ours, call, inputs, counted), outcome(theirs, call, inputs, counted))


@pytest.mark.parametrize(
    ("axes", "mask_shape"),
    [
        ((1, 2), (2, 3, 4, 3, 4)),
        (2, (2, 3, 4, 4)),
        (2, (2, 4, 4)),
        (1, (2, 3, 3)),
        ((2, 1), None),
        (None, None),
    ],
)
@pytest.mark.parametrize("scores", [False, True])
def test_attention_axes(axes, mask_shape, scores):
    shape = (2, 3, 4, 3)
    ours, theirs = pair("MultiHeadAttention", {**HEADS, "attention_axes": axes}, shape, shape)
    inputs = (draw(shape, 1),)
    mask = None if mask_shape is None else torch.tensor(np.random.default_rng(4).random(mask_shape) < 0.7)

    def call(layer):
        return layer(inputs[0], inputs[0], attention_mask=mask, return_attention_scores=scores)

    assert_same(outcome(ours, call, inputs), outcome(theirs, call, inputs))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("MultiHeadAttention", {**HEADS, "dropout": 0.1, "use_gate": True}),
        ("MultiHeadAttention", {**HEADS, "seed": 3, "dropout": 0.2}),
        ("GroupQueryAttention", {**GROUPS, "seed": 3}),
        ("Attention", {"use_scale": True, "dropout": 0.1, "seed": 1}),
        ("AdditiveAttention", {}),
    ],
)
def test_files_of_keras_are_read(name, settings, tmp_path):
    inputs = [keras.Input(QUERY[1:]), keras.Input(VALUE[1:])]
    layer = getattr(keras.layers, name)(**settings)
    spread = name in ("MultiHeadAttention", "GroupQueryAttention")
    model = keras.Model(inputs, layer(*inputs) if spread else layer(inputs))
    model.save(tmp_path / "model.keras")
    ours = kerasish.models.load_model(tmp_path / "model.keras")
    arrays = [np.random.default_rng(i).normal(size=s).astype("float32") for i, s in enumerate((QUERY, VALUE))]
    expected = model.predict(arrays, verbose=0)
    np.testing.assert_allclose(ours.predict(arrays, verbose=0), expected, rtol=1e-5, atol=1e-5)
    ours.save(tmp_path / "ours.keras")
    theirs = keras.models.load_model(tmp_path / "ours.keras")
    np.testing.assert_allclose(theirs.predict(arrays, verbose=0), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "settings"), [("MultiHeadAttention", HEADS), ("GroupQueryAttention", GROUPS)]
)
def test_names_of_weights(name, settings):
    paths = []
    for namespace in (layers, keras.layers):
        layer = getattr(namespace, name)(**settings, use_gate=True, name="heads")
        x = torch.zeros(QUERY)
        layer(x, x)
        paths.append([w.path for w in layer.weights])
    assert paths[0] == paths[1]


def test_the_projections_start_at_the_same_scale():
    widest = []
    for namespace in (layers, keras.layers):
        layer = namespace.MultiHeadAttention(8, 64)
        layer.build((None, 4, 512), (None, 4, 512))
        widest.append([np.abs(w).max() for w in layer.get_weights() if w.ndim > 2])
    np.testing.assert_allclose(widest[0], widest[1], rtol=0.01)
