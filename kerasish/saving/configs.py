"""From a config, of any Keras, to the model that it describes; what a config may not do is refused here."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from kerasish.config import is_unsafe_deserialization_enabled
from kerasish.errors import received
from kerasish.layers.core.lambda_layer import lambda_from_config
from kerasish.saving.archive_members import CONFIG
from kerasish.saving.legacy_config import modernized
from kerasish.serialization import deserialize_keras_object, shared_objects
from kerasish.variable import initial_values_up_to

FILE_ARGUMENTS = {
    "IntegerLookup": ("vocabulary",),
    "StringLookup": ("vocabulary",),
    "TextVectorization": ("vocabulary", "idf_weights"),
}  # layers that take the name of a file where they take values

SPARE = 64 * 2**20  # bytes of weights that may be made whatever the file holds
WIDEST = 4  # a file may hold halves where the model has doubles


def weights_within(stored: Callable[[], int], source: str) -> AbstractContextManager[None]:
    """Context in which a model may be made for a file with so many bytes of weights, asked for if it is large."""
    return initial_values_up_to(SPARE, lambda: WIDEST * stored(), source)


def model_of_config(
    config: Any,
    custom_objects: dict[str, Any] | None,
    compile: bool,
    safe_mode: bool,
    where: str = CONFIG,
    version: str | None = None,
) -> Any:
    """The model that a config, written by that version of Keras, describes, without its weights.

    Raises:
        ValueError: it describes no model, holds a lambda, or names a file, and `safe_mode` is on.
    """
    if not isinstance(config, dict) or "class_name" not in config:
        raise ValueError(f"{where!r} must describe a model. Received: {received(config)}")
    if not compile:
        config = {**config, "compile_config": None}
    allowed = not safe_mode or is_unsafe_deserialization_enabled()
    lambdas: dict[str, Any] = {}
    try:
        config = _translated(modernized(config, custom_objects or {}, version), lambdas, allowed)
        with shared_objects():
            model = deserialize_keras_object(
                config, custom_objects={**lambdas, **(custom_objects or {})}, safe_mode=not allowed
            )
    except RecursionError as error:
        raise ValueError(f"{where!r} is nested too deeply: the file is damaged or hostile.") from error
    except (KeyError, IndexError, AttributeError, RuntimeError) as error:
        raise ValueError(f"{where!r} does not describe a model: {type(error).__name__}: {error}") from error
    if not hasattr(model, "save"):
        raise ValueError(f"{where!r} must describe a model. Received: {received(model)}")
    return model


def _translated(config: Any, lambdas: dict[str, Any], allowed: bool) -> Any:
    """The config with Keras's public modules, lambdas as custom objects, no empty masks."""
    if isinstance(config, list):
        return [_translated(item, lambdas, allowed) for item in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "__lambda__":
        if not allowed:
            raise ValueError(
                "The file holds a Python lambda, whose code would run. Pass `safe_mode=False` if you trust where the "
                "file comes from; better, save the model again with a named function."
            )
        name = f"__lambda_{len(lambdas)}__"
        lambdas[name] = lambda_from_config(config["config"])
        return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}
    if not allowed:
        _refuse_file_names(config)
    translated = {key: _translated(value, lambdas, allowed) for key, value in config.items()}
    for node in translated.get("inbound_nodes") or ():
        if (
            isinstance(node, dict)
            and isinstance(node.get("kwargs"), dict)
            and node["kwargs"].get("mask", 0) is None
        ):
            del node["kwargs"]["mask"]
    if isinstance(config.get("module"), str):
        translated["module"] = re.sub(
            r"^keras\.src\.backend\.\w+\.optimizers\b.*", "keras.optimizers", config["module"]
        )
    return translated


def _refuse_file_names(config: dict[str, Any]) -> None:
    name, inner = config.get("class_name"), config.get("config")
    for argument in FILE_ARGUMENTS.get(name, ()) if isinstance(name, str) else ():
        if isinstance(inner, dict) and isinstance(inner.get(argument), str):
            raise ValueError(
                f"The config of a {name!r} layer names a file of this machine, which would be read: "
                f"{argument}={inner[argument]!r}. Pass `safe_mode=False` if you trust where the model comes from."
            )
