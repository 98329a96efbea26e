"""Where the names of Keras 1 and 2, tf.keras and Keras Core are in kerasish."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from typing import Any, NamedTuple

from kerasish.legacy import names
from kerasish.port.aliases import KIN, LONG_ROOTS, PRIVATE, ROOTS

_TO_KERAS = {
    **dict.fromkeys((*ROOTS, *LONG_ROOTS, "kerasish"), "keras"),
    **KIN,
    **{private: "keras" for private in PRIVATE if private.startswith("keras")},
    "keras._tf_keras.keras": "keras",
    "tensorflow.compat.v1.keras": "keras",
    "tensorflow.compat.v2.keras": "keras",
    "tensorflow.contrib.keras": "keras",
    "tensorflow.python.keras": "keras",
}


class Place(NamedTuple):
    """What a name is today: a module or a member of one, by its path (`keras.layers.LSTM`), and what follows."""

    path: str
    is_module: bool
    rest: str = ""


class Gone(NamedTuple):
    """A name that has no equal: what a person is told."""

    message: str


def to_keras(name: str) -> str | None:
    """`"tensorflow.keras.layers.core"` → `"keras.layers.core"`; None where it is not Keras."""
    prefix = name
    while prefix:
        if prefix in _TO_KERAS:
            return _TO_KERAS[prefix] + name[len(prefix) :]
        prefix = prefix.rpartition(".")[0]
    return None


@functools.cache
def resolve(name: str) -> Place | Gone:
    """Find what `"keras.layers.core.Dense"` is today."""
    namespace, *parts = name.split(".")
    while parts:
        inner, is_last = f"{namespace}.{parts[0]}", len(parts) == 1
        is_gone = parts[0] in names.GONE.get(namespace, {})
        is_moved = inner in names.MODULES and (_is_module(names.MODULES[inner]) or _leads_on(inner, name))
        if (is_moved and not (is_last and is_gone)) or _is_module(inner):
            namespace = inner
            parts = parts[1:]
            continue
        found = _member(namespace, parts[0])
        rest = "".join(f".{part}" for part in parts[1:])
        return Place(found, False, rest) if found is not None else Gone(names.explain(namespace, parts[0]))
    return Place(names.MODULES.get(namespace, namespace), True)


def class_name(place: Place) -> str:
    """The name under which a class was written: `"Conv2D"` of `keras.layers.Convolution2D`."""
    parent, _, name = place.path.rpartition(".")
    found = getattr(_import(parent), name, None)
    return found.__name__ if isinstance(found, type) else name


def to_kerasish(path: str) -> str:
    """`"keras.layers"` → `"kerasish.layers"`."""
    return path.replace("keras", "kerasish", 1)


def _leads_on(module: str, name: str) -> bool:
    """Whether a module below this old one is on the way to `name`, and has moved somewhere else."""
    inner = [
        old for old in names.MODULES if old.startswith(f"{module}.") and f"{name}.".startswith(f"{old}.")
    ]
    return any(_is_module(names.MODULES[old]) for old in inner)


def _member(namespace: str, name: str) -> str | None:
    door = names.MODULES.get(namespace, namespace)
    if namespace == "keras.backend":
        return f"{namespace}.{name}" if _has(door, name) else None
    for place in (namespace, door):
        target = names.RENAMED.get(place, {}).get(name)
        if target is not None:
            return target if "." in target else f"{names.MODULES.get(place, place)}.{target}"
    if name in names.GONE.get(namespace, {}):
        return None
    return f"{door}.{name}" if _has(door, name) else None


def _has(module: str, name: str) -> bool:
    try:
        return hasattr(_import(module), name)
    except ModuleNotFoundError:  # an old name whose new place is not here
        return False


@functools.cache
def _is_module(path: str) -> bool:
    """Whether this is a public module: one that its package shows, or that Keras 2's table leads to."""
    package, _, name = path.rpartition(".")
    try:
        found = importlib.util.find_spec(to_kerasish(path))
    except ModuleNotFoundError:
        return False
    return found is not None and (path in names.MODULES.values() or hasattr(_import(package), name))


def _import(path: str) -> Any:
    return importlib.import_module(to_kerasish(path))
