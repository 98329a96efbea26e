from __future__ import annotations

import contextlib

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers, metrics, optimizers
from kerasish.callbacks import Callback, EarlyStopping, LearningRateScheduler, ReduceLROnPlateau
from kerasish.models import kept_steps
from kerasish.models.kept_steps import reused_steps
from kerasish.training.step import CapturedGraph
from kerasish.wrappers import KerasRegressor

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(50, 4)).astype("float32"), RNG.normal(size=50).astype("float32")
DATA = {"batch_size": 16, "epochs": 3, "verbose": 0}


@pytest.fixture(autouse=True)
def nothing_kept():
    kept_steps.forget()
    yield
    kept_steps.forget()


def build(hidden=5, optimizer="adam", loss="mse", metrics=(), dropout=0.0, seed=None, penalty=None):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(hidden, "relu", kernel_regularizer=penalty),
            layers.Dropout(dropout, seed=seed),
            layers.Dense(1),
        ]
    )
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


def trained(model, seed=0, callbacks=(), data=(X, Y), **arguments):
    keras.utils.set_random_seed(seed)
    model.set_weights([np.random.normal(size=weight.shape) for weight in model.get_weights()])
    with reused_steps(model):
        model.fit(*data, callbacks=list(callbacks), **{**DATA, **arguments})
    return model


def assert_same(model, expected):
    assert list(model.history.history.values()) == list(expected.history.history.values())
    for a, b in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(model.optimizer.variables, expected.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def compare(make, takes_over=True, **arguments):
    """Train one model after another, and the second one alone: the results are to be the same."""
    expected = trained(make(), seed=2, **arguments)
    kept_steps.forget()
    first = trained(make(), seed=1, **arguments)
    weights = first.get_weights()
    prepared = {id(x) for kept in kept_steps._kept.values() for x, _ in kept.prepared.values()}
    second = trained(make(), seed=2, **arguments)
    kept_again = {id(x) for kept in kept_steps._kept.values() for x, _ in kept.prepared.values()}
    assert (prepared == kept_again != set()) == takes_over
    assert_same(second, expected)
    for now, before in zip(first.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(now, before)
    return first, second


OPTIMIZERS = [
    optimizers.SGD(0.01, momentum=0.9, nesterov=True), optimizers.Adam(amsgrad=True), optimizers.AdamW(),
    optimizers.RMSprop(momentum=0.5, centered=True), optimizers.Adagrad(), optimizers.Adadelta(),
    optimizers.Adamax(), optimizers.Nadam(), optimizers.Ftrl(), optimizers.Lion(), optimizers.Lamb(),
    optimizers.Adafactor(), optimizers.Muon(), optimizers.ScheduleFreeAdamW(),
    optimizers.Adam(clipnorm=1.0, use_ema=True, ema_overwrite_frequency=2, gradient_accumulation_steps=2),
    optimizers.Adam(optimizers.schedules.ExponentialDecay(0.1, 5, 0.9)),
]  # fmt: skip


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: type(optimizer).__name__)
def test_every_optimizer_goes_on_with_a_state_of_its_own(optimizer):
    compare(lambda: build(optimizer=type(optimizer).from_config(optimizer.get_config())))


def test_losses_metrics_and_validation():
    given = ["mae", metrics.RootMeanSquaredError, metrics.R2Score, metrics.CosineSimilarity]

    def make():
        return build(
            loss=keras.losses.Huber(2.0),
            metrics=[m if isinstance(m, str) else m() for m in given],
            penalty="l2",
        )

    _, second = compare(make, validation_split=0.2, sample_weight=np.linspace(1, 2, 50))
    assert len(second.history.history) == 10


def test_confusion_metrics_and_dropout():
    given = [metrics.AUC, metrics.Precision, metrics.BinaryAccuracy, metrics.F1Score]
    labels = (Y > 0).astype("float32")[:, None]
    compare(
        lambda: build(loss="hinge", metrics=[m() for m in given], dropout=0.5), data=(X, labels), epochs=2
    )


@pytest.mark.parametrize(
    "make_callback",
    [
        lambda: EarlyStopping("loss", patience=0, restore_best_weights=True),
        lambda: LearningRateScheduler(lambda epoch, rate: rate / 2),
        lambda: ReduceLROnPlateau("loss", patience=0, min_delta=10.0),
    ],
)
def test_callbacks(make_callback):
    first = trained(build(), callbacks=[make_callback()])
    second = trained(build(), callbacks=[make_callback()])
    assert_same(second, first)


def test_rates_may_differ_and_other_settings_may_not():
    trained(build(optimizer=optimizers.Adam(0.1)))
    trained(build(optimizer=optimizers.Adam(0.2)))
    assert len(kept_steps._kept) == 1
    trained(build(optimizer=optimizers.Adam(0.1, beta_1=0.8)))
    trained(build(penalty=keras.regularizers.L2(0.1)))
    trained(build(penalty=keras.regularizers.L2(0.2)))
    trained(build(hidden=6))
    assert len(kept_steps._kept) == 5


def test_a_setting_changed_during_the_fit_is_not_handed_on():
    class Change(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.optimizer.beta_1 = 0.5

    changed = trained(build(), callbacks=[Change()])
    expected = trained(build(), seed=1)
    kept_steps.forget()
    assert_same(trained(build(), seed=1), expected)
    assert changed.optimizer.beta_1 == 0.5


def test_further_training_of_a_model_whose_steps_are_gone():
    first, second = compare(build)
    alone = trained(build(), seed=1)
    for model in (first, alone):
        keras.utils.set_random_seed(5)
        model.fit(X, Y, **DATA)
    assert_same(first, alone)
    assert second.predict(X, verbose=0).shape == (50, 1)


class Twice(layers.Layer):
    def call(self, inputs):
        return inputs * 2


def with_own_layer():
    model = keras.Sequential([keras.Input((4,)), Twice(), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize(
    "make",
    [
        with_own_layer,
        lambda: build(dropout=0.5, seed=3),
        lambda: build(loss=lambda y, p: (y - p) ** 2),
        lambda: build(optimizer=torch.optim.Adam),
    ],
    ids=["own_layer", "generator", "own_loss", "torch_optimizer"],
)
def test_steps_that_are_not_handed_on(make):
    compare(make, takes_over=False)


def test_nothing_is_kept_of_large_models_or_of_failed_fits(monkeypatch):
    with pytest.raises(ValueError, match="shape"):
        trained(build(), data=(X[:, :3], Y))
    assert not kept_steps._kept
    monkeypatch.setattr(kept_steps, "LARGEST_KEPT", 100)
    trained(build())
    assert not kept_steps._kept


def test_only_the_latest_are_kept():
    for hidden in range(1, kept_steps.MOST_KEPT + 4):
        trained(build(hidden), epochs=1)
    assert len(kept_steps._kept) == kept_steps.MOST_KEPT


def test_estimators_hand_on_their_steps_and_keep_their_models():
    def make(width):
        return build(width)

    def fitted(width, **params):
        return KerasRegressor(make, width=width, random_state=0, **DATA, **params).fit(X, Y)

    alone = fitted(5).predict(X)
    first = fitted(5)
    assert len(kept_steps._kept) == 1
    second = fitted(5)
    np.testing.assert_array_equal(first.predict(X), alone)
    np.testing.assert_array_equal(second.predict(X), alone)
    assert first.model_ is not second.model_
    assert second.partial_fit(X, Y).current_epoch == 4
    np.testing.assert_array_equal(first.predict(X), alone)


def test_callbacks_of_the_user_may_hold_on_to_the_weights():
    seen = []

    class Watch(Callback):
        def on_train_end(self, logs=None):
            seen.append(self.model.layers[0].kernel.detach())

    reg = KerasRegressor(build, random_state=0, **DATA, callbacks=Watch)
    kernels = []
    for scale in (1, 2):
        reg.fit(scale * X, Y)
        kernels.append(seen[-1].clone())
    assert not kept_steps._kept
    torch.testing.assert_close(seen[0], kernels[0])


def test_captured_graphs_are_handed_on_with_their_memory(monkeypatch):
    """The handling of CUDA graphs, without CUDA: a graph works on memory, whatever tensors lie there."""

    class Graph:
        def replay(self):
            with torch.no_grad():
                for weight in weights:
                    weight.add_(1)

    model = build()
    weights = [weight.data for weight in model.trainable_weights]
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", lambda graph: contextlib.nullcontext())
    monkeypatch.setattr("kerasish.training.step.Recorded", CapturedGraph)
    trained(model)
    before = model.get_weights()
    second = build()
    second.set_weights(before)
    with reused_steps(second):
        second.fit(X[:16], Y[:16], batch_size=16, epochs=3, verbose=0)  # one step of Adam, then two replays
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(second.get_weights(), before, strict=True):
        np.testing.assert_allclose(ours, theirs + 2, atol=0.0011)
