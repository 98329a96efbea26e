"""Grids of settings of the layers for sound; those for categories and text are compared in `test_categories.py`."""

from __future__ import annotations

SIGNAL = (2, 40, 2)

CASES = [
    *[("STFTSpectrogram", {"mode": mode, "frame_length": 16}, SIGNAL) for mode in ("log", "magnitude", "psd", "stft")],
    ("STFTSpectrogram", {"mode": "real", "frame_length": 16, "frame_step": 5, "padding": "same"}, SIGNAL),
    ("STFTSpectrogram", {"mode": "imag", "frame_length": 12, "fft_length": 32, "expand_dims": True}, SIGNAL),
    ("STFTSpectrogram", {"frame_length": 8, "window": "hamming", "periodic": True, "scaling": "spectrum"}, SIGNAL),
    ("STFTSpectrogram", {"frame_length": 8, "window": None, "data_format": "channels_first"}, (2, 2, 40)),
    (
        "STFTSpectrogram",
        {"mode": "stft", "frame_length": 8, "expand_dims": True, "data_format": "channels_first", "trainable": False},
        (2, 2, 40),
    ),
]  # fmt: skip
COMPARED_ELSEWHERE = {
    "CategoryEncoding", "Discretization", "HashedCrossing", "Hashing", "IntegerLookup", "MelSpectrogram", "Pipeline",
    "StringLookup", "TextVectorization",
}  # fmt: skip
