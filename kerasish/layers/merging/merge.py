"""Layers that make one tensor of several, and their functional forms."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish.errors import format_shape
from kerasish.layers.layer import Layer


class Merge(Layer):
    """Base of the merging layers: checks that it is given a list of tensors of matching shapes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        if not isinstance(input_shape, (list, tuple)) or not isinstance(input_shape[0], (list, tuple)):
            raise ValueError(
                f"Layer {self.name!r} merges a list of tensors. Received: one of shape {format_shape(input_shape)}"
            )
        self._check_shapes([tuple(shape) for shape in input_shape])

    def _check_shapes(self, shapes: list[tuple]) -> None:
        rank = max(len(shape) for shape in shapes)
        padded = [(*shape[:1], *(1,) * (rank - len(shape)), *shape[1:]) for shape in shapes]
        for sizes in zip(*padded, strict=True):
            if len({size for size in sizes if size not in (1, None)}) > 1:
                raise ValueError(
                    f"Layer {self.name!r} cannot merge tensors of shapes "
                    f"{', '.join(format_shape(shape) for shape in shapes)}: sizes must be equal or 1."
                )

    def compute_output_shape(self, input_shape: Any) -> tuple:
        rank = max(len(shape) for shape in input_shape)
        padded = [(*shape[:1], *(1,) * (rank - len(shape)), *shape[1:]) for shape in input_shape]
        return tuple(
            None if None in sizes else max(sizes, key=lambda size: size != 1)
            for sizes in zip(*padded, strict=True)
        )

    def call(self, inputs: Any) -> Tensor:
        rank = max(x.dim() for x in inputs)
        return self._merge([x if x.dim() == rank else _pad_rank(x, rank) for x in inputs])

    def _merge(self, inputs: list[Tensor]) -> Tensor:
        raise NotImplementedError

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """True where any input is unmasked."""
        if mask is None or any(one is None for one in mask):
            return None
        return torch.stack(list(mask)).any(dim=0)


def _pad_rank(x: Tensor, rank: int) -> Tensor:
    """Insert dimensions of size 1 after the batch."""
    return x.reshape(x.shape[0], *(1,) * (rank - x.dim()), *x.shape[1:])


class Add(Merge):
    """Add a list of tensors, broadcasting as NumPy does: `y = x₁ + x₂ + …`."""

    def _merge(self, inputs: list[Tensor]) -> Tensor:
        total = inputs[0]
        for x in inputs[1:]:
            total = total + x
        return total


class Subtract(Merge):
    """Subtract the second of two tensors from the first: `y = x₁ − x₂`."""

    def _check_shapes(self, shapes: list[tuple]) -> None:
        if len(shapes) != 2:
            raise ValueError(
                f"Layer {self.name!r} subtracts one tensor from another. Received: {len(shapes)} tensors."
            )
        super()._check_shapes(shapes)

    def _merge(self, inputs: list[Tensor]) -> Tensor:
        return inputs[0] - inputs[1]


class Multiply(Merge):
    """Multiply a list of tensors element by element: `y = x₁ · x₂ · …`."""

    def _merge(self, inputs: list[Tensor]) -> Tensor:
        product = inputs[0]
        for x in inputs[1:]:
            product = product * x
        return product


class Average(Add):
    """Average a list of tensors element by element: `y = (x₁ + x₂ + …) / n`."""

    def _merge(self, inputs: list[Tensor]) -> Tensor:
        return super()._merge(inputs) / len(inputs)


class Maximum(Merge):
    """Take the largest of a list of tensors, element by element."""

    def _merge(self, inputs: list[Tensor]) -> Tensor:
        largest = inputs[0]
        for x in inputs[1:]:
            largest = torch.maximum(largest, x)
        return largest


class Minimum(Merge):
    """Take the smallest of a list of tensors, element by element."""

    def _merge(self, inputs: list[Tensor]) -> Tensor:
        smallest = inputs[0]
        for x in inputs[1:]:
            smallest = torch.minimum(smallest, x)
        return smallest


class Concatenate(Merge):
    """Join a list of tensors along an axis.

    Args:
        axis: the axis, in the numbering with the batch as 0.

    Shapes: equal but for `axis`, whose sizes add up.
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def _check_shapes(self, shapes: list[tuple]) -> None:
        ranks = {len(shape) for shape in shapes}
        if len(ranks) == 1:
            axis = self.axis % len(shapes[0])
            others = [shape[:axis] + shape[axis + 1 :] for shape in shapes]
            if all(
                len({size for size in sizes if size is not None}) <= 1 for sizes in zip(*others, strict=True)
            ):
                return
        raise ValueError(
            f"Layer {self.name!r} cannot concatenate tensors of shapes "
            f"{', '.join(format_shape(shape) for shape in shapes)} along axis {self.axis}: all other "
            "sizes must be equal."
        )

    def compute_output_shape(self, input_shape: Any) -> tuple:
        columns = list(zip(*input_shape, strict=True))
        joined = columns[self.axis]
        shape = [next((size for size in sizes if size is not None), None) for sizes in columns]
        shape[self.axis] = None if None in joined else sum(joined)
        return tuple(shape)

    def call(self, inputs: Any) -> Tensor:
        return torch.cat(list(inputs), dim=self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The masks joined along the axis; an input without a mask counts as unmasked."""
        if mask is None or all(one is None for one in mask):
            return None
        masks = []
        for x, one in zip(inputs, mask, strict=True):
            if one is None:
                one = torch.ones(x.shape[:-1], dtype=torch.bool, device=x.device)
            masks.append(one.unsqueeze(-1).expand(x.shape) if one.dim() < x.dim() else one)
        return torch.cat(masks, dim=self.axis).any(dim=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


def add(inputs: Any, **kwargs: Any) -> Any:
    """Functional form of `Add`."""
    return Add(**kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """Functional form of `Concatenate`."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """Functional form of `Subtract`."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """Functional form of `Multiply`."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """Functional form of `Average`."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """Functional form of `Maximum`."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """Functional form of `Minimum`."""
    return Minimum(**kwargs)(inputs)
