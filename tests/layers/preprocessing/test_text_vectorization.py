from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish
from kerasish.layers import TextVectorization

TEXTS = ["The cat, the dog", "a cat"]


def shout(text):
    return np.char.upper(text)


def by_comma(text):
    return np.char.split(text, ",")


def lists_by_comma(text):
    return [item.split(",") for item in text]


def test_steps_of_vectorization():
    layer = TextVectorization(ngrams=2)
    layer.adapt(TEXTS)
    assert layer.get_vocabulary()[:4] == ["", "[UNK]", "the", "cat"]
    assert set(layer.get_vocabulary()[4:]) == {"the dog", "the cat", "dog", "cat the", "a cat", "a"}
    assert layer(["the bird"]).tolist() == [[2, 1, 1]]


@pytest.mark.parametrize("split", [by_comma, lists_by_comma])
def test_functions_get_numpy_strings(split):
    layer = TextVectorization(standardize=shout, split=split, vocabulary=["A", "B C"])
    assert layer(["a,b c", "b c"]).tolist() == [[2, 3], [3, 0]]
    assert layer([["a"], ["x,a"]]).tolist() == [[2, 0], [1, 2]]


def test_functions_are_saved_by_name():
    kerasish.saving.register_keras_serializable("tests")(shout)
    layer = TextVectorization(standardize=shout, vocabulary=["A"])
    twin = kerasish.layers.deserialize(kerasish.layers.serialize(layer))
    assert twin.standardize is shout and twin(["a"]).tolist() == [[2]]


def test_lengths():
    layer = TextVectorization(vocabulary=["a", "b"], output_sequence_length=3)
    assert layer(["a", "a b a b"]).tolist() == [[2, 0, 0], [2, 3, 2]]
    assert layer.compute_output_shape((None, 1)) == (None, 3)
    assert TextVectorization(vocabulary=["a"])(["a", "a a"]).shape == (2, 2)
    assert TextVectorization(vocabulary=["a"]).compute_output_shape((None, 1)) == (None, None)


@pytest.mark.parametrize(
    "data", [TEXTS, np.array(TEXTS), np.array(TEXTS)[:, None], iter([TEXTS[:1], TEXTS[1:]])]
)
def test_adapt(data):
    layer = TextVectorization(output_mode="count")
    layer.adapt(data)
    assert layer.get_vocabulary() == ["[UNK]", "the", "cat", "dog", "a"]


def test_adapt_in_pieces():
    layer = TextVectorization()
    layer.adapt(["a", "b", "c"], batch_size=1, steps=2)
    assert layer.get_vocabulary() == ["", "[UNK]", "b", "a"]
    with pytest.raises(ValueError, match=r"`batch_size` must not be given with a generator"):
        layer.adapt((x for x in ["a"]), batch_size=1)


def test_states():
    layer = TextVectorization()
    layer.update_state(["b a"])
    layer.update_state(["a"])
    layer.finalize_state()
    assert layer.get_vocabulary(include_special_tokens=False) == ["a", "b"]
    layer.reset_state()
    layer.set_vocabulary(["x"])
    assert layer.vocabulary_size() == 3


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: TextVectorization(standardize="upper"), ValueError, r"`standardize` of layer .* must be one of"),
        (lambda: TextVectorization(split="comma"), ValueError, r"`split` of layer .* must be one of"),
        (lambda: TextVectorization(ngrams=0), ValueError, r"`ngrams` of layer .* must be a positive integer"),
        (lambda: TextVectorization(ngrams=(1, "a")), ValueError, r"`ngrams` of layer"),
        (lambda: TextVectorization(output_mode="binary"), ValueError, r"`output_mode` of layer"),
        (lambda: TextVectorization(output_mode="one_hot"), ValueError, r"'one_hot' of texts of different lengths"),
        (lambda: TextVectorization(output_sequence_length=0), ValueError, r"`output_sequence_length` of layer"),
        (
            lambda: TextVectorization(output_sequence_length=3, output_mode="count"),
            ValueError,
            r"`output_sequence_length` goes with `output_mode='int'`",
        ),
        (lambda: TextVectorization(ragged=True), ValueError, r"ragged tensors are not supported"),
        (lambda: TextVectorization(sparse=True, output_mode="count"), ValueError, r"sparse tensors are not supported"),
        (lambda: TextVectorization()(["a"]), RuntimeError, r"has no vocabulary yet"),
        (lambda: TextVectorization(vocabulary=["a"]).adapt(["b"]), ValueError, r"was given its vocabulary"),
        (lambda: TextVectorization(vocabulary=["a"])([["a", "b"]]), ValueError, r"of shape \(B,\) or \(B, 1\)"),
        (lambda: TextVectorization(vocabulary=["a"])(torch.ones(2)), TypeError, r"takes strings"),
        (lambda: TextVectorization(vocabulary=["a"], split=lambda x: [["a"]])(["a", "b"]), ValueError, r"`split` must"),
        (lambda: TextVectorization(colour=3), TypeError, r"unknown arguments \['colour'\]"),
    ],
)  # fmt: skip
def test_mistakes(make, error, message):
    with pytest.raises(error, match=message):
        make()
