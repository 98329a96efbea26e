"""`ConvLSTM1D`, `ConvLSTM2D`, `ConvLSTM3D`: what parity with Keras does not say."""

from __future__ import annotations

import pytest
import torch

import kerasish as keras
from kerasish import layers


def test_a_kernel_of_one_pixel_is_an_lstm_of_every_pixel():
    layer = layers.ConvLSTM2D(3, 1, return_sequences=True)
    x = torch.randn(2, 5, 4, 3, 2)
    output = layer(x)
    lstm = layers.LSTM(3, return_sequences=True)
    lstm.build((None, 5, 2))
    kernel, recurrent_kernel, bias = layer.get_weights()
    lstm.set_weights([kernel[0, 0], recurrent_kernel[0, 0], bias])
    pixels = lstm(x.permute(0, 2, 3, 1, 4).reshape(24, 5, 2))
    torch.testing.assert_close(output.permute(0, 2, 3, 1, 4).reshape(24, 5, 3), pixels, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_dropout_masks_hold_for_a_whole_sequence(rank):
    layer = getattr(layers, f"ConvLSTM{rank}D")(
        2, 2, dropout=0.5, recurrent_dropout=0.5, seed=1, return_sequences=True
    )
    x = torch.randn(2, 4, *(5, 4, 3)[:rank], 2)
    outputs = layer(x, training=True)
    states = layer.get_initial_state(2)
    for t in range(4):
        output, states = layer.cell(x[:, t], states, training=True)
        torch.testing.assert_close(output, outputs[:, t])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"filters": 0, "kernel_size": 2}, r"`filters`.*positive integer"),
        ({"filters": 2, "kernel_size": (2, 2, 2)}, r"`kernel_size`.*Received"),
        ({"filters": 2, "kernel_size": 2, "padding": "causal"}, r"`padding`.*must be one of 'valid', 'same'"),
        (
            {"filters": 2, "kernel_size": 2, "strides": 2, "dilation_rate": 2},
            r"cannot have both strides and a dilation",
        ),
        ({"filters": 2, "kernel_size": 2, "data_format": "nhwc"}, r"`data_format` must be"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        layers.ConvLSTM2D(**settings)


def test_bad_inputs():
    with pytest.raises(ValueError, match=r"is larger than its input"):
        layers.ConvLSTM2D(2, 7)(torch.ones(2, 3, 4, 4, 1))
    with pytest.raises(ValueError, match=r"is larger than its input"):
        layers.ConvLSTM2D(2, 7)(keras.Input((3, 4, 4, 1)))
    with pytest.raises(ValueError, match=r"The shape of the input of layer"):
        layers.ConvLSTM2D(2, 2)(torch.ones(2, 3, 4, 1))
    with pytest.raises(ValueError, match=r"number of channels"):
        layers.ConvLSTM2D(2, 2)(keras.Input((3, 4, 4, None)))
    with pytest.raises(ValueError, match=r"`initial_state`.*\(2, 3, 3, 2\)"):
        layers.ConvLSTM2D(2, 2)(torch.ones(2, 3, 4, 4, 1), initial_state=[torch.ones(2, 4, 4, 2)] * 2)
    with pytest.raises(RuntimeError, match=r"must be built first"):
        layers.ConvLSTM2D(2, 2).get_initial_state(3)
