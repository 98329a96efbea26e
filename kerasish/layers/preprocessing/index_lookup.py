"""What the layers that look tokens up in a vocabulary have in common."""

from __future__ import annotations

import math
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kerasish.config import get_device
from kerasish.layers.layer import Layer
from kerasish.layers.preprocessing.batches import batches
from kerasish.layers.preprocessing.encoding import ENCODINGS, check_output_mode, encode, encoded_shape
from kerasish.symbolic import KerasTensor

OUTPUT_MODES = ("int", *ENCODINGS, "tf_idf")
OOV_METHODS = ("floormod", "farmhash")
VOCABULARY_FILE = "vocabulary.txt"
DROPPED = -1  # the index of what leaves no trace in an encoding


class IndexLookup(Layer):
    """The base of `StringLookup` and `IntegerLookup`: tokens ⇄ indices.

    The indices are those of the mask token (0, in the mode "int" only), of tokens out of the vocabulary, then of the
    vocabulary.
    """

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        **kwargs: Any,
    ) -> None:
        size = kwargs.pop("vocabulary_size", None)
        super().__init__(**kwargs)
        check_output_mode(self, output_mode, OUTPUT_MODES, sparse)
        self._check(max_tokens, num_oov_indices, invert, output_mode, pad_to_max_tokens, oov_method, salt)
        self.max_tokens = max_tokens
        self.num_oov_indices = num_oov_indices
        self.mask_token = mask_token
        self.oov_token = oov_token
        self.invert = invert
        self.output_mode = output_mode
        self.sparse = sparse
        self.pad_to_max_tokens = pad_to_max_tokens
        self.oov_method = oov_method
        if idf_weights is not None and output_mode != "tf_idf":
            raise ValueError(
                f"Layer {self.name!r}: `idf_weights` go with `output_mode='tf_idf'`. Received: "
                f"output_mode={output_mode!r}"
            )
        put = self.__dict__.__setitem__  # lists of plain values need not be tracked
        put("salt", checked_salt(salt, self.name))
        put("input_vocabulary", None if vocabulary is None or _is_path(vocabulary) else _listed(vocabulary))
        put("input_idf_weights", None if idf_weights is None else np.asarray(idf_weights).tolist())
        put("_tokens", [])
        put("_index", {})
        put("_is_static", vocabulary is not None)
        put("_expected_size", size)
        put("_idf", None)
        self.reset_state()
        if vocabulary is not None:
            self._set_vocabulary(vocabulary, idf_weights)

    def _check(
        self,
        max_tokens: Any,
        num_oov_indices: Any,
        invert: bool,
        mode: str,
        pad: bool,
        method: str,
        salt: Any,
    ) -> None:
        def refuse(text: str) -> None:
            raise ValueError(f"Layer {self.name!r}: {text}")

        if max_tokens is not None and max_tokens <= 1:
            refuse(f"`max_tokens` must be greater than 1. Received: max_tokens={max_tokens}")
        if pad and max_tokens is None:
            refuse("`pad_to_max_tokens=True` needs `max_tokens`. Received: max_tokens=None")
        if num_oov_indices < 0:
            refuse(f"`num_oov_indices` must not be negative. Received: num_oov_indices={num_oov_indices}")
        if invert and mode != "int":
            refuse(f"`invert=True` goes with `output_mode='int'`. Received: output_mode={mode!r}")
        if method not in OOV_METHODS:
            refuse(f"`oov_method` must be one of {OOV_METHODS}. Received: oov_method={method!r}")

    # Vocabulary -----------------------------------------------------------------------------------------------

    @property
    def _special(self) -> list[Any]:
        """The tokens before the vocabulary."""
        mask = [self.mask_token] if self.mask_token is not None and self.output_mode == "int" else []
        return mask + [self.oov_token] * self.num_oov_indices

    @property
    def _oov_start(self) -> int:
        """The first index of tokens out of the vocabulary."""
        return len(self._special) - self.num_oov_indices

    def _plain(self, tokens: list[Any]) -> list[Any]:
        """The tokens in the type of the vocabulary."""
        raise NotImplementedError

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens in the order of their indices, with those for mask and out-of-vocabulary tokens or without."""
        return (self._special if include_special_tokens else []) + list(self._tokens)

    def vocabulary_size(self) -> int:
        """The number of indices: tokens of the vocabulary, mask and out-of-vocabulary tokens."""
        return len(self._special) + len(self._tokens)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Set the tokens, with the weights of the mode "tf_idf", in place of `adapt`.

        Args:
            vocabulary: list or array of tokens, or the path of a text file with one token in each line.
            idf_weights: the weight of each token.

        Raises:
            ValueError: a token occurs twice, is reserved, or there are more than `max_tokens`.
        """
        self.input_vocabulary = self.input_idf_weights = None
        self._set_vocabulary(vocabulary, idf_weights)
        self.__dict__["_is_static"] = True

    def _set_vocabulary(self, vocabulary: Any, idf_weights: Any) -> None:
        is_path = _is_path(vocabulary)
        if is_path and self.output_mode == "tf_idf":
            raise ValueError(
                f"Layer {self.name!r}: a vocabulary in a file goes without weights, so not with "
                "`output_mode='tf_idf'`: read the file and pass a list."
            )
        tokens = self._plain(self._read(vocabulary) if is_path else _listed(vocabulary))
        if not tokens:
            raise ValueError(f"Layer {self.name!r} needs at least one token. Received: an empty vocabulary")
        weights = None if idf_weights is None else np.asarray(idf_weights, np.float32)
        if (self.output_mode == "tf_idf") != (weights is not None):
            raise ValueError(
                f"Layer {self.name!r}: `idf_weights` must be given with a vocabulary in `output_mode='tf_idf'`, and "
                f"only there. Received: output_mode={self.output_mode!r}, idf_weights={idf_weights}"
            )
        if weights is not None and weights.shape != (len(tokens),):
            raise ValueError(
                f"Layer {self.name!r}: `idf_weights` must be as many as the tokens, {len(tokens)}. Received: an array "
                f"of shape {weights.shape}"
            )
        count = len(self._special)
        oov_weights: Any = None
        if count and not is_path and tokens[:count] == self._special:
            tokens = tokens[count:]
            if weights is not None:
                oov_weights, weights = weights[:count], weights[count:]
        self._refuse_reserved(tokens)
        self._use(tokens)
        if weights is not None:
            self._use_weights(weights, oov_weights)

    def _refuse_reserved(self, tokens: list[Any]) -> None:
        repeated = [token for token, count in Counter(tokens).items() if count > 1]
        if repeated:
            raise ValueError(
                f"Layer {self.name!r}: each token may occur once in the vocabulary. These occur several times: "
                f"{repeated[:10]}"
            )
        reserved = {"mask_token": self.mask_token} | ({"oov_token": self.oov_token} if self.invert else {})
        for name, token in reserved.items():
            if token is not None and token in tokens:
                raise ValueError(
                    f"Layer {self.name!r}: the `{name}` {token!r} stands in the vocabulary at {tokens.index(token)}. "
                    f"Leave the reserved tokens out, or begin the vocabulary with exactly {self._special}."
                )
        size = len(self._special) + len(tokens)
        if self.max_tokens is not None and size > self.max_tokens:
            raise ValueError(
                f"Layer {self.name!r}: the vocabulary with its reserved tokens must not have more than "
                f"`max_tokens`={self.max_tokens} tokens. Received: {size}"
            )

    def _read(self, path: Any) -> list[Any]:
        if not Path(path).is_file():
            raise ValueError(f"Layer {self.name!r}: there is no vocabulary file {os.fspath(path)!r}.")
        lines = Path(path).read_bytes().decode(getattr(self, "encoding", "utf-8")).split("\n")
        if lines and not lines[-1]:
            lines.pop()
        lines = [line.removesuffix("\r") for line in lines]
        if "" in lines:
            raise ValueError(
                f"Layer {self.name!r}: line {lines.index('') + 1} of the vocabulary file {os.fspath(path)!r} is empty."
            )
        return lines

    def _use(self, tokens: list[Any]) -> None:
        """Take the tokens as the vocabulary."""
        start = len(self._special)
        self.__dict__["_tokens"] = tokens
        self.__dict__["_index"] = {token: start + i for i, token in enumerate(tokens)}

    def _use_weights(self, weights: np.ndarray, oov_weights: Any = None) -> None:
        """Set the weights of the mode "tf_idf"; tokens out of the vocabulary get their mean."""
        if oov_weights is None:
            oov_weights = np.full(len(self._special), weights.mean() if len(weights) else 1.0)
        self._put_weights(np.concatenate([oov_weights, weights]))

    def _put_weights(self, weights: np.ndarray) -> None:
        values = torch.as_tensor(np.asarray(weights, np.float32), device=get_device())
        self.__dict__.pop("_idf", None)
        self.register_buffer("_idf", values, persistent=False)

    # Adapting -------------------------------------------------------------------------------------------------

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Make the vocabulary of the most frequent tokens in the data.

        Equally frequent tokens stand in falling order. In the mode "tf_idf" a record is a document, and the weight of
        a token `log(1 + documents / (1 + documents with it))`.

        Args:
            data: array, list, DataLoader, Dataset, or iterable of batches.
            steps: number of batches to read, where the data comes in batches.
        """
        if self._is_static:
            raise ValueError(
                f"Layer {self.name!r} was given its vocabulary: it cannot `adapt`. Make one without `vocabulary`."
            )
        self.reset_state()
        for batch in batches(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch."""
        self._count(self._documents(data))

    def _count(self, documents: list[list[Any]]) -> None:
        self.__dict__["_documents_seen"] += len(documents)
        for document in documents:
            self._counts.update(document)
            if self.output_mode == "tf_idf":
                self._document_counts.update(set(document))

    def _documents(self, data: Any) -> list[list[Any]]:
        """The tokens of each record."""
        raise NotImplementedError

    def finalize_state(self) -> None:
        """Make the vocabulary of what was counted."""
        counts = {
            token: n for token, n in self._counts.items() if token not in (self.mask_token, self.oov_token)
        }
        tokens = sorted(counts, key=lambda token: (counts[token], token), reverse=True)
        if self.max_tokens is not None:
            tokens = tokens[: self.max_tokens - len(self._special)]
        self._use(tokens)
        if self.output_mode == "tf_idf":
            documents = self._documents_seen
            self._use_weights(
                np.array([math.log(1 + documents / (1 + self._document_counts[token])) for token in tokens])
            )

    def reset_state(self) -> None:
        """Forget what was counted."""
        put = self.__dict__.__setitem__
        put("_counts", Counter())
        put("_document_counts", Counter())
        put("_documents_seen", 0)

    # Looking up -----------------------------------------------------------------------------------------------

    def _require_vocabulary(self) -> None:
        if not self._tokens:
            raise RuntimeError(
                f"Layer {self.name!r} has no vocabulary yet: pass `vocabulary=…`, or call `adapt(data)` first."
            )

    def _encoded(self, indices: Tensor) -> Tensor:
        if self.output_mode == "int":
            return indices
        depth = self._depth
        assert depth is not None
        if self.output_mode != "tf_idf":
            return encode(indices, depth, self.output_mode, torch.int64)
        counts = encode(indices, depth, "count", torch.float32)
        weights = torch.nn.functional.pad(self._idf, (0, depth - len(self._idf)))
        return counts * weights

    @property
    def _depth(self) -> int | None:
        """The number of places of an encoding; None where it is not known yet."""
        if self.pad_to_max_tokens:
            return self.max_tokens
        return self.vocabulary_size() if self._tokens else self._expected_size

    def _stand_in(self, inputs: Tensor) -> Tensor:
        """For inputs without values, an output without values."""
        dtype = self._output_dtype
        kind = torch.uint8 if dtype == "string" else getattr(torch, dtype)
        return torch.empty(self.compute_output_shape(tuple(inputs.shape)), dtype=kind, device="meta")

    @property
    def _output_dtype(self) -> str:
        return "float32" if self.output_mode == "tf_idf" else "int64"

    def compute_output_shape(self, input_shape: Any) -> Any:
        return encoded_shape(input_shape, self._depth, self.output_mode)

    def compute_output_spec(self, inputs: Any) -> Any:
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=self._output_dtype)

    # Files ----------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "invert": self.invert,
            "max_tokens": self.max_tokens,
            "num_oov_indices": self.num_oov_indices,
            "oov_token": self.oov_token,
            "mask_token": self.mask_token,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            **self._own_config(),
            "idf_weights": self.input_idf_weights,
            "vocabulary": self.input_vocabulary,
            "vocabulary_size": self.vocabulary_size() if self._tokens else self._expected_size,
            "oov_method": self.oov_method,
            "salt": self.salt,
        }

    def _own_config(self) -> dict[str, Any]:
        return {}

    def get_build_config(self) -> dict[str, Any]:
        """Nothing: the layer has no weights."""
        return {}

    def save_own_variables(self, store: Any) -> None:
        if self.output_mode == "tf_idf" and self._idf is not None:
            store["idf_weights"] = self._idf.cpu().numpy()

    def load_own_variables(self, store: Any) -> None:
        if "idf_weights" in store:
            self._put_weights(np.asarray(store["idf_weights"]))

    def save_assets(self, dir_path: str) -> None:
        """Write the vocabulary, where the config does not have it, as `vocabulary.txt`."""
        if self.input_vocabulary is not None:
            return
        tokens = [str(token) for token in self.get_vocabulary()]
        broken = next((token for token in tokens if "\n" in token), None)
        if broken is not None:
            raise ValueError(
                f"Layer {self.name!r}: a file of tokens cannot hold {broken!r}, which has a line break. Make the layer "
                "with `vocabulary=layer.get_vocabulary(include_special_tokens=False)`, which its config keeps."
            )
        Path(dir_path, VOCABULARY_FILE).write_bytes(
            "\n".join(tokens).encode(getattr(self, "encoding", "utf-8"))
        )

    def load_assets(self, dir_path: str) -> None:
        """Read the vocabulary that `save_assets` wrote."""
        path = Path(dir_path, VOCABULARY_FILE)
        if self.input_vocabulary is not None or not path.is_file():
            return
        tokens = path.read_bytes().decode(getattr(self, "encoding", "utf-8")).split("\n")
        self._use(self._plain([token.removesuffix("\r") for token in tokens])[len(self._special) :])


def checked_salt(salt: Any, name: str) -> list[int] | None:
    """The two integers of a salt."""
    if salt is None:
        return None
    pair = [salt, salt] if isinstance(salt, int) else salt
    if not isinstance(pair, (list, tuple)) or len(pair) != 2 or not all(isinstance(n, int) for n in pair):
        raise ValueError(
            f"Layer {name!r}: `salt` must be an integer, or a list or tuple of two. Received: salt={salt!r}"
        )
    return list(pair)


def _is_path(vocabulary: Any) -> bool:
    return isinstance(vocabulary, (str, os.PathLike))


def _listed(values: Any) -> list[Any]:
    return list(values) if isinstance(values, (list, tuple)) else np.asarray(values).tolist()
