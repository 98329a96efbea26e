"""Batch normalization."""

# B batch, C channels

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish import constraints, initializers, regularizers
from kerasish.errors import format_shape, received
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.variable import Variable


class BatchNormalization(Layer):
    """Normalize each channel over the batch: `γ · (x − μ) / √(σ² + ε) + β`.

    In training μ and σ² are the batch's (over all axes but `axis`), and the moving averages follow them:
    `moving ← momentum · moving + (1 − momentum) · batch`. In inference, and while `trainable` is False, the
    moving averages are used.

    Args:
        axis: the axis of the channels.
        momentum: inertia of the moving averages.
        epsilon: summand in the root.
        center, scale: whether there is a β, a γ.
        beta_initializer, …: initial values, penalties and projections of the four weights.
        synchronized: average statistics over the processes of `torch.distributed`.

    Source: Ioffe and Szegedy, 2015, arXiv:1502.03167.

    Differs: torch's `momentum` is 1 − Keras's, its ε is 1e-5 instead of 1e-3, and its moving variance is the
    unbiased one.
    """

    gamma: Variable | None
    beta: Variable | None

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if renorm or renorm_clipping:
            raise ValueError(
                f"Layer {self.name!r}: batch renormalization is not supported. Leave out `renorm` and "
                "`renorm_clipping`; "
                "for small batches use layer or group normalization."
            )
        if synchronized:
            raise ValueError(
                f"Layer {self.name!r}: `synchronized=True` is not supported yet. Convert the torch way, with "
                "`torch.nn.SyncBatchNorm` in place of this layer."
            )
        self.axis = axis
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.synchronized = synchronized
        self.renorm_momentum = renorm_momentum
        self.supports_masking = True
        self.gamma = self.beta = None

    def build(self, input_shape: Any) -> None:
        size = input_shape[self.axis]
        if size is None:
            raise ValueError(
                f"Layer {self.name!r} must know the size of axis {self.axis}. Received: {format_shape(input_shape)}"
            )
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma", shape=(size,), initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer, constraint=self.gamma_constraint,
            )  # fmt: skip
        if self.center:
            self.beta = self.add_weight(
                name="beta", shape=(size,), initializer=self.beta_initializer,
                regularizer=self.beta_regularizer, constraint=self.beta_constraint,
            )  # fmt: skip
        self.moving_mean = self.add_weight(
            name="moving_mean", shape=(size,), initializer=self.moving_mean_initializer, trainable=False
        )
        self.moving_variance = self.add_weight(
            name="moving_variance",
            shape=(size,),
            initializer=self.moving_variance_initializer,
            trainable=False,
        )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})

    def call(self, inputs: Tensor, training: bool = False, mask: Tensor | None = None) -> Tensor:
        channels = self.axis % inputs.dim()
        x = inputs if channels == 1 else inputs.movedim(channels, 1)  # (B, C, …): a view, no copy
        if not training or not self.trainable:
            outputs = torch.batch_norm(
                x,
                self.gamma,
                self.beta,
                self.moving_mean.detach(),  # torch knows no gradient of it, which functional calls may ask for
                self.moving_variance.detach(),
                False,
                0.0,
                self.epsilon,
                True,
            )
        elif mask is None:
            outputs, mean, inverse_deviation = torch.native_batch_norm(
                x, self.gamma, self.beta, None, None, True, 0.0, self.epsilon
            )
            with torch.no_grad():
                self._move_averages(mean, inverse_deviation.pow(-2).sub_(self.epsilon))
        else:
            expected = (x.shape[0], *x.shape[2:])
            if len(mask.shape) != len(expected) or any(
                m not in (1, n) for m, n in zip(mask.shape, expected, strict=True)
            ):
                raise ValueError(
                    f"The mask of layer {self.name!r} must have shape {format_shape(expected)}. "
                    f"Received: {received(mask)}"
                )
            mean, variance = _masked_moments(x, mask)
            outputs = self._normalize(x, mean, variance)
            with torch.no_grad():
                self._move_averages(mean, variance)
        return outputs if channels == 1 else outputs.movedim(1, channels)

    def _normalize(self, x: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        """The formula itself, through which gradients flow to the moments, too."""
        per_channel = (-1, *(1,) * (x.dim() - 2))
        factor = (variance + self.epsilon).rsqrt()
        factor = factor if self.gamma is None else factor * self.gamma
        outputs = (x - mean.reshape(per_channel)) * factor.reshape(per_channel)
        return outputs if self.beta is None else outputs + self.beta.reshape(per_channel)

    def _move_averages(self, mean: Tensor, variance: Tensor) -> None:
        self.moving_mean.lerp_(mean.to(self.moving_mean.dtype), 1 - self.momentum)
        self.moving_variance.lerp_(variance.to(self.moving_variance.dtype), 1 - self.momentum)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
            "synchronized": self.synchronized,
            "renorm": False,
            "renorm_clipping": None,
            "renorm_momentum": self.renorm_momentum,
        }


def _masked_moments(x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance per channel of the unmasked positions; x is (B, C, …), the mask (B, …)."""
    weights = mask.to(x.dtype).unsqueeze(1)
    while weights.dim() < x.dim():
        weights = weights.unsqueeze(-1)
    axes = [axis for axis in range(x.dim()) if axis != 1]
    weights = weights.expand(x.shape[0], 1, *x.shape[2:])
    total = weights.sum(dim=axes) + 1e-7
    mean = (x * weights).sum(dim=axes) / total
    shape = (1, -1, *(1,) * (x.dim() - 2))
    variance = ((x - mean.reshape(shape)).square() * weights).sum(dim=axes) / total
    return mean, variance
