"""Linear algebra, on the last two axes of stacks of matrices."""

# … stacked dimensions, M rows, N columns, K = min(M, N)

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from kerasish.errors import format_shape
from kerasish.ops.floating import to_common_float
from kerasish.ops.operands import as_float, as_narrow_float
from kerasish.ops.operation import operation


def _matrices(name: str, x: Any, is_square: bool = False) -> Tensor:
    x = as_float(x)
    if x.ndim < 2 or (is_square and x.shape[-1] != x.shape[-2]):
        kind = "square matrices" if is_square else "matrices"
        raise ValueError(
            f"{name}: expected {kind} in the last two axes. Received: x of shape {format_shape(x.shape)}"
        )
    return x


@operation
def cholesky(x: Any, upper: bool = False) -> Any:
    """The triangular L with `L Lᴴ = x`, or `U = Lᴴ` if `upper`, for positive-definite x.

    Raises:
        ValueError: a matrix is not positive-definite.
    """
    x = _matrices("cholesky", x, is_square=True)
    try:
        return torch.linalg.cholesky(x, upper=upper)
    except torch.linalg.LinAlgError as error:
        raise ValueError(f"cholesky: the matrices must be positive-definite. Torch says: {error}") from error


@operation
def cholesky_inverse(x: Any, upper: bool = False) -> Any:
    """`(L Lᴴ)⁻¹` for a Cholesky factor L, or `(Uᴴ U)⁻¹` if `upper`."""
    return torch.cholesky_inverse(_matrices("cholesky_inverse", x, is_square=True), upper=upper)


@operation
def det(x: Any) -> Any:
    """Determinants."""
    return torch.linalg.det(_matrices("det", x, is_square=True))


@operation
def eig(x: Any) -> Any:
    """Eigenvalues `(…, N)` and eigenvectors, in columns `(…, N, N)`, both complex."""
    return torch.linalg.eig(_matrices("eig", x, is_square=True))


@operation
def eigh(x: Any) -> Any:
    """Eigenvalues `(…, N)` in ascending order and eigenvectors, in columns, of Hermitian matrices."""
    return torch.linalg.eigh(_matrices("eigh", x, is_square=True))


@operation
def inv(x: Any) -> Any:
    """Inverses."""
    return torch.linalg.inv(_matrices("inv", x, is_square=True))


@operation
def lu_factor(x: Any) -> Any:
    """L (below the diagonal) and U of `P x = L U` in one matrix, and the pivots, counted from 0, int32 `(…, K)`.

    Differs: `torch.linalg.lu_factor` counts pivots from 1.
    """
    factors, pivots = torch.linalg.lu_factor(_matrices("lu_factor", x))
    return factors, pivots - 1


@operation
def matrix_rank(x: Any, tol: Any = None) -> Any:
    """The number of singular values above `tol`, int32; for None, torch's bound from the dtype and the largest one."""
    x = _matrices("matrix_rank", x)
    rank = torch.linalg.matrix_rank(x) if tol is None else torch.linalg.matrix_rank(x, tol)
    return rank.to(torch.int32)


@operation
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Norms of vectors (one axis) or matrices (two axes).

    Args:
        ord: p of the p-norm of vectors (0 counts non-zeros); for matrices "fro", "nuc", ±1 (columns), ±2 (singular
            values), ±inf (rows); None for the square root of the sum of squares.
        axis: an axis or two; None for all of them, which must be one or two unless `ord` is None.

    Raises:
        ValueError: `ord` is not defined for so many axes.
    """
    x = as_narrow_float(x)
    axes = None if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    if ord is None:
        if axes is not None and len(axes) > 2:
            raise ValueError(f"norm: `axis` must be one axis or two. Received: axis={axis!r}")
        return torch.linalg.vector_norm(x, 2, dim=axes, keepdim=keepdims)
    axes = axes or tuple(range(x.ndim))
    if len(axes) == 2 and ord in ("fro", "nuc", 1, -1, 2, -2, float("inf"), float("-inf")):
        return torch.linalg.matrix_norm(x, ord, dim=axes, keepdim=keepdims)
    if len(axes) == 1 and not isinstance(ord, str):
        return torch.linalg.vector_norm(x, ord, dim=axes, keepdim=keepdims)
    raise ValueError(
        "norm: `ord` must be a number for vectors (one axis), and one of 'fro', 'nuc', ±1, ±2, ±inf for matrices (two "
        f"axes). Received: ord={ord!r}, axis={axis!r}, x of shape {format_shape(x.shape)}"
    )


@operation
def pinv(x: Any, rcond: Any = None) -> Any:
    """Moore-Penrose inverses `(…, N, M)`; singular values below `rcond` times the largest one count as 0."""
    return torch.linalg.pinv(_matrices("pinv", x), rtol=rcond)


@operation
def qr(x: Any, mode: str = "reduced") -> Any:
    """Q with orthonormal columns and the upper triangular R of `x = Q R`.

    Args:
        mode: "reduced", `(…, M, K)` and `(…, K, N)`, or "complete", `(…, M, M)` and `(…, M, N)`.
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: `mode` must be 'reduced' or 'complete'. Received: mode={mode!r}")
    return torch.linalg.qr(_matrices("qr", x), mode=mode)


@operation
def solve(a: Any, b: Any) -> Any:
    """The x of `a x = b`: b is `(…, N)` or `(…, N, any)` for a `(…, N, N)`."""
    a, b = to_common_float(a, b)
    return torch.linalg.solve(_matrices("solve", a, is_square=True), b)


@operation
def solve_triangular(a: Any, b: Any, lower: bool = False) -> Any:
    """The x of `a x = b` for upper (or `lower`) triangular a; the other triangle is not looked at."""
    a, b = to_common_float(a, b)
    a = _matrices("solve_triangular", a, is_square=True)
    if b.ndim == a.ndim - 1:
        return torch.linalg.solve_triangular(a, b.unsqueeze(-1), upper=not lower).squeeze(-1)
    return torch.linalg.solve_triangular(a, b, upper=not lower)


@operation
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Singular values in descending order, s, or (U, s, Vᴴ) with `x = U diag(s) Vᴴ` if `compute_uv`.

    Args:
        full_matrices: whether U is `(…, M, M)` and Vᴴ `(…, N, N)`, rather than `(…, M, K)` and `(…, K, N)`.
    """
    x = _matrices("svd", x)
    if not compute_uv:
        return torch.linalg.svdvals(x)
    return torch.linalg.svd(x, full_matrices=full_matrices)


@operation
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """The x of least norm among those that minimise `|a x − b|²`: a is `(…, M, N)`, b `(…, M)` or `(…, M, any)`.

    Args:
        rcond: singular values of `a` below `rcond` times the largest one count as 0.
    """
    a, b = to_common_float(a, b)
    a = _matrices("lstsq", a)
    is_vector = b.ndim == a.ndim - 1
    columns = b.unsqueeze(-1) if is_vector else b
    if columns.ndim < 2 or columns.shape[-2] != a.shape[-2]:
        raise ValueError(
            "lstsq: `a` must have shape (…, M, N) and `b` (…, M) or (…, M, any). "
            f"Received: {format_shape(a.shape)} and {format_shape(b.shape)}"
        )
    if rcond is None:
        rcond = torch.finfo(a.dtype).eps * max(a.shape[-2:])
    u, s, vh = torch.linalg.svd(a, full_matrices=False)
    counts = s > rcond * s[..., :1]
    inverse = torch.where(counts, 1 / torch.where(counts, s, 1), 0)
    x = vh.mH @ (inverse.unsqueeze(-1).to(a.dtype) * (u.mH @ columns))
    return x.squeeze(-1) if is_vector else x


@operation
def jvp(fun: Callable, primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """The value of `fun` at `primals` and its derivative in the direction `tangents`, by forward differentiation.

    Args:
        fun: function of tensors.
        primals, tangents: its arguments and their directions, in equal structures.
        has_aux: whether `fun` returns (result, something else), which then comes third.

    Example:
        >>> [float(x) for x in jvp(lambda x: x**2, (3.0,), (2.0,))]
        [9.0, 12.0]
    """
    points, directions = ([as_float(x) for x in values] for values in (primals, tangents))
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "`torch.jit.script` is deprecated", DeprecationWarning
        )  # torch's own use
        return torch.func.jvp(fun, tuple(points), tuple(directions), has_aux=has_aux)
