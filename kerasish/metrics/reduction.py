"""`Mean` and `Sum` of values, and `MeanMetricWrapper`, which makes a metric of a function."""

# B batch, T further dimensions

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from kerasish.errors import format_shape
from kerasish.losses.loss import Loss, to_tensor
from kerasish.metrics.metric import Metric, divide_no_nan
from kerasish.serialization import deserialize_keras_object, serialize_keras_object


def apply_mask(sample_weight: Any, mask: Any, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """Return the weights, 1 where there are none, with zeros where the mask is False."""
    mask = to_tensor(mask, dtype, device)
    if sample_weight is None:
        return mask
    sample_weight = to_tensor(sample_weight, dtype, device)
    if sample_weight.dim() == mask.dim() + 1 and sample_weight.shape[-1] == 1:
        sample_weight = sample_weight.squeeze(-1)
    return sample_weight.reshape(sample_weight.shape + (1,) * (mask.dim() - sample_weight.dim())) * mask


def broadcast_weights(sample_weight: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Expand weights of shape `(B,)`, `(B, 1)`, `(B, T, 1)` … to `shape`, which begins with these sizes.

    Raises:
        ValueError: they do not fit.
    """
    if sample_weight.shape == shape:
        return sample_weight
    if sample_weight.dim() == len(shape) + 1 and sample_weight.shape[-1] == 1:
        sample_weight = sample_weight.squeeze(-1)
    fitted = sample_weight.reshape(sample_weight.shape + (1,) * (len(shape) - sample_weight.dim()))
    try:
        return fitted.expand(shape)
    except RuntimeError as error:
        raise ValueError(
            f"`sample_weight` does not fit values of shape {format_shape(shape)}: give one weight per sample "
            f"or one per value. Received: sample_weight of shape {format_shape(sample_weight.shape)}"
        ) from error


class _Total(Metric):
    """Parent of `Mean` and `Sum`: brings values and weights to one shape."""

    total: Any

    def _prepare(self, values: Any, sample_weight: Any) -> tuple[torch.Tensor, torch.Tensor | None]:
        values = to_tensor(values, device=self.total.device)
        if sample_weight is None:
            return values, None
        mask = getattr(values, "_keras_mask", None)
        if mask is not None:
            sample_weight = apply_mask(sample_weight, mask, self.total.dtype, values.device)
        return values.to(self.total.dtype), to_tensor(sample_weight, self.total.dtype, values.device)


class Sum(_Total):
    """Sum of all values, Σ v, or Σ w·v with weights.

    Args:
        name: key in the logs.
        dtype: type of the sum.

    Example:
        >>> float(Sum()([1.0, 3.0, 5.0, 7.0]))
        16.0
    """

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", dtype=self.dtype, name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values of any shape; weights are one per sample or one per value."""
        values, weights = self._prepare(values, sample_weight)
        if weights is None:
            self.total.add_(values.sum(dtype=self.total.dtype))
        else:
            self.total.add_((values * broadcast_weights(weights, values.shape)).sum())

    def result(self) -> torch.Tensor:
        """The sum so far."""
        return self.total.detach().clone()


class Mean(_Total):
    """Mean of all values, Σ v / n, or Σ w·v / Σ w with weights; 0 before the first value.

    Args:
        name: key in the logs.
        dtype: type of the sums.

    Values of shape `(B, T)` count as B values, each the mean over T.

    Example:
        >>> mean = Mean()
        >>> mean.update_state([1.0, 3.0])
        >>> float(mean([5.0, 7.0], sample_weight=[0.0, 2.0]))
        4.5
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", dtype=self.dtype, name="total")
        self.count = self.add_variable((), "zeros", dtype=self.dtype, name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take in values of any shape; weights are one per sample or one per value."""
        self._accumulate(values, sample_weight)

    def _accumulate(self, values: Any, sample_weight: Any) -> None:
        values, weights = self._prepare(values, sample_weight)
        per_sample = max(math.prod(values.shape[1:]), 1)
        if weights is None:
            _add(self.total, values.sum(dtype=self.total.dtype), per_sample)
            self.count.add_(values.shape[0] if values.dim() else 1)
            return
        if weights.dim() == 0:
            values, per_sample = values.mean(), 1
        weights = broadcast_weights(weights, values.shape)
        product = torch.dot(values, weights) if values.dim() == 1 else (values * weights).sum()
        _add(self.total, product, per_sample)
        _add(self.count, weights.sum(), per_sample)

    def result(self) -> torch.Tensor:
        """The mean so far."""
        return divide_no_nan(self.total, self.count)


def _add(variable: Any, value: torch.Tensor, divisor: int) -> None:
    if divisor == 1:
        variable.add_(value)
    else:
        variable.add_(value, alpha=1 / divisor)


class MeanMetricWrapper(Mean):
    """Mean of a function's values: `fn(y_true, y_pred, **kwargs)` gives one per sample.

    Args:
        fn: the function, a loss for instance.
        name: key in the logs.
        dtype: type of the sums.
        **kwargs: passed to `fn` at each call.

    `y_pred._keras_mask`, where a layer left one, takes masked values out of the mean.

    Example:
        >>> metric = MeanMetricWrapper(lambda y_true, y_pred: (y_true - y_pred).abs(), name="error")
        >>> float(metric([1.0, 2.0], [1.0, 5.0]))
        1.5
    """

    def __init__(self, fn: Callable, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs
        if isinstance(fn, Loss) or (getattr(fn, "__module__", None) or "").startswith("kerasish.losses"):
            self._direction = "down"

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Take in targets and predictions; weights are one per sample or one per value of the function."""
        device = self.total.device
        mask = getattr(y_pred, "_keras_mask", None)
        if mask is not None:
            sample_weight = apply_mask(sample_weight, mask, self.total.dtype, device)
        values = self._fn(
            to_tensor(y_true, device=device), to_tensor(y_pred, device=device), **self._fn_kwargs
        )
        self._accumulate(values, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return {**super().get_config(), **serialize_keras_object({"fn": self._fn, **self._fn_kwargs})}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Make a metric from `get_config()`, Keras's or kerasish's."""
        config = dict(config)
        function = config.get("fn")
        if isinstance(function, dict):
            if function.get("module") == "builtins":
                function = {**function, "module": "keras.metrics"}
            config["fn"] = deserialize_keras_object(function)
        return cls(**config)


class FunctionMetric(MeanMetricWrapper):
    """Parent of the metrics of one function, whose arguments are attributes and make up the config."""

    def __init__(self, fn: Callable, name: str | None, dtype: Any, **kwargs: Any) -> None:
        super().__init__(fn, name=name, dtype=dtype, **kwargs)
        vars(self).update(kwargs)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return {**Metric.get_config(self), **self._fn_kwargs}


class MeanTensor(Metric):
    """Mean of each element over all batches, Σ w·v / Σ w, in the shape of the values (Keras 2).

    Args:
        name: key in the logs.
        dtype: type of the sums.
        shape: shape of the values; that of the first ones by default.

    Example:
        >>> mean = MeanTensor()
        >>> mean.update_state([0.0, 1.0])
        >>> mean([2.0, 5.0]).tolist()
        [1.0, 3.0]
    """

    total: Any = None
    count: Any = None

    def __init__(self, name: str = "mean_tensor", dtype: Any = None, shape: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.shape = None if shape is None else tuple(shape)
        if self.shape is not None:
            self._build(self.shape)

    def _build(self, shape: Any) -> None:
        self.total = self.add_variable(shape, "zeros", dtype=self.dtype, name="total")
        self.count = self.add_variable(shape, "zeros", dtype=self.dtype, name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take in values; weights have their shape or its first dimensions.

        Raises:
            ValueError: the values have another shape than the first ones.
        """
        values = to_tensor(values, device=None if self.total is None else self.total.device)
        if self.total is None:
            with self._on_device_of(values):
                self._build(values.shape)
        if values.shape != self.total.shape:
            raise ValueError(
                f"MeanTensor {self.name!r} holds values of shape {format_shape(self.total.shape)}. "
                f"Received: values of shape {format_shape(values.shape)}"
            )
        if sample_weight is None:
            self.total.add_(values)
            self.count.add_(1)
        else:
            weights = broadcast_weights(
                to_tensor(sample_weight, self.total.dtype, values.device), values.shape
            )
            self.total.addcmul_(values.to(self.total.dtype), weights)
            self.count.add_(weights)

    def result(self) -> torch.Tensor:
        """The means so far.

        Raises:
            ValueError: there were no values, and `shape` was not given.
        """
        if self.total is None:
            raise ValueError(
                "MeanTensor has no values yet: call `update_state` first, or give `shape` to the constructor."
            )
        return divide_no_nan(self.total, self.count)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return {**super().get_config(), "shape": self.shape}
