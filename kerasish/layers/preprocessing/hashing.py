"""Strings and integers to bins, by their hash."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from kerasish.arrays import to_tensor
from kerasish.dtypes import is_int_dtype, torch_dtype
from kerasish.errors import received
from kerasish.layers.layer import Layer
from kerasish.layers.preprocessing.encoding import ENCODINGS, check_output_mode, encode, encoded_shape
from kerasish.layers.preprocessing.fingerprint import hash_numbers, hash_strings, modulo
from kerasish.layers.preprocessing.index_lookup import checked_salt
from kerasish.layers.preprocessing.text import as_text, is_textual
from kerasish.symbolic import KerasTensor


class Hashing(Layer):
    """Put strings, or integers (as their digits), into bins: hash mod `num_bins`.

    Args:
        num_bins: number of bins.
        mask_value: value that has bin 0 for itself, so that all others share `num_bins − 1`.
        salt: one or two integers: the hash is SipHash-2-4 with them, else FarmHash64.
        output_mode: "int"; "one_hot" of each value; "multi_hot" or "count" of each record.

    Shapes: any; strings come as lists or NumPy arrays, in models through `Input(shape, dtype="string")`.

    Example:
        >>> import kerasish
        >>> kerasish.layers.Hashing(num_bins=3)(["A", "B", "C"])
        tensor([1, 0, 1])

    Source: Pike and Alakuijala, 2014, *FarmHash*; Aumasson and Bernstein, 2012, *SipHash: a fast short-input PRF*.
    """

    takes_text = True

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64" if output_mode == "int" else None
        super().__init__(**kwargs)
        check_output_mode(self, output_mode, ("int", *ENCODINGS), sparse)
        check_num_bins(num_bins, self.name)
        if output_mode == "int" and not is_int_dtype(self.compute_dtype):
            raise ValueError(
                f"Layer {self.name!r}: with `output_mode='int'` the dtype must be one of integers. Received: "
                f"dtype={self.compute_dtype!r}"
            )
        self.num_bins = num_bins
        self.mask_value = mask_value
        self.__dict__["salt"] = checked_salt(salt, self.name)
        self.output_mode = output_mode
        self.sparse = sparse

    def call(self, inputs: Any) -> Tensor:
        dtype = torch_dtype(self.compute_dtype)
        return encode(self._bins(inputs), self.num_bins, self.output_mode, dtype)

    def _bins(self, inputs: Any) -> Tensor:
        salt = None if self.salt is None else (self.salt[0], self.salt[1])
        count = self.num_bins - (self.mask_value is not None and self.num_bins > 1)
        if is_textual(inputs):
            text = as_text(inputs, self.name)
            flat = text.reshape(-1).tolist()
            hashes = hash_strings([item.encode() for item in flat], salt)
            is_mask = torch.tensor([item == self.mask_value for item in flat], dtype=torch.bool)
            hashes, is_mask = (x.reshape(text.shape).to(self._own_device()) for x in (hashes, is_mask))
        else:
            numbers = (
                inputs if isinstance(inputs, Tensor) else to_tensor(np.asarray(inputs)).to(self._own_device())
            )
            if isinstance(self.mask_value, str):
                raise TypeError(
                    f"Layer {self.name!r} has the mask value {self.mask_value!r}: it takes strings. Received: "
                    f"{received(numbers)}"
                )
            numbers = numbers.to(torch.int64)
            hashes = hash_numbers(numbers, salt)
            is_mask = numbers == (0 if self.mask_value is None else self.mask_value)
        bins = modulo(hashes, count)
        return bins if self.mask_value is None else torch.where(is_mask, 0, bins + (self.num_bins > 1))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return encoded_shape(input_shape, self.num_bins, self.output_mode)

    def compute_output_spec(self, inputs: Any) -> Any:
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_bins": self.num_bins,
            "salt": self.salt,
            "mask_value": self.mask_value,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
        }


def check_num_bins(num_bins: Any, name: str) -> None:
    """Raise unless it is a positive integer."""
    if isinstance(num_bins, bool) or not isinstance(num_bins, (int, np.integer)) or num_bins <= 0:
        raise ValueError(
            f"`num_bins` of layer {name!r} must be a positive integer. Received: num_bins={num_bins!r}"
        )
