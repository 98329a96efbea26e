"""Samples of the image layers; the values of the contract's inputs lie within 1 and 4."""

from __future__ import annotations

from tests.contracts.layer_samples.sample import Sample

IMAGE, FIRST = (8, 10, 3), (3, 8, 10)
RANGE = {"value_range": (0, 4)}
FIRST_AND_RANGE = {"data_format": "channels_first", **RANGE}

SAMPLES: dict[str, list[Sample]] = {
    "AugMix": [
        Sample({"seed": 1, **RANGE}, IMAGE),
        Sample({"num_chains": 1, "all_ops": False, **FIRST_AND_RANGE}, FIRST),
    ],
    "AutoContrast": [Sample(RANGE, IMAGE), Sample(FIRST_AND_RANGE, FIRST)],
    "CenterCrop": [
        Sample({"height": 5, "width": 4}, IMAGE),
        Sample({"height": 9, "width": 4, "data_format": "channels_first"}, FIRST),
    ],
    "ContrastLimitedAdaptiveHistogramEqualization": [
        Sample({"tile_grid_size": (2, 2), "clip_limit": 30.0, **RANGE}, IMAGE),
        Sample({"value_range": [0, 4], "tile_grid_size": (3, 1), "data_format": "channels_first"}, FIRST),
    ],
    "CutMix": [
        Sample({"factor": (0.1, 0.9)}, IMAGE),
        Sample({"seed": 3, "data_format": "channels_first"}, FIRST),
    ],
    "Equalization": [Sample(RANGE, IMAGE), Sample({"bins": 16, **FIRST_AND_RANGE}, FIRST)],
    "MaxNumBoundingBoxes": [
        Sample({"max_number": 3}, IMAGE),
        Sample({"max_number": 2}, IMAGE, "uint8", keeps_dtype=True),
    ],
    "MixUp": [Sample({}, IMAGE), Sample({"alpha": 1.0, "seed": 1, "data_format": "channels_first"}, FIRST)],
    "RandAugment": [
        Sample({"seed": 1, **RANGE}, IMAGE),
        Sample({"num_ops": 1, "factor": 0.2, **FIRST_AND_RANGE}, FIRST),
    ],
    "RandomColorJitter": [
        Sample(
            {
                "brightness_factor": 0.1,
                "contrast_factor": 0.2,
                "saturation_factor": 0.4,
                "hue_factor": 0.1,
                **RANGE,
            },
            IMAGE,
        ),
        Sample({"hue_factor": (0.1, 0.2), "seed": 2, **FIRST_AND_RANGE}, FIRST),
    ],
    "RandomCrop": [
        Sample({"height": 5, "width": 4}, IMAGE),
        Sample({"height": 9, "width": 4, "seed": 1, "data_format": "channels_first"}, FIRST),
    ],
    "RandomElasticTransform": [
        Sample({"scale": 0.5, **RANGE}, IMAGE),
        Sample({"seed": 1, **FIRST_AND_RANGE}, FIRST),
    ],
    "RandomErasing": [
        Sample(RANGE, IMAGE),
        Sample({"factor": (0.1, 0.2), "fill_value": 2.0, "scale": (0.1, 0.2), **FIRST_AND_RANGE}, FIRST),
    ],
    "RandomFlip": [
        Sample({}, IMAGE),
        Sample(
            {"mode": "vertical", "seed": 4, "data_format": "channels_first", "bounding_box_format": "xywh"},
            FIRST,
        ),
    ],
    "RandomGaussianBlur": [
        Sample(RANGE, IMAGE),
        Sample({"kernel_size": (3, 5), "sigma": (0.5, 2.0), **FIRST_AND_RANGE}, FIRST),
    ],
    "RandomGrayscale": [
        Sample({}, IMAGE),
        Sample({"factor": 0.2, "seed": 1, "data_format": "channels_first"}, FIRST),
    ],
    "RandomPerspective": [
        Sample({"scale": 0.3}, IMAGE),
        Sample({"seed": 1, "data_format": "channels_first"}, FIRST),
    ],
    "Resizing": [
        Sample({"height": 4, "width": 5}, IMAGE),
        Sample({"height": 4, "width": 5, "interpolation": "lanczos3", "antialias": True}, IMAGE),
        Sample(
            {"height": 12, "width": 5, "interpolation": "bicubic", "data_format": "channels_first"}, FIRST
        ),
        Sample({"height": 4, "width": 5, "interpolation": "nearest"}, IMAGE, "uint8", keeps_dtype=True),
    ],
    "Solarization": [Sample({"addition_factor": 0.1, "threshold_factor": 0.9, **RANGE}, IMAGE)],
    **{
        name: [
            Sample({"factor": factor, **(RANGE if has_range else {})}, IMAGE),
            Sample({"factor": (factor / 2, factor), "seed": 3, **(RANGE if has_range else {})}, IMAGE),
        ]
        for name, factor, has_range in (
            ("RandomBrightness", 0.2, True),
            ("RandomColorDegeneration", 0.5, True),
            ("RandomContrast", 0.2, True),
            ("RandomHue", 0.2, True),
            ("RandomInvert", 0.4, True),
            ("RandomPosterization", 6, True),
            ("RandomRotation", 0.2, False),
            ("RandomSaturation", 0.6, True),
            ("RandomSharpness", 0.8, True),
        )
    },
    "RandomShear": [
        Sample({"x_factor": 0.2}, IMAGE),
        Sample({"y_factor": (0.1, 0.3), "data_format": "channels_first"}, FIRST),
    ],
    "RandomTranslation": [
        Sample({"height_factor": 0.2, "width_factor": (-0.1, 0.3)}, IMAGE),
        Sample(
            {"height_factor": 0.2, "width_factor": 0.1, "data_format": "channels_first", "fill_mode": "wrap"},
            FIRST,
        ),
    ],
    "RandomZoom": [
        Sample({"height_factor": 0.2, "width_factor": (-0.1, 0.3)}, IMAGE),
        Sample({"height_factor": 0.2, "data_format": "channels_first", "fill_mode": "constant"}, FIRST),
    ],
}
