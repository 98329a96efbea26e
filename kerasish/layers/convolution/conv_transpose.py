"""Transposed convolution, which enlarges sequences, images and volumes."""

# B batch, T time, D depth, H height, W width, C channels, F filters, k sizes of the kernel

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from kerasish import activations, constraints, initializers, regularizers
from kerasish.layers.convolution.convolution import SpatialConvolution, torch_kernel
from kerasish.layers.windows import check_output_sizes, count_of, lifted, spatial_sizes
from kerasish.variable import Variable


class ConvTranspose(SpatialConvolution):
    """Base of `Conv1DTranspose`, `Conv2DTranspose` and `Conv3DTranspose`."""

    kernel: Variable

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
        output_padding: Any = None, data_format: str | None = None, dilation_rate: Any = 1,
        activation: Any = None, use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros", kernel_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, kernel_constraint: Any = None, bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, bias_initializer,
            bias_regularizer, activity_regularizer, bias_constraint, **kwargs,
        )  # fmt: skip
        self._refuse_strides_with_dilation()
        self.filters = count_of(filters, "filters", self.name)
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = spatial_sizes(
                output_padding, self.rank, "output_padding", self.name, minimum=0
            )
            if any(more >= stride for more, stride in zip(self.output_padding, self.strides, strict=True)):
                raise ValueError(
                    f"`output_padding` of layer {self.name!r} must be smaller than `strides`. "
                    f"Received: output_padding={self.output_padding}, strides={self.strides}"
                )
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, self.filters, channels),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self._add_bias(self.filters)

    def _lengths(self, spatial: Sequence[int | None]) -> list[tuple[int | None, int | None]]:
        """Per axis the length of all that the windows cover, and that of the output cut out of it."""
        lengths: list[tuple[int | None, int | None]] = []
        more = self.output_padding or (None,) * self.rank
        for length, k, s, d, extra in zip(
            spatial, self.kernel_size, self.strides, self.dilation_rate, more, strict=True
        ):
            if length is None:
                lengths.append((None, None))
                continue
            window = d * (k - 1) + 1
            covered = (length - 1) * s + window
            if extra is not None:
                wanted = covered + extra - (0 if self.padding == "valid" else 2 * (window // 2))
            else:
                wanted = length * s + (max(window - s, 0) if self.padding == "valid" else 0)
            lengths.append((covered, wanted))
        return lengths

    def call(self, inputs: Tensor) -> Tensor:
        x = self._enter(inputs)
        crops, additions, cuts = [], [], []
        for covered, wanted in self._lengths(x.shape[-self.rank :]):
            excess = covered - wanted  # type: ignore[operator]
            before = max(excess, 0) // 2
            crops.append(before)
            additions.append(max(before - (excess - before), 0))
            cuts.append(wanted if excess > 2 * before else None)
        function = torch.conv_transpose3d if self.rank == 3 else torch.conv_transpose2d
        y = function(
            x, torch_kernel(self.kernel), self.bias, self._steps, lifted(tuple(crops), 0), lifted(tuple(additions), 0),
            1, self._dilation,
        )  # fmt: skip
        for axis, length in enumerate(cuts, start=y.dim() - self.rank):
            if length is not None:
                y = y.narrow(axis, 0, length)
        return self._finish(y, is_part=any(length is not None for length in cuts))

    def _output_spatial(self, input_shape: Any) -> tuple:
        sizes = tuple(wanted for _, wanted in self._lengths(self._split(input_shape)[1]))
        check_output_sizes(sizes, input_shape, self.kernel_size, self.name)
        return sizes

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return self._output_shape(input_shape, self.filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "output_padding": self.output_padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


class Conv1DTranspose(ConvTranspose):
    """Enlarge sequences by transposed convolution; arguments and formula are those of `Conv2DTranspose`.

    Shapes: (B, T, C) → (B, T', F), or channels first (B, C, T) → (B, F, T'); kernel (k, F, C).
    """

    rank = 1


class Conv2DTranspose(ConvTranspose):
    """Enlarge images: every input adds its value times the kernel to a window of the output.

    `y[h·s + i·d, w·s + j·d, f] += x[h, w, c] · kernel[i, j, f, c]`, then `activation(y + bias)`. It is
    the gradient of `Conv2D` by its input: it maps the shape of a convolution's output to that of its input.

    Args:
        filters: number of output channels F.
        kernel_size, strides, dilation_rate: size k of the window, step s and distance d as those of `Conv2D`.
        padding: `"valid"`: all that the windows cover, H' = H·s + max(k − s, 0); `"same"`: H' = H·s of it.
        output_padding: positions more at the end, less than `strides`; then H' = (H − 1)·s + k + output_padding, less
            2⌊k / 2⌋ with `"same"` (k counted with its dilation).
        data_format, activation, use_bias, …: as those of `Conv2D`.

    Shapes: (B, H, W, C) → (B, H', W', F), or channels first (B, C, H, W) → (B, F, H', W'); kernel (k, k, F, C).

    Source: Dumoulin and Visin, 2016, arXiv:1603.07285, section 4.

    Example:
        >>> import torch, kerasish
        >>> kerasish.layers.Conv2DTranspose(8, 3, strides=2, padding="same")(torch.ones(2, 7, 7, 4)).shape
        torch.Size([2, 14, 14, 8])
    """

    rank = 2

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
        output_padding: Any = None, data_format: str | None = None, dilation_rate: Any = (1, 1),
        activation: Any = None, use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros", kernel_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, kernel_constraint: Any = None, bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip


class Conv3DTranspose(ConvTranspose):
    """Enlarge volumes by transposed convolution; arguments and formula are those of `Conv2DTranspose`.

    Shapes: (B, D, H, W, C) → (B, D', H', W', F), or channels first (B, C, D, H, W) → (B, F, D', H', W'); kernel
    (k, k, k, F, C).
    """

    rank = 3

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1, 1), padding: str = "valid",
        data_format: str | None = None, output_padding: Any = None, dilation_rate: Any = (1, 1, 1),
        activation: Any = None, use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros", kernel_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, kernel_constraint: Any = None, bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
