"""Shapes, joins, parts and products of tensors, under Keras 2's argument names and defaults."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase
from typing import Any

import numpy as np
import torch

from kerasish.config import get_device, standardize_data_format
from kerasish.dtypes import standardize_dtype
from kerasish.ops import indexing, nn, numpy
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.image import resize
from kerasish.ops.operation import operation


def int_shape(x: Any) -> tuple[int | None, ...]:
    """The shape as a tuple."""
    return tuple(x.shape)


def count_params(x: Any) -> int:
    """The number of values of a variable."""
    return int(np.prod(x.shape))


def dtype(x: Any) -> str:
    """The name of the dtype."""
    return standardize_dtype(x.dtype)


def size(x: Any, name: str | None = None) -> Any:
    """The number of values."""
    return numpy.size(x)


def reshape(x: Any, shape: Any) -> Any:
    """The same values in another shape, in which −1 stands for what is left."""
    return numpy.reshape(x, shape)


@operation
def flatten(x: Any) -> Any:
    """All values in one axis."""
    return torch.reshape(convert_to_tensor(x), (-1,))


@operation
def batch_flatten(x: Any) -> Any:
    """`(B, …)` → `(B, n)`."""
    return torch.flatten(convert_to_tensor(x), 1)


def expand_dims(x: Any, axis: int = -1) -> Any:
    """Insert an axis of length 1."""
    return numpy.expand_dims(x, axis)


def permute_dimensions(x: Any, pattern: Sequence[int]) -> Any:
    """The axes in the order of `pattern`."""
    return numpy.transpose(x, tuple(pattern))


def concatenate(tensors: Sequence[Any], axis: int = -1) -> Any:
    """Join along the last axis by default, where `keras.ops.concatenate` takes the first."""
    return numpy.concatenate(list(tensors), axis)


@operation
def repeat(x: Any, n: int) -> Any:
    """`(B, F)` → `(B, n, F)`."""
    return torch.tile(torch.unsqueeze(convert_to_tensor(x), 1), (1, n, 1))


def repeat_elements(x: Any, rep: int, axis: int) -> Any:
    """Every slice along `axis` `rep` times."""
    return numpy.repeat(x, rep, axis)


def reverse(x: Any, axes: int | Sequence[int]) -> Any:
    """The slices along `axes` in the opposite order."""
    return numpy.flip(x, axes)


def tile(x: Any, n: Any) -> Any:
    """`x`, `n[i]` times along axis i."""
    return numpy.tile(x, n)


def gather(reference: Any, indices: Any) -> Any:
    """The rows of `reference` at `indices`."""
    return numpy.take(reference, indices, axis=0)


def slice(x: Any, start: Any, size: Any) -> Any:
    """The part of `x` that begins at `start` and has the shape `size`."""
    return indexing.slice(x, start, size)


def one_hot(indices: Any, num_classes: int) -> Any:
    """One-hot vectors in the default float type."""
    return nn.one_hot(indices, num_classes)


@operation
def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """`then_expression` where `condition` holds, `else_expression` elsewhere; functions are called first."""
    then_value, else_value = (
        convert_to_tensor(value() if callable(value) else value)
        for value in (then_expression, else_expression)
    )
    condition = torch.as_tensor(condition, dtype=torch.bool, device=get_device())
    condition = condition.reshape(*condition.shape, *(1,) * (then_value.ndim - condition.ndim))
    return torch.where(condition, then_value, else_value)


def dot(x: Any, y: Any) -> Any:
    """Sum products over the last axis of `x` and the last but one of `y`."""
    return numpy.dot(x, y)


@operation
def batch_dot(x: Any, y: Any, axes: int | Sequence[int | None] | None = None) -> Any:
    """Sum products over one axis of `x` and one of `y`, sample by sample: at least `(B, 1)`.

    Args:
        axes: the two axes, or one number for both; the last of `x` and the last but one of `y` by default.
    """
    x, y = convert_to_tensor(x), convert_to_tensor(y)
    if axes is None:
        axes = (x.ndim - 1, 1 if y.ndim == 2 else y.ndim - 2)
    of_x, of_y = (axes, axes) if isinstance(axes, int) else axes
    x_letters = list(ascii_lowercase[: x.ndim])
    y_letters = ["a", *ascii_lowercase[x.ndim : x.ndim + y.ndim - 1]]
    of_x, of_y = int(of_x or 0) % x.ndim, int(of_y or 0) % y.ndim
    if 0 in (of_x, of_y):
        raise ValueError(f"batch_dot cannot sum over the batch axis. Received: axes={axes!r}")
    shared = y_letters[of_y] = x_letters[of_x]
    kept = "".join(letter for letter in x_letters + y_letters[1:] if letter != shared)
    product = torch.einsum(f"{''.join(x_letters)},{''.join(y_letters)}->{kept}", x, y)
    return product.unsqueeze(-1) if product.ndim == 1 else product


@operation
def bias_add(x: Any, bias: Any, data_format: str | None = None) -> Any:
    """`x + bias`: one number per channel, or an array of the shape of a sample."""
    x, bias = convert_to_tensor(x), convert_to_tensor(bias)
    if bias.ndim not in (1, x.ndim - 1):
        raise ValueError(
            f"`bias` must have 1 or {x.ndim - 1} dimensions for `x` of {x.ndim}. Received: {bias.ndim}"
        )
    if standardize_data_format(data_format) == "channels_first" and x.ndim > 2:
        bias = bias.reshape(-1, *(1,) * (x.ndim - 2)) if bias.ndim == 1 else bias.movedim(-1, 0)
    return x + bias


@operation
def temporal_padding(x: Any, padding: Sequence[int] = (1, 1)) -> Any:
    """Zeros before and after sequences `(B, T, C)`."""
    return torch.nn.functional.pad(convert_to_tensor(x), (0, 0, *padding))


@operation
def spatial_2d_padding(
    x: Any, padding: Sequence[Sequence[int]] = ((1, 1), (1, 1)), data_format: str | None = None
) -> Any:
    """Zeros around pictures: `((top, bottom), (left, right))`."""
    return _pad_spatially(x, padding, data_format)


@operation
def spatial_3d_padding(
    x: Any, padding: Sequence[Sequence[int]] = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None
) -> Any:
    """Zeros around volumes: a pair for every spatial dimension."""
    return _pad_spatially(x, padding, data_format)


def _pad_spatially(x: Any, padding: Sequence[Sequence[int]], data_format: str | None) -> torch.Tensor:
    channels = (0, 0) if standardize_data_format(data_format) == "channels_last" else ()
    amounts = [amount for pair in reversed(padding) for amount in pair]
    return torch.nn.functional.pad(convert_to_tensor(x), (*channels, *amounts))


def resize_images(
    x: Any, height_factor: int, width_factor: int, data_format: str, interpolation: str = "nearest"
) -> Any:
    """Pictures enlarged by two factors."""
    height, width = x.shape[1:3] if data_format == "channels_last" else x.shape[2:4]
    new = (height * height_factor, width * width_factor)
    return resize(x, new, interpolation, data_format=data_format)


@operation
def resize_volumes(x: Any, depth_factor: int, height_factor: int, width_factor: int, data_format: str) -> Any:
    """Volumes enlarged by three factors, every voxel being repeated."""
    x = convert_to_tensor(x)
    first = 1 if standardize_data_format(data_format) == "channels_last" else 2
    for axis, factor in enumerate((depth_factor, height_factor, width_factor), first):
        x = x.repeat_interleave(factor, axis)
    return x


def is_sparse(tensor: Any) -> bool:
    """Whether a tensor is sparse."""
    return isinstance(tensor, torch.Tensor) and tensor.layout is not torch.strided


def to_dense(tensor: torch.Tensor) -> torch.Tensor:
    """A sparse tensor as a dense one; a dense one as it is."""
    return tensor.to_dense() if is_sparse(tensor) else tensor
