"""Grids of settings of the embeddings, of `EinsumDense` and of `Lambda`."""

from __future__ import annotations

MATRIX, SEQUENCE, IMAGE = (4, 3), (4, 5, 3), (4, 6, 5, 3)


def relu(x, power=1):
    """A function of a name that both packages know."""
    return x**power * (x > 0)


def shape_of_output(shape):
    return shape


CASES = [
    ("Embedding", {"input_dim": 4, "output_dim": 3}, MATRIX),
    ("Embedding", {"input_dim": 9, "output_dim": 1, "mask_zero": True}, (4,)),
    ("Embedding", {"input_dim": 4, "output_dim": 2, "embeddings_initializer": "ones", "trainable": False}, SEQUENCE),
    (
        "Embedding",
        {
            "input_dim": 5, "output_dim": 2, "embeddings_regularizer": "l2", "embeddings_constraint": "max_norm",
            "activity_regularizer": "l1", "dtype": "float64",
        },
        MATRIX,
    ),
    ("ReversibleEmbedding", {"input_dim": 4, "output_dim": 3}, MATRIX),
    (
        "ReversibleEmbedding",
        {
            "input_dim": 4, "output_dim": 3, "tie_weights": False, "logit_soft_cap": 2.0, "mask_zero": True,
            "reverse_dtype": "float32", "embeddings_regularizer": "l2", "activity_regularizer": "l1",
        },
        MATRIX,
    ),
    ("EinsumDense", {"equation": "ab,bc->ac", "output_shape": 4, "bias_axes": "c"}, MATRIX),
    ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": (5, 4), "activation": "relu"}, SEQUENCE),
    ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": (5, 4), "bias_axes": "bd"}, SEQUENCE),
    ("EinsumDense", {"equation": "...x,xy->...y", "output_shape": 4, "bias_axes": "y"}, SEQUENCE),
    ("EinsumDense", {"equation": "...xy,yz->...xz", "output_shape": (5, 2), "bias_axes": "xz"}, IMAGE),
    ("EinsumDense", {"equation": "ab...,bc->ac...", "output_shape": 4, "bias_axes": "c"}, SEQUENCE),
    ("EinsumDense", {"equation": "abc,cde->abde", "output_shape": (5, 4, 2), "bias_axes": "de"}, SEQUENCE),
    ("EinsumDense", {"equation": "abc,cde->abde", "output_shape": (5, 4, 2), "bias_axes": "e"}, SEQUENCE),
    ("EinsumDense", {"equation": "abcd,cde->abe", "output_shape": (6, 7), "bias_axes": "e"}, IMAGE),
    ("EinsumDense", {"equation": "abc,bd->adc", "output_shape": (4, 3), "bias_axes": "d"}, SEQUENCE),
    ("EinsumDense", {"equation": "abc,cd->adb", "output_shape": (4, 5), "bias_axes": "d"}, SEQUENCE),
    ("EinsumDense", {"equation": "abc,dc->abd", "output_shape": (5, 4)}, SEQUENCE),
    ("EinsumDense", {"equation": "abc,bcd->abd", "output_shape": (5, 6), "bias_axes": "bd"}, SEQUENCE),
    ("EinsumDense", {"equation": "ab,b->ab", "output_shape": 3}, MATRIX),
    (
        "EinsumDense",
        {
            "equation": "ab,bc->ac", "output_shape": [2], "bias_axes": "c", "kernel_regularizer": "l2",
            "bias_regularizer": "l1", "kernel_constraint": "max_norm", "bias_constraint": "non_neg",
            "kernel_initializer": "he_normal", "bias_initializer": "ones", "activity_regularizer": "l2",
        },
        MATRIX,
    ),
    ("Lambda", {"function": relu}, SEQUENCE),
    ("Lambda", {"function": relu, "output_shape": (5, 3), "arguments": {"power": 3}}, SEQUENCE),
    ("Lambda", {"function": relu, "activity_regularizer": "l2"}, MATRIX),
]  # fmt: skip
INTEGER_INPUTS = {"Embedding", "ReversibleEmbedding"}
