"""Layers: `torch.nn.Module`s with Keras's names, arguments and defaults."""

from typing import Any as _Any

from kerasish.layers.activation.activation import Activation as Activation
from kerasish.layers.core.dense import Dense as Dense
from kerasish.layers.core.identity import Identity as Identity
from kerasish.layers.core.input_layer import Input as Input
from kerasish.layers.core.input_layer import InputLayer as InputLayer
from kerasish.layers.core.torch_module_wrapper import TorchModuleWrapper as TorchModuleWrapper
from kerasish.layers.input_spec import InputSpec as InputSpec
from kerasish.layers.layer import Layer as Layer
from kerasish.layers.merging.merge import Add as Add
from kerasish.layers.merging.merge import Concatenate as Concatenate
from kerasish.layers.merging.merge import add as add
from kerasish.layers.merging.merge import concatenate as concatenate
from kerasish.layers.normalization.batch_normalization import BatchNormalization as BatchNormalization
from kerasish.layers.preprocessing.normalization import Normalization as Normalization
from kerasish.layers.preprocessing.rescaling import Rescaling as Rescaling
from kerasish.layers.regularization.dropout import Dropout as Dropout
from kerasish.layers.reshaping.flatten import Flatten as Flatten
from kerasish.layers.reshaping.reshape import Reshape as Reshape
from kerasish.registry import Registry as _Registry

_registry = _Registry(
    "layer",
    "keras.layers",
    [
        Activation, Add, BatchNormalization, Concatenate, Dense, Dropout, Flatten, Identity, InputLayer,
        Normalization, Rescaling, Reshape, TorchModuleWrapper,
    ],
)  # fmt: skip


def serialize(layer: _Any) -> dict[str, _Any]:
    """The JSON config of a layer or model."""
    return _registry.serialize(layer)


def deserialize(config: _Any, custom_objects: dict[str, _Any] | None = None) -> Layer:
    """Make a layer or model, with new weights, from its JSON config."""
    return _registry.deserialize(config, custom_objects)
