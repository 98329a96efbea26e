"""`Model(inputs, outputs)`: graphs of layers with several inputs and outputs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers

rng = np.random.default_rng(0)
X = rng.random((6, 4), dtype="float32")
Z = rng.random((6, 2), dtype="float32")


def test_one_input_and_output():
    x = keras.Input((4,), name="x")
    model = keras.Model(x, layers.Dense(3, name="y")(x), name="m")
    assert isinstance(model, keras.Model) and model.name == "m"
    assert model.input is x and model.inputs == [x]
    assert (model.input_shape, model.output_shape) == ((None, 4), (None, 3))
    assert (model.input_names, model.output_names) == (["x"], ["y"])
    assert [layer.name for layer in model.layers] == ["x", "y"]
    assert model(X).shape == (6, 3)


def test_keyword_arguments():
    x = keras.Input((4,))
    assert keras.Model(inputs=x, outputs=layers.Dense(1)(x)).output_shape == (None, 1)
    assert keras.Model(x, outputs=layers.Dense(1)(x), name="k").name == "k"


STRUCTURES = {
    "list": (lambda a, b: [a, b]),
    "tuple": (lambda a, b: (a, b)),
    "dictionary": (lambda a, b: {"a": a, "b": b}),
    "nested": (lambda a, b: [a, {"inner": b}]),
}


@pytest.mark.parametrize("ins", STRUCTURES)
@pytest.mark.parametrize("outs", STRUCTURES)
def test_structures(ins, outs):
    a, b = keras.Input((4,), name="a"), keras.Input((2,), name="b")
    both = layers.Concatenate()([a, b])
    first, second = layers.Dense(3, name="p")(both), layers.Dense(1, name="q")(both)
    model = keras.Model(STRUCTURES[ins](a, b), STRUCTURES[outs](first, second))
    result = model(STRUCTURES[ins](X, Z))
    expected = STRUCTURES[outs]((6, 3), (6, 1))
    assert type(result) in (type(expected), list)
    flat = keras.tree.flatten(result)
    assert [tuple(t.shape) for t in flat] == [(6, 3), (6, 1)]
    predicted = model.predict(STRUCTURES[ins](X, Z), verbose=0)
    for p, t in zip(keras.tree.flatten(predicted), flat, strict=True):
        np.testing.assert_allclose(p, t.detach(), rtol=1e-5)
    by_name = model({"a": X, "b": Z}) if ins in ("list", "dictionary") else result
    torch.testing.assert_close(keras.tree.flatten(by_name)[0], flat[0])


def test_shared_layer_and_shared_tensor():
    a, b = keras.Input((4,)), keras.Input((4,))
    dense = layers.Dense(3, name="shared")
    first, second = dense(a), dense(b)
    model = keras.Model([a, b], layers.Add()([first, second, first]))
    assert len(model.weights) == 2 and len(model.layers) == 4
    expected = 2 * dense(X) + dense(X * 2)
    torch.testing.assert_close(model([X, X * 2]), expected)


def test_residual_graph_runs_each_layer_once():
    calls = []

    class Noting(layers.Layer):
        def call(self, inputs):
            if inputs.device.type != "meta":
                calls.append(self.name)
            return inputs

    x = keras.Input((4,))
    y = Noting(name="once")(x)
    z = Noting(name="left")(y) + Noting(name="right")(y) * y
    model = keras.Model(x, z)
    torch.testing.assert_close(model(X), torch.from_numpy(X + X * X))
    assert sorted(calls) == ["left", "once", "right"]


def test_keyword_and_plain_arguments_of_calls_are_kept():
    class Scaled(layers.Layer):
        def call(self, inputs, factor=1.0, other=None):
            return inputs * factor + (0 if other is None else other)

    x, y = keras.Input((4,)), keras.Input((4,))
    model = keras.Model([x, y], Scaled()(x, factor=3.0, other=y))
    torch.testing.assert_close(model([X, X * 10]), torch.from_numpy(X * 13))


def test_layer_with_several_outputs():
    class Halves(layers.Layer):
        def call(self, inputs):
            return {"left": inputs[:, :2], "right": [inputs[:, 2:], inputs]}

    x = keras.Input((4,))
    parts = Halves()(x)
    model = keras.Model(x, [parts["right"][0] * 2, parts["left"]])
    right, left = model(X)
    np.testing.assert_allclose(right.numpy(), X[:, 2:] * 2)
    np.testing.assert_allclose(left.numpy(), X[:, :2])


def test_model_inside_a_model():
    x = keras.Input((4,))
    inner = keras.Model(x, layers.Dense(3)(x), name="inner")
    y = keras.Input((4,))
    outer = keras.Model(y, layers.Dense(2)(inner(y) + inner(y * 2)))
    assert outer.get_layer("inner") is inner
    assert len(outer.weights) == 4
    assert outer(X).shape == (6, 2)


def test_part_of_a_model():
    x = keras.Input((4,))
    hidden = layers.Dense(3, name="hidden")(x)
    model = keras.Model(x, layers.Dense(2)(hidden))
    head = keras.Model(hidden, model.output)
    features = keras.Model(model.input, model.get_layer("hidden").output)
    torch.testing.assert_close(head(features(X)), model(X))


def test_input_goes_straight_to_an_output():
    x = keras.Input((4,))
    model = keras.Model(x, [x, layers.Dense(2)(x)])
    np.testing.assert_array_equal(model(X)[0].numpy(), X)


@pytest.mark.parametrize(
    ("given", "shape"), [((6, 4), (6, 4)), ((6, 4, 1), (6, 4)), ((6,), (6, 1)), ((6, 1), (6, 1))]
)
def test_last_axis_of_one_is_added_or_dropped(given, shape):
    x = keras.Input(shape[1:])
    model = keras.Model(x, layers.Identity()(x))
    assert tuple(model(np.zeros(given, "float32")).shape) == shape


def test_inputs_are_cast_to_their_dtype():
    x = keras.Input((4,), dtype="int64")
    model = keras.Model(x, layers.Identity()(x))
    assert model(np.ones((2, 4), "int32")).dtype is torch.int64


def make(inputs, outputs):
    return lambda: keras.Model(inputs, outputs)


def test_mistakes():
    x, y = keras.Input((4,), name="x"), keras.Input((4,), name="y")
    both = layers.Add()([x, y])
    cases = [
        (make(x, both), r"not connected to its inputs.*name=y.*not among `inputs` \(x\)"),
        (make([x, x], both), r"same tensor is given as two inputs"),
        (make(torch.ones(1), both), r"`inputs` of a functional model must be symbolic tensors"),
        (make([x, y], torch.ones(1)), r"`outputs` of a functional model must be symbolic"),
        (
            make(x, layers.Dense(1, name="d")(layers.Dense(1, name="d")(x))),
            r"must have different names\. 'd' is the name of 2 layers",
        ),
    ]
    for build, message in cases:
        with pytest.raises(ValueError, match=message):
            build()
    model = keras.Model([x, y], both)
    with pytest.raises(ValueError, match=r"has 2 input\(s\) \(x, y\)\. Received: 1"):
        model(X)
    with pytest.raises(ValueError, match=r"needs the input 'y'.*Received: \['x'\]"):
        model({"x": X})


def test_get_layer():
    x = keras.Input((4,), name="start")
    model = keras.Model(x, layers.Dense(1, name="end")(x))
    assert model.get_layer("end") is model.get_layer(index=-1)
    for arguments, message in [
        ({"name": "ned"}, r"no layer 'ned' in model.*Did you mean 'end'"),
        ({"index": 5}, r"has 2 layers: there is no layer 5"),
        ({}, r"Give `name` or `index`"),
        ({"name": "end", "index": 1}, r"Give `name` or `index`"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.get_layer(**arguments)


def test_several_inputs_and_outputs_train():
    keras.utils.set_random_seed(0)
    a, b = keras.Input((4,), name="a"), keras.Input((2,), name="b")
    both = layers.Concatenate()([layers.Dense(8, activation="relu")(a), b])
    model = keras.Model(
        [a, b], {"sum": layers.Dense(1)(both), "class": layers.Dense(2, activation="softmax")(both)}
    )
    model.compile(
        "adam", {"sum": "mse", "class": "sparse_categorical_crossentropy"}, metrics={"class": ["accuracy"]}
    )
    y = {"sum": X.sum(1) + Z.sum(1), "class": (X[:, 0] > 0.5).astype(int)}
    history = model.fit({"a": X, "b": Z}, y, epochs=60, verbose=0).history
    assert history["loss"][-1] < 0.8 * history["loss"][0]
    assert set(history) == {"loss", "class_accuracy", "class_loss", "sum_loss"}


def test_subclass_with_inputs_and_outputs():
    class Named(keras.Model):
        def train_step(self, data):
            return {**super().train_step(data), "one": 1.0}

    x = keras.Input((4,))
    model = Named(x, layers.Dense(1)(x))
    model.compile("sgd", "mse")
    assert model.fit(X, X[:, :1], verbose=0).history["one"] == [1.0]


def test_masks_pass_through_the_graph():
    class Masking(layers.Layer):
        def __init__(self):
            super().__init__()
            self.supports_masking = True

        def call(self, inputs):
            return inputs

        def compute_mask(self, inputs, previous_mask):
            return inputs[..., 0] > 0

    class Counting(layers.Layer):
        def call(self, inputs, mask=None):
            return inputs * 0 + (mask.sum() if mask is not None else -1)

    x = keras.Input((3, 1))
    model = keras.Model(x, Counting()(layers.Dropout(0.1)(Masking()(x))))
    values = np.array([[[1.0], [0.0], [2.0]]], dtype="float32")
    assert model(values)[0, 0, 0] == 2
