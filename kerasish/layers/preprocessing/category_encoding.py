"""Integer categories as vectors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish.dtypes import torch_dtype
from kerasish.errors import format_shape
from kerasish.layers.layer import Layer
from kerasish.layers.preprocessing.encoding import (
    ENCODINGS,
    check_output_mode,
    encode,
    encoded_shape,
    require,
)
from kerasish.symbolic import KerasTensor


class CategoryEncoding(Layer):
    """Encode integers 0…num_tokens − 1 as vectors of that length.

    Args:
        num_tokens: number of categories.
        output_mode: "one_hot" of each value; "multi_hot" (which occur) or "count" (how often) of each record.

    Shapes: (..., T) → (..., T, num_tokens) for "one_hot", (..., num_tokens) otherwise. `count_weights` in the call
    are what each value counts, in the shape of the input.

    Raises:
        ValueError: a value is `num_tokens` or larger. Negative ones leave no trace.

    Example:
        >>> import kerasish
        >>> kerasish.layers.CategoryEncoding(num_tokens=4)([[0, 1], [3, 3]])
        tensor([[1., 1., 0., 0.],
                [0., 0., 0., 1.]])
    """

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_output_mode(self, output_mode, ENCODINGS, sparse)
        if num_tokens is None:
            raise ValueError(
                f"Layer {self.name!r} needs `num_tokens`. Where it is not known, let `IntegerLookup` learn the values."
            )
        if isinstance(num_tokens, bool) or not isinstance(num_tokens, int) or num_tokens < 1:
            raise ValueError(
                f"`num_tokens` of layer {self.name!r} must be a positive integer. Received: num_tokens={num_tokens!r}"
            )
        self.num_tokens = num_tokens
        self.output_mode = output_mode
        self.sparse = sparse

    def call(self, inputs: Any, count_weights: Any = None) -> Tensor:
        dtype = torch_dtype(self.compute_dtype)
        indices = torch.as_tensor(inputs, device=self._own_device()).to(torch.int64)
        if count_weights is not None:
            if self.output_mode != "count":
                raise ValueError(
                    f"Layer {self.name!r}: `count_weights` go with `output_mode='count'`. Received: "
                    f"output_mode={self.output_mode!r}"
                )
            count_weights = torch.as_tensor(count_weights, device=indices.device).to(dtype)
            if count_weights.shape != indices.shape:
                raise ValueError(
                    f"Layer {self.name!r}: `count_weights` must have the shape of the input, "
                    f"{format_shape(indices.shape)}. Received: {format_shape(count_weights.shape)}"
                )
        require(
            (indices < self.num_tokens).all(),
            f"Layer {self.name!r} takes integers below num_tokens={self.num_tokens}: one of its input is larger.",
        )
        return encode(indices, self.num_tokens, self.output_mode, dtype, count_weights)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return encoded_shape(input_shape, self.num_tokens, self.output_mode)

    def compute_output_spec(self, inputs: Any, count_weights: Any = None) -> Any:
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_tokens": self.num_tokens, "output_mode": self.output_mode}
