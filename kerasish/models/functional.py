"""Functional models: the graph between symbolic inputs and outputs, run as a flat plan."""

from __future__ import annotations

import collections
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kerasish import tree
from kerasish.dtypes import torch_dtype
from kerasish.errors import did_you_mean, received
from kerasish.layers.core.input_layer import Input, InputLayer
from kerasish.layers.layer import Layer
from kerasish.layers.normalization.batch_normalization import BatchNormalization
from kerasish.models.model import Model
from kerasish.models.op_nodes import is_op_config, op_config, op_from_config
from kerasish.serialization import deserialize_keras_object, serialize_keras_object
from kerasish.symbolic import FunctionOperation, KerasTensor, Node, infer_output


class _Number:
    """The place of a symbolic tensor in a pickled graph."""

    def __init__(self, value: int) -> None:
        self.value = value


class Graph:
    """The calls that lead from `inputs` to `outputs`.

    Args:
        inputs, outputs: symbolic tensors, or lists and dictionaries of them.
    """

    def __init__(self, inputs: Any, outputs: Any) -> None:
        for name, structure in (("inputs", inputs), ("outputs", outputs)):
            for leaf in tree.flatten(structure):
                if not isinstance(leaf, KerasTensor):
                    raise ValueError(
                        f"`{name}` of a functional model must be symbolic tensors, which begin with `Input(shape)`. "
                        f"Received: {received(leaf)}"
                    )
        self.input_structure = inputs
        self.output_structure = outputs
        self.inputs: list[KerasTensor] = tree.flatten(inputs)
        self.outputs: list[KerasTensor] = tree.flatten(outputs)
        if len({id(tensor) for tensor in self.inputs}) != len(self.inputs):
            raise ValueError("The same tensor is given as two inputs of the model.")
        if not all(isinstance(tensor._keras_history.operation, InputLayer) for tensor in self.inputs):
            self._begin_with_inputs()
        self.input_names = [tensor._keras_history.operation.name for tensor in self.inputs]
        self.output_names = _unique([tensor._keras_history.operation.name for tensor in self.outputs])
        self.input_dtypes = [
            None if tensor.dtype == "string" else torch_dtype(tensor.dtype) for tensor in self.inputs
        ]
        self.nodes = self._sort()
        self.operations = self._in_order_of_depth()
        self.layers = [operation for operation in self.operations if isinstance(operation, Layer)]
        names = collections.Counter(layer.name for layer in self.layers)
        twice = [name for name, count in names.items() if count > 1]
        if twice:
            raise ValueError(
                f"All layers of a model must have different names. {twice[0]!r} is the name of "
                f"{names[twice[0]]} layers."
            )
        self._compile()

    def _begin_with_inputs(self) -> None:
        """Draw the calls again from new inputs, where the model begins at the results of other layers."""
        self.input_names = [tensor.name for tensor in self.inputs]
        tensors = {}
        for tensor in self.inputs:
            is_input = isinstance(tensor._keras_history.operation, InputLayer)
            new = Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=f"{tensor.name}CLONE")
            tensors[id(tensor)] = tensor if is_input else new

        def renewed(structure: Any) -> Any:
            return tree.map_structure(lambda leaf: tensors.get(id(leaf), leaf), structure)

        for node in self._sort():
            old = [ref() for ref in node._outputs]  # a result that nobody holds is not needed
            results = [KerasTensor((), "bool") if x is None else KerasTensor(x.shape, x.dtype) for x in old]
            tensors.update({id(x): result for x, result in zip(old, results, strict=True) if x is not None})
            outputs = tree.pack_sequence_as(node._template, results)
            Node(node.operation, renewed(node.args), renewed(node.kwargs), outputs, is_listed=False)
        self.input_structure, self.output_structure = map(
            renewed, (self.input_structure, self.output_structure)
        )
        self.inputs, self.outputs = tree.flatten(self.input_structure), tree.flatten(self.output_structure)

    def _sort(self) -> list[Node]:
        """The nodes between inputs and outputs, every node after those whose results it needs."""
        given = {id(tensor) for tensor in self.inputs}
        order: list[Node] = []
        done: set[int] = set()
        open_nodes: set[int] = set()
        stack: list[tuple[KerasTensor, bool]] = [(tensor, False) for tensor in reversed(self.outputs)]
        self._first_met: list[Any] = []
        while stack:
            tensor, is_ready = stack.pop()
            if id(tensor) in given:
                self._first_met.append(tensor._keras_history.operation)
                continue
            history = getattr(tensor, "_keras_history", None)
            if history is None or isinstance(history.operation, InputLayer):
                raise ValueError(
                    f"The graph is not connected to its inputs: {tensor!r} is needed for the outputs, but it "
                    "is not among "
                    f"`inputs` ({', '.join(self.input_names)}). Add it to `inputs`."
                )
            node = history.node
            if id(node) in done:
                continue
            if is_ready:
                done.add(id(node))
                open_nodes.discard(id(node))
                order.append(node)
                continue
            if id(node) in open_nodes:
                raise ValueError(f"The graph has a cycle through {history.operation.name!r}.")
            open_nodes.add(id(node))
            self._first_met.append(history.operation)
            stack.append((tensor, True))
            stack += [
                (parent, False)
                for parent in reversed(node.inputs)
                if id(getattr(parent, "_keras_history", (None,))[0]) not in done
            ]
        return order

    def _in_order_of_depth(self) -> list[Any]:
        """Operations, inputs first, by their distance from the outputs; at equal distance as met from the outputs."""
        depth: dict[int, int] = {}
        depth_of_operation: dict[int, int] = {}
        for node in reversed(self.nodes):
            own = max(depth.get(id(node), 0), depth_of_operation.get(id(node.operation), 0))
            depth[id(node)] = depth_of_operation[id(node.operation)] = own
            for tensor in node.inputs:
                parent = tensor._keras_history.node
                depth[id(parent)] = max(depth.get(id(parent), 0), own + 1)
        operations: dict[int, Any] = {}
        for operation in self._first_met:
            operations.setdefault(id(operation), operation)
        for tensor in self.inputs:
            operation = tensor._keras_history.operation
            operations.setdefault(id(operation), operation)
            depth_of_operation[id(operation)] = depth.get(id(tensor._keras_history.node), 0)
        inputs_deepest = max(depth_of_operation.values(), default=0)
        return sorted(
            operations.values(),
            key=lambda op: inputs_deepest - depth_of_operation[id(op)],
        )

    def _compile(self) -> None:
        """Give every tensor a slot and every node a row of the plan."""
        slots: dict[int, int] = {id(tensor): i for i, tensor in enumerate(self.inputs)}
        plan = []
        for node in self.nodes:
            outputs = [ref() for ref in node._outputs]
            targets = []
            for tensor in outputs:
                slot = len(slots)
                slots[id(tensor) if tensor is not None else -slot - 1] = slot
                targets.append(slot)
            sources = [slots[id(tensor)] for tensor in node.inputs]
            single = len(node.args) == 1 and isinstance(node.args[0], KerasTensor) and not node.kwargs
            gather = None if single else _gatherer(node, slots)
            single_target = targets[0] if isinstance(node._template, int) else None
            plan.append((node.operation, sources[0] if single else -1, gather, single_target, tuple(targets)))
        self.plan = tuple(plan)
        self.size = len(slots)
        self.result_slots = [slots[id(tensor)] for tensor in self.outputs]
        self.single_output = self.result_slots[0] if isinstance(self.output_structure, KerasTensor) else None
        self.keep_alive = [tensor for node in self.nodes for tensor in node.outputs]

    def __getstate__(self) -> dict[str, Any]:
        """The graph without symbolic tensors, whose place numbers take: for pickle and copy."""
        number = {id(tensor): _Number(i) for i, tensor in enumerate(self.inputs)}
        rows = []
        for node in self.nodes:
            for tensor in node.outputs:
                number[id(tensor)] = _Number(len(number))
            specs = [(tensor.shape, tensor.dtype) for tensor in node.outputs]
            rows.append((node.operation, node.args, node.kwargs, node._template, specs))

        def write(structure: Any) -> Any:
            return tree.map_structure(lambda leaf: number.get(id(leaf), leaf), structure)

        return {
            "starts": [tensor._keras_history.operation for tensor in self.inputs],
            "rows": [
                (op, write(args), write(kwargs), template, outs) for op, args, kwargs, template, outs in rows
            ],
            "ends": (write(self.input_structure), write(self.output_structure)),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        tensors: list[KerasTensor] = [layer._tensor for layer in state["starts"]]

        def read(structure: Any) -> Any:
            return tree.map_structure(lambda x: tensors[x.value] if isinstance(x, _Number) else x, structure)

        for operation, args, kwargs, template, outputs in state["rows"]:
            made = [KerasTensor(shape, dtype=dtype) for shape, dtype in outputs]
            Node(operation, read(args), read(kwargs), tree.pack_sequence_as(template, made))
            tensors += made
        self.__init__(*(read(structure) for structure in state["ends"]))  # type: ignore[misc]

    def run(self, inputs: Any, name: str) -> Any:
        """Compute the outputs for tensors in the structure of the inputs (or dictionaries by input name)."""
        values: list[Any] = self._flat_inputs(inputs, name)
        values += [None] * (self.size - len(values))
        for operation, source, gather, target, targets in self.plan:
            if gather is None:
                result = operation(values[source])
            else:
                args, kwargs = gather(values)
                result = operation(*args, **kwargs)
            if target is not None:
                values[target] = result
            else:
                for slot, value in zip(targets, tree.flatten(result), strict=True):
                    values[slot] = value
        if self.single_output is not None:
            return values[self.single_output]
        return tree.pack_sequence_as(self.output_structure, [values[slot] for slot in self.result_slots])

    def _flat_inputs(self, inputs: Any, name: str) -> list[Any]:
        if isinstance(inputs, dict) and not isinstance(self.input_structure, dict):
            missing = [n for n in self.input_names if n not in inputs]
            if missing:
                raise ValueError(
                    f"Model {name!r} needs the input {missing[0]!r}. Received: {sorted(inputs)}."
                    + did_you_mean(missing[0], inputs)
                )
            flat = [inputs[n] for n in self.input_names]
        elif isinstance(inputs, dict):
            missing = [key for key in self.input_structure if key not in inputs]
            if missing:
                raise ValueError(
                    f"Model {name!r} needs the input {missing[0]!r}. Received: {sorted(inputs)}."
                )
            flat = tree.flatten({key: inputs[key] for key in self.input_structure})
        else:
            flat = [inputs] if isinstance(inputs, (Tensor, KerasTensor)) else tree.flatten(inputs)
        if len(flat) != len(self.inputs):
            raise ValueError(
                f"Model {name!r} has {len(self.inputs)} input(s) ({', '.join(self.input_names)}). Received: {len(flat)}"
            )
        return [
            _fit_rank(value, symbolic, dtype)
            for value, symbolic, dtype in zip(flat, self.inputs, self.input_dtypes, strict=True)
        ]


def _fit_rank(value: Any, symbolic: KerasTensor, dtype: torch.dtype | None) -> Any:
    """Cast to the input's dtype, and add or drop a last axis of size 1 where the input calls for it."""
    if not isinstance(value, (Tensor, np.ndarray)):
        return value
    is_text = isinstance(value, np.ndarray)
    if is_text != (dtype is None) and getattr(value.device, "type", "cpu") != "meta":
        kind = "strings" if dtype is None else f"numbers ({symbolic.dtype})"
        raise TypeError(f"The input {symbolic.name!r} takes {kind}. Received: {received(value)}")
    if isinstance(value, Tensor) and dtype is not None and value.dtype is not dtype:
        value = value.to(dtype)
    rank = len(symbolic.shape)
    if value.ndim == rank - 1 and symbolic.shape[-1] == 1:
        return value[..., None]
    if value.ndim == rank + 1 and value.shape[-1] == 1:
        return value.squeeze(-1)
    return value


def _gatherer(node: Node, slots: dict[int, int]) -> Callable[[list[Any]], tuple[tuple, dict]]:
    """A function that fills a node's arguments from the slots."""

    def gather(values: list[Any]) -> tuple[tuple, dict]:
        return tree.map_structure(
            lambda leaf: values[slots[id(leaf)]] if isinstance(leaf, KerasTensor) else leaf,
            (node.args, node.kwargs),
        )

    arguments = node.args
    is_one_list = len(arguments) == 1 and isinstance(arguments[0], (list, tuple)) and not node.kwargs
    if is_one_list and all(isinstance(leaf, KerasTensor) for leaf in arguments[0]):
        sources = [slots[id(leaf)] for leaf in arguments[0]]
        return lambda values: (([values[slot] for slot in sources],), {})
    return gather


def _unique(names: list[str]) -> list[str]:
    counts: collections.Counter[str] = collections.Counter()
    unique = []
    for name in names:
        counts[name] += 1
        unique.append(name if counts[name] == 1 else f"{name}_{counts[name] - 1}")
    return unique


class Functional(Model):
    """A model of the layers between symbolic inputs and outputs: what `Model(inputs, outputs)` returns."""

    def call(self, inputs: Any) -> Any:
        return self._graph.run(inputs, self.name)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        return infer_output(self._call_on_meta, args, kwargs, self.name)


def graph_config(model: Model) -> dict[str, Any]:
    """The config of a functional model in Keras 3's form."""
    graph = model._graph
    layers = []
    nodes_of: dict[int, list[Node]] = collections.defaultdict(list)
    for node in graph.nodes:
        nodes_of[id(node.operation)].append(node)
    position = {id(node): nodes_of[id(node.operation)].index(node) for node in graph.nodes}

    def reference(tensor: KerasTensor) -> list[Any]:
        history = tensor._keras_history
        return [history.operation.name, position.get(id(history.node), 0), history.tensor_index]

    def argument(leaf: Any) -> Any:
        if isinstance(leaf, KerasTensor):
            config = {"shape": list(leaf.shape), "dtype": leaf.dtype, "keras_history": reference(leaf)}
            return {"class_name": "__keras_tensor__", "config": config}
        return serialize_keras_object(leaf)

    for operation in graph.operations:
        nodes = nodes_of[id(operation)]
        if isinstance(operation, FunctionOperation):
            described = [op_config(node, model.name) for node in nodes]
            config = serialize_keras_object(described[0][0])
            calls = [(args, kwargs) for _, args, kwargs in described]
        else:
            config = serialize_keras_object(operation)
            calls = [(list(node.args), node.kwargs) for node in nodes]
        config["name"] = operation.name
        config["inbound_nodes"] = [
            {"args": _map_leaves(argument, args), "kwargs": _map_leaves(argument, kwargs)}
            for args, kwargs in calls
        ]
        layers.append(config)

    def structure(value: Any) -> Any:
        if isinstance(value, KerasTensor):
            return reference(value)
        if isinstance(value, dict):
            return {key: structure(item) for key, item in value.items()}
        return [structure(item) for item in value]

    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": structure(graph.input_structure),
        "output_layers": structure(graph.output_structure),
    }


def _map_leaves(function: Callable, value: Any) -> Any:
    if isinstance(value, list):
        return [_map_leaves(function, item) for item in value]
    if isinstance(value, tuple) and any(isinstance(leaf, KerasTensor) for leaf in tree.flatten(value)):
        items = [_map_leaves(function, item) for item in value]
        return {"class_name": "__tuple__", "config": {"value": items}}
    if isinstance(value, dict):
        return {key: _map_leaves(function, item) for key, item in value.items()}
    return function(value)


def _call_symbolically(operation: Any, args: list, kwargs: dict) -> Any:
    if not isinstance(operation, FunctionOperation):
        return operation(*args, **kwargs)
    results = infer_output(operation, tuple(args), kwargs, operation.name)
    Node(operation, tuple(args), kwargs, results)
    return results


def _mode_of_itself(operation: Any) -> Any:
    """The `training` that Keras's files give although nobody asked for it: the default of the layer's `call`."""
    if not isinstance(operation, Layer) or isinstance(operation, BatchNormalization):
        return None
    return getattr(inspect.signature(operation.call).parameters.get("training"), "default", None)


def model_from_config(cls: type, config: dict[str, Any]) -> Any:
    """Make a functional model from `get_config()`."""
    operations: dict[str, Any] = {}
    outputs: dict[tuple[str, int], list[KerasTensor]] = {}
    waiting: list[tuple[str, int, dict]] = []
    for entry in config["layers"]:
        described = {k: v for k, v in entry.items() if k not in ("name", "inbound_nodes")}
        operation = (
            op_from_config(described) if is_op_config(described) else deserialize_keras_object(described)
        )
        operations[entry["name"]] = operation
        if isinstance(operation, InputLayer):
            outputs[entry["name"], 0] = [operation._tensor]
        waiting += [(entry["name"], i, node) for i, node in enumerate(entry["inbound_nodes"])]

    def look_up(reference: Any) -> KerasTensor:
        name, node_index, tensor_index = reference
        return outputs[name, node_index][tensor_index]

    def read(value: Any) -> Any:
        if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
            return look_up(value["config"]["keras_history"])
        if isinstance(value, dict) and value.get("class_name") == "__tuple__":
            return tuple(read(item) for item in value["config"]["value"])
        if isinstance(value, list):
            return [read(item) for item in value]
        if isinstance(value, dict) and "class_name" not in value:
            return {key: read(item) for key, item in value.items()}
        return deserialize_keras_object(value)

    while waiting:
        later = []
        for name, index, node in waiting:
            if isinstance(operations[name], InputLayer):
                continue
            try:
                args, kwargs = read(node["args"]), read(node["kwargs"])
            except KeyError:
                later.append((name, index, node))
                continue
            if kwargs.get("mask", 0) is None:
                del kwargs["mask"]
            if kwargs.get("training", 0) is _mode_of_itself(operations[name]):
                del kwargs["training"]
            outputs[name, index] = tree.flatten(_call_symbolically(operations[name], args, kwargs))
        if len(later) == len(waiting):
            raise ValueError(
                f"The config is not a graph: the inputs of {later[0][0]!r} are missing or form a cycle."
            )
        waiting = later

    def structure(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: structure(item) for key, item in value.items()}
        if len(value) == 3 and isinstance(value[0], str):
            return look_up(value)
        return [structure(item) for item in value]

    made_of = Functional if issubclass(Functional, cls) else cls
    model = made_of(
        structure(config["input_layers"]), structure(config["output_layers"]), name=config.get("name")
    )
    if config.get("trainable") is False:
        model.trainable = False
    return model
