"""Dtype policies: the type in which a layer computes and the type in which it keeps its weights."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from typing import Any

from kerasish.config import dtype_policy as default_policy
from kerasish.dtypes import FLOAT_NAMES, standardize_dtype, torch_dtype
from kerasish.errors import did_you_mean
from kerasish.serialization import deserialize_keras_object, serialize_keras_object

MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


class DTypePolicy:
    """A name such as `"float32"` or `"mixed_bfloat16"` with its two dtypes.

    Mixed policies compute in 16 bits and keep float32 weights, as Micikevicius et al., 2018
    (*Mixed precision training*, arXiv:1710.03740).
    """

    def __init__(self, name: str | None = None) -> None:
        name = standardize_dtype(None) if name is None else name
        if not isinstance(name, str):
            raise TypeError(f"`name` must be a string such as 'mixed_bfloat16'. Received: name={name!r}")
        if name in MIXED:
            self._compute_dtype, self._variable_dtype = MIXED[name], "float32"
        else:
            try:
                self._compute_dtype = self._variable_dtype = standardize_dtype(name)
            except ValueError as error:
                hint = did_you_mean(name, (*MIXED, *FLOAT_NAMES))
                raise ValueError(f"Unknown dtype policy {name!r}.{hint}") from error
        self._name = name

    @property
    def name(self) -> str:
        """The name of the policy."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The dtype of the layer's inputs and computations."""
        return self._compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of the layer's weights."""
        return self._variable_dtype

    @property
    def quantization_mode(self) -> None:
        """Always None: kerasish has no quantized layers."""
        return

    def convert_input(self, x: Any, autocast: bool, dtype: Any) -> Any:
        """Return a floating-point tensor in `dtype` where `autocast` asks for it."""
        import torch

        if not isinstance(x, torch.Tensor):
            x = torch.as_tensor(x)
        return x.to(torch_dtype(dtype)) if autocast and x.is_floating_point() else x

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal policy."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        """Make a policy from `get_config()`."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and type(self) is type(other) and self.name == other.name

    def __hash__(self) -> int:
        return hash((type(self), self.name))

    def __repr__(self) -> str:
        return f'<{type(self).__name__} "{self.name}">'


FloatDTypePolicy = DTypePolicy


class DTypePolicyMap(DTypePolicy, MutableMapping):
    """Policies by layer: a dictionary of layer paths, or patterns of them, with a policy for all others.

    Args:
        default_policy: policy, or name of one, of layers that no entry fits; the global policy by default.
        policy_map: dictionary path or regular expression → policy or its name.

    Example:
        >>> policies = DTypePolicyMap("float32", {"block/.*": "mixed_bfloat16"})
        >>> policies["block/dense"].name, policies["head"].name
        ('mixed_bfloat16', 'float32')
    """

    def __init__(self, default_policy: Any = None, policy_map: dict[str, Any] | None = None) -> None:
        if policy_map is not None and not isinstance(policy_map, dict):
            raise TypeError(f"`policy_map` must be a dictionary path → policy. Received: {policy_map!r}")
        self._given_default = None if default_policy is None else get(default_policy)
        self._policies: dict[str, DTypePolicy] = {}
        for path, policy in (policy_map or {}).items():
            self[path] = policy

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of layers that no entry fits."""
        return get(self._given_default)

    @property
    def name(self) -> str:
        """A name for the whole map."""
        return f"map_{self.default_policy.name}"

    @property
    def compute_dtype(self) -> str:
        """That of the default policy."""
        return self.default_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """That of the default policy."""
        return self.default_policy.variable_dtype

    def __getitem__(self, key: str) -> DTypePolicy:
        """The policy of the layer with this path: an entry of that very name, else the one pattern that fits.

        Raises:
            ValueError: several patterns fit.
        """
        if key in self._policies:
            return self._policies[key]
        fitting = [pattern for pattern in self._policies if re.search(pattern, key)]
        if len(fitting) > 1:
            raise ValueError(
                f"Several entries of the policy map fit {key!r}: {fitting}. Make them exclude each other."
            )
        return self._policies[fitting[0]] if fitting else self.default_policy

    def __setitem__(self, key: str, policy: Any) -> None:
        if key in self._policies:
            raise ValueError(f"The policy map has an entry {key!r} already: delete it first.")
        self._policies[key] = get(policy)

    def __delitem__(self, key: str) -> None:
        del self._policies[key]

    def __contains__(self, key: object) -> bool:
        return key in self._policies

    def __len__(self) -> int:
        return len(self._policies)

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def __bool__(self) -> bool:
        return True

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal map."""
        return {
            "default_policy": serialize_keras_object(self._given_default),
            "policy_map": {path: serialize_keras_object(policy) for path, policy in self._policies.items()},
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> DTypePolicyMap:
        """Make a map from `get_config()`."""
        policies = {
            path: deserialize(policy, custom_objects) if isinstance(policy, dict) else policy
            for path, policy in (config.get("policy_map") or {}).items()
        }
        default = config.get("default_policy")
        return cls(deserialize(default, custom_objects) if isinstance(default, dict) else default, policies)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicyMap) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        entries = [(path, policy.name) for path, policy in self._policies.items()]
        return f"<DTypePolicyMap default_policy={self.default_policy.name}, mapping={entries}>"


_QUANTIZED = (
    "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy",
    "Int4DTypePolicy",
    "GPTQDTypePolicy",
    "AWQDTypePolicy",
)


def __getattr__(name: str) -> Any:
    if name in _QUANTIZED:
        raise AttributeError(
            f"kerasish has no quantized layers, so no {name}. Quantize the trained model, which is a torch module, "
            "with `torchao` or `torch.ao.quantization`."
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def get(identifier: Any) -> DTypePolicy:
    """Return the policy for a policy, a name, a dtype, a config, or None (the global one)."""
    if identifier is None:
        return default_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        return DTypePolicy(identifier)
    return DTypePolicy(standardize_dtype(identifier))


def serialize(dtype_policy: DTypePolicy) -> Any:
    """The JSON config of a policy."""
    return serialize_keras_object(dtype_policy)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> DTypePolicy:
    """Make a policy from `serialize(...)`."""
    return deserialize_keras_object(config, custom_objects=custom_objects)
