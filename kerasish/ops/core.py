"""Tensors from anything and back, and their dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from kerasish import tree
from kerasish.config import floatx, get_device
from kerasish.dtypes import result_type, standardize_dtype, tensor_dtype
from kerasish.errors import received
from kerasish.ops.operation import operation
from kerasish.symbolic import KerasTensor

INT32_RANGE = range(-(2**31), 2**31)


@operation
def convert_to_tensor(
    x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None
) -> Any:
    """Return `x` as a tensor: tensors as they are, arrays and nested lists copied to the current device.

    Python numbers become int32 (int64 where they need it) and `floatx()`; arrays keep their dtype.

    Args:
        dtype: the dtype to convert to, or None.
        sparse, ragged: only False or None: tensors are dense.

    Example:
        >>> convert_to_tensor([1, 2.5])
        tensor([1.0000, 2.5000])
    """
    if sparse or ragged:
        raise ValueError(
            "Sparse and ragged tensors are not supported: pass dense, padded ones. "
            f"Received: sparse={sparse}, ragged={ragged}"
        )
    kind = None if dtype is None else tensor_dtype(dtype)
    if isinstance(x, Tensor):
        return x if kind is None or x.dtype is kind else x.to(kind)
    if isinstance(x, (bool, int, float, complex)):
        return torch.full((), x, dtype=kind or number_dtype(x), device=get_device())
    if isinstance(x, (list, tuple)):
        return _from_list(x, kind)
    values = np.asarray(x)
    if values.dtype.kind not in "biufc":
        raise ValueError(f"A tensor holds numbers of one kind. Received: {received(x)}")
    values = np.array(values, dtype=values.dtype.newbyteorder("="))
    return torch.from_numpy(values).to(device=get_device(), dtype=kind or tensor_dtype(values.dtype))


def number_dtype(x: Any) -> torch.dtype:
    """The dtype of a tensor made from a Python number."""
    if isinstance(x, bool):
        return torch.bool
    if isinstance(x, int):
        return torch.int32 if x in INT32_RANGE else torch.int64
    return tensor_dtype(floatx() if isinstance(x, float) else "complex64")


def _from_list(x: Any, kind: torch.dtype | None) -> Tensor:
    leaves = tree.flatten(x)
    if any(isinstance(leaf, Tensor) for leaf in leaves):  # their gradients and device are kept
        tensors = [convert_to_tensor(item, kind) for item in x]
        for tensor in tensors[1:]:
            if kind is None or tensor.dtype is not kind:
                kind = torch.promote_types(kind or tensors[0].dtype, tensor.dtype)
        return torch.stack([tensor.to(kind) for tensor in tensors])
    try:
        if kind is None:
            types = {getattr(leaf, "dtype", None) or type(leaf) for leaf in leaves}
            kind = tensor_dtype(result_type(*types))
            if kind is torch.int32 and any(leaf not in INT32_RANGE for leaf in leaves if type(leaf) is int):
                kind = torch.int64
        if any(isinstance(leaf, np.ndarray) for leaf in leaves):
            return torch.from_numpy(np.array(x)).to(device=get_device(), dtype=kind)
        return torch.tensor(x, dtype=kind, device=get_device())
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"The list could not be made a tensor: expected numbers, nested to equal lengths. Received: {received(x)}"
        ) from error


def convert_to_numpy(x: Any) -> np.ndarray:
    """Return a copy of the values as a NumPy array; bfloat16 as float32, which holds its values exactly."""
    if isinstance(x, KerasTensor):
        raise ValueError(f"A symbolic tensor has no values to be converted to NumPy. Received: {x}")
    if isinstance(x, (list, tuple)):
        return np.array([convert_to_numpy(item) if isinstance(item, Tensor) else item for item in x])
    if not isinstance(x, Tensor):
        return np.array(x)
    x = x.detach()
    if x.dtype is torch.bfloat16:
        x = x.float()
    return np.array(x.resolve_conj().resolve_neg().cpu().numpy())


@operation
def cast(x: Any, dtype: Any) -> Any:
    """Return `x` with the dtype `dtype`, `floatx()` for None."""
    kind = tensor_dtype(dtype)
    return x.to(kind) if isinstance(x, Tensor) else convert_to_tensor(x, kind)


def is_tensor(x: Any) -> bool:
    """True for torch tensors, False for symbolic ones, arrays and numbers."""
    return isinstance(x, Tensor)


def shape(x: Any) -> tuple[int | None, ...]:
    """Return the shape of a tensor or array as a tuple, with None for unknown sizes of a symbolic tensor."""
    return tuple(x.shape)


def dtype(x: Any) -> str:
    """Return the name of the dtype of a tensor or array.

    Example:
        >>> dtype(torch.zeros(3))
        'float32'
    """
    return standardize_dtype(x.dtype)
