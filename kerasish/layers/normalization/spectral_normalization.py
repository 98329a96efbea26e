"""A wrapper that keeps the spectral norm of a kernel at 1."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kerasish.errors import received
from kerasish.initializers import TruncatedNormal
from kerasish.layers.core.wrapper import Wrapper
from kerasish.variable import Variable


class SpectralNormalization(Wrapper):
    """In training divide the kernel of the wrapped layer by its largest singular value σ before each call.

    σ is followed by power iteration: `v ← W u / ‖W u‖`, `u ← Wᵀ v / ‖Wᵀ v‖`, `σ = vᵀ W u`, the kernel being
    reshaped to a matrix (…, outputs). The kernel itself is overwritten.

    Args:
        layer: a layer with a `kernel` or `embeddings`.
        power_iterations: steps per call, ≥ 1.

    Example:
        >>> import kerasish
        >>> layer = SpectralNormalization(kerasish.layers.Dense(4), power_iterations=20)
        >>> _ = layer(torch.ones(2, 6), training=True)
        >>> torch.linalg.norm(layer.layer.kernel.detach(), 2).round(decimals=3).item()
        1.0

    Source: Miyato et al., 2018, *Spectral normalization for generative adversarial networks*,
    arXiv:1802.05957.
    """

    kernel: Variable
    vector_u: Variable

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        if (
            isinstance(power_iterations, bool)
            or not isinstance(power_iterations, int)
            or power_iterations < 1
        ):
            raise ValueError(
                f"`power_iterations` of layer {self.name!r} must be a positive integer. "
                f"Received: power_iterations={power_iterations!r}"
            )
        self.power_iterations = power_iterations

    def build(self, input_shape: Any) -> None:  # type: ignore[override]
        super().build(input_shape)
        kernel = getattr(self.layer, "kernel", getattr(self.layer, "embeddings", None))
        if not isinstance(kernel, Variable):
            raise ValueError(
                f"Layer {self.name!r} normalizes the `kernel` or `embeddings` of the layer that it wraps, which has "
                f"neither. Received: layer={received(self.layer)}"
            )
        self.kernel = kernel
        self.vector_u = self.add_weight(
            name="vector_u",
            shape=(1, kernel.shape[-1]),
            initializer=TruncatedNormal(stddev=0.02),
            trainable=False,
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        if training:
            with torch.no_grad():
                vector_u, kernel = self.normalized_weights()
                self.vector_u.copy_(vector_u)
                self.kernel.copy_(kernel)
        return self.layer(inputs)

    def normalized_weights(self) -> tuple[Tensor, Tensor]:
        """The next u, and the kernel divided by σ; a kernel of zeros stays as it is."""
        matrix = self.kernel.reshape(-1, self.kernel.shape[-1])
        u: Tensor = self.vector_u
        for _ in range(self.power_iterations):
            v = F.normalize(u @ matrix.t(), dim=-1)
            u = F.normalize(v @ matrix, dim=-1)
        sigma = (v @ matrix @ u.t()).reshape(())
        is_zero = sigma == 0
        return torch.where(is_zero, self.vector_u, u), self.kernel / torch.where(is_zero, 1.0, sigma)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.layer.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "power_iterations": self.power_iterations}
