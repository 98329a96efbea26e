"""Products of vectors, matrices and tensors, differences and integrals along an axis, and `vectorize`."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from kerasish.dtypes import result_type, tensor_dtype
from kerasish.errors import format_shape
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.numpy.reductions import sum as _sum
from kerasish.ops.operands import as_float, canonical_axis, promoted, require_rank
from kerasish.ops.operation import operation


def _product(function: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
    """Call a product of tensors of one dtype where torch has no kernel for it, on booleans and integers on CUDA."""
    dtype = tensors[0].dtype
    if dtype.is_floating_point or dtype.is_complex:
        return function(*tensors)
    if tensors[0].device.type == "cuda":
        return function(*(x.double() for x in tensors)).to(dtype)
    if dtype is torch.bool:
        return function(*(x.int() for x in tensors)).to(dtype)
    return function(*tensors)


@operation
def matmul(x1: Any, x2: Any) -> Any:
    """Return the product of matrices along the last two axes; of vectors as rows (`x1`) and columns (`x2`).

    The products of int8 matrices are int32.
    """
    x1, x2 = convert_to_tensor(x1), convert_to_tensor(x2)
    x1, x2 = (x1.int(), x2.int()) if x1.dtype is x2.dtype is torch.int8 else promoted(x1, x2)
    if not x1.ndim or not x2.ndim:
        raise ValueError(
            "`matmul` takes tensors of at least 1 dimension (`multiply` takes numbers). "
            f"Received: shapes {format_shape(x1.shape)} and {format_shape(x2.shape)}"
        )
    return _product(torch.matmul, x1, x2)


@operation
def dot(x1: Any, x2: Any) -> Any:
    """Return `Σ_k x1[…, k] · x2[…, k, j]`, for vectors `Σ_k x1[k] · x2[k]`; with a number `x1 · x2`."""
    x1, x2 = promoted(x1, x2)
    if not x1.ndim or not x2.ndim:
        return x1 * x2
    if x2.ndim == 1 or x1.ndim == x2.ndim == 2:
        return _product(torch.matmul, x1, x2)
    return _product(functools.partial(torch.tensordot, dims=([-1], [-2])), x1, x2)


@operation
def inner(x1: Any, x2: Any) -> Any:
    """Return the sum of products over the last axes of both; with a number `x1 · x2`."""
    x1, x2 = promoted(x1, x2)
    if not x1.ndim or not x2.ndim:
        return x1 * x2
    return _product(functools.partial(torch.tensordot, dims=([-1], [-1])), x1, x2)


@operation
def outer(x1: Any, x2: Any) -> Any:
    """Return all products of an element of `x1` (rows) and one of `x2` (columns), both flattened."""
    x1, x2 = convert_to_tensor(x1), convert_to_tensor(x2)
    return x1.reshape(-1, 1) * x2.reshape(1, -1)


@operation
def vdot(x1: Any, x2: Any) -> Any:
    """Return `Σ conj(x1) · x2` over both, flattened."""
    x1, x2 = promoted(x1, x2)
    return _product(torch.vdot, x1.reshape(-1), x2.reshape(-1))


@operation
def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """Return the sum of products over pairs of axes.

    Args:
        axes: how many of the last axes of `x1` and first of `x2`, or (axes of `x1`, axes of `x2`).
    """
    x1, x2 = promoted(x1, x2)
    if not isinstance(axes, int):
        axes = tuple([a] if isinstance(a, int) else list(a) for a in axes)
    return _product(functools.partial(torch.tensordot, dims=axes), x1, x2)


@operation
def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Return sums of products by Einstein's convention: `einsum("ij,jk->ik", a, b)` is the product of matrices.

    Args:
        optimize: accepted: the order of the products is always chosen by their cost if `opt_einsum` is installed.
    """
    unknown = sorted(set(kwargs) - {"optimize"})
    if unknown:
        raise TypeError(f"`einsum` has only the keyword argument `optimize`. Received: {unknown}")
    tensors = [convert_to_tensor(x) for x in operands]
    dtype = functools.reduce(torch.promote_types, (x.dtype for x in tensors))
    if dtype is torch.int8:
        dtype = torch.int32
    return _product(functools.partial(torch.einsum, subscripts), *(x.to(dtype) for x in tensors))


@operation
def kron(x1: Any, x2: Any) -> Any:
    """Return Kronecker's product: the blocks `x1[i, j] · x2`."""
    return torch.kron(convert_to_tensor(x1), convert_to_tensor(x2))


@operation
def cross(
    x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """Return the cross product of vectors of 3 elements; of 2 elements, its third component.

    Args:
        axisa, axisb, axisc: where the vectors lie in `x1`, `x2` and the result.
        axis: the same for all three.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x1, x2 = promoted(x1, x2)
    x1, x2 = x1.movedim(axisa, -1), x2.movedim(axisb, -1)
    sizes = (x1.shape[-1], x2.shape[-1])
    if not set(sizes) <= {2, 3}:
        raise ValueError(
            f"The vectors of `cross` must have 2 or 3 elements. Received: {sizes[0]} and {sizes[1]}"
        )
    if sizes == (2, 2):
        return x1[..., 0] * x2[..., 1] - x1[..., 1] * x2[..., 0]
    x1, x2 = (torch.nn.functional.pad(x, (0, 3 - x.shape[-1])) for x in (x1, x2))
    return torch.linalg.cross(*torch.broadcast_tensors(x1, x2)).movedim(-1, axisc)


@operation
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the sum of a diagonal of the matrices along two axes."""
    x = convert_to_tensor(x)
    require_rank(x, 2, "trace")
    return _sum(torch.diagonal(x, offset, axis1, axis2), -1)


@operation
def slogdet(x: Any) -> Any:
    """Return the sign of the determinant of matrices, and the logarithm of its absolute value."""
    return tuple(torch.linalg.slogdet(as_float(x)))


@operation
def correlate(x1: Any, x2: Any, mode: str = "valid") -> Any:
    """Return the cross-correlation of vectors, `c_k = Σ_n x1[n + k] · x2[n]`.

    Args:
        mode: `"valid"` for the k where the shorter lies within the longer, `"full"` for all where they meet, `"same"`
            for the middle ones, as many as the longer has elements.
    """
    if mode not in ("valid", "same", "full"):
        raise ValueError(f"`mode` must be 'valid', 'same' or 'full'. Received: mode={mode!r}")
    x1, x2 = promoted(convert_to_tensor(x1), convert_to_tensor(x2), with_float=True)
    if x1.ndim != 1 or x2.ndim != 1 or not x1.numel() or not x2.numel():
        raise ValueError(
            "`correlate` takes two vectors that are not empty. "
            f"Received: shapes {format_shape(x1.shape)} and {format_shape(x2.shape)}"
        )
    long, short = sorted((x1.numel(), x2.numel()), reverse=True)
    everything = torch.nn.functional.conv1d(x1[None, None], x2.conj()[None, None], padding=x2.numel() - 1)[
        0, 0
    ]
    if mode == "full":
        return everything
    if mode == "valid":
        return everything.narrow(0, short - 1, long - short + 1)
    first = (short - 1) // 2 if x1.numel() >= x2.numel() else short // 2
    return everything.narrow(0, first, long)


@operation
def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Return the differences of neighbours along an axis, `n` times over; of booleans, whether they differ."""
    return torch.diff(convert_to_tensor(a), n, axis)


@operation
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """Return the integral along an axis by the trapezoidal rule, `Σ (y_i + y_i+1) / 2 · (x_i+1 − x_i)`.

    Args:
        x: where the values `y` lie: of the shape of `y`, or a vector along the axis; at distances `dx` for None.
    """
    y = as_float(y)
    axis = canonical_axis(axis, y.ndim)
    if x is None:
        return torch.trapezoid(y, dx=dx, dim=axis)
    x = convert_to_tensor(x)
    x = x.to(tensor_dtype(result_type(x.dtype, "int32"))) if x.dtype is torch.bool else x
    if x.ndim == 1 < y.ndim:
        x = x.reshape([-1 if i == axis else 1 for i in range(y.ndim)])
    return torch.trapezoid(y, x, dim=axis)


SIGNATURE = re.compile(r"\s*(\([\w\s,]*\)\s*,\s*)*\([\w\s,]*\)\s*->\s*(\([\w\s,]*\)\s*,\s*)*\([\w\s,]*\)\s*")


def vectorize(pyfunc: Callable, *, excluded: Any = None, signature: str | None = None) -> Callable:
    """Return a function that applies `pyfunc` to all elements, or parts, of its broadcast arguments.

    Args:
        pyfunc: a function of tensors without axes, or with those of `signature`.
        excluded: positions and names of the arguments that are passed as they are; other named ones are passed so, too.
        signature: the axes of the parts, for example `"(n),(n)->()"` for a product of vectors.
    """
    if not callable(pyfunc):
        raise ValueError(f"`pyfunc` must be a function. Received: {pyfunc!r}")
    if signature is not None and not SIGNATURE.fullmatch(signature):
        raise ValueError(f"`signature` must look like '(m,n),(n)->(m)'. Received: signature={signature!r}")
    fixed = set() if excluded is None else set(excluded)

    @operation
    @functools.wraps(pyfunc)
    def vectorized(*args: Any, **kwargs: Any) -> Any:
        loose = [i for i in range(len(args)) if i not in fixed]
        tensors = [convert_to_tensor(args[i]) for i in loose]
        ranks = _core_ranks(signature, len(tensors))
        loops = [x.shape[: x.ndim - rank] for x, rank in zip(tensors, ranks, strict=True)]
        loop = torch.broadcast_shapes(*loops)

        def on_parts(*parts: Tensor) -> Any:
            values = list(args)
            for i, part in zip(loose, parts, strict=True):
                values[i] = part
            return pyfunc(*values, **kwargs)

        mapped: Callable = on_parts
        for _ in loop:
            mapped = torch.vmap(mapped)
        return mapped(
            *(x.expand(*loop, *x.shape[x.ndim - rank :]) for x, rank in zip(tensors, ranks, strict=True))
        )

    return vectorized


def _core_ranks(signature: str | None, count: int) -> list[int]:
    if signature is None:
        return [0] * count
    parts = re.findall(r"\(([^)]*)\)", signature.split("->")[0])
    if len(parts) != count:
        raise ValueError(f"The signature {signature!r} has {len(parts)} arguments. Received: {count}")
    return [len([name for name in part.split(",") if name.strip()]) for part in parts]
