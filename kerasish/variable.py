"""`Variable`: a `torch.nn.Parameter` that also answers to Keras's names."""

from __future__ import annotations

import contextlib
import math
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from kerasish.config import get_device
from kerasish.dtypes import standardize_dtype, torch_dtype
from kerasish.errors import format_shape
from kerasish.naming import current_path, unique_name

_allowance = threading.local()
PARAMETER_OF_A_SUBCLASS = torch.nn.Parameter.__new__.__code__


class Variable(torch.nn.Parameter):
    """A weight: a torch Parameter with `assign`, `numpy`, `value`, `name`, `path` and `trainable`.

    Args:
        initializer: an array or tensor, or a callable `(shape, dtype) -> tensor`, or an initializer's name.
        shape: needed with a callable initializer.
        dtype: data type; `floatx()` for a callable.
        trainable: whether gradients flow to it (`requires_grad`).
        name: last part of `path`.

    Operations on a Variable give plain tensors, as for any Parameter.
    """

    _name: str
    _path: str
    _trainable: bool
    autocast: bool
    synchronization: str
    regularizer: Any
    constraint: Any
    overwrite_with_gradient: bool
    aggregation: str

    def __new__(
        cls,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str = "none",
        synchronization: str = "auto",
        name: str | None = None,
        layout: Any = None,
        **kwargs: Any,
    ) -> Variable:
        if layout is not None:
            raise ValueError("`layout` is not supported: distribute with torch's own tools (FSDP, DTensor).")
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments for Variable: {sorted(kwargs)}")
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ValueError(f"`name` must be a string without '/'. Received: name={name!r}")
        value = _initial_value(initializer, shape, dtype)
        needs_grad = bool(trainable) and (value.is_floating_point() or value.is_complex())
        self = torch.Tensor._make_subclass(cls, value, needs_grad)
        self._name = name or unique_name("variable")
        scope = current_path()
        self._path = f"{scope}/{self._name}" if scope else self._name
        self._trainable = bool(trainable)
        self.autocast = autocast
        self.aggregation = aggregation
        self.synchronization = synchronization
        self.regularizer = None
        self.constraint = None
        self.overwrite_with_gradient = False
        return self

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """All is done in `__new__`, as for `torch.nn.Parameter`."""

    @property
    def name(self) -> str:
        """The name given, e.g. `"kernel"`."""
        return self._name

    @property
    def path(self) -> str:
        """The name with the layers above it, e.g. `"sequential/dense/kernel"`."""
        return self._path

    @property
    def value(self) -> Variable:
        """The tensor itself."""
        return self

    @property
    def trainable(self) -> bool:
        """Whether training may change it; setting it sets `requires_grad`."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        if self.is_floating_point() or self.is_complex():
            self.requires_grad_(self._trainable)

    def assign(self, value: Any) -> Variable:
        """Overwrite the values in place; the shape must fit exactly."""
        value = torch.as_tensor(value, device=self.device)
        if value.shape != self.shape:
            raise ValueError(
                f"The shape of the value must be that of the variable {self.path!r}: expected "
                f"{format_shape(self.shape)}. Received: {format_shape(value.shape)}"
            )
        with torch.no_grad():
            self.copy_(value)
        return self

    def assign_add(self, value: Any) -> Variable:
        """Add in place."""
        with torch.no_grad():
            self.add_(torch.as_tensor(value, dtype=self.dtype, device=self.device))
        return self

    def assign_sub(self, value: Any) -> Variable:
        """Subtract in place."""
        with torch.no_grad():
            self.sub_(torch.as_tensor(value, dtype=self.dtype, device=self.device))
        return self

    def detach(self) -> torch.Tensor:
        """The values as a plain tensor without gradient."""
        is_traced = torch.compiler.is_compiling()
        if not is_traced and sys._getframe(1).f_code is PARAMETER_OF_A_SUBCLASS:
            return _rebuild(
                type(self), super().detach(), False, self.__dict__
            )  # it insists on the class it was given
        return super().detach()

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """A copy of the values as a NumPy array (bfloat16 as float32, which holds its values exactly)."""
        values = self.detach()
        if values.dtype is torch.bfloat16:
            values = values.float()
        return values.cpu().numpy().copy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        values = self.numpy()
        return values if dtype is None else values.astype(dtype)

    def __deepcopy__(self, memo: dict) -> Variable:
        if id(self) not in memo:
            memo[id(self)] = _rebuild(type(self), self.detach().clone(), self.requires_grad, self.__dict__)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> tuple:
        return _rebuild, (type(self), self.detach(), self.requires_grad, dict(self.__dict__))

    def __repr__(self) -> str:  # type: ignore[override]
        return (
            f"<Variable path={self.path}, shape={format_shape(self.shape)}, dtype={self.dtype}, "
            f"value={self.detach().cpu().numpy() if self.dtype is not torch.bfloat16 else self.detach()}>"
        )


def _rebuild(cls: type, data: torch.Tensor, requires_grad: bool, attributes: dict) -> Variable:
    variable: Any = torch.Tensor._make_subclass(cls, data, requires_grad)
    variable.__dict__.update(attributes)
    return variable


def _initial_value(initializer: Any, shape: Any, dtype: Any) -> torch.Tensor:
    if isinstance(initializer, str):
        from kerasish.initializers import get

        initializer = get(initializer)
    device = get_device()
    if not callable(initializer):
        value = torch.as_tensor(initializer)
        if dtype is None and value.dtype is torch.float64 and not isinstance(initializer, torch.Tensor):
            dtype = None if isinstance(initializer, np.ndarray) else "float32"
        kind = value.dtype if dtype is None else torch_dtype(dtype)
        value = value.detach().to(device=device, dtype=kind, copy=True)
        if shape is not None and tuple(shape) != tuple(value.shape):
            raise ValueError(
                f"`shape` must be that of the initial value, {format_shape(value.shape)}. "
                f"Received: shape={format_shape(shape)}"
            )
        return value
    if shape is None:
        raise ValueError("`shape` must be given when `initializer` is a callable. Received: shape=None")
    shape = tuple(int(size) for size in shape)
    _take_from_allowance(shape, torch_dtype(dtype))
    make: Callable = initializer
    with torch.no_grad():
        value = torch.as_tensor(make(shape, dtype=standardize_dtype(dtype)))
    if tuple(value.shape) != shape:
        raise ValueError(
            f"The initializer {initializer!r} must return shape {format_shape(shape)}. "
            f"Received: {format_shape(value.shape)}"
        )
    return value.detach().to(device=device, dtype=torch_dtype(dtype)).contiguous()


@contextlib.contextmanager
def initial_values_up_to(size: float, more: Callable[[], float], source: str) -> Iterator[None]:
    """Context in which variables may be made of `size` bytes in all and, where that is too little, of `more()` others:
    what the file that describes them can fill.
    """
    outer = getattr(_allowance, "left", None)
    _allowance.left = [size, more, source]
    try:
        yield
    finally:
        _allowance.left = outer


def _take_from_allowance(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    allowance = getattr(_allowance, "left", None)
    if allowance is None:
        return
    allowance[0] -= math.prod(shape) * dtype.itemsize
    if allowance[0] < 0 and allowance[1] is not None:
        allowance[0] += allowance[1]()
        allowance[1] = None
    if allowance[0] < 0:
        raise ValueError(
            f"The config in {allowance[2]!r} describes a weight of shape {format_shape(shape)}, which is far more than "
            "the file holds: the file is damaged or hostile. Nothing was allocated for it."
        )
