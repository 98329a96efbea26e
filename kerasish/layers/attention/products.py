"""What the attention layers share: masks, and products of queries, keys and values."""

# B batch, N heads, T queries, S keys, H size of a head

from __future__ import annotations

import contextlib
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from kerasish.config import is_flash_attention_enabled
from kerasish.layers.activation.softmax import additive


def causal_mask(queries: int, keys: int, device: torch.device) -> Tensor:
    """The mask (T, S) in which query t sees keys 0, …, t."""
    return torch.ones(queries, keys, dtype=torch.bool, device=device).tril()


def window_mask(queries: int, keys: int, width: int, device: torch.device) -> Tensor:
    """The mask (T, S) in which query t sees the keys s with |t − s| < width."""
    ones = torch.ones(queries, keys, dtype=torch.bool, device=device)
    return ones.tril(width - 1).triu(1 - width)


def averaging_unseen(query: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """The queries and an additive mask with which a query that sees no key averages all values.

    A large negative number for all keys would do so, too, but the fused kernels' gradients are wrong then.
    """
    sees = mask.any(dim=-1, keepdim=True)
    return query * sees, additive(mask | ~sees, query.dtype)


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    scale: float,
    is_causal: bool = False,
    dropout: float = 0.0,
    flash_attention: bool | None = None,
) -> Tensor:
    """`softmax(scale · Q Kᵀ + mask) V` by torch's fused kernels, without keeping the scores.

    Shapes: (…, N, T, H), and (…, N′, S, H) with N a multiple of N′.

    Source: Vaswani et al., 2017, *Attention is all you need*, arXiv:1706.03762, eq. 1; Dao et al., 2022,
    *FlashAttention*, arXiv:2205.14135.
    """
    shares_keys = query.dim() > 3 and query.shape[-3] != key.shape[-3]
    with _kernels(flash_attention):
        try:
            return F.scaled_dot_product_attention(
                query, key, value, mask, dropout, is_causal, scale=scale, enable_gqa=shares_keys
            )
        except RuntimeError as error:
            if flash_attention and "kernel" in str(error):
                raise ValueError(
                    "Flash attention cannot take these inputs: on CUDA it needs float16 or bfloat16, heads of at most "
                    "256 values, and no mask other than `use_causal_mask`. Leave out `flash_attention=True` for "
                    f"the fastest kernel that can. Received: queries of dtype {query.dtype} on {query.device}, "
                    f"mask: {mask is not None}"
                ) from error
            raise


def _kernels(flash_attention: bool | None) -> Any:
    """Context that restricts torch's choice of a kernel."""
    if flash_attention:
        return sdpa_kernel(SDPBackend.FLASH_ATTENTION)
    if flash_attention is False or not is_flash_attention_enabled():
        return sdpa_kernel(SDPBackend.MATH)
    return contextlib.nullcontext()
