"""Rectifiers with settings, and one with trained slopes, as layers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish import activations, constraints, initializers, regularizers
from kerasish.errors import format_shape
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.variable import Variable


def _require(layer: Layer, argument: str, value: Any, allows_negative: bool = False) -> None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or (value < 0 and not allows_negative):
        kind = "number" if allows_negative else "number ≥ 0"
        raise ValueError(
            f"`{argument}` of layer {layer.name!r} must be a {kind}. Received: {argument}={value!r}"
        )


class ReLU(Layer):
    """Rectified linear unit: `min(x, max_value)` above `threshold`, `negative_slope · (x − threshold)` below.

    Args:
        max_value: upper limit of the output, ≥ 0; None for none.
        negative_slope: slope below the threshold, ≥ 0.
        threshold: where the unit begins to pass its input, ≥ 0.

    Example:
        >>> ReLU(max_value=6.0)(torch.tensor([-1.0, 3.0, 8.0])).tolist()
        [0.0, 3.0, 6.0]
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if max_value is not None:
            _require(self, "max_value", max_value)
        _require(self, "negative_slope", negative_slope)
        _require(self, "threshold", threshold)
        self.max_value = max_value
        self.negative_slope = negative_slope
        self.threshold = threshold
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


class LeakyReLU(Layer):
    """Leaky rectifier: `x` if x > 0, else `negative_slope · x`.

    Args:
        negative_slope: slope for negative inputs, ≥ 0; Keras 2 called it `alpha`, which works, too.

    Source: Maas et al., 2013, *Rectifier nonlinearities improve neural network acoustic models*.

    Differs: torch's default slope is 0.01.
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        _require(self, "negative_slope", negative_slope)
        self.negative_slope = negative_slope
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        return activations.leaky_relu(inputs, self.negative_slope)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "negative_slope": self.negative_slope}


class ELU(Layer):
    """Exponential linear unit: `x` if x > 0, else `alpha · (exp(x) − 1)`.

    Args:
        alpha: minus the limit for very negative inputs.

    Source: Clevert et al., 2016, arXiv:1511.07289.
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        _require(self, "alpha", alpha, allows_negative=True)
        self.alpha = alpha
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        return activations.elu(inputs, self.alpha)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        described = ("activity_regularizer", "trainable", "dtype")
        return {
            "name": config["name"],
            "alpha": self.alpha,
            **{key: config[key] for key in described if key in config},
        }


class PReLU(Layer):
    """Rectifier with a trained slope α for negative inputs: `max(x, 0) + α · min(x, 0)`.

    Args:
        alpha_initializer, alpha_regularizer, alpha_constraint: of the slopes.
        shared_axes: axes along which the slope is the same, counted with the batch as 0: `[1, 2]` for images.

    Source: He et al., 2015, *Delving deep into rectifiers*, arXiv:1502.01852.
    """

    alpha: Variable

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        if shared_axes is not None:
            shared_axes = [shared_axes] if isinstance(shared_axes, int) else list(shared_axes)
            if not all(isinstance(axis, int) and axis > 0 for axis in shared_axes):
                raise ValueError(
                    f"`shared_axes` of layer {self.name!r} must be axes from 1 on (0 is the batch). "
                    f"Received: shared_axes={shared_axes!r}"
                )
        self.shared_axes = shared_axes
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        shared = self.shared_axes or []
        if shared and max(shared) >= len(input_shape):
            raise ValueError(
                f"`shared_axes` {shared} of layer {self.name!r} are not all axes of its input of shape "
                f"{format_shape(input_shape)}."
            )
        shape = [1 if axis in shared else size for axis, size in enumerate(input_shape)][1:]
        if None in shape:
            raise ValueError(
                f"Layer {self.name!r} must know all sizes of its input but those in `shared_axes`. "
                f"Received: {format_shape(input_shape)}"
            )
        self.alpha = self.add_weight(
            name="alpha",
            shape=shape,
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        own = {axis: size for axis, size in enumerate(input_shape) if axis and axis not in shared}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=own)

    def call(self, inputs: Tensor) -> Tensor:
        x = inputs if inputs.is_floating_point() else inputs.to(self._torch_dtype)
        return torch.relu(x) - self.alpha * torch.relu(-x)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "alpha_initializer": initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": constraints.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }
