"""`Layer`: life cycle, weights, masks, legacy arguments."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers

X = np.random.default_rng(0).random((5, 4), dtype="float32")


class Recorder(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.built_with = []

    def build(self, input_shape):
        self.built_with.append(input_shape)

    def call(self, inputs):
        return inputs


class Doubled(layers.Layer):
    def call(self, inputs):
        return inputs * 2


def test_build_is_called_once_with_the_shape():
    layer = Recorder()
    for _ in range(3):
        layer(X)
    assert layer.built and list(layer.built_with) == [(None, 4)]
    assert layer.get_build_config() == {"input_shape": (None, 4)}


def test_shapes_of_several_arguments():
    class Two(layers.Layer):
        def build(self, first_shape, second_shape):
            self.shapes = (first_shape, second_shape)

        def call(self, first, second):
            return first + second[:, :1]

    layer = Two()
    layer(X, X[:, :2])
    assert layer.shapes == ((None, 4), (None, 2))


def test_weights_of_every_kind():
    layer = layers.Layer()
    a = layer.add_weight(shape=(2, 3), name="a")
    b = layer.add_weight((2,), initializer="ones", trainable=False, name="b")
    c = layer.add_weight(shape=3, dtype="int32", name="c")
    d = layer.add_variable((1,), "zeros", name="d")
    e = layer.add_weight("e", (2,))
    assert layer.weights == [a, d, e, b, c]
    assert layer.trainable_weights == [a, d, e]
    assert [tuple(w.shape) for w in layer.weights] == [(2, 3), (1,), (2,), (2,), (3,)]
    assert a.abs().sum() > 0 and c.dtype is torch.int32


def test_two_weights_of_one_name_are_both_kept():
    layer = layers.Layer()
    first, second = layer.add_weight((1,), name="w"), layer.add_weight((1,), name="w")
    assert layer.weights == [first, second]


def test_attribute_gives_the_state_dict_its_name():
    class Named(layers.Layer):
        def build(self, input_shape):
            self.gain = self.add_weight((1,), name="weight")

        def call(self, inputs):
            return inputs * self.gain

    layer = Named()
    layer(X)
    assert list(layer.state_dict()) == ["gain"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"colour": 1}, TypeError, r"\(Recorder\) got unknown arguments \['colour'\]"),
        ({"name": 3}, ValueError, r"`name` must be a string"),
        ({"dtype": "float33"}, ValueError, r"Unknown dtype policy 'float33'.*Did you mean 'float32'"),
        ({"activity_regularizer": "l3"}, ValueError, r"Unknown regularizer: 'l3'"),
    ],
)
def test_wrong_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        Recorder(**arguments)


def test_float_inputs_are_cast_unless_told_not_to():
    assert Recorder()(X.astype("float64")).dtype is torch.float32
    assert Recorder(autocast=False)(X.astype("float64")).dtype is torch.float64
    assert Recorder()(np.ones((2, 2), "int32")).dtype is torch.int32
    assert Recorder(dtype="float64")(X).dtype is torch.float64


def test_nested_inputs():
    class Sum(layers.Layer):
        def call(self, inputs):
            return inputs["a"] + inputs["b"][0]

    given = {"a": X, "b": [X, X]}
    np.testing.assert_allclose(Sum()(given), 2 * X)
    symbolic = {"a": keras.Input((4,)), "b": [keras.Input((4,)), keras.Input((4,))]}
    assert Sum()(symbolic).shape == (None, 4)


def test_masks():
    class Ask(layers.Layer):
        def call(self, inputs, mask=None):
            self.seen = mask
            return inputs

    x = torch.from_numpy(X)
    x._keras_mask = torch.ones(5, dtype=torch.bool)
    layer = Ask()
    layer(x)
    assert layer.seen is x._keras_mask
    layer(x, mask=x._keras_mask[:1])
    assert len(layer.seen) == 1
    passing = layers.Dense(4)
    assert passing(x)._keras_mask is x._keras_mask
    assert not hasattr(Doubled()(x), "_keras_mask")


def test_activity_regularizer():
    layer = layers.Dense(2, activity_regularizer=keras.regularizers.L2(0.5))
    output = layer(X)
    assert layer.losses[0].item() == pytest.approx(0.5 * (output**2).sum().item() / 5, rel=1e-5)


def test_regularizers_of_frozen_weights_do_not_count():
    layer = layers.Dense(2, kernel_regularizer="l2")
    layer(X)
    assert len(layer.losses) == 1
    layer.trainable = False
    assert layer.losses == []


def test_weights_belong_to_the_layer_that_a_user_nests():
    class Block(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.inner = layers.Dense(3)
            self.norm = layers.BatchNormalization()

        def call(self, inputs, training=False):
            return self.norm(self.inner(inputs), training=training)

    block = Block()
    block(X)
    assert [w.path.split("/")[-1] for w in block.weights] == [
        "kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance",
    ]  # fmt: skip
    block(X, training=True)
    assert block.norm.moving_mean.abs().sum() > 0 and not block.training


def test_own_variables_in_a_store():
    layer, twin = layers.Dense(2), layers.Dense(2)
    layer(X)
    twin(X)
    store: dict = {}
    layer.save_own_variables(store)
    assert list(store) == ["0", "1"]
    twin.load_own_variables(store)
    torch.testing.assert_close(twin(X), layer(X))
    with pytest.raises(ValueError, match=r"has 2 weights of its own, the file has 1 for it"):
        twin.load_own_variables({"0": store["0"]})


def test_metrics_of_a_layer():
    layer = Recorder()
    layer.mean = keras.metrics.Mean(name="m")
    layer.mean.update_state(3.0)
    assert layer.metrics == [layer.mean] and len(layer.metrics_variables) == 2


def test_input_spec():
    spec = layers.InputSpec(shape=(None, 4), dtype="float32")
    assert layers.InputSpec.from_config(spec.get_config()).accepts((3, 4))
    cases = [
        (layers.InputSpec(ndim=2), (1, 2), (1, 2, 3)),
        (layers.InputSpec(min_ndim=2), (1, 2, 3), (1,)),
        (layers.InputSpec(max_ndim=2), (1, 2), (1, 2, 3)),
        (layers.InputSpec(axes={-1: 3}), (1, 3), (3, 1)),
        (layers.InputSpec(shape=(None, 4)), (9, 4), (9, 5)),
        (layers.InputSpec(shape=(None, 4, 1), allow_last_axis_squeeze=True), (9, 4), (9, 5)),
    ]
    for spec, good, bad in cases:
        assert spec.accepts(good) and not spec.accepts(bad), spec
    layer = Recorder(name="picky")
    layer.input_spec = layers.InputSpec(ndim=3)
    with pytest.raises(
        ValueError, match=r"layer 'picky' does not fit: expected \(None, None, None\)\. Received"
    ):
        layer(X)


def test_compute_output_shape_and_spec():
    layer = layers.Dense(3)
    assert layer.compute_output_shape((None, 7, 4)) == (None, 7, 3)
    assert layers.Dropout(0.1).compute_output_shape((None, 4)) == (None, 4)

    class Fixed(layers.Layer):
        def compute_output_shape(self, input_shape):
            return (*input_shape, 9)

        def call(self, inputs):
            return inputs.unsqueeze(-1).expand(*inputs.shape, 9) * float(inputs.sum())

    assert Fixed()(keras.Input((4,))).shape == (None, 4, 9)
