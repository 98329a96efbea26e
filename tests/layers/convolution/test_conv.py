"""`Conv1D`, `Conv2D`, `Conv3D`, and the depthwise and separable convolutions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers

RNG = np.random.default_rng(0)
SHAPES = {1: (2, 7, 4), 2: (2, 6, 5, 4), 3: (2, 4, 5, 3, 4)}


def by_definition(x, kernel, bias, strides, padding, dilation, groups=1):
    """The sum over the window, written out; x is (B, …, C)."""
    rank = x.ndim - 2
    window = kernel.shape[:rank]
    pads = []
    for size, k in zip(x.shape[1:-1], window, strict=True):
        total = max((-(-size // strides) - 1) * strides + dilation * (k - 1) + 1 - size, 0)
        pads.append(
            {"valid": (0, 0), "same": (total // 2, total - total // 2), "causal": (dilation * (k - 1), 0)}[
                padding
            ]
        )
    x = np.pad(x, [(0, 0), *pads, (0, 0)])
    sizes = [
        (size - dilation * (k - 1) - 1) // strides + 1 for size, k in zip(x.shape[1:-1], window, strict=True)
    ]
    inputs, filters = kernel.shape[-2:]
    y = np.zeros((len(x), *sizes, filters))
    for place in itertools.product(*map(range, sizes)):
        for offset in itertools.product(*map(range, window)):
            at = tuple(p * strides + o * dilation for p, o in zip(place, offset, strict=True))
            for group in range(groups):
                here = slice(group * inputs, (group + 1) * inputs)
                there = slice(group * filters // groups, (group + 1) * filters // groups)
                y[(slice(None), *place, there)] += (
                    x[(slice(None), *at, here)] @ kernel[(*offset, slice(None), there)]
                )
    return y + bias


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    ("size", "strides", "padding", "dilation", "groups"),
    [
        (3, 1, "valid", 1, 1),
        (2, 2, "valid", 1, 1),
        (3, 1, "same", 1, 1),
        (2, 1, "same", 1, 2),
        (3, 2, "same", 1, 1),
        (4, 3, "same", 1, 1),
        (2, 1, "same", 2, 1),
        (2, 1, "valid", 2, 4),
        (1, 2, "same", 1, 1),
    ],
)
def test_definition(rank, data_format, size, strides, padding, dilation, groups):
    x = RNG.standard_normal(SHAPES[rank])
    layer = getattr(layers, f"Conv{rank}D")(
        4, size, strides, padding, data_format, dilation, groups, bias_initializer="normal", dtype="float64"
    )
    is_last = data_format == "channels_last"
    output = layer(x if is_last else np.moveaxis(x, -1, 1))
    expected = by_definition(x, layer.kernel.numpy(), layer.bias.numpy(), strides, padding, dilation, groups)
    np.testing.assert_allclose(
        output.detach(), expected if is_last else np.moveaxis(expected, -1, 1), atol=1e-12
    )


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(("strides", "dilation"), [(1, 1), (2, 1), (1, 3)])
def test_causal(data_format, strides, dilation):
    x = RNG.standard_normal(SHAPES[1])
    layer = layers.Conv1D(3, 3, strides, "causal", data_format, dilation, dtype="float64")
    output = layer(x if data_format == "channels_last" else np.moveaxis(x, -1, 1)).detach().numpy()
    output = output if data_format == "channels_last" else np.moveaxis(output, 1, -1)
    expected = by_definition(x, layer.kernel.numpy(), layer.bias.numpy(), strides, "causal", dilation)
    np.testing.assert_allclose(output, expected, atol=1e-12)


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    ("strides", "padding", "dilation"), [(1, "valid", 1), (2, "same", 1), (1, "same", 2)]
)
def test_depthwise_and_separable(rank, data_format, strides, padding, dilation):
    x = RNG.standard_normal(SHAPES[rank])
    is_last = data_format == "channels_last"
    given = x if is_last else np.moveaxis(x, -1, 1)
    settings = {"strides": strides, "padding": padding, "dilation_rate": dilation, "data_format": data_format}
    depthwise = getattr(layers, f"DepthwiseConv{rank}D")(3, depth_multiplier=2, dtype="float64", **settings)
    separable = getattr(layers, f"SeparableConv{rank}D")(
        3, 3, depth_multiplier=2, dtype="float64", **settings
    )
    outputs = [layer(given).detach().numpy() for layer in (depthwise, separable)]
    outputs = [y if is_last else np.moveaxis(y, 1, -1) for y in outputs]

    def apart(kernel):
        each = [
            by_definition(x[..., [c]], kernel[..., [c], :], 0, strides, padding, dilation) for c in range(4)
        ]
        return np.concatenate(each, axis=-1)

    np.testing.assert_allclose(outputs[0], apart(depthwise.kernel.numpy()), atol=1e-12)
    mixed = apart(separable.depthwise_kernel.numpy()) @ separable.pointwise_kernel.numpy().reshape(8, 3)
    np.testing.assert_allclose(outputs[1], mixed, atol=1e-12)


def test_activation_stands_last_in_the_layer_s_own_layout():
    x = RNG.standard_normal(SHAPES[2], dtype="float32")
    layer = layers.Conv2D(3, 2, activation="softmax")
    np.testing.assert_allclose(layer(x).sum(-1).detach(), 1, rtol=1e-5)
    wide = layers.Conv2D(4, 2, activation="glu")
    assert wide(x).shape == (2, 5, 4, 2)
    assert wide(keras.Input((6, 5, 4))).shape == (None, 5, 4, 2)


def test_own_convolution():
    """Keras's documented way to change the kernel before it is used."""

    class Standardized(layers.Conv2D):
        def convolution_op(self, inputs, kernel):
            return super().convolution_op(inputs, kernel - kernel.mean())

    x = torch.from_numpy(RNG.standard_normal(SHAPES[2], dtype="float32"))
    for data_format, given in (("channels_last", x), ("channels_first", x.movedim(-1, 1))):
        layer = Standardized(3, 2, data_format=data_format, bias_initializer="normal", activation="relu")
        plain = layers.Conv2D(3, 2, data_format=data_format, activation="relu")
        layer(given), plain(given)
        plain.set_weights([layer.kernel.numpy() - layer.kernel.numpy().mean(), layer.bias.numpy()])
        torch.testing.assert_close(layer(given), plain(given))


def test_gradients():
    layer = layers.Conv2D(2, 2, padding="same", dtype="float64")
    x = torch.from_numpy(RNG.standard_normal((1, 3, 3, 2))).requires_grad_()
    layer(x)
    assert torch.autograd.gradcheck(layer, (x,))


@pytest.mark.parametrize("dtype", ["uint8", "int32", "bool", "float16"])
def test_inputs_of_other_dtypes(dtype):
    layer = layers.Conv2D(2, 3)
    x = (RNG.random((2, 5, 5, 3)) > 0.5).astype(dtype)
    torch.testing.assert_close(layer(x), layer(x.astype("float32")))


def test_penalties():
    layer = layers.Conv1D(2, 3, kernel_regularizer="l2", bias_regularizer="l1", activity_regularizer="l2")
    layer(np.ones((2, 5, 3), "float32"))
    assert len(layer.losses) == 3


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (layers.Conv2D(2, 3), (None, None, 3), (None, None, 2)),
        (layers.Conv2D(2, 3, strides=2, padding="same"), (None, 7, 3), (None, 4, 2)),
        (layers.Conv1D(2, 3, padding="causal"), (None, 3), (None, 2)),
        (layers.Conv2DTranspose(2, 3, strides=2), (None, 4, 3), (None, 9, 2)),
        (layers.DepthwiseConv2D(3, data_format="channels_first"), (3, None, 5), (3, None, 3)),
    ],
)
def test_unknown_sizes(layer, shape, expected):
    assert layer(keras.Input(shape)).shape == (None, *expected)


CONV = layers.Conv2D
X = np.zeros((2, 7, 8, 3), "float32")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CONV(0, 3, name="c"), r"`filters` of layer 'c' must be a positive integer. Received: filters=\(0,\)"),
        (lambda: CONV(2.5, 3), r"`filters` .* must be a positive integer"),
        (lambda: CONV(None, 3), r"`filters` .* must be a positive integer"),
        (lambda: CONV(2, 0), r"`kernel_size` .* positive integer or a tuple of 2 of them. Received: kernel_size=0"),
        (lambda: CONV(2, (3,)), r"`kernel_size` .* tuple of 2"),
        (lambda: CONV(2, "33"), r"`kernel_size` .* tuple of 2"),
        (lambda: CONV(2, (3, True)), r"`kernel_size` .* tuple of 2"),
        (lambda: CONV(2, 3, strides=-1), r"`strides` .* positive"),
        (lambda: CONV(2, 3, dilation_rate=0), r"`dilation_rate` .* positive"),
        (lambda: CONV(2, 3, strides=2, dilation_rate=(1, 2)), r"cannot have both strides and a dilation"),
        (lambda: CONV(4, 3, groups=3), r"`groups` must divide `filters`.*filters=4, groups=3"),
        (lambda: CONV(4, 3, groups=0), r"`groups` .* positive"),
        (lambda: CONV(2, 3, padding="sane"), r"one of 'valid', 'same'. Did you mean 'same'\? Received: padding='sane'"),
        (lambda: CONV(2, 3, padding="causal"), r"`padding` .* must be one of 'valid', 'same'"),
        (lambda: layers.SeparableConv1D(2, 3, padding="causal"), r"`padding` .* must be one of 'valid', 'same'"),
        (lambda: CONV(2, 3, data_format="last"), r"`data_format` must be 'channels_first' or 'channels_last'"),
        (lambda: CONV(2, 3, activation="rellu"), r"Did you mean 'relu'"),
        (lambda: CONV(2, 3, lora_rank=2), r"LoRA is not supported. Leave out `lora_rank`.*peft"),
        (lambda: layers.DepthwiseConv2D(3, depth_multiplier=0), r"`depth_multiplier` .* positive"),
        (lambda: layers.SeparableConv2D(0, 3), r"`filters` .* positive"),
        (lambda: CONV(4, 3, groups=2)(X), r"`groups` must divide the number of channels.*3 channels, groups=2"),
        (lambda: CONV(2, 9, name="c")(X), r"window \(9, 9\) of layer 'c' is larger than its input .*7, 8, 3\)"),
        (lambda: CONV(2, 9)(X), r"spatial sizes \(-1, 0\).*pad with `padding='same'`"),
        (lambda: CONV(2, 3, dilation_rate=4)(X), r"Make the window or the dilation smaller"),
        (lambda: CONV(2, 3)(X[0]), r"expected \(None, None, None, None\). Received: \(7, 8, 3\)"),
        (lambda: layers.Conv1D(2, 3)(X), r"Received: \(2, 7, 8, 3\)"),
        (lambda: CONV(2, 3)(keras.Input((5, 5, None))), r"must know the number of channels of its input, axis -1"),
        (lambda: CONV(2, 3).compute_output_shape((None, 5, 3)), r"expects inputs of 4 dimensions"),
    ],
)  # fmt: skip
def test_mistakes(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_other_channels_than_built_with():
    layer = layers.Conv2D(2, 3, name="c")
    layer(X)
    with pytest.raises(
        ValueError, match=r"input of layer 'c' does not fit: expected \(None, None, None, 3\)"
    ):
        layer(X[..., :2])


def test_unknown_argument():
    with pytest.raises(TypeError, match=r"unknown arguments \['rank'\]"):
        layers.Conv2D(2, 3, rank=2)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        *[(f"Convolution{rank}D{kind}", f"Conv{rank}D{kind}") for rank in (1, 2, 3) for kind in ("", "Transpose")],
        *[(f"SeparableConvolution{rank}D", f"SeparableConv{rank}D") for rank in (1, 2)],
        *[(f"{kind}{rank}D", f"{kind[:-4].replace('Avg', 'Average')}Pooling{rank}D")
          for kind in ("MaxPool", "AvgPool", "GlobalMaxPool", "GlobalAvgPool") for rank in (1, 2, 3)],
    ],
)  # fmt: skip
def test_aliases(alias, name):
    assert getattr(layers, alias) is getattr(layers, name)


@pytest.mark.slow
@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv2D(2, 3, strides=2, padding="same"),
        layers.Conv2DTranspose(2, 3, strides=2, padding="same"),
        layers.SeparableConv2D(2, 3),
        layers.MaxPooling2D(2, padding="same"),
        layers.UpSampling2D(2, interpolation="bilinear"),
    ],
)
def test_torch_compiles_them(layer):
    x = torch.from_numpy(RNG.standard_normal((2, 6, 5, 3), dtype="float32"))
    expected = layer(x)
    compiled = torch.compile(lambda x: layer.call(x), fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x), expected)
