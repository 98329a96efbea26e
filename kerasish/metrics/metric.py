"""`Metric`: running state in variables, updated batch by batch, read by `result()`."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch

from kerasish import dtype_policies
from kerasish.config import device as device_scope
from kerasish.config import floatx, torch_device
from kerasish.dtypes import standardize_dtype
from kerasish.errors import received
from kerasish.naming import name_scope, unique_name
from kerasish.tree import flatten, map_structure
from kerasish.variable import Variable

AGGREGATIONS = (None, "none", "mean", "sum", "only_first_replica")


def _update_method(method: Callable) -> Callable:
    """Wrap `update_state`: it records no gradients, and skips tensors without data (shape inference)."""

    @functools.wraps(method)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        for x in args:
            if isinstance(x, torch.Tensor) and x.is_meta:
                return None
        if not torch.is_grad_enabled():
            return method(self, *args, **kwargs)
        with torch.no_grad():
            return method(self, *args, **kwargs)

    return wrapped


def _name_may_come_first(method: Callable) -> Callable:
    """Wrap `add_weight`: a first argument that is a string is the name, as in Keras 2."""

    @functools.wraps(method)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], str):
            args, kwargs = args[1:], {"name": args[0], **kwargs}
        return method(self, *args, **kwargs)

    return wrapped


def divide_no_nan(numerator: torch.Tensor, denominator: torch.Tensor) -> torch.Tensor:
    """Return numerator / denominator, 0 where the denominator is 0."""
    return (numerator / denominator).masked_fill(denominator == 0, 0)


class Metric:
    """Base of all metrics: write `update_state(...)` and `result()` in a subclass.

    Args:
        dtype: type of the computation, a name or a `DTypePolicy`; `floatx()` by default.
        name: key in the logs; by default the class's name in snake case, numbered.

    State lives in variables made by `add_weight` or `add_variable`, or in variables and metrics kept as
    attributes. `update_state` runs without gradients; to be fast it changes variables in place and reads no
    value on the host.

    Example:
        >>> class Largest(Metric):
        ...     def __init__(self, **kwargs):
        ...         super().__init__(**kwargs)
        ...         self.largest = self.add_weight(name="largest", initializer="zeros")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.largest.assign(torch.maximum(self.largest, y_pred.max()))
        ...     def result(self):
        ...         return self.largest
        >>> float(Largest()(None, torch.tensor([3.0, 7.0])))
        7.0
    """

    _direction: str

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = cls.__dict__
        if "update_state" in own:
            cls.update_state = _update_method(own["update_state"])  # type: ignore[method-assign]
        if "reset_state" in own:
            cls.reset_states = own["reset_state"]  # type: ignore[method-assign]
        elif "reset_states" in own:
            cls.reset_state = own["reset_states"]  # type: ignore[method-assign]

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        if isinstance(dtype, str) and name is None and not _is_dtype_name(dtype):
            raise ValueError(
                f"{type(self).__name__}: the first argument is `dtype`; Keras 2 had `name` there. "
                f"Write `super().__init__(name={dtype!r})`. Received: dtype={dtype!r}"
            )
        self.name = name or unique_name(type(self).__name__)
        self._dtype_policy = dtype_policies.get(dtype or floatx())
        self._dtype = self._dtype_policy.compute_dtype
        self._variables: list[Variable] = []

    def __getattr__(self, attribute: str) -> Any:
        if attribute in ("name", "_dtype", "_variables"):
            raise RuntimeError(
                f"{type(self).__name__} is not initialized: call `super().__init__()` first in `__init__()`."
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {attribute!r}")

    @property
    def dtype(self) -> str:
        """The type of the computation."""
        return self._dtype

    def add_variable(
        self,
        shape: Any,
        initializer: Any,
        dtype: Any = None,
        aggregation: str | None = "sum",
        name: str | None = None,
    ) -> Variable:
        """Make a state variable on the current device.

        Args:
            shape: its shape.
            initializer: name of an initializer, or a callable `(shape, dtype) -> tensor`.
            dtype: its type; `floatx()` by default.
            aggregation: how `merge_state` and replicas combine it: "sum", "mean" or "only_first_replica".
            name: last part of its path.

        Raises:
            ValueError: unknown aggregation.
        """
        if aggregation not in AGGREGATIONS:
            raise ValueError(
                f"`aggregation` must be one of {AGGREGATIONS}. Received: aggregation={aggregation!r}"
            )
        with name_scope(self.name.replace("/", ">")):
            variable = Variable(
                initializer="zeros" if initializer is None else initializer,
                shape=shape,
                dtype=dtype or floatx(),
                trainable=False,
                aggregation=aggregation or "none",
                name=name,
            )
        self._variables.append(variable)
        return variable

    @_name_may_come_first
    def add_weight(
        self,
        shape: Any = (),
        initializer: Any = None,
        dtype: Any = None,
        name: str | None = None,
        aggregation: str | None = "sum",
    ) -> Variable:
        """Make a state variable of the value 0 unless `initializer` says otherwise; `name` may come first."""
        return self.add_variable(shape, initializer, dtype, aggregation, name)

    @property
    def variables(self) -> list[Variable]:
        """The state: own variables, then those of metrics kept as attributes or in lists and dictionaries."""
        parts = [part for value in vars(self).values() for part in flatten(value)]
        found = {id(part): part for part in parts if isinstance(part, Variable)}
        for metric in parts:
            if isinstance(metric, Metric):
                found.update({id(variable): variable for variable in metric.variables})
        return list(found.values())

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take in a batch: the method to write in a subclass."""
        raise NotImplementedError(f"{type(self).__name__} must define `update_state(self, ...)`.")

    def result(self) -> Any:
        """The metric over all batches since `reset_state`, a tensor: the method to write in a subclass."""
        raise NotImplementedError(f"{type(self).__name__} must define `result(self)`.")

    def reset_state(self) -> None:
        """Set all variables to zero, in place."""
        variables: list[torch.Tensor] = [*self.variables]
        if variables:
            with torch.no_grad():
                torch._foreach_zero_(variables)

    def reset_states(self) -> None:
        """Keras 2's name of `reset_state`."""
        self.reset_state()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take in a batch and return the result over all batches so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def merge_state(self, metrics: Iterable[Metric]) -> None:
        """Add the state of other metrics of the same kind to this one's.

        Raises:
            ValueError: a metric has other variables than this one.
        """
        metrics = list(metrics)
        for metric in metrics:
            if [v.shape for v in metric.variables] != [v.shape for v in self.variables]:
                raise ValueError(f"Cannot merge {metric!r} into {self!r}: their variables differ.")
        with torch.no_grad():
            for variable, *others in zip(
                self.variables, *(metric.variables for metric in metrics), strict=True
            ):
                if variable.aggregation == "only_first_replica":
                    continue
                for other in others:
                    variable.add_(other.to(variable.device))
                if variable.aggregation == "mean":
                    variable.div_(len(others) + 1)

    def to(self, device: Any) -> Metric:
        """Move the state to a device; the variables stay the same objects."""
        device = torch_device(device)
        for variable in self.variables:
            variable.data = variable.data.to(device)
        for key, value in vars(self).items():
            if isinstance(value, torch.Tensor) and not isinstance(value, Variable):
                setattr(self, key, value.to(device))
            for part in flatten(value):
                if isinstance(part, Metric):
                    part.to(device)
        return self

    def stateless_update_state(self, metric_variables: Any, *args: Any, **kwargs: Any) -> list[torch.Tensor]:
        """Return what the variables would be after `update_state(*args, **kwargs)` from the values given.

        Args:
            metric_variables: values of `variables`, in their order.

        Raises:
            ValueError: not one value per variable.
        """
        with self._holding(metric_variables):
            self.update_state(*args, **kwargs)
            return [variable.data for variable in self.variables]

    def stateless_result(self, metric_variables: Any) -> Any:
        """Return what `result()` would be with the values given for the variables."""
        with self._holding(metric_variables), torch.no_grad():
            return map_structure(lambda x: x.clone() if isinstance(x, torch.Tensor) else x, self.result())

    def stateless_reset_state(self) -> list[torch.Tensor]:
        """Return what the variables would be after `reset_state()`."""
        with self._holding(self.variables):
            self.reset_state()
            return [variable.data for variable in self.variables]

    @contextlib.contextmanager
    def _holding(self, values: Any) -> Iterator[None]:
        """Context in which the variables hold other values, in other memory."""
        variables = self.variables
        if len(values) != len(variables):
            raise ValueError(
                f"`metric_variables` must have one value for each of the {len(variables)} variables of "
                f"{self!r}. Received: {len(values)} values"
            )
        own = [variable.data for variable in variables]
        for variable, value in zip(variables, values, strict=True):
            variable.data = (
                torch.as_tensor(value, dtype=variable.dtype, device=variable.device).detach().clone()
            )
        try:
            yield
        finally:
            for variable in self.variables:
                variable.data = torch.zeros_like(variable)
            for variable, value in zip(variables, own, strict=True):
                variable.data = value

    def _on_device_of(self, tensor: torch.Tensor) -> contextlib.AbstractContextManager:
        """Context for variables that can be made only when the first batch shows their shape."""
        return device_scope(tensor.device)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Make a metric from `get_config()`."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _is_dtype_name(name: str) -> bool:
    if name in dtype_policies.MIXED:
        return True
    try:
        standardize_dtype(name)
    except ValueError:
        return False
    return True


def check_same_size(name: str, y_true: torch.Tensor, y_pred: torch.Tensor) -> None:
    """Raise where targets and predictions are not as many."""
    if y_true.numel() != y_pred.numel():
        raise ValueError(
            f"{name}: `y_true` and `y_pred` must have one value for each other. "
            f"Received: y_true {received(y_true)}, y_pred {received(y_pred)}"
        )
