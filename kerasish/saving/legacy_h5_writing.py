"""Writing HDF5 files: whole models as Keras 3 still does, and weights as Keras 2 did."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from kerasish.saving.hdf5 import as_array, new_file
from kerasish.saving.legacy_h5 import TOP, weights_of

MOST_IN_ATTRIBUTE = 64_000  # bytes, of the 64 KiB that HDF5 has for the header of an object
KERAS_2_VERSION = "2.15.0"  # whose layout of weights is written


def save_legacy_model(
    model: Any, path: str, config: dict[str, Any], include_optimizer: bool, keras_version: str
) -> None:
    """Write the model, of that config, as Keras 3 writes HDF5 files."""
    training = _training_config(config) if include_optimizer else None
    text = json.dumps(_short(config))
    with new_file(path) as file:
        file.attrs["keras_version"], file.attrs["backend"] = keras_version.encode(), b"torch"
        file.attrs["model_config"] = text.encode()
        if training is not None:
            file.attrs["training_config"] = json.dumps(training).encode()
        _write_layers(file.create_group("model_weights"), model, keras_version)
        if training is not None:
            _write_weights(file.create_group("optimizer_weights"), model.optimizer.variables)


def save_legacy_weights(model: Any, path: str) -> None:
    """Write the weights, without the optimizer's state, as Keras 2 did: a group for each layer, by its name."""
    with new_file(path) as file:
        _write_layers(file, model, KERAS_2_VERSION, lambda name: name.removeprefix(f"{model.name}/") + ":0")


def _write_layers(group: Any, model: Any, version: str, rename: Callable[[str], str] = str) -> None:
    group.attrs["keras_version"], group.attrs["backend"] = version.encode(), b"torch"
    _write_names(group, "layer_names", [layer.name for layer in model.layers])
    for layer in sorted(model.layers, key=lambda layer: layer.name):
        _write_weights(group.create_group(layer.name), weights_of(layer), rename)
    _write_weights(group.create_group(TOP), model._own_variables(), rename)


def _training_config(config: dict[str, Any]) -> dict[str, Any] | None:
    compilation = config.get("compile_config")
    if compilation is None:
        return None
    others = {key: value for key, value in compilation.items() if key != "optimizer"}
    return {**_nested_short(others), "optimizer_config": _short_object(compilation["optimizer"])}


def _write_weights(group: Any, variables: list[Any], rename: Callable[[str], str] = str) -> None:
    names: list[str] = []
    for number, variable in enumerate(variables):
        name = rename(getattr(variable, "path", str(number)))
        names.append(name if name not in names else f"{name}_{number}")
        group.create_dataset(names[-1], data=as_array(variable))
    _write_names(group, "weight_names", names)


def _write_names(group: Any, attribute: str, names: list[str]) -> None:
    values = np.array([name.encode() for name in names]) if names else np.array([], "S1")
    pieces = max(1, -(-values.nbytes // MOST_IN_ATTRIBUTE))
    if pieces == 1:
        group.attrs[attribute] = values
        return
    for number, piece in enumerate(np.array_split(values, pieces)):
        group.attrs[f"{attribute}{number}"] = piece


def _short(config: Any) -> Any:
    """A model's config with its layers in the short form of these files: class and arguments, without the module."""
    short = _short_object(config)
    inner = short["config"]
    if isinstance(inner, dict) and isinstance(inner.get("layers"), list):
        short["config"] = {**inner, "layers": [_short_layer(layer) for layer in inner["layers"]]}
    return short


def _short_layer(entry: dict[str, Any]) -> dict[str, Any]:
    if str(entry.get("module", "")).startswith("keras.src.ops"):
        return entry
    place = {key: entry[key] for key in ("name", "inbound_nodes") if key in entry}
    return {**_short(entry), **place}


def _short_object(config: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": config.get("registered_name") or config["class_name"], "config": config["config"]}


def _nested_short(value: Any) -> Any:
    if isinstance(value, list):
        return [_nested_short(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "function":
        return value["config"]
    if "class_name" in value and "config" in value:
        return _short_object(value)
    return {key: _nested_short(item) for key, item in value.items()}
