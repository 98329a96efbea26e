"""Text to indices of its words, or to counts of them."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kerasish.layers.layer import Layer
from kerasish.layers.preprocessing.batches import batches
from kerasish.layers.preprocessing.encoding import check_output_mode, encoded_shape
from kerasish.layers.preprocessing.index_lookup import DROPPED, OUTPUT_MODES
from kerasish.layers.preprocessing.string_lookup import StringLookup
from kerasish.layers.preprocessing.text import as_text
from kerasish.serialization import deserialize_keras_object
from kerasish.symbolic import KerasTensor

WHITESPACE = re.compile(r"[ \t\n\v\f\r]+")
TO_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
LOWER_NO_PUNCTUATION = {**NO_PUNCTUATION, **TO_LOWER}
STANDARDIZE = {
    "lower_and_strip_punctuation": LOWER_NO_PUNCTUATION, "lower": TO_LOWER, "strip_punctuation": NO_PUNCTUATION,
}  # fmt: skip
SPLIT: dict[str, Callable[[str], list[str]]] = {
    "whitespace": lambda text: [word for word in WHITESPACE.split(text) if word],
    "character": list,
}


class TextVectorization(Layer):
    """Standardize texts, split them into tokens, join these to n-grams, and look them up in a vocabulary.

    The output is an int64 tensor of indices, padded with 0 (1 standing for tokens out of the vocabulary), or an
    encoding of all tokens of a text.

    Args:
        max_tokens: most tokens of the vocabulary, reserved ones included.
        standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation" (ASCII letters and punctuation), None,
            or a function of a NumPy array of strings.
        split: "whitespace", "character", None, or a function: NumPy array (B,) of strings → B lists of tokens.
        ngrams: largest n of the n-grams to make, or a tuple of the values of n; tokens are joined by spaces.
        output_mode: "int", "multi_hot", "count", or "tf_idf" (count · weight); without `split` also "one_hot".
        output_sequence_length: length to which indices are padded or cut; by default that of the longest text.
        pad_to_max_tokens: whether encodings have `max_tokens` places.
        vocabulary: list or array of tokens, or path of a file with one in each line; else `adapt(data)` makes it.
        idf_weights: weights of the vocabulary in the mode "tf_idf".
        encoding: how bytes are read.

    Shapes: (B,) or (B, 1) strings → (B, T), or (B, vocabulary). In models: `Input((1,), dtype="string")`.

    Example:
        >>> import kerasish
        >>> layer = kerasish.layers.TextVectorization(vocabulary=["to", "be", "or", "not"])
        >>> layer(["To be, or not", "to do"])
        tensor([[2, 3, 4, 5],
                [2, 1, 0, 0]])
    """

    takes_text = True

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: int | tuple[int, ...] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        size = kwargs.pop("vocabulary_size", None)
        super().__init__(name=name, **kwargs)
        check_output_mode(self, output_mode, OUTPUT_MODES, sparse)
        for key, value, known in (("standardize", standardize, STANDARDIZE), ("split", split, SPLIT)):
            if not (value is None or callable(value) or value in known):
                raise ValueError(
                    f"`{key}` of layer {self.name!r} must be one of {tuple(known)}, a function, or None. Received: "
                    f"{key}={value!r}"
                )
        if isinstance(ngrams, list):
            ngrams = tuple(ngrams)
        sizes = ngrams if isinstance(ngrams, tuple) else (1 if ngrams is None else ngrams,)
        if not sizes or not all(isinstance(n, int) and n > 0 for n in sizes):
            raise ValueError(
                f"`ngrams` of layer {self.name!r} must be a positive integer, a tuple of them, or None. Received: "
                f"ngrams={ngrams!r}"
            )
        if ragged:
            raise ValueError(
                f"Layer {self.name!r}: ragged tensors are not supported: leave out `ragged=True`; indices are padded "
                "with 0."
            )
        if output_sequence_length is not None and output_mode != "int":
            raise ValueError(
                f"Layer {self.name!r}: `output_sequence_length` goes with `output_mode='int'`. Received: "
                f"output_mode={output_mode!r}"
            )
        if output_sequence_length is not None and not (
            isinstance(output_sequence_length, int) and output_sequence_length > 0
        ):
            raise ValueError(
                f"`output_sequence_length` of layer {self.name!r} must be a positive integer or None. Received: "
                f"output_sequence_length={output_sequence_length!r}"
            )
        if output_mode == "one_hot" and split is not None:
            raise ValueError(
                f"Layer {self.name!r}: 'one_hot' of texts of different lengths would be ragged: take 'multi_hot' or "
                "'count', or `split=None`."
            )
        self.max_tokens = max_tokens
        self.standardize = standardize
        self.split = split
        self.__dict__["ngrams"] = ngrams
        self.output_mode = output_mode
        self.output_sequence_length = output_sequence_length
        self.sparse = sparse
        self.ragged = ragged
        self.encoding = encoding
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens,
            mask_token="" if output_mode == "int" else None,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            output_mode=output_mode,
            pad_to_max_tokens=pad_to_max_tokens,
            encoding=encoding,
            vocabulary_size=size,
        )

    @property
    def compute_dtype(self) -> str:
        """The dtype of the inputs, `"string"`."""
        return "string"

    dtype = input_dtype = compute_dtype

    # Vocabulary -----------------------------------------------------------------------------------------------

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Make the vocabulary of the most frequent tokens in the texts; `StringLookup.adapt` says how.

        Args:
            data: array, list, DataLoader, Dataset, or iterable of batches of texts.
            batch_size: number of texts to read at once from an array.
            steps: number of batches to read.
        """
        if self._lookup_layer._is_static:
            raise ValueError(
                f"Layer {self.name!r} was given its vocabulary: it cannot `adapt`. Make one without `vocabulary`."
            )
        self.reset_state()
        for batch in batches(data, steps, batch_size):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch of texts."""
        self._lookup_layer._count(self._tokens(data)[0])

    def finalize_state(self) -> None:
        """Make the vocabulary of what was counted."""
        self._lookup_layer.finalize_state()

    def reset_state(self) -> None:
        """Forget what was counted."""
        self._lookup_layer.reset_state()

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """The tokens in the order of their indices, with those for padding and unknown tokens or without."""
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """The number of indices, those for padding and unknown tokens included."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Set the tokens, with the weights of the mode "tf_idf", in place of `adapt`: `StringLookup.set_vocabulary`."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    def build(self, input_shape: Any = None) -> None:
        """Nothing: the layer has no weights."""

    # Computation ----------------------------------------------------------------------------------------------

    def _tokens(self, inputs: Any) -> tuple[list[list[str]], tuple[int, ...]]:
        """The tokens of each text, and the shape in which the texts come."""
        text = as_text(inputs, self.name, self.encoding)
        if self.split is not None and text.ndim > 1:
            if text.shape[-1] != 1:
                raise ValueError(
                    f"Layer {self.name!r} splits texts of shape (B,) or (B, 1). Received: shape {text.shape}. "
                    "For texts that are split already take `split=None`."
                )
            text = text.reshape(text.shape[:-1])
        text = self._standardized(text)
        if self.split is None:
            rows = text.reshape(-1, text.shape[-1] if text.ndim else 1).tolist()
            shape = text.shape[:-1]
        else:
            rows, shape = self._split(text.reshape(-1)), text.shape
        return [self._with_ngrams(row) for row in rows], shape

    def _standardized(self, text: np.ndarray) -> np.ndarray:
        if self.standardize is None:
            return text
        if callable(self.standardize):
            return as_text(self.standardize(text.astype(str)), self.name, self.encoding)
        table = STANDARDIZE[self.standardize]
        result = np.empty(text.size, object)
        result[:] = [item.translate(table) for item in text.reshape(-1).tolist()]
        return result.reshape(text.shape)

    def _split(self, text: np.ndarray) -> list[list[str]]:
        if not callable(self.split):
            split = SPLIT[self.split]
            return [split(item) for item in text.tolist()]
        rows = self.split(text.astype(str))
        rows = rows.tolist() if hasattr(rows, "tolist") else list(rows)
        if len(rows) != len(text):
            raise ValueError(
                f"Layer {self.name!r}: `split` must return a list of tokens for each of {len(text)} texts. Received: "
                f"{len(rows)}"
            )
        return [as_text(row, self.name, self.encoding).tolist() for row in rows]

    def _with_ngrams(self, tokens: list[str]) -> list[str]:
        if self.ngrams is None:
            return tokens
        sizes = range(1, self.ngrams + 1) if isinstance(self.ngrams, int) else self.ngrams
        return [" ".join(tokens[i : i + n]) for n in sizes for i in range(len(tokens) - n + 1)]

    def call(self, inputs: Any) -> Tensor:
        lookup = self._lookup_layer
        if isinstance(inputs, Tensor) and inputs.is_meta:
            sizes = [1 if size is None else size for size in self.compute_output_shape(tuple(inputs.shape))]
            return torch.empty(sizes, dtype=getattr(torch, lookup._output_dtype), device="meta")
        lookup._require_vocabulary()
        rows, shape = self._tokens(inputs)
        length = self.output_sequence_length
        if length is None:
            length = max(map(len, rows), default=0)
        else:
            rows = [row[:length] for row in rows]
        flat = lookup._index_of([token for row in rows for token in row])
        is_token = torch.arange(length) < torch.tensor([len(row) for row in rows]).unsqueeze(-1)
        indices = torch.full((len(rows), length), 0 if self.output_mode == "int" else DROPPED)
        indices[is_token] = torch.tensor(flat, dtype=torch.int64)
        return lookup._encoded(indices.reshape(*shape, length).to(self._own_device()))

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = tuple(input_shape)
        if self.split is not None and len(shape) > 1:
            shape = shape[:-1]
        length = self.output_sequence_length
        if self.split is None:
            if length is None and self.ngrams in (None, 1):
                length = shape[-1]
            shape = shape[:-1]
        return encoded_shape((*shape, length), self._lookup_layer._depth, self.output_mode)

    def compute_output_spec(self, inputs: Any) -> Any:
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=self._lookup_layer._output_dtype)

    # Files ----------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        lookup = self._lookup_layer
        return {
            **super().get_config(),
            "max_tokens": self.max_tokens,
            "standardize": self.standardize,
            "split": self.split,
            "ngrams": self.ngrams,
            "output_mode": self.output_mode,
            "output_sequence_length": self.output_sequence_length,
            "pad_to_max_tokens": lookup.pad_to_max_tokens,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "vocabulary": lookup.input_vocabulary,
            "idf_weights": lookup.input_idf_weights,
            "encoding": self.encoding,
            "vocabulary_size": lookup.vocabulary_size(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> TextVectorization:
        config = dict(config)
        for key in ("standardize", "split"):
            if isinstance(config.get(key), dict):
                config[key] = deserialize_keras_object(config[key])
        return super().from_config(config)

    def save_assets(self, dir_path: str) -> None:
        """Write the vocabulary, where the config does not have it."""
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path: str) -> None:
        """Read the vocabulary that `save_assets` wrote."""
        self._lookup_layer.load_assets(dir_path)
