"""Weights of models: NumPy lists, `state_dict`, and what torch can do with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers

X = np.random.default_rng(0).random((6, 4), dtype="float32")


def make() -> keras.Sequential:
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(3),
            layers.BatchNormalization(),
            torch.nn.Linear(3, 2),
            layers.Dense(1),
        ]
    )


def test_order_and_kinds():
    model = make()
    shapes = [w.shape for w in model.get_weights()]
    assert shapes == [(4, 3), (3,), (3,), (3,), (3,), (3,), (2, 3), (2,), (2, 1), (1,)]
    assert all(isinstance(w, np.ndarray) for w in model.get_weights())
    assert len(model.trainable_weights) == 8 and len(model.non_trainable_weights) == 2
    assert model.count_params() == sum(np.prod(shape) for shape in shapes)
    assert model.variables == model.weights


def test_get_weights_are_copies():
    model = make()
    model.get_weights()[0][:] = 7
    assert not (model.get_weights()[0] == 7).any()


def test_set_weights():
    model, twin = make(), make()
    twin.set_weights(model.get_weights())
    np.testing.assert_array_equal(model.predict(X, verbose=0), twin.predict(X, verbose=0))
    twin.set_weights([torch.from_numpy(w) for w in model.get_weights()])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w[:-1], r"has 10 weights, `set_weights` was given 9"),
        (lambda w: [w[0].T, *w[1:]], r"kernel' .*has shape \(4, 3\)\. Received: \(3, 4\)"),
    ],
)
def test_weights_that_do_not_fit_change_nothing(change, message):
    model = make()
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        model.set_weights(change([w + 1 for w in before]))
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_set_weights_before_build():
    with pytest.raises(ValueError, match=r"The layer is not built yet"):
        layers.Dense(3).set_weights([np.ones((2, 3))])
    with pytest.raises(ValueError, match=r"has no weights before it is built"):
        layers.Dense(3).count_params()


def test_weights_argument_of_a_layer():
    layer = layers.Dense(2, weights=[np.full((4, 2), 3.0), np.ones(2)])
    np.testing.assert_allclose(layer(X).detach(), X.sum(1, keepdims=True) * 3 + np.ones((6, 2)), rtol=1e-5)


def test_state_dict_of_a_twin():
    model, twin = make(), make()
    twin.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(model.predict(X, verbose=0), twin.predict(X, verbose=0))
    with pytest.raises(RuntimeError, match=r"Missing key"):
        twin.load_state_dict({})


def test_torch_moves_and_casts():
    model = make().double()
    assert all(w.dtype is torch.float64 for w in model.parameters())
    model.float()
    model.to("cpu")
    assert model.predict(X, verbose=0).shape == (6, 1)


def test_plain_torch_loop():
    model = make()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model.train()
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = (model(torch.from_numpy(X)) - torch.from_numpy(X[:, :1])).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_regularizers_and_constraints_sit_on_the_weights():
    layer = layers.Dense(2, kernel_regularizer="l2", bias_constraint="non_neg", activity_regularizer="l1")
    layer(X)
    assert [float(loss.detach()) for loss in layer.losses][1] == pytest.approx(
        0.01 * float((layer.kernel.detach() ** 2).sum()), rel=1e-5
    )
    assert layer.bias.constraint is not None and layer.kernel.constraint is None
