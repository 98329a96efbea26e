"""What every public initializer, regularizer, constraint, loss, metric, optimizer, schedule, callback and dtype
policy keeps to.
"""

from __future__ import annotations

import copy
import json
import pickle

import pytest
import torch

import kerasish
from kerasish import config
from tests.contracts.vocabulary import SAMPLES, arguments, namespace_of, parameters, public_classes

ALL = public_classes(kerasish)
WITH_CONFIG = {path: cls for path, cls in ALL.items() if hasattr(cls, "get_config")}

# Arguments beyond the named ones belong to something else, which looks at them later.
TAKES_ANY_NAME = {
    "losses.LossFunctionWrapper": "the function's own arguments",
    "metrics.MeanMetricWrapper": "the function's own arguments",
    "callbacks.CallbackList": "the params passed on to each callback",
}
# As in Keras, whose files these configs are.
NOT_IN_CONFIG = {
    **{path: {"dtype"} for path in ALL if path.startswith("losses.")},
    "metrics.CosineSimilarity": {"axis"},
    "metrics.AUC": {"thresholds"},  # there when they are given, and then instead of `num_thresholds`
}


def make(path, **changes):
    cls = ALL[path]
    return cls(**{**arguments(path, cls, kerasish), **changes})


def of(namespace):
    return [path for path in ALL if path.rpartition(".")[0] == namespace]


def as_json(obj):
    namespace = next(path for path, cls in ALL.items() if type(obj) is cls).rpartition(".")[0]
    return json.dumps(namespace_of(kerasish, namespace).serialize(obj), sort_keys=True)


def test_samples_name_public_classes():
    assert set(SAMPLES) <= set(ALL)


@pytest.mark.parametrize("path", ALL)
def test_unknown_argument_is_named(path):
    if path in TAKES_ANY_NAME:
        make(path, unknown_argument=1)
    else:
        with pytest.raises((TypeError, ValueError), match=r"unknown_argument|takes no arguments"):
            make(path, unknown_argument=1)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda obj: pickle.loads(pickle.dumps(obj))])
@pytest.mark.parametrize("path", ALL)
def test_copies_are_equal_and_independent(path, copied):
    original = make(path)
    duplicate = copied(original)
    assert type(duplicate) is type(original) and duplicate is not original
    assert vars(duplicate).keys() == vars(original).keys()
    if path in WITH_CONFIG:
        assert as_json(duplicate) == as_json(original)


@pytest.mark.parametrize("path", WITH_CONFIG)
def test_config_and_json_make_an_equal_object(path):
    original = make(path)
    again = type(original).from_config(original.get_config())
    assert type(again) is type(original) and as_json(again) == as_json(original)
    namespace = namespace_of(kerasish, path.rpartition(".")[0])
    loaded = namespace.deserialize(json.loads(as_json(original)))
    assert type(loaded) is type(original) and as_json(loaded) == as_json(original)


@pytest.mark.parametrize("path", WITH_CONFIG)
def test_config_holds_every_argument_as_given(path):
    for name, parameter in parameters(ALL[path]).items():
        if name in NOT_IN_CONFIG.get(path, ()):
            assert name not in make(path).get_config()
            continue
        changed = other_than(parameter.default)
        found = make(path, **({} if changed is None else {name: changed})).get_config()
        assert name in found
        if changed is not None:
            assert found[name] == pytest.approx(changed)


def other_than(default):
    """Another valid value of the same kind, where there is an obvious one."""
    if isinstance(default, bool):
        return not default
    return default * 0.5 if isinstance(default, float) and default else None


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
@pytest.mark.parametrize("path", of("initializers"))
def test_initializers_follow_shape_dtype_and_device(path, dtype):
    shape = (8, 1, 5) if path.endswith("STFT") else (4, 4)
    values = make(path)(shape, dtype=str(dtype).removeprefix("torch."))
    assert (values.shape, values.dtype, values.device) == (shape, dtype, config.get_device())


@pytest.mark.parametrize("path", [*of("regularizers"), *of("constraints")])
def test_regularizers_and_constraints_keep_dtype_and_device(path):
    for dtype in (torch.float32, torch.float64):
        weight = torch.rand(3, 4, dtype=dtype)
        result = make(path)(weight)
        assert (result.dtype, result.device) == (dtype, weight.device)
        assert result.shape == (() if path in of("regularizers") else weight.shape)


@pytest.mark.parametrize("path", [p for p in of("optimizers") if p != "optimizers.OptimizerMap"])
def test_optimizer_state_lies_with_the_weights_and_is_copied_with_its_values(path):
    weight = torch.nn.Parameter(torch.rand(3, 4, dtype=torch.float64))
    optimizer = make(path)
    optimizer.build([weight])
    before = weight.detach().clone()
    optimizer.apply([torch.ones_like(weight)])
    assert not torch.equal(weight, before)
    slots = [variable for variable in optimizer.variables if variable.shape == weight.shape]
    assert all(slot.dtype == weight.dtype and slot.device == weight.device for slot in slots)
    twin = copy.deepcopy(optimizer)
    for a, b in zip(twin.variables, optimizer.variables, strict=True):
        assert a is not b and torch.equal(a, b)


@pytest.mark.parametrize("path", of("optimizers.schedules"))
def test_schedules_compute_on_tensors(path):
    rate = make(path)(torch.tensor(3))
    assert rate.shape == () and rate.dtype == torch.float32 and rate == make(path)(3)
