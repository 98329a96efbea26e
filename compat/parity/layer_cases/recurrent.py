"""Grids of settings of the recurrent layers, whose settings are plain values; wrappers stand in test_recurrent.py.

In float64: the weights of the grid are near 1, so the gates saturate, and 1 − tanh² loses its digits in float32.
"""

from __future__ import annotations

SEQUENCE, LONG, LINE, FRAMES, VOLUMES = (
    (4, 5, 3),
    (3, 7, 2),
    (2, 3, 6, 2),
    (2, 3, 5, 4, 2),
    (2, 2, 3, 4, 3, 2),
)
ALL = {
    "kernel_initializer": "ones", "recurrent_initializer": "glorot_uniform", "bias_initializer": "ones",
    "kernel_regularizer": "l2", "recurrent_regularizer": "l1", "bias_regularizer": "l1l2",
    "activity_regularizer": "l2", "kernel_constraint": "max_norm", "recurrent_constraint": "non_neg",
    "bias_constraint": "unit_norm",
}  # fmt: skip
GATED = [
    {"activation": "relu"},
    {"recurrent_activation": "hard_sigmoid"},
    {"use_bias": False},
    {"use_cudnn": False},
    {"recurrent_activation": "softmax", "activation": "elu"},
]

# Keras's SimpleRNN forgets its `activity_regularizer`, in call and config.
CASES = [
    *[(name, {"units": 2}, shape) for name in ("SimpleRNN", "LSTM", "GRU") for shape in (SEQUENCE, LONG, (1, 1, 1))],
    *[
        (name, {"units": 3, **settings}, SEQUENCE)
        for name in ("SimpleRNN", "LSTM", "GRU")
        for settings in (
            {"return_sequences": True},
            {"go_backwards": True},
            {"go_backwards": True, "return_sequences": True, "use_bias": False},
            {"unroll": True, "activation": "linear"},
            {"trainable": False, "name": "frozen"},
            {"dropout": 0.3, "recurrent_dropout": 0.2, "seed": 3},
            {key: value for key, value in ALL.items() if name != "SimpleRNN" or key != "activity_regularizer"},
        )
    ],
    *[(name, {"units": 4, **settings}, LONG) for name in ("LSTM", "GRU") for settings in GATED],
    ("SimpleRNN", {"units": 2, "activation": "relu", "bias_initializer": "ones"}, SEQUENCE),
    ("LSTM", {"units": 2, "unit_forget_bias": False, "recurrent_dropout": 0.5}, SEQUENCE),
    *[
        ("GRU", {"units": 2, "reset_after": False, **settings}, SEQUENCE)
        for settings in ({}, {"use_bias": False}, {"return_sequences": True, "activation": "relu"}, ALL)
    ],
    *[
        (f"ConvLSTM{rank}D", {"filters": 3, "kernel_size": 2, **settings}, shape)
        for rank, shape in ((1, LINE), (2, FRAMES), (3, VOLUMES))
        for settings in (
            {},
            {"padding": "same", "return_sequences": True},
            {"strides": 2, "padding": "same", "go_backwards": True, "use_bias": False},
            {"dilation_rate": 2, "activation": "relu", "unit_forget_bias": False},
            {"data_format": "channels_first", "padding": "same", "recurrent_activation": "hard_sigmoid"},
        )
    ],
    ("ConvLSTM2D", {"filters": 2, "kernel_size": (3, 1), "strides": (1, 2), "dropout": 0.2, **ALL}, FRAMES),
    ("Masking", {}, SEQUENCE),
    ("Masking", {"mask_value": 0.7}, SEQUENCE),
]  # fmt: skip
CASES = [(name, {"dtype": "float64", **settings}, shape) for name, settings, shape in CASES]
DETERMINISTIC_IN_TRAINING = {
    name: {"dropout": 0.0, "recurrent_dropout": 0.0}
    for name in ("SimpleRNN", "LSTM", "GRU", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
}
COMPARED_ELSEWHERE = {
    "Bidirectional", "GRUCell", "LSTMCell", "RNN", "SimpleRNNCell", "StackedRNNCells", "TimeDistributed",
}  # fmt: skip
