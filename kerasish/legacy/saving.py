"""Keras 2's short configs: `{"class_name", "config"}`, without the module of Keras 3's."""

from __future__ import annotations

import inspect
from typing import Any

from kerasish.errors import did_you_mean, received
from kerasish.serialization import find_custom_object, get_registered_name


def serialize_keras_object(instance: Any) -> Any:
    """Return `{"class_name": …, "config": …}` for an object, the name for a function, None for None.

    Example:
        >>> import kerasish
        >>> serialize_keras_object(kerasish.regularizers.L2(0.5))
        {'class_name': 'L2', 'config': {'l2': 0.5}}
    """
    if instance is None:
        return None
    if hasattr(instance, "get_config"):
        return {"class_name": get_registered_name(type(instance)), "config": instance.get_config()}
    if hasattr(instance, "__name__"):
        return get_registered_name(instance)
    raise ValueError(
        f"Only functions and objects with `get_config()` can be written. Received: {received(instance)}"
    )


def deserialize_keras_object(
    identifier: Any,
    module_objects: dict[str, Any] | None = None,
    custom_objects: dict[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """The inverse: an object from its config, a function or a new object from its name.

    Args:
        identifier: a config, a name, a function, or None.
        module_objects: the names that are known.
        custom_objects: further names, which come first.
        printable_module_name: what messages call the object.

    Raises:
        ValueError: the name is unknown, or `identifier` is no config.
    """
    if identifier is None or inspect.isfunction(identifier):
        return identifier
    tables = (custom_objects or {}, module_objects or {})
    if isinstance(identifier, str):
        found = _look_up(identifier, tables, printable_module_name)
        return found() if inspect.isclass(found) else found
    if not isinstance(identifier, dict) or not {"class_name", "config"} <= set(identifier):
        raise ValueError(
            f"Could not interpret the {printable_module_name}: expected a name, or a dictionary with "
            f"'class_name' and 'config'. Received: {received(identifier)}"
        )
    cls = _look_up(identifier["class_name"], tables, printable_module_name)
    if hasattr(cls, "from_config"):
        takes_objects = "custom_objects" in inspect.signature(cls.from_config).parameters
        further = {"custom_objects": custom_objects} if takes_objects and custom_objects else {}
        return cls.from_config(identifier["config"], **further)
    return cls(**identifier["config"])


def _look_up(name: str, tables: tuple[dict[str, Any], ...], kind: str) -> Any:
    custom, known = tables
    for found in (custom.get(name), find_custom_object(name), known.get(name)):
        if found is not None:
            return found
    hint = did_you_mean(name, [*custom, *known])
    raise ValueError(
        f"Unknown {kind}: {name!r}.{hint} Give it in `custom_objects`, or in a `CustomObjectScope`."
    )
