"""`Input`: where a functional model begins."""

from __future__ import annotations

import copy
import gc
import pickle

import pytest

import kerasish as keras
from kerasish import layers


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        ({"shape": (3,)}, (None, 3)),
        ({"shape": [2, 3]}, (None, 2, 3)),
        ({"shape": ()}, (None,)),
        ({"shape": (None, 3)}, (None, None, 3)),
        ({"shape": (3,), "batch_size": 7}, (7, 3)),
        ({"batch_shape": (7, 3)}, (7, 3)),
    ],
)
def test_shapes(arguments, shape):
    assert keras.Input(**arguments).shape == layers.InputLayer(**arguments).batch_shape == shape


def test_dtype_and_name():
    x = keras.Input((3,), dtype="int32", name="numbers")
    assert (x.dtype, x.name) == ("int32", "numbers")
    assert x._keras_history.operation.name == "numbers"
    assert keras.Input((3,)).dtype == "float32"
    assert keras.Input(tensor=x).shape == x.shape and keras.Input(tensor=x).dtype == "int32"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, r"`shape` must be given"),
        ({"shape": 3}, r"`shape` must be a tuple such as \(3,\)\. Received: shape=3"),
        ({"shape": (3,), "batch_shape": (None, 3)}, r"Give `shape` or `batch_shape`, not both"),
        ({"shape": (3,), "sparse": True}, r"not supported: pass dense"),
        ({"shape": (3,), "ragged": True}, r"not supported: pass dense"),
        ({"tensor": 3}, r"`input_tensor` must be a KerasTensor"),
    ],
)
def test_mistakes(arguments, message):
    with pytest.raises(ValueError, match=message):
        keras.Input(**arguments)


def test_layer_and_its_tensor_belong_together():
    layer = layers.InputLayer((3,), name="start")
    x = layer.output
    assert x is layer.output and x._keras_history.operation is layer
    assert keras.Model(x, layers.Dense(1)(x)).input_names == ["start"]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_begin_a_graph_of_their_own(copied):
    layer = layers.InputLayer((3,))
    x = layer.output
    twin = copied(layer)
    assert twin.output is not x and twin.output.shape == (None, 3)


def test_no_cycle_keeps_it_alive():
    gc.collect()
    gc.disable()
    try:
        before = sum(type(x) is layers.InputLayer for x in gc.get_objects())
        for _ in range(10):
            keras.Input((3,))
        assert sum(type(x) is layers.InputLayer for x in gc.get_objects()) == before
    finally:
        gc.enable()
