"""Batches as tuples."""

from __future__ import annotations

from typing import Any


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Put inputs, targets and weights into the tuple that `train_step` gets."""
    if y is None:
        return (x,) if isinstance(x, (list, tuple)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def without_missing(x: Any, y: Any, sample_weight: Any) -> Any:
    """The batch as a step gets it, as in Keras: `(x, y, sample_weight)`, `(x, y)`, or `x` alone, `(x,)` where that is
    a list or tuple itself.
    """
    if sample_weight is not None:
        return x, y, sample_weight
    if y is not None:
        return x, y
    return (x,) if isinstance(x, (list, tuple)) else x


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Take the tuple that `train_step` gets apart; what is missing is None."""
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            f"A batch must be x, (x, y) or (x, y, sample_weight). Received: a tuple of {len(data)}."
        )
    return (*data, None, None)[:3]
