"""A layer around another one."""

from __future__ import annotations

from typing import Any

from kerasish.errors import received
from kerasish.layers.layer import Layer
from kerasish.serialization import deserialize_keras_object, serialize_keras_object


class Wrapper(Layer):
    """A layer that holds another one, in `self.layer`: the base of wrappers, which write their own `call`.

    Args:
        layer: the layer to wrap.

    Raises:
        ValueError: `layer` is not a layer.

    Example:
        >>> import torch, kerasish
        >>> class Twice(kerasish.layers.Wrapper):
        ...     def call(self, inputs):
        ...         return 2 * self.layer(inputs)
        >>> Twice(kerasish.layers.Dense(3))(torch.ones(2, 4)).shape
        torch.Size([2, 3])
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        check_wrapped(layer, type(self).__name__)
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        build_inner(self.layer, input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "layer": serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """Make a wrapper, and the layer in it, from `get_config()`."""
        layer = deserialize_keras_object(config["layer"], custom_objects=custom_objects)
        return cls(**{**config, "layer": layer})


def check_wrapped(layer: Any, wrapper: str) -> None:
    """Raise `ValueError` unless `layer` is a layer."""
    if not isinstance(layer, Layer):
        raise ValueError(f"`{wrapper}` wraps a layer: `layer` must be one. Received: {received(layer)}")


def build_inner(layer: Any, input_shape: Any) -> None:
    """Build a layer that another one holds, so that the paths of its weights name both."""
    if isinstance(layer, Layer) and not layer.built:
        layer.build(input_shape)
