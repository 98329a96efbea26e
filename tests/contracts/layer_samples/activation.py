"""Samples of the activation layers, and of `Dot`."""

from __future__ import annotations

from tests.contracts.layer_samples.sample import Sample

SAMPLES: dict[str, list[Sample]] = {
    "ReLU": [Sample({}), Sample({"max_value": 2.5, "negative_slope": 0.1, "threshold": 0.5}, (3, 4))],
    "LeakyReLU": [Sample({}), Sample({"negative_slope": 0.1}, (3, 4))],
    "ELU": [Sample({}), Sample({"alpha": 0.5}, (3, 4))],
    "PReLU": [
        Sample({"alpha_initializer": "ones"}, lowest=-2.0),
        Sample({"shared_axes": [1], "alpha_initializer": "ones"}, (3, 4), lowest=-2.0),
    ],
    "Softmax": [Sample({}), Sample({"axis": (1, 2)}, (3, 4))],
    "Dot": [Sample({"axes": 1}, [(4,), (4,)]), Sample({"axes": (2, 1), "normalize": True}, [(3, 4), (4, 5)])],
}
