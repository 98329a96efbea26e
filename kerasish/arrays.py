"""Arrays, data frames and lists of numbers, turned into tensors."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kerasish.config import floatx
from kerasish.dtypes import torch_dtype


def is_array(x: Any) -> bool:
    """True for arrays, tensors, data frames and series, and lists of numbers."""
    if isinstance(x, (np.ndarray, Tensor, np.generic)):
        return True
    if _is_frame(x) or (hasattr(x, "shape") and (hasattr(x, "__array__") or hasattr(x, "toarray"))):
        return True
    return isinstance(x, (list, tuple)) and bool(x) and all(_is_number_or_list(item) for item in x)


def _is_number_or_list(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return bool(x) and all(_is_number_or_list(item) for item in x)
    return isinstance(x, (bool, int, float, str, np.generic))


def _is_frame(x: Any) -> bool:
    return type(x).__module__.partition(".")[0] in ("pandas", "polars", "pyarrow", "modin") and hasattr(
        x, "shape"
    )


def is_array_structure(x: Any) -> bool:
    """True for an array and for lists, tuples and dictionaries of arrays, where optional inputs may be None."""
    if is_array(x):
        return True
    values = list(x.values()) if isinstance(x, dict) else x
    if isinstance(values, (list, tuple)):
        given = [value for value in values if value is not None]
        return bool(given or not values) and all(is_array_structure(value) for value in given)
    return False


class TextArray(np.ndarray):
    """Strings, with the methods of a tensor by which batches are made: torch has no strings."""

    device = torch.device("cpu")  # type: ignore[assignment]

    def dim(self) -> int:
        """The number of dimensions."""
        return self.ndim

    def numel(self) -> int:
        """The number of strings."""
        return self.size

    def element_size(self) -> int:
        """The bytes of one string."""
        return self.itemsize

    def is_floating_point(self) -> bool:
        """False."""
        return False

    def split(self, size: int) -> list[TextArray]:
        """Pieces of `size` records."""
        pieces: Any = [self[start : start + size] for start in range(0, len(self), size)]
        return pieces

    def index_select(self, dim: int, index: Tensor) -> TextArray:
        """The records with these indices."""
        return self[index.cpu().numpy()]

    def to(self, *args: Any, **kwargs: Any) -> TextArray:
        """The strings themselves: they stay where they are."""
        return self

    cpu = pin_memory = to


def is_text(values: Any) -> bool:
    """True for NumPy arrays of strings, as strings or as objects."""
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "USO":
        return False
    return values.dtype.kind != "O" or (
        values.size > 0 and all(isinstance(value, (str, bytes)) for value in values.flat)
    )


def to_tensor(x: Any, name: str = "x", text: bool = False) -> Any:
    """Turn an array, data frame or list into a tensor; floats get the default float type.

    With `text=True` strings stay a NumPy array, since torch has no strings.

    Raises:
        ValueError: the values are strings or other objects.
    """
    if isinstance(x, Tensor):
        tensor = x.detach()
    else:
        if hasattr(x, "toarray"):  # scipy's sparse matrices
            x = x.toarray()
        values = x.to_numpy() if _is_frame(x) else np.asarray(x)
        if text and is_text(values):
            return values.view(TextArray)
        if values.dtype == object:
            with contextlib.suppress(TypeError, ValueError):
                values = values.astype(np.float64)
        if values.dtype.kind not in "biufc":
            raise ValueError(
                f"`{name}` holds values of type {values.dtype}, which a network cannot compute with: "
                "expected numbers. Turn "
                "strings into numbers first (for labels `sklearn.preprocessing.LabelEncoder`, for text a vocabulary). "
                f"Received, for example: {values.reshape(-1)[0] if values.size else None!r}"
            )
        if values.dtype in (np.uint16, np.uint32, np.uint64):
            values = values.astype(np.int64)
        if not values.flags.writeable or any(stride < 0 for stride in values.strides):
            values = values.copy()
        tensor = torch.from_numpy(values) if values.ndim else torch.tensor(values)
    if tensor.is_floating_point() and tensor.dtype is not torch_dtype(floatx()):
        tensor = tensor.to(torch_dtype(floatx()))
    return tensor
