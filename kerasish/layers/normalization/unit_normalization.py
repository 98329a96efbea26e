"""Normalization to length 1."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from kerasish.layers.layer import Layer
from kerasish.layers.normalization.layer_normalization import axes_in, checked_axis


class UnitNormalization(Layer):
    """Scale each record to length 1: `x / ‖x‖₂`, the norm over `axis`; zeros stay zeros.

    Args:
        axis: the axis, or axes, of the vectors.

    Example:
        >>> import torch
        >>> UnitNormalization()(torch.tensor([[3.0, 4.0]]))
        tensor([[0.6000, 0.8000]])
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        checked_axis(self, axis)
        self.axis = axis
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        axes_in(self, self.axis, input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        x = inputs if inputs.is_floating_point() else inputs.to(self._torch_dtype)
        return F.normalize(x, p=2.0, dim=self.axis, eps=1e-12)

    def compute_output_shape(self, input_shape: Any) -> Any:
        axes_in(self, self.axis, input_shape)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
