"""Dtype policies: the type in which a layer computes and the type in which it keeps its weights."""

from __future__ import annotations

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
