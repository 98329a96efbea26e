from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish
from kerasish.layers import Dense, Embedding, Flatten, ReversibleEmbedding

IDS = torch.tensor([[1, 2, 0], [4, 0, 0]])


def test_rows_of_the_matrix():
    layer = Embedding(5, 3)
    outputs = layer(IDS)
    assert torch.equal(outputs, layer.embeddings[IDS])
    assert not hasattr(outputs, "_keras_mask")
    assert layer(np.array(3)).shape == (3,)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "float32", "float64", "bool"])
def test_any_dtype_of_indices(dtype):
    layer = Embedding(5, 3)
    ids = np.array([[1, 0], [0, 1]])
    assert torch.equal(layer(ids.astype(dtype)), layer(ids))


def test_mask_of_zeros():
    outputs = Embedding(5, 3, mask_zero=True)(IDS)
    assert torch.equal(outputs._keras_mask, IDS != 0)


@pytest.mark.parametrize(
    ("ids", "received"), [([0, 5, 1], "the index 5"), ([7, 0, -2, 9], "3 such indices, from -2 to 9")]
)
def test_indices_outside_the_vocabulary(ids, received):
    message = rf"Layer 'words' has a vocabulary of input_dim=5: .* from 0 to 4. Received: {received}"
    with pytest.raises(ValueError, match=message):
        Embedding(5, 3, name="words")(torch.tensor(ids))


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_an_index_outside_the_vocabulary_in_fit(run_eagerly):
    """Also in a later batch, which is replayed from a recording."""
    model = kerasish.Sequential([kerasish.Input((3,)), Embedding(5, 2, name="words"), Flatten(), Dense(1)])
    model.compile("sgd", "mse", run_eagerly=run_eagerly)
    x, y = np.ones((40, 3), "int64"), np.ones(40)
    x[33, 1] = 6
    with pytest.raises((ValueError, IndexError), match=r"input_dim=5|out of range"):
        model.fit(x, y, batch_size=4, shuffle=False, verbose=0)


def test_keras_2_arguments():
    model = kerasish.Sequential([Embedding(5, 3, input_length=4), Flatten(), Dense(2)])
    assert model.built and model.output_shape == (None, 2)
    matrix = np.arange(6.0).reshape(3, 2)
    for weights in (matrix, [matrix]):
        np.testing.assert_array_equal(
            Embedding(3, 2, weights=weights)(np.array([2, 0])).detach(), matrix[[2, 0]]
        )
    assert Embedding(5, 3, input_shape=(4,), batch_size=2)._batch_input_shape == (2, 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"input_dim": 0, "output_dim": 3},
            r"`input_dim` of layer .* positive integer. Received: input_dim=0",
        ),
        ({"input_dim": 5, "output_dim": -1}, "`output_dim`"),
        ({"input_dim": 2.5, "output_dim": 1}, "`input_dim`"),
        ({"input_dim": 5, "output_dim": 3, "lora_rank": 2}, r"LoRA and quantization.*`peft`"),
        ({"input_dim": 5, "output_dim": 3, "quantization_config": "int8"}, "quantization"),
        (
            {"input_dim": 5, "output_dim": 3, "weights": np.ones((4, 3))},
            r"shape \(5, 3\). Received: \(4, 3\)",
        ),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Embedding(**arguments)


@pytest.mark.parametrize(
    ("policy", "compute"), [("mixed_bfloat16", torch.bfloat16), ("float64", torch.float64)]
)
def test_policies_do_not_round_the_indices(policy, compute):
    layer = Embedding(500, 2, dtype=policy)
    outputs = layer(np.array([301.0, 303.0]))
    assert outputs.dtype is compute
    assert torch.equal(outputs, layer.embeddings[[301, 303]].to(compute))


def test_the_way_back():
    layer = ReversibleEmbedding(5, 3, mask_zero=True)
    vectors = torch.randn(2, 4, 3)
    torch.testing.assert_close(layer(vectors, reverse=True), vectors @ layer.embeddings.t())
    assert torch.equal(layer(IDS)._keras_mask, IDS != 0)
    assert not hasattr(layer(vectors, reverse=True), "_keras_mask")
    own = ReversibleEmbedding(5, 3, tie_weights=False, logit_soft_cap=2.0)
    capped = own(vectors * 1000, reverse=True)
    torch.testing.assert_close(capped, 2 * torch.tanh(vectors * 500 @ own.reverse_embeddings))
    with pytest.raises(ValueError, match=r"vectors of length output_dim=3. Received: shape \(2, 4\)"):
        layer(torch.ones(2, 4), reverse=True)


def test_the_way_back_in_another_dtype():
    layer = ReversibleEmbedding(5, 3, dtype="mixed_bfloat16", reverse_dtype="float32")
    assert layer(IDS).dtype is torch.bfloat16
    assert layer(torch.randn(2, 4, 3), reverse=True).dtype is torch.float32
    inputs = kerasish.Input((4,), dtype="int32")
    model = kerasish.Model(inputs, layer(layer(inputs), reverse=True))
    assert model.output_shape == (None, 4, 5) and model.outputs[0].dtype == "float32"


@pytest.mark.filterwarnings("ignore")
def test_it_compiles_in_one_graph():
    layer = Embedding(5, 3, mask_zero=True)
    expected = layer(IDS)
    torch.testing.assert_close(torch.compile(layer, fullgraph=True, backend="eager")(IDS), expected)
