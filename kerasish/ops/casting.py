"""Casts that keep within the range of the new dtype."""

from __future__ import annotations

from typing import Any

import torch

from kerasish.dtypes import standardize_dtype, tensor_dtype
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.operation import operation


@operation
def saturate_cast(x: Any, dtype: Any) -> Any:
    """Cast to `dtype`; values out of its range become the nearest one in it.

    Example:
        >>> saturate_cast([-1, 256], "uint8")
        tensor([  0, 255], dtype=torch.uint8)
    """
    x = convert_to_tensor(x)
    kind = tensor_dtype(dtype)
    if x.dtype is torch.bool or kind is torch.bool or kind.is_complex:
        return x.to(kind)
    low, high = (_as_number(limit, x.dtype) for limit in _limits(dtype))
    return x.clamp(low, high).to(kind)


def _limits(dtype: Any) -> tuple[float, float]:
    name = standardize_dtype(dtype)
    if name.startswith("uint"):
        return 0, 2 ** int(name[4:]) - 1
    limits = torch.finfo(tensor_dtype(name)) if "float" in name else torch.iinfo(tensor_dtype(name))
    return limits.min, limits.max


def _as_number(limit: float, source: torch.dtype) -> float:
    """The limit, or that of the source dtype where it is narrower; floats stay below a limit they cannot express."""
    limits: Any = torch.finfo(source) if source.is_floating_point else torch.iinfo(source)
    bounded = min(max(limit, limits.min), limits.max)
    if not source.is_floating_point or not isinstance(limit, int):
        return bounded
    nearest = torch.tensor(bounded, dtype=source)
    is_beyond = abs(int(nearest)) > abs(limit)
    return float(torch.nextafter(nearest, torch.zeros_like(nearest)) if is_beyond else nearest)
