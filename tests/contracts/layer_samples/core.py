"""Samples of the layers of the lecture's networks."""

from __future__ import annotations

import torch

from tests.contracts.layer_samples.sample import Sample

SAMPLES: dict[str, list[Sample]] = {
    "Activation": [Sample({"activation": "relu"}), Sample({"activation": "softmax"}, (3, 4))],
    "Add": [Sample({}, [(4,), (4,)]), Sample({}, [(3, 4), (1, 4), (3, 1)])],
    "Average": [Sample({}, [(4,), (4,)])],
    "Maximum": [Sample({}, [(4,), (4,)])],
    "Minimum": [Sample({}, [(4,), (4,)])],
    "Multiply": [Sample({}, [(4,), (4,)])],
    "Subtract": [Sample({}, [(4,), (4,)])],
    "BatchNormalization": [
        Sample({}),
        Sample({"axis": 1, "momentum": 0.5, "scale": False}, (4, 5)),
        Sample({"center": False, "gamma_regularizer": "l2", "beta_constraint": "non_neg"}, (3, 3, 2)),
    ],
    "Concatenate": [Sample({}, [(4,), (2,)]), Sample({"axis": 1}, [(3, 4), (2, 4)])],
    "Dense": [
        Sample({"units": 3}),
        Sample({"units": 2, "activation": "tanh", "use_bias": False, "kernel_initializer": "he_normal"}, (5, 4)),
        Sample({"units": 2, "kernel_regularizer": "l2", "bias_constraint": "non_neg", "activity_regularizer": "l1"}),
    ],
    "Dropout": [Sample({"rate": 0.5}), Sample({"rate": 0.3, "noise_shape": (None, 1, 4), "seed": 3}, (5, 4))],
    "Flatten": [
        Sample({}, (3, 4)),
        Sample({}, ()),
        Sample({"data_format": "channels_first"}, (3, 4, 5)),
    ],
    "Identity": [Sample({}), Sample({}, (3, 4))],
    "InputLayer": [
        Sample({"shape": (4,)}),
        Sample({"batch_shape": (None, 3), "dtype": "int32"}, (3,), "int32", keeps_dtype=True),
    ],
    **{name: [Sample({}, [(4,), (4,)]), Sample({}, [(3, 4), (1, 4), (3, 1)])] for name in ("Average", "Maximum")},
    **{name: [Sample({}, [(4,), (4,)]), Sample({}, [(3, 4), (4,)])] for name in ("Minimum", "Multiply", "Subtract")},
    "Normalization": [
        Sample({}, adapt=True),
        Sample({"axis": None}, (3, 4), adapt=True),
        Sample({"mean": 3.0, "variance": 4.0}),
        Sample({"mean": [1.0, 2.0, 3.0, 4.0], "variance": [1.0, 2.0, 3.0, 4.0], "invert": True}),
    ],
    "Rescaling": [Sample({"scale": 1 / 255}), Sample({"scale": 2.0, "offset": -1.0}, (3, 4), "uint8")],
    "Reshape": [Sample({"target_shape": (2, 2)}), Sample({"target_shape": (-1, 3)}, (4, 6))],
    "TorchModuleWrapper": [
        Sample({"module": torch.nn.Linear(4, 3)}, has_config=False, keeps_dtype=True),
        Sample({"module": torch.nn.BatchNorm1d(4)}, has_config=False, keeps_dtype=True),
    ],
}  # fmt: skip
