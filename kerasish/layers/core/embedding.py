"""Vectors for integers."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kerasish import constraints, initializers, regularizers
from kerasish.dtypes import torch_dtype
from kerasish.errors import format_shape
from kerasish.layers.layer import Layer
from kerasish.symbolic import KerasTensor
from kerasish.variable import Variable

INTEGERS = (torch.int64, torch.int32)


class Embedding(Layer):
    """Replace integers by trained vectors: `y = E[x]`.

    Args:
        input_dim: size of the vocabulary; the integers are 0, …, input_dim − 1.
        output_dim: length of the vectors.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: of the matrix E.
        mask_zero: whether 0 is padding, which later layers skip.
        weights: E, or a list that holds it, to start from.

    Shapes: integers of any shape; the output has one more dimension, output_dim.

    Example:
        >>> layer = Embedding(1000, 64, mask_zero=True)
        >>> layer(torch.tensor([[7, 2, 0]])).shape
        torch.Size([1, 3, 64])

    Raises:
        ValueError: an integer outside the vocabulary (on the CPU; CUDA checks it in the kernel).

    Differs: Keras lets negative integers count from the end of the vocabulary.
    """

    embeddings: Variable

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        length = kwargs.pop("input_length", None)
        if length is not None:
            kwargs["input_shape"] = tuple(length) if isinstance(length, (list, tuple)) else (length,)
        super().__init__(**kwargs)
        self.autocast = False
        if lora_rank is not None or lora_alpha is not None or quantization_config is not None:
            raise ValueError(
                f"Layer {self.name!r}: LoRA and quantization are not supported. Leave out `lora_rank`, `lora_alpha` "
                "and `quantization_config`; for LoRA use the `peft` package on this model, which is a torch module."
            )
        for argument, value in (("input_dim", input_dim), ("output_dim", output_dim)):
            if isinstance(value, bool) or not hasattr(value, "__index__") or value <= 0:
                raise ValueError(
                    f"`{argument}` of layer {self.name!r} must be a positive integer. Received: {argument}={value!r}"
                )
        self.input_dim = int(input_dim)
        self.output_dim = int(output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, (list, tuple)) else [weights])

    def _refresh_call_path(self) -> None:
        """The vectors are looked up in the weights' dtype, then cast: no autocast is needed."""
        self.__dict__["_mixed_dtype"] = None
        super()._refresh_call_path()

    def build(self, input_shape: Any = None) -> None:
        if "embeddings" in self._parameters:
            return
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )

    def call(self, inputs: Tensor) -> Tensor:
        indices = inputs if inputs.dtype in INTEGERS else inputs.to(torch.int32)
        try:
            outputs = F.embedding(indices, self.embeddings)
        except IndexError as error:
            raise ValueError(self._outside(indices)) from error
        return outputs if outputs.dtype is self._torch_dtype else outputs.to(self._torch_dtype)

    def _outside(self, indices: Tensor) -> str:
        wrong = indices[(indices < 0) | (indices >= self.input_dim)]
        low, high = int(wrong.min()), int(wrong.max())
        found = f"the index {low}" if low == high else f"{wrong.numel()} such indices, from {low} to {high}"
        return (
            f"Layer {self.name!r} has a vocabulary of input_dim={self.input_dim}: its input must be integers from 0 to "
            f"{self.input_dim - 1}. Received: {found}. Make `input_dim` the largest index + 1, or look at how the "
            "integers are made."
        )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """True where the input is not 0, if `mask_zero`."""
        return inputs != 0 if self.mask_zero else None

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape, self.output_dim)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": regularizers.serialize(self.embeddings_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "embeddings_constraint": constraints.serialize(self.embeddings_constraint),
            "mask_zero": self.mask_zero,
            "quantization_config": None,
        }


class ReversibleEmbedding(Embedding):
    """An embedding that also leads back: `E[x]`, and with `reverse=True` the scores `x · Eᵀ` of every integer.

    Args:
        input_dim, output_dim, embeddings_initializer, …, mask_zero: as for `Embedding`.
        tie_weights: whether the way back uses Eᵀ; otherwise it has a matrix of its own.
        reverse_dtype: dtype in which the scores are computed; the compute dtype by default.
        logit_soft_cap: the scores become `cap · tanh(scores / cap)`.

    Shapes: integers (…) → (…, output_dim); reversed, (…, output_dim) → (…, input_dim).

    Source: Press and Wolf, 2017, *Using the output embedding to improve language models*, arXiv:1608.05859.
    """

    reverse_embeddings: Variable

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: Any = None,
        logit_soft_cap: float | None = None,
        **kwargs: Any,
    ) -> None:
        weights = kwargs.pop("weights", None)
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
            mask_zero=mask_zero,
            **kwargs,
        )
        self.tie_weights = tie_weights
        self.reverse_dtype = reverse_dtype
        self.logit_soft_cap = logit_soft_cap
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, (list, tuple)) else [weights])

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        if not self.tie_weights and "reverse_embeddings" not in self._parameters:
            self.reverse_embeddings = self.add_weight(
                name="reverse_embeddings",
                shape=(self.output_dim, self.input_dim),
                initializer=self.embeddings_initializer,
            )

    def call(self, inputs: Tensor, reverse: bool = False) -> Tensor:
        if not reverse:
            return super().call(inputs)
        if inputs.shape[-1] != self.output_dim:
            raise ValueError(
                f"Layer {self.name!r} leads back from vectors of length output_dim={self.output_dim}. "
                f"Received: shape {format_shape(inputs.shape)}"
            )
        dtype = self._torch_dtype if self.reverse_dtype is None else torch_dtype(self.reverse_dtype)
        kernel = self.embeddings.t() if self.tie_weights else self.reverse_embeddings
        scores = torch.matmul(inputs.to(dtype), kernel.to(dtype))
        cap = self.logit_soft_cap
        return torch.tanh(scores / cap) * cap if cap else scores

    def _set_masks(self, inputs: Any, outputs: Any, previous_masks: Any) -> None:
        leads_back = outputs.dim() == inputs.dim()
        if not leads_back:
            super()._set_masks(inputs, outputs, previous_masks)

    def compute_output_shape(self, input_shape: Any, reverse: bool = False) -> Any:
        return (*input_shape[:-1], self.input_dim) if reverse else (*input_shape, self.output_dim)

    def compute_output_spec(self, inputs: Any, reverse: bool = False, **kwargs: Any) -> Any:
        dtype = self.reverse_dtype if reverse and self.reverse_dtype is not None else self.compute_dtype
        return KerasTensor(self.compute_output_shape(inputs.shape, reverse), dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "tie_weights": self.tie_weights,
            "reverse_dtype": self.reverse_dtype,
            "logit_soft_cap": self.logit_soft_cap,
        }
