"""What two models must have equal to run the same operations: their config, without the names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from kerasish.layers.layer import Layer
from kerasish.models.functional import Functional
from kerasish.models.sequential import Sequential


class NotComparable(Exception):
    """A model has code of its own, which its config does not show: the message names it."""


def architecture(model: Any, leaves_out: Callable[[str], bool]) -> str:
    """The config of a Sequential or functional model as text, in which layers are numbered instead of named.

    Args:
        leaves_out: tells the settings that are of no importance by their names.

    Raises:
        NotComparable: the model is subclassed, or has layers or functions that are not kerasish's or torch's.
    """
    if type(model) not in (Sequential, Functional):
        raise NotComparable(f"{type(model).__name__} is a model of its own kind")
    for module in model.modules():
        if not is_library(type(module)):
            raise NotComparable(f"{type(module).__name__} is custom code")
    return json.dumps(numbered(reduced(model.get_config(), leaves_out), _names(model)), sort_keys=True)


def reduced(config: Any, leaves_out: Callable[[str], bool]) -> Any:
    """A config without some of its settings; penalties that are left out still show whether there is one.

    Raises:
        NotComparable: it refers to custom code.
    """
    if isinstance(config, (list, tuple)):
        return [reduced(entry, leaves_out) for entry in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") in ("function", "__lambda__") or ">" in str(config.get("registered_name")):
        raise NotComparable("the model has custom code")
    kept = {key: reduced(value, leaves_out) for key, value in config.items() if not leaves_out(key)}
    hidden = {
        key: config[key] is not None for key in config if key not in kept and key.endswith("_regularizer")
    }
    return {**kept, **hidden}


def numbered(config: Any, names: Iterable[str]) -> Any:
    """A config with numbers in place of names that were perhaps made up: as names, and in references (name, i, j)."""
    numbers = {name: i for i, name in enumerate(dict.fromkeys(names))}

    def replaced(part: Any) -> Any:
        if isinstance(part, dict):
            return {
                key: numbers.get(value, value) if key == "name" else replaced(value)
                for key, value in part.items()
            }
        if not isinstance(part, (list, tuple)):
            return part
        is_reference = len(part) >= 3 and isinstance(part[0], str) and isinstance(part[1], int)
        return [numbers.get(part[0], part[0]), *part[1:]] if is_reference else [replaced(x) for x in part]

    return replaced(config)


def is_library(thing: Any) -> bool:
    """Whether a class or function is kerasish's or torch's."""
    return getattr(thing, "__module__", "").partition(".")[0] in ("kerasish", "torch")


def _names(model: Any) -> Iterator[str]:
    for module in model.modules():
        if isinstance(module, Layer):
            yield module.name
        graph = getattr(module, "_graph", None)
        if graph is not None:
            yield from (operation.name for operation in graph.operations)
