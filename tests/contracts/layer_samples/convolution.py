"""Samples of convolution, pooling and reshaping."""

from __future__ import annotations

from tests.contracts.layer_samples.sample import Sample

SEQUENCE, IMAGE, VOLUME = (6, 2), (6, 5, 2), (4, 3, 4, 2)
SHAPES = {1: SEQUENCE, 2: IMAGE, 3: VOLUME}
FIRST = {"data_format": "channels_first"}

SAMPLES: dict[str, list[Sample]] = {
    **{
        f"Conv{rank}D": [
            Sample({"filters": 3, "kernel_size": 2}, shape),
            Sample(
                {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "gelu"}, shape
            ),
            Sample(
                {"filters": 2, "kernel_size": 2, "groups": 2, "padding": "same", "use_bias": False}, shape
            ),
            Sample(
                {"filters": 2, "kernel_size": 2, "dilation_rate": 2, "kernel_regularizer": "l2", **FIRST},
                (2, *shape[:-1]),
            ),
        ]
        for rank, shape in SHAPES.items()
    },
    **{
        f"Conv{rank}DTranspose": [
            Sample({"filters": 3, "kernel_size": 2}, shape),
            Sample(
                {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "elu"}, shape
            ),
            Sample(
                {"filters": 2, "kernel_size": 3, "strides": 2, "output_padding": 1, **FIRST}, (2, *shape[:-1])
            ),
        ]
        for rank, shape in SHAPES.items()
    },
    **{
        f"DepthwiseConv{rank}D": [
            Sample({"kernel_size": 3}, SHAPES[rank]),
            Sample(
                {"kernel_size": 2, "depth_multiplier": 3, "padding": "same", **FIRST}, (2, *SHAPES[rank][:-1])
            ),
        ]
        for rank in (1, 2)
    },
    **{
        f"SeparableConv{rank}D": [
            Sample({"filters": 3, "kernel_size": 3, "activation": "tanh"}, SHAPES[rank]),
            Sample(
                {"filters": 3, "kernel_size": 2, "depth_multiplier": 2, "strides": 2, **FIRST},
                (2, *SHAPES[rank][:-1]),
            ),
        ]
        for rank in (1, 2)
    },
    **{
        f"{kind}Pooling{rank}D": [
            Sample({"pool_size": 2}, shape),
            Sample({"pool_size": 2, "strides": 1, "padding": "same"}, shape),
            Sample({"pool_size": 3, "strides": 2, "padding": "same", **FIRST}, (2, *shape[:-1])),
        ]
        for kind in ("Average", "Max")
        for rank, shape in SHAPES.items()
    },
    **{
        f"Global{kind}Pooling{rank}D": [
            Sample({}, shape),
            Sample({"keepdims": True, **FIRST}, (2, *shape[:-1])),
        ]
        for kind in ("Average", "Max")
        for rank, shape in SHAPES.items()
    },
    **{
        f"Adaptive{kind}Pooling{rank}D": [
            Sample({"output_size": 2}, shape),
            Sample({"output_size": 3, **FIRST}, (2, *shape[:-1])),
        ]
        for kind in ("Average", "Max")
        for rank, shape in SHAPES.items()
    },
    "Cropping1D": [Sample({}, SEQUENCE), Sample({"cropping": (0, 2)}, SEQUENCE)],
    "Cropping2D": [
        Sample({"cropping": 1}, IMAGE),
        Sample({"cropping": ((0, 1), (2, 0)), **FIRST}, (2, 3, 4)),
    ],
    "Cropping3D": [Sample({}, (3, 3, 4, 2)), Sample({"cropping": (1, 0, 1), **FIRST}, (2, 3, 3, 4))],
    "Permute": [
        Sample({"dims": (2, 1)}, SEQUENCE),
        Sample({"dims": (3, 1, 2)}, IMAGE, "int32", keeps_dtype=True),
    ],
    "RepeatVector": [Sample({"n": 3})],
    "UpSampling1D": [Sample({}, SEQUENCE), Sample({"size": 3}, SEQUENCE)],
    "UpSampling2D": [
        Sample({}, IMAGE),
        *[
            Sample({"size": (2, 1), "interpolation": how, **FIRST}, (2, 6, 5))
            for how in ("bilinear", "bicubic", "lanczos3", "lanczos5")
        ],
    ],
    "UpSampling3D": [Sample({}, VOLUME), Sample({"size": (1, 2, 3), **FIRST}, VOLUME)],
    "ZeroPadding1D": [Sample({}, SEQUENCE), Sample({"padding": (0, 2), **FIRST}, SEQUENCE)],
    "ZeroPadding2D": [Sample({}, IMAGE), Sample({"padding": ((0, 1), (2, 0)), **FIRST}, IMAGE)],
    "ZeroPadding3D": [Sample({}, VOLUME), Sample({"padding": (1, 0, 2), **FIRST}, VOLUME)],
}
