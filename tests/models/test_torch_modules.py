"""Any `torch.nn.Module` goes wherever a layer goes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers

X = np.random.default_rng(0).random((8, 4), dtype="float32")


def test_in_a_sequential_model():
    linear = torch.nn.Linear(4, 3)
    model = keras.Sequential([keras.Input((4,)), linear, torch.nn.ReLU(), layers.Dense(1)])
    assert model.output_shape == (None, 1)
    assert model[0] is linear if hasattr(model, "__getitem__") else next(iter(model.children())) is linear
    assert list(model.state_dict()) == ["0.weight", "0.bias", "2.kernel", "2.bias"]
    torch.testing.assert_close(model.layers[0](X), linear(torch.from_numpy(X)))


def test_alone_at_the_front_without_an_input():
    model = keras.Sequential([torch.nn.Linear(4, 3), layers.Dense(1)])
    assert model.predict(X, verbose=0).shape == (8, 1)


def test_in_a_functional_model():
    x = keras.Input((4,))
    hidden = layers.TorchModuleWrapper(torch.nn.Linear(4, 3), name="lin")(x)
    model = keras.Model(x, layers.Dense(1)(hidden))
    assert [layer.name for layer in model.layers][1] == "lin"
    assert len(model.trainable_weights) == 4


def test_called_on_a_symbolic_tensor():
    x = keras.Input((4,))
    linear = torch.nn.Linear(4, 3)
    model = keras.Model(x, torch.relu(layers.TorchModuleWrapper(linear)(x)))
    torch.testing.assert_close(model(X), torch.relu(linear(torch.from_numpy(X))))


def test_mode_and_training_reach_the_module():
    norm = torch.nn.BatchNorm1d(4)
    model = keras.Sequential([keras.Input((4,)), norm, layers.Dense(1)])
    assert not norm.training
    model.compile(keras.optimizers.SGD(0.1), "mse")
    before = norm.weight.detach().clone()
    model.fit(X, X[:, :1], batch_size=4, epochs=2, verbose=0)
    assert int(norm.num_batches_tracked) == 4
    assert not torch.equal(norm.weight.detach(), before)
    assert not norm.training


def test_freezing():
    linear = torch.nn.Linear(4, 3)
    model = keras.Sequential([keras.Input((4,)), linear, layers.Dense(1)])
    model.layers[0].trainable = False
    assert not linear.weight.requires_grad and len(model.trainable_weights) == 2
    model.compile("sgd", "mse")
    before = linear.weight.detach().clone()
    model.fit(X, X[:, :1], verbose=0)
    assert torch.equal(linear.weight, before)


def test_module_frozen_by_its_maker_stays_frozen():
    linear = torch.nn.Linear(4, 3)
    linear.bias.requires_grad_(False)
    model = keras.Sequential([keras.Input((4,)), linear])
    model.trainable = False
    model.trainable = True
    assert linear.weight.requires_grad and not linear.bias.requires_grad


def test_output_shape_may_be_given():
    class Data(torch.nn.Module):
        def forward(self, x):
            return x[:, : int(x.detach().sum().isnan().item()) + 2]

    wrapper = layers.TorchModuleWrapper(Data(), output_shape=(2,))
    assert wrapper(keras.Input((4,))).shape == (None, 2)
    assert wrapper(X).shape == (8, 2)
    with pytest.raises((ValueError, RuntimeError), match=r"compute_output_shape|meta"):
        layers.TorchModuleWrapper(Data())(keras.Input((4,)))


def test_mistakes():
    with pytest.raises(TypeError, match=r"`module` must be a torch.nn.Module\. Received: 3"):
        layers.TorchModuleWrapper(3)
    with pytest.raises(TypeError, match=r"is a layer already"):
        layers.TorchModuleWrapper(layers.Dense(1))
    with pytest.raises(ValueError, match=r"on the meta device: give it real weights"):
        layers.TorchModuleWrapper(torch.nn.Linear(4, 3, device="meta"))(X)


def test_kerasish_layer_inside_a_torch_module():
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = layers.Dense(3, activation="relu")
            self.second = torch.nn.Linear(3, 1)

        def forward(self, x):
            return self.second(self.first(x))

    net = Net()
    net(torch.from_numpy(X)).sum().backward()
    assert net.first.kernel.grad is not None
    assert list(net.state_dict()) == ["first.kernel", "first.bias", "second.weight", "second.bias"]


def test_torch_compile_of_a_model():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="relu"), layers.Dense(1)])
    compiled = torch.compile(model, backend="eager")
    torch.testing.assert_close(compiled(torch.from_numpy(X)), model(X))


def test_a_bare_module_on_a_symbolic_tensor_is_told_to_become_a_layer():
    for module in (torch.nn.Linear(4, 3), torch.nn.LSTM(4, 3, batch_first=True)):
        with pytest.raises((TypeError, AttributeError), match=r"layers.TorchModuleWrapper\(module\)"):
            module(keras.Input((5, 4)))


def test_modules_that_look_at_the_device_of_their_weights():
    inputs = keras.Input((5, 4))
    outputs, _ = layers.TorchModuleWrapper(torch.nn.LSTM(4, 3, batch_first=True))(inputs)
    assert outputs.shape == (None, 5, 3)
    model = keras.Model(inputs, layers.Dense(1)(outputs[:, -1]))
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).random((8, 5, 4), dtype="float32")
    before = model.get_weights()
    model.fit(x, np.zeros(8), batch_size=4, epochs=3, verbose=0)  # its training kernel cannot be recorded
    assert not np.array_equal(before[0], model.get_weights()[0])
