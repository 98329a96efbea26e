"""Grids of settings of the activation layers, and of `Dot`."""

from __future__ import annotations

MATRIX, SEQUENCE, IMAGE = (4, 3), (4, 5, 3), (4, 6, 5, 3)

CASES = [
    ("ReLU", {}, MATRIX),
    ("ReLU", {"max_value": 6}, IMAGE),
    ("ReLU", {"max_value": 1.5, "negative_slope": 0.2, "threshold": 0.5}, SEQUENCE),
    ("ReLU", {"threshold": 1.0, "activity_regularizer": "l2"}, MATRIX),
    ("LeakyReLU", {}, SEQUENCE),
    ("LeakyReLU", {"negative_slope": 0.05}, MATRIX),
    ("ELU", {}, MATRIX),
    ("ELU", {"alpha": 0.3, "activity_regularizer": "l1", "trainable": False}, SEQUENCE),
    ("PReLU", {}, SEQUENCE),
    ("PReLU", {"shared_axes": 1}, SEQUENCE),
    ("PReLU", {"shared_axes": (1, 2), "alpha_initializer": "ones", "alpha_regularizer": "l1"}, IMAGE),
    ("PReLU", {"shared_axes": [2], "alpha_constraint": "max_norm"}, IMAGE),
    ("Softmax", {}, SEQUENCE),
    ("Softmax", {"axis": 1}, SEQUENCE),
    ("Softmax", {"axis": (1, 2)}, SEQUENCE),
    ("Softmax", {"axis": [-1, 1], "dtype": "float64"}, IMAGE),
    ("Dot", {"axes": 1}, [MATRIX, MATRIX]),
    ("Dot", {"axes": -1, "normalize": True}, [MATRIX, MATRIX]),
    ("Dot", {"axes": 2}, [SEQUENCE, (4, 2, 3)]),
    ("Dot", {"axes": (2, 1)}, [SEQUENCE, (4, 3, 2)]),
    ("Dot", {"axes": [1, 2], "normalize": True}, [SEQUENCE, (4, 2, 5)]),
    ("Dot", {"axes": 1}, [MATRIX, (4, 3, 2)]),
    ("Dot", {"axes": (2, 1)}, [SEQUENCE, MATRIX]),
    ("Dot", {"axes": (1, 3)}, [SEQUENCE, (4, 2, 6, 5)]),
    ("Dot", {"axes": (3, 1)}, [IMAGE, (4, 3, 2)]),
    ("Dot", {"axes": (2, -1), "normalize": True}, [IMAGE, (4, 2, 3, 5)]),
]
