"""LSTM whose products are convolutions, for sequences of rows, images and volumes."""

# B batch, T time, C channels, S spatial sizes, F filters

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kerasish.config import standardize_data_format
from kerasish.dtypes import torch_dtype
from kerasish.errors import format_shape
from kerasish.layers.convolution.convolution import torch_kernel
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.recurrent.cell import GatedCell, delegates, written
from kerasish.layers.recurrent.lstm import forget_bias
from kerasish.layers.recurrent.rnn import RNN, cell_arguments
from kerasish.layers.windows import (
    check_output_sizes,
    count_of,
    from_torch_layout,
    join_shape,
    lifted,
    output_length,
    pad_spatially,
    same_padding,
    spatial_sizes,
    split_shape,
    standardize_padding,
    to_torch_layout,
)

CONVOLUTIONS = {1: F.conv2d, 2: F.conv2d, 3: F.conv3d}
SETTINGS = (
    "filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "activation",
    "recurrent_activation", "use_bias", "kernel_initializer", "recurrent_initializer", "bias_initializer",
    "unit_forget_bias", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "activity_regularizer",
    "kernel_constraint", "recurrent_constraint", "bias_constraint", "dropout", "recurrent_dropout", "seed",
)  # fmt: skip
CELL_SETTINGS = tuple(name for name in SETTINGS if name != "activity_regularizer")


class ConvLSTMCell(GatedCell):
    """One step of `ConvLSTM1D`, `ConvLSTM2D`, `ConvLSTM3D`: the gates of `LSTM` with convolutions for products.

    Args:
        rank: number of spatial dimensions.

    The other arguments are those of the layers.
    """

    gates = 4
    settings = CELL_SETTINGS

    def __init__(self, rank: int, settings: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        windows = ("kernel_size", "strides", "dilation_rate")
        settings = {
            **settings,
            **{name: spatial_sizes(settings[name], rank, name, self.name) for name in windows},
            "filters": count_of(settings["filters"], "filters", self.name),
            "padding": standardize_padding(settings["padding"], ("valid", "same"), self.name),
            "data_format": standardize_data_format(settings["data_format"]),
        }
        if max(settings["strides"]) > 1 and max(settings["dilation_rate"]) > 1:
            raise ValueError(
                f"Layer {self.name!r} cannot have both strides and a dilation: set one of them to 1. Received: "
                f"strides={settings['strides']}, dilation_rate={settings['dilation_rate']}"
            )
        self.rank = rank
        self._take_settings(settings)
        self.state_size = [self.filters, self.filters]
        self.output_size = self.filters

    @property
    def _is_last(self) -> bool:
        return self.data_format == "channels_last"

    def build(self, input_shape: Any) -> None:
        channels = split_shape(input_shape, self.rank, self._is_last, self.name)[2]
        if channels is None:
            raise ValueError(
                f"Layer {self.name!r} must know the number of channels. Received: {format_shape(input_shape)}"
            )
        f = self.filters
        bias_initializer = forget_bias(self.bias_initializer, f, self.unit_forget_bias)
        kernel, recurrent_kernel = ((*self.kernel_size, size, 4 * f) for size in (channels, f))
        self._make_weights(kernel, recurrent_kernel, (4 * f,), bias_initializer)

    def step_shape(self, input_shape: Any) -> tuple:
        """The shape of the output, and of each state, for the shape of one time step.

        Raises:
            ValueError: the kernel is larger than the input.
        """
        batch, spatial, _ = split_shape(input_shape, self.rank, self._is_last, self.name)
        axes = zip(spatial, self.kernel_size, self.strides, self.dilation_rate, strict=True)
        sizes = [output_length(size, k, stride, self.padding, dilation) for size, k, stride, dilation in axes]
        check_output_sizes(sizes, input_shape, self.kernel_size, self.name)
        return join_shape(batch, sizes, self.filters, self._is_last)

    def _convolve(self, x: Tensor, kernel: Tensor, strides: Any, padding: str, dilation: Any) -> Tensor:
        """A convolution of x (B, …) with a kernel (…, C, F), in the cell's layout."""
        x = to_torch_layout(x, self._is_last)
        weight = torch_kernel(kernel)
        strides, dilation = lifted(strides), lifted(dilation)
        around: Any = 0
        if padding == "same":
            sizes = zip(x.shape[2:], weight.shape[2:], strides, dilation, strict=True)
            pads = [same_padding(*size) for size in sizes]
            if all(before == after for before, after in pads):
                around = [before for before, _ in pads]
            else:
                x = pad_spatially(x, pads)
        y = CONVOLUTIONS[self.rank](x, weight, None, strides, around, dilation)
        return from_torch_layout(y, self._is_last, self.rank)

    def _convolve_gates(
        self, x: Tensor, kernel: Tensor, masks: list[Tensor] | None, strides: Any, padding: str, dilation: Any
    ) -> Tensor:
        if masks is None:
            return self._convolve(x, kernel, strides, padding, dilation)
        pairs = zip(masks, kernel.chunk(4, dim=-1), strict=True)
        parts = [self._convolve(x * mask, part, strides, padding, dilation) for mask, part in pairs]
        return torch.cat(parts, dim=-1 if self._is_last else 1)

    def _over_gates(self, bias: Tensor) -> Tensor:
        return bias if self._is_last else bias.view(-1, *[1] * self.rank)

    def project(self, inputs: Tensor, masks: list[Tensor] | None = None) -> Tensor:
        """The input's part of all gates, for one time step (B, …) or for several (T, B, …)."""
        times = inputs.shape[: inputs.dim() - self.rank - 2]
        if masks is not None and times:
            masks = [mask.expand_as(inputs).flatten(0, 1) for mask in masks]
        x = inputs.flatten(0, 1) if times else inputs
        gates = self._convolve_gates(x, self.kernel, masks, self.strides, self.padding, self.dilation_rate)
        if self.bias is not None:
            gates = gates + self._over_gates(self.bias)
        return gates.unflatten(0, inputs.shape[:2]) if times else gates

    def advance(
        self, projected: Tensor, states: Any, masks: list[Tensor] | None
    ) -> tuple[Tensor, list[Tensor]]:
        """The step's output and states, from the input's part of the gates i, f, c, o."""
        h, c = states
        ones = (1,) * self.rank
        gates = projected + self._convolve_gates(h, self.recurrent_kernel, masks, ones, "same", ones)
        i, f, candidate, o = gates.chunk(4, dim=-1 if self._is_last else 1)
        gate = self.recurrent_activation
        c = torch.addcmul(gate(f) * c, gate(i), self.activation(candidate))
        h = gate(o) * self.activation(c)
        return h, [h, c]

    def call(self, inputs: Tensor, states: Any, training: bool = False) -> tuple[Tensor, Any]:
        states = self._states(states)
        masks, recurrent_masks = self._masks(inputs, states[0], training)
        return self.advance(self.project(inputs, masks), states, recurrent_masks)

    def can_fuse(self, sequences: Tensor, masks: list[Tensor] | None) -> bool:
        """False: torch has no kernel for whole sequences."""
        return False


@delegates(SETTINGS)
class _ConvLSTM(RNN):
    rank: int

    def __init__(self, settings: dict[str, Any], kwargs: dict[str, Any]) -> None:
        cell_settings = {name: settings[name] for name in CELL_SETTINGS}
        cell = ConvLSTMCell(self.rank, cell_settings, **cell_arguments("conv_lstm_cell", kwargs))
        names = ("return_sequences", "return_state", "go_backwards", "stateful", "activity_regularizer")
        super().__init__(cell, **{name: settings[name] for name in names}, **kwargs)
        self.input_spec = InputSpec(ndim=self.rank + 3)
        self._feature_axis = -1 if self.cell._is_last else 2

    def _step_shape(self, sequences_shape: Any) -> tuple:
        return self.cell.step_shape((sequences_shape[0], *sequences_shape[2:]))

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        self._step_shape(sequences_shape)
        super().build(sequences_shape)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """The shapes of the output and, with `return_state`, of the two states."""
        batch, *shape = self._step_shape(sequences_shape)
        state = (batch, *shape)
        output = (batch, sequences_shape[1], *shape) if self.return_sequences else state
        return (output, state, state) if self.return_state else output

    def _zero_states(self, sequences_shape: Any) -> list[Tensor]:
        dtype, device = torch_dtype(self.compute_dtype), self._own_device()
        return [torch.zeros(self._step_shape(sequences_shape), dtype=dtype, device=device) for _ in range(2)]

    def _expected_states(self, sequences_shape: Any) -> list[Any]:
        return [self._step_shape(sequences_shape)] * 2

    def get_initial_state(self, batch_size: int) -> list[Tensor]:
        """Zeros, two states in the shape for which the layer was built."""
        if self._build_shapes is None:
            raise RuntimeError(
                f"Layer {self.name!r} must be built first: the shape of its states is the output's."
            )
        shape = next(iter(self._build_shapes.values()))
        return self._zero_states((batch_size, *shape[1:]))

    def get_config(self) -> dict[str, Any]:
        return {**self._sequence_config(), **written(self, SETTINGS)}


class ConvLSTM1D(_ConvLSTM):
    """LSTM over sequences of rows: its products with input and state are convolutions.

    With ∗ the convolution, `[i, f, g, o] = x_t ∗ kernel + h_{t−1} ∗ recurrent_kernel + bias`,
    `c_t = σ(f) c_{t−1} + σ(i) φ(g)`, `h_t = σ(o) φ(c_t)`.

    Args:
        filters: number of filters F.
        kernel_size, strides, dilation_rate: integer, of the input's convolution; the state's has
            stride 1.
        padding: `"valid"` or `"same"`, of the input's convolution; the state's is always "same".
        data_format: `"channels_last"` or `"channels_first"`.
        activation: φ.
        recurrent_activation: σ.
        use_bias: whether to add a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: initial values.
        unit_forget_bias: begin with a bias of 1 at the forget gate f.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties added to the loss.
        activity_regularizer: penalty of the output.
        kernel_constraint, recurrent_constraint, bias_constraint: projections applied after each update.
        dropout, recurrent_dropout: fractions of input and state to drop in training, the same at all time steps and
            drawn for each gate.
        seed: integer for reproducible dropout.
        return_sequences: return the outputs of all time steps, not the last one only.
        return_state: return h and c of the last step after the output.
        go_backwards: run from the last time step to the first; the outputs stand in that order.
        stateful: begin with the last state of the call before; needs a fixed batch size.

    Shapes: (B, T, W, C) → (B, W', F), or (B, T, W', F) with `return_sequences`.

    Raises:
        ValueError: a kernel larger than the input; `strides` and `dilation_rate` both over 1.

    Source: Shi et al., 2015, *Convolutional LSTM network: a machine learning approach for precipitation nowcasting*.

    Example:
        >>> import torch, kerasish
        >>> kerasish.layers.ConvLSTM1D(4, 3, padding="same")(torch.ones(2, 5, 8, 3)).shape
        torch.Size([2, 8, 4])
    """

    rank = 1

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(locals(), kwargs)


class ConvLSTM2D(_ConvLSTM):
    """LSTM over sequences of images: its products with input and state are convolutions.

    With ∗ the convolution, `[i, f, g, o] = x_t ∗ kernel + h_{t−1} ∗ recurrent_kernel + bias`,
    `c_t = σ(f) c_{t−1} + σ(i) φ(g)`, `h_t = σ(o) φ(c_t)`.

    Args:
        filters: number of filters F.
        kernel_size, strides, dilation_rate: integer or 2 of them, of the input's convolution; the state's has
            stride 1.
        padding: `"valid"` or `"same"`, of the input's convolution; the state's is always "same".
        data_format: `"channels_last"` or `"channels_first"`.
        activation: φ.
        recurrent_activation: σ.
        use_bias: whether to add a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: initial values.
        unit_forget_bias: begin with a bias of 1 at the forget gate f.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties added to the loss.
        activity_regularizer: penalty of the output.
        kernel_constraint, recurrent_constraint, bias_constraint: projections applied after each update.
        dropout, recurrent_dropout: fractions of input and state to drop in training, the same at all time steps and
            drawn for each gate.
        seed: integer for reproducible dropout.
        return_sequences: return the outputs of all time steps, not the last one only.
        return_state: return h and c of the last step after the output.
        go_backwards: run from the last time step to the first; the outputs stand in that order.
        stateful: begin with the last state of the call before; needs a fixed batch size.

    Shapes: (B, T, H, W, C) → (B, H', W', F), or (B, T, H', W', F) with `return_sequences`.

    Raises:
        ValueError: a kernel larger than the input; `strides` and `dilation_rate` both over 1.

    Source: Shi et al., 2015, *Convolutional LSTM network: a machine learning approach for precipitation nowcasting*.

    Example:
        >>> import torch, kerasish
        >>> kerasish.layers.ConvLSTM2D(4, 3, padding="same")(torch.ones(2, 5, 8, 8, 3)).shape
        torch.Size([2, 8, 8, 4])
    """

    rank = 2

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(locals(), kwargs)


class ConvLSTM3D(_ConvLSTM):
    """LSTM over sequences of volumes: its products with input and state are convolutions.

    With ∗ the convolution, `[i, f, g, o] = x_t ∗ kernel + h_{t−1} ∗ recurrent_kernel + bias`,
    `c_t = σ(f) c_{t−1} + σ(i) φ(g)`, `h_t = σ(o) φ(c_t)`.

    Args:
        filters: number of filters F.
        kernel_size, strides, dilation_rate: integer or 3 of them, of the input's convolution; the state's has
            stride 1.
        padding: `"valid"` or `"same"`, of the input's convolution; the state's is always "same".
        data_format: `"channels_last"` or `"channels_first"`.
        activation: φ.
        recurrent_activation: σ.
        use_bias: whether to add a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: initial values.
        unit_forget_bias: begin with a bias of 1 at the forget gate f.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties added to the loss.
        activity_regularizer: penalty of the output.
        kernel_constraint, recurrent_constraint, bias_constraint: projections applied after each update.
        dropout, recurrent_dropout: fractions of input and state to drop in training, the same at all time steps and
            drawn for each gate.
        seed: integer for reproducible dropout.
        return_sequences: return the outputs of all time steps, not the last one only.
        return_state: return h and c of the last step after the output.
        go_backwards: run from the last time step to the first; the outputs stand in that order.
        stateful: begin with the last state of the call before; needs a fixed batch size.

    Shapes: (B, T, D, H, W, C) → (B, D', H', W', F), or (B, T, D', H', W', F) with `return_sequences`.

    Raises:
        ValueError: a kernel larger than the input; `strides` and `dilation_rate` both over 1.

    Source: Shi et al., 2015, *Convolutional LSTM network: a machine learning approach for precipitation nowcasting*.

    Example:
        >>> import torch, kerasish
        >>> kerasish.layers.ConvLSTM3D(4, 3, padding="same")(torch.ones(2, 5, 4, 4, 4, 3)).shape
        torch.Size([2, 4, 4, 4, 4])
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(locals(), kwargs)
