"""One registry for everything that Keras finds by name: losses, metrics, activations, initializers, …"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from kerasish.errors import did_you_mean, received
from kerasish.naming import to_snake_case
from kerasish.serialization import deserialize_keras_object, find_custom_object, serialize_keras_object


class Registry:
    """Names ⇄ objects of one kind, behind that kind's `get`, `serialize` and `deserialize`.

    Args:
        kind: what an entry is called in messages: `"loss"`.
        module: the public module that files name: `"keras.losses"`.
        classes: classes, found under their name and its snake case.
        functions: functions, found under their name.
        aliases: further names → class or function.
        instantiate: whether `get("name")` of a class returns an instance.
    """

    def __init__(
        self,
        kind: str,
        module: str,
        classes: Iterable[type] = (),
        functions: Iterable[Callable] = (),
        aliases: dict[str, Any] | None = None,
        instantiate: bool = True,
    ) -> None:
        self.kind = kind
        self.module = module
        self.instantiate = instantiate
        self.entries: dict[str, Any] = {}
        for cls in classes:
            self.entries[cls.__name__] = cls
            self.entries.setdefault(to_snake_case(cls.__name__), cls)
        for function in functions:
            self.entries[function.__name__] = function
        self.entries.update(aliases or {})
        self._lowered = {name.lower(): entry for name, entry in self.entries.items()}

    def find(self, name: str) -> Any:
        """The entry or custom object of that name; raise `ValueError` with the closest name otherwise."""
        entry = find_custom_object(name)
        if entry is None:
            entry = self.entries.get(name)
        if entry is None:
            entry = self._lowered.get(name.lower())
        if entry is None:
            raise ValueError(f"Unknown {self.kind}: {name!r}.{did_you_mean(name, self.entries)}")
        return entry

    def get(self, identifier: Any) -> Any:
        """Return the object for a name, a config, a class, an instance, a function, or None."""
        if identifier is None:
            return None
        if isinstance(identifier, dict):
            return self.deserialize(identifier)
        found = self.find(identifier) if isinstance(identifier, str) else identifier
        if inspect.isclass(found) and self.instantiate:
            return found()
        if callable(found) or not isinstance(identifier, str):
            if not callable(found) and not hasattr(found, "get_config"):
                raise ValueError(
                    f"Could not interpret the {self.kind}: expected a name, a config, an object or a function. "
                    f"Received: {received(identifier)}"
                )
            return found
        return found

    def serialize(self, obj: Any) -> Any:
        """A function of this registry → its name, any other object → Keras's JSON config."""
        if inspect.isfunction(obj) or inspect.isbuiltin(obj):
            name = getattr(obj, "__name__", "")
            if self.entries.get(name) is obj:
                return name
        return serialize_keras_object(obj)

    def deserialize(self, config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
        """The inverse of `serialize`: from a name or a JSON config."""
        if isinstance(config, str):
            if custom_objects and config in custom_objects:
                return custom_objects[config]
            return self.get(config)
        if isinstance(config, dict) and "class_name" in config and "module" not in config:
            config = {"module": self.module, "registered_name": None, "config": {}, **config}
        return deserialize_keras_object(config, custom_objects=custom_objects, default_module=self.module)

    def __dir__(self) -> list[str]:
        return sorted(self.entries)
