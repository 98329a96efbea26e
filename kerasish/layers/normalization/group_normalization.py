"""Group normalization."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kerasish import constraints, initializers, regularizers
from kerasish.errors import format_shape
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.variable import Variable


class GroupNormalization(Layer):
    """Normalize each record over groups of channels: `γ · (x − μ) / √(σ² + ε) + β`, μ and σ² of each group.

    Args:
        groups: number of groups; divides the number of channels. 1 is layer normalization over all axes, −1 (as
            many groups as channels) is instance normalization.
        axis: the axis of the channels.
        epsilon: summand in the root.
        center, scale: whether there is a β, a γ, one number per channel.
        beta_initializer, …: initial values, penalties and projections of β and γ.

    Source: Wu and He, 2018, *Group normalization*, arXiv:1803.08494.

    Differs: torch's ε is 1e-5.
    """

    gamma: Variable | None
    beta: Variable | None

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
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
        super().__init__(**kwargs)
        if isinstance(groups, bool) or not isinstance(groups, int) or (groups < 1 and groups != -1):
            raise ValueError(
                f"`groups` of layer {self.name!r} must be a positive integer, or -1 for one group per channel. "
                f"Received: groups={groups!r}"
            )
        if isinstance(axis, bool) or not isinstance(axis, int) or axis == 0:
            raise ValueError(
                f"`axis` of layer {self.name!r} must be an integer other than 0, which is the batch. "
                f"Received: axis={axis!r}"
            )
        self.groups = groups
        self.axis = axis
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.supports_masking = True
        self.gamma = self.beta = None

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        if rank < 2 or not -rank < self.axis < rank:
            raise ValueError(
                f"Layer {self.name!r} needs an input with an axis {self.axis} after the batch. "
                f"Received: {format_shape(input_shape)}"
            )
        channels = input_shape[self.axis]
        if channels is None:
            raise ValueError(
                f"Layer {self.name!r} must know the size of axis {self.axis}. Received: {format_shape(input_shape)}"
            )
        if self.groups == -1:
            self.groups = channels
        if channels % self.groups:
            raise ValueError(
                f"`groups` of layer {self.name!r} must divide the number of channels, {channels} (axis {self.axis} of "
                f"{format_shape(input_shape)}). Received: groups={self.groups}"
            )
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma", shape=(channels,), initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer, constraint=self.gamma_constraint,
            )  # fmt: skip
        if self.center:
            self.beta = self.add_weight(
                name="beta", shape=(channels,), initializer=self.beta_initializer,
                regularizer=self.beta_regularizer, constraint=self.beta_constraint,
            )  # fmt: skip
        self.input_spec = InputSpec(ndim=rank, axes={self.axis: channels})

    def call(self, inputs: Tensor) -> Tensor:
        x = inputs if inputs.is_floating_point() else inputs.to(self._torch_dtype)
        if x.dim() != self.input_spec.ndim:
            raise ValueError(
                f"Layer {self.name!r} was built for inputs of {self.input_spec.ndim} dimensions. "
                f"Received: {format_shape(x.shape)}"
            )
        channels = self.axis % x.dim()
        x = x if channels == 1 else x.movedim(channels, 1)  # (B, C, …): a view, no copy
        if x.dim() > 3 and x.device.type == "cpu" and self._trains_weights():
            # torch 2.13 crashes on its channels_last kernel when the weights' gradients are asked for, and x's not.
            x = x.contiguous()
        beta = self.beta
        inner = beta if self.gamma is not None else None  # torch has no gradient for β without γ
        outputs = F.group_norm(x, self.groups, self.gamma, inner, self.epsilon)
        if inner is None and beta is not None:
            outputs = outputs + beta.reshape(-1, *(1,) * (x.dim() - 2))
        return outputs if channels == 1 else outputs.movedim(1, channels)

    def _trains_weights(self) -> bool:
        return torch.is_grad_enabled() and any(weight.requires_grad for weight in self.parameters())

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "groups": self.groups,
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }
