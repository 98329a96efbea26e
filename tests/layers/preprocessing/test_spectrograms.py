from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish
from kerasish.layers import MelSpectrogram, STFTSpectrogram

TONE = torch.sin(2 * np.pi * torch.arange(400) / 8)  # period of 8 samples: bin 8 of 64


def test_tone():
    layer = STFTSpectrogram(mode="magnitude", frame_length=64, scaling="spectrum")
    output = layer(TONE.reshape(1, -1, 1)).detach()
    assert output.shape == (1, 11, 33) and (output.argmax(-1) == 8).all()
    torch.testing.assert_close(output[..., 8], torch.full((1, 11), 0.5), rtol=1e-3, atol=1e-3)


def test_equal_to_the_fourier_transform():
    x = torch.randn(2, 100, 1)
    output = STFTSpectrogram(mode="stft", frame_length=20, frame_step=10, fft_length=32, window=None)(
        x
    ).detach()
    expected = torch.fft.rfft(x[..., 0].unfold(1, 20, 10), n=32)
    torch.testing.assert_close(output, torch.cat([expected.real, expected.imag], -1), rtol=1e-4, atol=1e-4)


def test_kernels_are_trained():
    model = kerasish.Sequential([kerasish.Input((40, 1)), STFTSpectrogram(mode="psd", frame_length=8)])
    model.compile("sgd", "mse")
    before = [w.copy() for w in model.get_weights()]
    x = np.random.default_rng(0).normal(size=(8, 40, 1))
    model.fit(x, np.zeros((8, 9, 5)), batch_size=4, epochs=3, verbose=0)
    assert not any(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    frozen = STFTSpectrogram(frame_length=8, trainable=False)
    frozen.build((None, 40, 1))
    assert not frozen.trainable_weights and len(frozen.weights) == 2


@pytest.mark.parametrize("window", [None, "hann", "hamming", np.ones(64)])
def test_mel_bands_of_a_tone(window):
    layer = MelSpectrogram(
        fft_length=64, sequence_stride=32, window=window, num_mel_bins=10, sampling_rate=8000
    )
    output = layer(TONE)
    assert output.shape == (10, 13) == tuple(layer.compute_output_shape((400,)))
    mel = 2595 * np.log10(1 + np.array([20.0, 1000.0, 4000.0]) / 700)
    band = round((mel[1] - mel[0]) / (mel[2] - mel[0]) * 11 - 1)
    assert (output[:, 2:-2].argmax(0) == band).all()
    assert output.max() - output.min() <= 80


@pytest.mark.parametrize("dtype", ["float64", "float16", "mixed_bfloat16"])
def test_mel_in_other_dtypes(dtype):
    plain = MelSpectrogram(fft_length=64, sequence_stride=32)(TONE)
    other = MelSpectrogram(fft_length=64, sequence_stride=32, dtype=dtype)(TONE)
    assert str(other.dtype) == "torch." + dtype.removeprefix("mixed_")
    torch.testing.assert_close(other.float(), plain, rtol=0.02, atol=0.5)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: STFTSpectrogram(mode="mel"), ValueError, r"`mode` of layer"),
        (lambda: STFTSpectrogram(scaling="none"), ValueError, r"`scaling` of layer"),
        (lambda: STFTSpectrogram(padding="full"), ValueError, r"`padding` of layer"),
        (lambda: STFTSpectrogram(data_format="last"), ValueError, r"`data_format` of layer"),
        (lambda: STFTSpectrogram(frame_length=0), ValueError, r"`frame_length` of layer .* must be a positive integer"),
        (lambda: STFTSpectrogram(frame_step=300), ValueError, r"`frame_step` of layer .* must not exceed"),
        (lambda: STFTSpectrogram(fft_length=10), ValueError, r"`fft_length` of layer .* must be at least"),
        (lambda: STFTSpectrogram(window="tukish"), ValueError, r"`window` of layer"),
        (lambda: STFTSpectrogram(window=np.ones(3)), ValueError, r"must have `frame_length`=256 numbers"),
        (lambda: STFTSpectrogram()(torch.ones(2, 100, 1)), ValueError, r"at least `frame_length`=256 samples"),
        (lambda: STFTSpectrogram()(torch.ones(2, 300)), ValueError, r"The shape of the input"),
        (lambda: STFTSpectrogram()(torch.ones(2, 300, 1, dtype=torch.int32)), TypeError, r"takes signals of floats"),
        (lambda: MelSpectrogram(num_mel_bins=0), ValueError, r"`num_mel_bins` of layer .* must be a positive integer"),
        (lambda: MelSpectrogram(sequence_stride=0), ValueError, r"`sequence_stride` of layer"),
        (lambda: MelSpectrogram(sequence_length=4000), ValueError, r"must not exceed `fft_length`=2048"),
        (lambda: MelSpectrogram(window="blackman"), ValueError, r"must be one of \('hann', 'hamming'\)"),
        (lambda: MelSpectrogram(window=np.ones(3)), ValueError, r"must have `sequence_length`=2048 numbers"),
        (lambda: MelSpectrogram(min_freq=9000.0), ValueError, r"must be below `max_freq`=8000"),
        (lambda: MelSpectrogram()(torch.ones(1000)), ValueError, r"more than `fft_length` / 2 = 1024 samples"),
    ],
)  # fmt: skip
def test_mistakes(make, error, message):
    with pytest.raises(error, match=message):
        make()
