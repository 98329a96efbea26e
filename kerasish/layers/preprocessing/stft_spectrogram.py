"""Spectrograms by a trainable short-time Fourier transform."""

# B batch, C channels, T samples, N frames, F frequencies

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from kerasish.config import epsilon, image_data_format
from kerasish.errors import format_shape
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.serialization import deserialize_keras_object

MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")
SCALINGS = ("density", "spectrum")


class STFTSpectrogram(Layer):
    """Compute spectrograms of signals by a convolution whose kernels start as those of the Fourier transform:
    `X[n, k] = Σ_t w[t] x[t + n · step] exp(−2πi k t / fft_length)`.

    Args:
        mode: "log" of the magnitude, "magnitude" |X|, "psd" |X|² (frequencies inside counted twice), "real", "imag",
            "angle", or "stft" (real and imaginary parts side by side).
        frame_length, frame_step: samples of a frame, and from one frame to the next (half of it by default).
        fft_length: samples of the transform; by default the next power of two.
        window: name known to `scipy.signal.get_window`, array of `frame_length` numbers, or None.
        periodic: whether the window is periodic rather than symmetric.
        scaling: "density" divides the window by √Σw², "spectrum" by |Σw|, None leaves it; no window, no scaling.
        padding: "valid", or "same" for one frame each `frame_step` samples.
        expand_dims: whether frequencies get an axis of their own.
        data_format: "channels_last" or "channels_first".

    Shapes: (B, T, C) → (B, N, C · F), or (B, N, F, C) with `expand_dims`; channels first (B, C, T) → (B, C · F, N), or
    (B, C, N, F); F = fft_length // 2 + 1, twice as many for "stft".

    Source: Heinzel, Rüdiger and Schilling, 2002, *Spectrum and spectral density estimation by the DFT*.
    """

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        data_format = data_format or image_data_format()
        for key, value, allowed in (
            ("mode", mode, MODES),
            ("scaling", scaling, (*SCALINGS, None)),
            ("padding", padding, ("valid", "same")),
            ("data_format", data_format, ("channels_last", "channels_first")),
        ):
            if value not in allowed:
                raise ValueError(
                    f"`{key}` of layer {self.name!r} must be one of {allowed}. Received: {key}={value!r}"
                )
        sizes = {"frame_length": frame_length, "frame_step": frame_step, "fft_length": fft_length}
        for key, size in sizes.items():
            if size is not None and (not isinstance(size, int) or size <= 0):
                raise ValueError(
                    f"`{key}` of layer {self.name!r} must be a positive integer. Received: {key}={size!r}"
                )
        if frame_step is not None and frame_step > frame_length:
            raise ValueError(
                f"`frame_step` of layer {self.name!r} must not exceed `frame_length`={frame_length}: samples would be "
                f"left out. Received: frame_step={frame_step}"
            )
        if fft_length is not None and fft_length < frame_length:
            raise ValueError(
                f"`fft_length` of layer {self.name!r} must be at least `frame_length`={frame_length}. Received: "
                f"fft_length={fft_length}"
            )
        self.mode = mode
        self.frame_length = frame_length
        self.frame_step = frame_step
        self._frame_step = frame_step or max(1, frame_length // 2)
        self.fft_length = fft_length
        self._fft_length = fft_length or 2 ** math.ceil(math.log2(frame_length))
        self.window = window
        self.periodic = periodic
        self.scaling = scaling
        self.padding = padding
        self.expand_dims = expand_dims
        self.data_format = data_format
        self.input_spec = InputSpec(ndim=3)
        self._scaled_window()

    def _scaled_window(self) -> np.ndarray:
        if self.window is None:
            return np.ones(self.frame_length)
        if isinstance(self.window, (str, tuple)):
            from scipy.signal import get_window

            try:
                window = get_window(self.window, self.frame_length, fftbins=self.periodic)
            except ValueError as error:
                raise ValueError(
                    f"`window` of layer {self.name!r}: {error} Received: window={self.window!r}"
                ) from error
        else:
            window = np.asarray(self.window, np.float64)
        if window.shape != (self.frame_length,):
            raise ValueError(
                f"`window` of layer {self.name!r} must have `frame_length`={self.frame_length} numbers. Received: an "
                f"array of shape {format_shape(window.shape)}"
            )
        if self.scaling == "density":
            return window / np.sqrt((window**2).sum())
        return window / np.abs(window.sum()) if self.scaling == "spectrum" else window

    def build(self, input_shape: Any) -> None:
        window = self._scaled_window()[:, None]
        size = self._fft_length
        period = max(1, size // 2 * 2)  # as Keras: an odd length counts as the even one below
        phase = (
            2 * np.pi * (np.arange(self.frame_length)[:, None] * np.arange(size // 2 + 1) % period) / period
        )
        self.real_kernel = self.imag_kernel = None
        shape = (self.frame_length, 1, size // 2 + 1)
        if self.mode != "imag":
            kernel = torch.from_numpy((np.cos(phase) * window).reshape(shape))
            self.real_kernel = self.add_weight(name="real_kernel", shape=shape, initializer=_constant(kernel))
        if self.mode != "real":
            kernel = torch.from_numpy((-np.sin(phase) * window).reshape(shape))
            self.imag_kernel = self.add_weight(name="imag_kernel", shape=shape, initializer=_constant(kernel))

    def call(self, inputs: Tensor) -> Tensor:
        if not inputs.is_floating_point():
            raise TypeError(
                f"Layer {self.name!r} takes signals of floats. Received: dtype {inputs.dtype}. Cast them first."
            )
        x = inputs if self.data_format == "channels_first" else inputs.movedim(-1, 1)
        batch, channels, samples = x.shape
        x = self._padded(x.reshape(batch * channels, 1, samples))
        kernels: list[Tensor] = [
            kernel for kernel in (self.real_kernel, self.imag_kernel) if kernel is not None
        ]
        kernel = kernels[0] if len(kernels) == 1 else torch.cat(kernels, dim=-1)
        spectrum = F.conv1d(x, kernel.permute(2, 1, 0).to(x.dtype), stride=self._frame_step)
        output = self._in_mode(spectrum)
        output = output.reshape(batch, channels, *output.shape[1:])
        if self.data_format == "channels_first":
            return output.transpose(2, 3) if self.expand_dims else output.flatten(1, 2)
        if self.expand_dims:
            return output.permute(0, 3, 2, 1)
        return output.flatten(1, 2).transpose(1, 2)

    def _padded(self, x: Tensor) -> Tensor:
        samples = x.shape[-1]
        if self.padding == "valid":
            if samples < self.frame_length:
                raise ValueError(
                    f"Layer {self.name!r} takes signals of at least `frame_length`={self.frame_length} samples. "
                    f"Received: {samples}. Use `padding='same'` or shorter frames."
                )
            return x
        frames = -(-samples // self._frame_step)
        missing = max((frames - 1) * self._frame_step + self.frame_length - samples, 0)
        return F.pad(x, (missing // 2, missing - missing // 2))

    def _in_mode(self, spectrum: Tensor) -> Tensor:
        if self.mode in ("real", "imag", "stft"):
            return spectrum
        real, imag = spectrum.chunk(2, dim=1)
        if self.mode == "angle":
            return torch.atan2(imag, real)
        power = real.square() + imag.square()
        if self.mode == "psd":
            return torch.cat([power[:, :1], power[:, 1:-1] * 2, power[:, -1:]], dim=1)
        magnitude = power.clamp(min=epsilon()).sqrt()
        return magnitude.log() if self.mode == "log" else magnitude

    def compute_output_shape(self, input_shape: Any) -> Any:
        first = self.data_format == "channels_first"
        batch, channels, samples = input_shape if first else (input_shape[0], input_shape[2], input_shape[1])
        frames = samples
        if samples is not None:
            length = self.frame_length if self.padding == "valid" else 1
            frames = (samples - length) // self._frame_step + 1
        size = (self._fft_length // 2 + 1) * (2 if self.mode == "stft" else 1)
        if self.expand_dims:
            return (batch, channels, frames, size) if first else (batch, frames, size, channels)
        width = None if channels is None else channels * size
        return (batch, width, frames) if first else (batch, frames, width)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "mode": self.mode,
            "frame_length": self.frame_length,
            "frame_step": self.frame_step,
            "fft_length": self.fft_length,
            "window": self.window,
            "periodic": self.periodic,
            "scaling": self.scaling,
            "padding": self.padding,
            "data_format": self.data_format,
            "expand_dims": self.expand_dims,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> STFTSpectrogram:
        return super().from_config({**config, "window": deserialize_keras_object(config.get("window"))})


def _constant(values: Tensor) -> Any:
    return lambda shape, dtype=None: values
