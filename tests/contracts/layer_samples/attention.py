"""Samples of the attention layers."""

from __future__ import annotations

from tests.contracts.layer_samples.sample import Sample

QUERY, VALUE = (4, 3), (5, 3)
PAIR = {"query": QUERY, "value": VALUE}
HEADS = {"num_heads": 2, "key_dim": 3}
GROUPS = {"head_dim": 4, "num_query_heads": 4, "num_key_value_heads": 2}

SAMPLES: dict[str, list[Sample]] = {
    "Attention": [
        Sample({}, [QUERY, VALUE]),
        Sample({"use_scale": True, "dropout": 0.2, "seed": 1}, [QUERY, (5, 6), VALUE]),
        Sample({"score_mode": "concat", "use_scale": True}, [QUERY, VALUE]),
    ],
    "AdditiveAttention": [
        Sample({}, [QUERY, VALUE]),
        Sample({"use_scale": False, "dropout": 0.2}, [QUERY, (5, 6), VALUE]),
    ],
    "MultiHeadAttention": [
        Sample(HEADS, PAIR),
        Sample({**HEADS, "dropout": 0.2, "use_gate": True, "output_shape": 4}, {**PAIR, "key": (5, 2)}),
        Sample({**HEADS, "attention_axes": (1, 2)}, {"query": (3, 2, 4), "value": (3, 2, 4)}),
    ],
    "GroupQueryAttention": [
        Sample(GROUPS, PAIR),
        Sample({**GROUPS, "use_gate": True, "dropout": 0.2, "seed": 1, "sliding_window": 3}, PAIR),
    ],
}  # fmt: skip
