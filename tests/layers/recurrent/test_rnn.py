"""`RNN`: cells of users, states, masks, symbolic calls, recording, and what is refused."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers

X = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(0))


class Sum(layers.Layer):
    """A running sum that counts its calls; its output has one value more than its state."""

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.state_size = size
        self.calls = 0

    def call(self, inputs, states):
        self.calls += 1
        total = states[0] + inputs
        return torch.cat([total, total[:, :1]], dim=1), total


class Pair(layers.Layer):
    """Two states of other shapes than vectors, and its own first states."""

    state_size = (3, 2), ()

    def call(self, inputs, states):
        matrix, count = states
        return matrix.flatten(1), (matrix + inputs[:, :, None], count + 1)

    def get_initial_state(self, batch_size=None):
        return torch.ones(batch_size, 3, 2), torch.zeros(batch_size)


@pytest.mark.parametrize("is_symbolic", [False, True])
def test_a_cell_of_the_user_s(is_symbolic):
    inputs = keras.Input((6, 3)) if is_symbolic else X
    layer = layers.RNN(Sum(3), return_sequences=True, return_state=True)
    output, state = layer(inputs)
    if is_symbolic:
        assert (output.shape, state.shape) == ((None, 6, 4), (None, 3))
        assert layer.cell.calls == 2
        output, state = keras.Model(inputs, [output, state])(X)
    torch.testing.assert_close(output[:, :, :3], X.cumsum(1))
    torch.testing.assert_close(state, X.sum(1))


def test_a_cell_with_states_of_any_shape():
    layer = layers.RNN(Pair(), return_state=True)
    _, matrix, count = layer(X)
    torch.testing.assert_close(matrix, 1 + X.sum(1)[:, :, None].expand(-1, -1, 2))
    assert count.tolist() == [6.0] * 4
    assert layer(keras.Input((None, 3)))[0].shape == (None, 6)
    given = [torch.zeros(4, 3, 2), torch.ones(4)]
    assert layer(X, initial_state=given)[2].tolist() == [7.0] * 4


@pytest.mark.parametrize("name", ["LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "ConvLSTM1D"])
def test_symbolic_calls_do_not_run_the_loop(name, monkeypatch):
    def refuse(*arguments, **more):
        raise AssertionError("the loop ran")

    monkeypatch.setattr(layers.RNN, "inner_loop", refuse)
    shape = (None, 50, 8, 2) if name == "ConvLSTM1D" else (None, 50, 8)
    layer = {
        "RNN": lambda: layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)]),
        "Bidirectional": lambda: layers.Bidirectional(layers.LSTM(3)),
        "ConvLSTM1D": lambda: layers.ConvLSTM1D(3, 2),
    }.get(name, lambda: getattr(layers, name)(3))()
    inputs = keras.Input(batch_shape=shape)
    inner = keras.Sequential([keras.Input(batch_shape=shape), layer])
    outer = keras.Model(inputs, inner(inputs))
    assert outer.output_shape == layer.compute_output_shape(shape)


STATEFUL = {
    "LSTM": lambda: layers.LSTM(3, stateful=True),
    "LSTM by steps": lambda: layers.LSTM(3, stateful=True, use_cudnn=False),
    "GRU": lambda: layers.GRU(3, stateful=True),
    "RNN": lambda: layers.RNN([layers.LSTMCell(2), layers.GRUCell(3)], stateful=True),
    "custom": lambda: layers.RNN(Pair(), stateful=True),
}


@pytest.mark.parametrize("name", STATEFUL)
def test_stateful_layers_go_on_where_they_stopped(name):
    layer = STATEFUL[name]()
    pieces = [layer(x) for x in X.split(2, dim=1)]
    layer.reset_state()
    if name != "custom":
        whole = layer(X)
        torch.testing.assert_close(pieces[-1], whole)
        assert not torch.equal(layer(X), whole)
        layer.reset_states()
        torch.testing.assert_close(layer(X), whole)
    assert not any("state" in key for key in layer.state_dict())
    assert all(not w.name.startswith("rnn_state") for w in layer.weights)
    twins = copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)) if name != "custom" else None
    for twin in filter(None, twins):
        torch.testing.assert_close(twin(X), copy.deepcopy(layer)(X))
    assert layer.double().states[0] is not None


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("name", [name for name in STATEFUL if name != "custom"])
def test_fit_goes_on_with_the_states(name, eager):
    """Six batches leave the weights and the states of six steps by hand."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input(batch_shape=(2, 5, 3)), STATEFUL[name](), layers.Dense(1)])
    twin = copy.deepcopy(model)
    x, y = torch.randn(12, 5, 3), torch.randn(12, 1)
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=eager)
    model.fit(x, y, batch_size=2, shuffle=False, verbose=0)
    model.set_weights(twin.get_weights())
    model.layers[0].reset_state()
    model.fit(x, y, batch_size=2, shuffle=False, verbose=0)
    for i in range(0, 12, 2):
        loss = (twin(x[i : i + 2], training=True) - y[i : i + 2]).square().mean()
        gradients = torch.autograd.grad(loss, twin.trainable_weights)
        with torch.no_grad():
            for weight, gradient in zip(twin.trainable_weights, gradients, strict=True):
                weight -= 0.1 * gradient
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    pairs = zip(*(keras.tree.flatten(m.layers[0].states) for m in (model, twin)), strict=True)
    for a, b in pairs:
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
    assert (len(model._steps["train"].prepared) == 1) is not eager


RECORDED = {
    "LSTM": lambda: layers.LSTM(3),
    "LSTM-sequences": lambda: layers.LSTM(3, return_sequences=True, go_backwards=True),
    "LSTM-by-steps": lambda: layers.LSTM(3, use_cudnn=False),
    "LSTM-dropout": lambda: layers.LSTM(3, dropout=0.3, seed=1),
    "GRU": lambda: layers.GRU(3, dropout=0.2, recurrent_dropout=0.2, seed=2),
    "GRU-before": lambda: layers.GRU(3, reset_after=False),
    "SimpleRNN": lambda: layers.SimpleRNN(3, return_sequences=True),
    "RNN": lambda: layers.RNN([layers.LSTMCell(2), layers.SimpleRNNCell(3, dropout=0.2, seed=1)]),
    "Bidirectional": lambda: layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
    "TimeDistributed": lambda: layers.TimeDistributed(layers.BatchNormalization()),
}


@pytest.mark.parametrize("is_masked", [False, True])
@pytest.mark.parametrize("name", RECORDED)
def test_recorded_steps_equal_eager_ones(name, is_masked):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(24, 5, 3)).astype("float32"), rng.normal(size=(24, 1)).astype("float32")
    if is_masked:
        x[np.arange(5) >= rng.integers(1, 6, (24, 1))] = 0
    weights = []
    for eager in (False, True):
        keras.utils.set_random_seed(0)
        first = [layers.Masking()] if is_masked else []
        model = keras.Sequential(
            [keras.Input((5, 3)), *first, RECORDED[name](), layers.Flatten(), layers.Dense(1)]
        )
        model.compile("adam", "mse", run_eagerly=eager)
        model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
        assert (len(model._steps["train"].prepared) == 1) is not eager
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


ONES = torch.ones(4, 3)
UNFIT = [
    [ONES],
    [ONES] * 3,
    [torch.ones(4, 2)] * 2,
    ONES,
    [torch.ones(3, 3)] * 2,
    [None, None],
    [ONES, [ONES, ONES]],
]


@pytest.mark.parametrize("initial", UNFIT)
def test_initial_states_that_do_not_fit(initial):
    message = r"`initial_state` of layer 'lstm' must be 2 tensor\(s\) of shapes .*\(4, 3\).* Received:"
    with pytest.raises(ValueError, match=message):
        layers.LSTM(3, name="lstm")(X, initial_state=initial)


def test_symbolic_initial_states_that_do_not_fit():
    with pytest.raises(ValueError, match=r"must be 1 tensor\(s\).*\(None, 3\)"):
        layers.GRU(3)(keras.Input((5, 2)), initial_state=keras.Input((4,)))
    with pytest.raises(ValueError, match=r"must hold 4 states.*Received: 3"):
        layers.Bidirectional(layers.LSTM(3))(X, initial_state=[torch.ones(4, 3)] * 3)


@pytest.mark.parametrize("layer", [layers.LSTM(3), layers.GRU(3), layers.RNN(layers.LSTMCell(3))])
@pytest.mark.parametrize("shape", [(4, 5), (3, 6), (6, 4), (4, 6, 2), (4,)])
def test_masks_that_do_not_fit(layer, shape):
    with pytest.raises(
        ValueError, match=r"must have shape \(batch, time\) = \(4, 6\). Received: Tensor of shape"
    ):
        layer(X, mask=torch.ones(shape, dtype=torch.bool))


@pytest.mark.parametrize("name", ["LSTM", "GRU", "SimpleRNN"])
@pytest.mark.parametrize("shape", [(4, 3), (4, 6, 3, 2)])
def test_inputs_of_other_ranks(name, shape):
    with pytest.raises(ValueError, match=rf"The shape of the input of layer '.*'.*Received: \({shape[0]}, "):
        getattr(layers, name)(3)(torch.ones(shape))


def test_other_bad_calls():
    with pytest.raises(ValueError, match=r"must know the last size of its input"):
        layers.LSTM(3)(keras.Input((5, None)))
    with pytest.raises(ValueError, match=r"at least one time step"):
        layers.LSTM(3)(torch.ones(2, 0, 3))
    with pytest.raises(ValueError, match=r"`stateful=True`, so it must know the batch size.*batch_shape"):
        layers.LSTM(3, stateful=True)(keras.Input((5, 2)))
    layer = layers.GRU(3, stateful=True)
    layer(X)
    with pytest.raises(ValueError, match=r"keeps states of 4 records.*Received: 3"):
        layer(X[:3])
    for built in (
        layer,
        layers.SimpleRNN(3),
        layers.RNN(layers.LSTMCell(3)),
        layers.Bidirectional(layers.LSTM(3)),
    ):
        built(X)
        with pytest.raises(ValueError, match=r"expected \(None, None, 3\). Received: \(4, 6, 2\)"):
            built(X[..., :2])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.RNN(3), r"`cell` must have a `call` method. Received: cell=3"),
        (lambda: layers.RNN(layers.Dense(3)), r"`cell` must have a `state_size` attribute"),
        (
            lambda: layers.RNN([layers.LSTMCell(3), layers.Dense(2)]),
            r"Each of `cells` must have `state_size`",
        ),
        (lambda: layers.RNN([]), r"at least one cell"),
        (lambda: layers.LSTMCell(3)(X[:, 0], [torch.ones(4, 3)]), r"has 2 state\(s\). Received: 1"),
        (lambda: layers.StackedRNNCells([layers.GRUCell(2)])(X[:, 0], []), r"has 1 cells.*Received: 0"),
        (lambda: layers.LSTMCell(3).get_initial_state(), r"needs the batch size"),
    ],
)
def test_bad_cells(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("name", RECORDED)
def test_evaluate_recorded_and_eager(name):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(32, 5, 3)).astype("float32"), rng.normal(size=(32, 1)).astype("float32")
    model = keras.Sequential([keras.Input((5, 3)), RECORDED[name](), layers.Flatten(), layers.Dense(1)])
    losses = []
    for eager in (False, True):
        model.compile("sgd", "mse", run_eagerly=eager)
        losses.append(model.evaluate(x, y, batch_size=4, verbose=0))
        assert (len(model._steps["test"].prepared) == 1) is not eager
    np.testing.assert_allclose(*losses, rtol=1e-5)
    np.testing.assert_allclose(
        losses[0], np.mean((model.predict(x, batch_size=8, verbose=0) - y) ** 2), rtol=1e-5
    )
