"""What the cells of this package have in common: weights of stacked gates, dropout, configuration."""

# B batch, T time, F features, U units, G gates

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import Tensor

from kerasish import activations, constraints, initializers, regularizers
from kerasish.dtypes import torch_dtype
from kerasish.errors import format_shape, received
from kerasish.layers.layer import Layer
from kerasish.random import SeedGenerator
from kerasish.variable import Variable

GETTERS = {
    "activation": activations,
    "initializer": initializers,
    "regularizer": regularizers,
    "constraint": constraints,
}


class GatedCell(Layer):
    """A cell that computes G gates of its input and its state: the base of `LSTMCell`, `GRUCell` and their kin.

    A sequence is cheap to run, since the input's part of the gates (`project`) does not wait for the state: it is one
    matrix product for all time steps. `advance` does the rest of a step.
    """

    gates: int
    settings: tuple[str, ...] = ()
    kernel: Variable
    recurrent_kernel: Variable
    bias: Variable | None

    def _take_settings(self, settings: dict[str, Any]) -> None:
        """Keep the constructor's arguments as attributes, names turned into objects."""
        for name in self.settings:
            value = settings[name]
            module = GETTERS.get(name.rpartition("_")[2])
            setattr(self, name, module.get(value) if module else value)
        for name in ("dropout", "recurrent_dropout"):
            rate = settings[name]
            if not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
                raise ValueError(
                    f"`{name}` of layer {self.name!r} must be between 0 and 1. Received: {name}={rate!r}"
                )
        seed = settings["seed"]
        self.seed_generator = seed if isinstance(seed, SeedGenerator) or seed is None else SeedGenerator(seed)
        self.reset_dropout_mask()
        self.reset_recurrent_dropout_mask()

    def _make_weights(
        self, kernel: tuple, recurrent_kernel: tuple, bias: tuple, bias_initializer: Any
    ) -> None:
        shapes = {"kernel": kernel, "recurrent_kernel": recurrent_kernel, "bias": bias}
        initial = {
            "kernel": self.kernel_initializer,
            "recurrent_kernel": self.recurrent_initializer,
            "bias": bias_initializer,
        }
        self.bias = None
        for name, shape in shapes.items():
            if name == "bias" and not self.use_bias:
                continue
            role = name.removesuffix("_kernel")
            weight = self.add_weight(
                name=name,
                shape=shape,
                initializer=initial[name],
                regularizer=getattr(self, f"{role}_regularizer"),
                constraint=getattr(self, f"{role}_constraint"),
            )
            setattr(self, name, weight)

    # Dropout --------------------------------------------------------------------------------------------------

    def _draw_masks(self, like: Tensor, rate: float) -> Any:
        """One mask of kept and scaled values per gate; the mask itself for a cell of one gate."""
        generator = None if self.seed_generator is None else self.seed_generator.on(like.device)
        masks = []
        for _ in range(self.gates):
            mask = torch.zeros_like(like, memory_format=torch.contiguous_format)
            if rate < 1:
                mask = mask.bernoulli_(1 - rate, generator=generator).div_(1 - rate)
            masks.append(mask)
        return masks if self.gates > 1 else masks[0]

    def get_dropout_mask(self, step_input: Tensor) -> Any:
        """The masks of the input, one per gate, kept until `reset_dropout_mask`; None without dropout."""
        if self._dropout_mask is None and self.dropout > 0:
            self.__dict__["_dropout_mask"] = self._draw_masks(step_input, self.dropout)
        return self._dropout_mask

    def get_recurrent_dropout_mask(self, step_input: Tensor) -> Any:
        """The masks of the state, as `get_dropout_mask`."""
        if self._recurrent_dropout_mask is None and self.recurrent_dropout > 0:
            self.__dict__["_recurrent_dropout_mask"] = self._draw_masks(step_input, self.recurrent_dropout)
        return self._recurrent_dropout_mask

    def reset_dropout_mask(self) -> None:
        """Draw new masks of the input at the next call. `RNN` does so before every sequence."""
        self.__dict__["_dropout_mask"] = None

    def reset_recurrent_dropout_mask(self) -> None:
        """Draw new masks of the state at the next call."""
        self.__dict__["_recurrent_dropout_mask"] = None

    def _masks(self, step_input: Tensor, state: Tensor, training: bool) -> tuple[list | None, list | None]:
        """The masks of input and state as lists, None where nothing is dropped."""
        if not training:
            return None, None
        return _listed(self.get_dropout_mask(step_input)), _listed(self.get_recurrent_dropout_mask(state))

    # State ----------------------------------------------------------------------------------------------------

    def get_initial_state(self, batch_size: int | None = None) -> list[Tensor]:
        """Zeros, one tensor per state."""
        if batch_size is None:
            raise ValueError(f"`get_initial_state` of {self.name!r} needs the batch size. Received: None")
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        dtype, device = torch_dtype(self.compute_dtype), self._own_device()
        return [torch.zeros(batch_size, size, dtype=dtype, device=device) for size in sizes]

    def _states(self, states: Any) -> list[Tensor]:
        """The states as a list of the right length."""
        states = list(states) if isinstance(states, (list, tuple)) else [states]
        expected = len(self.state_size) if isinstance(self.state_size, list) else 1
        if len(states) != expected:
            raise ValueError(f"Cell {self.name!r} has {expected} state(s). Received: {len(states)}")
        return states

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **written(self, self.settings)}


class UnitCell(GatedCell):
    """A cell of fully connected gates, with states of U units."""

    units: int

    def _check_units(self, units: Any) -> None:
        if not isinstance(units, int) or isinstance(units, bool) or units <= 0:
            raise ValueError(
                f"`units` of layer {self.name!r} must be a positive integer. Received: units={units!r}"
            )

    def compute_output_shape(self, input_shape: Any, *states_shape: Any) -> Any:
        """The shapes of the output and of the states."""
        shape = (input_shape[0], self.units)
        return shape, [shape] * (len(self.state_size) if isinstance(self.state_size, list) else 1)

    def _features(self, input_shape: Any) -> int:
        if input_shape[-1] is None:
            raise ValueError(
                f"Layer {self.name!r} must know the last size of its input. Received: {format_shape(input_shape)}"
            )
        return input_shape[-1]

    def project(self, inputs: Tensor, masks: list[Tensor] | None = None) -> Tensor:
        """The input's part of all gates, (…, F) → (…, G·U)."""
        bias = self._input_bias()
        if masks is not None and len(masks) > 1:
            kernels = self.kernel.split(self.units, dim=1)
            parts = [(inputs * mask) @ kernel for mask, kernel in zip(masks, kernels, strict=True)]
            projected = torch.cat(parts, dim=-1)
            return projected if bias is None else projected + bias
        if masks is not None:
            inputs = inputs * masks[0]
        if bias is None:
            return inputs @ self.kernel
        flat = torch.addmm(bias, inputs.reshape(-1, inputs.shape[-1]), self.kernel)
        return flat.view(*inputs.shape[:-1], flat.shape[-1])

    def _input_bias(self) -> Tensor | None:
        return self.bias

    def _add_recurrent(self, base: Tensor | None, state: Tensor, masks: list[Tensor] | None) -> Tensor:
        """Add the state's part of all gates: base (B, G·U) + state · recurrent_kernel."""
        kernel: Tensor = self.recurrent_kernel
        if masks is None:
            return state @ kernel if base is None else torch.addmm(base, state, kernel)
        pairs = zip(masks, kernel.split(self.units, dim=1), strict=True)
        parts = torch.cat([(state * mask) @ part for mask, part in pairs], dim=-1)
        return parts if base is None else base + parts


def _listed(masks: Any) -> list[Tensor] | None:
    return masks if masks is None or isinstance(masks, list) else [masks]


def written(layer: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Settings as JSON-ready values."""
    config = {}
    for name in names:
        module = GETTERS.get(name.rpartition("_")[2])
        value = getattr(layer, name)
        config[name] = module.serialize(value) if module else value
    return config


def delegates(names: tuple[str, ...]) -> Any:
    """Class decorator: the layer shows these settings of its cell as properties."""

    def decorate(cls: type) -> type:
        for name in names:
            if name != "activity_regularizer":
                setattr(cls, name, property(operator.attrgetter(f"cell.{name}"), doc=f"The cell's `{name}`."))
        return cls

    return decorate


def describe_state(state: Any) -> str:
    """A state, or a list of states, for messages."""
    if isinstance(state, (list, tuple)):
        return "[" + ", ".join(describe_state(item) for item in state) + "]"
    return received(state)


def take_implementation(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Drop Keras 2's `implementation`, which chose between two ways to the same numbers; refuse other values."""
    kwargs = dict(kwargs)
    chosen = kwargs.pop("implementation", None)
    if chosen not in (None, 0, 1, 2):
        raise ValueError(f"`implementation` must be 1 or 2; it changes nothing here. Received: {chosen!r}")
    return kwargs
