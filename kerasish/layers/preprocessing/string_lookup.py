"""Strings to indices of a vocabulary, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from kerasish.layers.preprocessing.fingerprint import hash_strings, modulo
from kerasish.layers.preprocessing.index_lookup import DROPPED, IndexLookup
from kerasish.layers.preprocessing.text import as_text


class StringLookup(IndexLookup):
    """Replace strings by their index in a vocabulary: an int64 tensor, or an encoding of it.

    Args:
        max_tokens: most tokens of the vocabulary, reserved ones included.
        num_oov_indices: number of indices for strings out of the vocabulary, among which their hash chooses; with 0
            they raise.
        mask_token: string that has index 0, and leaves no trace in encodings.
        oov_token: string that stands for the ones out of the vocabulary.
        vocabulary: list or array of strings, or path of a file with one in each line; else `adapt(data)` makes it.
        idf_weights: weights of the vocabulary in the mode "tf_idf".
        invert: whether to replace indices by strings instead: a NumPy array.
        output_mode: "int"; "one_hot" of each string; "multi_hot", "count" or "tf_idf" (count · weight) of each record.
        pad_to_max_tokens: whether encodings have `max_tokens` places.
        encoding: how bytes are read.
        salt: one or two integers: strings out of the vocabulary are hashed by SipHash with them, else by FarmHash64.

    Shapes: any; strings come as lists or NumPy arrays, in models through `Input(shape, dtype="string")`.

    Raises:
        RuntimeError: there is no vocabulary yet.
        ValueError: a string is out of the vocabulary and `num_oov_indices=0`.

    Example:
        >>> import kerasish
        >>> layer = kerasish.layers.StringLookup(vocabulary=["cat", "dog"])
        >>> layer(["dog", "cow", "cat"])
        tensor([2, 0, 1])
    """

    takes_text = True

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **kwargs: Any,
    ) -> None:
        self.encoding = encoding
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode, sparse,
            pad_to_max_tokens, salt=salt, name=name, **kwargs,
        )  # fmt: skip

    @property
    def compute_dtype(self) -> str:
        """The dtype of the inputs, `"string"`."""
        return "string"

    dtype = input_dtype = compute_dtype

    def _plain(self, tokens: list[Any]) -> list[Any]:
        return as_text(tokens, self.name, self.encoding).reshape(-1).tolist()

    def _documents(self, data: Any) -> list[list[Any]]:
        values = as_text(data, self.name, self.encoding)
        return values.reshape(len(values) if values.ndim > 1 else values.size, -1).tolist()

    def call(self, inputs: Any) -> Any:
        if isinstance(inputs, Tensor) and inputs.is_meta:
            return self._stand_in(inputs)
        self._require_vocabulary()
        if self.invert:
            return self._strings(inputs)
        text = as_text(inputs, self.name, self.encoding)
        indices = torch.tensor(
            self._index_of(text.reshape(-1).tolist()), dtype=torch.int64, device=self._own_device()
        )
        return self._encoded(indices.reshape(text.shape))

    def _index_of(self, tokens: list[str]) -> list[int]:
        """The index of each token."""
        known = self._index
        indices = [known.get(token, DROPPED) for token in tokens]
        if DROPPED not in indices:
            return indices
        unknown = [i for i, index in enumerate(indices) if index == DROPPED]
        if self.mask_token is not None:
            for i in unknown:
                if tokens[i] == self.mask_token and self.output_mode == "int":
                    indices[i] = 0
            unknown = [i for i in unknown if tokens[i] != self.mask_token]
        for i, index in zip(unknown, self._out_of_vocabulary([tokens[i] for i in unknown]), strict=True):
            indices[i] = index
        return indices

    def _out_of_vocabulary(self, tokens: list[str]) -> list[int]:
        """The indices of tokens that are not in the vocabulary."""
        if not tokens or self.num_oov_indices == 1:
            return [self._oov_start] * len(tokens)
        if self.num_oov_indices == 0:
            raise ValueError(
                f"Layer {self.name!r}: {tokens[0]!r} is not in the vocabulary, and `num_oov_indices=0` leaves no index "
                "for such strings: give it `num_oov_indices=1`, or a vocabulary with all strings."
            )
        salt = None if self.salt is None else (self.salt[0], self.salt[1])
        hashes = hash_strings([token.encode(self.encoding, "replace") for token in tokens], salt)
        return (modulo(hashes, self.num_oov_indices) + self._oov_start).tolist()

    def _strings(self, indices: Any) -> np.ndarray:
        if isinstance(indices, Tensor) and indices.numel():
            int(
                indices.reshape(-1)[0]
            )  # a step that reads values is not recorded, so what follows is done again
        places = np.asarray(indices.cpu() if isinstance(indices, Tensor) else indices)
        vocabulary = np.array([*self.get_vocabulary(), self.oov_token], object)
        is_known = (places >= 0) & (places < len(vocabulary) - 1)
        return vocabulary[np.where(is_known, places, len(vocabulary) - 1).astype(np.int64)]

    @property
    def _output_dtype(self) -> str:
        return "string" if self.invert else super()._output_dtype

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "encoding": self.encoding}
