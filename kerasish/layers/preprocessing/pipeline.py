"""Layers one after the other, as one layer."""

from __future__ import annotations

from typing import Any

from kerasish.errors import received
from kerasish.layers.core.torch_module_wrapper import as_layer
from kerasish.layers.layer import Layer, calls
from kerasish.serialization import deserialize_keras_object, serialize_keras_object


class Pipeline(Layer):
    """Apply layers one after the other: a layer, not a model, for preprocessing and augmentation.

    Called by itself it runs as in training, unless `training=False`; in a model it follows the model.

    Args:
        layers: list of layers or torch modules.

    Example:
        >>> import kerasish
        >>> scale, shift = kerasish.layers.Rescaling(2.0), kerasish.layers.Rescaling(1.0, offset=3.0)
        >>> kerasish.layers.Pipeline([scale, shift])([[1.0, 2.0]])
        tensor([[5., 7.]])
    """

    def __init__(self, layers: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        if not isinstance(layers, (list, tuple)) or not layers:
            raise ValueError(
                f"Layer {self.name!r} takes a list of at least one layer. Received: {received(layers)}"
            )
        self._pipeline_layers = [as_layer(layer) for layer in layers]

    @property
    def layers(self) -> list[Any]:
        """The layers from first to last."""
        return self._pipeline_layers

    @property
    def takes_text(self) -> bool:
        """Whether the first layer takes strings."""
        return getattr(self._pipeline_layers[0], "takes_text", False)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the layers; called without a word on the mode, a pipeline augments as in training."""
        if not calls.are_told(kwargs.get("training")):
            kwargs["training"] = True
        return super().__call__(*args, **kwargs)

    def call(self, inputs: Any, training: bool | None = True, mask: Any = None) -> Any:
        for layer in self._pipeline_layers:
            options: dict[str, Any] = {}
            if layer._accepts_training:
                options["training"] = training
            if layer._accepts_mask and mask is not None:
                options["mask"] = mask
            inputs = layer(inputs, **options)
            mask = getattr(inputs, "_keras_mask", None)
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {
            "layers": [serialize_keras_object(layer) for layer in self._pipeline_layers],
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Pipeline:
        return cls([deserialize_keras_object(layer) for layer in config["layers"]], name=config.get("name"))
