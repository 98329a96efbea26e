import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kerasish import constraints
from kerasish.constraints import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm

matrices = arrays(np.float64, (3, 4), elements=st.floats(-100, 100, allow_subnormal=False))


def norms(w, axis=0):
    return np.sqrt((np.asarray(w) ** 2).sum(axis))


@given(matrices, st.floats(0.1, 10))
def test_max_norm_shrinks_what_is_too_long(w, limit):
    result = MaxNorm(limit)(w).numpy()
    assert (norms(result) <= limit * (1 + 1e-6)).all()
    is_short = norms(w) <= limit
    np.testing.assert_allclose(result[:, is_short], w[:, is_short], rtol=1e-6, atol=1e-6)


@given(matrices)
def test_unit_norm(w):
    w = w + np.where(norms(w) < 0.1, 1.0, 0.0)
    np.testing.assert_allclose(norms(UnitNorm()(w)), 1, rtol=1e-5)


@given(matrices)
def test_min_max_norm(w):
    w = w + np.where(norms(w) < 0.1, 1.0, 0.0)
    result = norms(MinMaxNorm(0.5, 2.0)(w))
    assert (result >= 0.5 * (1 - 1e-5)).all()
    assert (result <= 2.0 * (1 + 1e-5)).all()
    halfway = norms(MinMaxNorm(0.5, 2.0, rate=0.5)(w))
    np.testing.assert_allclose(halfway, (norms(w) + np.clip(norms(w), 0.5, 2)) / 2, rtol=1e-5)


@given(matrices)
def test_non_neg(w):
    np.testing.assert_array_equal(NonNeg()(w).numpy(), np.maximum(w, 0))


@pytest.mark.parametrize("axis", [0, 1, -1, [0, 1], (0, 1, 2)])
@pytest.mark.parametrize("cls", [MaxNorm, UnitNorm, MinMaxNorm])
def test_axes(cls, axis):
    w = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0)) * 10
    result = cls(1.0, axis=axis)(w) if cls is MaxNorm else cls(axis=axis)(w)
    lengths = norms(result, tuple(axis) if isinstance(axis, list) else axis)
    np.testing.assert_allclose(lengths, 1.0, rtol=1e-5)


@pytest.mark.parametrize("constraint", [MaxNorm(), UnitNorm(), NonNeg(), MinMaxNorm(0.5), Constraint()])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_zero_weights_stay_zero_in_their_type(constraint, dtype):
    result = constraint(torch.zeros(2, 2, dtype=dtype))
    assert result.dtype is dtype
    assert result.tolist() == [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize(
    "constraint",
    [MaxNorm(3, [0, 1]), UnitNorm((0, 1)), NonNeg(), MinMaxNorm(0.5, 2, 0.3, 1)],
    ids=lambda value: type(value).__name__,
)
def test_config_survives_json(constraint):
    config = constraints.serialize(constraint)
    assert config["module"] == "keras.constraints"
    again = constraints.get(json.loads(json.dumps(config)))
    assert type(again) is type(constraint)
    assert constraints.serialize(again) == config


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("max_norm", MaxNorm), ("MaxNorm", MaxNorm), ("maxnorm", MaxNorm), ("non_neg", NonNeg),
        ("nonneg", NonNeg), ("unit_norm", UnitNorm), ("unitnorm", UnitNorm), ("min_max_norm", MinMaxNorm),
        (NonNeg, NonNeg), ({"class_name": "max_norm", "config": {"max_value": 3}}, MaxNorm),
    ],
)  # fmt: skip
def test_get_by_name(name, cls):
    assert type(constraints.get(name)) is cls


def test_get_of_objects_and_functions():
    instance = MaxNorm(3)
    assert constraints.get(None) is None
    assert constraints.get(instance) is instance
    assert constraints.get(torch.relu) is torch.relu


@pytest.mark.parametrize(
    ("identifier", "message"), [("max_nrom", "Did you mean 'max_norm'"), (3, "Received: 3")]
)
def test_get_refuses_what_is_no_constraint(identifier, message):
    with pytest.raises(ValueError, match=message):
        constraints.get(identifier)


def test_subclasses():
    class Halved(Constraint):
        def __call__(self, w):
            return w / 2

    again = Halved.from_config(Halved().get_config())
    assert again(torch.ones(2)).tolist() == [0.5, 0.5]


def test_dir_is_public_and_the_old_names_answer():
    assert set(dir(constraints)) == {
        "Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "max_norm",
        "min_max_norm", "non_neg", "serialize", "unit_norm",
    }  # fmt: skip
    assert (constraints.maxnorm, constraints.nonneg, constraints.unitnorm) == (MaxNorm, NonNeg, UnitNorm)
