"""Grids of settings of the normalization layers."""

from __future__ import annotations

MATRIX, SEQUENCE, IMAGE, VOLUME = (4, 6), (4, 5, 6), (4, 5, 3, 6), (2, 3, 4, 2, 6)
WEIGHTS = {
    "beta_initializer": "ones", "gamma_initializer": "random_normal", "gamma_regularizer": "l2",
    "beta_regularizer": "l1", "beta_constraint": "max_norm", "gamma_constraint": "non_neg",
}  # fmt: skip

# A large ε: 1 / √ε multiplies the rounding errors of a record of equal values, whose variance is 0.
CASES = [
    (name, settings if name == "UnitNormalization" else {"epsilon": 0.5, **settings}, shape)
    for name, settings, shape in [
        ("LayerNormalization", {"epsilon": 1e-3}, MATRIX),
        ("LayerNormalization", {"epsilon": 0.1}, SEQUENCE),
        ("LayerNormalization", {"axis": (2, 3)}, IMAGE),
        ("LayerNormalization", {"axis": [-1, -2, 1]}, IMAGE),
        ("LayerNormalization", {"axis": (-1, 1)}, IMAGE),
        ("LayerNormalization", {"center": False}, IMAGE),
        ("LayerNormalization", {"scale": False}, SEQUENCE),
        ("LayerNormalization", {"center": False, "scale": False, "activity_regularizer": "l1"}, MATRIX),
        ("LayerNormalization", WEIGHTS, MATRIX),
        ("GroupNormalization", {"groups": 3, "dtype": "float64"}, MATRIX),
        ("GroupNormalization", {"groups": 2, "epsilon": 0.1}, IMAGE),
        ("GroupNormalization", {"groups": 1}, SEQUENCE),
        ("GroupNormalization", {"groups": -1}, VOLUME),
        ("GroupNormalization", {"groups": 5, "axis": 1}, IMAGE),
        ("GroupNormalization", {"groups": 3, "axis": -2}, IMAGE),
        ("GroupNormalization", {"groups": 3, "center": False}, IMAGE),
        ("GroupNormalization", {"groups": 6, "scale": False, "trainable": False}, SEQUENCE),
        ("GroupNormalization", {"groups": 2, **WEIGHTS}, IMAGE),
        ("UnitNormalization", {}, MATRIX),
        ("UnitNormalization", {"axis": 1}, IMAGE),
        ("UnitNormalization", {"axis": (1, -1)}, IMAGE),
        ("RMSNormalization", {"epsilon": 1e-6}, SEQUENCE),
        ("RMSNormalization", {"epsilon": 0.1}, MATRIX),
        ("RMSNormalization", {"axis": [-1]}, IMAGE),
    ]
]
COMPARED_ELSEWHERE = {"SpectralNormalization"}
