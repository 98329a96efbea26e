"""The table that `model.summary()` prints."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from typing import Any

from kerasish import tree
from kerasish.errors import format_shape
from kerasish.layers.core.input_layer import InputLayer
from kerasish.layers.layer import Layer
from kerasish.symbolic import FunctionOperation

WIDTH_SEQUENTIAL = 75
WIDTH_GRAPH = 90


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Any = None,
    print_fn: Callable | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Any = None,
) -> None:
    """Print the layers of a model with their output shapes and numbers of parameters.

    Raises:
        ValueError: the model is not built, so that its shapes are unknown.
    """
    if not model.built:
        raise ValueError(
            f"Model {model.name!r} is not built yet, so its shapes are unknown: give it an `Input`, "
            "call it on data, or "
            "`build(input_shape)` before `summary()`."
        )
    is_chain = _is_chain(model)
    headers = ["Layer (type)", "Output Shape", "Param #"]
    shares = [0.45, 0.80, 1.0]
    if not is_chain:
        headers.append("Connected to")
        shares = [0.30, 0.55, 0.70, 1.0]
    if show_trainable:
        headers.append("Trainable")
        shares = [*(0.88 * share for share in shares), 1.0]
    length = line_length or (WIDTH_SEQUENTIAL if is_chain else WIDTH_GRAPH)
    widths = _widths(positions or shares, length, len(headers))
    rows = _rows(model, is_chain, show_trainable, expand_nested, layer_range, 0)
    lines = [
        f'Model: "{model.name}"',
        _border("┏┳┓", "━", widths),
        *_row(headers, widths, "┃"),
        _border("┡╇┩", "━", widths),
    ]
    for i, row in enumerate(rows):
        lines += _row(row, widths, "│")
        if i + 1 < len(rows):
            lines.append(_border("├┼┤", "─", widths))
    lines.append(_border("└┴┘", "─", widths))
    lines += _totals(model)
    text = "\n".join(lines)
    if print_fn is None:
        print(text)
    else:
        print_fn(text)


def _is_chain(model: Any) -> bool:
    if model._graph is None:
        return True
    nodes = model._graph.nodes
    return len(model._graph.inputs) == 1 and all(len(node.inputs) == 1 for node in nodes) and _no_forks(nodes)


def _no_forks(nodes: list[Any]) -> bool:
    parents = [id(node.inputs[0]) for node in nodes]
    operations = [id(node.operation) for node in nodes]
    return len(set(parents)) == len(parents) and len(set(operations)) == len(operations)


def _rows(
    model: Any, is_chain: bool, show_trainable: bool, expand_nested: bool, layer_range: Any, depth: int
) -> list[list[str]]:
    rows = []
    for layer in _in_range(_operations(model), layer_range):
        nested = expand_nested and hasattr(layer, "layers") and bool(layer.layers)
        name = f"{'   ' * max(0, depth - 1)}{'└ ' if depth else ''}{layer.name}"
        row = [f"{name} ({_kind(layer)})", _output_shape(layer, model), _parameters(layer)]
        if not is_chain:
            row.append(_connections(layer, model))
        if show_trainable:
            row.append(_trainable(layer))
        rows.append(row)
        if nested:
            rows += _rows(layer, is_chain, show_trainable, expand_nested, None, depth + 1)
    return rows


def _operations(model: Any) -> list[Any]:
    if model._graph is None or model.layers != model._graph.layers:
        return model.layers
    return model._graph.operations


def _kind(layer: Any) -> str:
    if isinstance(layer, FunctionOperation):
        return "Function"
    module = layer.__dict__.get("_modules", {}).get("module")
    return (
        type(module).__name__
        if type(layer).__name__ == "TorchModuleWrapper" and module is not None
        else type(layer).__name__
    )


def _in_range(layers: list[Any], layer_range: Any) -> list[Any]:
    if layer_range is None:
        return layers
    if len(layer_range) != 2:
        raise ValueError(
            f"`layer_range` must be the names of the first and the last layer. Received: {layer_range}"
        )
    places = []
    for pattern in layer_range:
        found = [i for i, layer in enumerate(layers) if re.match(pattern, layer.name)]
        if not found:
            raise ValueError(f"No layer matches {pattern!r} of `layer_range`.")
        places.append(found)
    first, last = places[0][0], places[1][-1]
    return layers[min(first, last) : max(first, last) + 1]


def _output_shape(layer: Any, model: Any) -> str:
    if isinstance(layer, InputLayer):
        return format_shape(layer.batch_shape)
    if model._graph is not None:
        nodes = [node for node in model._graph.nodes if node.operation is layer]
    else:
        nodes = getattr(layer, "_nodes", [])
    if nodes:
        outputs = [tensor.shape for tensor in nodes[0].outputs]
        return (
            format_shape(outputs[0])
            if len(outputs) == 1
            else ", ".join(format_shape(shape) for shape in outputs)
        )
    shapes = getattr(layer, "_build_shapes", None)
    if getattr(layer, "built", False) and shapes and len(shapes) == 1:
        try:
            shape = layer.compute_output_shape(next(iter(shapes.values())))
        except (ValueError, TypeError, RuntimeError, NotImplementedError):
            return "?"
        return (
            format_shape(shape)
            if isinstance(shape, tuple)
            else ", ".join(map(format_shape, tree.flatten(shape)))
        )
    return "?"


def _parameters(layer: Any) -> str:
    if isinstance(layer, FunctionOperation):
        return "0"
    if not layer.built and not layer.weights:
        return "0" if type(layer).build is Layer.build else "0 (unbuilt)"
    return str(sum(w.numel() for w in layer.weights))


def _trainable(layer: Any) -> str:
    weights = getattr(layer, "weights", [])
    return "-" if not weights else "Y" if layer.trainable else "N"


def _connections(layer: Any, model: Any) -> str:
    graph = model._graph
    nodes = [node for node in graph.nodes if node.operation is layer] if graph is not None else []
    sources = []
    for node in nodes:
        for tensor in node.inputs:
            history = tensor._keras_history
            sources.append(f"{history.operation.name}[{history.node_index}][{history.tensor_index}]")
    return ", ".join(sources) or "-"


def _totals(model: Any) -> list[str]:
    def line(title: str, weights: list[Any]) -> str:
        count = sum(w.numel() for w in weights)
        return f" {title}: {count:,} ({_readable(sum(w.numel() * w.element_size() for w in weights))})"

    lines = [
        line("Total params", model.weights),
        line("Trainable params", model.trainable_weights),
        line("Non-trainable params", model.non_trainable_weights),
    ]
    optimizer = model.optimizer
    if optimizer is not None and getattr(optimizer, "built", False) and optimizer.variables:
        state = list(optimizer.variables)
        lines[0] = line("Total params", model.weights + state)
        lines.append(line("Optimizer params", state))
    return lines


def _readable(size: float) -> str:
    """Bytes in the largest fitting unit: `1.02 MB`."""
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} TB"


def _widths(positions: Any, length: int, columns: int) -> list[int]:
    if len(positions) != columns:
        raise ValueError(
            f"`positions` must have {columns} entries, one for each column. Received: {positions}"
        )
    ends = [int(p * length) if p <= 1 else int(p) for p in positions]
    starts = [0, *ends[:-1]]
    return [max(4, end - start - 1) for start, end in zip(starts, ends, strict=True)]


def _border(corners: str, line: str, widths: list[int]) -> str:
    return corners[0] + corners[1].join(line * width for width in widths) + corners[2]


def _row(cells: list[str], widths: list[int], edge: str) -> list[str]:
    """The lines of a row, with long cells wrapped; numbers of parameters are set to the right."""
    wrapped = [
        textwrap.wrap(cell, width - 2, break_long_words=True) or [""]
        for cell, width in zip(cells, widths, strict=True)
    ]
    height = max(len(lines) for lines in wrapped)
    out = []
    for i in range(height):
        parts = []
        for column, (lines, width) in enumerate(zip(wrapped, widths, strict=True)):
            text = lines[i] if i < len(lines) else ""
            parts.append(f" {text:>{width - 2}} " if column == 2 else f" {text:<{width - 2}} ")
        out.append(edge + edge.join(parts) + edge)
    return out
