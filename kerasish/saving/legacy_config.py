"""Configs of Keras 1, Keras 2 and tf.keras in the form of Keras 3; those of Keras 3 stay as they are."""

from __future__ import annotations

import inspect
from collections.abc import Container
from typing import Any

import torch

from kerasish import layers
from kerasish.layers.layer import LEGACY_ARGUMENTS, Layer
from kerasish.saving.legacy_compilation import OWN_MODULES, modern_compilation
from kerasish.saving.legacy_ops import CONSTANT, KERAS_2_FUNCTIONS, op_entry, op_module
from kerasish.serialization import register_keras_serializable

MODELS = ("Functional", "Model", "Sequential")
GRAPHS = ("Functional", "Model", "Network", "Container")
KERAS_1 = {
    "W_constraint": "kernel_constraint", "W_regularizer": "kernel_regularizer",
    "U_regularizer": "recurrent_regularizer",
    "atrous_rate": "dilation_rate", "b_constraint": "bias_constraint", "b_regularizer": "bias_regularizer",
    "beta_init": "beta_initializer", "bias": "use_bias", "border_mode": "padding", "dim_ordering": "data_format",
    "dropout_U": "recurrent_dropout", "dropout_W": "dropout", "filter_length": "kernel_size",
    "forget_bias_init": "unit_forget_bias", "gamma_init": "gamma_initializer", "init": "kernel_initializer",
    "inner_activation": "recurrent_activation", "inner_init": "recurrent_initializer", "length": "size",
    "nb_filter": "filters", "output_dim": "units", "p": "rate", "pool_length": "pool_size", "sigma": "stddev",
    "stride": "strides", "subsample": "strides", "subsample_length": "strides",
}  # fmt: skip
KERAS_1_VALUES: dict[str, dict[str, Any]] = {
    "data_format": {"tf": "channels_last", "th": "channels_first", "default": "channels_last"},
    "kernel_initializer": {"normal": "random_normal", "uniform": "random_uniform", "zero": "zeros", "one": "ones"},
    "unit_forget_bias": {"one": True, "zero": False},
}  # fmt: skip
KERAS_1_VALUES |= dict.fromkeys(
    ("beta_initializer", "gamma_initializer", "recurrent_initializer"), KERAS_1_VALUES["kernel_initializer"]
)
RENAMED = {"LeakyReLU": {"alpha": "negative_slope"}, "Embedding": {"init": "embeddings_initializer"}}
# What Keras 3's layers have no argument for, and the values with which nothing is lost.
WITHOUT_EFFECT: dict[str, tuple[Any, ...]] = {
    "adjustment": (None,), "dynamic": (False,), "expand_tensor": (None,),
    "fused": (None, True, False), "groups": (1,), "implementation": (0, 1, 2), "consume_less": ("cpu", "gpu", "mem"),
    "input_dtype": (None, "float32", "int32"), "mode": (0,), "ragged": (False,), "renorm": (False,),
    "robust_masking": (None, False, True), "softmax_robust_masking": (None, False, True), "sparse": (False,),
    "time_major": (False,), "virtual_batch_size": (None,), "type_spec": (None,), "autocast": (True,),
    "trainable": (True, False), "activity_regularizer": (None,),
    "noise_shape": (None,), "rng_type": (None, "stateful", "stateless", "legacy_stateful"),
}  # fmt: skip
UNUSED = dict.fromkeys(
    ("SeparableConv1D", "SeparableConv2D"), ("kernel_initializer", "kernel_regularizer", "kernel_constraint")
) | {
    "MultiHeadAttention": ("query_shape", "key_shape", "value_shape")
}  # which Keras 2 wrote and never looked at
INITIALIZER_ARGUMENTS_GONE = ("dtype",)
LOST_OF_LAMBDA = ("function_type", "module", "output_shape_type", "output_shape_module")


@register_keras_serializable("keras2", "hard_sigmoid")
def hard_sigmoid(x: torch.Tensor) -> torch.Tensor:
    """Keras 2's `min(max(x / 5 + 1/2, 0), 1)`; Keras 3's function of that name has the slope 1/6."""
    return torch.clamp(0.2 * x + 0.5, 0.0, 1.0)


def modernized(config: Any, custom_objects: Container[str] = (), version: str | None = None) -> Any:
    """The config as Keras 3 would have written it.

    Args:
        config: what `get_config`, `to_json` or a file gave.
        custom_objects: names that are the user's, whose configs stay as they are.
        version: that of Keras which wrote it, where the config does not say it.

    Raises:
        ValueError: a part of it has no counterpart in Keras 3.
    """
    version = str(config.get("keras_version", version or "3")) if isinstance(config, dict) else version or "3"
    is_old = version.split(".")[0] in ("1", "2")
    compilation = config.get("compile_config") if is_old and isinstance(config, dict) else None
    if isinstance(compilation, dict) and "optimizer" in compilation:
        compilation = modern_compilation({**compilation, "optimizer_config": compilation["optimizer"]})
        config = {**config, "compile_config": compilation}
    return _Translator(custom_objects, is_old).value(config)


class _Translator:
    def __init__(self, custom_objects: Container[str], is_old: bool) -> None:
        self.custom_objects = custom_objects
        self.is_old = is_old

    def value(self, config: Any, key: str = "") -> Any:
        if isinstance(config, list):
            return [self.value(item, key) for item in config]
        if not isinstance(config, dict):
            is_changed = self.is_old and config == "hard_sigmoid" and key.endswith("activation")
            return "keras2>hard_sigmoid" if is_changed else config
        if isinstance(config.get("class_name"), str) and isinstance(config.get("config"), (dict, list)):
            return self.described(config, key)
        return {name: self.value(item, name) for name, item in config.items()}

    def described(self, entry: dict[str, Any], key: str) -> dict[str, Any]:
        """An object of which the config says class and arguments."""
        name, config = entry["class_name"], entry["config"]
        module = entry.get("module")
        if name in ("Policy", "PolicyV1") and isinstance(config, dict):
            return config["name"]
        if name in self.custom_objects or (isinstance(module, str) and not module.startswith(OWN_MODULES)):
            return {**entry, "config": {k: self.value(v, k) for k, v in config.items()}}
        if name == "Sequential":
            entry = {**entry, "config": self.sequential(config)}
        elif name in GRAPHS and isinstance(config, dict) and "layers" in config:
            entry = {**entry, "class_name": "Functional", "config": self.graph(config)}
        elif isinstance(config, dict):
            config = {k: self.value(v, k) for k, v in config.items()}
            if key.endswith("_initializer"):
                config = {k: v for k, v in config.items() if k not in INITIALIZER_ARGUMENTS_GONE}
            elif key in ("", "layer", "layers", "cell", "cells", "backward_layer"):
                name, config = self.layer(name, config)
                if self.is_old and _class_of_layer(
                    name
                ):  # it says what the calls say, in other words for some
                    entry = {k: v for k, v in entry.items() if k != "build_config"}
            entry = {**entry, "class_name": name, "config": config}
        return entry

    def sequential(self, config: Any) -> dict[str, Any]:
        parts = {"layers": config} if isinstance(config, list) else config
        return {**parts, "layers": [self.value(layer, "layers") for layer in parts["layers"]]}

    def layer(self, name: str, config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Class and arguments of a layer, by their names in Keras 3."""
        cls = _class_of_layer(name)
        if cls is None:
            return name, config
        if name == "GRU" and self.is_old:
            config = {"reset_after": False, **config}
        name = cls.__name__
        if name == "InputLayer":
            config = {("batch_shape" if k == "batch_input_shape" else k): v for k, v in config.items()}
        if name == "Lambda":
            config = _lambda(config)
        if {"nb_row", "nb_col"} <= set(config):
            size = [config["nb_row"], config["nb_col"]]
            config = {
                **{k: v for k, v in config.items() if k not in ("nb_row", "nb_col")},
                "kernel_size": size,
            }
        parameters = inspect.signature(cls).parameters
        accepted = set(parameters)
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            accepted |= {*inspect.signature(Layer.__init__).parameters, *LEGACY_ARGUMENTS}
        renamed = {**KERAS_1, **RENAMED.get(name, {})}
        result = {}
        for key, value in config.items():
            if key in UNUSED.get(name, ()):
                continue
            if key not in accepted and renamed.get(key) in accepted:
                key = renamed[key]
                if isinstance(value, str):
                    value = KERAS_1_VALUES.get(key, {}).get(value, value)
            if key not in accepted and key in WITHOUT_EFFECT:
                if value not in WITHOUT_EFFECT[key]:
                    raise ValueError(
                        f"{key}={value!r} of layer {config.get('name')!r} ({name}) has no counterpart in Keras 3."
                    )
                continue
            if key == "axis" and isinstance(value, list) and len(value) == 1:
                value = value[0]
            result[key] = value
        return name, result

    # Graphs -----------------------------------------------------------------------------------------------------

    def graph(self, config: dict[str, Any]) -> dict[str, Any]:
        """A functional model's layers and calls."""
        first = _first_nodes(config)
        entries = [self.node_entry(entry, first) for entry in config["layers"]]

        def ends(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: ends(item) for key, item in value.items()}
            return _shifted(value, first) if _is_reference(value) else [ends(item) for item in value]

        ended = {key: ends(config[key]) for key in ("input_layers", "output_layers")}
        if all("args" not in node for entry in config["layers"] for node in entry["inbound_nodes"]):
            # Keras 2 writes one tensor as a list of one
            ended = {key: v[0] if _is_list_of_one(v) else v for key, v in ended.items()}
        return {**config, "layers": entries, **ended}

    def node_entry(self, entry: dict[str, Any], first: dict[str, int]) -> dict[str, Any]:
        name, config, calls = entry["class_name"], entry["config"], entry["inbound_nodes"]
        own_name = str(entry["name"])
        if name in KERAS_2_FUNCTIONS:
            return op_entry(own_name, name, config, [self.old_call(call, first) for call in calls])
        if entry.get("module") is None and _is_bare_op(name, config, calls):
            return {**entry, "module": op_module(name), "registered_name": name}
        described = {k: v for k, v in entry.items() if k != "inbound_nodes"}
        return {
            **self.described(described, "layers"),
            "name": own_name,
            "inbound_nodes": [self.call(call, first) for call in calls],
        }

    def call(self, call: Any, first: dict[str, int]) -> dict[str, Any]:
        """How one layer is called, as Keras 3 writes it."""
        if isinstance(call, dict) and {"args", "kwargs"} <= set(call):
            return call
        structure, kwargs = self.old_call(call, first)
        return {"args": [structure], "kwargs": kwargs}

    def old_call(self, call: Any, first: dict[str, int]) -> tuple[Any, dict[str, Any]]:
        """First argument and keyword arguments of a call in Keras 2's form."""
        kwargs: dict[str, Any] = {}

        def read(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: read(item) for key, item in value.items()}
            if not _is_tensor(value):
                return [read(item) for item in value]
            if len(value) > 3 and value[3]:
                kwargs.update({key: _argument(item, first) for key, item in value[3].items()})
            return value[2] if value[0] == CONSTANT else _tensor(value, first)

        structure = read(call)
        if _is_list_of_one(structure) and not _is_tensor(call):
            structure = structure[0]
        return structure, kwargs


def _class_of_layer(name: str) -> Any:
    for spelling in (name, name.removesuffix("V1"), name.removesuffix("V2")):
        try:
            found = getattr(layers, spelling)
        except AttributeError:
            continue
        if inspect.isclass(found) and issubclass(found, Layer):
            return found
    return None


def _lambda(config: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a `Lambda`, with its code, if that is what the file holds, as Keras 3 marks it."""
    result = {key: value for key, value in config.items() if key not in LOST_OF_LAMBDA}
    for key in ("function", "output_shape", "mask"):
        value, kind = config.get(key), config.get("function_type" if key == "function" else f"{key}_type")
        if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str):
            code = dict(zip(("code", "defaults", "closure"), value, strict=True))
            result[key] = {"class_name": "__lambda__", "config": code}
        elif isinstance(value, str) and (kind == "function" or key == "function"):
            result[key] = {
                "module": "builtins",
                "class_name": "function",
                "config": value,
                "registered_name": value,
            }
    return result


def _first_nodes(config: dict[str, Any]) -> dict[str, int]:
    """The number of the first call of each layer: Keras 2 counts a nested model's own graph as call 0."""
    counts = {entry.get("name"): len(entry["inbound_nodes"]) for entry in config["layers"]}
    highest: dict[Any, int] = {}

    def look(value: Any) -> None:
        if _is_reference(value):
            highest[value[0]] = max(highest.get(value[0], 0), value[1])
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            look(item)

    look([entry["inbound_nodes"] for entry in config["layers"]])
    look(config["output_layers"])
    return {name: 1 for name, number in highest.items() if counts.get(name) and number >= counts[name]}


def _is_reference(value: Any) -> bool:
    """Whether it is `[layer, call, output]`, perhaps with the keyword arguments of the call."""
    return (
        isinstance(value, list)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and type(value[1]) is int
        and type(value[2]) is int
        and value[1] >= 0
    )


def _is_tensor(value: Any) -> bool:
    return _is_reference(value) or (isinstance(value, list) and len(value) > 2 and value[0] == CONSTANT)


def _is_list_of_one(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 1


def _shifted(reference: list[Any], first: dict[str, int]) -> list[Any]:
    return [reference[0], reference[1] - first.get(reference[0], 0), reference[2]]


def _tensor(reference: list[Any], first: dict[str, int]) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": _shifted(reference, first)}}


def _argument(value: Any, first: dict[str, int]) -> Any:
    if _is_reference(value):
        return _tensor(value, first)
    if isinstance(value, list):
        return [_argument(item, first) for item in value]
    if isinstance(value, dict) and set(value) == {"start", "stop", "step"}:
        parts = {key: _argument(item, first) for key, item in value.items()}
        return {"class_name": "__slice__", "config": parts}
    return value


def _is_bare_op(name: str, config: Any, calls: list[Any]) -> bool:
    """Whether Keras 3 wrote a function into an HDF5 file, where it leaves the module out."""
    is_new = bool(calls) and all(isinstance(call, dict) and "args" in call for call in calls)
    return is_new and isinstance(config, dict) and "trainable" not in config and name not in MODELS
