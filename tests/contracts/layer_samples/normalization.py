"""Samples of the normalization layers."""

from __future__ import annotations

from kerasish.layers import Dense
from tests.contracts.layer_samples.sample import Sample

SAMPLES: dict[str, list[Sample]] = {
    "LayerNormalization": [
        Sample({}),
        Sample({"axis": (1, 2), "center": False, "gamma_regularizer": "l2"}, (3, 4)),
        Sample({"axis": 1, "epsilon": 0.1}, (3, 4)),
    ],
    "GroupNormalization": [
        Sample({"groups": 2}, (5, 4)),
        Sample({"groups": -1, "axis": 1, "scale": False}, (3, 4, 5)),
    ],
    "UnitNormalization": [Sample({}), Sample({"axis": [1, 2]}, (3, 4))],
    "RMSNormalization": [Sample({}), Sample({"axis": 1, "epsilon": 0.1}, (3, 4))],
    "SpectralNormalization": [
        Sample({"layer": Dense(3, name="inner")}, keeps_dtype=True),
        Sample({"layer": Dense(2, name="inner"), "power_iterations": 3}, (3, 4), keeps_dtype=True),
    ],
}
