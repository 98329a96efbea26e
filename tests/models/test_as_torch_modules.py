"""What works on a torch module works on a kerasish model: compile, func, export, hooks, pruning, parametrizations, …"""

from __future__ import annotations

import copy
import io
import pickle

import pytest
import torch
from torch.nn.utils import parametrizations, parametrize, prune

import kerasish as keras
from kerasish import layers

X = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))


def sequential():
    hidden = [layers.Dense(8, "relu"), layers.BatchNormalization(), layers.Dropout(0.1)]
    return keras.Sequential([keras.Input((4,)), *hidden, layers.Dense(2)])


def functional():
    inputs = keras.Input((4,))
    hidden = layers.Dense(8, "relu")(inputs)
    return keras.Model(inputs, layers.Dense(2)(layers.Concatenate()([inputs, hidden]) * 2 + 1))


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = layers.Dense(8, "relu")
        self.rest = [layers.Dense(2), torch.nn.Linear(2, 2)]
        self.ends = {"scale": layers.Rescaling(2.0)}

    def call(self, x):
        x = self.first(x)
        for layer in self.rest:
            x = layer(x)
        return self.ends["scale"](x)


def subclassed():
    model = Subclassed()
    model(X)
    return model


@pytest.fixture(params=[sequential, functional, subclassed])
def make(request):
    def made():
        keras.utils.set_random_seed(0)
        return request.param()

    return made


@pytest.fixture
def model(make):
    return make()


def first_dense(model):
    return next(layer for layer in model.layers if isinstance(layer, layers.Dense))


def fit(model):
    model.compile("sgd", "mse")
    model.fit(X, torch.zeros(5, 2), epochs=2, verbose=0)


def close(a, b):
    torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


def test_torch_compile(model):
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    close(compiled(X), model(X))
    compiled.train()
    compiled(X).sum().backward()
    assert first_dense(model).kernel.grad is not None


def test_functional_call_grad_and_vmap(model):
    weights = {name: weight.detach() for name, weight in model.named_parameters()}

    def total(weights, x):
        return torch.func.functional_call(model, weights, (x,)).sum()

    gradients = torch.func.grad(total)(weights, X)
    assert set(gradients) == set(weights)
    by_row = torch.func.vmap(lambda row: torch.func.functional_call(model, weights, (row[None],))[0])(X)
    close(by_row, model(X))
    doubled = {name: weight * 2 for name, weight in weights.items()}
    assert not torch.equal(torch.func.functional_call(model, doubled, (X,)), model(X))


def test_stacked_ensembles(make):
    models = [make(), make()]
    weights, buffers = torch.func.stack_module_state(models)
    base = copy.deepcopy(models[0])
    outputs = torch.func.vmap(lambda w, b: torch.func.functional_call(base, (w, b), (X,)))(weights, buffers)
    close(outputs, torch.stack([model(X) for model in models]))


def test_export(model):
    exported = torch.export.export(model, (X,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    close(exported.module()(X[:3]), model(X[:3]))


@pytest.mark.filterwarnings("ignore:.*is deprecated", "ignore::torch.jit.TracerWarning")
def test_torch_script_by_tracing(model):
    close(torch.jit.trace(model, X)(X), model(X))


def test_copies(model):
    close(copy.deepcopy(model)(X), model(X))
    close(pickle.loads(pickle.dumps(model))(X), model(X))


def test_moved_to_another_dtype_and_device(make):
    model, plain = make(), make()
    assert model.double() is model
    assert model(X.double()).dtype is torch.float64
    torch.testing.assert_close(model(X.double()), plain(X).double(), rtol=1e-4, atol=1e-5)
    assert first_dense(model).dtype_policy.name == "float64"
    assert model.to(torch.bfloat16)(X).dtype is torch.bfloat16
    model.float()
    fit(model)
    assert model.to("meta")(X.to("meta")).shape == (5, 2)


def test_state_dict(make):
    model, twin = make(), make()
    with torch.no_grad():
        for weight in twin.parameters():
            weight.add_(1)
    assert not torch.equal(twin(X), model(X))
    twin.load_state_dict(model.state_dict())
    close(twin(X), model(X))
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    twin = make()
    twin.load_state_dict(torch.load(file, weights_only=True), assign=True)
    close(twin(X), model(X))


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")  # torch's: nothing before needs a gradient
def test_hooks(model):
    seen = []
    for layer in model.layers:
        layer.register_forward_hook(lambda module, inputs, output: seen.append(type(module).__name__))
    first_dense(model).register_full_backward_hook(lambda module, inputs, outputs: seen.append("backward"))
    model(X).sum().backward()
    assert seen.count("Dense") >= 1 and seen[-1] == "backward"
    seen.clear()
    fit(model)
    assert seen.count("backward") == 2  # the step runs eagerly while somebody listens


def test_clipping_and_vectors(model):
    model(X).sum().backward()
    trained = [weight for weight in model.parameters() if weight.grad is not None]
    torch.nn.utils.clip_grad_norm_(trained, 0.1)
    assert torch.nn.utils.get_total_norm([weight.grad for weight in trained]) <= 0.1001
    vector = torch.nn.utils.parameters_to_vector(trained).detach()
    torch.nn.utils.vector_to_parameters(vector * 0, trained)
    assert not first_dense(model).kernel.any()


def test_pruning_holds_through_fit(model):
    layer = first_dense(model)
    prune.l1_unstructured(layer, "kernel", amount=0.5)
    fit(model)
    assert (layer.kernel == 0).float().mean() >= 0.5
    prune.remove(layer, "kernel")
    assert (layer.kernel == 0).float().mean() >= 0.5
    model(X)


class NonNegative(torch.nn.Module):
    def forward(self, weight):
        return weight.clamp_min(0)


def test_parametrize_holds_through_fit(model):
    layer = first_dense(model)
    parametrize.register_parametrization(layer, "kernel", NonNegative())
    before = layer.parametrizations.kernel.original.detach().clone()
    fit(model)
    assert (layer.kernel >= 0).all()
    assert not torch.equal(before, layer.parametrizations.kernel.original)


def test_weight_norm(model):
    layer, before = first_dense(model), model(X)
    parametrizations.weight_norm(layer, "kernel", dim=1)
    close(model(X), before)
    length = layer.parametrizations.kernel.original0.detach().clone()
    fit(model)
    assert not torch.equal(length, layer.parametrizations.kernel.original0)


def test_inside_a_torch_module(model):
    net = torch.nn.Sequential(torch.nn.Linear(4, 4), model, torch.nn.Tanh())
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    before = [weight.detach().clone() for weight in model.trainable_weights]
    net.train()
    assert model.training
    net(X).sum().backward()
    optimizer.step()
    assert not any(map(torch.equal, before[:1], model.trainable_weights[:1]))
    net.eval()
    assert not model.training
    close(net(X), net(X))
