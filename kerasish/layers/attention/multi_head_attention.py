"""Attention with several heads."""

# B batch, N heads, T queries, S keys, H size of a head

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from kerasish import constraints, initializers, regularizers
from kerasish.errors import format_shape
from kerasish.layers.activation.softmax import Softmax, masked_softmax
from kerasish.layers.attention.products import attend, averaging_unseen, causal_mask, window_mask
from kerasish.layers.core.einsum_dense import LETTERS, EinsumDense
from kerasish.layers.layer import Layer
from kerasish.layers.regularization.dropout import Dropout
from kerasish.symbolic import infer_output


class HeadedAttention(Layer):
    """Base of the layers that project queries, keys and values to heads, attend, and project back."""

    _query_dense: EinsumDense
    _key_dense: EinsumDense
    _value_dense: EinsumDense
    _gate_dense: EinsumDense | None
    _output_dense: EinsumDense

    def __init__(
        self,
        dropout: float,
        use_bias: bool,
        sliding_window: int | None,
        flash_attention: bool | None,
        kernel_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        bias_regularizer: Any,
        kernel_constraint: Any,
        bias_constraint: Any,
        use_gate: bool,
        seed: int | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(dropout, bool) or not isinstance(dropout, (int, float)) or not 0 <= dropout < 1:
            raise ValueError(
                f"`dropout` of layer {self.name!r} must be a number from 0 to below 1. Received: dropout={dropout!r}"
            )
        if flash_attention and dropout > 0:
            raise ValueError(
                f"Layer {self.name!r}: flash attention cannot drop weights. Use `dropout=0.0`, or leave out "
                "`flash_attention=True`."
            )
        if sliding_window is not None:
            self._require_positive(sliding_window=sliding_window)
        self._dropout = dropout
        self._use_bias = use_bias
        self._use_gate = use_gate
        self._sliding_window = sliding_window
        self._flash_attention = flash_attention
        self._kernel_initializer = initializers.get(kernel_initializer)
        self._bias_initializer = initializers.get(bias_initializer)
        self._kernel_regularizer = regularizers.get(kernel_regularizer)
        self._bias_regularizer = regularizers.get(bias_regularizer)
        self._kernel_constraint = constraints.get(kernel_constraint)
        self._bias_constraint = constraints.get(bias_constraint)
        self._projection_regularizer: Any = None
        self._attention_axes: tuple[int, ...] | None = None
        self.seed = seed
        self.supports_masking = True

    def _require_positive(self, **arguments: Any) -> None:
        for argument, value in arguments.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(
                    f"`{argument}` of layer {self.name!r} must be a positive integer. Received: {argument}={value!r}"
                )

    # Building -------------------------------------------------------------------------------------------------

    def _build_projections(
        self, shapes: list[tuple], heads: tuple[int, int], head_size: int, value_size: int, outputs: tuple
    ) -> None:
        """Make the sublayers for query, key and value of these shapes, with these numbers of heads."""
        query, key, value = shapes
        self._query_dense = self._projection("query", query, heads[0], head_size)
        self._key_dense = self._projection("key", key, heads[1], head_size)
        self._gate_dense = self._projection("gate", query, heads[0], value_size) if self._use_gate else None
        self._value_dense = self._projection("value", value, heads[1], value_size)
        self._softmax = Softmax(dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self._dropout, seed=self.seed, dtype=self.dtype_policy)
        free = LETTERS[: len(query) - 1]
        new = LETTERS[30 : 30 + len(outputs)]
        self._output_dense = self._dense(
            "attention_output", f"{free}yz,yz{new}->{free}{new}", (*query[1:-1], *outputs), new,
            (*query[:-1], heads[0], value_size),
        )  # fmt: skip
        self._scale = 1 / math.sqrt(head_size)

    def _projection(self, name: str, shape: tuple, heads: int, size: int) -> EinsumDense:
        free = LETTERS[: len(shape) - 1]
        return self._dense(name, f"{free}x,xyz->{free}yz", (*shape[1:-1], heads, size), "yz", shape)

    def _dense(
        self, name: str, equation: str, output_shape: tuple, bias_axes: str, input_shape: tuple
    ) -> EinsumDense:
        layer = EinsumDense(
            equation,
            output_shape=(*(None for _ in output_shape[: -len(bias_axes)]), *output_shape[-len(bias_axes) :]),
            bias_axes=bias_axes if self._use_bias else None,
            kernel_initializer=self._kernel_initializer,
            bias_initializer=self._bias_initializer,
            kernel_regularizer=self._kernel_regularizer,
            bias_regularizer=self._bias_regularizer,
            activity_regularizer=self._projection_regularizer,
            kernel_constraint=self._kernel_constraint,
            bias_constraint=self._bias_constraint,
            dtype=self.dtype_policy,
            name=name,
        )
        layer._build_now({"input_shape": input_shape})
        return layer

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes with which `build` was called, for files."""
        return None if self._build_shapes is None else {"shapes_dict": dict(self._build_shapes)}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build with the shapes of `get_build_config()`."""
        super().build_from_config(config.get("shapes_dict", config))

    # Calling --------------------------------------------------------------------------------------------------

    def call(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        query_mask: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        if self._flash_attention and return_attention_scores:
            raise ValueError(
                f"Layer {self.name!r}: flash attention does not keep the scores. Leave out `flash_attention=True`, or "
                "`return_attention_scores=True`."
            )
        masks = {"query": query_mask, "value": value_mask, "key": key_mask}
        for name, x in (("query", query), ("value", value), ("key", key)):
            if masks[name] is None and x is not None:
                masks[name] = getattr(x, "_keras_mask", None)
        key = value if key is None else key
        self._check_shapes(tuple(query.shape), tuple(value.shape), tuple(key.shape))
        lengths = self._lengths(query), self._lengths(key)
        drops = bool(training) and self._dropout > 0
        keeps_scores = return_attention_scores or (drops and self.seed is not None)
        has_other_masks = attention_mask is not None or any(one is not None for one in masks.values())
        is_causal = use_causal_mask and not (
            has_other_masks or keeps_scores or self._sliding_window is not None or len(lengths[0]) > 1
        )
        mask = None
        if not is_causal:
            mask = self._attention_mask(query, key, masks, attention_mask, use_causal_mask)

        q = self._to_heads(self._query_dense(query))
        k = self._to_heads(self._key_dense(key))
        v = self._to_heads(self._value_dense(value))
        weights = None
        if keeps_scores:
            outputs, weights = self._attend_with_weights(q, k, v, mask, drops)
        else:
            if mask is not None and self._dropout == 0 and q.dim() == 4:
                # As in Keras, a query that sees no key averages all values here, and none in the other cases.
                q, mask = averaging_unseen(q, mask)
            outputs = attend(
                q, k, v, mask, self._scale, is_causal, self._dropout if drops else 0.0, self._flash_attention
            )
        outputs = self._from_heads(outputs, tuple(query.shape))
        if self._gate_dense is not None:
            outputs = outputs * torch.sigmoid(self._gate_dense(query))
        outputs = self._output_dense(outputs)
        if weights is None or not return_attention_scores:
            return outputs
        return outputs, weights.unflatten(-1, lengths[1]).unflatten(-1 - len(lengths[1]), lengths[0])

    def _attend_with_weights(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, drops: bool
    ) -> tuple[Tensor, Tensor]:
        shared = query.shape[-3] // key.shape[-3]
        if shared > 1:
            key, value = (x.repeat_interleave(shared, dim=-3) for x in (key, value))
        scores = torch.matmul(query * self._scale, key.transpose(-2, -1))
        weights = torch.softmax(scores, dim=-1) if mask is None else masked_softmax(scores, mask)
        kept = self._dropout_layer(weights, training=True) if drops else weights
        return torch.matmul(kept, value), weights

    def _lengths(self, x: Tensor) -> tuple[int, ...]:
        """The sizes of the axes along which `x` is attended to."""
        return tuple(x.shape[axis] for axis in self._attention_axes or (1,))

    def _order(self, rank: int) -> list[int]:
        """Axes of projections (B, …, N, H) in the order batch, free ones, N, attended ones, H."""
        attended = self._attention_axes or (1,)
        free = [axis for axis in range(1, rank - 1) if axis not in attended]
        return [0, *free, rank - 1, *attended, rank]

    def _to_heads(self, x: Tensor) -> Tensor:
        """(B, …, N, H) → (B, free …, N, T, H)."""
        if x.dim() == 4:
            return x.transpose(1, 2)
        x = x.permute(self._order(x.dim() - 1))
        attended = len(self._attention_axes or (1,))
        return x if attended == 1 else x.flatten(-1 - attended, -2)

    def _from_heads(self, x: Tensor, query_shape: tuple[int, ...]) -> Tensor:
        """(B, free …, N, T, H) → (B, …, N, H)."""
        if len(query_shape) == 3:
            return x.transpose(1, 2)
        order = self._order(len(query_shape))
        attended = self._attention_axes or (1,)
        x = x.unflatten(-2, [query_shape[axis] for axis in attended])
        return x.permute([order.index(axis) for axis in range(len(order))])

    def _attention_mask(
        self, query: Tensor, key: Tensor, masks: dict[str, Any], attention_mask: Any, use_causal_mask: bool
    ) -> Tensor | None:
        """Which keys each query sees, broadcast to (B, free …, N, T, S); None for all."""
        parts = []
        axis = (self._attention_axes or (1,))[0]
        sizes = query.shape[axis], key.shape[axis]
        if use_causal_mask:
            parts.append(causal_mask(*sizes, query.device))
        if self._sliding_window is not None:
            parts.append(window_mask(*sizes, self._sliding_window, query.device))
        for name, x, inserted in (("query", query, -1), ("value", key, -2), ("key", key, -2)):
            if masks[name] is None:
                continue
            one = torch.as_tensor(masks[name], dtype=torch.bool, device=query.device)
            if axis != 1 or one.shape != x.shape[:2]:
                raise ValueError(
                    f"`{name}_mask` of layer {self.name!r} must have shape {format_shape(x.shape[:2])}, and axis 1 "
                    f"must be the one attended to. Received: shape {format_shape(one.shape)}, attention axes "
                    f"{self._attention_axes or (1,)}"
                )
            parts.append(one.unsqueeze(inserted))
        if parts and len(self._attention_axes or (1,)) > 1:
            raise ValueError(
                f"Layer {self.name!r} attends along several axes, {self._attention_axes}: masks of positions, "
                "`use_causal_mask` and `sliding_window` need one. Give an `attention_mask`."
            )
        if attention_mask is not None:
            parts.append(torch.as_tensor(attention_mask, dtype=torch.bool, device=query.device))
        mask = None
        for part in parts:
            fitted = self._fit_mask(part, query, key)
            mask = fitted if mask is None else mask & fitted
        return mask

    def _fit_mask(self, mask: Tensor, query: Tensor, key: Tensor) -> Tensor:
        """(…, T …, S …) → (B or 1, free …, N or 1, T, S), checked."""
        ends = (*self._lengths(query), *self._lengths(key))
        attended = len(ends) // 2
        rank = query.dim() + attended
        given = tuple(mask.shape)
        while len(ends) <= mask.dim() < rank:
            mask = mask.unsqueeze(-1 - len(ends))
        heads = self._query_dense.kernel.shape[1]
        free = [query.shape[i] for i in range(1, query.dim() - 1) if i not in (self._attention_axes or (1,))]
        wanted = (query.shape[0], *free, heads, *ends)
        fits = mask.dim() == rank and all(
            size in (1, full) for size, full in zip(mask.shape, wanted, strict=True)
        )
        if not fits:
            raise ValueError(
                f"`attention_mask` of layer {self.name!r} must have shape "
                f"{format_shape((query.shape[0], *ends))}, or sizes of 1 there. Received: {format_shape(given)}"
            )
        if attended == 1:
            return mask
        mask = mask.expand(*mask.shape[: -len(ends)], *ends)
        return mask.flatten(-attended).flatten(-1 - attended, -2)

    def _check_shapes(self, query: tuple, value: tuple, key: tuple) -> None:
        if len(query) < 3 or len({len(query), len(value), len(key)}) > 1:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) needs query, value and key of the same rank, at least 3: "
                f"(batch, length, features). Received: query {format_shape(query)}, value {format_shape(value)}, "
                f"key {format_shape(key)}"
            )
        if any(None not in (a, b) and a != b for a, b in zip(value[1:-1], key[1:-1], strict=True)):
            raise ValueError(
                f"Layer {self.name!r} needs as many keys as values: their shapes must be equal but for the last size. "
                f"Received: value {format_shape(value)}, key {format_shape(key)}"
            )

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        return infer_output(self._call_on_meta, args, kwargs, self.name)

    def _shared_config(self) -> dict[str, Any]:
        return {
            "kernel_initializer": initializers.serialize(self._kernel_initializer),
            "bias_initializer": initializers.serialize(self._bias_initializer),
            "kernel_regularizer": regularizers.serialize(self._kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self._bias_regularizer),
            "activity_regularizer": regularizers.serialize(self._projection_regularizer),
            "kernel_constraint": constraints.serialize(self._kernel_constraint),
            "bias_constraint": constraints.serialize(self._bias_constraint),
            "seed": self.seed,
        }


class MultiHeadAttention(HeadedAttention):
    """Attend with several heads at once: `concat(head₁, …) Wᴼ`, `headᵢ = softmax(QWᵢ (KWᵢ)ᵀ / √key_dim) VWᵢ`.

    Args:
        num_heads: number of heads.
        key_dim: size of each head for query and key.
        value_dim: size of each head for value; key_dim by default.
        dropout: probability of dropping a weight in training.
        use_bias: whether the projections have biases.
        output_shape: sizes of the output's last axes; by default the query's last size.
        attention_axes: the axes along which to attend; all but the batch and the last by default.
        sliding_window: w lets query t see only keys s with |t − s| < w.
        flash_attention: True insists on torch's flash kernel, False on plain mathematics, None takes the best.
        kernel_initializer, …: initial values, penalties and projections of the weights.
        use_gate: whether each head is multiplied by `sigmoid(query · Wᴳ)`.
        seed: integer for reproducible draws.

    The call takes `query, value, key=value`, a Boolean `attention_mask` (B, T, S), `query_mask` (B, T),
    `value_mask` and `key_mask` (B, S) (by default the tensors' own masks), and `use_causal_mask`; with
    `return_attention_scores`, the weights (B, N, T, S) are returned, too.

    Shapes: query (B, T, D), value (B, S, E), key (B, S, F) → (B, T, D).

    Example:
        >>> layer = MultiHeadAttention(num_heads=4, key_dim=16)
        >>> x = torch.ones(2, 10, 64)
        >>> layer(x, x, use_causal_mask=True).shape
        torch.Size([2, 10, 64])

    Source: Vaswani et al., 2017, *Attention is all you need*, arXiv:1706.03762, section 3.2.2.
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
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
        super().__init__(
            dropout, use_bias, sliding_window, flash_attention, kernel_initializer, bias_initializer,
            kernel_regularizer, bias_regularizer, kernel_constraint, bias_constraint, use_gate, seed, **kwargs,
        )  # fmt: skip
        self._projection_regularizer = regularizers.get(activity_regularizer)
        value_dim = key_dim if value_dim is None else value_dim
        self._require_positive(num_heads=num_heads, key_dim=key_dim, value_dim=value_dim)
        self._num_heads = num_heads
        self._key_dim = key_dim
        self._value_dim = value_dim
        self._output_shape = (output_shape,) if isinstance(output_shape, int) else output_shape
        self._output_shape = None if output_shape is None else tuple(self._output_shape)
        axes = (attention_axes,) if isinstance(attention_axes, int) else attention_axes
        self._attention_axes = None if axes is None else tuple(axes)

    num_heads = property(lambda self: self._num_heads)
    key_dim = property(lambda self: self._key_dim)
    value_dim = property(lambda self: self._value_dim)
    dropout = property(lambda self: self._dropout)
    use_bias = property(lambda self: self._use_bias)
    attention_axes = property(lambda self: self._attention_axes)
    query_dense = property(lambda self: self._query_dense)
    key_dense = property(lambda self: self._key_dense)
    value_dense = property(lambda self: self._value_dense)
    output_dense = property(lambda self: self._output_dense)

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:  # type: ignore[override]
        key_shape = value_shape if key_shape is None else key_shape
        self._check_shapes(query_shape, value_shape, key_shape)
        rank = len(query_shape)
        axes = range(1, rank - 1) if self._attention_axes is None else self._attention_axes
        if any(not -rank <= axis < rank or axis % rank in (0, rank - 1) for axis in axes):
            raise ValueError(
                f"`attention_axes` of layer {self.name!r} must lie between the batch and the features of the input. "
                f"Received: attention_axes={self._attention_axes} for query {format_shape(query_shape)}"
            )
        self._attention_axes = tuple(axis % rank for axis in axes)
        outputs = self._output_shape or (query_shape[-1],)
        self._build_projections(
            [tuple(query_shape), tuple(key_shape), tuple(value_shape)],
            (self._num_heads, self._num_heads), self._key_dim, self._value_dim, outputs,
        )  # fmt: skip

    def compute_output_shape(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> tuple:
        key_shape = value_shape if key_shape is None else key_shape
        self._check_shapes(tuple(query_shape), tuple(value_shape), tuple(key_shape))
        return (*query_shape[:-1], *(self._output_shape or query_shape[-1:]))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_heads": self._num_heads,
            "key_dim": self._key_dim,
            "value_dim": self._value_dim,
            "dropout": self._dropout,
            "use_bias": self._use_bias,
            "use_gate": self._use_gate,
            "output_shape": self._output_shape,
            "attention_axes": self._attention_axes,
            "sliding_window": self._sliding_window,
            **self._shared_config(),
        }
