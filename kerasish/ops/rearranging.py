"""Axes reordered, split and merged by a pattern."""

from __future__ import annotations

import math
from typing import Any

from kerasish.errors import format_shape
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.operation import operation


@operation
def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Any:
    """Reorder, split and merge axes by a pattern: "b (h w) c -> b c h w".

    Args:
        pattern: names of the axes before and after `->`, those in parentheses being merged into one.
        axes_lengths: sizes of axes that the shape does not tell.

    Raises:
        ValueError: a pattern that does not go with the shape.

    Example:
        >>> rearrange([[1, 2, 3, 4]], "b (h w) -> b w h", h=2).tolist()
        [[[1, 3], [2, 4]]]

    Source: Rogozhnikov, 2022, *Einops*.
    """
    x = convert_to_tensor(tensor)
    before, after = _parse(pattern)
    names = [name for group in before for name in group]
    if sorted(names) != sorted(name for group in after for name in group) or len(set(names)) < len(names):
        raise ValueError(
            f"rearrange: both sides of the pattern must name the same axes, each once. Received: pattern={pattern!r}"
        )
    if len(before) != x.ndim:
        raise ValueError(
            f"rearrange: the pattern has {len(before)} axes before the arrow, the tensor {x.ndim}. "
            f"Received: pattern={pattern!r}, tensor of shape {format_shape(x.shape)}"
        )
    sizes: dict[str, int] = {}
    for group, size in zip(before, x.shape, strict=True):
        sizes |= _split(group, size, axes_lengths, pattern)
    split = x.reshape([sizes[name] for name in names])
    order = [names.index(name) for group in after for name in group]
    merged = [math.prod(sizes[name] for name in group) for group in after]
    return split.permute(order).reshape(merged)


def _parse(pattern: str) -> tuple[list[list[str]], list[list[str]]]:
    """The groups of axes on both sides of the arrow."""
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError(f"rearrange: the pattern must have one '->'. Received: pattern={pattern!r}")
    parsed = []
    for side in sides:
        groups: list[list[str]] = []
        is_open = False
        for word in side.replace("(", " ( ").replace(")", " ) ").split():
            if word in "()":
                if is_open == (word == "("):
                    raise ValueError(f"rearrange: unpaired parentheses. Received: pattern={pattern!r}")
                is_open = word == "("
                if is_open:
                    groups.append([])
            elif not word.isidentifier():
                raise ValueError(f"rearrange: {word!r} is no name of an axis. Received: pattern={pattern!r}")
            elif is_open:
                groups[-1].append(word)
            else:
                groups.append([word])
        parsed.append(groups)
    return parsed[0], parsed[1]


def _split(group: list[str], size: int, axes_lengths: dict[str, int], pattern: str) -> dict[str, int]:
    """Sizes of the axes merged into one of a size; one of them may be unknown."""
    sizes = {name: axes_lengths[name] for name in group if name in axes_lengths}
    unknown = [name for name in group if name not in sizes]
    known = math.prod(sizes.values())
    if len(unknown) == 1 and known and size % known == 0:
        sizes[unknown[0]] = size // known
    elif unknown or known != size:
        raise ValueError(
            f"rearrange: the axes {group} do not multiply to the size {size}. Give all their lengths but one. "
            f"Received: pattern={pattern!r}, {axes_lengths}"
        )
    return sizes
