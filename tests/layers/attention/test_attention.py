from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish
from kerasish import layers
from kerasish.layers import AdditiveAttention, Attention

QUERY, VALUE = torch.randn(2, 4, 3), torch.randn(2, 5, 3)


def test_weights_are_the_softmax_of_products():
    outputs, weights = Attention()([QUERY, VALUE], return_attention_scores=True)
    expected = torch.softmax(QUERY @ VALUE.mT, dim=-1)
    torch.testing.assert_close(weights, expected)
    torch.testing.assert_close(outputs, expected @ VALUE)
    torch.testing.assert_close(Attention()([QUERY, VALUE]), expected @ VALUE)


def test_additive_weights():
    layer = AdditiveAttention(use_scale=False)
    _, weights = layer([QUERY, VALUE], return_attention_scores=True)
    sums = torch.tanh(QUERY[:, :, None] + VALUE[:, None]).sum(-1)
    torch.testing.assert_close(weights, torch.softmax(sums, dim=-1))


@pytest.mark.parametrize("cls", [Attention, AdditiveAttention])
def test_masks_of_earlier_layers_are_used_and_the_query_s_is_passed_on(cls):
    ids = np.array([[1, 2, 0, 0], [3, 1, 2, 0]])
    inputs = kerasish.Input((4,), dtype="int32")
    x = layers.Embedding(5, 3, mask_zero=True)(inputs)
    attention = cls()
    model = kerasish.Model(inputs, attention([x, x]))
    outputs = model(ids)
    assert torch.equal(outputs._keras_mask, torch.tensor(ids != 0))
    assert not outputs[torch.tensor(ids == 0)].any()
    vectors = model.layers[1](ids)
    del vectors._keras_mask
    shorter = attention([vectors[:1, :2], vectors[:1, :2]])
    torch.testing.assert_close(outputs[:1, :2], shorter)


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("cls", [Attention, AdditiveAttention])
def test_dropout_keeps_the_mean(cls, seed):
    query = torch.zeros(20, 30, 2)
    value = torch.ones(20, 40, 2)
    outputs = cls(dropout=0.5, seed=seed)([query, value], training=True)
    assert abs(outputs.mean().item() - 1) < 0.02 and outputs.std() > 0.05
    torch.testing.assert_close(cls(dropout=0.5, seed=seed)([query, value]), torch.ones(20, 30, 2))
    if seed is not None:
        again = cls(dropout=0.5, seed=seed)([query, value], training=True)
        assert torch.equal(outputs, again)


def test_a_query_that_sees_no_key_averages_with_exact_gradients():
    query, value = QUERY.double().requires_grad_(), VALUE.double().requires_grad_()
    mask = torch.tensor([[True, True, False, True, True], [False] * 5])
    layer = Attention(dtype="float64")
    outputs = layer([query, value], mask=[None, mask])
    torch.testing.assert_close(outputs[1], value[1].mean(0).expand(4, 3))
    assert torch.autograd.gradcheck(lambda q, v: layer([q, v], mask=[None, mask]), (query, value))


@pytest.mark.parametrize("cls", [Attention, AdditiveAttention])
@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([QUERY], "list of two or three tensors"),
        (QUERY, "list of two or three tensors"),
        ([QUERY, VALUE, VALUE, VALUE], "list of two or three tensors"),
        ([QUERY, VALUE[0]], "ranks of at least 2, all equal"),
        ([QUERY[0, 0], VALUE[0, 0]], "ranks of at least 2"),
        ([QUERY, VALUE[..., :2]], "same last size"),
        ([QUERY, VALUE, VALUE[:, :3]], r"as many keys as values.*\(None, 3, 3\)|as many keys as values"),
    ],
)
def test_wrong_inputs(cls, inputs, message):
    with pytest.raises(ValueError, match=message) as raised:
        cls(name="looks")(inputs)
    assert "'looks'" in str(raised.value)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (torch.ones(2, 5, dtype=torch.bool), "must be a list of two or three masks"),
        ([torch.ones(2, 4, dtype=torch.bool)], "must be a list of two or three masks"),
        (
            [None, torch.ones(2, 3, dtype=torch.bool)],
            r"mask of the value .* shape \(2, 5\). Received: \(2, 3\)",
        ),
        ([torch.ones(2, 5, dtype=torch.bool), None], r"mask of the query .* shape \(2, 4\)"),
    ],
)
def test_wrong_masks(mask, message):
    with pytest.raises(ValueError, match=message):
        Attention()([QUERY, VALUE], mask=mask)


@pytest.mark.parametrize("arguments", [{"score_mode": "sum"}, {"dropout": 1.0}, {"dropout": "much"}])
def test_wrong_arguments(arguments):
    with pytest.raises(ValueError, match=rf"`{next(iter(arguments))}` of layer .* Received: "):
        Attention(**arguments)


def test_mixed_precision():
    layer = Attention(use_scale=True, dtype="mixed_bfloat16")
    assert layer([QUERY, VALUE]).dtype is torch.bfloat16
    assert layer.scale.dtype is torch.float32
