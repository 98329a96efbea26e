"""The inputs behind a symbolic tensor."""

from __future__ import annotations

from typing import Any

from kerasish.symbolic import KerasTensor


def get_source_inputs(tensor: Any) -> list[KerasTensor]:
    """The `Input` tensors from which a symbolic tensor is computed, in the order in which they are met.

    Raises:
        TypeError: `tensor` is not symbolic.
    """
    if not isinstance(tensor, KerasTensor):
        raise TypeError(
            f"`tensor` must be symbolic, the output of a layer. Received: {type(tensor).__name__}"
        )
    found: dict[int, KerasTensor] = {}
    seen: set[int] = set()
    stack = [tensor]
    while stack:
        current = stack.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        history = getattr(current, "_keras_history", None)
        if history is None or not history.node.inputs:
            found[id(current)] = current
        else:
            stack += reversed(history.node.inputs)
    return list(found.values())
