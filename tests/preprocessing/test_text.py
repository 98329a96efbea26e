from __future__ import annotations

import numpy as np
import pytest

from kerasish.preprocessing.text import (
    Tokenizer,
    hashing_trick,
    one_hot,
    text_to_word_sequence,
    tokenizer_from_json,
)

TEXTS = ["The cat sat on the mat.", "The dog sat."]


@pytest.fixture
def tokenizer():
    tokenizer = Tokenizer(oov_token="?")
    tokenizer.fit_on_texts(TEXTS)
    return tokenizer


def test_the_most_frequent_word_comes_first(tokenizer):
    assert tokenizer.word_index == {"?": 1, "the": 2, "sat": 3, "cat": 4, "on": 5, "mat": 6, "dog": 7}
    assert tokenizer.word_counts["the"] == 3 and tokenizer.word_docs["the"] == tokenizer.document_count == 2


def test_there_and_back(tokenizer):
    numbers = tokenizer.texts_to_sequences(["The new dog", ["mat"]])
    assert numbers == [[2, 1, 7], [6]]
    assert tokenizer.sequences_to_texts(numbers) == ["the ? dog", "mat"]


def test_matrices(tokenizer):
    counts = tokenizer.texts_to_matrix(TEXTS, mode="count")
    assert counts.shape == (2, 8) and counts[0].tolist() == [0, 0, 2, 1, 1, 1, 1, 0]
    weights = tokenizer.texts_to_matrix(TEXTS, mode="tfidf")
    np.testing.assert_allclose(weights[0, 2], (1 + np.log(2)) * np.log(1 + 2 / 3))


def test_json(tokenizer):
    again = tokenizer_from_json(tokenizer.to_json())
    assert again.to_json() == tokenizer.to_json()
    assert again.texts_to_sequences(TEXTS) == tokenizer.texts_to_sequences(TEXTS)


def test_hashes():
    assert hashing_trick("a b a", 10, len) == [2, 2, 2]
    first, second, third = one_hot("x y x", 100)
    assert first == third and 1 <= second < 100


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: Tokenizer(nb_words=3), TypeError, "pass `num_words`"),
        (lambda: Tokenizer(words=3), TypeError, "Unrecognized keyword arguments"),
        (lambda: Tokenizer().fit_on_texts("one text"), TypeError, "takes a list of texts"),
        (lambda: Tokenizer().texts_to_matrix(TEXTS), ValueError, "number of words is unknown"),
        (lambda: Tokenizer(num_words=5).texts_to_matrix(TEXTS, "tfidf"), ValueError, "needs document counts"),
        (lambda: Tokenizer(num_words=5).texts_to_matrix(TEXTS, "counts"), ValueError, "Did you mean 'count'"),
        (lambda: text_to_word_sequence(3), TypeError, "`input_text` must be a string"),
        (lambda: hashing_trick("a", 5, "sha"), ValueError, "`hash_function` must be"),
        (lambda: tokenizer_from_json('{"config": {}}'), ValueError, "must come from Tokenizer.to_json"),
    ],
)
def test_bad_arguments(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
