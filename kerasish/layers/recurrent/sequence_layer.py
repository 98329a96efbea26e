"""What layers over sequences with an initial state share: their files name the shapes of both."""

from __future__ import annotations

from typing import Any

from kerasish.layers.layer import Layer


class SequenceLayer(Layer):
    """A layer that is built for the shapes of sequences and, perhaps, of their initial states."""

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes of the sequences and, if it was called with one, of the initial state."""
        shapes = self._build_shapes
        return {"shapes_dict": dict(shapes)} if shapes and len(shapes) > 1 else super().get_build_config()

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build with the shapes of `get_build_config()`."""
        if "input_shape" in config:
            config = {"sequences_shape": config["input_shape"]}
        super().build_from_config(config.get("shapes_dict", config))
