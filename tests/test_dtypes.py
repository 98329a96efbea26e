"""Names of data types, and dtype policies."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import dtype_policies
from kerasish.dtypes import TORCH_DTYPES, is_float_dtype, is_int_dtype, standardize_dtype, torch_dtype


@pytest.mark.parametrize("name", TORCH_DTYPES)
def test_every_name_and_its_torch_dtype(name):
    assert standardize_dtype(name) == standardize_dtype(TORCH_DTYPES[name]) == name
    assert torch_dtype(name) is torch_dtype(TORCH_DTYPES[name]) is TORCH_DTYPES[name]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (None, "float32"), (float, "float32"), (int, "int32"), (bool, "bool"), (np.float64, "float64"),
        (np.dtype("int8"), "int8"), ("string", "string"),
    ],
)  # fmt: skip
def test_other_spellings(given, name):
    assert standardize_dtype(given) == name


@pytest.mark.parametrize("given", ["float33", "object", np.dtype("U3"), [("a", int)]])
def test_unknown_dtypes(given):
    with pytest.raises(ValueError, match=r"Invalid dtype.*Received"):
        standardize_dtype(given)


def test_kinds():
    assert [is_float_dtype(d) for d in ("bfloat16", "float64", "int8", "bool")] == [True, True, False, False]
    assert [is_int_dtype(d) for d in ("uint8", "int64", "float16", "bool")] == [True, True, False, False]


@pytest.mark.parametrize(
    ("name", "compute", "variable"),
    [
        ("float32", "float32", "float32"),
        ("bfloat16", "bfloat16", "bfloat16"),
        ("mixed_bfloat16", "bfloat16", "float32"),
        ("mixed_float16", "float16", "float32"),
    ],
)
def test_policies(name, compute, variable):
    policy = keras.DTypePolicy(name)
    assert (policy.name, policy.compute_dtype, policy.variable_dtype) == (name, compute, variable)
    assert dtype_policies.deserialize(dtype_policies.serialize(policy)) == policy
    assert dtype_policies.get(name) == policy == keras.DTypePolicy.from_config(policy.get_config())
    assert repr(policy) == f'<DTypePolicy "{name}">'


def test_unknown_policy():
    with pytest.raises(
        ValueError, match=r"Unknown dtype policy 'mixed_bfloat'.*Did you mean 'mixed_bfloat16'"
    ):
        keras.DTypePolicy("mixed_bfloat")
    with pytest.raises(TypeError, match=r"must be a string"):
        keras.DTypePolicy(3)


def test_default_policy_is_a_setting():
    try:
        keras.config.set_dtype_policy("mixed_bfloat16")
        layer = keras.layers.Dense(2)
        assert (layer.compute_dtype, layer.variable_dtype) == ("bfloat16", "float32")
        assert layer(torch.ones(1, 3)).dtype is torch.bfloat16
        assert layer.kernel.dtype is torch.float32
    finally:
        keras.config.set_dtype_policy(None)
    assert keras.layers.Dense(2).compute_dtype == "float32"


def test_convert_input():
    policy = keras.DTypePolicy("float64")
    assert policy.convert_input([1.0], True, "float64").dtype is torch.float64
    assert policy.convert_input(torch.ones(1), False, "float64").dtype is torch.float32
    assert policy.convert_input(torch.ones(1, dtype=torch.long), True, "float64").dtype is torch.int64
