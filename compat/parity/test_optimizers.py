"""Every optimizer against the real Keras 3: 50 steps, variables and state compared after each."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kerasish import optimizers
from kerasish.variable import Variable

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

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
NAMES = list(dict.fromkeys(name for name, _ in OWN))
COMMON = [
    {"weight_decay": 0.1},
    {"clipnorm": 0.5},
    {"clipvalue": 0.3},
    {"global_clipnorm": 0.7},
    {"clipnorm": 0.0},
    {"loss_scale_factor": 8.0},
    {"use_ema": True, "ema_momentum": 0.9},
    {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 7},
    {"gradient_accumulation_steps": 3},
]
TOGETHER = {
    "gradient_accumulation_steps": 2,
    "use_ema": True,
    "ema_overwrite_frequency": 3,
    "weight_decay": 0.2,
    "clipnorm": 1.0,
    "loss_scale_factor": 2.0,
}


def make_gradients():
    rng = np.random.default_rng(1)
    steps = []
    for step in range(STEPS):
        scale = 10.0 ** rng.uniform(-2, 1)
        gradients = [(scale * rng.normal(size=shape)).astype("float32") for shape in SHAPES.values()]
        if step % 11 == 5:
            gradients[0] *= 0
        steps.append([torch.tensor(gradient) for gradient in gradients])
    return steps


GRADIENTS = make_gradients()


def both_variables():
    rng = np.random.default_rng(0)
    values = {name: rng.normal(size=shape).astype("float32") for name, shape in SHAPES.items()}
    theirs = [keras.Variable(value, name=name) for name, value in values.items()]
    ours = [Variable(value, name=name) for name, value in values.items()]
    return theirs, ours


def make_both(name, kwargs):
    return getattr(keras.optimizers, name)(**kwargs), getattr(optimizers, name)(**kwargs)


def assert_close(their_variables, our_variables, where):
    for their, our in zip(their_variables, our_variables, strict=True):
        expected = their.value.detach()
        received = our.detach().to(expected.dtype)
        assert received.shape == expected.shape
        atol = 3e-6 * max(1.0, expected.abs().amax().item())
        if not torch.allclose(received, expected, rtol=1e-5, atol=atol):
            np.testing.assert_allclose(received, expected, 1e-5, atol, err_msg=f"{where}: {their.path}")


def run_both(theirs, ours, prepare=lambda optimizer, variables: None, steps=GRADIENTS):
    their_variables, our_variables = both_variables()
    for optimizer, variables in ((theirs, their_variables), (ours, our_variables)):
        prepare(optimizer, variables)
        optimizer.build(variables)
    for step, gradients in enumerate(steps):
        theirs.apply(gradients)
        ours.apply(gradients)
        assert_close(their_variables, our_variables, f"step {step}")
        assert_close(theirs.variables, ours.variables, f"step {step}")
    return their_variables, our_variables


@pytest.mark.parametrize(("name", "kwargs"), OWN, ids=lambda x: x if isinstance(x, str) else ",".join(x))
def test_own_arguments(name, kwargs):
    run_both(*make_both(name, kwargs))


@pytest.mark.parametrize("common", COMMON, ids=lambda common: ",".join(common))
@pytest.mark.parametrize("name", ["SGD", "Adam", "Nadam"])
def test_common_arguments(name, common):
    run_both(*make_both(name, {"learning_rate": 0.05, **common}))


@pytest.mark.parametrize("name", NAMES)
def test_common_arguments_together(name):
    run_both(*make_both(name, {"learning_rate": 0.05, **TOGETHER}))


@pytest.mark.parametrize("name", NAMES)
def test_config_names_and_defaults(name):
    theirs, ours = make_both(name, {"name": "same"})
    assert ours.get_config() == theirs.get_config()
    their_variables, our_variables = both_variables()
    theirs.build(their_variables)
    ours.build(our_variables)
    for their, our in zip(theirs.variables, ours.variables, strict=True):
        assert our.name == their.name or (our.name == "u_product" and their.name.startswith("variable"))


@pytest.mark.parametrize("name", ["Adam", "Nadam", "Adafactor", "Muon"])
def test_state_copied_from_keras_continues_its_run(name):
    theirs, ours = make_both(name, {"learning_rate": 0.05})
    their_variables, our_variables = both_variables()
    theirs.build(their_variables)
    ours.build(our_variables)
    for gradients in GRADIENTS[:5]:
        theirs.apply(gradients)
    store = {}
    theirs.save_own_variables(store)
    ours.load_own_variables(store)
    for their, our in zip(their_variables, our_variables, strict=True):
        our.assign(their.numpy())
    for gradients in GRADIENTS[5:10]:
        theirs.apply(gradients)
        ours.apply(gradients)
    assert_close(their_variables, our_variables, "continued")


@pytest.mark.parametrize("name", ["SGD", "AdamW", "Muon"])
def test_exclude_from_weight_decay(name):
    def prepare(optimizer, variables):
        optimizer.exclude_from_weight_decay(var_list=[variables[2]], var_names=["bias", "ta.l"])

    run_both(*make_both(name, {"learning_rate": 0.05, "weight_decay": 0.5}), prepare=prepare)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
@pytest.mark.parametrize("together", [{}, TOGETHER])
def test_constraints(name, together):
    def prepare(optimizer, variables):
        module = torch.clamp if optimizer.__module__.startswith("kerasish") else keras.ops.clip
        for variable in variables[:3]:
            variable.constraint = lambda w: module(w, -0.5, 0.5)

    run_both(*make_both(name, {"learning_rate": 0.05, **together}), prepare=prepare)


@pytest.mark.parametrize("kwargs", [{}, {"gradient_accumulation_steps": 3}, {"use_ema": True}])
def test_overwrite_with_gradient(kwargs):
    def prepare(optimizer, variables):
        variables[0].overwrite_with_gradient = True
        variables[3].overwrite_with_gradient = True

    run_both(*make_both("Adam", {"learning_rate": 0.05, **kwargs}), prepare=prepare)


@pytest.mark.parametrize("limit", ["clipnorm", "clipvalue", "global_clipnorm"])
@pytest.mark.parametrize("worst", [np.inf, np.nan, 0.0])
def test_clipping_of_infinite_and_zero_gradients(limit, worst):
    gradients = [torch.full(shape, 2.0) for shape in SHAPES.values()]
    gradients[0][0, 1] = worst
    theirs, ours = make_both("SGD", {"learning_rate": 1.0, limit: 1.0})
    their_variables, our_variables = both_variables()
    theirs.apply(gradients, their_variables)
    ours.apply(gradients, our_variables)
    for their, our in zip(their_variables, our_variables, strict=True):
        np.testing.assert_allclose(our.numpy(), their.value.detach().numpy(), rtol=1e-5)


@pytest.mark.parametrize("name", ["SGD", "Adam", "Adafactor"])
@pytest.mark.parametrize("kwargs", [{}, {"gradient_accumulation_steps": 3}])
def test_schedule_as_learning_rate(name, kwargs):
    schedule = {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.5}
    theirs = getattr(keras.optimizers, name)(
        keras.optimizers.schedules.ExponentialDecay(**schedule), **kwargs
    )
    ours = getattr(optimizers, name)(optimizers.schedules.ExponentialDecay(**schedule), **kwargs)
    run_both(theirs, ours)
    assert float(ours.learning_rate) == pytest.approx(float(theirs.learning_rate), rel=1e-6)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_callable_as_learning_rate(name):
    def make_rate():
        rates = iter(np.linspace(0.1, 0.01, 10 * STEPS).tolist())
        return lambda: next(rates)

    run_both(getattr(keras.optimizers, name)(make_rate()), getattr(optimizers, name)(make_rate()))


def test_learning_rate_set_between_steps():
    theirs, ours = make_both("SGD", {"learning_rate": 0.1, "momentum": 0.9})
    their_variables, our_variables = both_variables()
    for rate, gradients in zip(np.linspace(0.1, 0.01, STEPS).tolist(), GRADIENTS, strict=True):
        for optimizer, variables in ((theirs, their_variables), (ours, our_variables)):
            optimizer.learning_rate = rate
            optimizer.apply(gradients, variables)
    assert_close(their_variables, our_variables, "after")


@pytest.mark.parametrize("inner", [("SGD", {"momentum": 0.9}), ("Adam", {}), ("AdamW", {"use_ema": True})])
def test_loss_scale_optimizer(inner):
    theirs, ours = make_both(*inner)
    scale = {"initial_scale": 16.0, "dynamic_growth_steps": 3}
    theirs = keras.optimizers.LossScaleOptimizer(theirs, **scale)
    ours = optimizers.LossScaleOptimizer(ours, **scale)
    steps = []
    for step, gradients in enumerate(GRADIENTS[:25]):
        gradients = [gradient.clone() for gradient in gradients]
        if step % 7 == 3:
            gradients[2][0, 0, 0] = np.inf if step % 2 else np.nan
        steps.append(gradients)
    run_both(theirs, ours, steps=steps)
    assert float(ours.scale_loss(3.0)) == float(theirs.scale_loss(3.0))


def test_multi_optimizer():
    def make(module):
        optimizer_map = module.OptimizerMap(module.SGD(0.1, momentum=0.9))
        optimizer_map["b.*"] = module.Adam(0.01)
        optimizer_map["gain"] = module.RMSprop(0.01)
        return module.MultiOptimizer(optimizer_map, loss_scale_factor=4.0)

    theirs, ours = make(keras.optimizers), make(optimizers)
    run_both(theirs, ours)
    assert ours.scale_loss(3.0) == theirs.scale_loss(3.0)


def test_finalize_variable_values():
    theirs, ours = make_both("SGD", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.5})
    their_variables, our_variables = run_both(theirs, ours, steps=GRADIENTS[:10])
    theirs.finalize_variable_values(their_variables)
    ours.finalize_variable_values(our_variables)
    assert_close(their_variables, our_variables, "finalized")


def test_stateless_apply():
    theirs, ours = make_both("Adam", {"learning_rate": 0.1})
    their_variables, our_variables = run_both(theirs, ours, steps=GRADIENTS[:3])
    expected = theirs.stateless_apply(
        [v.value for v in theirs.variables], GRADIENTS[3], [v.value for v in their_variables]
    )
    received = ours.stateless_apply(ours.variables, GRADIENTS[3], our_variables)
    for their_list, our_list in zip(expected, received, strict=True):
        for their, our in zip(their_list, our_list, strict=True):
            torch.testing.assert_close(our, their.detach(), rtol=1e-5, atol=1e-6, check_dtype=False)
    assert int(ours.iterations) == 3


def test_configs_of_keras_files_are_read():
    for optimizer in (
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.1, 10), clipnorm=1.0),
        keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5)),
        keras.optimizers.Lamb(),
    ):
        config = keras.optimizers.serialize(optimizer)
        assert optimizers.deserialize(config).get_config().keys() == optimizer.get_config().keys()
        assert keras.optimizers.deserialize(optimizers.serialize(optimizers.deserialize(config)))
