from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish.callbacks import GradientNormLogger

X = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def train(optimizer, epochs=2, batch_size=5, callbacks=(), **kwargs):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)])
    model.compile(optimizer, "mse", **kwargs)
    model.fit(X, Y, batch_size, epochs=epochs, verbose=0, shuffle=False, callbacks=list(callbacks))
    return model


def norms_by_hand(epochs, batch_size=5, rate=0.1):
    model = train(keras.optimizers.SGD(rate), epochs=0)
    weights = model.trainable_weights
    norms = []
    for start in [*range(0, len(X), batch_size)] * epochs:
        x, y = (torch.as_tensor(array[start : start + batch_size]) for array in (X, Y))
        gradients = torch.autograd.grad(((model(x) - y) ** 2).mean(), weights)
        norms.append(float(torch.cat([g.flatten() for g in gradients]).norm()))
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight -= rate * gradient
    return np.reshape(norms, (epochs, -1)).mean(axis=1)


@pytest.mark.parametrize("run_eagerly", [True, False])
def test_mean_norm_of_the_epochs(run_eagerly):
    model = train(keras.optimizers.SGD(0.1), 3, callbacks=[GradientNormLogger()], run_eagerly=run_eagerly)
    np.testing.assert_allclose(model.history.history["gradient_norm"], norms_by_hand(3), rtol=1e-5)


@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.SGD(0.1, loss_scale_factor=64.0),
        keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1)),
        torch.optim.SGD,
    ],
)
def test_loss_scale_is_taken_out_and_torch_optimizers_are_measured(optimizer):
    logger = GradientNormLogger()
    model = train(optimizer, epochs=1, batch_size=20, callbacks=[logger])
    np.testing.assert_allclose(model.history.history["gradient_norm"], norms_by_hand(1, 20), rtol=1e-4)


def test_training_is_the_same_and_nothing_is_left_behind():
    expected = train("adam").get_weights()
    model = train("adam", callbacks=[GradientNormLogger()])
    for found, weight in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(found, weight)
    assert "apply" not in vars(model.optimizer)
    model.fit(X, Y, epochs=3, verbose=0)
    assert "gradient_norm" not in model.history.history


def test_second_fit_and_fit_after_an_interrupted_one():
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    logger = GradientNormLogger()
    model = train("sgd", callbacks=[logger])
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, verbose=0, callbacks=[logger, Interrupt()])
    twin = copy.deepcopy(model)
    model.fit(X, Y, verbose=0, shuffle=False, callbacks=[GradientNormLogger()])
    twin.fit(X, Y, verbose=0, shuffle=False, callbacks=[GradientNormLogger()])
    assert model.history.history == twin.history.history
    assert "apply" not in vars(model.optimizer) and "apply" not in vars(twin.optimizer)


def test_batches_skipped_for_their_scale_do_not_count():
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=3e38)
    model = train(optimizer, epochs=1, batch_size=1, callbacks=[GradientNormLogger()])
    assert optimizer.iterations < len(X)
    assert np.isfinite(model.history.history["gradient_norm"][0])
