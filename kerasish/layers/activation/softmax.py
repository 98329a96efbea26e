"""Softmax as a layer."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish import activations
from kerasish.errors import format_shape
from kerasish.layers.layer import Layer

MASKED = {torch.float16: 3e4}  # what is subtracted from a masked score; 1e9 in the other dtypes


def additive(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """A mask as what is added to scores: 0 where True, a large negative number elsewhere."""
    return (mask.to(dtype) - 1) * MASKED.get(dtype, 1e9)


def masked_softmax(x: Tensor, mask: Tensor, axis: Any = -1) -> Tensor:
    """Softmax over what the mask allows; 0 for the others, also where all are masked."""
    masked = x + additive(mask, x.dtype)
    if isinstance(axis, int):
        return torch.softmax(masked, dim=axis) * mask
    return torch.exp(masked - torch.logsumexp(masked, dim=axis, keepdim=True)) * mask


class Softmax(Layer):
    """Probabilities that sum to 1: `y_i = exp(x_i) / Σ_j exp(x_j)`, over the positions that a mask allows.

    Args:
        axis: the axis, or axes, to sum over.

    The call takes a `mask` that broadcasts to the input, True where a position counts; the others become 0.
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        is_valid = isinstance(axis, int) or (
            isinstance(axis, (list, tuple)) and bool(axis) and all(isinstance(one, int) for one in axis)
        )
        if not is_valid:
            raise ValueError(
                f"`axis` of layer {self.name!r} must be an integer or a list of integers. Received: axis={axis!r}"
            )
        self.axis = axis
        self.supports_masking = True

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        axis = self.axis
        if not isinstance(axis, int):
            axis = tuple(axis) if len(axis) > 1 else axis[0]
        if mask is None:
            return activations.softmax(inputs, axis)
        fits = mask.dim() <= inputs.dim() and all(
            size in (1, wanted) for size, wanted in zip(mask.shape[::-1], inputs.shape[::-1], strict=False)
        )
        if not fits:
            raise ValueError(
                f"The mask of layer {self.name!r} must broadcast to its input of shape {format_shape(inputs.shape)}. "
                f"Received: {format_shape(mask.shape)}"
            )
        return masked_softmax(inputs, mask, axis)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
