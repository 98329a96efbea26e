"""Functions of Keras 2's `keras.backend` whose defaults or argument order no function of `keras.ops` has.

`legacy.names` leads `keras.backend.argmax` and its kin here; all of them take tensors and symbolic tensors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from string import ascii_lowercase
from typing import Any

import numpy as np
import torch

from kerasish.config import get_device, standardize_data_format
from kerasish.dtypes import standardize_dtype, torch_dtype
from kerasish.random import normal, uniform
from kerasish.variable import Variable


def argmax(x: torch.Tensor, axis: int = -1) -> torch.Tensor:
    """The index of the largest value along `axis`."""
    return torch.argmax(x, axis)


def argmin(x: torch.Tensor, axis: int = -1) -> torch.Tensor:
    """The index of the smallest value along `axis`."""
    return torch.argmin(x, axis)


def batch_dot(
    x: torch.Tensor, y: torch.Tensor, axes: int | Sequence[int | None] | None = None
) -> torch.Tensor:
    """Sum products over one axis of `x` and one of `y`, sample by sample: at least `(B, 1)`.

    Args:
        axes: the two axes, or one number for both; the last of `x` and the last but one of `y` by default.
    """
    if axes is None:
        axes = (x.ndim - 1, 1 if y.ndim == 2 else y.ndim - 2)
    of_x, of_y = (axes, axes) if isinstance(axes, int) else axes
    x_letters = list(ascii_lowercase[: x.ndim])
    y_letters = ["a", *ascii_lowercase[x.ndim : x.ndim + y.ndim - 1]]
    of_x, of_y = int(of_x or 0) % x.ndim, int(of_y or 0) % y.ndim
    if 0 in (of_x, of_y):
        raise ValueError(f"batch_dot cannot sum over the batch axis. Received: axes={axes!r}")
    shared = y_letters[of_y] = x_letters[of_x]
    kept = "".join(letter for letter in x_letters + y_letters[1:] if letter != shared)
    product = torch.einsum(f"{''.join(x_letters)},{''.join(y_letters)}->{kept}", x, y)
    return product.unsqueeze(-1) if product.ndim == 1 else product


def batch_flatten(x: torch.Tensor) -> torch.Tensor:
    """`(B, …)` → `(B, n)`."""
    return torch.flatten(x, 1)


def batch_get_value(tensors: Iterable[torch.Tensor]) -> list[np.ndarray]:
    """The values as NumPy arrays."""
    return [tensor.detach().cpu().numpy() for tensor in tensors]


def batch_set_value(tuples: Iterable[tuple[Variable, Any]]) -> None:
    """Assign to each variable of `(variable, value)` pairs its value."""
    for variable, value in tuples:
        variable.assign(value)


def cast_to_floatx(x: Any) -> Any:
    """`x` in the default float type; arrays stay arrays."""
    return x.to(torch_dtype(None)) if isinstance(x, torch.Tensor) else np.asarray(x, standardize_dtype(None))


def concatenate(tensors: Sequence[torch.Tensor], axis: int = -1) -> torch.Tensor:
    """Join along the last axis by default, where `keras.ops.concatenate` takes the first."""
    return torch.cat(list(tensors), axis)


def count_params(x: torch.Tensor) -> int:
    """The number of values of a variable."""
    return int(np.prod(x.shape))


def cumprod(x: torch.Tensor, axis: int = 0) -> torch.Tensor:
    """Products of the values up to each place."""
    return torch.cumprod(x, axis)


def cumsum(x: torch.Tensor, axis: int = 0) -> torch.Tensor:
    """Sums of the values up to each place."""
    return torch.cumsum(x, axis)


def dtype(x: torch.Tensor) -> str:
    """The name of the dtype."""
    return standardize_dtype(x.dtype)


def expand_dims(x: torch.Tensor, axis: int = -1) -> torch.Tensor:
    """Insert an axis of length 1."""
    return torch.unsqueeze(x, axis)


def flatten(x: torch.Tensor) -> torch.Tensor:
    """All values in one axis."""
    return torch.reshape(x, (-1,))


def gather(reference: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
    """The rows of `reference` at `indices`."""
    return reference[torch.as_tensor(indices, dtype=torch.long, device=reference.device)]


def hard_sigmoid(x: torch.Tensor) -> torch.Tensor:
    """Keras 2's `clip(0.2 x + 0.5, 0, 1)`; Keras 3 has slope 1/6."""
    return torch.clamp(0.2 * x + 0.5, 0, 1)


def identity(x: torch.Tensor, name: str | None = None) -> torch.Tensor:
    """A copy."""
    return torch.clone(x)


def in_top_k(predictions: torch.Tensor, targets: torch.Tensor, k: int) -> torch.Tensor:
    """Whether the target's prediction is among the `k` largest of its row."""
    own = torch.gather(predictions, 1, targets.long().unsqueeze(1))
    return (predictions > own).sum(1) < k


def int_shape(x: Any) -> tuple[int | None, ...]:
    """The shape as a tuple."""
    return tuple(x.shape)


def is_sparse(tensor: torch.Tensor) -> bool:
    """Whether a tensor is sparse."""
    return tensor.layout is not torch.strided


def is_variable(x: Any) -> bool:
    """Whether `x` is a `Variable`."""
    return isinstance(x, Variable)


def l2_normalize(x: torch.Tensor, axis: int | None = None) -> torch.Tensor:
    """`x / sqrt(max(Σ x², 1e-12))`, over all values by default."""
    squares = torch.sum(x * x) if axis is None else torch.sum(x * x, axis, keepdim=True)
    return x * torch.rsqrt(torch.clamp(squares, min=1e-12))


def moving_average_update(x: Variable, value: Any, momentum: float) -> Variable:
    """`x ← x · momentum + value · (1 − momentum)`, in place."""
    x.assign(x.detach() * momentum + value * (1 - momentum))
    return x


def one_hot(indices: torch.Tensor, num_classes: int) -> torch.Tensor:
    """One-hot vectors in the default float type."""
    return torch.nn.functional.one_hot(indices.long(), num_classes).to(torch_dtype(None))


def print_tensor(x: torch.Tensor, message: str = "", summarize: int = 3) -> torch.Tensor:
    """Print `x` after `message`, with `summarize` values at each edge, and return it."""
    values = np.array2string(x.detach().cpu().numpy(), edgeitems=summarize, threshold=2 * summarize)
    print(f"{message} {values}".strip())
    return x


def random_binomial(
    shape: Sequence[int], p: float = 0.0, dtype: Any = None, seed: Any = None
) -> torch.Tensor:
    """1 with probability `p`, else 0."""
    return (uniform(shape, seed=seed) < p).to(torch_dtype(dtype))


def random_normal_variable(
    shape: Sequence[int],
    mean: float,
    scale: float,
    dtype: Any = None,
    name: str | None = None,
    seed: Any = None,
) -> Variable:
    """A variable drawn from N(mean, scale²)."""
    return Variable(normal(shape, mean, scale, dtype=dtype, seed=seed), dtype=dtype, name=name)


def random_uniform_variable(
    shape: Sequence[int],
    low: float,
    high: float,
    dtype: Any = None,
    name: str | None = None,
    seed: Any = None,
) -> Variable:
    """A variable drawn from U(low, high)."""
    return Variable(uniform(shape, low, high, dtype=dtype, seed=seed), dtype=dtype, name=name)


def repeat(x: torch.Tensor, n: int) -> torch.Tensor:
    """`(B, F)` → `(B, n, F)`."""
    return torch.tile(torch.unsqueeze(x, 1), (1, n, 1))


def set_value(x: Variable, value: Any) -> None:
    """Assign `value` to a variable."""
    x.assign(value)


def spatial_2d_padding(
    x: torch.Tensor, padding: Sequence[Sequence[int]] = ((1, 1), (1, 1)), data_format: str | None = None
) -> torch.Tensor:
    """Zeros around pictures: `((top, bottom), (left, right))`."""
    (top, bottom), (left, right) = padding
    channels = (0, 0) if standardize_data_format(data_format) == "channels_last" else ()
    return torch.nn.functional.pad(x, (*channels, left, right, top, bottom))


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """`then_expression` where `condition` holds, `else_expression` elsewhere; functions are called first."""
    then_value, else_value = (f() if callable(f) else f for f in (then_expression, else_expression))
    condition = torch.as_tensor(condition, dtype=torch.bool, device=get_device())
    condition = condition.reshape(*condition.shape, *(1,) * (then_value.ndim - condition.ndim))
    return torch.where(condition, then_value, else_value)


def temporal_padding(x: torch.Tensor, padding: Sequence[int] = (1, 1)) -> torch.Tensor:
    """Zeros before and after sequences `(B, T, C)`."""
    return torch.nn.functional.pad(x, (0, 0, *padding))


def update(x: Variable, new_x: Any) -> Variable:
    """Assign `new_x` to a variable and return it."""
    x.assign(new_x)
    return x


def update_add(x: Variable, increment: Any) -> Variable:
    """Add to a variable, in place, and return it."""
    x.assign_add(increment)
    return x


def update_sub(x: Variable, decrement: Any) -> Variable:
    """Subtract from a variable, in place, and return it."""
    x.assign_sub(decrement)
    return x
