"""Combinations of categorical features to bins."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from kerasish.arrays import to_tensor
from kerasish.dtypes import torch_dtype
from kerasish.errors import format_shape, received
from kerasish.layers.layer import Layer
from kerasish.layers.preprocessing.encoding import check_output_mode, encode, encoded_shape
from kerasish.layers.preprocessing.fingerprint import fingerprint_cat, hash_strings, modulo
from kerasish.layers.preprocessing.hashing import check_num_bins
from kerasish.layers.preprocessing.text import as_text, is_textual
from kerasish.symbolic import KerasTensor

START = 0xDECAFCAFFE


class HashedCrossing(Layer):
    """Put each combination of two or more features, strings or integers, into a bin: their joint hash mod `num_bins`.

    Args:
        num_bins: number of bins.
        output_mode: "int" or "one_hot".

    Shapes: a list or tuple of inputs (B,), all (B, 1), or all scalars.

    Example:
        >>> import kerasish
        >>> kerasish.layers.HashedCrossing(num_bins=5)((["A", "B"], [101, 101]))
        tensor([1, 4])

    Source: Weinberger et al., 2009, *Feature hashing for large scale multitask learning*; hashes are those of
    `tf.sparse.cross_hashed`.
    """

    takes_text = True

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        if dtype is None:
            dtype = "int64" if output_mode == "int" else None
        super().__init__(name=name, dtype=dtype, **kwargs)
        check_output_mode(self, output_mode, ("int", "one_hot"), sparse)
        check_num_bins(num_bins, self.name)
        self.num_bins = num_bins
        self.output_mode = output_mode
        self.sparse = sparse

    def call(self, inputs: Any) -> Tensor:
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise ValueError(
                f"Layer {self.name!r} takes a list or tuple of at least two features. Received: {received(inputs)}"
            )
        features = [self._feature(x) for x in inputs]
        shapes = [tuple(x.shape) for x in features]
        if len(set(shapes)) > 1:
            raise ValueError(
                f"Layer {self.name!r} takes features of equal shapes. Received: {', '.join(map(format_shape, shapes))}"
            )
        if len(shapes[0]) > 2 or (len(shapes[0]) == 2 and shapes[0][1] != 1):
            raise ValueError(
                f"Layer {self.name!r} takes features of shape (), (B,) or (B, 1). Received: {format_shape(shapes[0])}"
            )
        joined = torch.full_like(features[0], START)
        for feature in features:
            joined = fingerprint_cat(joined, feature)
        return encode(
            modulo(joined, self.num_bins), self.num_bins, self.output_mode, torch_dtype(self.compute_dtype)
        )

    def _feature(self, x: Any) -> Tensor:
        """A fingerprint of each string, integers as they are."""
        if is_textual(x):
            text = as_text(x, self.name)
            hashes = hash_strings([item.encode() for item in text.reshape(-1).tolist()])
            return hashes.reshape(text.shape).to(self._own_device())
        numbers = x if isinstance(x, Tensor) else to_tensor(np.asarray(x)).to(self._own_device())
        if numbers.is_floating_point():
            raise ValueError(
                f"Layer {self.name!r} takes strings or integers; for floats take `Discretization` first. Received: "
                f"{received(numbers)}"
            )
        return numbers.to(torch.int64)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return encoded_shape(input_shape[0], self.num_bins, self.output_mode)

    def compute_output_spec(self, inputs: Any) -> Any:
        return KerasTensor(self.compute_output_shape([x.shape for x in inputs]), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            "num_bins": self.num_bins,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
            "name": self.name,
            "dtype": self.dtype,
        }
