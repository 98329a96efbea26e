"""`Sequential`: layers one after the other."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
from torch import Tensor

from kerasish import tree
from kerasish.changes import structure
from kerasish.dtypes import is_float_dtype
from kerasish.errors import format_shape
from kerasish.layers.core.input_layer import InputLayer
from kerasish.layers.core.torch_module_wrapper import TorchModuleWrapper, as_layer
from kerasish.layers.layer import Layer
from kerasish.models.functional import Graph
from kerasish.models.model import Model
from kerasish.naming import current_path, name_scope
from kerasish.serialization import CustomObjectScope, deserialize_keras_object, serialize_keras_object
from kerasish.symbolic import KerasTensor, infer_output


class Sequential(Model):
    """A stack of layers, each taking the output of the one before.

    It is built as soon as the shape of its input is known: from an `Input`, an `input_shape` of the first layer, or
    the first batch.

    Args:
        layers: list of layers or torch modules.
        name: name of the model.

    Example:
        >>> import kerasish
        >>> model = kerasish.Sequential([kerasish.Input((784,)), kerasish.layers.Dense(10)])
        >>> model.output_shape
        (None, 10)
    """

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None) -> None:
        super().__init__(trainable=trainable, name=name)
        self.__dict__["_stack"] = []
        self.__dict__["_input_layer"] = None
        if layers is not None:
            for layer in layers if isinstance(layers, (list, tuple)) else [layers]:
                self._append(layer)
            self._rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer, or a torch module, on top."""
        self._append(layer)
        if rebuild:
            self._rebuild()

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the last layer off and return it."""
        if not self._stack:
            raise ValueError(f"Model {self.name!r} has no layer to take off.")
        layer = self._stack.pop()
        self._rebuild()
        return layer

    def _append(self, layer: Any) -> None:
        if isinstance(layer, KerasTensor):
            layer = layer._keras_history.operation
        if isinstance(layer, type) and issubclass(layer, Layer):
            raise TypeError(f"`layer` must be an instance: write `{layer.__name__}(…)`. Received: {layer}")
        if isinstance(layer, InputLayer):
            if self._stack or self._input_layer is not None:
                raise ValueError(
                    f"Model {self.name!r} has an input already: an `Input` comes first, and once."
                )
            self.__dict__["_input_layer"] = layer
            return
        layer = as_layer(layer)
        if any(other is layer or other.name == layer.name for other in self._stack):
            raise ValueError(
                f"All layers of a model must have different names. Model {self.name!r} has a layer "
                f"{layer.name!r} already."
            )
        if self._input_layer is None and not self._stack:
            shape = layer.__dict__.get("_batch_input_shape")
            if (
                shape is None
                and isinstance(layer, Model)
                and layer._graph is not None
                and len(layer.inputs) == 1
            ):
                shape = layer.inputs[0].shape
            if shape is not None:
                self.__dict__["_input_layer"] = InputLayer(batch_shape=shape)
        self._stack.append(layer)

    def _rebuild(self) -> None:
        """Register the layers as modules, and draw the graph where the input is known."""
        self._modules.clear()
        for i, layer in enumerate(self._stack):
            module = layer.module if type(layer) is TorchModuleWrapper else layer
            self._modules[str(i)] = module
            if module.training != self.training:
                module.train(self.training)
        structure.version += 1
        self.__dict__["_graph"] = None
        self.__dict__["built"] = False
        self.__dict__["_ready_to_train"] = False
        if self._input_layer is not None and self._stack:
            self._draw()
        self._refresh_call_path()

    def _draw(self) -> None:
        x = tensor = self._input_layer._tensor
        is_open = current_path().rpartition("/")[2] == self.name
        with contextlib.nullcontext() if is_open else name_scope(self.name):
            for layer in self._stack:
                x = layer(x)
        self.__dict__["_graph"] = Graph(tensor, x)
        self.__dict__["built"] = True
        self.__dict__["_build_shapes"] = {"input_shape": tensor.shape}
        if not self._trainable:
            self.trainable = False

    @property
    def layers(self) -> list[Any]:
        """The layers from first to last, the input left out."""
        return list(self._stack)

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of this shape, which includes the batch size (None)."""
        if self._graph is not None or input_shape is None:
            return
        if not self._stack:
            raise ValueError(f"Model {self.name!r} has no layers: add some before it is built.")
        if not isinstance(input_shape, (tuple, list)):
            raise ValueError(f"`input_shape` must be a tuple such as (None, 784). Received: {input_shape!r}")
        own = self._stack[0].compute_dtype
        dtype = self.compute_dtype if is_float_dtype(own) else own
        self.__dict__["_input_layer"] = InputLayer(batch_shape=tuple(input_shape), dtype=dtype)
        self._draw()
        self._refresh_call_path()

    def _build_for(self, args: tuple, kwargs: dict) -> None:
        inputs = args[0] if args else None
        if not isinstance(inputs, (Tensor, KerasTensor, np.ndarray)):
            raise ValueError(
                f"Model {self.name!r} takes one tensor: a `Sequential` has one input. Received: "
                f"{len(tree.flatten(inputs))} tensors. Use a functional model for several."
            )
        shape = tuple(inputs.shape)
        if not shape:
            raise ValueError(
                f"Model {self.name!r} takes batches. Received: a tensor of shape {format_shape(shape)}"
            )
        shape = (None, *shape[1:])
        if isinstance(inputs, np.ndarray) or getattr(inputs, "dtype", None) == "string":
            self.__dict__["_input_layer"] = InputLayer(batch_shape=shape, dtype="string")
            self._rebuild()
            return
        super(Model, self)._build_now({"input_shape": shape}, getattr(inputs, "device", None))

    def call(self, inputs: Any) -> Any:
        graph = self._graph
        if graph is not None and type(inputs) is Tensor and len(inputs.shape) != len(graph.inputs[0].shape):
            inputs = graph._flat_inputs(inputs, self.name)[0]
        elif graph is not None and type(inputs) is Tensor and inputs.dtype is not graph.input_dtypes[0]:
            inputs = inputs.to(graph.input_dtypes[0])
        elif graph is not None and isinstance(inputs, np.ndarray):
            inputs = graph._flat_inputs(inputs, self.name)[0]
        for layer in self._stack:
            inputs = layer(inputs)
        return inputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        return infer_output(self._call_on_meta, args, kwargs, self.name)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_graph": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if self.built and self._input_layer is not None:
            self._draw()

    def get_config(self) -> dict[str, Any]:
        layers = ([self._input_layer] if self._input_layer is not None else []) + self._stack
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize_keras_object(self.dtype_policy),
            "layers": [serialize_keras_object(layer) for layer in layers],
        }
        if self._graph is not None:
            config["build_input_shape"] = self._graph.inputs[0].shape
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Sequential:
        with CustomObjectScope(custom_objects or {}):
            layers = [deserialize_keras_object(layer) for layer in config["layers"]]
        model = cls(layers, name=config.get("name"))
        shape = config.get("build_input_shape")
        if shape and model._graph is None and layers:
            model.build(tuple(shape))
        if config.get("trainable") is False:
            model.trainable = False
        return model
