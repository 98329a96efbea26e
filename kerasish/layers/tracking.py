"""Lists, tuples and dictionaries that are modules too, so that layers and weights kept in them are trained and saved.

What is read is a plain copy, `_held`, brought up to date after every change: torch's compiler cannot look into a
list or dictionary that is a module.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import torch

from kerasish.changes import structure


class _Container(torch.nn.Module):
    """A module whose children and parameters are those that the container holds."""

    _held: Any
    _names: dict[Any, str]

    def _start(self, values: Any) -> None:
        blank = (
            torch.nn.Module()
        )  # `nn.Module.__init__` notes weak references, which Python does not have to tuples
        self.__dict__.update(blank.__dict__)
        self._hold(values)

    def _hold(self, values: Any) -> None:
        """Take over the values, by position or key, as children and parameters."""
        pairs = list(values.items()) if isinstance(values, dict) else list(enumerate(values))
        names = {key: str(key).replace(".", "_") for key, _ in pairs}
        self.__dict__.update(_held=values, _names=names)
        tables: list[tuple[dict[str, Any], type]]
        tables = [(self._modules, torch.nn.Module), (self._parameters, torch.nn.Parameter)]
        for held, kind in tables:
            held.clear()
            held.update({names[key]: value for key, value in pairs if isinstance(value, kind)})
        structure.version += 1

    def _value(self, key: Any, value: Any) -> Any:
        """A parameter may have been exchanged the torch way (`functional_call`, `load_state_dict(assign=True)`)."""
        return self._parameters[self._names[key]] if isinstance(value, torch.nn.Parameter) else value

    def __len__(self) -> int:
        return len(self._held)

    def __hash__(self) -> int:
        return id(self)  # modules are collected in sets

    __call__ = None  # type: ignore[assignment]


class _Sequence(_Container):
    """What lists and tuples of layers have in common."""

    def __iter__(self) -> Iterator[Any]:
        return iter([self._value(i, value) for i, value in enumerate(self._held)])

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return list(self)[index] if isinstance(self, list) else tuple(self)[index]
        value = self._held[index]
        return self._value(range(len(self._held))[index], value)


def _then_hold(method: Callable) -> Callable:
    """A method of a list or dictionary after which the container holds what is in it now."""

    @functools.wraps(method)
    def changing(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = method(self, *args, **kwargs)
        self._take_over()
        return result

    return changing


class TrackedList(_Sequence, list):
    """A list whose layers and variables belong to the layer that it is an attribute of."""

    def __init__(self, values: Any = ()) -> None:
        list.__init__(self, values)
        self._start(())
        self._take_over()

    def _take_over(self) -> None:
        values = [track(value) for value in list.__iter__(self)]
        list.__setitem__(self, slice(None), values)
        self._hold(values)

    def __reduce_ex__(self, protocol: Any) -> tuple:
        return TrackedList, (list(self),)

    __repr__ = list.__repr__
    __eq__ = list.__eq__
    __hash__ = _Container.__hash__  # type: ignore[assignment]


for _name in (
    "append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse", "__setitem__", "__delitem__",
    "__iadd__", "__imul__",
):  # fmt: skip
    setattr(TrackedList, _name, _then_hold(getattr(list, _name)))


class TrackedTuple(_Sequence, tuple):
    """A tuple whose layers and variables belong to the layer that it is an attribute of."""

    def __new__(cls, values: Any = ()) -> TrackedTuple:
        return tuple.__new__(cls, [track(value) for value in values])

    def __init__(self, values: Any = ()) -> None:
        self._start(tuple(tuple.__iter__(self)))

    def __reduce_ex__(self, protocol: Any) -> tuple:
        return TrackedTuple, (tuple(self),)

    __repr__ = tuple.__repr__
    __eq__ = tuple.__eq__
    __hash__ = _Container.__hash__


class TrackedDict(_Container, dict):
    """A dictionary whose layers and variables belong to the layer that it is an attribute of."""

    def __init__(self, values: Any = ()) -> None:
        dict.__init__(self, values)
        self._start({})
        self._take_over()

    def _take_over(self) -> None:
        values = {key: track(value) for key, value in dict.items(self)}
        dict.update(self, values)
        self._hold(values)

    def __getitem__(self, key: Any) -> Any:
        return self._value(key, self._held[key])

    def __iter__(self) -> Iterator[Any]:
        return iter(self._held)

    def __contains__(self, key: Any) -> bool:
        return key in self._held

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of a key."""
        return self[key] if key in self._held else default

    def keys(self) -> Any:
        """The keys."""
        return self._held.keys()

    def values(self) -> Any:
        """The values."""
        return [self[key] for key in self._held]

    def items(self) -> Any:
        """Pairs of key and value."""
        return [(key, self[key]) for key in self._held]

    def __reduce_ex__(self, protocol: Any) -> tuple:
        return TrackedDict, (dict(self.items()),)

    __repr__ = dict.__repr__
    __eq__ = dict.__eq__
    __hash__ = _Container.__hash__  # type: ignore[assignment]


for _name in ("update", "pop", "popitem", "clear", "setdefault", "__setitem__", "__delitem__", "__ior__"):
    setattr(TrackedDict, _name, _then_hold(getattr(dict, _name)))


def track(value: Any) -> Any:
    """Turn a plain list, tuple or dictionary that holds layers or variables, or a list or dictionary that is still
    empty, into a tracked one.
    """
    if type(value) is list and _worth_tracking(value):
        return TrackedList(value)
    if type(value) is dict and _worth_tracking(value.values()):
        return TrackedDict(value)
    if type(value) is tuple and any(
        isinstance(item, (torch.nn.Module, torch.nn.Parameter)) for item in value
    ):
        return TrackedTuple(value)
    return value


def _worth_tracking(values: Any) -> bool:
    values = list(values)
    holders = (torch.nn.Module, torch.nn.Parameter)
    return not values or any(
        isinstance(value, holders)
        or (isinstance(value, (list, dict)) and value and track(value) is not value)
        for value in values
    )
