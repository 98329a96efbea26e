"""`Conv1DTranspose`, `Conv2DTranspose` and `Conv3DTranspose`."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kerasish import layers

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("size", "strides", "dilation"), [(3, 1, 1), (3, 2, 1), (2, 2, 1), (4, 3, 1), (2, 1, 2), (5, 2, 1)]
)
def test_it_is_the_gradient_of_the_convolution(rank, data_format, padding, size, strides, dilation):
    """For every a and b: ⟨conv(a), b⟩ = ⟨a, transposed(b)⟩."""
    spatial = (6, 6, 6)[:rank]
    settings = (2, size, strides, padding)
    common = {"data_format": data_format, "dilation_rate": dilation, "dtype": "float64", "use_bias": False}
    transposed = getattr(layers, f"Conv{rank}DTranspose")(*settings, **common)
    b = torch.from_numpy(
        RNG.standard_normal((1, *spatial, 2) if data_format == "channels_last" else (1, 2, *spatial))
    )
    back = transposed(b)
    convolution = getattr(layers, f"Conv{rank}D")(*settings, **common)
    a = torch.from_numpy(RNG.standard_normal(back.shape))
    convolution(a)
    convolution.set_weights(transposed.get_weights())
    forth = convolution(a)
    assert forth.shape == b.shape
    torch.testing.assert_close((forth * b).sum(), (a * back).sum())


@pytest.mark.parametrize(
    ("size", "strides", "padding", "output_padding", "dilation", "expected"),
    [
        (3, 2, "valid", None, 1, 11),
        (2, 3, "valid", None, 1, 15),
        (3, 2, "same", None, 1, 10),
        (3, 2, "valid", 0, 1, 11),
        (3, 2, "valid", 1, 1, 12),
        (3, 2, "same", 0, 1, 9),
        (3, 2, "same", 1, 1, 10),
        (4, 2, "same", 1, 1, 9),
        (3, 1, "valid", None, 2, 9),
        (1, 4, "same", 2, 1, 19),
    ],
)
def test_length(size, strides, padding, output_padding, dilation, expected):
    layer = layers.Conv1DTranspose(
        2, size, strides, padding, output_padding, dilation_rate=dilation, bias_initializer="ones"
    )
    assert (
        layer(np.ones((2, 5, 3), "float32")).shape
        == layer.compute_output_shape((2, 5, 3))
        == (2, expected, 2)
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: layers.Conv2DTranspose(2, 3, strides=2, output_padding=2, name="t"),
            r"`output_padding` of layer 't' must be smaller than `strides`. Received: output_padding=\(2, 2\)",
        ),
        (lambda: layers.Conv2DTranspose(2, 3, output_padding=-1), r"must be a non-negative integer"),
        (lambda: layers.Conv2DTranspose(2, 3, strides=2, dilation_rate=2), r"cannot have both"),
        (lambda: layers.Conv1DTranspose(2, 3, padding="causal"), r"must be one of 'valid', 'same'"),
        (lambda: layers.Conv2DTranspose(0, 3), r"`filters` .* positive"),
        (
            lambda: layers.Conv1DTranspose(2, 4, padding="same", output_padding=0)(np.ones((1, 1, 1), "float32")),
            r"is larger than its input",
        ),
    ],
)  # fmt: skip
def test_mistakes(make, message):
    with pytest.raises(ValueError, match=message):
        make()
