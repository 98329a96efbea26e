"""Recurrent layers in both directions of time."""

# B batch, T time, F features

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish import tree
from kerasish.errors import received
from kerasish.layers.core.wrapper import build_inner, check_wrapped
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.recurrent.sequence_layer import SequenceLayer
from kerasish.serialization import deserialize_keras_object, serialize_keras_object
from kerasish.symbolic import KerasTensor

MERGE_MODES = ("sum", "mul", "ave", "concat", None)
SHARED = ("stateful", "return_sequences", "return_state")


class Bidirectional(SequenceLayer):
    """Run a copy of a recurrent layer forwards and another one backwards, and join their outputs.

    Args:
        layer: recurrent layer that goes forwards; both directions are new layers made from its config.
        merge_mode: `"concat"`, `"sum"`, `"mul"`, `"ave"`, or None for a tuple of both outputs.
        weights: initial weights, the forward layer's first.
        backward_layer: the layer that goes backwards (`go_backwards=True`), if it is not to be like `layer`.

    Call arguments: as of the wrapped layer; `initial_state` holds the forward layer's states, then the backward's.

    Shapes: (B, T, F) → (B, 2U) for `"concat"` of U units, else (B, U); (B, T, …) with `return_sequences`.

    Raises:
        ValueError: an unknown `merge_mode`; layers that differ in `stateful`, `return_sequences`, `return_state`, or
            do not differ in `go_backwards`.

    Source: Schuster and Paliwal, 1997, *Bidirectional recurrent neural networks*.

    Example:
        >>> import torch, kerasish
        >>> layer = kerasish.layers.Bidirectional(kerasish.layers.LSTM(4, return_sequences=True))
        >>> layer(torch.ones(2, 5, 3)).shape
        torch.Size([2, 5, 8])
    """

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        check_wrapped(layer, "Bidirectional")
        if backward_layer is not None:
            check_wrapped(backward_layer, "Bidirectional")
        for one in (layer, backward_layer):
            if one is not None and not all(hasattr(one, name) for name in (*SHARED, "go_backwards")):
                raise ValueError(
                    "`Bidirectional` wraps recurrent layers, with the attributes `go_backwards`, `return_sequences`, "
                    f"`return_state` and `stateful`. Received: {received(one)}"
                )
        if merge_mode not in MERGE_MODES:
            raise ValueError(
                f"`merge_mode` must be one of {MERGE_MODES}. Received: merge_mode={merge_mode!r}"
            )
        super().__init__(**kwargs)
        self.merge_mode = merge_mode
        self.forward_layer = _copy(layer, "forward", {})
        if backward_layer is None:
            backward_layer = _copy(layer, "backward", {"go_backwards": True})
        self.backward_layer = backward_layer
        self._check_pair()
        if layer.return_sequences:  # a held output of one direction would hide the other's
            self.forward_layer.zero_output_for_mask = self.backward_layer.zero_output_for_mask = True
        self.stateful = layer.stateful
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.supports_masking = True
        self.input_spec = getattr(layer, "input_spec", None) or InputSpec(min_ndim=3)
        if weights is not None:
            self.__dict__["_initial_weights"] = weights

    def _check_pair(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                "One of the two layers must have `go_backwards=True`, the other one not. Received: "
                f"layer.go_backwards={forward.go_backwards}, backward_layer.go_backwards={backward.go_backwards}"
            )
        for name in SHARED:
            if getattr(forward, name) != getattr(backward, name):
                raise ValueError(
                    f"`layer` and `backward_layer` must have the same `{name}`. Received: {getattr(forward, name)} and "
                    f"{getattr(backward, name)}"
                )

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        build_inner(self.forward_layer, sequences_shape)
        build_inner(self.backward_layer, sequences_shape)
        self.input_spec = self.forward_layer.input_spec

    def _split(self, initial_state: Any) -> tuple[Any, Any]:
        if initial_state is None:
            return None, None
        states = list(initial_state) if isinstance(initial_state, (list, tuple)) else [initial_state]
        half = len(self.forward_layer.state_size)
        expected = half + len(self.backward_layer.state_size)
        if len(states) != expected:
            raise ValueError(
                f"`initial_state` of {self.name!r} must hold {expected} states, the forward layer's first. "
                f"Received: {len(states)}"
            )
        return states[:half], states[half:]

    def call(
        self, sequences: Tensor, initial_state: Any = None, mask: Tensor | None = None, training: Any = None
    ) -> Any:
        first, second = self._split(initial_state)
        forward = self.forward_layer(sequences, initial_state=first, mask=mask, training=training)
        backward = self.backward_layer(sequences, initial_state=second, mask=mask, training=training)
        states: tuple = ()
        if self.return_state:
            (forward, *one), (backward, *other) = forward, backward
            states = (*one, *other)
        if self.return_sequences:
            backward = backward.flip(1)
        outputs = self._merge(forward, backward)
        return (
            (*outputs, *states) if isinstance(outputs, tuple) else (outputs, *states) if states else outputs
        )

    def _merge(self, forward: Tensor, backward: Tensor) -> Any:
        if self.merge_mode == "concat":
            return torch.cat([forward, backward], dim=-1)
        if self.merge_mode == "sum":
            return forward + backward
        if self.merge_mode == "ave":
            return (forward + backward) / 2
        if self.merge_mode == "mul":
            return forward * backward
        return forward, backward

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """The shapes of the output, or outputs, and with `return_state` of the states."""
        forward, backward = (
            layer.compute_output_shape(sequences_shape) for layer in (self.forward_layer, self.backward_layer)
        )
        states: tuple = ()
        if self.return_state:
            (forward, *one), (backward, *other) = forward, backward
            states = (*one, *other)
        if self.merge_mode is None:
            return forward, backward, *states
        if self.merge_mode == "concat":
            forward = (*forward[:-1], forward[-1] + backward[-1])
        return (forward, *states) if states else forward

    def compute_output_spec(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = None
    ) -> Any:
        self._split(initial_state)
        shape = self.compute_output_shape(sequences.shape)
        return tree.map_shape_structure(lambda s: KerasTensor(s, dtype=self.compute_dtype), shape)

    def compute_mask(self, _: Any, mask: Any) -> Any:
        mask = mask if self.return_sequences else None
        if self.merge_mode is None:
            return mask, mask
        # a mask of its own for every output, since one mask alone would go to the states, too
        return [mask, *[None] * (2 * len(self.forward_layer.state_size))] if self.return_state else mask

    @property
    def states(self) -> Any:
        """The states that stateful layers go on from, forward and backward; None otherwise."""
        pair = self.forward_layer.states, self.backward_layer.states
        return None if None in pair else [*pair[0], *pair[1]]

    def reset_state(self) -> None:
        """Set the states of both directions to zero."""
        if not self.stateful:
            raise RuntimeError(f"Layer {self.name!r} keeps no state: give the wrapped layer `stateful=True`.")
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def reset_states(self) -> None:
        """The same as `reset_state`."""
        self.reset_state()

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "merge_mode": self.merge_mode,
            "layer": serialize_keras_object(self.forward_layer),
            "backward_layer": serialize_keras_object(self.backward_layer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """Make a wrapper, and the layers in it, from `get_config()`."""
        config = dict(config)
        for name in ("layer", "backward_layer"):
            if isinstance(config.get(name), dict):
                config[name] = deserialize_keras_object(config[name], custom_objects=custom_objects)
        return cls(**config)


def _copy(layer: Any, direction: str, changes: dict[str, Any]) -> Any:
    """A new layer like the given one, named for its direction."""
    config = layer.get_config()
    name = config["name"] if config["name"].startswith(f"{direction}_") else f"{direction}_{config['name']}"
    return type(layer).from_config({**config, **changes, "name": name})
