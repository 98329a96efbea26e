"""A recorded `apply`, replayed, does what calling it again does: nothing in it is decided in Python."""

from __future__ import annotations

import gc

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from kerasish import optimizers
from kerasish.training.replay import Recording
from kerasish.variable import Variable

SHAPES = [(4, 3), (3,), (2, 2, 2)]
NAMES = [
    "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "Muon", "Nadam",
    "RMSprop", "SGD", "ScheduleFreeAdamW",
]  # fmt: skip
FEATURES = {
    "plain": {},
    "clipped and decayed": {"clipnorm": 0.5, "weight_decay": 0.1, "loss_scale_factor": 2.0},
    "globally clipped": {"global_clipnorm": 0.5, "decay": 0.1},
    "clipped by value": {"clipvalue": 0.5},
    "accumulated": {"gradient_accumulation_steps": 3},
    "averaged": {"use_ema": True, "ema_overwrite_frequency": 3},
    "scheduled": {"learning_rate": optimizers.schedules.CosineDecayRestarts(0.1, 3)},
}


class Idle(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


@pytest.fixture(autouse=True, scope="module")
def _no_hooks_in_recordings():
    """torch imports modules in its first dispatch mode; imports and collections run hooks of test tools."""
    with Idle():
        torch.ones(1).add_(1)
    gc.disable()
    yield
    gc.enable()


def make_variables():
    generator = torch.Generator().manual_seed(0)
    variables = [Variable(torch.randn(shape, generator=generator), name="w") for shape in SHAPES]
    variables[1].constraint = lambda w: w.clamp(-0.5, 0.5)
    return variables


def make_gradients(steps=9):
    generator = torch.Generator().manual_seed(1)
    return [[torch.randn(shape, generator=generator) for shape in SHAPES] for _ in range(steps)]


def assert_replay_equals_calls(make, change=lambda optimizer, step: None, gradients=None):
    gradients = gradients or make_gradients()
    called, recorded = make(), make()
    called_variables, recorded_variables = make_variables(), make_variables()
    for optimizer, variables in ((called, called_variables), (recorded, recorded_variables)):
        optimizer.build(variables)
        for variable in variables:
            variable.constraint = torch.tanh if variable.constraint else None
        optimizer.apply(gradients[0])
    recording = Recording(recorded.apply, gradients[1])
    called.apply(gradients[1])
    for step, values in enumerate(gradients[2:]):
        change(called, step)
        change(recorded, step)
        called.apply(values)
        recording.replay(values)
        torch.testing.assert_close(recorded_variables, called_variables, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(recorded.variables, called.variables, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_every_optimizer(name):
    assert_replay_equals_calls(lambda: getattr(optimizers, name)(learning_rate=0.05))


@pytest.mark.parametrize("name", ["SGD", "Nadam"])
@pytest.mark.parametrize("feature", FEATURES)
def test_every_feature(name, feature):
    assert_replay_equals_calls(
        lambda: getattr(optimizers, name)(**{"learning_rate": 0.05, **FEATURES[feature]})
    )


def test_assigned_learning_rate_takes_effect():
    def change(optimizer, step):
        optimizer.learning_rate = 0.1 / (step + 1)

    assert_replay_equals_calls(lambda: optimizers.Adam(0.1), change)


def test_loss_scale_optimizer_skips_and_adapts():
    gradients = make_gradients()
    gradients[3][0][0, 0] = float("inf")
    gradients[6][2][0, 0, 0] = float("nan")
    assert_replay_equals_calls(
        lambda: optimizers.LossScaleOptimizer(
            optimizers.Adam(0.1), initial_scale=4.0, dynamic_growth_steps=2
        ),
        gradients=gradients,
    )


def test_multi_optimizer():
    def make():
        adam, sgd = optimizers.Adam(0.1), optimizers.SGD(0.1, gradient_accumulation_steps=2)
        return optimizers.MultiOptimizer(lambda variable: adam if variable.ndim == 2 else sgd)

    assert_replay_equals_calls(make)


def test_sgd_and_adam_run_few_operations():
    for name, most in (("SGD", 2), ("Adam", 10)):
        optimizer, variables = getattr(optimizers, name)(0.1), make_variables()
        variables[1].constraint = None
        gradients = make_gradients(2)
        optimizer.apply(gradients[0], variables)
        assert len(Recording(optimizer.apply, gradients[1]).program) <= most
