"""How the contract tests make and call a layer."""

from __future__ import annotations

from typing import Any, NamedTuple


class Sample(NamedTuple):
    """How a layer is made, and the shapes (without the batch size) of what it is called on.

    A list of shapes is one argument that is a list of tensors; a dictionary is several arguments, by name.
    """

    arguments: dict[str, Any]
    shape: Any = (4,)
    dtype: str = "float32"
    adapt: bool = False
    has_config: bool = True
    keeps_dtype: bool = False
    lowest: float = 1.0
