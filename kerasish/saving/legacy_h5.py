"""Reading HDF5 files as Keras 1 and 2 wrote them and Keras 3 still does: models, and weights by order or by name."""

from __future__ import annotations

import json
import os
import warnings
from typing import Any

import numpy as np
import torch

from kerasish.errors import did_you_mean, format_shape
from kerasish.layers.layer import Layer
from kerasish.optimizers import LossScaleOptimizer
from kerasish.saving.configs import model_of_config, weights_within
from kerasish.saving.hdf5 import Store, as_array, damage, follow, h5py, opened_file, stored_bytes
from kerasish.saving.legacy_compilation import modern_compilation
from kerasish.saving.legacy_weights import converted, optimizer_state
from kerasish.serialization import CustomObjectScope

TOP = "top_level_model_weights"
CHECKPOINT = (
    "{path!r} is a checkpoint of TensorFlow, which is not read. Load it where TensorFlow is installed "
    "(`model.load_weights` of tf.keras) and save it again: `model.save_weights('name.h5')` is read here."
)

SAVED_MODEL = (
    "{path!r} is a SavedModel of TensorFlow, which is not read: load it with tf.keras and save it again as "
    "`.keras`."
)


def is_saved_model(path: str) -> bool:
    """Whether it is a directory that TensorFlow wrote."""
    return os.path.exists(os.path.join(path, "saved_model.pb"))


def is_checkpoint(path: str) -> bool:
    """Whether TensorFlow's checkpoint of that name is there."""
    return os.path.exists(path + ".index") or path.endswith((".ckpt", ".index"))


def is_legacy_weights(path: str) -> bool:
    """Whether an HDF5 file holds weights in the layout of Keras 1 and 2."""
    with opened_file(path) as file, damage(path):
        return "layer_names" in file.attrs or "layer_names0" in file.attrs or "model_weights" in file


def load_legacy_model(
    path: str, custom_objects: dict[str, Any] | None, compile: bool, safe_mode: bool
) -> Any:
    """The model in an HDF5 file of Keras 1, 2 or 3, with its weights and the state of its optimizer."""
    with opened_file(path) as file:
        config = _json(file, "model_config")
        if config is None:
            raise ValueError(
                f"{path!r} holds no model: it has no 'model_config'. If it holds weights, make the model in code and "
                "call `model.load_weights`."
            )
        version = _text(file, "keras_version") or "1"
        if isinstance(config, dict):
            config.setdefault("keras_version", version)
        weights = _group(file, "model_weights")
        with weights_within(lambda: stored_bytes(file), path):
            model = model_of_config(config, custom_objects, False, safe_mode, "model_config")
        if weights is None:
            raise ValueError(f"{path!r} has no 'model_weights': it is damaged.")
        _read_in_order(model, weights, skip_mismatch=False)
        training = _json(file, "training_config") if compile else None
        if training is not None:
            _compile(model, training, custom_objects)
            _read_optimizer(model, file)
    return model


def load_legacy_weights(model: Any, path: str, skip_mismatch: bool = False, by_name: bool = False) -> None:
    """Read the weights of a file of Keras 1 or 2, by the order of the layers or by their names."""
    with opened_file(path) as file:
        group = file if _names(file, "layer_names") is not None else _group(file, "model_weights")
        if group is None or _names(group, "layer_names") is None:
            raise ValueError(
                f"{path!r} has no weights in the layout of Keras 1 and 2 (no 'layer_names'). Weights of Keras 3 "
                "are in files whose names end in `.weights.h5`."
            )
        (_read_by_name if by_name else _read_in_order)(model, group, skip_mismatch)


def _compile(model: Any, training: Any, custom_objects: dict[str, Any] | None) -> None:
    try:
        config = modern_compilation(training)
        with CustomObjectScope(custom_objects or {}):
            model.compile_from_config(config)
    except (KeyError, TypeError, AttributeError, RuntimeError, ValueError) as error:
        warnings.warn(
            f"What model {model.name!r} was compiled with cannot be read: compile it again. {error}",
            stacklevel=5,
        )


def _read_optimizer(model: Any, file: Any) -> None:
    group = _group(file, "optimizer_weights")
    names = _names(group, "weight_names") if group is not None else None
    if not names or not model.compiled:
        return
    arrays = [_array(group, name) for name in names]
    optimizer = model.optimizer
    if not optimizer.built:
        optimizer.build(model.trainable_weights)
    shapes = [tuple(variable.shape) for variable in optimizer.variables]
    saves_inner_state_only = len(arrays) < len(shapes)  # as Keras 2 does
    if isinstance(optimizer, LossScaleOptimizer) and saves_inner_state_only:
        optimizer.variables[0].assign(arrays[0])
        optimizer = optimizer.inner_optimizer
        shapes = []
    variables: list[Any] = optimizer.variables
    state: dict[int, np.ndarray] | None
    if [array.shape for array in arrays] == shapes:
        state = dict(enumerate(arrays))
    else:
        state = optimizer_state(optimizer, names, arrays)
    if state is None:
        warnings.warn(
            f"The state of optimizer {optimizer.name!r} in the file does not fit: it starts anew.",
            stacklevel=5,
        )
        return
    for number, array in state.items():
        variables[number].assign(array.astype(as_array(variables[number]).dtype))


def weights_of(layer: Any) -> list[Any]:
    """The weights in the order of the files: what is trained, then the rest."""
    if isinstance(layer, Layer):
        return layer.trainable_weights + layer.non_trainable_weights
    return list(layer.state_dict(keep_vars=True).values())


def _read_in_order(model: Any, group: Any, skip_mismatch: bool) -> None:
    own = {layer.name: layer for layer in model.layers if weights_of(layer)}
    names = [name for name in _layer_names(group) if _weight_names(group, name)]
    if len(names) != len(own):
        raise ValueError(
            f"The file has weights for {len(names)} layers, model {model.name!r} has {len(own)} layers with weights. "
            f"In the file: {names}. In the model: {list(own)}"
        )
    if set(names) != set(own):
        own = dict(zip(names, own.values(), strict=True))
    _assign_all(model, group, [(own[name], name) for name in names], skip_mismatch)


def _read_by_name(model: Any, group: Any, skip_mismatch: bool) -> None:
    own = {layer.name: layer for layer in model.layers}
    names = [name for name in _layer_names(group) if name in own]
    if not names and _layer_names(group):
        hint = did_you_mean(_layer_names(group)[0], own)
        warnings.warn(
            f"No layer of model {model.name!r} has a name that the file has: nothing is loaded.{hint}",
            stacklevel=5,
        )
    _assign_all(model, group, [(own[name], name) for name in names], skip_mismatch)


def _assign_all(model: Any, group: Any, pairs: list[tuple[Any, str]], skip_mismatch: bool) -> None:
    """Check everything, then overwrite the values."""
    version, backend = _text(group, "keras_version") or "1", _text(group, "backend")
    found = [(layer, weights_of(layer), name) for layer, name in pairs]
    if _group(group, TOP) is not None:
        found.append((model, model._own_variables(), TOP))
    problems, fitting = [], []
    for layer, variables, name in found:
        try:
            _arrays_for(
                layer, variables, group, name, version, backend
            )  # to be read again: memory for one layer
        except _Misfit as error:
            problems.append(f"Layer {layer.name!r} ({type(layer).__name__}): {error}")
        else:
            fitting.append((layer, variables, name))
    if problems:
        message = f"{len(problems)} layer(s) of model {model.name!r} do not fit the file:\n- " + "\n- ".join(
            problems
        )
        if not skip_mismatch:
            raise ValueError(message)
        warnings.warn(message + "\nThey keep their values.", stacklevel=6)
    for layer, variables, name in fitting:
        _assign(variables, _arrays_for(layer, variables, group, name, version, backend))
        for module in layer.modules() if layer is not model else ():
            if hasattr(module, "finalize_state") and module.built:
                module.finalize_state()


def _assign(variables: list[Any], arrays: list[np.ndarray]) -> None:
    with torch.no_grad():
        for variable, array in zip(variables, arrays, strict=True):
            variable.copy_(torch.as_tensor(array))


class _Misfit(Exception):
    """What keeps the weights of a layer from being loaded."""


def _arrays_for(
    layer: Any, variables: list[Any], group: Any, name: str, version: str, backend: Any
) -> list[np.ndarray]:
    place = _group(group, name)
    names = _weight_names(group, name)
    _check_sizes(place, names, variables)
    arrays = [_array(place, weight) for weight in names]
    order = _by_own_names(names, variables)
    arrays = [arrays[i] for i in order]
    try:
        arrays = converted(layer, variables, arrays, version, backend)
    except ValueError as error:
        raise _Misfit(str(error)) from error
    if len(arrays) != len(variables):
        raise _Misfit(f"it has {len(variables)} weights. Received: {len(arrays)} arrays in the file, {names}")
    for variable, array in zip(variables, arrays, strict=True):
        if tuple(variable.shape) != array.shape:
            own = getattr(variable, "name", "weight")
            raise _Misfit(
                f"weight {own!r} must have shape {format_shape(tuple(variable.shape))}. "
                f"Received: {format_shape(array.shape)} in the file"
            )
    return arrays


def _check_sizes(place: Any, names: list[str], variables: list[Any]) -> None:
    """Refuse arrays far larger than the layer before they are read."""
    own = sum(variable.numel() for variable in variables)
    claimed = sum(int(np.prod(_shape(place, name), dtype=object)) for name in names)
    if claimed > 2 * own + 1024:
        raise _Misfit(f"it has {own} parameters. Received: {claimed} in the file")


def _by_own_names(names: list[str], variables: list[Any]) -> list[int]:
    """The order of the arrays that the last two parts of their names give, where they say it without doubt."""
    theirs = [tuple(name.split(":")[0].split("/")[-2:]) for name in names]
    own = [tuple(str(getattr(variable, "path", "")).split("/")[-2:]) for variable in variables]
    if len(set(own)) == len(own) and sorted(own) == sorted(theirs):
        return [theirs.index(name) for name in own]
    return list(range(len(names)))


# What HDF5 holds --------------------------------------------------------------------------------------------------


def _group(group: Any, path: str) -> Any:
    for part in path.split("/"):
        group = follow(group, part)
        if group is None:
            return None
        if not isinstance(group, h5py().Group):
            raise ValueError(f"{path!r} must be a group of the file. Received: {type(group).__name__}")
    return group


def _store(group: Any, path: str) -> tuple[Store, str]:
    above, _, name = path.rpartition("/")
    place = _group(group, above) if above else group
    with damage(path):
        is_there = place is not None and name in place
    if not is_there:
        raise ValueError(f"The file names an array {path!r} and does not have it: it is damaged.")
    return Store(path, [place]), name


def _array(group: Any, path: str) -> np.ndarray:
    store, name = _store(group, path)
    return store[name]


def _shape(group: Any, path: str) -> tuple[int, ...]:
    store, name = _store(group, path)
    return store.shape(name)


def _layer_names(group: Any) -> list[str]:
    return _names(group, "layer_names") or []


def _weight_names(group: Any, layer: str) -> list[str]:
    place = _group(group, layer)
    if place is None:
        raise ValueError(f"The file names a layer {layer!r} and does not have it: it is damaged.")
    return _names(place, "weight_names") or []


def _names(group: Any, attribute: str) -> list[str] | None:
    """A list of names, which is in pieces (`name0`, `name1`, …) where it is long."""
    with damage(f"{group.name}: {attribute}"):
        if attribute in group.attrs:
            pieces = [group.attrs[attribute]]
        else:
            pieces = []
            while f"{attribute}{len(pieces)}" in group.attrs:
                pieces.append(group.attrs[f"{attribute}{len(pieces)}"])
            if not pieces:
                return None
        names = [
            name.decode("utf-8") if isinstance(name, bytes) else name
            for piece in pieces
            for name in np.asarray(piece).reshape(-1).tolist()
        ]
        if not all(isinstance(name, str) and name for name in names) or len(set(names)) != len(names):
            raise ValueError("a list of different names is expected.")
        return names


def _text(group: Any, attribute: str) -> str | None:
    with damage(attribute):
        value = group.attrs.get(attribute)
    value = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return value if isinstance(value, str) else None


def _json(file: Any, attribute: str) -> Any:
    text = _text(file, attribute)
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{attribute!r} of the file cannot be read: {error}") from error
