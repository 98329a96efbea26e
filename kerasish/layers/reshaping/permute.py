"""Exchanging axes."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.symbolic import KerasTensor


class Permute(Layer):
    """Put the axes of each record in another order: axis i of the output is axis `dims[i − 1]` of the input.

    Args:
        dims: the numbers 1 to n in the new order; 0, the batch, stays where it is.

    Example:
        >>> import torch, kerasish
        >>> kerasish.layers.Permute((2, 1))(torch.ones(4, 10, 3)).shape
        torch.Size([4, 3, 10])
    """

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                f"`dims` of layer {self.name!r} must be the numbers 1 to n in some order, the batch left out. "
                f"Received: dims={dims!r}"
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Tensor) -> Tensor:
        return inputs.permute(0, *self.dims)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))

    def compute_output_spec(self, inputs: KerasTensor) -> KerasTensor:
        """The symbolic output: of the input's dtype, integers included."""
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dims": self.dims}
