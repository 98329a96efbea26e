"""Grids of settings of the attention layers."""

from __future__ import annotations

QUERY, VALUE, KEY = (2, 4, 3), (2, 5, 3), (2, 5, 3)
PAIR, THREE = {"query": QUERY, "value": VALUE}, {"query": QUERY, "value": (2, 5, 6), "key": (2, 5, 2)}
IMAGES = {"query": (2, 3, 4, 3), "value": (2, 3, 4, 3)}
HEADS = {"num_heads": 2, "key_dim": 3}
GROUPS = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}
PENALTIES = {
    "kernel_regularizer": "l2", "bias_regularizer": "l1", "activity_regularizer": "l1",
    "kernel_constraint": "max_norm", "bias_initializer": "ones", "kernel_initializer": "he_normal",
}  # fmt: skip

CASES = [
    ("Attention", {}, [QUERY, VALUE]),
    ("Attention", {}, [QUERY, (2, 5, 6), KEY]),
    ("Attention", {"use_scale": True, "dropout": 0.3}, [QUERY, VALUE, KEY]),
    ("Attention", {"score_mode": "concat"}, [QUERY, VALUE]),
    ("Attention", {"score_mode": "concat", "use_scale": True, "seed": 3}, [QUERY, (2, 5, 6), KEY]),
    ("Attention", {}, [(4, 3), (5, 3)]),
    ("Attention", {"use_scale": True}, [(2, 3, 4, 3), (2, 3, 5, 3)]),
    ("Attention", {"activity_regularizer": "l2"}, [QUERY, VALUE]),
    ("AdditiveAttention", {}, [QUERY, VALUE]),
    ("AdditiveAttention", {"use_scale": False, "dropout": 0.2}, [QUERY, (2, 5, 6), KEY]),
    ("AdditiveAttention", {"seed": 3, "trainable": False}, [QUERY, VALUE, KEY]),
    ("MultiHeadAttention", HEADS, PAIR),
    ("MultiHeadAttention", {"num_heads": 1, "key_dim": 2}, {"query": (2, 1, 1), "value": (2, 1, 1)}),
    ("MultiHeadAttention", HEADS, {"query": QUERY, "value": QUERY}),
    ("MultiHeadAttention", {**HEADS, "value_dim": 5, "use_bias": False}, THREE),
    ("MultiHeadAttention", {**HEADS, "output_shape": 7, "dropout": 0.4, "seed": 1}, PAIR),
    ("MultiHeadAttention", {**HEADS, "output_shape": (2, 4), "use_gate": True}, THREE),
    ("MultiHeadAttention", {**HEADS, "sliding_window": 2}, PAIR),
    ("MultiHeadAttention", {**HEADS, **PENALTIES}, PAIR),
    ("MultiHeadAttention", {**HEADS, "bias_constraint": "non_neg", "flash_attention": False}, PAIR),
    ("MultiHeadAttention", {**HEADS, "use_bias": False}, IMAGES),
    ("MultiHeadAttention", {**HEADS, "attention_axes": 2, "use_gate": True}, IMAGES),
    ("MultiHeadAttention", {**HEADS, "attention_axes": (1,), "output_shape": [5], "use_bias": False}, IMAGES),
    ("MultiHeadAttention", {**HEADS, "attention_axes": (-2, 1), "use_bias": False}, IMAGES),
    ("GroupQueryAttention", GROUPS, PAIR),
    ("GroupQueryAttention", {**GROUPS, "use_gate": True, "use_bias": False}, PAIR),
    ("GroupQueryAttention", {**GROUPS, "num_key_value_heads": 1, "sliding_window": 3}, PAIR),
    ("GroupQueryAttention", {**GROUPS, "num_key_value_heads": 4, "dropout": 0.2, "seed": 2}, PAIR),
    ("GroupQueryAttention", {**GROUPS, **PENALTIES, "flash_attention": False}, PAIR),
]
DETERMINISTIC_IN_TRAINING = {
    name: {"dropout": 0.0}
    for name in ("Attention", "AdditiveAttention", "MultiHeadAttention", "GroupQueryAttention")
}
SMALL_INPUTS = {"MultiHeadAttention", "GroupQueryAttention"}
