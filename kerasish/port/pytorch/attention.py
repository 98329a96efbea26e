"""Attention with several heads."""

# B batch, T queries, S keys

from __future__ import annotations

from typing import Any

import torch

from kerasish import layers
from kerasish.port.pytorch.modules import emits
from kerasish.port.pytorch.source import PLAIN, Body, Value

ATTENTION = '''class MultiHeadAttention(nn.Module):
    """Attention whose heads have sizes of their own."""

    def __init__(self, heads, sizes, key_dim, value_dim, out, bias=True, dropout=0.0):
        super().__init__()
        query, key, value = sizes
        self.heads = heads
        self.dropout = dropout
        self.query = nn.Linear(query, heads * key_dim, bias=bias)
        self.key = nn.Linear(key, heads * key_dim, bias=bias)
        self.value = nn.Linear(value, heads * value_dim, bias=bias)
        self.out = nn.Linear(heads * value_dim, out, bias=bias)

    def forward(self, query, key, value, mask=None, is_causal=False):
        q, k, v = (
            x.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for x in (self.query(query), self.key(key), self.value(value))
        )
        if mask is not None and not self.dropout:
            sees = mask.any(dim=-1, keepdim=True)  # without a key, average all values
            q, mask = q * sees, mask | ~sees
        dropout = self.dropout if self.training else 0.0
        x = F.scaled_dot_product_attention(q, k, v, mask, dropout, is_causal)
        return self.out(x.transpose(1, 2).flatten(2))'''


@emits(layers.MultiHeadAttention)
def attention(
    body: Body,
    layer: Any,
    query: Value,
    value: Value,
    key: Value | None = None,
    attention_mask: Value | None = None,
    use_causal_mask: bool = False,
) -> Value | None:
    """`nn.MultiheadAttention` where the heads together have the size of the query, else a class."""
    parts = [f"{body.get(query.mask)}.unsqueeze(-1)"] if query.mask is not None else []
    masks = [x.mask for x in (value, key) if x is not None and x.mask is not None]
    parts += [f"{body.get(mask)}.unsqueeze(-2)" for mask in masks]
    is_plain = attention_mask is None or (
        isinstance(attention_mask, Value) and len(attention_mask.shape) == 3
    )
    key = value if key is None else key
    heads, size = layer._num_heads, layer._key_dim
    features = query.shape[-1]
    shape = tuple(layer._output_shape or (features,))
    if not (
        len(query.shape) == len(value.shape) == 3 and len(shape) == 1 and not layer._use_gate and is_plain
        and layer._sliding_window is None and layer._attention_axes in (None, (1,))
    ):  # fmt: skip
        return None
    if attention_mask is not None:
        parts.append(f"{body.get(attention_mask)}.bool()")
    fits = layer._value_dim == size and heads * size == features == shape[0]
    if parts or not fits or not value.shape[-1] == key.shape[-1] == features:
        return _attention_class(body, layer, (query, key, value), shape[0], parts, use_causal_mask)
    q, k, v, o = layer._query_dense, layer._key_dense, layer._value_dense, layer._output_dense
    weights: dict[str, Any] = {
        "in_proj_weight": (
            [q.kernel, k.kernel, v.kernel], lambda *w: torch.cat([one.flatten(1).t() for one in w])
        ),
        "out_proj.weight": ([o.kernel], lambda w: w.flatten(0, 1).t()),
    }  # fmt: skip
    if layer._use_bias:
        weights["in_proj_bias"] = (
            [q.bias, k.bias, v.bias],
            lambda *b: torch.cat([one.flatten() for one in b]),
        )
        weights["out_proj.bias"] = ([o.bias], lambda b: b)
    options = f", dropout={layer._dropout}" if layer._dropout else ""
    options += "" if layer._use_bias else ", bias=False"
    module = body.module(
        layer, layer.name, f"nn.MultiheadAttention({features}, {heads}{options}, batch_first=True)", weights
    )
    tokens = [body.get(x) for x in (query, key, value)]
    mask = ""
    if use_causal_mask:
        ones = f"torch.ones({tokens[0]}.shape[1], {tokens[1]}.shape[1], dtype=torch.bool"
        mask = f", attn_mask={body.set(f'{ones}, device={tokens[0]}.device).triu(1)')}"
    outputs = body.unpack(f"{module}({', '.join(tokens)}, need_weights=False{mask})", 2)[0]
    return Value(query.shape, query.dtype, {PLAIN: outputs})


def _attention_class(
    body: Body,
    layer: Any,
    inputs: tuple[Value, Value, Value],
    out: int,
    parts: list[str],
    is_causal: bool,
) -> Value:
    """A class of the emitted file, which takes heads of any size and masks."""
    query = inputs[0]
    name = body.file.function(
        "MultiHeadAttention", lambda name: ATTENTION.replace("MultiHeadAttention", name)
    )
    weights: dict[str, Any] = {}
    for part in ("query", "key", "value"):
        dense = getattr(layer, f"_{part}_dense")
        weights[f"{part}.weight"] = ([dense.kernel], lambda w: w.flatten(1).t())
        if layer._use_bias:
            weights[f"{part}.bias"] = ([dense.bias], lambda b: b.flatten())
    weights["out.weight"] = ([layer._output_dense.kernel], lambda w: w.flatten(0, 1).t())
    if layer._use_bias:
        weights["out.bias"] = ([layer._output_dense.bias], lambda b: b)
    sizes = ", ".join(str(x.shape[-1]) for x in inputs)
    options = "" if layer._use_bias else ", bias=False"
    options += f", dropout={layer._dropout}" if layer._dropout else ""
    module = body.module(
        layer,
        layer.name,
        f"{name}({layer._num_heads}, ({sizes}), {layer._key_dim}, {layer._value_dim}, {out}{options})",
        weights,
    )
    tokens = [body.get(x) for x in inputs]
    more = ", is_causal=True" if is_causal else ""
    if parts:
        if is_causal:
            ones = f"torch.ones({tokens[0]}.shape[1], {tokens[1]}.shape[1], dtype=torch.bool"
            parts = [*parts, body.set(f"{ones}, device={tokens[0]}.device).tril()")]
        mask = body.set(" & ".join(parts), "attention_mask")
        more = f", {mask}.unsqueeze(1)"
    expression = f"{module}({', '.join(tokens)}{more})"
    return Value((*query.shape[:-1], out), query.dtype, {PLAIN: body.set(expression)}, query.mask)
