"""Dtype policies."""

from __future__ import annotations

import json
import pickle

import pytest

import kerasish
from kerasish import dtype_policies
from kerasish.dtype_policies import DTypePolicy, DTypePolicyMap


@pytest.mark.parametrize(
    ("name", "compute", "variable"),
    [
        ("float32", "float32", "float32"),
        ("mixed_float16", "float16", "float32"),
        ("bfloat16", "bfloat16", "bfloat16"),
    ],
)
def test_policy(name, compute, variable):
    policy = DTypePolicy(name)
    assert (policy.compute_dtype, policy.variable_dtype) == (compute, variable)
    assert DTypePolicy.from_config(policy.get_config()) == policy


def test_unknown_policy_names_the_closest():
    with pytest.raises(ValueError, match="Did you mean 'mixed_float16'"):
        DTypePolicy("mixed_flot16")


def test_map_gives_each_layer_its_policy():
    policies = DTypePolicyMap("float32", {"head": "bfloat16", "block/.*": "mixed_bfloat16"})
    assert policies["head"].name == "bfloat16"
    assert policies["block/dense"].name == "mixed_bfloat16"
    assert policies["other"].name == "float32"
    assert kerasish.layers.Dense(2, dtype=policies, name="head").compute_dtype == "bfloat16"
    assert kerasish.layers.Dense(2, dtype=policies, name="body").compute_dtype == "float32"


def test_map_survives_json_and_pickle():
    policies = DTypePolicyMap("float32", {"head": "bfloat16"})
    again = dtype_policies.deserialize(json.loads(json.dumps(dtype_policies.serialize(policies))))
    assert again == policies
    assert pickle.loads(pickle.dumps(policies)) == policies


def test_map_refuses_doubles_and_ambiguity():
    policies = DTypePolicyMap(policy_map={"a.*": "float16"})
    with pytest.raises(ValueError, match="already"):
        policies["a.*"] = "float32"
    policies["ab.*"] = "float32"
    with pytest.raises(ValueError, match="Several entries"):
        policies["abc"]


def test_quantized_policies_say_what_to_use():
    with pytest.raises(AttributeError, match="torchao"):
        _ = dtype_policies.QuantizedDTypePolicy
