"""Grids of settings of the layers of the lecture's networks."""

from __future__ import annotations

MATRIX, SEQUENCE, IMAGE, VOLUME = (4, 3), (4, 5, 3), (4, 6, 5, 3), (2, 3, 4, 2, 3)
ONES_AND_L2 = {"kernel_initializer": "ones", "kernel_regularizer": "l2"}

CASES = [
    ("Dense", {"units": 2}, MATRIX),
    ("Dense", {"units": 1, "activation": "sigmoid"}, (1, 1)),
    ("Dense", {"units": 4, "activation": "softmax", "use_bias": False}, SEQUENCE),
    ("Dense", {"units": 2, "activation": "gelu", "bias_initializer": "ones"}, IMAGE),
    ("Dense", {"units": 3, **ONES_AND_L2, "kernel_constraint": "max_norm", "bias_constraint": "non_neg"}, MATRIX),
    ("Dense", {"units": 3, "bias_regularizer": "l1", "activity_regularizer": "l1l2", "name": "wide"}, MATRIX),
    ("Dense", {"units": 2, "trainable": False}, MATRIX),
    ("Dense", {"units": 2, "dtype": "float64"}, MATRIX),
    *[("Activation", {"activation": name}, SEQUENCE) for name in ("relu", "softmax", "tanh", "linear", "elu")],
    ("Identity", {}, IMAGE),
    ("Dropout", {"rate": 0.5}, MATRIX),
    ("Dropout", {"rate": 0, "seed": 3}, MATRIX),
    ("Dropout", {"rate": 0.25, "noise_shape": (None, 1, 3), "seed": 1}, SEQUENCE),
    ("Flatten", {}, IMAGE),
    ("Flatten", {}, (4,)),
    ("Flatten", {}, MATRIX),
    ("Flatten", {"data_format": "channels_first"}, VOLUME),
    ("Flatten", {"data_format": "channels_first"}, SEQUENCE),
    ("Reshape", {"target_shape": (3, 5)}, SEQUENCE),
    ("Reshape", {"target_shape": (-1, 2, 1)}, IMAGE),
    ("Reshape", {"target_shape": (3,)}, MATRIX),
    ("Rescaling", {"scale": 1 / 255}, IMAGE),
    ("Rescaling", {"scale": 2, "offset": -1}, MATRIX),
    ("Rescaling", {"scale": [1.0, 2.0, 3.0], "offset": [0.5, 0.0, -0.5]}, IMAGE),
    ("Normalization", {"mean": 0.5, "variance": 4.0}, MATRIX),
    ("Normalization", {"mean": [1.0, 2.0, 3.0], "variance": [4.0, 1.0, 0.0]}, IMAGE),
    ("Normalization", {"mean": 0.5, "variance": 4.0, "invert": True, "axis": None}, SEQUENCE),
    ("BatchNormalization", {}, MATRIX),
    ("BatchNormalization", {"momentum": 0.9, "epsilon": 1e-5}, IMAGE),
    ("BatchNormalization", {"axis": 1}, IMAGE),
    ("BatchNormalization", {"axis": 2, "momentum": 0.0}, VOLUME),
    ("BatchNormalization", {"center": False}, SEQUENCE),
    ("BatchNormalization", {"scale": False}, MATRIX),
    ("BatchNormalization", {"center": False, "scale": False}, IMAGE),
    ("BatchNormalization", {"trainable": False}, MATRIX),
    (
        "BatchNormalization",
        {
            "beta_initializer": "ones", "gamma_initializer": "random_normal", "gamma_regularizer": "l2",
            "beta_constraint": "max_norm", "moving_mean_initializer": "ones", "moving_variance_initializer": "zeros",
        },
        MATRIX,
    ),
]  # fmt: skip
CASES += [
    ("Add", {}, [MATRIX, MATRIX]),
    *[(name, {}, [MATRIX, MATRIX]) for name in ("Average", "Maximum", "Minimum", "Multiply", "Subtract")],
    ("Add", {}, [MATRIX, (4, 1), MATRIX]),
    ("Add", {}, [SEQUENCE, MATRIX]),
    ("Concatenate", {}, [MATRIX, (4, 2), (4, 1)]),
    ("Concatenate", {"axis": 1}, [SEQUENCE, (4, 2, 3)]),
    ("Concatenate", {"axis": -2, "name": "joined"}, [IMAGE, IMAGE]),
]
DETERMINISTIC_IN_TRAINING = {"Dropout": {"rate": 0.0}}
