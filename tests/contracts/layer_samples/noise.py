"""Samples of the regularization layers."""

from __future__ import annotations

from tests.contracts.layer_samples.sample import Sample

SAMPLES: dict[str, list[Sample]] = {
    "ActivityRegularization": [Sample({"l1": 0.01}), Sample({"l1": 0.01, "l2": 0.02}, (3, 4))],
    "AlphaDropout": [Sample({"rate": 0.2}), Sample({"rate": 0.2, "noise_shape": (None, 1, 4), "seed": 3}, (5, 4))],
    "GaussianDropout": [Sample({"rate": 0.2}), Sample({"rate": 0.3, "seed": 3}, (5, 4))],
    "GaussianNoise": [Sample({"stddev": 0.2}), Sample({"stddev": 0.3, "seed": 3}, (5, 4))],
    "SpatialDropout1D": [Sample({"rate": 0.2}, (5, 4)), Sample({"rate": 0.2, "seed": 1}, (5, 4))],
    "SpatialDropout2D": [Sample({"rate": 0.2, "data_format": "channels_first", "seed": 2}, (4, 3, 3))],
    "SpatialDropout3D": [Sample({"rate": 0.2}, (2, 3, 3, 4))],
}  # fmt: skip
