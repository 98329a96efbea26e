"""Products of two tensors along an axis, record by record."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kerasish.errors import format_shape
from kerasish.layers.merging.merge import Merge


class Dot(Merge):
    """Multiply two tensors and sum over an axis of each: `y[b, i…, j…] = Σ_k x₁[b, i…, k] x₂[b, k, j…]`.

    Args:
        axes: the axis of both, or a pair of axes, counted with the batch as 0.
        normalize: whether both are scaled to length 1 along the axis first: the result is the cosine similarity.

    Shapes: (B, i…, k), (B, k, j…) → (B, i…, j…), or (B, 1) where nothing else is left.

    Example:
        >>> Dot(axes=(2, 1))([torch.ones(8, 3, 4), torch.ones(8, 4, 5)]).shape
        torch.Size([8, 3, 5])
    """

    def __init__(
        self, axes: int | tuple[int, int] | list[int], normalize: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(axes, int):
            if not isinstance(axes, (list, tuple)):
                raise TypeError(
                    f"`axes` of layer {self.name!r} must be an integer or a pair of integers. Received: axes={axes!r}"
                )
            if len(axes) != 2 or not all(isinstance(axis, int) for axis in axes):
                raise ValueError(
                    f"`axes` of layer {self.name!r} must be an integer or a pair of integers. Received: axes={axes!r}"
                )
        self.axes = axes
        self.normalize = normalize

    def _check_shapes(self, shapes: list[tuple]) -> None:
        if len(shapes) != 2:
            raise ValueError(f"Layer {self.name!r} multiplies two tensors. Received: {len(shapes)} tensors.")
        self._axes_in(shapes)

    def _axes_in(self, shapes: Any) -> tuple[int, int]:
        """The two axes, counted from 0, checked against the shapes."""
        pair = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        described = f"shapes {format_shape(shapes[0])} and {format_shape(shapes[1])}, axes={self.axes}"
        found = []
        for axis, shape in zip(pair, shapes, strict=True):
            if not -len(shape) < axis < len(shape) or axis == 0:
                raise ValueError(
                    f"`axes` of layer {self.name!r} must be axes of its inputs other than the batch. "
                    f"Received: {described}"
                )
            found.append(axis % len(shape))
        first, second = (shape[axis] for axis, shape in zip(found, shapes, strict=True))
        if None not in (first, second) and first != second:
            raise ValueError(
                f"Layer {self.name!r} sums over axes of the same size, not {first} and {second}. Received: {described}"
            )
        if None not in (shapes[0][0], shapes[1][0]) and shapes[0][0] != shapes[1][0]:
            raise ValueError(
                f"Layer {self.name!r} multiplies record by record: the batch sizes must be equal. "
                f"Received: {described}"
            )
        return found[0], found[1]

    def call(self, inputs: Any) -> Tensor:
        if not isinstance(inputs, (list, tuple)) or len(inputs) != 2:
            raise ValueError(f"Layer {self.name!r} must be called on a list of two tensors.")
        x, y = inputs
        first, second = self._axes_in([tuple(x.shape), tuple(y.shape)])
        if self.normalize:
            x, y = (F.normalize(z, dim=axis, eps=1e-7) for z, axis in ((x, first), (y, second)))
        x, y = x.movedim(first, -1), y.movedim(second, 1)
        rows, columns = x.shape[1:-1], y.shape[2:]
        if not rows and not columns:
            return (x * y).sum(dim=1, keepdim=True)
        product = torch.bmm(x.reshape(x.shape[0], -1, x.shape[-1]), y.reshape(y.shape[0], y.shape[1], -1))
        return product.reshape(x.shape[0], *rows, *columns)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        first, second = self._axes_in(input_shape)
        x, y = (list(shape) for shape in input_shape)
        del x[first], y[second]
        shape = (*x, *y[1:])
        return shape if len(shape) > 1 else (*shape, 1)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """None: the product has no mask."""

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """Functional form of `Dot`."""
    return Dot(axes=axes, **kwargs)(inputs)
