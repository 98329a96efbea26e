"""How many positions to add or to remove at both ends of each axis, as padding and cropping are given them."""

from __future__ import annotations

import operator
from typing import Any

Pairs = tuple[tuple[int, int], ...]


def pairs_of(value: Any, rank: int, argument: str, layer: str) -> Pairs:
    """One number for all, one per axis, or a pair (before, after) per axis, as pairs; raise on anything else."""
    axes = value if isinstance(value, (tuple, list)) else (value,) * rank
    if rank == 1 and len(axes) == 2:
        axes = (axes,)
    pairs = [pair if isinstance(pair, (tuple, list)) else (pair, pair) for pair in axes]
    try:
        numbers = tuple(tuple(operator.index(number) for number in pair) for pair in pairs)
    except TypeError:
        numbers = ()
    if len(numbers) != rank or any(len(pair) != 2 or min(pair) < 0 for pair in numbers):
        forms = "a pair of them" if rank == 1 else f"{rank} of them, or {rank} pairs (before, after)"
        raise ValueError(
            f"`{argument}` of layer {layer!r} must be a non-negative integer, or {forms}. "
            f"Received: {argument}={value!r}"
        )
    return tuple((before, after) for before, after in numbers)
