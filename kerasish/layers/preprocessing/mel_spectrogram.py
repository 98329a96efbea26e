"""Spectrograms on the mel scale."""

# T samples, N frames, F frequencies, M mel bands

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from kerasish.config import get_device
from kerasish.dtypes import torch_dtype
from kerasish.errors import format_shape
from kerasish.layers.layer import Layer
from kerasish.serialization import deserialize_keras_object

WINDOWS = {"hann": torch.hann_window, "hamming": torch.hamming_window}


class MelSpectrogram(Layer):
    """Compute `|STFT(x)|^mag_exp` in bands of the mel scale, in decibels.

    Args:
        fft_length: samples of the Fourier transform.
        sequence_stride: samples from one frame to the next.
        sequence_length: samples of the window; `fft_length` by default.
        window: "hann", "hamming", array of `sequence_length` numbers, or None.
        sampling_rate: samples per second.
        num_mel_bins: number of bands M.
        min_freq, max_freq: lowest and highest frequency in Hz; half of the sampling rate by default.
        power_to_db: whether to return `10 log₁₀(max(S, min_power) / ref_power)`.
        top_db: decibels below the largest value of the batch at which the values are cut off.
        mag_exp: exponent of the magnitudes: 2 gives power.
        min_power, ref_power: least power, and the power that is 0 dB.

    Shapes: (..., T) → (..., M, N) with N = T // sequence_stride + 1.

    Source: Stevens, Volkmann and Newman, 1937, *A scale for the measurement of the psychological magnitude pitch*, in
    the form `2595 log₁₀(1 + f / 700)`.
    """

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        for key, value in (
            ("fft_length", fft_length),
            ("sequence_stride", sequence_stride),
            ("sequence_length", sequence_length or fft_length),
            ("num_mel_bins", num_mel_bins),
        ):
            if not isinstance(value, int) or value <= 0:
                raise ValueError(
                    f"`{key}` of layer {self.name!r} must be a positive integer. Received: {key}={value!r}"
                )
        self.fft_length = fft_length
        self.sequence_stride = sequence_stride
        self.sequence_length = sequence_length or fft_length
        self.window = window
        self.sampling_rate = sampling_rate
        self.num_mel_bins = num_mel_bins
        self.min_freq = min_freq
        self.max_freq = max_freq or int(sampling_rate / 2)
        self.power_to_db = power_to_db
        self.top_db = top_db
        self.mag_exp = mag_exp
        self.min_power = min_power
        self.ref_power = ref_power
        if self.sequence_length > fft_length:
            raise ValueError(
                f"`sequence_length` of layer {self.name!r} must not exceed `fft_length`={fft_length}. Received: "
                f"sequence_length={sequence_length}"
            )
        if not self.min_freq < self.max_freq:
            raise ValueError(
                f"`min_freq` of layer {self.name!r} must be below `max_freq`={self.max_freq}. Received: "
                f"min_freq={min_freq}"
            )
        self._checked_window()

    def _checked_window(self) -> Tensor:
        length = self.sequence_length
        if self.window is None:
            return torch.ones(length, dtype=torch.float64)
        if isinstance(self.window, str):
            if self.window not in WINDOWS:
                raise ValueError(
                    f"`window` of layer {self.name!r} must be one of {tuple(WINDOWS)}, an array, or None. Received: "
                    f"window={self.window!r}"
                )
            return WINDOWS[self.window](length, dtype=torch.float64)
        window = torch.as_tensor(self.window, dtype=torch.float64)
        if tuple(window.shape) != (length,):
            raise ValueError(
                f"`window` of layer {self.name!r} must have `sequence_length`={length} numbers. Received: an array of "
                f"shape {format_shape(window.shape)}"
            )
        return window

    def build(self, input_shape: Any) -> None:
        bands = self.linear_to_mel_weight_matrix(
            self.num_mel_bins,
            self.fft_length // 2 + 1,
            self.sampling_rate,
            self.min_freq,
            self.max_freq,
            "float64",
        )
        kind = torch.float64 if torch_dtype(self.compute_dtype) is torch.float64 else torch.float32
        missing = self.fft_length - self.sequence_length
        window = F.pad(self._checked_window(), (missing // 2, missing - missing // 2))
        self.register_buffer("_window", window.to(get_device(), kind), persistent=False)
        self.register_buffer("_bands", bands.to(get_device(), kind), persistent=False)

    def call(self, inputs: Tensor) -> Tensor:
        x = inputs.to(self._window.dtype)
        samples = x.shape[-1]
        if samples <= self.fft_length // 2:
            raise ValueError(
                f"Layer {self.name!r} takes signals of more than `fft_length` / 2 = {self.fft_length // 2} samples: "
                f"their ends are mirrored. Received: {samples}. Pad them or take a shorter transform."
            )
        half = self.fft_length // 2
        x = F.pad(x.reshape(-1, 1, samples), (half, half), mode="reflect").squeeze(1)
        frames = x.unfold(-1, self.fft_length, self.sequence_stride) * self._window
        magnitude = torch.fft.rfft(frames).abs()
        power = magnitude if self.mag_exp == 1 else magnitude**self.mag_exp
        mel = (power @ self._bands).transpose(1, 2)
        if self.power_to_db:
            mel = self._decibels(mel)
        return mel.reshape(*inputs.shape[:-1], *mel.shape[1:]).to(torch_dtype(self.compute_dtype))

    def _decibels(self, power: Tensor) -> Tensor:
        reference = 10 * math.log10(max(abs(self.ref_power), self.min_power))
        values = 10 * power.clamp(min=self.min_power).log10() - reference
        return values.maximum(values.amax() - self.top_db)

    def linear_to_mel_weight_matrix(
        self,
        num_mel_bins: int = 20,
        num_spectrogram_bins: int = 129,
        sampling_rate: int = 8000,
        lower_edge_hertz: float = 125.0,
        upper_edge_hertz: float = 3800.0,
        dtype: Any = "float32",
    ) -> Tensor:
        """The weights (F, M) of frequencies in mel bands: triangles over three neighbouring edges, evenly spaced."""
        edges = np.linspace(_mel(lower_edge_hertz), _mel(upper_edge_hertz), num_mel_bins + 2)
        mels = _mel(np.linspace(0, sampling_rate / 2, num_spectrogram_bins))[:, None]
        rising = (mels - edges[:-2]) / (edges[1:-1] - edges[:-2])
        falling = (edges[2:] - mels) / (edges[2:] - edges[1:-1])
        weights = np.maximum(0, np.minimum(rising, falling))
        weights[0] = 0
        return torch.from_numpy(weights).to(torch_dtype(dtype))

    def compute_output_shape(self, input_shape: Any) -> Any:
        samples = input_shape[-1]
        frames = None if samples is None else samples // self.sequence_stride + 1
        return (*input_shape[:-1], self.num_mel_bins, frames)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "fft_length": self.fft_length,
            "sequence_stride": self.sequence_stride,
            "sequence_length": self.sequence_length,
            "window": self.window,
            "sampling_rate": self.sampling_rate,
            "num_mel_bins": self.num_mel_bins,
            "min_freq": self.min_freq,
            "max_freq": self.max_freq,
            "power_to_db": self.power_to_db,
            "top_db": self.top_db,
            "mag_exp": self.mag_exp,
            "min_power": self.min_power,
            "ref_power": self.ref_power,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MelSpectrogram:
        return super().from_config({**config, "window": deserialize_keras_object(config.get("window"))})


def _mel(hertz: Any) -> Any:
    return 2595 * np.log10(1 + hertz / 700)
