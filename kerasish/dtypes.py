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
        return {bool: "bool", int: "int32", float: "float32"}[dtype]
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


HELD_AS = {torch.uint16: torch.int32, torch.uint32: torch.int64}  # which have kernels for everything


def tensor_dtype(dtype: Any) -> torch.dtype:
    """Return the torch dtype in which ops hold values of a dtype: as it is, but uint16 and uint32 wider and signed.

    Raises:
        ValueError: torch cannot compute with the type (uint64).
    """
    kind = torch_dtype(dtype)
    if kind is torch.uint64:
        raise ValueError("Torch cannot compute with uint64: cast to int64. Received: dtype='uint64'")
    return HELD_AS.get(kind, kind)


def result_type(*dtypes: Any) -> str:
    """Return the name of the dtype that values of these dtypes have in common.

    The Python types `bool`, `int` and `float` stand for Python numbers, which give way to any dtype of their kind or
    of a higher one. The result has at most 32 bits (64 for complex numbers), and an unknown dtype, None, counts as
    `floatx()`.

    Raises:
        ValueError: a dtype that is never converted by itself (float8), or one that torch does not know.

    Example:
        >>> result_type("int32", "float16"), result_type("int8", int), result_type("uint8", "int8")
        ('float16', 'int8', 'int16')

    Source: the type lattice of JAX, https://docs.jax.dev/en/latest/type_promotion.html.
    """
    names = tuple(
        "python_" + dtype.__name__ if dtype is int or dtype is float else standardize_dtype(dtype)
        for dtype in dtypes
    )
    return _common_dtype(frozenset(names), floatx()) if names else floatx()


def _common_dtype(names: frozenset[str], default_float: str) -> str:
    for name in names:
        if name.startswith("float8") or (name == "string" and len(names) > 1):
            raise ValueError(
                f"There is no implicit conversion of {name} values: cast them first. Received: {sorted(names)}"
            )
    python_bits = "16" if default_float.endswith("16") else "32"
    if "string" in names:
        return "string"
    if names & {"complex64", "complex128"}:
        return "complex64"
    floats = names & {"bfloat16", "float16", "float32", "float64"}
    if floats:
        return next(iter(floats)) if len(floats) == 1 and "float64" not in floats else "float32"
    if "python_float" in names:
        return "float" + python_bits
    signed, unsigned = ([name for name in names if name.startswith(kind)] for kind in ("int", "uint"))
    if signed and "uint64" in unsigned:
        return "float" + python_bits
    bits = [int(name[3:]) for name in signed] + [int(name[4:]) * (2 if signed else 1) for name in unsigned]
    if bits:
        return ("int" if signed else "uint") + str(min(max(bits), 32))
    if "python_int" in names:
        return "int" + python_bits
    return "bool"
