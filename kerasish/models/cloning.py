"""Cloning of models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kerasish import tree
from kerasish.layers.core.input_layer import Input, InputLayer
from kerasish.layers.layer import Layer
from kerasish.models.functional import Functional
from kerasish.models.model import Model
from kerasish.models.sequential import Sequential
from kerasish.symbolic import FunctionOperation, KerasTensor, call_symbolically
from kerasish.training.objectives import TorchOptimizer


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Model:
    """Make a model of the same layers with new weights, compiled if the model is, but not with a torch optimizer,
    which belongs to its weights.

    Args:
        model: a Sequential or functional model (a subclassed one where its `get_config` allows).
        input_tensors: symbolic tensors to begin with, in place of new inputs.
        clone_function: makes a new layer of a layer; `layer.from_config(layer.get_config())` by default.
        call_function: called as `call_function(layer, *args, **kwargs)` in place of the layer.
        recursive: whether nested models are cloned layer by layer with `clone_function`, too.
    """
    if kwargs:
        raise ValueError(f"`clone_model` got unknown arguments {sorted(kwargs)}.")
    if not isinstance(model, Model):
        raise ValueError(f"`model` must be a Model. Received: {model!r}")

    copy = _copy_of(model, input_tensors, clone_function, call_function, recursive)
    if model.compiled and not isinstance(model.optimizer, TorchOptimizer):
        copy._compile_like(model)
    return copy


def _copy_of(
    model: Model,
    input_tensors: Any,
    clone_function: Callable | None,
    call_function: Callable | None,
    recursive: bool,
) -> Model:
    def clone(layer: Any) -> Any:
        if recursive and isinstance(layer, (Sequential, Functional)):
            return clone_model(
                layer, clone_function=clone_function, call_function=call_function, recursive=True
            )
        return (
            clone_function(layer)
            if clone_function is not None
            else type(layer).from_config(layer.get_config())
        )

    if isinstance(model, Sequential):
        copy = Sequential(name=model.name)
        if input_tensors is not None:
            copy._append(tree.flatten(input_tensors)[0])
        elif model._input_layer is not None:
            copy._append(Input(batch_shape=model._input_layer.batch_shape, dtype=model._input_layer.dtype))
        for layer in model.layers:
            copy._append(clone(layer))
        copy._rebuild()
        return copy
    if model._graph is None:
        if clone_function is not None or input_tensors is not None:
            raise ValueError(
                "`clone_function` and `input_tensors` need a Sequential or functional model. "
                "Received: a subclassed one."
            )
        return type(model).from_config(model.get_config())
    return _clone_graph(model, input_tensors, clone, call_function)


def _clone_graph(model: Model, input_tensors: Any, clone: Callable, call_function: Callable | None) -> Model:
    graph = model._graph
    if input_tensors is None:
        starts = [
            Input(batch_shape=t.shape, dtype=t.dtype, name=n)
            for t, n in zip(graph.inputs, graph.input_names, strict=True)
        ]
    else:
        starts = tree.flatten(input_tensors)
    tensors = {id(old): new for old, new in zip(graph.inputs, starts, strict=True)}
    copies: dict[int, Any] = {}
    for node in graph.nodes:
        operation = node.operation
        if id(operation) not in copies:
            copies[id(operation)] = (
                operation if isinstance(operation, (FunctionOperation, InputLayer)) else clone(operation)
            )
        args, kwargs = tree.map_structure(
            lambda leaf: tensors[id(leaf)] if isinstance(leaf, KerasTensor) else leaf,
            (node.args, node.kwargs),
        )
        new = copies[id(operation)]
        outputs = _call(new, call_function, args, kwargs)
        for old, tensor in zip(node._outputs, tree.flatten(outputs), strict=True):
            tensors[id(old())] = tensor
    inputs = tree.pack_sequence_as(graph.input_structure, starts)
    outputs = tree.map_structure(lambda leaf: tensors[id(leaf)], graph.output_structure)
    made_of: Any = type(model) if type(model) is not Functional else Functional
    return made_of(inputs, outputs, name=model.name)


def _call(operation: Any, call_function: Callable | None, args: tuple, kwargs: dict) -> Any:
    if isinstance(operation, FunctionOperation):
        return call_symbolically(operation.function, *args, **kwargs)
    if call_function is not None:
        return call_function(operation, *args, **kwargs)
    return operation(*args, **kwargs)
