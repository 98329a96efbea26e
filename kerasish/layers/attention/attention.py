"""Attention of queries to values, by products or by a sum."""

# B batch, T queries, S keys, D size of the vectors

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish.errors import format_shape
from kerasish.layers.activation.softmax import additive
from kerasish.layers.attention.products import attend, averaging_unseen, causal_mask
from kerasish.layers.layer import Layer
from kerasish.random import SeedGenerator
from kerasish.symbolic import infer_output
from kerasish.variable import Variable


class Attention(Layer):
    """Average the values with weights from scores of query and key: `softmax(Q Kᵀ) V`.

    Args:
        use_scale: whether the scores are multiplied by a trained number.
        score_mode: `"dot"`, or `"concat"`: `a · Σ tanh(q + k)` with a trained number a.
        dropout: probability of dropping a weight in training.
        seed: integer for reproducible draws.

    The call takes `[query, value]` or `[query, value, key]` and, as `mask`, `[query_mask, value_mask]`, True where
    a position counts. `use_causal_mask` lets query t see keys 0, …, t only; with `return_attention_scores`, the
    weights are returned, too.

    Shapes: query (B, T, D), value (B, S, E), key (B, S, D) → (B, T, E), and the weights (B, T, S).

    Source: Luong et al., 2015, *Effective approaches to attention-based neural machine translation*,
    arXiv:1508.04025.
    """

    scale: Variable | None
    concat_score_weight: Variable

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(
                f"`score_mode` of layer {self.name!r} must be 'dot' or 'concat'. "
                f"Received: score_mode={score_mode!r}"
            )
        _check_rate(self.name, dropout)
        self.use_scale = use_scale
        self.score_mode = score_mode
        self.dropout = dropout
        self.seed = seed
        self.seed_generator = SeedGenerator(seed) if seed is not None and dropout > 0 else None
        self.scale = None
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        self._check_inputs(input_shape)
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(
                name="concat_score_weight", shape=(), initializer="ones"
            )

    def _check_inputs(self, shapes: Any) -> None:
        is_list = isinstance(shapes, (list, tuple)) and all(isinstance(s, (list, tuple)) for s in shapes)
        if not is_list or len(shapes) not in (2, 3):
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) must be called on a list of two or three tensors, "
                f"[query, value] or [query, value, key]. Received: shapes {format_shape(shapes)}"
            )
        query, value, key = shapes[0], shapes[1], shapes[-1]
        wrong = (
            "ranks of at least 2, all equal" if min(map(len, shapes)) < 2 or len({*map(len, shapes)}) > 1
            else "query and key with the same last size" if _differ(query[-1], key[-1])
            else "as many keys as values" if _differ(key[-2], value[-2])
            else None
        )  # fmt: skip
        if wrong:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) needs {wrong}. Received: "
                f"query {format_shape(query)}, value {format_shape(value)}, key {format_shape(key)}"
            )

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        self._check_inputs([tuple(x.shape) for x in inputs] if isinstance(inputs, (list, tuple)) else inputs)
        query_mask, value_mask = self._masks(inputs, mask)
        query, value, key = inputs[0], inputs[1], inputs[-1]
        drops = training and self.dropout > 0
        if self.score_mode == "dot" and not return_attention_scores and self.seed_generator is None:
            outputs = self._fused(query, key, value, value_mask, use_causal_mask, drops)
            weights = None
        else:
            visible = _visible(query, key, value_mask, use_causal_mask)
            scores = self._calculate_scores(query, key)
            scores = scores if visible is None else scores + additive(visible, scores.dtype)
            weights = torch.softmax(scores, dim=-1)
            weights = _drop(weights, self.dropout, self.seed_generator) if drops else weights
            outputs = torch.matmul(weights, value)
        if query_mask is not None:
            outputs = outputs * query_mask.unsqueeze(-1)
        return (outputs, weights) if return_attention_scores else outputs

    def _masks(self, inputs: Any, mask: Any) -> tuple[Tensor | None, Tensor | None]:
        if mask is None:
            return None, None
        if not isinstance(mask, (list, tuple)) or not 2 <= len(mask) <= 3:
            raise ValueError(
                f"`mask` of layer {self.name!r} must be a list of two or three masks, [query_mask, value_mask], each "
                f"a tensor or None. Received: {mask!r}"
            )
        for what, x, one in (("query", inputs[0], mask[0]), ("value", inputs[1], mask[1])):
            if one is not None and one.shape != x.shape[:-1]:
                raise ValueError(
                    f"The mask of the {what} of layer {self.name!r} must have shape {format_shape(x.shape[:-1])}. "
                    f"Received: {format_shape(one.shape)}"
                )
        return mask[0], mask[1]

    def _fused(
        self, query: Tensor, key: Tensor, value: Tensor, value_mask: Any, use_causal_mask: bool, drops: bool
    ) -> Tensor:
        query = query if self.scale is None else query * self.scale
        mask = None if value_mask is None else _visible(query, key, value_mask, use_causal_mask)
        if mask is not None:
            query, mask = averaging_unseen(query, mask)
            mask = mask.unsqueeze(-3)
        outputs = attend(
            query.unsqueeze(-3), key.unsqueeze(-3), value.unsqueeze(-3), mask, 1.0,
            is_causal=use_causal_mask and mask is None, dropout=self.dropout if drops else 0.0,
        )  # fmt: skip
        return outputs.squeeze(-3)

    def _calculate_scores(self, query: Tensor, key: Tensor) -> Tensor:
        if self.score_mode == "dot":
            scores = torch.matmul(query, key.transpose(-2, -1))
            return scores if self.scale is None else scores * self.scale
        sums = query.unsqueeze(-2) + key.unsqueeze(-3)
        sums = sums if self.scale is None else sums * self.scale
        return torch.tanh(sums).sum(dim=-1) * self.concat_score_weight

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the query."""
        self._masks(inputs, mask)
        return None if mask is None or mask[0] is None else mask[0]

    def compute_output_shape(self, input_shape: Any) -> Any:
        self._check_inputs(input_shape)
        return (*input_shape[0][:-1], input_shape[1][-1])

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        return infer_output(self._call_on_meta, args, kwargs, self.name)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "use_scale": self.use_scale,
            "score_mode": self.score_mode,
            "dropout": self.dropout,
            "seed": self.seed,
        }


class AdditiveAttention(Attention):
    """Average the values with weights from a sum of query and key: `softmax(Σ_d v_d tanh(q_d + k_d)) V`.

    Args:
        use_scale: whether the vector v is trained; otherwise it is 1.
        dropout: probability of dropping a weight in training.

    Inputs, masks and shapes are those of `Attention`.

    Source: Bahdanau et al., 2015, *Neural machine translation by jointly learning to align and translate*,
    arXiv:1409.0473.
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, score_mode="concat", dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        self._check_inputs(input_shape)
        if self.use_scale:
            self.scale = self.add_weight(
                name="scale", shape=(input_shape[0][-1],), initializer="glorot_uniform"
            )

    def _calculate_scores(self, query: Tensor, key: Tensor) -> Tensor:
        sums = torch.tanh(query.unsqueeze(-2) + key.unsqueeze(-3))
        return sums.sum(dim=-1) if self.scale is None else torch.matmul(sums, self.scale)

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key != "score_mode"}


def _differ(size: int | None, other: int | None) -> bool:
    return None not in (size, other) and size != other


def _check_rate(name: str, dropout: Any) -> None:
    if isinstance(dropout, bool) or not isinstance(dropout, (int, float)) or not 0 <= dropout < 1:
        raise ValueError(
            f"`dropout` of layer {name!r} must be a number from 0 to below 1. Received: dropout={dropout!r}"
        )


def _visible(query: Tensor, key: Tensor, value_mask: Tensor | None, use_causal_mask: bool) -> Tensor | None:
    """Which keys each query sees, broadcast to (B, T, S); None for all."""
    mask = None if value_mask is None else value_mask.bool().unsqueeze(-2)
    if use_causal_mask:
        causal = causal_mask(query.shape[-2], key.shape[-2], query.device)
        mask = causal if mask is None else mask & causal
    return mask


def _drop(weights: Tensor, rate: float, generator: SeedGenerator | None) -> Tensor:
    if generator is None:
        return torch.dropout(weights, rate, True)
    keep = torch.empty_like(weights).bernoulli_(1 - rate, generator=generator.on(weights.device))
    return weights * keep.div_(1 - rate)
