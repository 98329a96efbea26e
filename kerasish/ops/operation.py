"""What turns a plain function of tensors into an op: arrays and symbolic tensors may be given to it, too."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from kerasish.symbolic import KerasTensor, any_symbolic, call_symbolically

Function = TypeVar("Function", bound=Callable[..., Any])


def operation(function: Function) -> Function:
    """Let a function of tensors be called on symbolic tensors: its call becomes a node, its shape is inferred."""

    @functools.wraps(function)
    def op(*args: Any, **kwargs: Any) -> Any:
        if _is_symbolic(args) or (kwargs and _is_symbolic(kwargs.values())):
            return call_symbolically(op, *args, **kwargs)
        return function(*args, **kwargs)

    return op  # type: ignore[return-value]


def _is_symbolic(values: Any) -> bool:
    return any(
        isinstance(value, KerasTensor) or (isinstance(value, (list, tuple, dict)) and any_symbolic(value))
        for value in values
    )
