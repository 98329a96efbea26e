"""Every mistake with a layer or a graph gives a message that names the layer, what it expects and what it received."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers

WINDOW_TOO_LARGE = r"window \(9,.*of layer 'here' is larger than its input of shape .*padding='same'"


def ones(*shape):
    return np.ones(shape, "float32")


def ones_mask(*shape):
    return np.ones(shape, bool)


@pytest.mark.parametrize(
    ("layer", "shape", "rank"),
    [
        (layers.Conv1D(2, 3, name="here"), (2, 8), 3),
        (layers.Conv2D(2, 3, name="here"), (2, 8, 8), 4),
        (layers.SeparableConv2D(2, 3, name="here"), (2, 8, 8), 4),
        (layers.MaxPooling2D(2, name="here"), (2, 8, 8), 4),
        (layers.GlobalAveragePooling2D(name="here"), (2, 8), 4),
        (layers.UpSampling2D(2, name="here"), (2, 8, 8), 4),
        (layers.LSTM(2, name="here"), (2, 8), 3),
        (layers.Bidirectional(layers.GRU(2), name="here"), (2, 8), 3),
        (layers.ConvLSTM2D(2, 3, name="here"), (2, 8, 8, 1), 5),
        (layers.RepeatVector(2, name="here"), (2, 8, 8), 2),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, layers.Layer) else None,
)
def test_wrong_rank(layer, shape, rank):
    expected = ", ".join(["None"] * rank)
    with pytest.raises(
        ValueError, match=rf"layer 'here' does not fit: expected \({expected}\)\. Received: \("
    ):
        layer(ones(*shape))


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv2D(3, 9, name="here"),
        layers.SeparableConv2D(3, 9, name="here"),
        layers.DepthwiseConv2D(9, name="here"),
        layers.MaxPooling2D(9, name="here"),
    ],
    ids=lambda layer: type(layer).__name__,
)
@pytest.mark.parametrize("inputs", [ones(2, 8, 8, 1), keras.Input((8, 8, 1))], ids=["real", "symbolic"])
def test_window_larger_than_the_image(layer, inputs):
    with pytest.raises(ValueError, match=WINDOW_TOO_LARGE):
        layer(inputs)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Conv2D(3, 3, padding="sames", name="here"), "layer 'here'.*Did you mean 'same'"),
        (lambda: layers.Conv2D(3, 3, padding="causal", name="here"), "layer 'here' must be one of 'valid', 'same'"),
        (lambda: layers.Conv2D(3, 3, data_format="channel_last"), "'channels_first' or 'channels_last'.*'channel_last"),
        (lambda: layers.Conv2D(3, 3, groups=2, name="here"), r"divide `filters` \(layer 'here'\).*groups=2"),
        (lambda: layers.Conv2D(3, (3, 3, 3), name="here"), r"`kernel_size` of layer 'here'.*tuple of 2.*\(3, 3, 3\)"),
        (lambda: layers.Dense("relu", name="here"), "`units` of layer 'here' must be a positive integer.*'relu'"),
        (lambda: layers.Dropout(1.5, name="here"), "`rate` of layer 'here' must be between 0 and 1.*1.5"),
        (lambda: layers.LSTM(4, activation="tan"), "Unknown activation: 'tan'. Did you mean 'tanh'"),
    ],
)  # fmt: skip
def test_wrong_settings(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("make", [layers.Dense, layers.LSTM, lambda *a, **k: layers.Conv2D(*a, 3, **k)])
def test_unknown_argument_is_named_with_the_one_that_was_meant(make):
    with pytest.raises(TypeError, match=r"'here'.*\['activatoin'\]\. Did you mean 'activation'"):
        make(3, activatoin="relu", name="here")


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: layers.LSTM(4, name="here")(ones(2, 5, 3), mask=ones_mask(2, 4)), r"\(2, 5\)"),
        (
            lambda: layers.Attention(name="here")([ones(2, 5, 3)] * 2, mask=[None, ones_mask(2, 4)]),
            r"\(2, 5\)",
        ),
        (
            lambda: layers.MultiHeadAttention(2, 3, name="here")(
                ones(2, 5, 3), ones(2, 5, 3), attention_mask=ones_mask(2, 4, 4)
            ),
            r"\(2, 5, 5\)",
        ),
        (
            lambda: layers.GlobalAveragePooling1D(name="here")(ones(2, 5, 3), mask=ones_mask(2, 4)),
            r"\(2, 5\)",
        ),
        (lambda: layers.Softmax(name="here")(ones(2, 5), mask=ones_mask(2, 4)), r"\(2, 5\)"),
        (
            lambda: layers.BatchNormalization(name="here")(
                ones(2, 5, 3), mask=ones_mask(2, 4), training=True
            ),
            r"\(2, 5\)",
        ),
    ],
    ids=[
        "LSTM",
        "Attention",
        "MultiHeadAttention",
        "GlobalAveragePooling1D",
        "Softmax",
        "BatchNormalization",
    ],
)
def test_mask_of_the_wrong_shape(call, expected):
    with pytest.raises(ValueError, match=rf"layer 'here'.*{expected}.*Received: .*\(2, 4"):
        call()


@pytest.mark.parametrize(
    ("layer", "value"),
    [
        (layers.Embedding(5, 2, name="here"), np.array([[1, 7]])),
        (layers.StringLookup(vocabulary=["a"], num_oov_indices=0, name="here"), np.array(["b"])),
        (layers.IntegerLookup(vocabulary=[1, 2], num_oov_indices=0, name="here"), np.array([5])),
        (layers.CategoryEncoding(3, output_mode="one_hot", name="here"), np.array([5])),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, layers.Layer) else "",
)
def test_out_of_vocabulary(layer, value):
    with pytest.raises(ValueError, match="Layer 'here'"):
        layer(value)


def test_text_for_a_layer_that_takes_numbers():
    with pytest.raises(
        TypeError, match=r"Layer 'here' \(Dense\) takes numbers.*shape \(1, 1\).*StringLookup"
    ):
        layers.Dense(2, name="here")(np.array([["word"]]))


def test_a_layer_in_place_of_its_output():
    with pytest.raises(
        TypeError, match=r"Layer 'here' \(Dense\).*`inputs`: a layer \(Flatten\). Call that layer"
    ):
        layers.Dense(2, name="here")(layers.Flatten())


def test_missing_arguments_of_a_call():
    with pytest.raises(TypeError, match=r"'here'.*\['query', 'value'\].*without \['value'\]"):
        layers.MultiHeadAttention(2, 3, name="here")(ones(2, 5, 3))
    with pytest.raises(TypeError, match=r"'here'.*without \['inputs'\]"):
        layers.Dense(2, name="here")()


def test_a_call_without_return():
    class Forgetful(layers.Layer):
        def call(self, x):
            x * 2

    with pytest.raises(TypeError, match=r"layer 'here'.*gave None.*return"):
        Forgetful(name="here")(keras.Input((3,)))


def test_init_without_super():
    class Block(layers.Layer):
        def __init__(self):
            self.inner = layers.Dense(2)

    class Net(keras.Model):
        def __init__(self):
            self.sizes = [2]

        def call(self, x):
            return x

    with pytest.raises(RuntimeError, match=r"Block.__init__ must call `super\(\).__init__\(\)`"):
        Block()
    with pytest.raises(AttributeError, match=r"Net.__init__ must call `super\(\).__init__\(\)`"):
        Net()(torch.ones(2, 3))
    with pytest.raises(RuntimeError, match=r"Net.__init__ must call `super\(\).__init__\(\)`"):
        Net().compile("sgd", "mse")


def test_graph_that_is_not_connected_to_its_inputs():
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    with pytest.raises(ValueError, match=r"not connected.*name=b.*not among `inputs` \(a\)"):
        keras.Model(a, layers.Dense(2)(b))
    with pytest.raises(ValueError, match=r"`outputs`.*symbolic tensors.*Received: Tensor of shape \(2,\)"):
        keras.Model(a, torch.ones(2))


def test_graph_with_a_cycle():
    x = keras.Input((3,), name="x")
    config = keras.Model(x, layers.Dense(3, name="here")(x)).get_config()
    argument = config["layers"][1]["inbound_nodes"][0]["args"][0]
    argument["config"]["keras_history"] = ["here", 0, 0]
    with pytest.raises(ValueError, match="inputs of 'here' are missing or form a cycle"):
        keras.Model.from_config(config)


def test_two_layers_of_one_name():
    x = keras.Input((3,))
    with pytest.raises(ValueError, match=r"different names. 'here' is the name of 2 layers"):
        keras.Model(x, layers.Dense(3, name="here")(layers.Dense(3, name="here")(x)))


def test_weights_of_the_wrong_shape():
    layer = layers.Dense(2, name="here")
    layer.build((None, 3))
    with pytest.raises(
        ValueError, match=r"'here/kernel' of layer 'here' has shape \(3, 2\). Received: \(3, 3\)"
    ):
        layer.set_weights([ones(3, 3), ones(2)])
    with pytest.raises(ValueError, match="'here' has 2 weights, `set_weights` was given 1"):
        layer.set_weights([ones(3, 2)])
