from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import kerasish
from kerasish import layers
from kerasish.layers import GroupQueryAttention, MultiHeadAttention

QUERY, VALUE = torch.randn(2, 4, 6), torch.randn(2, 5, 6)


def heads(layer, x, name):
    kernel, bias = getattr(layer, f"_{name}_dense").get_weights()
    projected = torch.einsum("btd,dnh->bnth", x, torch.tensor(kernel))
    return projected + torch.tensor(bias)[None, :, None]


def test_it_is_torch_s_attention_between_projections():
    layer = MultiHeadAttention(2, 3, value_dim=4)
    outputs = layer(QUERY, VALUE)
    q, k, v = (heads(layer, *pair) for pair in ((QUERY, "query"), (VALUE, "key"), (VALUE, "value")))
    attended = F.scaled_dot_product_attention(q, k, v)
    kernel, bias = (torch.tensor(w) for w in layer.output_dense.get_weights())
    torch.testing.assert_close(outputs, torch.einsum("bnth,nhd->btd", attended, kernel) + bias)


def test_torch_s_own_module_with_the_same_weights():
    module = torch.nn.MultiheadAttention(6, 2, batch_first=True)
    layer = MultiHeadAttention(2, 3)
    layer.build((None, 4, 6), (None, 4, 6))
    q, k, v = module.in_proj_weight.detach().numpy().reshape(3, 2, 3, 6).transpose(0, 3, 1, 2)
    out = module.out_proj.weight.detach().numpy().T.reshape(2, 3, 6)
    zeros = np.zeros((2, 3), "float32")
    layer.set_weights([q, zeros, k, zeros, v, zeros, out, np.zeros(6)])
    torch.testing.assert_close(layer(QUERY, QUERY), module(QUERY, QUERY, QUERY)[0])


def test_one_group_per_head_is_multi_head_attention():
    grouped, plain = GroupQueryAttention(3, 4, 4), MultiHeadAttention(4, 3)
    for layer in (grouped, plain):
        layer.build((None, 4, 6), (None, 5, 6))
    plain.set_weights(grouped.get_weights())
    torch.testing.assert_close(grouped(QUERY, VALUE), plain(QUERY, VALUE))


def test_causal_queries_do_not_see_later_keys():
    layer = MultiHeadAttention(2, 3)
    before = layer(QUERY, QUERY, use_causal_mask=True)
    changed = QUERY.clone()
    changed[:, 2:] += 1
    after = layer(changed, changed, use_causal_mask=True)
    torch.testing.assert_close(after[:, :2], before[:, :2])
    assert not torch.allclose(after[:, 2:], before[:, 2:])
    _, weights = layer(QUERY, QUERY, use_causal_mask=True, return_attention_scores=True)
    assert not weights.triu(1).any()
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 2, 4))


def test_padding_changes_nothing():
    ids = torch.tensor([[1, 2, 3, 0, 0], [4, 1, 0, 0, 0]])
    embedding, attention = layers.Embedding(5, 6, mask_zero=True), MultiHeadAttention(2, 3)
    x = embedding(ids)
    padded = attention(x, x)
    assert torch.equal(padded._keras_mask, ids != 0)
    shorter = embedding(ids[:1, :3])
    torch.testing.assert_close(padded[:1, :3], attention(shorter, shorter))


def test_masks_flow_through_a_functional_model():
    inputs = kerasish.Input((None,), dtype="int32")
    x = layers.Embedding(9, 4, mask_zero=True)(inputs)
    attended = MultiHeadAttention(2, 2)(x, x)
    x = layers.LayerNormalization()(layers.add([x, attended]))
    model = kerasish.Model(inputs, layers.Dense(1)(x))
    long, short = model(np.array([[1, 2, 3, 0, 0]])), model(np.array([[1, 2, 3]]))
    torch.testing.assert_close(long[:, :3], short)


@pytest.mark.parametrize("has_scores", [False, True])
def test_gradients_of_queries_that_see_no_key(has_scores):
    layer = MultiHeadAttention(2, 3, dtype="float64")
    query, value = QUERY.double().requires_grad_(), VALUE.double().requires_grad_()
    mask = torch.rand(2, 4, 5) < 0.5
    mask[0, 1] = mask[1] = False
    layer(query, value)

    def call(q, v):
        return layer(q, v, attention_mask=mask, return_attention_scores=has_scores)

    assert torch.autograd.gradcheck(call, (query, value))


@pytest.mark.parametrize("seed", [None, 3])
def test_dropout_happens_in_training_only(seed):
    layer = MultiHeadAttention(2, 3, dropout=0.5, seed=seed)
    quiet = layer(QUERY, VALUE)
    torch.testing.assert_close(layer(QUERY, VALUE), quiet)
    assert not torch.allclose(layer(QUERY, VALUE, training=True), quiet)
    if seed is not None:
        twin = MultiHeadAttention(2, 3, dropout=0.5, seed=seed)
        twin.build((None, 4, 6), (None, 5, 6))
        twin.set_weights(layer.get_weights())
        again = MultiHeadAttention(2, 3, dropout=0.5, seed=seed)
        again.build((None, 4, 6), (None, 5, 6))
        again.set_weights(layer.get_weights())
        assert torch.equal(twin(QUERY, VALUE, training=True), again(QUERY, VALUE, training=True))


def test_flash_attention_may_be_insisted_on_or_switched_off(monkeypatch):
    layer = MultiHeadAttention(2, 3)
    expected = layer(QUERY, VALUE)
    for choice in (True, False):
        layer._flash_attention = choice
        torch.testing.assert_close(layer(QUERY, VALUE), expected)
    layer._flash_attention = None
    kerasish.config.disable_flash_attention()
    try:
        torch.testing.assert_close(layer(QUERY, VALUE), expected)
    finally:
        kerasish.config.enable_flash_attention()
    with pytest.raises(ValueError, match=r"flash attention does not keep the scores"):
        MultiHeadAttention(2, 3, flash_attention=True)(QUERY, VALUE, return_attention_scores=True)
    with pytest.raises(ValueError, match=r"flash attention cannot drop weights"):
        MultiHeadAttention(2, 3, flash_attention=True, dropout=0.1)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float64"])
@pytest.mark.parametrize(
    "layer_of", [lambda p: MultiHeadAttention(2, 3, dtype=p), lambda p: GroupQueryAttention(3, 4, 2, dtype=p)]
)
def test_policies(layer_of, policy):
    layer = layer_of(policy)
    outputs, weights = layer(QUERY, VALUE, return_attention_scores=True)
    dtype = torch.bfloat16 if policy.startswith("mixed") else torch.float64
    assert outputs.dtype is weights.dtype is dtype
    assert {w.dtype for w in layer.weights} == {torch.float32 if policy.startswith("mixed") else dtype}
    mask = torch.tensor([[True] * 5, [False] * 5])
    assert torch.isfinite(layer(QUERY, VALUE, value_mask=mask)).all()


@pytest.mark.parametrize(
    ("cls", "arguments", "message"),
    [
        (MultiHeadAttention, {"num_heads": 0, "key_dim": 3}, "`num_heads` of layer .* positive integer"),
        (MultiHeadAttention, {"num_heads": 2, "key_dim": 0}, "`key_dim`"),
        (MultiHeadAttention, {"num_heads": 2, "key_dim": 3, "value_dim": -1}, "`value_dim`"),
        (MultiHeadAttention, {"num_heads": 2, "key_dim": 3, "dropout": 1.5}, "`dropout`"),
        (MultiHeadAttention, {"num_heads": 2, "key_dim": 3, "sliding_window": 0}, "`sliding_window`"),
        (GroupQueryAttention, {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 3}, "multiple of"),
        (
            GroupQueryAttention,
            {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 0},
            "positive integer",
        ),
    ],
)
def test_wrong_arguments(cls, arguments, message):
    with pytest.raises(ValueError, match=message):
        cls(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((QUERY[0], VALUE[0]), r"same rank, at least 3.*query \(None, 6\)"),
        ((QUERY, VALUE[0]), "same rank"),
        ((QUERY, VALUE, VALUE[:, :3]), r"as many keys as values.*value \(None, 5, 6\), key \(None, 3, 6\)"),
    ],
)
@pytest.mark.parametrize("layer_of", [lambda: MultiHeadAttention(2, 3), lambda: GroupQueryAttention(3, 4, 2)])
def test_wrong_inputs(layer_of, arguments, message):
    with pytest.raises(ValueError, match=message):
        layer_of()(*arguments)


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (
            {"attention_mask": torch.ones(2, 4, 6)},
            r"`attention_mask` of layer 'looks' must have shape \(2, 4, 5\)",
        ),
        ({"attention_mask": torch.ones(5)}, r"Received: \(5,\)"),
        ({"attention_mask": torch.ones(2, 3, 4, 5)}, r"Received: \(2, 3, 4, 5\)"),
        ({"query_mask": torch.ones(2, 5)}, r"`query_mask` of layer 'looks' must have shape \(2, 4\)"),
        ({"value_mask": torch.ones(2, 4)}, r"`value_mask` of layer 'looks' must have shape \(2, 5\)"),
        ({"key_mask": torch.ones(2, 4)}, r"`key_mask`"),
    ],
)
def test_wrong_masks(masks, message):
    with pytest.raises(ValueError, match=message):
        MultiHeadAttention(2, 3, name="looks")(QUERY, VALUE, **masks)


def test_axes_that_cannot_be_attended_to():
    images = torch.randn(2, 3, 4, 6)
    for axes in (0, 3, 5, -1, (1, -4)):
        with pytest.raises(
            ValueError, match=r"`attention_axes` of layer .* between the batch and the features"
        ):
            MultiHeadAttention(2, 3, attention_axes=axes)(images, images)
    with pytest.raises(ValueError, match=r"attention axes \(2,\)|must be the one attended to"):
        MultiHeadAttention(2, 3, attention_axes=2)(images, images, query_mask=torch.ones(2, 3))
    with pytest.raises(ValueError, match=r"`use_causal_mask` and `sliding_window` need one"):
        MultiHeadAttention(2, 3)(images, images, use_causal_mask=True)
    with pytest.raises(ValueError, match=r"\(batch, length, features\)"):
        GroupQueryAttention(3, 4, 2)(images, images)


def test_shapes_are_inferred_for_unknown_lengths():
    query, value = kerasish.Input((None, 6)), kerasish.Input((5, 6))
    outputs, weights = MultiHeadAttention(2, 3)(query, value, return_attention_scores=True)
    assert outputs.shape == (None, None, 6) and weights.shape == (None, 2, None, 5)


@pytest.mark.filterwarnings("ignore")
def test_it_compiles_in_one_graph():
    layer = MultiHeadAttention(2, 3)
    expected = layer(QUERY, VALUE, use_causal_mask=True)
    compiled = torch.compile(layer, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(QUERY, VALUE, use_causal_mask=True), expected)
