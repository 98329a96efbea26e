"""Strings as NumPy arrays, since torch has no strings."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from kerasish.errors import received


def as_text(x: Any, name: str, encoding: str = "utf-8") -> np.ndarray:
    """Strings, or lists of them, as an array of Python strings; bytes are decoded.

    Raises:
        TypeError: the values are not strings.
        ValueError: the lists differ in length.
    """
    try:
        values = np.asarray(x)
    except ValueError as error:
        raise ValueError(
            f"Layer {name!r} takes an array of strings: lists in it must have equal lengths; pad them with ''."
        ) from error
    if values.dtype.kind == "U":
        return values.astype(object)
    if not isinstance(x, Tensor) and (values.dtype.kind in "SO" or values.size == 0):
        flat = [
            value.decode(encoding, "replace") if isinstance(value, bytes) else value for value in values.flat
        ]
        wrong = next((value for value in flat if not isinstance(value, str)), None)
        if wrong is None:
            text = np.empty(len(flat), object)
            text[:] = flat
            return text.reshape(values.shape)
        x = wrong
    raise TypeError(
        f"Layer {name!r} takes strings: a list or a NumPy array of them. Received: {received(x)}. For numbers take "
        "`IntegerLookup` or `Hashing`."
    )


def is_textual(x: Any) -> bool:
    """Whether an input consists of strings: by its dtype, or by the first value of a list."""
    while isinstance(x, (list, tuple)) and x:
        x = x[0]
    return isinstance(x, (str, bytes)) or (isinstance(x, np.ndarray) and x.dtype.kind in "USO")
