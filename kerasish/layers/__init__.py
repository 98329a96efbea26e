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
from kerasish.layers.merging.merge import Average as Average
from kerasish.layers.merging.merge import Concatenate as Concatenate
from kerasish.layers.merging.merge import Maximum as Maximum
from kerasish.layers.merging.merge import Minimum as Minimum
from kerasish.layers.merging.merge import Multiply as Multiply
from kerasish.layers.merging.merge import Subtract as Subtract
from kerasish.layers.merging.merge import add as add
from kerasish.layers.merging.merge import average as average
from kerasish.layers.merging.merge import concatenate as concatenate
from kerasish.layers.merging.merge import maximum as maximum
from kerasish.layers.merging.merge import minimum as minimum
from kerasish.layers.merging.merge import multiply as multiply
from kerasish.layers.merging.merge import subtract as subtract
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
        Activation, Add, Average, BatchNormalization, Concatenate, Dense, Dropout, Flatten, Identity, InputLayer,
        Maximum, Minimum, Multiply, Normalization, Rescaling, Reshape, Subtract, TorchModuleWrapper,
    ],
)  # fmt: skip


def serialize(layer: _Any) -> dict[str, _Any]:
    """The JSON config of a layer or model."""
    return _registry.serialize(layer)


def deserialize(config: _Any, custom_objects: dict[str, _Any] | None = None) -> Layer:
    """Make a layer or model, with new weights, from its JSON config."""
    return _registry.deserialize(config, custom_objects)
