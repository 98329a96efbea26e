"""Grids of settings of convolution, pooling and reshaping."""

from __future__ import annotations

from itertools import product

LAST = {1: (2, 7, 4), 2: (2, 6, 5, 4), 3: (2, 4, 5, 3, 2)}
FIRST = {1: (2, 4, 7), 2: (2, 4, 6, 5), 3: (2, 2, 4, 5, 3)}
LAYOUTS = [("channels_last", LAST), ("channels_first", FIRST)]
PADDINGS = ("valid", "same")
STEPS = [{}, {"strides": 2}, {"dilation_rate": 2}]
PRECISE = {1: {}, 2: {"dtype": "float64"}, 3: {"dtype": "float64"}}  # sums of many terms that cancel
WEIGHTS = {
    "bias_initializer": "ones", "bias_regularizer": "l1", "bias_constraint": "non_neg",
    "activity_regularizer": "l2", "trainable": False, "name": "wide",
}  # fmt: skip

CASES = []
for rank, (layout, shapes), padding, steps in product((1, 2, 3), LAYOUTS, PADDINGS, STEPS):
    x, common = shapes[rank], {"padding": padding, "data_format": layout, **steps}
    CASES += [
        (f"Conv{rank}D", {"filters": 2, "kernel_size": 2, **common}, x),
        (f"Conv{rank}DTranspose", {"filters": 2, "kernel_size": 3, **common, **PRECISE[rank]}, x),
    ]
    if rank < 3:
        CASES += [
            (f"DepthwiseConv{rank}D", {"kernel_size": 3, "depth_multiplier": 2, **common}, x),
            (f"SeparableConv{rank}D", {"filters": 3, "kernel_size": 2, "depth_multiplier": 2, **common}, x),
        ]
for rank, (layout, shapes) in product((1, 2, 3), LAYOUTS):
    x, common = shapes[rank], {"data_format": layout}
    CASES += [
        (f"Conv{rank}D", {"filters": 4, "kernel_size": 3, "groups": 2, "padding": "same", **common}, x),
        (f"Conv{rank}D", {"filters": 2, "kernel_size": 1, "use_bias": False, "activation": "relu", **common}, x),
        (f"Conv{rank}DTranspose", {"filters": 2, "kernel_size": 2, "strides": 3, **common, **PRECISE[rank]}, x),
        (
            f"Conv{rank}DTranspose",
            {"filters": 2, "kernel_size": 4, "strides": 2, "output_padding": 1, **common, **PRECISE[rank]},
            x,
        ),
        (
            f"Conv{rank}DTranspose",
            {
                "filters": 2, "kernel_size": 3, "strides": 2, "output_padding": 0, "padding": "same",
                **common, **PRECISE[rank],
            },
            x,
        ),
        *[
            (f"{kind}Pooling{rank}D", {"pool_size": size, "strides": strides, "padding": padding, **common}, x)
            for kind, size, strides, padding in [
                ("Max", 2, None, "valid"), ("Max", 3, 2, "valid"), ("Max", 2, 1, "same"), ("Max", 4, 3, "same"),
                ("Max", 3, 2, "same"), ("Average", 2, None, "valid"), ("Average", 3, 1, "same"),
                ("Average", 1, 2, "same"),
            ]
        ],
        *[
            (f"Global{kind}Pooling{rank}D", {"keepdims": keepdims, **common}, x)
            for kind, keepdims in product(("Average", "Max"), (False, True))
        ],
        *[
            (f"Adaptive{kind}Pooling{rank}D", {"output_size": size, **common}, x)
            for kind, size in product(("Average", "Max"), (1, 3, 6))
        ],
        (f"ZeroPadding{rank}D", {"padding": 2, **common}, x),
    ]  # fmt: skip
CASES += [
    *[
        ("Conv1D", {"filters": 2, "kernel_size": 3, "padding": "causal", "data_format": layout, **steps}, shapes[1])
        for (layout, shapes), steps in product(LAYOUTS, STEPS)
    ],
    *[
        (name, {"filters": 2, "kernel_size": 3, "activation": "elu", "kernel_regularizer": "l2", **WEIGHTS}, LAST[2])
        for name in ("Conv2D", "Conv2DTranspose")
    ],
    ("Conv2D", {"filters": 2, "kernel_size": (1, 3), "strides": (2, 1), "kernel_constraint": "max_norm"}, LAST[2]),
    ("Conv2D", {"filters": 2, "kernel_size": [3, 2], "dilation_rate": [1, 2], "padding": "SAME"}, LAST[2]),
    ("Conv2D", {"filters": 2, "kernel_size": 3, "activation": "softmax", "data_format": "channels_first"}, FIRST[2]),
    ("Conv2D", {"filters": 2, "kernel_size": 3, "dtype": "float64", "kernel_initializer": "he_normal"}, LAST[2]),
    ("Conv2D", {"filters": 2, "kernel_size": 3, "padding": "same"}, (2, 5, 5, 1)),
    ("Conv3DTranspose", {"filters": 2, "kernel_size": (1, 2, 3), "strides": (1, 2, 3), **PRECISE[3]}, LAST[3]),
    ("Conv2DTranspose", {"filters": 2, "kernel_size": 3, "strides": (2, 3), "output_padding": (1, 2)}, LAST[2]),
    ("DepthwiseConv2D", {"kernel_size": 3, "activation": "gelu", "depthwise_regularizer": "l2", **WEIGHTS}, LAST[2]),
    ("DepthwiseConv2D", {"kernel_size": 3, "strides": (1, 2), "use_bias": False}, LAST[2]),
    (
        "SeparableConv2D",
        {
            "filters": 2, "kernel_size": 3, "depthwise_regularizer": "l2", "pointwise_regularizer": "l1",
            "pointwise_initializer": "ones", "depthwise_constraint": "non_neg", "pointwise_constraint": "max_norm",
            **WEIGHTS,
        },
        LAST[2],
    ),
    ("MaxPooling1D", {}, LAST[1]),
    ("MaxPooling2D", {"pool_size": (1, 3), "strides": (2, 1), "name": "pool"}, LAST[2]),
    ("MaxPooling3D", {"dtype": "float64"}, LAST[3]),
    ("AveragePooling2D", {"pool_size": [2, 3]}, LAST[2]),
    ("AdaptiveAveragePooling2D", {"output_size": (2, 9)}, LAST[2]),
    ("Cropping1D", {}, LAST[1]),
    ("Cropping1D", {"cropping": (0, 6)}, LAST[1]),
    ("Cropping1D", {"cropping": 2}, LAST[1]),
    ("Cropping2D", {}, LAST[2]),
    ("Cropping2D", {"cropping": (1, 2)}, LAST[2]),
    ("Cropping2D", {"cropping": ((0, 3), (4, 0)), "data_format": "channels_first"}, FIRST[2]),
    ("Cropping3D", {}, LAST[3]),
    ("Cropping3D", {"cropping": ((0, 1), 2, (0, 0))}, LAST[3]),
    ("Cropping3D", {"cropping": 1, "data_format": "channels_first"}, FIRST[3]),
    ("Permute", {"dims": (2, 1)}, LAST[1]),
    ("Permute", {"dims": (3, 1, 2)}, LAST[2]),
    ("Permute", {"dims": [1]}, (4, 3)),
    ("RepeatVector", {"n": 3}, (4, 3)),
    ("UpSampling1D", {}, LAST[1]),
    ("UpSampling1D", {"size": 3}, LAST[1]),
    *[
        ("UpSampling2D", {"size": size, "interpolation": how, "data_format": layout}, shapes[2])
        for (layout, shapes), how, size in product(LAYOUTS, ("nearest", "bilinear", "bicubic"), (2, (1, 3)))
    ],
    ("UpSampling2D", {}, LAST[2]),
    ("UpSampling3D", {}, LAST[3]),
    ("UpSampling3D", {"size": (1, 3, 2), "data_format": "channels_first"}, FIRST[3]),
    ("ZeroPadding1D", {"padding": (0, 3)}, LAST[1]),
    ("ZeroPadding2D", {}, LAST[2]),
    ("ZeroPadding2D", {"padding": (1, 2)}, LAST[2]),
    ("ZeroPadding2D", {"padding": ((0, 1), (2, 0)), "data_format": "channels_first"}, FIRST[2]),
    ("ZeroPadding3D", {}, LAST[3]),
    ("ZeroPadding3D", {"padding": ((1, 0), (0, 2), (1, 1))}, LAST[3]),
]  # fmt: skip
