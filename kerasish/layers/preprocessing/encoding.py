"""Indices of categories as vectors with one place for each category."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

ENCODINGS = ("one_hot", "multi_hot", "count")
SPARSE = (
    "Layer {name!r}: sparse tensors are not supported: leave out `sparse=True` for a dense output. With many "
    "categories take `output_mode='int'` and an `Embedding`."
)


def check_output_mode(layer: Any, output_mode: Any, allowed: tuple[str, ...], sparse: bool = False) -> None:
    """Raise for an unknown output mode, and for sparse outputs."""
    if output_mode not in allowed:
        raise ValueError(
            f"`output_mode` of layer {layer.name!r} must be one of {allowed}. Received: output_mode={output_mode!r}"
        )
    if sparse:
        raise ValueError(SPARSE.format(name=layer.name))


def require(condition: Tensor, message: str) -> None:
    """Raise where a condition on values does not hold; recorded steps test it again each time."""
    try:
        torch._assert_async(condition, message)
    except RuntimeError as error:
        raise ValueError(message) from error


def encode(
    indices: Tensor, depth: int, output_mode: str, dtype: torch.dtype, weights: Tensor | None = None
) -> Tensor:
    """The encoding of indices 0…depth − 1; others leave no trace.

    Shapes: `"one_hot"` (..., T) → (..., T, depth), T = 1 being dropped after the batch; `"multi_hot"` and `"count"`
    (..., T) → (..., depth).
    """
    if output_mode == "int":
        return indices.to(dtype)
    if output_mode == "one_hot":
        if indices.dim() == 0:
            indices = indices.unsqueeze(0)
        if indices.dim() == 1 or indices.shape[-1] != 1:
            indices = indices.unsqueeze(-1)
        return (indices == torch.arange(depth, device=indices.device)).to(dtype)
    if indices.dim() == 0:
        indices = indices.unsqueeze(0)
    is_known = (indices >= 0) & (indices < depth)
    places = torch.where(is_known, indices, depth)
    if weights is None:
        weights = torch.ones_like(places, dtype=dtype)
    zeros = torch.zeros((*places.shape[:-1], depth + 1), dtype=dtype, device=places.device)
    counts = torch.scatter_add(zeros, -1, places, weights)[..., :depth]
    return counts.clamp(max=1) if output_mode == "multi_hot" else counts


def encoded_shape(shape: Any, depth: int | None, output_mode: str) -> tuple[int | None, ...]:
    """The shape of the encoding of indices of a shape."""
    shape = tuple(shape)
    if output_mode == "int":
        return shape
    if output_mode == "one_hot":
        return (*(shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape or (1,)), depth)
    return (*shape[:-1], depth)
