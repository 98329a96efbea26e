"""Scaled dot-product attention."""

# B batch, T queries, S keys, N heads of the queries, K heads of keys and values, H size of a head

from __future__ import annotations

import contextlib
import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from kerasish.config import is_flash_attention_enabled
from kerasish.errors import format_shape
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.operands import promoted
from kerasish.ops.operation import operation


@operation
def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Any:
    """`softmax(query · keyᵀ · scale + bias) · value`, head by head: `(B, T, N, H)`.

    Args:
        query: `(B, T, N, H)`.
        key, value: `(B, S, K, H)`, N being a multiple of K: each of their heads serves N / K heads of the queries.
        bias: added to the logits, broadcast to `(B, N, T, S)`.
        mask: True where a query may see a key, broadcast to `(B, N, T, S)`. Where it may see none, it sees all alike.
        scale: factor of the logits, 1 / √H for None.
        is_causal: whether query t sees keys 0, …, t only.
        flash_attention: True to insist on torch's flash kernel, False to exclude the fused kernels, None to let torch
            choose.
        attn_logits_soft_cap: c, to replace the logits by `c · tanh(logits / c)`.

    Raises:
        ValueError: wrong ranks or numbers of heads, `bias` and `mask` together.

    Source: Vaswani et al., 2017, *Attention is all you need*, arXiv:1706.03762.
    Differs: torch's function has the heads before the positions.
    """
    query, key, value = promoted(query, key, value, with_float=True)
    _check(query, key, value, bias, mask)
    shift = _logits_mask(query, key, bias, mask, is_causal)
    is_only_causal = is_causal and shift is None
    queries_per_key = query.shape[2] // key.shape[2]
    query, key, value = (x.transpose(1, 2) for x in (query, key, value))
    if queries_per_key > 1:
        key, value = (x.repeat_interleave(queries_per_key, 1) for x in (key, value))
    if mask is not None:
        sees_nothing = ~shift.any(-1, keepdim=True)
        query, shift = query.masked_fill(sees_nothing, 0), shift | sees_nothing
    if attn_logits_soft_cap is not None:
        cap = float(attn_logits_soft_cap)
        return _capped(query, key, value, shift, is_only_causal, scale, cap).transpose(1, 2)
    with _kernels(flash_attention):
        return F.scaled_dot_product_attention(
            query, key, value, shift, is_causal=is_only_causal, scale=scale
        ).transpose(1, 2)


def _check(query: Tensor, key: Tensor, value: Tensor, bias: Any, mask: Any) -> None:
    shapes = (
        f"query {format_shape(query.shape)}, key {format_shape(key.shape)}, value {format_shape(value.shape)}"
    )
    if not query.ndim == key.ndim == value.ndim == 4:
        raise ValueError(
            "dot_product_attention: query, key and value must have 4 dimensions, (batch, positions, heads, size). "
            f"Received: {shapes}"
        )
    if key.shape[2] != value.shape[2] or query.shape[2] % key.shape[2]:
        raise ValueError(
            "dot_product_attention: key and value must have equally many heads, and query a multiple of them. "
            f"Received: {shapes}"
        )
    if bias is not None and mask is not None:
        raise ValueError(
            "dot_product_attention takes `bias` or `mask`, not both: put −∞ into `bias` instead."
        )


def _logits_mask(query: Tensor, key: Tensor, bias: Any, mask: Any, is_causal: bool) -> Any:
    """What is added to the logits, or where they count; None where nothing but the causal order is given."""
    if bias is None and mask is None:
        return None
    is_visible = torch.ones(query.shape[1], key.shape[1], dtype=torch.bool, device=query.device)
    is_visible = is_visible.tril() if is_causal else is_visible
    if mask is not None:
        return convert_to_tensor(mask).bool() & is_visible
    return convert_to_tensor(bias).to(query.dtype).masked_fill(~is_visible, -math.inf)


def _capped(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    shift: Tensor | None,
    is_causal: bool,
    scale: float | None,
    cap: float,
) -> Tensor:
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    logits = cap * torch.tanh(query @ key.mT * factor / cap)
    if is_causal:
        shift = torch.ones(logits.shape[-2:], dtype=torch.bool, device=logits.device).tril()
    if shift is not None:
        logits = logits.masked_fill(~shift, -math.inf) if shift.dtype is torch.bool else logits + shift
    return logits.softmax(-1) @ value


def _kernels(flash_attention: bool | None) -> Any:
    if flash_attention:
        return sdpa_kernel(SDPBackend.FLASH_ATTENTION)
    if flash_attention is None and is_flash_attention_enabled():
        return contextlib.nullcontext()
    return sdpa_kernel(SDPBackend.MATH)
