"""Samples of the embeddings, of `EinsumDense` and of `Lambda`."""

from __future__ import annotations

from kerasish.saving import register_keras_serializable
from tests.contracts.layer_samples.sample import Sample


@register_keras_serializable("tests")
def half(x, power=1):
    return (x / 2) ** power


SAMPLES: dict[str, list[Sample]] = {
    "Embedding": [
        Sample({"input_dim": 5, "output_dim": 3}, (4,), "int64"),
        Sample(
            {"input_dim": 9, "output_dim": 2, "mask_zero": True, "embeddings_regularizer": "l2"},
            (4, 3),
            "int32",
        ),
        Sample({"input_dim": 5, "output_dim": 3, "embeddings_constraint": "max_norm"}, (4,), "uint8"),
    ],
    "ReversibleEmbedding": [
        Sample({"input_dim": 5, "output_dim": 3}, (4,), "int64"),
        Sample({"input_dim": 5, "output_dim": 3, "logit_soft_cap": 2.0, "mask_zero": True}, (2, 4), "int64"),
    ],
    "EinsumDense": [
        Sample({"equation": "ab,bc->ac", "output_shape": 3, "bias_axes": "c", "activation": "tanh"}),
        Sample({"equation": "abc,cde->abde", "output_shape": (None, 2, 3), "bias_axes": "de"}, (3, 4)),
        Sample({"equation": "...bc,bd->...dc", "output_shape": (2, 4), "bias_axes": "d"}, (5, 3, 4)),
    ],
    "Lambda": [
        Sample({"function": half}, (3, 4)),
        Sample({"function": half, "arguments": {"power": 2}, "output_shape": (4,)}),
    ],
}
