"""Names of data types and torch's dtypes, each from the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from kerasish.config import floatx

TORCH_DTYPES: dict[str, torch.dtype] = {
    name: getattr(torch, name)
    for name in (
        "float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64",
        "uint8", "uint16", "uint32", "uint64", "bool", "complex64", "complex128",
        "float8_e4m3fn", "float8_e5m2",
    )
}  # fmt: skip
NAMES = {dtype: name for name, dtype in TORCH_DTYPES.items()}
FLOAT_NAMES = ("float16", "bfloat16", "float32", "float64", "float8_e4m3fn", "float8_e5m2")


def standardize_dtype(dtype: Any) -> str:
    """Return the name of a dtype given as a name, a torch dtype, a NumPy dtype or a Python type.

    Raises:
        ValueError: the type has no torch counterpart (strings, objects, structured arrays).
    """
    if dtype is None:
        return floatx()
    if isinstance(dtype, torch.dtype):
        return NAMES[dtype]
    if isinstance(dtype, str) and dtype in TORCH_DTYPES:
        return dtype
    if isinstance(dtype, type) and dtype in (bool, int, float):
        return {bool: "bool", int: "int64", float: standardize_dtype(None)}[dtype]
    if dtype == "string":
        return "string"
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = str(dtype)
    if name not in TORCH_DTYPES:
        raise ValueError(f"Invalid dtype. Expected one of {sorted(TORCH_DTYPES)}. Received: {dtype!r}")
    return name


def torch_dtype(dtype: Any) -> torch.dtype:
    """Return the torch dtype of anything that `standardize_dtype` understands."""
    return dtype if isinstance(dtype, torch.dtype) else TORCH_DTYPES[standardize_dtype(dtype)]


def is_float_dtype(dtype: Any) -> bool:
    """True for the floating-point types."""
    return standardize_dtype(dtype) in FLOAT_NAMES


def is_int_dtype(dtype: Any) -> bool:
    """True for the signed and unsigned integer types."""
    return standardize_dtype(dtype).startswith(("int", "uint"))
