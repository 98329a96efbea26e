"""Class numbers as vectors, and the rearrangements of images into blocks, patches and back."""

# N batch, H height, W width, C channels

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kerasish.config import standardize_data_format
from kerasish.dtypes import tensor_dtype
from kerasish.errors import format_shape
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.operands import as_float
from kerasish.ops.operation import operation


@operation
def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Any:
    """1 at the place of each class number and 0 elsewhere, along a new axis; only 0 for numbers out of range.

    Args:
        x: class numbers.
        num_classes: size of the new axis.
        axis: its place in the result.
        dtype: of the result, `floatx()` for None.
        sparse: only False.

    Example:
        >>> one_hot([2, 0], 3).tolist()
        [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    if sparse:
        raise ValueError("`sparse=True` is not supported: one-hot vectors are dense. Leave it out.")
    x = convert_to_tensor(x).long()
    if not -x.ndim - 1 <= axis <= x.ndim:
        raise ValueError(
            f"one_hot: `axis` must be within the result's {x.ndim + 1} axes. Received: axis={axis}"
        )
    hot = x.unsqueeze(-1) == torch.arange(num_classes, device=x.device)
    return hot.movedim(-1, axis).to(tensor_dtype(dtype))


@operation
def multi_hot(
    inputs: Any,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
    **kwargs: Any,
) -> Any:
    """1 at the place of every class number of a sample: the maximum of their one-hot vectors.

    Args:
        inputs: class numbers, `(B, n, …)` or `(n,)`.
        num_classes: size of the axis of the classes; `num_tokens` is its name in older Keras.
        axis, dtype, sparse: as in `one_hot`.

    Example:
        >>> multi_hot([[0, 1], [2, 2]], 3).tolist()
        [[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    num_classes = kwargs.pop("num_tokens", num_classes)
    if kwargs:
        raise TypeError(f"multi_hot has no argument {sorted(kwargs)[0]!r}")
    if num_classes is None:
        raise ValueError("multi_hot: `num_classes` must be given. Received: num_classes=None")
    inputs = convert_to_tensor(inputs)
    return one_hot(inputs, num_classes, axis, dtype, sparse).amax(1 if inputs.ndim > 1 else 0)


@operation
def depth_to_space(x: Any, block_size: int, data_format: str | None = "channels_last") -> Any:
    """`(N, H, W, C)` → `(N, H b, W b, C / b²)`: every pixel's channels become a block of b × b pixels.

    The channels of a pixel are its block's pixels, row by row, each with all new channels; with "channels_first" they
    are the new channels, each with all pixels of the block, as torch's `pixel_shuffle` has them.

    Source: Shi et al., 2016, *Real-time single image super-resolution*, arXiv:1609.05158.
    """
    x, is_last = _images("depth_to_space", x, block_size, data_format)
    b, channels = block_size, x.shape[-1 if is_last else 1]
    if channels % b**2:
        raise ValueError(
            f"depth_to_space: the number of channels must be a multiple of block_size² = {b**2}. "
            f"Received: {channels} channels"
        )
    if not is_last:
        return F.pixel_shuffle(x, b)
    n, h, w, c = x.shape
    return x.reshape(n, h, w, b, b, c // b**2).transpose(2, 3).reshape(n, h * b, w * b, c // b**2)


@operation
def space_to_depth(x: Any, block_size: int, data_format: str | None = "channels_last") -> Any:
    """`(N, H, W, C)` → `(N, H / b, W / b, C b²)`: every block of b × b pixels becomes the channels of one.

    The inverse of `depth_to_space`, in the same order of channels.
    """
    x, is_last = _images("space_to_depth", x, block_size, data_format)
    b, (height, width) = block_size, (x.shape[1:3] if is_last else x.shape[2:])
    if height % b or width % b:
        raise ValueError(
            f"space_to_depth: height and width must be multiples of block_size = {b}. "
            f"Received: images of {height} × {width}"
        )
    if not is_last:
        return F.pixel_unshuffle(x, b)
    n, h, w, c = x.shape
    return x.reshape(n, h // b, b, w // b, b, c).transpose(2, 3).reshape(n, h // b, w // b, c * b**2)


def _images(name: str, x: Any, block_size: int, data_format: str | None) -> tuple[Tensor, bool]:
    """The images, and whether their channels come last."""
    x = convert_to_tensor(x)
    if block_size < 2:
        raise ValueError(f"{name}: `block_size` must be at least 2. Received: block_size={block_size}")
    if x.ndim != 4:
        raise ValueError(f"{name}: `x` must have 4 dimensions. Received: x of shape {format_shape(x.shape)}")
    return x, standardize_data_format(data_format) == "channels_last"


@operation
def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """The patches of images, as columns: `(N, C, H, W)` → `(N, C · kernel area, number of patches)`."""
    x = as_float(x)
    if x.ndim != 4:
        raise ValueError(
            f"unfold: `x` must have shape (N, C, H, W). Received: x of shape {format_shape(x.shape)}"
        )
    return F.unfold(x, kernel_size, dilation, padding, stride)


@operation
def fold(
    x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    """The sum of patches given as columns: `(N, C · kernel area, number of patches)` → `(N, C, *output_size)`."""
    x = as_float(x)
    if x.ndim != 3:
        raise ValueError(
            "fold: `x` must have shape (N, C · kernel area, number of patches). "
            f"Received: x of shape {format_shape(x.shape)}"
        )
    return F.fold(x, output_size, kernel_size, dilation, padding, stride)
