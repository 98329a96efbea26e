"""The layer that changes nothing."""

from __future__ import annotations

from typing import Any

from kerasish.layers.layer import Layer


class Identity(Layer):
    """Return the input: `y = x`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return inputs
