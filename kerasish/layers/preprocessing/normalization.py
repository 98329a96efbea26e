"""Normalization by statistics of the training data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kerasish.arrays import is_array, to_tensor
from kerasish.config import epsilon
from kerasish.dtypes import torch_dtype
from kerasish.errors import format_shape
from kerasish.layers.layer import Layer
from kerasish.serialization import serialize_keras_object


class Normalization(Layer):
    """Shift and scale to mean 0 and variance 1: `(x − mean) / max(√variance, ε)`.

    Args:
        axis: axis or axes with statistics of their own (features, by default the last); None for one mean and
            variance of everything.
        mean, variance: the statistics; otherwise `adapt(data)` computes them.
        invert: compute `x · max(√variance, ε) + mean` instead.
    """

    mean: Tensor | None
    variance: Tensor | None

    def __init__(
        self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if (mean is None) != (variance is None):
            raise ValueError(
                f"Layer {self.name!r}: give both `mean` and `variance`, or neither. Received: mean={mean}, "
                f"variance={variance}"
            )
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self.input_mean = mean
        self.input_variance = variance
        self.invert = invert
        self.supports_masking = True
        self.mean = self.variance = None

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        self._keep = sorted(axis % rank for axis in self.axis)
        if any(axis == 0 for axis in self._keep):
            raise ValueError(
                f"Layer {self.name!r}: `axis` must not name the batch (axis 0). Received: {self.axis}"
            )
        for axis in self._keep:
            if input_shape[axis] is None:
                raise ValueError(
                    f"Layer {self.name!r} must know the size of axis {axis}. Received: {format_shape(input_shape)}"
                )
        self._own_shape = tuple(input_shape[axis] for axis in self._keep)
        self._broadcast_shape = tuple(input_shape[axis] if axis in self._keep else 1 for axis in range(rank))
        if self.input_mean is None:
            self.adapt_mean = self.add_weight(
                name="mean", shape=self._own_shape, initializer="zeros", trainable=False
            )
            self.adapt_variance = self.add_weight(
                name="variance", shape=self._own_shape, initializer="ones", trainable=False
            )
            self.count = self.add_weight(
                name="count", shape=(), dtype="int32", initializer="zeros", trainable=False
            )
            self.built = True
            self.finalize_state()
        else:
            mean = torch.as_tensor(np.asarray(self.input_mean), dtype=torch_dtype(self.compute_dtype))
            variance = torch.as_tensor(np.asarray(self.input_variance), dtype=torch_dtype(self.compute_dtype))
            self._set_constants(mean.expand(self._own_shape), variance.expand(self._own_shape))

    def _set_constants(self, mean: Tensor, variance: Tensor) -> None:
        device = self._own_device()
        for name, values in (("mean", mean), ("variance", variance)):
            self.__dict__[name] = values.detach().reshape(self._broadcast_shape).to(device).clone()

    def finalize_state(self) -> None:
        """Take the adapted statistics into use."""
        if self.input_mean is None:
            self._set_constants(self.adapt_mean, self.adapt_variance)

    def adapt(self, data: Any) -> None:
        """Compute mean and variance from the data: an array, a tensor, or an iterable of batches."""
        if self.input_mean is not None:
            raise ValueError(f"Layer {self.name!r} was given `mean` and `variance`: it cannot `adapt`.")
        count = 0
        mean = squares = torch.zeros((), dtype=torch.float64)
        for values in _batches(data):
            if not self.built:
                self._build_now({"input_shape": (None, *values.shape[1:])})
            axes = [axis for axis in range(values.dim()) if axis not in self._keep]
            n = math.prod(values.shape[axis] for axis in axes)
            delta = values.mean(dim=axes) - mean
            own = (values - values.mean(dim=axes, keepdim=True)).square().sum(dim=axes)
            squares = squares + own + delta.square() * count * n / (count + n)
            mean = mean + delta * n / (count + n)
            count += n
        if count == 0:
            raise ValueError(f"Layer {self.name!r}: `adapt` was given no data.")
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(squares / count)
        self.count.assign(count)
        self.finalize_state()

    def load_own_variables(self, store: Any) -> None:
        super().load_own_variables(store)
        self.finalize_state()

    def set_weights(self, weights: Any) -> None:
        super().set_weights(weights)
        self.finalize_state()

    def call(self, inputs: Any) -> Tensor:
        assert self.mean is not None and self.variance is not None
        inputs = inputs.to(torch_dtype(self.compute_dtype))
        scale = self.variance.sqrt().clamp(min=epsilon())
        if self.invert:
            return inputs * scale + self.mean
        return (inputs - self.mean) / scale

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "invert": self.invert,
            "mean": serialize_keras_object(self._listed(self.input_mean)),
            "variance": serialize_keras_object(self._listed(self.input_variance)),
        }

    @staticmethod
    def _listed(value: Any) -> Any:
        return value if value is None or isinstance(value, (int, float)) else np.asarray(value).tolist()


def _batches(data: Any) -> Iterator[Tensor]:
    """The batches of an array, or of an iterable of arrays or of tuples that begin with one, in float64."""
    for batch in [data] if is_array(data) else data:
        first = batch[0] if isinstance(batch, (tuple, list)) and not is_array(batch) else batch
        values = to_tensor(first, "data").double().cpu()
        yield values.unsqueeze(-1) if values.dim() == 1 else values
