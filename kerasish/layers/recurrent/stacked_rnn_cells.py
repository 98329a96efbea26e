"""Several cells as one."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from kerasish.errors import received
from kerasish.layers.core.wrapper import build_inner
from kerasish.layers.layer import Layer
from kerasish.serialization import deserialize_keras_object, serialize_keras_object


class StackedRNNCells(Layer):
    """Cells one above the other, as one cell: each takes the output of the one below.

    Args:
        cells: list of cells.

    Shapes: input (B, F), a list of the cells' states → the last cell's output, the list of new states.

    Raises:
        ValueError: a cell lacks `call` or `state_size`.

    Example:
        >>> import torch, kerasish
        >>> cell = kerasish.layers.StackedRNNCells([kerasish.layers.LSTMCell(4), kerasish.layers.GRUCell(2)])
        >>> output, states = cell(torch.ones(3, 5), cell.get_initial_state(3))
        >>> output.shape
        torch.Size([3, 2])
    """

    def __init__(self, cells: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not cells:
            raise ValueError("`cells` must hold at least one cell. Received: an empty list")
        for cell in cells:
            for name in ("call", "state_size"):
                if not hasattr(cell, name):
                    raise ValueError(f"Each of `cells` must have `{name}`. Received: {received(cell)}")
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """The sizes of states, one entry per cell."""
        sizes = [cell.state_size for cell in self.cells]
        return [list(size) if isinstance(size, tuple) else size for size in sizes]

    @property
    def output_size(self) -> Any:
        """The size of the last cell's output."""
        return _output_size(self.cells[-1])

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """The initial states, one entry per cell."""
        return [cell.get_initial_state(batch_size=batch_size) for cell in self.cells]

    def build(self, input_shape: Any) -> None:
        for cell in self.cells:
            build_inner(cell, input_shape)
            size = _output_size(cell)
            input_shape = (input_shape[0], *(size if isinstance(size, (list, tuple)) else (size,)))

    def call(
        self, inputs: Tensor, states: Any, training: bool = False, **kwargs: Any
    ) -> tuple[Tensor, list[Any]]:
        if len(states) != len(self.cells):
            raise ValueError(
                f"{self.name!r} has {len(self.cells)} cells, so there must be as many entries in `states`. "
                f"Received: {len(states)}"
            )
        new_states = []
        for cell, state in zip(self.cells, states, strict=True):
            is_list = isinstance(state, (list, tuple))
            inputs, state = cell(inputs, state if is_list else [state], training=training, **kwargs)
            new_states.append(state if is_list or not isinstance(state, (list, tuple)) else state[0])
        return inputs, new_states

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cells": [serialize_keras_object(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """Make the cells from `get_config()`."""
        cells = [deserialize_keras_object(cell, custom_objects=custom_objects) for cell in config["cells"]]
        return cls(**{**config, "cells": cells})


def _output_size(cell: Any) -> Any:
    size = getattr(cell, "output_size", None)
    if size is not None:
        return size
    return cell.state_size[0] if isinstance(cell.state_size, (list, tuple)) else cell.state_size
