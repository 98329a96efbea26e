"""`LSTM`, `GRU`, `SimpleRNN`: formulas, torch's own layers, and the ways to compute them."""

from __future__ import annotations

import pytest
import torch

from kerasish import layers
from kerasish.layers.recurrent.loop import run_valid_steps
from kerasish.layers.recurrent.lstm_steps import LSTMSteps

BATCH, TIME, FEATURES, UNITS = 4, 6, 3, 5
MASKS = {
    "right": torch.arange(TIME) < torch.tensor([[6], [3], [1], [0]]),
    "holes": torch.rand(BATCH, TIME, generator=torch.Generator().manual_seed(1)) < 0.5,
}


def sequences(dtype=torch.float32):
    return torch.randn(BATCH, TIME, FEATURES, generator=torch.Generator().manual_seed(0), dtype=dtype)


def made(name, **settings):
    layer = getattr(layers, name)(UNITS, bias_initializer="normal", **settings)
    layer.build((None, TIME, FEATURES))
    return layer


def with_gradients(layer, compute):
    """Results of `compute(x, h, …)`, and the gradients of a weighted sum of them."""
    x = sequences().requires_grad_()
    states = [torch.randn(BATCH, UNITS).requires_grad_() for _ in layer.state_size]
    torch.manual_seed(3)
    for state in states:
        torch.nn.init.normal_(state)
    results = compute(x, states)
    total = sum((y * torch.linspace(-1, 1, y.numel()).reshape(y.shape)).sum() for y in results)
    return [*results, *torch.autograd.grad(total, [x, *states, *layer.trainable_weights])]


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("name", ["LSTM", "GRU", "SimpleRNN"])
def test_torch_kernels_equal_single_steps(name, use_bias):
    layer = made(name, use_bias=use_bias)
    cell = layer.cell

    def by_kernel(x, states):
        run = cell.run_kernel if name == "LSTM" else lambda x, states: cell.fused(x, states, None)
        outputs, last = run(x, states)
        return [outputs, *last]

    def by_steps(x, states):
        outputs = []
        for t in range(TIME):
            output, states = cell(x[:, t], states)
            outputs.append(output)
        return [torch.stack(outputs, 1), *states]

    def by_layer(x, states):
        _, outputs, last = layer.inner_loop(x, states, None)
        return [outputs, *last]

    layer.return_sequences = True
    expected = with_gradients(layer, by_steps)
    for compute in (by_kernel, by_layer):
        for a, b in zip(with_gradients(layer, compute), expected, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("name", ["LSTM", "GRU", "SimpleRNN"])
def test_a_kernel_that_knows_no_masks_can_do_with_one(name, zeros, mask):
    layer = made(name, return_sequences=True, zero_output_for_mask=zeros)
    layer.use_cudnn = False

    def by_kernel(x, states):
        kernel = lambda x: layer.cell.fused(x, states, None)[0]  # noqa: E731
        return list(run_valid_steps(kernel, x, states[0], MASKS[mask], zeros))

    def by_loop(x, states):
        _, outputs, last = layer.inner_loop(x, states, MASKS[mask])
        return [outputs, last[0]]

    for a, b in zip(with_gradients(layer, by_kernel), with_gradients(layer, by_loop), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_gradients_of_the_lstm_equal_finite_differences():
    torch.manual_seed(0)
    shapes = [(3, 2, 4 * 2), (2, 2), (2, 2), (2, 4 * 2)]
    arguments = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    assert torch.autograd.gradcheck(LSTMSteps.apply, arguments)
    outputs, _ = LSTMSteps.apply(*arguments)
    with pytest.raises(RuntimeError, match=r"gradients of gradients.*`use_cudnn=False`"):
        torch.autograd.grad(outputs.sum(), arguments[0], create_graph=True)


def test_single_steps_have_second_derivatives():
    layer = made("LSTM", use_cudnn=False)
    x = sequences().requires_grad_()
    (gradient,) = torch.autograd.grad(layer(x).sum(), x, create_graph=True)
    gradient.square().sum().backward()
    assert torch.isfinite(x.grad).all() and x.grad.abs().sum() > 0


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_equals_the_layer_of_torch(name):
    layer = made(name, return_sequences=True)
    theirs = getattr(torch.nn, name)(FEATURES, UNITS, batch_first=True)
    gates = 4 if name == "LSTM" else 3
    order = list(range(4)) if name == "LSTM" else [1, 0, 2]
    kernel, recurrent, bias = (torch.tensor(w) for w in layer.get_weights())
    bias = torch.stack([bias, torch.zeros_like(bias)]) if name == "LSTM" else bias

    def rows(w):
        return torch.cat([w.chunk(gates, dim=-1)[i] for i in order], dim=-1).t()

    with torch.no_grad():
        theirs.weight_ih_l0.copy_(rows(kernel))
        theirs.weight_hh_l0.copy_(rows(recurrent))
        theirs.bias_ih_l0.copy_(rows(bias[:1]).squeeze())
        theirs.bias_hh_l0.copy_(rows(bias[1:]).squeeze())
    torch.testing.assert_close(layer(sequences()), theirs(sequences())[0], rtol=1e-5, atol=1e-6)


def test_the_forget_gate_begins_open():
    for unit_forget_bias, expected in ((True, [0, 0, 1, 1, 0, 0, 0, 0]), (False, [0] * 8)):
        layer = layers.LSTM(2, unit_forget_bias=unit_forget_bias)
        layer.build((None, None, 3))
        assert layer.cell.bias.tolist() == expected
    layer = layers.LSTM(2, bias_initializer="ones")
    layer.build((None, None, 3))
    assert layer.cell.bias.tolist() == [1.0] * 8


@pytest.mark.slow
@pytest.mark.parametrize("name", ["LSTM", "GRU", "SimpleRNN"])
def test_compiles_to_one_graph(name):
    layer = made(name)
    mask = MASKS["holes"]
    compiled = torch.compile(lambda x: layer(x, mask=mask), fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(sequences()), layer(sequences(), mask=mask), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"units": 0}, r"`units` of layer 'lstm_cell' must be a positive integer. Received: units=0"),
        ({"units": 2.5}, r"positive integer"),
        ({"units": 3, "dropout": 1.5}, r"`dropout` of layer 'lstm_cell' must be between 0 and 1"),
        ({"units": 3, "recurrent_dropout": -0.1}, r"`recurrent_dropout`.*between 0 and 1"),
        ({"units": 3, "use_cudnn": "yes"}, r"`use_cudnn` must be 'auto', True or False. Received: use_cudnn='yes'"),
        ({"units": 3, "time_major": True}, r"`time_major` of LSTM is no more.*swapaxes"),
        ({"units": 3, "implementation": 3}, r"`implementation` must be 1 or 2"),
        ({"units": 3, "activation": "tanhh"}, r"Did you mean 'tanh'"),
    ],
)  # fmt: skip
def test_bad_settings(settings, message):
    with pytest.raises((ValueError, TypeError), match=message):
        layers.LSTM(**settings)


@pytest.mark.parametrize("name", ["LSTM", "GRU", "LSTMCell", "GRUCell"])
def test_settings_of_old_files_are_taken(name):
    old = {"units": 3, "implementation": 2} | ({"time_major": False} if name in ("LSTM", "GRU") else {})
    layer = getattr(layers, name).from_config(old)
    assert "implementation" not in layer.get_config()


def test_names_of_keras_2():
    assert layers.CuDNNLSTM is layers.LSTM
    assert layers.CuDNNGRU is layers.GRU
