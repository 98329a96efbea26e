"""Grids of settings of the regularization layers."""

from __future__ import annotations

MATRIX, SEQUENCE, IMAGE, VOLUME = (4, 3), (4, 5, 3), (4, 6, 5, 3), (2, 3, 4, 2, 3)

CASES = [
    ("ActivityRegularization", {}, MATRIX),
    ("ActivityRegularization", {"l1": 0.1}, SEQUENCE),
    ("ActivityRegularization", {"l1": 0.1, "l2": 0.3, "trainable": False}, IMAGE),
    ("AlphaDropout", {"rate": 0.2}, MATRIX),
    ("AlphaDropout", {"rate": 0.2, "noise_shape": (None, 1, 3), "seed": 1}, SEQUENCE),
    ("GaussianDropout", {"rate": 0.2}, MATRIX),
    ("GaussianDropout", {"rate": 0.4, "seed": 1}, IMAGE),
    ("GaussianNoise", {"stddev": 0.2}, MATRIX),
    ("GaussianNoise", {"stddev": 1, "seed": 1}, SEQUENCE),
    ("SpatialDropout1D", {"rate": 0.2}, SEQUENCE),
    ("SpatialDropout1D", {"rate": 0.2, "seed": 4, "dtype": "float64"}, SEQUENCE),
    ("SpatialDropout2D", {"rate": 0.2}, IMAGE),
    ("SpatialDropout2D", {"rate": 0.2, "data_format": "channels_first"}, IMAGE),
    ("SpatialDropout3D", {"rate": 0.2, "seed": 1}, VOLUME),
    ("SpatialDropout3D", {"rate": 1.0, "data_format": "channels_first"}, VOLUME),
]
DETERMINISTIC_IN_TRAINING = {
    "GaussianNoise": {"stddev": 0.0},
    **{
        name: {"rate": 0.0}
        for name in (
            "AlphaDropout", "GaussianDropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"
        )
    },
}  # fmt: skip
