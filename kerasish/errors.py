"""Wording shared by every error message: what was received, how a shape reads, which name was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


def did_you_mean(name: Any, candidates: Iterable[str]) -> str:
    """Return `" Did you mean 'relu'?"` for the closest of `candidates`, or an empty string."""
    lowered = {str(candidate).lower(): str(candidate) for candidate in candidates}
    close = difflib.get_close_matches(str(name).lower(), lowered, n=1, cutoff=0.6)
    return f" Did you mean {lowered[close[0]]!r}?" if close else ""


def format_shape(shape: Any) -> str:
    """Write a shape, or a structure of shapes, as Keras prints it: `(None, 784)`."""
    if shape is None:
        return "None"
    if isinstance(shape, dict):
        return "{" + ", ".join(f"{key!r}: {format_shape(value)}" for key, value in shape.items()) + "}"
    if isinstance(shape, (list, tuple)) and any(isinstance(d, (list, tuple, dict)) for d in shape):
        return "[" + ", ".join(format_shape(item) for item in shape) + "]"
    dims = [str(d) for d in shape]  # sizes may be symbolic, while torch exports or compiles
    return f"({dims[0]},)" if len(dims) == 1 else f"({', '.join(dims)})"


def received(value: Any, limit: int = 200) -> str:
    """Describe a value in one short line: tensors and arrays by type, shape and dtype, others by repr."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{type(value).__name__} of shape {format_shape(tuple(value.shape))}, dtype {value.dtype}"
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
