"""Logs whose values stay on the device until somebody reads them."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import torch


class Logs(dict):
    """A dictionary name → value, in the order of the names, that turns a tensor into a Python float when it is read.

    Args:
        values: the values, or a method that is called for them at the first access; its object is not kept alive.
    """

    def __init__(self, values: Any = ()) -> None:
        super().__init__()
        self._method: Callable[[], Any] | None = None
        self._is_computed = True
        if isinstance(values, weakref.WeakMethod):
            self._method, self._is_computed = values, False
        elif callable(values):
            self._method, self._is_computed = weakref.WeakMethod(values), False
        else:
            self._put(dict(values))

    def renewed(self) -> Logs:
        """Logs of the same method, not computed yet."""
        return self if self._method is None else Logs(self._method)

    def _put(self, values: dict) -> None:
        for key, value in sorted(values.items()):
            if isinstance(value, dict):
                self._put(value)
            else:
                dict.__setitem__(self, key, value)

    def compute(self) -> Logs:
        """Take the values as they are now, still on the device."""
        if not self._is_computed:
            self._is_computed = True
            method = self._method() if self._method is not None else None
            self._put({} if method is None else method())
        return self

    def keep(self) -> Logs:
        """Copy the values, so that the next step does not change them."""
        self.compute()
        for key, value in dict.items(self):
            if isinstance(value, torch.Tensor):
                dict.__setitem__(self, key, value.detach().clone())
        return self

    def __getitem__(self, key: Any) -> Any:
        value = dict.__getitem__(self.compute(), key)
        if isinstance(value, torch.Tensor):
            value = value.item() if value.numel() == 1 else value.detach().cpu().numpy()
            dict.__setitem__(self, key, value)
        return value

    def get(self, key: Any, default: Any = None) -> Any:
        if key not in self:
            return default
        return self[key]

    def keys(self) -> Any:
        return dict.keys(self.compute())

    def __iter__(self) -> Iterator:
        return dict.__iter__(self.compute())

    def __len__(self) -> int:
        return dict.__len__(self.compute())

    def __contains__(self, key: object) -> bool:
        return dict.__contains__(self.compute(), key)

    def values(self) -> Any:
        return [self[key] for key in self]

    def items(self) -> Any:
        return [(key, self[key]) for key in self]

    def pop(self, key: Any, *default: Any) -> Any:
        value = self.get(key, *default) if default else self[key]
        dict.pop(self, key, None)
        return value

    def copy(self) -> dict:
        return dict(self.items())

    def __eq__(self, other: object) -> bool:
        return self.copy() == other

    __hash__ = None

    def __repr__(self) -> str:
        return repr(self.copy())
