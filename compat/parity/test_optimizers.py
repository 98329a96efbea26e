"""Every optimizer against the real Keras 3: 50 steps, variables and state compared after each."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kerasish import optimizers
from kerasish.variable import Variable

keras = pytest.importorskip("keras")

SHAPES = {"kernel": (4, 3), "bias": (3,), "filters": (2, 3, 4), "gain": (), "tall": (6, 2)}
STEPS = 50

OWN = [
    ("SGD", {}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    ("RMSprop", {"learning_rate": 0.01}),
    ("RMSprop", {"learning_rate": 0.01, "rho": 0.8, "momentum": 0.5, "epsilon": 1e-3}),
    ("RMSprop", {"learning_rate": 0.01, "centered": True}),
    ("RMSprop", {"learning_rate": 0.01, "centered": True, "momentum": 0.9}),
    ("Adagrad", {"learning_rate": 0.1}),
    ("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.0, "epsilon": 1e-2}),
    ("Adadelta", {"learning_rate": 1.0}),
    ("Adadelta", {"learning_rate": 0.5, "rho": 0.7, "epsilon": 1e-3}),
    ("Adam", {"learning_rate": 0.01}),
    ("Adam", {"learning_rate": 0.01, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-2}),
    ("Adam", {"learning_rate": 0.01, "amsgrad": True}),
    ("AdamW", {"learning_rate": 0.01}),
    ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.3, "amsgrad": True}),
    ("Adamax", {"learning_rate": 0.01}),
    ("Adamax", {"learning_rate": 0.01, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-2}),
    ("Nadam", {"learning_rate": 0.01}),
    ("Nadam", {"learning_rate": 0.01, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-2}),
    ("Ftrl", {"learning_rate": 0.1}),
    ("Ftrl", {"learning_rate": 0.1, "l1_regularization_strength": 0.1, "l2_regularization_strength": 0.2}),
    ("Ftrl", {"learning_rate": 0.1, "l2_shrinkage_regularization_strength": 0.3, "beta": 0.5}),
    ("Ftrl", {"learning_rate": 0.1, "learning_rate_power": -0.7, "initial_accumulator_value": 0.5}),
    ("Lion", {"learning_rate": 0.01}),
    ("Lion", {"learning_rate": 0.01, "beta_1": 0.5, "beta_2": 0.7}),
    ("Lamb", {"learning_rate": 0.01}),
    ("Lamb", {"learning_rate": 0.01, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-2}),
    ("Adafactor", {"learning_rate": 0.3}),
    ("Adafactor", {"learning_rate": 0.1, "relative_step": False, "clip_threshold": 0.5, "epsilon_2": 0.5}),
    ("Adafactor", {"learning_rate": 0.1, "beta_2_decay": -0.5, "epsilon_1": 1e-3}),
    ("Muon", {"learning_rate": 0.01}),
    ("Muon", {"learning_rate": 0.01, "nesterov": False, "rms_rate": None, "momentum": 0.5, "ns_steps": 3}),
    (
        "Muon",
        {"learning_rate": 0.01, "exclude_layers": ["tal"], "adam_lr_ratio": 0.5, "adam_weight_decay": 0.2},
    ),
    ("Muon", {"learning_rate": 0.01, "weight_decay": None, "muon_a": 1.5, "muon_b": -0.5, "muon_c": 0.0}),
    ("ScheduleFreeAdamW", {"learning_rate": 0.01}),
    ("ScheduleFreeAdamW", {"learning_rate": 0.01, "warmup_steps": 10, "beta_2": 0.9, "epsilon": 1e-3}),
]
COMMON = [
    {"weight_decay": 0.1},
    {"clipnorm": 0.5},
    {"clipvalue": 0.3},
    {"global_clipnorm": 0.7},
    {"loss_scale_factor": 8.0},
    {"use_ema": True, "ema_momentum": 0.9},
    {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 7},
    {"gradient_accumulation_steps": 3},
    {
        "gradient_accumulation_steps": 2,
        "use_ema": True,
        "ema_overwrite_frequency": 3,
        "weight_decay": 0.2,
        "clipnorm": 1.0,
    },
]
SCHEDULES = ["ExponentialDecay", "callable"]


def settings(name, common):
    return {"learning_rate": 0.05, **common} if name != "Muon" else {"learning_rate": 0.05, **common}


def make_values(seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape).astype("float32") for name, shape in SHAPES.items()}


def make_gradients(seed=1):
    rng = np.random.default_rng(seed)
    for step in range(STEPS):
        scale = 10.0 ** rng.uniform(-2, 1)
        gradients = [(scale * rng.normal(size=shape)).astype("float32") for shape in SHAPES.values()]
        if step % 11 == 5:
            gradients[0] *= 0
        yield gradients


def both_variables(values):
    theirs = [keras.Variable(value, name=name) for name, value in values.items()]
    ours = [Variable(value, name=name) for name, value in values.items()]
    return theirs, ours


def assert_same_state(step, theirs, ours, their_variables, our_variables):
    for their, our in zip(their_variables, our_variables, strict=True):
        close(their, our, f"step {step}, {their.path}")
    their_state, our_state = theirs.variables, ours.variables
    assert [tuple(v.shape) for v in our_state] == [tuple(v.shape) for v in their_state]
    for their, our in zip(their_state, our_state, strict=True):
        close(their, our, f"step {step}, {their.path}")


def close(their, our, where):
    expected = keras.ops.convert_to_numpy(their).astype("float64")
    atol = 3e-6 * max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(our.numpy(), expected, rtol=1e-5, atol=atol, err_msg=where)


def run_both(theirs, ours, prepare=None):
    their_variables, our_variables = both_variables(make_values())
    if prepare:
        prepare(theirs, their_variables)
        prepare(ours, our_variables)
    theirs.build(their_variables)
    ours.build(our_variables)
    for step, gradients in enumerate(make_gradients()):
        theirs.apply([torch.tensor(g) for g in gradients])
        ours.apply([torch.tensor(g) for g in gradients])
        assert_same_state(step, theirs, ours, their_variables, our_variables)


def make_both(name, kwargs):
    return getattr(keras.optimizers, name)(**kwargs), getattr(optimizers, name)(**kwargs)


@pytest.mark.parametrize(("name", "kwargs"), OWN, ids=lambda x: x if isinstance(x, str) else ",".join(x))
def test_own_arguments(name, kwargs):
    run_both(*make_both(name, kwargs))


@pytest.mark.parametrize("common", COMMON, ids=lambda common: ",".join(common))
@pytest.mark.parametrize("name", list(dict.fromkeys(name for name, _ in OWN)))
def test_common_arguments(name, common):
    run_both(*make_both(name, {"learning_rate": 0.05, **common}))
