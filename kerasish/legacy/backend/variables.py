"""Variables, constants and random draws, under Keras 2's argument names and defaults."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch

from kerasish import random
from kerasish.dtypes import standardize_dtype, torch_dtype
from kerasish.ops import control, numpy
from kerasish.ops.core import convert_to_numpy, convert_to_tensor
from kerasish.ops.operation import operation
from kerasish.variable import Variable


def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Variable:
    """A variable of the default float type, or of `dtype`."""
    made = Variable(convert_to_tensor(value), dtype=standardize_dtype(dtype), name=name)
    made.constraint = constraint
    return made


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Any:
    """A tensor of the default float type, or of `dtype`; one value fills the whole shape."""
    tensor = convert_to_tensor(value, standardize_dtype(dtype))
    return (
        tensor if shape is None else (tensor.reshape(shape) if tensor.ndim else tensor.expand(shape).clone())
    )


def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """A variable of zeros."""
    return variable(numpy.zeros(shape, dtype), dtype, name)


def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """A variable of ones."""
    return variable(numpy.ones(shape, dtype), dtype, name)


def eye(size: int, dtype: Any = None, name: str | None = None) -> Variable:
    """The unit matrix as a variable."""
    return variable(numpy.eye(size, dtype=dtype), dtype, name)


def zeros_like(x: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Zeros in the shape of `x`."""
    return numpy.zeros_like(x, dtype)


def ones_like(x: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Ones in the shape of `x`."""
    return numpy.ones_like(x, dtype)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = "int32") -> Any:
    """`start, start + step, …` below `stop`; with one number, from 0 up to it."""
    return numpy.arange(start, stop, step, dtype)


@operation
def identity(x: Any, name: str | None = None) -> Any:
    """A copy."""
    return torch.clone(convert_to_tensor(x))


def is_variable(x: Any) -> bool:
    """Whether `x` is a `Variable`."""
    return isinstance(x, Variable)


def get_variable_shape(x: Any) -> tuple[int, ...]:
    """The shape as a tuple."""
    return tuple(x.shape)


def get_value(x: Any) -> np.ndarray:
    """The values as a NumPy array."""
    return convert_to_numpy(x)


def eval(x: Any) -> np.ndarray:
    """The values as a NumPy array."""
    return convert_to_numpy(x)


def batch_get_value(tensors: Iterable[Any]) -> list[np.ndarray]:
    """The values as NumPy arrays."""
    return [convert_to_numpy(tensor) for tensor in tensors]


def set_value(x: Variable, value: Any) -> None:
    """Assign `value` to a variable."""
    x.assign(value)


def batch_set_value(tuples: Iterable[tuple[Variable, Any]]) -> None:
    """Assign to each variable of `(variable, value)` pairs its value."""
    for target, value in tuples:
        target.assign(value)


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


def moving_average_update(x: Variable, value: Any, momentum: float) -> Variable:
    """`x ← x · momentum + value · (1 − momentum)`, in place."""
    x.assign(x.detach() * momentum + value * (1 - momentum))
    return x


def cast_to_floatx(x: Any) -> Any:
    """`x` in the default float type; arrays stay arrays."""
    return x.to(torch_dtype(None)) if isinstance(x, torch.Tensor) else np.asarray(x, standardize_dtype(None))


def stop_gradient(variables: Any) -> Any:
    """The same values, or list of values, through which no gradient flows."""
    if isinstance(variables, (list, tuple)):
        return [control.stop_gradient(x) for x in variables]
    return control.stop_gradient(variables)


def print_tensor(x: torch.Tensor, message: str = "", summarize: int = 3) -> torch.Tensor:
    """Print `x` after `message`, with `summarize` values at each edge, and return it."""
    values = np.array2string(convert_to_numpy(x), edgeitems=summarize, threshold=2 * summarize)
    print(f"{message} {values}".strip())
    return x


@operation
def dropout(x: Any, level: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """Set a fraction `level` of the values to zero and scale the others by 1 / (1 − level)."""
    return random.dropout(x, level, noise_shape, seed)


def random_binomial(
    shape: Sequence[int], p: float = 0.0, dtype: Any = None, seed: Any = None
) -> torch.Tensor:
    """1 with probability `p`, else 0."""
    return (random.uniform(shape, seed=seed) < p).to(torch_dtype(dtype))


random_bernoulli = random_binomial


def random_normal_variable(
    shape: Sequence[int],
    mean: float,
    scale: float,
    dtype: Any = None,
    name: str | None = None,
    seed: Any = None,
) -> Variable:
    """A variable drawn from N(mean, scale²)."""
    return variable(random.normal(shape, mean, scale, dtype=dtype, seed=seed), dtype, name)


def random_uniform_variable(
    shape: Sequence[int],
    low: float,
    high: float,
    dtype: Any = None,
    name: str | None = None,
    seed: Any = None,
) -> Variable:
    """A variable drawn from U(low, high)."""
    return variable(random.uniform(shape, low, high, dtype=dtype, seed=seed), dtype, name)
