"""Layer normalization, and its form without a mean."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kerasish import constraints, initializers, regularizers
from kerasish.errors import format_shape
from kerasish.layers.layer import Layer
from kerasish.variable import Variable


def axes_in(layer: Layer, axis: Any, shape: Any) -> list[int]:
    """The axes, each counted from 0, checked against the input's shape."""
    axes = [axis] if isinstance(axis, int) else list(axis)
    positive = [one % len(shape) for one in axes if -len(shape) <= one < len(shape)]
    if len(positive) < len(axes) or len(set(positive)) < len(axes):
        raise ValueError(
            f"`axis` of layer {layer.name!r} must name different axes of its input of shape {format_shape(shape)}. "
            f"Received: axis={axis}"
        )
    return positive


def known_sizes(layer: Layer, axes: list[int], shape: Any) -> tuple[int, ...]:
    """The sizes of these axes, which must be known."""
    sizes = tuple(shape[axis] for axis in axes)
    if None in sizes:
        raise ValueError(
            f"Layer {layer.name!r} must know the sizes of the axes {axes}. Received: {format_shape(shape)}"
        )
    return sizes


def check_sizes(layer: Layer, x: Tensor, axes: tuple[int, ...], sizes: tuple[int, ...]) -> None:
    """Raise `ValueError` if the layer was built for other sizes of these axes."""
    if x.dim() <= max(axes) or any(x.shape[axis] != size for axis, size in zip(axes, sizes, strict=True)):
        raise ValueError(
            f"Layer {layer.name!r} was built for sizes {sizes} of the axes {list(axes)}. "
            f"Received: {format_shape(x.shape)}"
        )


def checked_axis(layer: Layer, axis: Any) -> Any:
    """`axis`, an integer or a list of integers."""
    if isinstance(axis, int) and not isinstance(axis, bool):
        return axis
    if isinstance(axis, (list, tuple)) and axis and all(isinstance(one, int) for one in axis):
        return list(axis)
    raise TypeError(
        f"`axis` of layer {layer.name!r} must be an integer or a list of integers. Received: axis={axis!r}"
    )


class LayerNormalization(Layer):
    """Normalize each record over its features: `γ · (x − μ) / √(σ² + ε) + β`, μ and σ² over `axis`.

    Args:
        axis: the axis, or axes, over which to normalize; γ and β have their sizes.
        epsilon: summand in the root.
        center, scale: whether there is a β, a γ.
        beta_initializer, …: initial values, penalties and projections of β and γ.

    Example:
        >>> LayerNormalization()(torch.tensor([[1.0, 3.0]])).detach().round(decimals=3).tolist()
        [[-1.0, 1.0]]

    Source: Ba et al., 2016, *Layer normalization*, arXiv:1607.06450.

    Differs: torch's ε is 1e-5. Keras on PyTorch takes the last axes only.
    """

    gamma: Variable | None
    beta: Variable | None

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        rms_scaling = kwargs.pop("rms_scaling", False)
        super().__init__(**kwargs)
        self.axis = checked_axis(self, axis)
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.rms_scaling = rms_scaling
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.supports_masking = True
        self.gamma = self.beta = None

    def build(self, input_shape: Any) -> None:
        self.axis = [self.axis] if isinstance(self.axis, int) else sorted(self.axis)
        axes = axes_in(self, self.axis, input_shape)
        sizes = known_sizes(self, axes, input_shape)
        if self.scale or self.rms_scaling:
            self.gamma = self.add_weight(
                name="gamma", shape=sizes, initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer, constraint=self.gamma_constraint,
            )  # fmt: skip
        if self.center and not self.rms_scaling:
            self.beta = self.add_weight(
                name="beta", shape=sizes, initializer=self.beta_initializer,
                regularizer=self.beta_regularizer, constraint=self.beta_constraint,
            )  # fmt: skip
        rank = len(input_shape)
        self._axes = tuple(axes)
        self._sizes = sizes
        self._is_last = self._axes == tuple(range(rank - len(axes), rank)) and not self.rms_scaling
        self._broadcast = tuple(size if i in axes else 1 for i, size in enumerate(input_shape))

    def call(self, inputs: Tensor) -> Tensor:
        x = inputs if inputs.is_floating_point() else inputs.to(self._torch_dtype)
        check_sizes(self, x, self._axes, self._sizes)
        if self._is_last:
            return F.layer_norm(x, self._sizes, self.gamma, self.beta, self.epsilon)
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        variance, mean = torch.var_mean(wide, dim=self._axes, correction=0, keepdim=True)
        outputs = wide if self.rms_scaling else wide - mean
        outputs = outputs * torch.rsqrt(variance + self.epsilon)
        if self.gamma is not None:
            outputs = outputs * self.gamma.reshape(self._broadcast)
        if self.beta is not None:
            outputs = outputs + self.beta.reshape(self._broadcast)
        return outputs.to(x.dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        axes_in(self, self.axis, input_shape)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "rms_scaling": self.rms_scaling,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }


class RMSNormalization(Layer):
    """Divide each record by the root of the mean of its squares: `γ · x / √(mean(x²) + ε)`.

    Args:
        axis: the axis, or axes, over which to normalize; γ has their sizes.
        epsilon: summand in the root.

    Source: Zhang and Sennrich, 2019, *Root mean square layer normalization*, arXiv:1910.07467.

    Differs: Keras on PyTorch takes the last axes only.
    """

    scale: Variable

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        checked_axis(self, axis)
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape: Any) -> None:
        self.axis = [self.axis] if isinstance(self.axis, int) else sorted(self.axis)
        axes = axes_in(self, self.axis, input_shape)
        sizes = known_sizes(self, axes, input_shape)
        self.scale = self.add_weight(name="scale", shape=sizes, initializer="ones")
        rank = len(input_shape)
        self._axes = tuple(axes)
        self._sizes = sizes
        self._is_last = self._axes == tuple(range(rank - len(axes), rank))
        self._broadcast = tuple(size if i in axes else 1 for i, size in enumerate(input_shape))

    def call(self, x: Tensor) -> Tensor:
        x = x if x.is_floating_point() else x.to(self._torch_dtype)
        check_sizes(self, x, self._axes, self._sizes)
        if self._is_last:
            return F.rms_norm(x, self._sizes, self.scale.to(x.dtype), self.epsilon)
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        factor = torch.rsqrt(wide.square().mean(dim=self._axes, keepdim=True) + self.epsilon)
        return (wide * factor * self.scale.reshape(self._broadcast)).to(x.dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        axes_in(self, self.axis, input_shape)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}
