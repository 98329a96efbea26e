"""Samples of the recurrent layers; the cells are called on states, too, so they stand in samples of `RNN`."""

from __future__ import annotations

from kerasish import layers
from tests.contracts.layer_samples.sample import Sample

SEQUENCE = (5, 4)
ALL = {
    "kernel_initializer": "he_normal", "bias_initializer": "ones", "kernel_regularizer": "l2",
    "recurrent_regularizer": "l1", "bias_regularizer": "l2", "recurrent_constraint": "max_norm",
    "bias_constraint": "non_neg",
}  # fmt: skip
SPATIAL = {"ConvLSTM1D": (3, 5, 2), "ConvLSTM2D": (3, 5, 4, 2), "ConvLSTM3D": (2, 3, 4, 3, 2)}

SAMPLES: dict[str, list[Sample]] = {
    **{
        name: [
            Sample({"units": 3}, SEQUENCE),
            Sample({"units": 2, "return_sequences": True, "go_backwards": True, "use_bias": False}, SEQUENCE),
            Sample({"units": 2, "dropout": 0.2, "recurrent_dropout": 0.1, "seed": 1, **ALL}, SEQUENCE),
            Sample({"units": 2, "activation": "relu", "activity_regularizer": "l2"}, SEQUENCE),
        ]
        for name in ("SimpleRNN", "LSTM", "GRU")
    },
    "RNN": [
        Sample({"cell": layers.SimpleRNNCell(3)}, SEQUENCE, keeps_dtype=True),
        Sample({"cell": layers.LSTMCell(3, dropout=0.3), "return_sequences": True}, SEQUENCE, keeps_dtype=True),
        Sample({"cell": [layers.GRUCell(3, reset_after=False), layers.LSTMCell(2)]}, SEQUENCE, keeps_dtype=True),
        Sample({"cell": layers.StackedRNNCells([layers.GRUCell(2, recurrent_dropout=0.2, seed=3)])}, SEQUENCE,
               keeps_dtype=True),
    ],
    "Bidirectional": [
        Sample({"layer": layers.LSTM(3)}, SEQUENCE, keeps_dtype=True),
        Sample({"layer": layers.GRU(2, return_sequences=True), "merge_mode": "mul"}, SEQUENCE, keeps_dtype=True),
        Sample(
            {"layer": layers.SimpleRNN(2), "backward_layer": layers.GRU(3, go_backwards=True)}, SEQUENCE,
            keeps_dtype=True,
        ),
    ],
    "TimeDistributed": [
        Sample({"layer": layers.Dense(3)}, SEQUENCE, keeps_dtype=True),
        Sample({"layer": layers.BatchNormalization()}, SEQUENCE, keeps_dtype=True),
        Sample({"layer": layers.LSTM(2)}, (3, 5, 2), keeps_dtype=True),
    ],
    "Masking": [Sample({}, SEQUENCE), Sample({"mask_value": 2.0}, SEQUENCE)],
    **{
        name: [
            Sample({"filters": 2, "kernel_size": 2}, shape),
            Sample({"filters": 2, "kernel_size": 2, "padding": "same", "return_sequences": True, **ALL}, shape),
            Sample({"filters": 1, "kernel_size": 2, "dropout": 0.2, "recurrent_dropout": 0.2, "seed": 1}, shape),
        ]
        for name, shape in SPATIAL.items()
    },
}  # fmt: skip
