"""Lists and dictionaries that are modules too, so that layers and weights kept in them are trained and saved."""

from __future__ import annotations

from typing import Any

import torch


class _Container(torch.nn.Module):
    """A module whose children and parameters are whatever the container holds at the moment."""

    def _items(self) -> list[tuple[str, Any]]:
        raise NotImplementedError

    def _held(self, kind: Any) -> dict[str, Any]:
        return {name: value for name, value in self._items() if isinstance(value, kind)}

    @property
    def _modules(self) -> dict[str, Any]:
        return self._held(torch.nn.Module)

    @_modules.setter
    def _modules(self, value: Any) -> None:
        """`nn.Module.__init__` assigns an empty dictionary; the container itself is the store."""

    @property
    def _parameters(self) -> dict[str, Any]:
        return self._held(torch.nn.Parameter)

    @_parameters.setter
    def _parameters(self, value: Any) -> None:
        """As for `_modules`."""

    def __hash__(self) -> int:
        return id(self)  # modules are collected in sets


class TrackedList(list, _Container):
    """A list whose layers and variables belong to the layer that it is an attribute of."""

    def __init__(self, values: Any = ()) -> None:
        _Container.__init__(self)
        list.__init__(self, (track(value) for value in values))

    def _items(self) -> list[tuple[str, Any]]:
        return [(str(i), value) for i, value in enumerate(self)]

    def append(self, value: Any) -> None:
        """Append, tracking lists and dictionaries inside."""
        list.append(self, track(value))

    def __reduce_ex__(self, protocol: Any) -> tuple:
        return TrackedList, (list(self),)

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self)

    __call__ = None  # type: ignore[assignment]
    __repr__ = list.__repr__


class TrackedDict(dict, _Container):
    """A dictionary whose layers and variables belong to the layer that it is an attribute of."""

    def __init__(self, values: Any = ()) -> None:
        _Container.__init__(self)
        dict.__init__(self, {key: track(value) for key, value in dict(values).items()})

    def _items(self) -> list[tuple[str, Any]]:
        return [(str(key).replace(".", "_"), value) for key, value in self.items()]

    def __setitem__(self, key: Any, value: Any) -> None:
        dict.__setitem__(self, key, track(value))

    def __reduce_ex__(self, protocol: Any) -> tuple:
        return TrackedDict, (dict(self),)

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self)

    __call__ = None  # type: ignore[assignment]
    __repr__ = dict.__repr__


def track(value: Any) -> Any:
    """Turn a plain list or dictionary that holds layers or variables, or is still empty, into a tracked one."""
    if type(value) is list and _worth_tracking(value):
        return TrackedList(value)
    if type(value) is dict and _worth_tracking(value.values()):
        return TrackedDict(value)
    if type(value) is tuple and any(
        isinstance(item, (torch.nn.Module, torch.nn.Parameter)) for item in value
    ):
        return TrackedTuple(value)
    return value


class TrackedTuple(tuple, _Container):
    """A tuple whose layers and variables belong to the layer that it is an attribute of.

    `nn.Module.__init__` is not run on it: torch's compiler refers weakly to what that has touched, and Python has no
    weak references to tuples.
    """

    def __new__(cls, values: Any = ()) -> TrackedTuple:
        return tuple.__new__(cls, (track(value) for value in values))

    def __init__(self, values: Any = ()) -> None:
        blank = torch.nn.Module().__dict__
        self.__dict__.update({key: blank[key] for key in blank if key not in ("_parameters", "_modules")})

    def _items(self) -> list[tuple[str, Any]]:
        return [(str(i), value) for i, value in enumerate(self)]

    def __reduce_ex__(self, protocol: Any) -> tuple:
        return TrackedTuple, (tuple(self),)

    def __hash__(self) -> int:
        return id(self)

    __call__ = None  # type: ignore[assignment]
    __repr__ = tuple.__repr__


def _worth_tracking(values: Any) -> bool:
    values = list(values)
    holders = (torch.nn.Module, torch.nn.Parameter)
    return not values or any(
        isinstance(value, holders)
        or (isinstance(value, (list, dict)) and value and track(value) is not value)
        for value in values
    )
