"""Normalization by statistics of the training data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kerasish.arrays import to_tensor
from kerasish.config import epsilon
from kerasish.dtypes import torch_dtype
from kerasish.errors import format_shape
from kerasish.layers.layer import Layer
from kerasish.layers.preprocessing.batches import batches
from kerasish.serialization import serialize_keras_object


class Normalization(Layer):
    """Shift and scale to mean 0 and variance 1: `(x − mean) / max(√variance, ε)`.

    Args:
        axis: axis or axes with statistics of their own (features, by default the last); None for one mean and
            variance of everything.
        mean, variance: the statistics; otherwise `adapt(data)` computes them.
        invert: compute `x · max(√variance, ε) + mean` instead.
    """

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
        else:
            for name, value in (("given_mean", self.input_mean), ("given_variance", self.input_variance)):
                values = torch.as_tensor(
                    np.asarray(value), dtype=torch_dtype(self.compute_dtype), device=self._own_device()
                )
                self.register_buffer(name, values.expand(self._own_shape).clone(), persistent=False)

    @property
    def mean(self) -> Tensor | None:
        """The mean in use, in a shape that is broadcast to the input; None before the layer is built."""
        return self._in_shape("mean")

    @property
    def variance(self) -> Tensor | None:
        """The variance in use, likewise."""
        return self._in_shape("variance")

    def _in_shape(self, name: str) -> Tensor | None:
        if not self.built:
            return None
        values = getattr(self, f"{'adapt' if self.input_mean is None else 'given'}_{name}")
        return values.detach().reshape(self._broadcast_shape)

    def finalize_state(self) -> None:
        """Nothing: the statistics are read from the weights at every call, so they never differ from them."""

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

    def call(self, inputs: Any) -> Tensor:
        dtype = torch_dtype(self.compute_dtype)
        mean, variance = self.mean, self.variance
        assert mean is not None and variance is not None
        inputs = inputs.to(dtype)
        mean, scale = mean.to(dtype), variance.sqrt().clamp(min=epsilon()).to(dtype)
        return inputs * scale + mean if self.invert else (inputs - mean) / scale

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
    """The batches of the data, in float64."""
    for batch in batches(data):
        values = to_tensor(batch, "data").double().cpu()
        if values.numel():
            yield values.unsqueeze(-1) if values.dim() == 1 else values
