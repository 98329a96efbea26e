"""Samples of the layers for categories, text and sound."""

from __future__ import annotations

from kerasish import layers
from tests.contracts.layer_samples.sample import Sample

WORDS = ["a", "b", "c"]


def words(arguments: dict, shape: tuple = (4,)) -> Sample:
    """A sample called on strings."""
    return Sample(arguments, shape, "string", keeps_dtype=True)


def integers(arguments: dict, shape: object = (4,), keeps_dtype: bool = True) -> Sample:
    """A sample called on integers from 1 to 3."""
    return Sample(arguments, shape, "int64", keeps_dtype=keeps_dtype)


SAMPLES: dict[str, list[Sample]] = {
    "CategoryEncoding": [
        integers({"num_tokens": 4}, keeps_dtype=False),
        integers({"num_tokens": 5, "output_mode": "one_hot"}, (3,), keeps_dtype=False),
        integers({"num_tokens": 4, "output_mode": "count"}, (2, 3), keeps_dtype=False),
    ],
    "Discretization": [
        Sample({"bin_boundaries": [1.5, 2.0, 3.0]}, keeps_dtype=True),
        Sample({"num_bins": 3, "output_mode": "one_hot"}, (1,), adapt=True, keeps_dtype=True),
        Sample({"bin_boundaries": [1.5, 2.0], "output_mode": "count"}, keeps_dtype=True),
        Sample({"bin_boundaries": [2.0], "output_mode": "multi_hot"}, (3,), "int32", keeps_dtype=True),
    ],
    "HashedCrossing": [
        integers({"num_bins": 5}, [(1,), (1,)]),
        integers({"num_bins": 4, "output_mode": "one_hot"}, [(1,), (1,), (1,)]),
    ],
    "Hashing": [
        words({"num_bins": 3}),
        integers({"num_bins": 7, "salt": 5}),
        integers({"num_bins": 4, "output_mode": "one_hot", "mask_value": 2}, (1,)),
        words({"num_bins": 4, "output_mode": "count", "salt": [3, 4], "mask_value": "a"}),
    ],
    "IntegerLookup": [
        integers({"vocabulary": [2, 1]}),
        integers({"vocabulary": [2, 3], "output_mode": "tf_idf", "idf_weights": [0.5, 2.0]}),
        integers({"vocabulary": [1], "num_oov_indices": 2, "oov_method": "farmhash", "output_mode": "multi_hot"}),
        integers({"vocabulary": [7, 8, 9], "invert": True}),
    ],
    "MelSpectrogram": [
        Sample({"fft_length": 32, "sequence_stride": 8, "num_mel_bins": 6}, (64,), keeps_dtype=True),
        Sample({"fft_length": 16, "sequence_stride": 8, "num_mel_bins": 4, "mag_exp": 1.0}, (40,), keeps_dtype=True),
    ],
    "Pipeline": [
        Sample({"layers": [layers.Rescaling(0.5, name="half"), layers.Dense(3, name="wide")]}, keeps_dtype=True),
    ],
    "STFTSpectrogram": [
        Sample({"frame_length": 16, "mode": mode, "expand_dims": mode == "psd"}, (40, 2), keeps_dtype=True)
        for mode in ("log", "magnitude", "psd", "real", "imag", "stft")
    ],
    "StringLookup": [
        words({"vocabulary": WORDS}),
        words({"vocabulary": ["b"], "num_oov_indices": 3, "mask_token": "a"}),
        words({"vocabulary": WORDS, "output_mode": "one_hot"}, (1,)),
        words({"vocabulary": WORDS, "output_mode": "tf_idf", "idf_weights": [0.5, 1.0, 2.0]}),
    ],
    "TextVectorization": [
        words({"vocabulary": WORDS, "output_sequence_length": 3}, (1,)),
        words({"vocabulary": WORDS, "output_mode": "count", "ngrams": 2}, (1,)),
    ],
}  # fmt: skip
