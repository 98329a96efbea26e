"""Operands that keep torch's common dtype, float64 among them."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from kerasish.ops.core import convert_to_tensor
from kerasish.ops.operands import as_float


def to_common(*values: Any) -> list[Tensor]:
    """The values as tensors of the dtype to which torch promotes theirs."""
    tensors = [convert_to_tensor(value) for value in values]
    common = functools.reduce(torch.promote_types, [tensor.dtype for tensor in tensors])
    return [tensor.to(common) for tensor in tensors]


def to_common_float(*values: Any) -> list[Tensor]:
    """As `to_common`, but integers become `floatx()`."""
    return [as_float(tensor) for tensor in to_common(*values)]
