"""Weights of PyTorch modules in models of the same architecture."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import kerasish as keras
from kerasish import layers
from kerasish.port import from_pytorch
from kerasish.port.pytorch.writing import load_module, make_port


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 4, 3),
            nn.BatchNorm2d(4, eps=1e-3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(4, 5, 2),
            nn.ReLU(),
        )
        self.head = nn.Linear(5 * 2 * 2, 2)

    def forward(self, x):
        return self.head(self.features(x).flatten(1))


def model_like_net(**batch_normalization):
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, name="first"),
            layers.BatchNormalization(name="norm", **batch_normalization),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Conv2D(5, 2, activation="relu", name="second"),
            layers.Flatten(),
            layers.Dense(2, name="head"),
        ],
        name="like_net",
    )


def trained_net():
    torch.manual_seed(0)
    net = Net()
    net(torch.rand(8, 3, 8, 8)).sum().backward()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.rand_like(parameter) * 0.1)
    return net.eval()


def test_a_convolutional_network():
    net, model = trained_net(), model_like_net()
    assert from_pytorch(net, model) is model
    x = torch.rand(4, 8, 8, 3)
    with torch.no_grad():
        torch.testing.assert_close(model(x), net(x.movedim(-1, 1)), atol=1e-5, rtol=1e-5)
    other = model_like_net()
    from_pytorch(net.state_dict(), other)
    assert all(torch.equal(a, b) for a, b in zip(model.weights, other.weights, strict=True))


class Sequences(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(11, 6)
        self.attention = nn.MultiheadAttention(6, 2, batch_first=True)
        self.norm = nn.LayerNorm(6, eps=1e-3)
        self.one = nn.LSTM(6, 4, batch_first=True, bidirectional=True)
        self.two = nn.GRU(8, 3, batch_first=True)

    def forward(self, x):
        x = self.words(x)
        x = self.norm(x + self.attention(x, x, x, need_weights=False)[0])
        return self.two(self.one(x)[0])[0][:, -1]


def model_like_sequences():
    inputs = keras.Input((None,), dtype="int64")
    x = layers.Embedding(11, 6)(inputs)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 3)(x, x))
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(x)
    return keras.Model(inputs, layers.GRU(3)(x))


def test_sequences_with_two_biases_in_torch():
    torch.manual_seed(1)
    net, model = Sequences().eval(), model_like_sequences()
    with torch.no_grad():
        net.attention.in_proj_bias.normal_()
    from_pytorch(net, model)
    x = torch.randint(0, 11, (3, 7))
    with torch.no_grad():
        torch.testing.assert_close(model(x), net(x), atol=1e-5, rtol=1e-5)


def test_there_and_back():
    model, twin = model_like_sequences(), model_like_sequences()
    from_pytorch(load_module(make_port(model)), twin)
    for a, b in zip(model.weights, twin.weights, strict=True):
        torch.testing.assert_close(a, b, atol=0, rtol=0)


def test_the_first_mismatch_is_named_and_nothing_changes():
    model = model_like_net()
    before = [weight.detach().clone() for weight in model.weights]
    net = trained_net()
    net.head = nn.Linear(20, 3)
    with pytest.raises(
        ValueError, match=r"'head.weight' of shape \(2, 20\).*Received: 'head.weight' of shape \(3, 20\)"
    ):
        from_pytorch(net, model)
    net = trained_net()
    net.features[1].eps = 1e-5
    with pytest.raises(
        ValueError, match=r"Layer 'norm' has epsilon=0.001, the module's 'features.1' eps=1e-05"
    ):
        from_pytorch(net, model)
    with pytest.raises(ValueError, match=r"no weights left for 'head.weight'"):
        from_pytorch(trained_net().features, model)
    with pytest.raises(ValueError, match=r"must be constant"):
        from_pytorch(trained_net(), model_like_net(scale=False))
    assert all(torch.equal(a, b) for a, b in zip(model.weights, before, strict=True))


def test_submodules_in_another_order_are_told_apart_by_their_shapes():
    class Late(nn.Module):
        def __init__(self):
            super().__init__()
            self.out = nn.Linear(5 * 2 * 2, 2)
            self.features = Net().features

        def forward(self, x):
            return self.out(self.features(x).flatten(1))

    net, model = Late().eval(), model_like_net()
    assert next(iter(net.state_dict())) == "out.weight"
    from_pytorch(net, model)
    x = torch.rand(4, 8, 8, 3)
    with torch.no_grad():
        torch.testing.assert_close(model(x), net(x.movedim(-1, 1)), atol=1e-5, rtol=1e-5)


def test_a_stack_in_one_module_of_torch():
    class Stack(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.LSTM(5, 6, num_layers=2, batch_first=True)

        def forward(self, x):
            return self.rnn(x)[0][:, -1]

    net = Stack()
    model = keras.Sequential([keras.Input((7, 5)), layers.LSTM(6, return_sequences=True), layers.LSTM(6)])
    from_pytorch(net, model)
    x = torch.rand(3, 7, 5)
    with torch.no_grad():
        torch.testing.assert_close(model(x), net(x), atol=1e-5, rtol=1e-5)


def test_a_weight_that_two_classes_share():
    shared = layers.Dense(4, name="shared")
    inner = keras.Sequential([keras.Input((4,)), shared], name="inner")
    x = keras.Input((4,))
    model = keras.Model(x, inner(shared(x)))
    state = load_module(make_port(model)).state_dict()
    before = shared.kernel.detach().clone()
    from_pytorch(state, model)
    assert torch.equal(shared.kernel, before)
    state["shared.weight"] = state["shared.weight"] + 1
    with pytest.raises(
        ValueError, match=r"one weight for the module's '\S+weight' and '\S+weight', which differ"
    ):
        from_pytorch(state, model)
    assert torch.equal(shared.kernel, before)
    with pytest.raises(TypeError, match=r"must be a torch.nn.Module, or its `state_dict\(\)`.*Received: str"):
        from_pytorch("net.pt", model)
