"""Recurrent layers beside real Keras: cells, wrappers, masks, states, and the kernels for whole sequences."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch

import kerasish
from kerasish import layers

keras = pytest.importorskip("keras")
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword"),
    pytest.mark.filterwarnings("ignore:.*does not support masking"),
]

SHAPE = (4, 6, 3)
RNG = np.random.default_rng(0)
X = RNG.normal(0, 1, SHAPE).astype("float32")
MASKS = {
    "none": None,
    "right": np.arange(6) < np.array([[6], [3], [1], [0]]),
    "left": np.arange(6) >= np.array([[0], [3], [5], [1]]),
    "holes": np.array([[1, 0, 1, 0, 1, 0], [0, 1, 1, 0, 0, 1], [0, 0, 0, 1, 0, 0], [1, 1, 0, 0, 1, 1]], bool),
}


def state(*size, seed=7):
    return torch.tensor(np.random.default_rng(seed).normal(0, 1, size).astype("float32"))


def same_weights(ours, theirs, seed=3):
    """Small random weights: well conditioned in float32."""
    rng = np.random.default_rng(seed)
    values = [rng.normal(0, 0.4, w.shape).astype("float32") for w in theirs.get_weights()]
    for i, weight in enumerate(theirs.weights):
        if weight.name == "moving_variance":
            values[i] = np.abs(values[i])
    theirs.set_weights(values)
    ours.set_weights(values)


def pair(make, shape=SHAPE):
    ours, theirs = make(layers), make(keras.layers)
    for layer in (ours, theirs):
        layer.build(shape)
    same_weights(ours, theirs)
    return ours, theirs


def results(layer, x, **kwargs):
    """All outputs, and the gradients of a weighted sum of them."""
    x = torch.tensor(x, requires_grad=True)
    outputs = [y for y in kerasish.tree.flatten(layer(x, **kwargs)) if y is not None]
    total = sum((y * torch.linspace(-1, 1, y.numel()).reshape(y.shape)).sum() for y in outputs)
    weights = [getattr(w, "value", w) for w in layer.trainable_weights]
    return [*[y.detach() for y in outputs], *torch.autograd.grad(total, [x, *weights], allow_unused=True)]


def assert_same(ours, theirs, tolerance=1e-5):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


def unnumbered(text):
    """Without the numbers of default names, which count up in each package."""
    return re.sub(r"(rnn_cells)_\d+", r"\1", text)


class OurCell(layers.Layer):
    """A user's cell: a leaky sum, with a layer in it."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = self.output_size = units
        self.inner = layers.Dense(units, activation="tanh", name="inner")

    def build(self, input_shape):
        self.leak = self.add_weight(shape=(self.units,), initializer="ones", name="leak")
        self.inner.build(input_shape)

    def call(self, inputs, states):
        h = self.leak * states[0] + self.inner(inputs)
        return h + 1, [h]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class KerasCell(keras.layers.Layer):
    """The same for Keras."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = self.output_size = units
        self.inner = keras.layers.Dense(units, activation="tanh", name="inner")

    def build(self, input_shape):
        self.leak = self.add_weight(shape=(self.units,), initializer="ones", name="leak")
        self.inner.build(input_shape)

    def call(self, inputs, states):
        h = self.leak * states[0] + self.inner(inputs)
        return h + 1, [h]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def custom(namespace, units):
    return (OurCell if namespace is layers else KerasCell)(units, name="cell")


def stacked(namespace):
    return [
        namespace.LSTMCell(3, name="a"),
        namespace.GRUCell(2, name="b"),
        namespace.SimpleRNNCell(4, name="c"),
    ]


ALL_OUT = {"return_sequences": True, "return_state": True}
MAKERS = {
    "SimpleRNN": lambda n: n.SimpleRNN(4, name="layer"),
    "SimpleRNN-all": lambda n: n.SimpleRNN(4, activation="relu", **ALL_OUT, name="layer"),
    "LSTM": lambda n: n.LSTM(4, name="layer"),
    "LSTM-sequences": lambda n: n.LSTM(4, return_sequences=True, go_backwards=True, name="layer"),
    "LSTM-zeros": lambda n: n.LSTM(4, return_sequences=True, zero_output_for_mask=True, name="layer"),
    "LSTM-all": lambda n: n.LSTM(4, **ALL_OUT, name="layer"),
    "LSTM-loop": lambda n: n.LSTM(4, **ALL_OUT, use_cudnn=False, go_backwards=True, name="layer"),
    "GRU": lambda n: n.GRU(4, name="layer"),
    "GRU-zeros": lambda n: n.GRU(4, **ALL_OUT, zero_output_for_mask=True, go_backwards=True, name="layer"),
    "GRU-no-bias": lambda n: n.GRU(4, **ALL_OUT, use_bias=False, name="layer"),
    "GRU-loop": lambda n: n.GRU(4, **ALL_OUT, reset_after=False, name="layer"),
    "RNN": lambda n: n.RNN(n.LSTMCell(4, name="cell"), **ALL_OUT, name="layer"),
    "RNN-list": lambda n: n.RNN(stacked(n), **ALL_OUT, name="layer"),
    "RNN-stack": lambda n: n.RNN(n.StackedRNNCells(stacked(n), name="s"), go_backwards=True, name="layer"),
    "RNN-custom": lambda n: n.RNN(custom(n, 4), **ALL_OUT, zero_output_for_mask=True, name="layer"),
    **{
        f"Bidirectional-{mode}": lambda n, mode=mode: n.Bidirectional(
            n.LSTM(3, return_sequences=True, name="inner"), merge_mode=mode, name="layer"
        )
        for mode in ("concat", "sum", "mul", "ave", None)
    },
    "Bidirectional-all": lambda n: n.Bidirectional(n.GRU(3, **ALL_OUT, name="inner"), name="layer"),
    "Bidirectional-last": lambda n: n.Bidirectional(n.SimpleRNN(3, name="inner"), name="layer"),
    "Bidirectional-two": lambda n: n.Bidirectional(
        n.GRU(3, name="f"), backward_layer=n.LSTM(2, go_backwards=True, name="g"), name="layer"
    ),
    "Bidirectional-cells": lambda n: n.Bidirectional(
        n.RNN(n.GRUCell(3, name="cell"), return_state=True, name="inner"), merge_mode=None, name="layer"
    ),
    "TimeDistributed": lambda n: n.TimeDistributed(n.Dense(2, name="inner"), name="layer"),
    "TimeDistributed-norm": lambda n: n.TimeDistributed(
        n.BatchNormalization(momentum=0.5, name="inner"), name="layer"
    ),
}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("name", MAKERS)
def test_outputs_and_gradients(name, mask, training):
    ours, theirs = pair(MAKERS[name])
    given = None if MASKS[mask] is None else torch.tensor(MASKS[mask])
    for _ in range(2):
        assert_same(
            results(ours, X, mask=given, training=training), results(theirs, X, mask=given, training=training)
        )
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", MAKERS)
def test_configs_weights_and_shapes(name):
    ours, theirs = MAKERS[name](layers), MAKERS[name](keras.layers)
    with kerasish.saving.custom_object_scope({"OurCell": OurCell, "KerasCell": OurCell}):
        for shape in ((None, *SHAPE[1:]), (None, None, 3), SHAPE):
            if name == "Bidirectional-two":  # Keras doubles the width of the first layer
                break
            assert ours.compute_output_shape(shape) == theirs.compute_output_shape(shape)
            found, wanted = (
                layer(namespace.Input(batch_shape=shape))
                for layer, namespace in (
                    (MAKERS[name](layers), layers),
                    (MAKERS[name](keras.layers), keras.layers),
                )
            )
            flat = [[(y.shape, y.dtype) for y in kerasish.tree.flatten(ys)] for ys in (found, wanted)]
            assert flat[0] == flat[1]
        for _ in range(2):
            if name != "RNN-custom":
                configs = layers.serialize(ours), keras.layers.serialize(theirs)
                assert unnumbered(json.dumps(configs[0])) == unnumbered(json.dumps(configs[1]))
            twin = layers.deserialize(layers.serialize(ours))
            assert json.dumps(layers.serialize(twin)) == json.dumps(layers.serialize(ours))
            back = layers.deserialize(json.loads(json.dumps(keras.layers.serialize(theirs))))
            assert type(back) is type(ours) and back.name == "layer"
            ours.build(SHAPE)
            theirs.build(SHAPE)
    ours = MAKERS[name](layers)
    ours(torch.tensor(X))
    if name != "RNN-custom":
        paths = [[unnumbered(w.path) for w in layer.weights] for layer in (ours, theirs)]
        assert paths[0] == paths[1]
    for attribute in ("weights", "trainable_weights", "non_trainable_weights"):
        mine, other = getattr(ours, attribute), getattr(theirs, attribute)
        assert [(w.name, tuple(w.shape)) for w in mine] == [(w.name, tuple(w.shape)) for w in other]
    assert ours.supports_masking == theirs.supports_masking


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("SimpleRNN-all", [4]),
        ("LSTM", [4, 4]),
        ("LSTM-loop", [4, 4]),
        ("GRU-zeros", [4]),
        ("GRU-loop", [4]),
        ("RNN", [4, 4]),
        ("Bidirectional-concat", [3, 3, 3, 3]),
        ("Bidirectional-two", [3, 2, 2]),
    ],
)
@pytest.mark.parametrize("mask", ["none", "right", "holes"])
def test_initial_state(name, sizes, mask):
    ours, theirs = pair(MAKERS[name])
    given = [state(4, size, seed=i) for i, size in enumerate(sizes)]
    mask = None if MASKS[mask] is None else torch.tensor(MASKS[mask])
    assert_same(
        results(ours, X, initial_state=given, mask=mask), results(theirs, X, initial_state=given, mask=mask)
    )


def test_initial_state_of_stacked_cells():
    ours, theirs = pair(MAKERS["RNN-list"])
    given = [[state(4, 3), state(4, 3, seed=8)], [state(4, 2)], [state(4, 4)]]
    assert_same(results(ours, X, initial_state=given), results(theirs, X, initial_state=given))


@pytest.mark.parametrize("return_state", [False, True])
def test_functional_model_with_an_encoder_s_state(return_state):
    """The decoder begins with the encoder's states; every model is rebuilt from the other's config."""
    models = []
    for namespace, models_of in ((layers, kerasish), (keras.layers, keras)):
        source, target = namespace.Input((5, 3), name="source"), namespace.Input((4, 2), name="target")
        _, h, c = namespace.LSTM(4, return_state=True, name="encoder")(source)
        x = namespace.LSTM(4, return_sequences=True, name="decoder")(target, initial_state=[h, c])
        x = namespace.GRU(3, return_state=return_state, name="last")(x)
        x = x[0] if return_state else x
        models.append(models_of.Model([source, target], namespace.Dense(1, name="head")(x), name="model"))
    ours, theirs = models
    same_weights(ours, theirs)
    inputs = [state(4, 5, 3), state(4, 4, 2)]
    torch.testing.assert_close(ours(inputs), theirs(inputs), rtol=1e-5, atol=1e-5)
    there = keras.Model.from_config(json.loads(json.dumps(ours.get_config())))
    there.set_weights(theirs.get_weights())
    torch.testing.assert_close(there(inputs), theirs(inputs))
    back = kerasish.Model.from_config(json.loads(json.dumps(theirs.get_config())))
    back.set_weights(theirs.get_weights())
    torch.testing.assert_close(back(inputs), theirs(inputs), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda n: n.LSTM(4, stateful=True, return_state=True),
        lambda n: n.GRU(4, stateful=True, return_sequences=True),
        lambda n: n.SimpleRNN(4, stateful=True, go_backwards=True),
        lambda n: n.Bidirectional(n.LSTM(3, stateful=True)),
        lambda n: n.LSTM(4, stateful=True, use_cudnn=False),
    ],
)
def test_stateful_layers(make, training):
    ours, theirs = pair(make)
    mask = torch.tensor(MASKS["holes"])
    for step in range(5):
        given = mask if step == 2 else None
        with torch.no_grad():  # Keras overwrites what its gradients need
            found, wanted = (
                layer(torch.tensor(X), training=training, mask=given) for layer in (ours, theirs)
            )
        assert_same(kerasish.tree.flatten(found), kerasish.tree.flatten(wanted))
        kept = [
            [torch.as_tensor(np.array(s)) for s in kerasish.tree.flatten(x.states)] for x in (ours, theirs)
        ]
        assert_same(*kept)
        if step == 3:
            for layer in (ours, theirs):
                layer.reset_states()
    assert len(ours.get_weights()) == len(theirs.get_weights())


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_convolutional_lstm_with_masks_and_states(rank, data_format):
    spatial = (5, 4, 3)[:rank]
    shape = (4, 6, *spatial, 2) if data_format == "channels_last" else (4, 6, 2, *spatial)
    make = lambda n: getattr(n, f"ConvLSTM{rank}D")(  # noqa: E731
        3, 2, data_format=data_format, padding="same", stateful=True, return_state=True, return_sequences=True
    )
    ours, theirs = pair(make, shape)
    x = np.random.default_rng(2).normal(0, 1, shape).astype("float32")
    for mask in (None, torch.tensor(MASKS["holes"])):
        assert_same(results(ours, x, mask=mask), results(theirs, x, mask=mask))
    size = (*spatial, 3) if data_format == "channels_last" else (3, *spatial)
    given = [state(4, *size), state(4, *size, seed=1)]
    assert_same(results(ours, x, initial_state=given), results(theirs, x, initial_state=given))


CELLS = {
    "SimpleRNNCell": lambda n, **k: n.SimpleRNNCell(4, **k),
    "LSTMCell": lambda n, **k: n.LSTMCell(4, **k),
    "LSTMCell-relu": lambda n, **k: n.LSTMCell(4, activation="relu", use_bias=False, **k),
    "GRUCell": lambda n, **k: n.GRUCell(4, **k),
    "GRUCell-before": lambda n, **k: n.GRUCell(4, reset_after=False, **k),
}


@pytest.mark.parametrize("is_dropping", [False, True])
@pytest.mark.parametrize("name", CELLS)
def test_cells(name, is_dropping):
    rates = {"dropout": 0.5, "recurrent_dropout": 0.5} if is_dropping else {}
    ours, theirs = pair(lambda n: CELLS[name](n, **rates, name="cell"), (None, 3))
    assert json.dumps(layers.serialize(ours)) == json.dumps(keras.layers.serialize(theirs))
    assert (ours.state_size, ours.output_size) == (theirs.state_size, theirs.output_size)
    assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]
    assert len(ours.get_initial_state(5)) == len(theirs.get_initial_state(5))
    x = torch.tensor(X[:, 0])
    states = [state(4, 4, seed=i) for i in range(len(ours.get_initial_state(4)))]
    for layer in (ours, theirs):
        layer(x, states)
    if is_dropping:
        drawn = [theirs.get_dropout_mask(x), theirs.get_recurrent_dropout_mask(states[0])]
        mine = [ours.get_dropout_mask(x), ours.get_recurrent_dropout_mask(states[0])]
        for a, b in zip(mine, drawn, strict=True):
            assert isinstance(a, list) == isinstance(b, list)
            assert set(torch.cat([a] if isinstance(a, torch.Tensor) else a).unique().tolist()) == {0.0, 2.0}
            shapes = [[m.shape for m in ([c] if isinstance(c, torch.Tensor) else c)] for c in (a, b)]
            assert shapes[0] == shapes[1]
        ours.get_dropout_mask, ours.get_recurrent_dropout_mask = (lambda x, m=m: m for m in drawn)
    for training in (False, True):
        for layer_states in (states, states[0] if len(states) == 1 else tuple(states)):
            found = [layer(x, layer_states, training=training) for layer in (ours, theirs)]
            assert_same(*[kerasish.tree.flatten(f) for f in found])
            assert isinstance(found[0][1], torch.Tensor) == isinstance(found[1][1], torch.Tensor)


def test_dropout_in_a_whole_sequence_is_one_mask_for_all_time_steps():
    """Every time step equals the cell's own step with the masks that were drawn."""
    for name in ("LSTM", "GRU", "SimpleRNN"):
        for settings in ({"dropout": 0.5}, {"dropout": 0.3, "recurrent_dropout": 0.4}):
            layer = getattr(layers, name)(4, return_sequences=True, seed=1, **settings)
            outputs = layer(torch.tensor(X), training=True)
            states = layer.get_initial_state(4)
            for t in range(6):
                output, states = layer.cell(torch.tensor(X[:, t]), states, training=True)
                torch.testing.assert_close(output, outputs[:, t])
            again = layer(torch.tensor(X), training=True)
            assert not torch.equal(again, outputs)
            assert torch.equal(layer(torch.tensor(X)), layer(torch.tensor(X)))


@pytest.mark.parametrize(
    "name", ["LSTM", "GRU", "SimpleRNN", "RNN-list", "Bidirectional-all", "TimeDistributed"]
)
@pytest.mark.parametrize("mask", ["none", "holes"])
def test_masks_that_go_on(name, mask):
    found = []
    for namespace in (layers, keras.layers):
        layer = MAKERS[name](namespace)
        x = torch.tensor(X)
        if MASKS[mask] is not None:
            x._keras_mask = torch.tensor(MASKS[mask])
        outputs = kerasish.tree.flatten(layer(x))
        found.append([getattr(y, "_keras_mask", None) for y in outputs])
    assert [m is None for m in found[0]] == [m is None for m in found[1]]
    assert_same(found[0], found[1])


def test_masking_feeds_the_layers_behind_it():
    x = X.copy()
    x[MASKS["holes"] == 0] = 0
    models = []
    for namespace, models_of in ((layers, kerasish), (keras.layers, keras)):
        stack = [
            namespace.Input((6, 3)),
            namespace.Masking(),
            namespace.Bidirectional(namespace.LSTM(3, return_sequences=True)),
            namespace.TimeDistributed(namespace.Dense(2)),
            namespace.GRU(4),
            namespace.Dense(1),
        ]
        models.append(models_of.Sequential(stack))
    same_weights(*models)
    assert_same([models[0](torch.tensor(x))], [models[1](torch.tensor(x))])


@pytest.mark.parametrize("mask_value", [0.0, 2.0, -1])
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_masking(mask_value, dtype):
    x = torch.tensor(np.random.default_rng(0).integers(-1, 3, (5, 7, 2)).astype(dtype))
    ours, theirs = layers.Masking(mask_value), keras.layers.Masking(mask_value)
    a, b = ours(x), theirs(x)
    assert a.dtype == b.dtype and torch.equal(a, b)
    assert torch.equal(a._keras_mask, b._keras_mask)
    assert torch.equal(ours.compute_mask(x), theirs.compute_mask(x))


@pytest.mark.parametrize("name", ["LSTM", "GRU", "SimpleRNN"])
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float64"])
def test_dtype_policies(name, policy):
    make = lambda n: getattr(n, name)(4, return_state=True, dtype=policy)  # noqa: E731
    ours, theirs = pair(make)
    a, b = ours(torch.tensor(X)), theirs(torch.tensor(X))
    assert [y.dtype for y in a] == [y.dtype for y in b]
    for mine, other in zip(a, b, strict=True):
        torch.testing.assert_close(mine.double(), other.double(), rtol=0.05, atol=0.05)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", ["TimeDistributed-norm", "conv", "model", "mean"])
def test_time_distributed_layers(name, training):
    def make(n):
        if name == "model":
            models = kerasish if n is layers else keras
            return n.TimeDistributed(models.Sequential([n.Input((4, 3)), n.Flatten(), n.Dense(2)]))
        if name == "conv":
            return n.TimeDistributed(n.LSTM(2, return_sequences=True))
        if name == "mean":
            return n.TimeDistributed((OurMean if n is layers else KerasMean)())
        return n.TimeDistributed(n.BatchNormalization(momentum=0.5))

    shape = (4, 5, 4, 3)
    ours, theirs = pair(make, shape)
    x = np.random.default_rng(0).normal(0, 1, shape).astype("float32")
    assert_same(results(ours, x, training=training), results(theirs, x, training=training))
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


class OurMean(layers.Layer):
    """Looks at the batch as a whole."""

    def call(self, x):
        return x - x.mean(0, keepdim=True)


class KerasMean(keras.layers.Layer):
    """The same for Keras."""

    def call(self, x):
        return x - keras.ops.mean(x, axis=0, keepdims=True)


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
@pytest.mark.parametrize("direction", ["to keras", "from keras"])
def test_files(tmp_path, suffix, direction):
    def make(n, models):
        stack = [
            n.Input((6, 3), name="input"),
            n.Masking(name="masking"),
            n.Bidirectional(n.LSTM(3, return_sequences=True, dropout=0.2, name="inner"), name="two"),
            n.TimeDistributed(n.Dense(2, name="dense"), name="steps"),
            n.RNN([n.LSTMCell(3, name="a"), n.GRUCell(2, name="b")], return_sequences=True, name="rnn"),
            n.SimpleRNN(2, return_sequences=True, name="simple"),
            n.GRU(4, seed=3, name="gru"),
        ]
        return models.Sequential(stack, name="model")

    pairs = [(layers, kerasish), (keras.layers, keras)]
    source, target = pairs if direction == "to keras" else pairs[::-1]
    model = make(*source)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.5, w.shape) for w in model.get_weights()])
    path = str(tmp_path / f"model{suffix}")
    if suffix == ".keras":
        model.save(path)
        loaded = target[1].models.load_model(path)
    else:
        model.save_weights(path)
        loaded = make(*target)
        loaded.load_weights(path)
    assert_same([loaded(torch.tensor(X))], [model(torch.tensor(X))])


@pytest.mark.parametrize("name", ["LSTM", "GRU", "SimpleRNN"])
def test_fit(name):
    """Three steps of training end in the same weights."""
    models = []
    for namespace, models_of in ((layers, kerasish), (keras.layers, keras)):
        stack = [namespace.Input((6, 3)), getattr(namespace, name)(4), namespace.Dense(1)]
        models.append(models_of.Sequential(stack))
    same_weights(*models)
    for model in models:
        model.compile("adam", "mse")
        model.fit(np.repeat(X, 4, 0), np.linspace(0, 1, 16)[:, None], batch_size=4, shuffle=False, verbose=0)
    for a, b in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
