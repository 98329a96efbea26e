"""Integers to indices of a vocabulary, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from kerasish.arrays import to_tensor
from kerasish.config import get_device
from kerasish.errors import received
from kerasish.layers.preprocessing.encoding import require
from kerasish.layers.preprocessing.fingerprint import hash_numbers, modulo
from kerasish.layers.preprocessing.index_lookup import DROPPED, IndexLookup

OUT_OF_VOCABULARY = (
    "Layer {name!r}: an integer is not in the vocabulary, and `num_oov_indices=0` leaves no index for such integers: "
    "give it `num_oov_indices=1`, or a vocabulary with all integers."
)


class IntegerLookup(IndexLookup):
    """Replace integers by their index in a vocabulary: an int64 tensor, or an encoding of it.

    Args:
        max_tokens: most tokens of the vocabulary, reserved ones included.
        num_oov_indices: number of indices for integers out of the vocabulary; with 0 they raise.
        mask_token: integer that has index 0, and leaves no trace in encodings.
        oov_token: integer that stands for the ones out of the vocabulary.
        vocabulary: list or array of integers, or path of a file with one in each line; else `adapt(data)` makes it.
        vocabulary_dtype: "int64".
        idf_weights: weights of the vocabulary in the mode "tf_idf".
        invert: whether to replace indices by integers instead.
        output_mode: "int"; "one_hot" of each integer; "multi_hot", "count" or "tf_idf" (count · weight) of each record.
        pad_to_max_tokens: whether encodings have `max_tokens` places.
        oov_method: how several indices are chosen among: "floormod" (the remainder), or "farmhash" of the digits.
        salt: one or two integers: the hash is SipHash with them.

    Shapes: any.

    Raises:
        RuntimeError: there is no vocabulary yet.
        ValueError: an integer is out of the vocabulary and `num_oov_indices=0`.

    Example:
        >>> import kerasish
        >>> layer = kerasish.layers.IntegerLookup(vocabulary=[12, 36, 1138])
        >>> layer([[12, 1138], [7, 36]])
        tensor([[1, 3],
                [0, 2]])
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if vocabulary_dtype != "int64":
            raise ValueError(f"`vocabulary_dtype` must be 'int64'. Received: {vocabulary_dtype!r}")
        for key, token in (("mask_token", mask_token), ("oov_token", oov_token)):
            if token is not None and not isinstance(token, (int, np.integer)):
                raise TypeError(f"`{key}` of an IntegerLookup must be an integer. Received: {key}={token!r}")
        self.vocabulary_dtype = vocabulary_dtype
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode, sparse,
            pad_to_max_tokens, oov_method, salt, name=name, **kwargs,
        )  # fmt: skip
        if salt is not None and oov_method != "farmhash":
            raise ValueError(
                f"Layer {self.name!r}: `salt` goes with `oov_method='farmhash'`. Received: oov_method={oov_method!r}"
            )

    @property
    def compute_dtype(self) -> str:
        """The dtype of the inputs, `"int64"`."""
        return "int64"

    dtype = input_dtype = compute_dtype

    def _plain(self, tokens: list[Any]) -> list[Any]:
        try:
            return [int(token) for token in tokens]
        except (TypeError, ValueError) as error:
            raise TypeError(f"Layer {self.name!r} takes a vocabulary of integers: {error}.") from error

    def _documents(self, data: Any) -> list[list[Any]]:
        values = np.asarray(data)
        if values.size and values.dtype.kind not in "iufb":
            raise TypeError(
                f"Layer {self.name!r} takes integers; for strings take `StringLookup`. Received: {received(data)}"
            )
        values = values.astype(np.int64)
        return values.reshape(len(values) if values.ndim > 1 else values.size, -1).tolist()

    def _use(self, tokens: list[Any]) -> None:
        super()._use(tokens)
        device = get_device()
        table = [*self.get_vocabulary(), self.oov_token]
        table = [-1 if token is None else token for token in table]
        keys, order = torch.tensor(tokens, dtype=torch.int64, device=device).sort()
        self.register_buffer(
            "_table", torch.tensor(table, dtype=torch.int64, device=device), persistent=False
        )
        self.register_buffer("_keys", keys, persistent=False)
        self.register_buffer("_places", order + len(self._special), persistent=False)

    def call(self, inputs: Any) -> Tensor:
        if isinstance(inputs, Tensor) and inputs.is_meta:
            return self._stand_in(inputs)
        self._require_vocabulary()
        x = inputs if isinstance(inputs, Tensor) else self._tensor(inputs)
        x = x.to(torch.int64).contiguous()
        if self.invert:
            last = len(self._table) - 1
            return self._table.take(torch.where((x >= 0) & (x < last), x, last))
        place = torch.searchsorted(self._keys, x).clamp(max=len(self._keys) - 1)
        is_known = self._keys.take(place) == x
        unknown = self._out_of_vocabulary(x)
        if self.mask_token is not None:
            is_mask = x == self.mask_token
            unknown = torch.where(is_mask, 0 if self.output_mode == "int" else DROPPED, unknown)
            is_known_or_mask = is_known | is_mask
        else:
            is_known_or_mask = is_known
        if self.num_oov_indices == 0:
            require(is_known_or_mask.all(), OUT_OF_VOCABULARY.format(name=self.name))
        return self._encoded(torch.where(is_known, self._places.take(place), unknown))

    def _tensor(self, inputs: Any) -> Tensor:
        values = np.asarray(inputs)
        if values.dtype.kind in "USO":
            raise TypeError(
                f"Layer {self.name!r} takes integers; for strings take `StringLookup`. Received: {received(inputs)}"
            )
        return to_tensor(values).to(self._own_device())

    def _out_of_vocabulary(self, x: Tensor) -> Tensor:
        """The index of each integer as if it were not in the vocabulary."""
        count = self.num_oov_indices
        if count <= 1:
            return torch.full_like(x, self._oov_start)
        if self.oov_method == "floormod":
            return x.remainder(count) + self._oov_start
        salt = None if self.salt is None else (self.salt[0], self.salt[1])
        return modulo(hash_numbers(x, salt), count) + self._oov_start

    def _own_config(self) -> dict[str, Any]:
        return {"vocabulary_dtype": self.vocabulary_dtype}
