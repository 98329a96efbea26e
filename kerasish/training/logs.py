"""Logs whose values stay on the device until somebody reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch


class Logs(dict):
    """A dictionary name → value that turns a tensor into a Python float when it is read.

    Args:
        values: the values, or a function that is called for them at the first access.
    """

    def __init__(self, values: Any = ()) -> None:
        super().__init__()
        self._compute: Callable[[], dict] | None = None
        if callable(values):
            self._compute = values
        else:
            self._put(dict(values))

    def _put(self, values: dict) -> None:
        for key, value in values.items():
            if isinstance(value, dict):
                self._put(value)
            else:
                dict.__setitem__(self, key, value)

    def compute(self) -> Logs:
        """Take the values as they are now, still on the device."""
        if self._compute is not None:
            compute, self._compute = self._compute, None
            self._put(compute())
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
        return self[key] if key in self else default

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

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self.copy())
