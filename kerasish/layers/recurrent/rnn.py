"""`RNN`: a cell run over the time steps of a sequence."""

# B batch, T time, F features

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor

from kerasish import tree
from kerasish.dtypes import torch_dtype
from kerasish.errors import format_shape, received
from kerasish.layers.core.wrapper import build_inner
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.layers.recurrent.cell import GatedCell, describe_state
from kerasish.layers.recurrent.loop import run_steps, run_valid_steps
from kerasish.layers.recurrent.sequence_layer import SequenceLayer
from kerasish.layers.recurrent.stacked_rnn_cells import StackedRNNCells
from kerasish.serialization import deserialize_keras_object, serialize_keras_object
from kerasish.symbolic import KerasTensor, infer_output


class RNN(SequenceLayer):
    """Run a cell over the time steps of sequences: `output_t, state_t = cell(x_t, state_{t−1})`.

    Args:
        cell: a layer with `call(inputs, states) → (output, states)` and `state_size` (a size, or a list of sizes),
            optionally `output_size` and `get_initial_state(batch_size)`; a list of cells is stacked.
        return_sequences: return the outputs of all time steps, not the last one only.
        return_state: return the last states after the output.
        go_backwards: run from the last time step to the first; the outputs stand in that order.
        stateful: begin with the last states of the call before; needs a fixed batch size.
        unroll: accepted; the loop runs unrolled always.
        zero_output_for_mask: at masked time steps give zero, not the output of the step before.

    Call arguments: `sequences` (B, T, …), `initial_state` a list of states, `mask` (B, T), `training`.

    Shapes: (B, T, …) → the cell's output (B, …), or (B, T, …) with `return_sequences`.

    Raises:
        ValueError: `cell` lacks `call` or `state_size`; the states or the mask do not fit; `stateful` without a batch
            size.

    Example:
        >>> import torch, kerasish
        >>> cells = [kerasish.layers.LSTMCell(4), kerasish.layers.GRUCell(2)]
        >>> kerasish.layers.RNN(cells)(torch.ones(3, 5, 6)).shape
        torch.Size([3, 2])
    """

    use_cudnn: Any = "auto"
    _feature_axis = -1

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        if not callable(getattr(cell, "call", None)):
            raise ValueError(f"`cell` must have a `call` method. Received: cell={received(cell)}")
        if not hasattr(cell, "state_size"):
            raise ValueError(
                "`cell` must have a `state_size` attribute: an integer, or a list of one integer per state. "
                f"Received: cell={received(cell)}"
            )
        if kwargs.pop("time_major", False):
            raise ValueError(
                "`time_major=True` belongs to Keras 2: give sequences of shape (batch, time, features), with "
                "`x.transpose(0, 1)` where time comes first."
            )
        super().__init__(**kwargs)
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.supports_masking = True
        self.input_spec = InputSpec(min_ndim=3)
        self._states_template: Any = None

    @property
    def state_size(self) -> list[Any]:
        """The cell's sizes of states, as a list."""
        size = self.cell.state_size
        return list(size) if isinstance(size, (list, tuple)) else [size]

    # Building and shapes --------------------------------------------------------------------------------------

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        build_inner(self.cell, (sequences_shape[0], *sequences_shape[2:]))
        if _is_of_this_package(self.cell):
            axis = self._feature_axis
            self.input_spec = InputSpec(ndim=len(sequences_shape), axes={axis: sequences_shape[axis]})
        if self.stateful and sequences_shape[0] is not None:
            self._make_states(sequences_shape)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """The shapes of the output and, with `return_state`, of the states, from the cell's sizes."""
        batch, time = sequences_shape[:2]
        sizes = [self._state_shapes(size, batch) for size in self.state_size]
        output_size = getattr(self.cell, "output_size", None)
        if output_size is None:
            output_size = self.state_size[0]
        size = tuple(output_size) if isinstance(output_size, (list, tuple)) else (output_size,)
        output = (batch, time, *size) if self.return_sequences else (batch, *size)
        return (output, *sizes) if self.return_state else output

    def _state_shapes(self, size: Any, batch: int | None) -> Any:
        if isinstance(size, list):
            return [self._state_shapes(part, batch) for part in size]
        return (batch, *size) if isinstance(size, tuple) else (batch, size)

    def compute_output_spec(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = None
    ) -> Any:
        """The symbolic output: from the sizes, or for a cell of the user's from one of its steps."""
        if self.stateful and self._states_template is None:
            self._make_states(sequences.shape)
        if initial_state is not None:
            self._check_states(initial_state, sequences.shape)
        if _is_of_this_package(self.cell):
            shape = self.compute_output_shape(sequences.shape)
            return tree.map_shape_structure(lambda s: KerasTensor(s, dtype=self.compute_dtype), shape)
        step = KerasTensor((sequences.shape[0], *sequences.shape[2:]), dtype=sequences.dtype)

        def first_step(x: Tensor) -> Any:
            output, states = self._call_cell(x, self.get_initial_state(x.shape[0]), False)
            return (output, *_as_list(states)) if self.return_state else output

        spec = infer_output(first_step, (self._convert_symbolic(step),), {}, self.name)
        output, *states = spec if self.return_state else (spec,)
        if self.return_sequences:
            output = KerasTensor((output.shape[0], sequences.shape[1], *output.shape[1:]), dtype=output.dtype)
        return (output, *states) if self.return_state else output

    def _convert_symbolic(self, x: KerasTensor) -> KerasTensor:
        is_cast = self.autocast and torch_dtype(x.dtype).is_floating_point
        return KerasTensor(x.shape, dtype=self.compute_dtype) if is_cast else x

    def compute_mask(self, _: Any, mask: Any) -> Any:
        mask = mask if self.return_sequences else None
        return [mask] + [None] * len(self.state_size) if self.return_state else mask

    # States ---------------------------------------------------------------------------------------------------

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """The cell's initial states; zeros where it has no such method."""
        if hasattr(self.cell, "get_initial_state"):
            return _as_list(self.cell.get_initial_state(batch_size=batch_size))
        dtype, device = torch_dtype(self.compute_dtype), self._own_device()
        return [
            torch.zeros(
                batch_size,
                *(size if isinstance(size, (list, tuple)) else (size,)),
                dtype=dtype,
                device=device,
            )
            for size in self.state_size
        ]

    def _zero_states(self, sequences_shape: Any) -> list[Any]:
        return self.get_initial_state(sequences_shape[0])

    def _expected_states(self, sequences_shape: Any) -> list[Any]:
        """The shapes of the states, in lists where one cell of several has several."""
        return [self._state_shapes(size, sequences_shape[0]) for size in self.state_size]

    def _make_states(self, shape: Any) -> None:
        """Make the memory in which a stateful layer keeps its states: buffers that are not saved."""
        if shape[0] is None:
            raise ValueError(
                f"Layer {self.name!r} has `stateful=True`, so it must know the batch size: begin with "
                f"`Input(batch_shape=(batch, time, features))`. Received: sequences of shape {format_shape(shape)}"
            )
        template = self._zero_states(shape)
        for i, state in enumerate(tree.flatten(template)):
            memory = state.detach().to(torch_dtype(self.variable_dtype), copy=True)
            self.register_buffer(f"rnn_state_{i}", memory, persistent=False)
        self.__dict__["_states_template"] = tree.map_structure(lambda _: 0, template)

    @property
    def states(self) -> list[Any] | None:
        """The states that a stateful layer goes on from; None otherwise."""
        if self._states_template is None:
            return None
        memory = [self._buffers[f"rnn_state_{i}"] for i in range(len(tree.flatten(self._states_template)))]
        return tree.pack_sequence_as(self._states_template, memory)

    def reset_state(self) -> None:
        """Set the states of a stateful layer to zero."""
        for state in tree.flatten(self.states or []):
            state.zero_()

    def reset_states(self) -> None:
        """The same as `reset_state`."""
        self.reset_state()

    def _check_states(self, initial_state: Any, sequences_shape: Any) -> list[Any]:
        states = _as_list(initial_state)
        expected = self._expected_states(sequences_shape)
        if len(states) == len(expected) and all(map(_agree, expected, states)):
            return states
        raise ValueError(
            f"`initial_state` of layer {self.name!r} must be {len(expected)} tensor(s) of shapes "
            f"{format_shape(expected)}. Received: {describe_state(initial_state)}"
        )

    def _first_states(self, sequences: Tensor, initial_state: Any) -> list[Any]:
        if initial_state is not None:
            states = self._check_states(initial_state, sequences.shape)
        elif self.stateful:
            if self._states_template is None:
                self._make_states(tuple(sequences.shape))
            # a copy: the memory is overwritten before the gradients are computed
            states = tree.map_structure(lambda state: state.to(self._torch_dtype, copy=True), self.states)
        else:
            states = self._zero_states(tuple(sequences.shape))
        kept = tree.flatten(states)[0].shape[0]
        if initial_state is None and kept != sequences.shape[0]:
            raise ValueError(
                f"Layer {self.name!r} is stateful and keeps states of {kept} records, so every batch must have as "
                f"many. Received: {sequences.shape[0]}"
            )
        return states

    # Running --------------------------------------------------------------------------------------------------

    def call(
        self, sequences: Tensor, initial_state: Any = None, mask: Tensor | None = None, training: bool = False
    ) -> Any:
        if sequences.is_meta:
            return self._outputs_on_meta(sequences)
        if sequences.shape[1] == 0:
            raise ValueError(
                f"Layer {self.name!r} needs at least one time step. Received: {received(sequences)}"
            )
        mask = self._check_mask(mask, sequences)
        states = self._first_states(sequences, initial_state)
        self._reset_dropout(self.cell)
        last, outputs, states = self.inner_loop(sequences, initial_state=states, mask=mask, training=training)
        if self.stateful:
            with torch.no_grad():
                for memory, state in zip(tree.flatten(self.states), tree.flatten(states), strict=True):
                    memory.copy_(state)
        output = outputs if self.return_sequences else last
        return (output, *states) if self.return_state else output

    def inner_loop(
        self, sequences: Tensor, initial_state: Any, mask: Tensor | None, training: bool = False
    ) -> tuple[Tensor, Tensor, list[Any]]:
        """Run the cell over the sequences; return the last output, all outputs, and the last states."""
        cell: Any = self.cell
        if self.go_backwards:
            sequences = sequences.flip(1)
            mask = None if mask is None else mask.flip(1)
        if not (isinstance(cell, GatedCell) and _is_of_this_package(cell)):

            def call_cell(x: Tensor, states: Any) -> Any:
                return self._call_cell(x, states, training)

            return self._loop(call_cell, sequences.unbind(1), initial_state, mask)
        masks, recurrent_masks = cell._masks(sequences[:, 0], initial_state[0], training)
        if recurrent_masks is None and self._may_fuse(sequences, mask, masks):
            return self._run_fused(sequences, initial_state, mask, masks)

        def advance(x: Tensor, states: Any) -> Any:
            return cell.advance(x, states, recurrent_masks)

        projected = cell.project(sequences.transpose(0, 1), masks)
        return self._loop(advance, projected.unbind(0), initial_state, mask)

    def _loop(
        self, step: Any, inputs: Any, states: Any, mask: Tensor | None
    ) -> tuple[Tensor, Tensor, list[Any]]:
        outputs, states = run_steps(step, inputs, states, mask, self.zero_output_for_mask)
        last = outputs[-1]
        return last, torch.stack(outputs, dim=1) if self.return_sequences else last.unsqueeze(1), states

    def _may_fuse(self, sequences: Tensor, mask: Tensor | None, masks: list[Tensor] | None) -> bool:
        """Whether one function does for all time steps: with a mask it tells the last output, but no other state."""
        if (
            self.use_cudnn is False
            or torch.compiler.is_compiling()
            or not self.cell.can_fuse(sequences, masks)
        ):
            return False
        return mask is None or len(self.state_size) == 1 or not (self.return_state or self.stateful)

    def _run_fused(
        self, sequences: Tensor, states: Any, mask: Tensor | None, masks: list[Tensor] | None
    ) -> tuple[Tensor, Tensor, list[Any]]:
        """The same as `_loop`; `masks` are those of dropout."""
        cell: Any = self.cell
        states = [state.to(sequences.dtype) for state in states]
        if mask is None:
            outputs, states = cell.fused(sequences, states, masks)
            return outputs[:, -1], outputs, states
        outputs, last = run_valid_steps(
            lambda x: cell.fused(x, states, masks)[0], sequences, states[0], mask, self.zero_output_for_mask
        )
        return outputs[:, -1], outputs, [last, *states[1:]]

    def _call_cell(self, x: Tensor, states: Any, training: bool) -> Any:
        cell = self.cell
        takes_training = isinstance(cell, Layer) or "training" in inspect.signature(cell.call).parameters
        run = cell if isinstance(cell, Layer) else cell.call
        output, states = run(x, tuple(states), **({"training": training} if takes_training else {}))
        return output, _as_list(states)

    def _reset_dropout(self, cell: Any) -> None:
        for one in getattr(cell, "cells", [cell]):
            for name in ("reset_dropout_mask", "reset_recurrent_dropout_mask"):
                if hasattr(one, name):
                    getattr(one, name)()

    def _check_mask(self, mask: Any, sequences: Tensor) -> Tensor | None:
        if mask is None:
            return None
        if mask.dim() == 3 and mask.shape[-1] == 1:
            mask = mask.squeeze(-1)
        if mask.shape != sequences.shape[:2]:
            raise ValueError(
                f"The mask of layer {self.name!r} must have shape (batch, time) = "
                f"{format_shape(sequences.shape[:2])}. Received: {received(mask)}"
            )
        return mask.bool()

    def _outputs_on_meta(self, sequences: Tensor) -> Any:
        """What a call returns, without the loop, where only shapes are asked for."""
        spec = self.compute_output_spec(KerasTensor(sequences.shape, dtype=sequences.dtype))
        return tree.map_structure(
            lambda x: torch.empty(x.shape, dtype=torch_dtype(x.dtype), device="meta"), spec
        )

    # Configuration --------------------------------------------------------------------------------------------

    def _sequence_config(self) -> dict[str, Any]:
        names = (
            "return_sequences", "return_state", "go_backwards", "stateful", "unroll", "zero_output_for_mask",
        )  # fmt: skip
        return {**Layer.get_config(self), **{name: getattr(self, name) for name in names}}

    def get_config(self) -> dict[str, Any]:
        return {**self._sequence_config(), "cell": serialize_keras_object(self.cell)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """Make a layer, and its cell, from `get_config()`."""
        if "cell" not in config:
            return super().from_config(config)
        return cls(
            **{**config, "cell": deserialize_keras_object(config["cell"], custom_objects=custom_objects)}
        )


def cell_arguments(name: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a layer that its cell takes too."""
    return {"name": name, "dtype": kwargs.get("dtype"), "trainable": kwargs.get("trainable", True)}


def check_use_cudnn(use_cudnn: Any) -> Any:
    """Raise `ValueError` unless `use_cudnn` is "auto", True or False."""
    if use_cudnn not in ("auto", True, False):
        raise ValueError(f"`use_cudnn` must be 'auto', True or False. Received: use_cudnn={use_cudnn!r}")
    return use_cudnn


def _as_list(states: Any) -> list[Any]:
    return list(states) if isinstance(states, (list, tuple)) else [states]


def _agree(expected: Any, state: Any) -> bool:
    """Whether a state, or the states of one cell of several, have the expected shapes."""
    shapes = expected if isinstance(expected, list) else [expected]
    tensors = tree.flatten(state)
    return len(shapes) == len(tensors) and all(
        hasattr(tensor, "shape")
        and len(shape) == len(tensor.shape)
        and all(None in pair or pair[0] == pair[1] for pair in zip(shape, tensor.shape, strict=True))
        for shape, tensor in zip(shapes, tensors, strict=True)
    )


def _is_of_this_package(cell: Any) -> bool:
    return type(cell).call.__module__.startswith("kerasish.layers.recurrent.")
