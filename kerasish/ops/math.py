"""Segments, the largest values, Fourier transforms, special functions and distances."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kerasish.errors import format_shape
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.floating import to_common_float
from kerasish.ops.operands import as_float, canonical_axes
from kerasish.ops.operation import operation


@operation
def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """Sum the rows of `data` that have the same id.

    Args:
        data: `(N, …)`.
        segment_ids: `(N,)`, the id of each row; rows whose id is out of range are left out.
        num_segments: number of rows of the result; for None, the largest id + 1.
        sorted: whether the ids are in ascending order, which makes no difference on torch.

    Example:
        >>> segment_sum([1, 2, 10], [0, 0, 2])
        tensor([ 3,  0, 10], dtype=torch.int32)
    """
    return _reduce_segments("segment_sum", "sum", data, segment_ids, num_segments)


@operation
def segment_prod(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """Multiply the rows of `data` that have the same id, 1 where there is none; arguments as in `segment_sum`."""
    return _reduce_segments("segment_prod", "prod", data, segment_ids, num_segments)


@operation
def segment_max(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """The largest of the rows with the same id; where there is none, −∞ or the smallest integer."""
    return _reduce_segments("segment_max", "amax", data, segment_ids, num_segments)


@operation
def segment_min(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """The smallest of the rows with the same id; where there is none, ∞ or the largest integer."""
    return _reduce_segments("segment_min", "amin", data, segment_ids, num_segments)


def _reduce_segments(
    name: str, reduction: str, data: Any, segment_ids: Any, num_segments: int | None
) -> Tensor:
    data, ids = convert_to_tensor(data), convert_to_tensor(segment_ids).long()
    if ids.ndim != 1 or not data.ndim or len(ids) != len(data):
        raise ValueError(
            f"{name}: `segment_ids` must be a vector with one id per row of `data`. "
            f"Received: {format_shape(ids.shape)} ids for data of shape {format_shape(data.shape)}"
        )
    if num_segments is None:
        if ids.is_meta:
            raise ValueError(f"{name}: give `num_segments`, which symbolic `segment_ids` do not tell.")
        num_segments = int(ids.max()) + 1 if len(ids) else 0
    row_for_the_rest = num_segments
    ids = torch.where((ids >= 0) & (ids < num_segments), ids, row_for_the_rest)
    index = ids.reshape(-1, *(1,) * (data.ndim - 1)).expand(data.shape)
    shape = (num_segments + 1, *data.shape[1:])
    start = torch.full(shape, _neutral(reduction, data.dtype), dtype=data.dtype, device=data.device)
    return start.scatter_reduce(0, index, data, reduction)[:num_segments]


def _neutral(reduction: str, dtype: torch.dtype) -> Any:
    if reduction in ("sum", "prod"):
        return 0 if reduction == "sum" else 1
    if dtype.is_floating_point:
        return -math.inf if reduction == "amax" else math.inf
    if dtype is torch.bool:
        return reduction == "amin"
    limits = torch.iinfo(dtype)
    return limits.min if reduction == "amax" else limits.max


@operation
def top_k(x: Any, k: int, sorted: bool = True) -> Any:
    """The k largest values along the last axis, and their places.

    Args:
        sorted: whether the largest comes first.

    Example:
        >>> values, places = top_k([1.0, 3.0, 2.0], 2)
        >>> values.tolist(), places.tolist()
        ([3.0, 2.0], [1, 2])
    """
    x = convert_to_tensor(x)
    if x.ndim and k > x.shape[-1]:
        raise ValueError(f"top_k: `k` must not be larger than the last axis, {x.shape[-1]}. Received: k={k}")
    return torch.topk(x, k, sorted=sorted)


@operation
def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    """Whether fewer than k predictions of a row are larger than that of its target.

    Args:
        targets: `(B,)`, class numbers; those out of range are in no top.
        predictions: `(B, C)`.

    Example:
        >>> in_top_k([2, 0], [[0.1, 0.7, 0.2], [0.1, 0.7, 0.2]], k=2).tolist()
        [True, False]
    """
    targets, predictions = convert_to_tensor(targets).long(), convert_to_tensor(predictions)
    if targets.shape != predictions.shape[:-1]:
        raise ValueError(
            "in_top_k: `targets` must have the shape of `predictions` without the last axis. "
            f"Received: {format_shape(targets.shape)} and {format_shape(predictions.shape)}"
        )
    exists = (targets >= 0) & (targets < predictions.shape[-1])
    own = predictions.gather(-1, torch.where(exists, targets, 0).unsqueeze(-1))
    ahead = (~(predictions <= own)).sum(-1)  # NaN counts as ahead
    return exists & (ahead < k)


@operation
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`log Σ exp(x)` over `axis`, one or several, or None for all."""
    x = as_float(x)
    return torch.logsumexp(x, canonical_axes(axis, x.ndim), keepdim=keepdims)


@operation
def erf(x: Any) -> Any:
    """Error function: `2 / √π ∫₀ˣ exp(−t²) dt`."""
    return torch.erf(as_float(x))


@operation
def erfc(x: Any) -> Any:
    """`1 − erf(x)`, accurate for large x."""
    return torch.erfc(as_float(x))


@operation
def erfinv(x: Any) -> Any:
    """The inverse of `erf`; ±∞ at ±1 and NaN beyond."""
    return torch.erfinv(as_float(x))


@operation
def rsqrt(x: Any) -> Any:
    """`1 / √x`."""
    return torch.rsqrt(as_float(x))


@operation
def logdet(x: Any) -> Any:
    """Logarithms of the determinants of square matrices `(…, N, N)`; NaN for negative ones, −∞ for 0."""
    x = as_float(x)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError(f"logdet: expected square matrices. Received: x of shape {format_shape(x.shape)}")
    return torch.logdet(x)


@operation
def cdist(x: Any, y: Any) -> Any:
    """Euclidean distances of all rows of x `(…, M, F)` to all rows of y `(…, N, F)`: `(…, M, N)`."""
    x, y = to_common_float(x, y)
    if x.ndim < 2 or y.ndim < 2 or x.shape[-1] != y.shape[-1]:
        raise ValueError(
            "cdist: `x` and `y` must be stacks of rows of the same length. "
            f"Received: {format_shape(x.shape)} and {format_shape(y.shape)}"
        )
    return torch.cdist(x, y)


@operation
def view_as_complex(x: Any) -> Any:
    """Complex numbers from real and imaginary parts in the last axis, `(…, 2)`, of type complex64."""
    x = as_float(x)
    if x.is_complex() or not x.ndim or x.shape[-1] != 2:
        raise ValueError(
            "view_as_complex: `x` must be real and have a last axis of size 2, real and imaginary part. "
            f"Received: x of shape {format_shape(x.shape)}, dtype {x.dtype}"
        )
    return torch.complex(x[..., 0].float(), x[..., 1].float())


@operation
def view_as_real(x: Any) -> Any:
    """Real and imaginary parts in a new last axis, `(…, 2)`."""
    x = convert_to_tensor(x)
    if not x.is_complex():
        raise ValueError(f"view_as_real: `x` must be complex. Received: dtype {x.dtype}")
    return torch.stack([x.real, x.imag], -1)


@operation
def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> Any:
    """Windows of the last axis, each `sequence_stride` after the one before: `(…, T)` → `(…, windows, length)`."""
    x = convert_to_tensor(x)
    if not x.ndim or not 1 <= sequence_length <= x.shape[-1] or sequence_stride < 1:
        raise ValueError(
            "extract_sequences: `sequence_length` must lie between 1 and the size of the last axis, and "
            f"`sequence_stride` be positive. Received: sequence_length={sequence_length}, "
            f"sequence_stride={sequence_stride}, x of shape {format_shape(x.shape)}"
        )
    return x.unfold(-1, sequence_length, sequence_stride)


@operation
def fft(x: Any) -> Any:
    """Fourier transform along the last axis: `X_k = Σ_n x_n exp(−2πi k n / N)`.

    Args:
        x: real and imaginary part, a tuple of two tensors, as is the result.
    """
    return _parts(torch.fft.fft(_complex("fft", x)))


@operation
def fft2(x: Any) -> Any:
    """Fourier transform along the last two axes; x and the result are tuples of real and imaginary part."""
    return _parts(torch.fft.fft2(_complex("fft2", x, rank=2)))


@operation
def ifft2(x: Any) -> Any:
    """The inverse of `fft2`; x and the result are tuples of real and imaginary part."""
    return _parts(torch.fft.ifft2(_complex("ifft2", x, rank=2)))


@operation
def rfft(x: Any, fft_length: int | None = None) -> Any:
    """The non-negative frequencies of the Fourier transform of a real signal: real and imaginary part `(…, N/2 + 1)`.

    Args:
        x: `(…, N)`, cut or filled with zeros to `fft_length`.
    """
    return _parts(torch.fft.rfft(as_float(x), n=fft_length))


@operation
def irfft(x: Any, fft_length: int | None = None) -> Any:
    """The real signal of `fft_length` values (2 (F − 1) for None) with these non-negative frequencies.

    Args:
        x: real and imaginary part `(…, F)`, a tuple.
    """
    return torch.fft.irfft(_complex("irfft", x), n=fft_length)


def _complex(name: str, x: Any, rank: int = 1) -> Tensor:
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ValueError(f"{name}: `x` must be a tuple of two tensors, real and imaginary part.")
    real, imaginary = to_common_float(*x)
    if real.shape != imaginary.shape or real.ndim < rank:
        raise ValueError(
            f"{name}: real and imaginary part must have the same shape, of at least {rank} dimensions. "
            f"Received: {format_shape(real.shape)} and {format_shape(imaginary.shape)}"
        )
    return torch.complex(real, imaginary)


def _parts(x: Tensor) -> tuple[Tensor, Tensor]:
    return x.real, x.imag


@operation
def stft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> Any:
    """Short-time Fourier transform: the spectrum of every window of a signal, `(…, T)` → `(…, windows, F)`.

    Args:
        sequence_length: length of a window.
        sequence_stride: distance from window to window.
        fft_length: length of the transforms, at least `sequence_length`; F = fft_length / 2 + 1.
        window: weights within a window: "hann", "hamming", `(sequence_length,)` of one's own, or None for ones.
        center: whether window t is centred at t · sequence_stride, the signal being mirrored at its ends.

    Returns: real and imaginary part.
    """
    x = as_float(x)
    weights = _window(window, sequence_length, fft_length, x)
    flat = x.reshape(-1, x.shape[-1])
    spectra = torch.stft(
        flat, fft_length, sequence_stride, fft_length, weights, center=center, return_complex=True
    ).mT
    return _parts(spectra.reshape(*x.shape[:-1], *spectra.shape[1:]))


@operation
def istft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Any:
    """The signal of a short-time Fourier transform: windows of the inverse transforms, weighted, added and rescaled.

    The sum is divided by Σ w² of the windows at each place, so that `istft(stft(x)) = x`; without `center` by what that
    sum is far from the ends (so that the ends fade), and with no window not at all.

    Args:
        x: real and imaginary part `(…, windows, F)`, a tuple.
        length: of the result; None for as much as the windows cover.
        sequence_length, sequence_stride, fft_length, window, center: as in `stft`.

    Source: Griffin and Lim, 1984, *Signal estimation from modified short-time Fourier transform*.
    """
    frames = torch.fft.irfft(_complex("istft", x, rank=2), n=fft_length)
    weights = _window(window, sequence_length, fft_length, frames)
    count = frames.shape[-2]
    total = (count - 1) * sequence_stride + fft_length
    flat = frames.reshape(-1, count, fft_length)
    if window is None:
        signal = _overlap(flat, total, sequence_stride)
    else:
        squares = weights.square()
        signal = _overlap(flat * weights, total, sequence_stride)
        if center:
            sums = _overlap(squares.expand(1, count, fft_length), total, sequence_stride)
        else:
            periods = F.pad(squares, (0, -fft_length % sequence_stride)).reshape(-1, sequence_stride).sum(0)
            sums = periods.repeat(-(-total // sequence_stride))[:total]
        signal = signal / torch.where(sums > 1e-11, sums, 1)
    start = fft_length // 2 if center else 0
    stop = total - start if length is None else min(start + length, total)
    signal = signal[:, start:stop]
    if length is not None and signal.shape[-1] < length:
        signal = F.pad(signal, (0, length - signal.shape[-1]))
    return signal.reshape(*frames.shape[:-2], signal.shape[-1])


def _overlap(frames: Tensor, total: int, stride: int) -> Tensor:
    """Add windows `(B, windows, length)`, each `stride` after the one before: `(B, total)`."""
    columns = frames.mT
    return F.fold(columns, (1, total), (1, frames.shape[-1]), stride=(1, stride)).reshape(-1, total)


def _window(window: Any, sequence_length: int, fft_length: int, like: Tensor) -> Tensor:
    """The weights of a window, zeros around them: `(fft_length,)`."""
    if fft_length < sequence_length:
        raise ValueError(
            "`fft_length` must not be smaller than `sequence_length`. "
            f"Received: sequence_length={sequence_length}, fft_length={fft_length}"
        )
    options: Any = {"dtype": like.dtype, "device": like.device}
    if window is None:
        weights = torch.ones(sequence_length, **options)
    elif isinstance(window, str):
        if window not in ("hann", "hamming"):
            raise ValueError(
                f"`window` must be 'hann', 'hamming', a tensor or None. Received: window={window!r}"
            )
        make = torch.hann_window if window == "hann" else torch.hamming_window
        weights = make(sequence_length, **options)
    else:
        weights = convert_to_tensor(window).to(**options)
    if weights.shape != (sequence_length,):
        raise ValueError(
            f"`window` must have shape ({sequence_length},), that of a sequence. "
            f"Received: {format_shape(weights.shape)}"
        )
    before = (fft_length - sequence_length) // 2
    return F.pad(weights, (before, fft_length - sequence_length - before))
