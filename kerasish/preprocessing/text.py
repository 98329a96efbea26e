"""Keras 2's way from texts to numbers; Keras 3 has `keras.layers.TextVectorization`."""

from __future__ import annotations

import collections
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from kerasish.errors import did_you_mean, received

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
MATRIX_MODES = ("binary", "count", "freq", "tfidf")


def text_to_word_sequence(
    input_text: str, filters: str = FILTERS, lower: bool = True, split: str = " "
) -> list[str]:
    """Split a text into words.

    Args:
        input_text: the text.
        filters: characters that are replaced by `split`.
        lower: turn the text to lower case.
        split: what stands between words.

    Example:
        >>> text_to_word_sequence("The cat sat, on the mat!")
        ['the', 'cat', 'sat', 'on', 'the', 'mat']
    """
    if not isinstance(input_text, str):
        raise TypeError(f"`input_text` must be a string. Received: {received(input_text)}")
    text = input_text.lower() if lower else input_text
    text = text.translate({ord(character): split for character in filters})
    return [word for word in text.split(split) if word]


def one_hot(
    input_text: str,
    n: int,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable | None = None,
) -> list[int]:
    """Turn a text into numbers from 1 to n − 1 by Python's `hash`: different from process to process."""
    return hashing_trick(input_text, n, hash, filters, lower, split, analyzer)


def hashing_trick(
    text: str,
    n: int,
    hash_function: Any = None,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable | None = None,
) -> list[int]:
    """Turn a text into numbers from 1 to n − 1: `hash(word) mod (n − 1) + 1`; different words may share one.

    Args:
        text: the text.
        n: the numbers stay below it.
        hash_function: `"md5"`, the same in every process, or a function; Python's `hash` by default.
        filters, lower, split: as in `text_to_word_sequence`.
        analyzer: function that splits a text into words, instead.

    Example:
        >>> hashing_trick("The cat and the dog", 50, hash_function="md5")
        [43, 32, 14, 43, 2]
    """
    if hash_function is None:
        hash_function = hash
    elif hash_function == "md5":
        hash_function = _md5
    elif not callable(hash_function):
        raise ValueError(
            f"`hash_function` must be 'md5', a function or None. Received: hash_function={hash_function!r}"
        )
    words = text_to_word_sequence(text, filters, lower, split) if analyzer is None else analyzer(text)
    return [hash_function(word) % (n - 1) + 1 for word in words]


def _md5(word: str) -> int:
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)


class Tokenizer:
    """Numbers the words of texts by their frequency: 1 for the most frequent, 0 for none.

    Args:
        num_words: only words with numbers below it are used.
        filters: characters that are replaced by `split`.
        lower: turn texts to lower case.
        split: what stands between words.
        char_level: every character is a word.
        oov_token: word 1, which takes the place of words that are unknown or not used; else they are left out.
        analyzer: function that splits a text into words, instead.

    A text may also be given as a list of its words. After fitting: `word_index`, `index_word`, `word_counts`,
    `word_docs`, `document_count`.

    Example:
        >>> tokenizer = Tokenizer()
        >>> tokenizer.fit_on_texts(["the cat", "the dog and the cat"])
        >>> tokenizer.texts_to_sequences(["the dog", "a cat"])
        [[1, 3], [2]]
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Callable | None = None,
        **kwargs: Any,
    ) -> None:
        if "nb_words" in kwargs:
            raise TypeError("`nb_words` is Keras 1's name: pass `num_words`.")
        document_count = kwargs.pop("document_count", 0)
        if kwargs:
            raise TypeError(f"Unrecognized keyword arguments for Tokenizer: {sorted(kwargs)}")
        self.word_counts: collections.OrderedDict[str, int] = collections.OrderedDict()
        self.word_docs: collections.defaultdict[str, int] = collections.defaultdict(int)
        self.filters = filters
        self.split = split
        self.lower = lower
        self.num_words = num_words
        self.document_count = document_count
        self.char_level = char_level
        self.oov_token = oov_token
        self.index_docs: collections.defaultdict[int, int] = collections.defaultdict(int)
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}
        self.analyzer = analyzer

    def fit_on_texts(self, texts: Iterable) -> None:
        """Count the words of a list of texts, or of lists of words, and number them."""
        for words in self._all_words(texts, "fit_on_texts"):
            self.document_count += 1
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in set(words):
                self.word_docs[word] += 1
        by_count = sorted(self.word_counts.items(), key=lambda item: item[1], reverse=True)
        words = [] if self.oov_token is None else [self.oov_token]
        words += [word for word, _ in by_count]
        self.word_index = {word: i for i, word in enumerate(words, start=1)}
        self.index_word = {i: word for word, i in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences: Iterable) -> None:
        """Count the documents of every number, for `sequences_to_matrix` without `fit_on_texts`."""
        for sequence in sequences:
            self.document_count += 1
            for i in set(sequence):
                self.index_docs[i] += 1

    def texts_to_sequences(self, texts: Iterable) -> list[list[int]]:
        """The numbers of the words of each text."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable) -> Iterator[list[int]]:
        """As `texts_to_sequences`, text by text."""
        oov_index = self.word_index.get(self.oov_token) if self.oov_token is not None else None
        for words in self._all_words(texts, "texts_to_sequences"):
            numbers = (self.word_index.get(word) for word in words)
            numbers = (number if number and self._is_used(number) else oov_index for number in numbers)
            yield [number for number in numbers if number is not None]

    def sequences_to_texts(self, sequences: Iterable) -> list[str]:
        """The words of each sequence of numbers, joined by blanks."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable) -> Iterator[str]:
        """As `sequences_to_texts`, sequence by sequence."""
        for sequence in sequences:
            words = (
                self.index_word.get(int(number)) if self._is_used(number) else None for number in sequence
            )
            words = (self.oov_token if word is None else word for word in words)
            yield " ".join(word for word in words if word is not None)

    def texts_to_matrix(self, texts: Iterable, mode: str = "binary") -> np.ndarray:
        """One row for each text, one column for each number; see `sequences_to_matrix`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Any, mode: str = "binary") -> np.ndarray:
        """One row for each sequence, one column for each number.

        Args:
            sequences: lists of numbers.
            mode: `"binary"`: 1 where the word occurs; `"count"`: how often; `"freq"`: its share of the sequence;
                `"tfidf"`: `(1 + ln count) · ln(1 + N / (1 + documents with it))`.

        Shapes:
            → `(len(sequences), num_words)`, float64.

        Raises:
            ValueError: the number of words is unknown, or the mode.
        """
        if mode not in MATRIX_MODES:
            raise ValueError(
                f"`mode` must be one of {MATRIX_MODES}.{did_you_mean(mode, MATRIX_MODES)} Received: mode={mode!r}"
            )
        if not self.num_words and not self.word_index:
            raise ValueError(
                "The number of words is unknown: give `num_words`, or call `fit_on_texts` first."
            )
        if mode == "tfidf" and not self.document_count:
            raise ValueError("`mode='tfidf'` needs document counts: call `fit_on_texts` first.")
        columns = self.num_words or len(self.word_index) + 1
        matrix = np.zeros((len(sequences), columns))
        for row, sequence in zip(matrix, sequences, strict=True):
            for number, count in collections.Counter(n for n in sequence if n < columns).items():
                if mode == "binary":
                    row[number] = 1
                elif mode == "count":
                    row[number] = count
                elif mode == "freq":
                    row[number] = count / len(sequence)
                else:
                    documents = 1 + self.index_docs.get(number, 0)
                    row[number] = (1 + np.log(count)) * np.log(1 + self.document_count / documents)
        return matrix

    def get_config(self) -> dict[str, Any]:
        """The arguments and what was learned, the latter as JSON texts."""
        return {
            "num_words": self.num_words,
            "filters": self.filters,
            "lower": self.lower,
            "split": self.split,
            "char_level": self.char_level,
            "oov_token": self.oov_token,
            "document_count": self.document_count,
            "word_counts": json.dumps(self.word_counts),
            "word_docs": json.dumps(self.word_docs),
            "index_docs": json.dumps(self.index_docs),
            "index_word": json.dumps(self.index_word),
            "word_index": json.dumps(self.word_index),
        }

    def to_json(self, **kwargs: Any) -> str:
        """The config as a JSON text, for `tokenizer_from_json`; `kwargs` go to `json.dumps`."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)

    def _is_used(self, number: int) -> bool:
        return not self.num_words or number < self.num_words

    def _all_words(self, texts: Iterable, method: str) -> Iterator[list[str]]:
        if isinstance(texts, str):
            raise TypeError(f"`{method}` takes a list of texts: write [text]. Received: {received(texts)}")
        for text in texts:
            if self.char_level or isinstance(text, list):
                if self.lower:
                    text = [w.lower() for w in text] if isinstance(text, list) else text.lower()
                yield list(text)
            elif self.analyzer is not None:
                yield self.analyzer(text)
            else:
                yield text_to_word_sequence(text, self.filters, self.lower, self.split)


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """The tokenizer that `Tokenizer.to_json` wrote.

    Raises:
        ValueError: the text is none of its.
    """
    content = json.loads(json_string)
    if not isinstance(content, dict) or "word_index" not in content.get("config", {}):
        raise ValueError(
            f"`json_string` must come from Tokenizer.to_json(). Received: {received(json_string)}"
        )
    config = dict(content["config"])
    learned = {
        name: json.loads(config.pop(name))
        for name in ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
    }
    tokenizer = Tokenizer(**config)
    tokenizer.word_counts.update(learned["word_counts"])
    tokenizer.word_docs.update(learned["word_docs"])
    tokenizer.index_docs.update({int(number): count for number, count in learned["index_docs"].items()})
    tokenizer.index_word = {int(number): word for number, word in learned["index_word"].items()}
    tokenizer.word_index = learned["word_index"]
    return tokenizer
