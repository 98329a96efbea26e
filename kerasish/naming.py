"""Default names (`dense`, `dense_1`, …), counted per process until `clear_session`."""

from __future__ import annotations

import collections
import contextlib
import re
import threading
from collections.abc import Iterator

_counts: collections.Counter[str] = collections.Counter()
_local = threading.local()


def to_snake_case(name: str) -> str:
    """`"Conv2DTranspose"` → `"conv2d_transpose"`."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def get_uid(prefix: str = "") -> int:
    """Return 1, 2, 3, … for successive calls with the same prefix."""
    _counts[prefix] += 1
    return _counts[prefix]


def unique_name(prefix: str) -> str:
    """Return `prefix`, `prefix_1`, `prefix_2`, … for successive calls; `prefix` may be a class name."""
    prefix = to_snake_case(prefix)
    count = get_uid(prefix)
    return prefix if count == 1 else f"{prefix}_{count - 1}"


def reset_names() -> None:
    """Start all counts again."""
    _counts.clear()


@contextlib.contextmanager
def name_scope(name: str, **kwargs: object) -> Iterator[str]:
    """Context that prefixes the `path` of the variables made in it: `with name_scope("block"): …`."""
    if not isinstance(name, str) or "/" in name:
        raise ValueError(f"`name` must be a string without '/'. Received: {name!r}")
    stack = _local.__dict__.setdefault("scopes", [])
    stack.append(name)
    try:
        yield name
    finally:
        stack.pop()


def current_path() -> str:
    """The open name scopes joined by `/`."""
    return "/".join(getattr(_local, "scopes", ()))
