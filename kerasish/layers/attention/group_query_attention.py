"""Attention in which several query heads share a head of keys and values."""

# B batch, N heads, T queries, S keys

from __future__ import annotations

from typing import Any

from kerasish import regularizers
from kerasish.errors import format_shape
from kerasish.layers.attention.multi_head_attention import HeadedAttention
from kerasish.naming import unique_name


class GroupQueryAttention(HeadedAttention):
    """Attend with `num_query_heads` heads, of which groups share the keys and values of one head.

    Args:
        head_dim: size of each head.
        num_query_heads: number of query heads.
        num_key_value_heads: number of key and value heads; divides num_query_heads. 1 is multi-query attention,
            num_query_heads is multi-head attention.
        dropout, use_bias, sliding_window, flash_attention, kernel_initializer, …, use_gate, seed: as for
            `MultiHeadAttention`, as are masks and the call.

    Shapes: query (B, T, D), value and key (B, S, D) → (B, T, D).

    Source: Ainslie et al., 2023, *GQA: training generalized multi-query transformer models*, arXiv:2305.13245.
    """

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs["name"] = kwargs.get("name") or unique_name("grouped_query_attention")
        super().__init__(
            dropout, use_bias, sliding_window, flash_attention, kernel_initializer, bias_initializer,
            kernel_regularizer, bias_regularizer, kernel_constraint, bias_constraint, use_gate, seed,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self._projection_regularizer = regularizers.get(activity_regularizer)
        self._require_positive(
            head_dim=head_dim, num_query_heads=num_query_heads, num_key_value_heads=num_key_value_heads
        )
        if num_query_heads % num_key_value_heads:
            raise ValueError(
                f"`num_query_heads` of layer {self.name!r} must be a multiple of `num_key_value_heads`. "
                f"Received: {num_query_heads} and {num_key_value_heads}"
            )
        self.head_dim = head_dim
        self.num_query_heads = num_query_heads
        self.num_key_value_heads = num_key_value_heads
        self.dropout = dropout
        self.use_bias = use_bias
        self.use_gate = use_gate
        self.sliding_window = sliding_window

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:  # type: ignore[override]
        key_shape = value_shape if key_shape is None else key_shape
        self._check_shapes(query_shape, value_shape, key_shape)
        self._build_projections(
            [tuple(query_shape), tuple(key_shape), tuple(value_shape)],
            (self.num_query_heads, self.num_key_value_heads), self.head_dim, self.head_dim, (query_shape[-1],),
        )  # fmt: skip

    def _check_shapes(self, query: tuple, value: tuple, key: tuple) -> None:
        super()._check_shapes(query, value, key)
        if len(query) != 3:
            raise ValueError(
                f"Layer {self.name!r} needs query, value and key of shape (batch, length, features). "
                f"Received: query {format_shape(query)}"
            )

    def compute_output_shape(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> tuple:
        key_shape = value_shape if key_shape is None else key_shape
        self._check_shapes(tuple(query_shape), tuple(value_shape), tuple(key_shape))
        return tuple(query_shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "head_dim": self.head_dim,
            "num_query_heads": self.num_query_heads,
            "num_key_value_heads": self.num_key_value_heads,
            "use_bias": self.use_bias,
            "use_gate": self.use_gate,
            "sliding_window": self.sliding_window,
            "dropout": self.dropout,
            **self._shared_config(),
        }
