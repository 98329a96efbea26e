"""Pictures of models, drawn by Graphviz."""

from __future__ import annotations

import html
import os
import shutil
import subprocess
import sys
from typing import Any

from kerasish import tree
from kerasish.errors import did_you_mean, format_shape
from kerasish.layers.core.input_layer import InputLayer
from kerasish.symbolic import FunctionOperation

RANKDIRS = ("TB", "LR", "BT", "RL")
SPLINES = ("ortho", "curved", "polyline", "spline", "line")


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """The graph of a model as a `pydot.Dot`: one box for each layer, arrows along the data.

    Args:
        model: a built model; of a subclass of `Model`, whose graph is unknown, one box is drawn.
        show_shapes: write input and output shapes.
        show_dtype: write output dtypes.
        show_layer_names: write names, not only classes.
        rankdir: `"TB"` from top to bottom, `"LR"` from left to right, `"BT"`, `"RL"`.
        expand_nested: draw the layers of models inside the model, in a frame.
        dpi: dots per inch.
        subgraph: return a `pydot.Cluster`, a frame for use in another graph.
        show_layer_activations: write activations.
        show_trainable: write whether weights are trained.
        splines: the form of the arrows: `"ortho"`, `"curved"`, `"polyline"`, `"spline"` or `"line"`.

    Raises:
        ImportError: pydot is not installed.
        ValueError: the model is not built, or an argument is unknown.
    """
    if kwargs:
        gone = " `layer_range` is Keras 2's." if "layer_range" in kwargs else ""
        raise ValueError(f"Unrecognized keyword arguments for model_to_dot: {sorted(kwargs)}.{gone}")
    for name, value, known in (("rankdir", rankdir, RANKDIRS), ("splines", splines, SPLINES)):
        if value not in known:
            raise ValueError(
                f"`{name}` must be one of {known}.{did_you_mean(value, known)} Received: {name}={value!r}"
            )
    if not model.built:
        raise ValueError(
            f"Model {model.name!r} is not built yet, so its graph is unknown: give it an `Input`, call it on data, or "
            "`build(input_shape)` first."
        )
    pydot = _import_pydot()
    if subgraph:
        graph = _frame(pydot, model)
    else:
        graph = pydot.Dot(graph_type="digraph", rankdir=rankdir, dpi=dpi, splines=splines, ranksep=0.35)
    drawing = _Drawing(
        pydot,
        show_shapes,
        show_dtype,
        show_layer_names,
        expand_nested,
        show_layer_activations,
        show_trainable,
    )
    if model._graph is None:
        graph.add_node(drawing.box(model, None))
    else:
        drawing.draw(model, graph)
    return graph


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """Write a picture of a model, and show it where the code runs in a notebook.

    Args:
        to_file: the file; its ending says the format: png, svg, pdf, dot, ….
        The other arguments are those of `model_to_dot`.

    Raises:
        ImportError: pydot or Graphviz is not installed.
        ValueError: the model is not built, or an argument is unknown.
    """
    graph = model_to_dot(
        model,
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        rankdir=rankdir,
        expand_nested=expand_nested,
        dpi=dpi,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
        splines=splines,
        **kwargs,
    )
    path = os.fspath(to_file)
    ending = os.path.splitext(path)[1][1:].lower() or "png"
    if ending in ("dot", "gv"):
        with open(path, "w", encoding="utf-8") as file:
            file.write(graph.to_string())
        return None
    program = shutil.which("dot")
    if program is None:
        raise ImportError(
            "Drawing needs Graphviz, whose program `dot` was not found: apt install graphviz, brew install graphviz, "
            "or https://graphviz.org/download. A file name that ends in .dot needs no Graphviz."
        )
    drawn = subprocess.run(
        [program, f"-T{ending}"], input=graph.to_string().encode(), capture_output=True, check=False
    )
    if drawn.returncode:
        raise ValueError(
            f"Graphviz cannot write {path!r}: {drawn.stderr.decode(errors='replace').strip().splitlines()[0]}"
        )
    with open(path, "wb") as file:
        file.write(drawn.stdout)
    return _notebook_image(path, ending)


def _notebook_image(path: str, ending: str) -> Any:
    """What a notebook shows of the file; None elsewhere."""
    display = sys.modules.get("IPython.display")
    if display is None or ending not in ("png", "svg", "jpg", "jpeg"):
        return None
    return display.SVG(filename=path) if ending == "svg" else display.Image(filename=path)


def _import_pydot() -> Any:
    try:
        import pydot
    except ImportError:
        raise ImportError(
            "Drawing models needs pydot and Graphviz: pip install 'kerasish[plot]' (or pip install pydot), and "
            "https://graphviz.org/download."
        ) from None
    return pydot


class _Drawing:
    """The options of a drawing, and the boxes at which arrows to and from nested models end."""

    def __init__(
        self,
        pydot: Any,
        show_shapes: bool,
        show_dtype: bool,
        show_layer_names: bool,
        expand_nested: bool,
        show_layer_activations: bool,
        show_trainable: bool,
    ) -> None:
        self.pydot = pydot
        self.show_shapes = show_shapes
        self.show_dtype = show_dtype
        self.show_layer_names = show_layer_names
        self.expand_nested = expand_nested
        self.show_layer_activations = show_layer_activations
        self.show_trainable = show_trainable
        self.entries: dict[int, list[list[str]]] = {}
        self.exits: dict[int, list[str]] = {}

    def draw(self, model: Any, frame: Any) -> None:
        """Put the boxes and arrows of a model's graph into a frame."""
        graph = model._graph
        hides_inputs = not any(isinstance(layer, InputLayer) for layer in model.layers)
        for operation in graph.operations:
            if hides_inputs and isinstance(operation, InputLayer):
                continue
            if self.expand_nested and getattr(operation, "_graph", None) is not None:
                if id(operation) not in self.exits:
                    inner = _frame(self.pydot, operation)
                    self.draw(operation, inner)
                    frame.add_subgraph(inner)
            else:
                node = next((node for node in graph.nodes if node.operation is operation), None)
                frame.add_node(self.box(operation, node))
        arrows: dict[tuple[str, str], None] = {}
        entries: list[list[str]] = [[] for _ in graph.inputs]
        places = {id(tensor): i for i, tensor in enumerate(graph.inputs)}
        for node in graph.nodes:
            for position, tensor in enumerate(node.inputs):
                targets = self._entries_of(node.operation, position)
                if id(tensor) in places and hides_inputs:
                    entries[places[id(tensor)]] += targets
                else:
                    arrows |= {(self._exit_of(tensor), target): None for target in targets}
        for source, target in arrows:
            frame.add_edge(self.pydot.Edge(source, target))
        if not hides_inputs:
            entries = [[_number(tensor._keras_history.operation)] for tensor in graph.inputs]
        self.entries[id(model)] = entries
        self.exits[id(model)] = [self._exit_of(tensor) for tensor in graph.outputs]

    def _entries_of(self, operation: Any, position: int) -> list[str]:
        entries = self.entries.get(id(operation))
        return [_number(operation)] if entries is None else entries[position]

    def _exit_of(self, tensor: Any) -> str:
        node, index = tensor._keras_history
        exits = self.exits.get(id(node.operation))
        return _number(node.operation) if exits is None else exits[index]

    def box(self, layer: Any, node: Any) -> Any:
        """A box: the name, and what else is to be shown."""
        kind = "Function" if isinstance(layer, FunctionOperation) else type(layer).__name__
        title = f"<b>{html.escape(layer.name)}</b> ({kind})" if self.show_layer_names else f"<b>{kind}</b>"
        cells = [f"{name}: <b>{html.escape(value)}</b>" for name, value in self._facts(layer, node)]
        if self.show_trainable and getattr(layer, "weights", None):
            color = "darkgreen" if layer.trainable else "firebrick"
            word = "Trainable" if layer.trainable else "Non-trainable"
            cells.append(f'<font color="{color}"><b>{word}</b></font>')
        rows = [f'<tr><td bgcolor="#20344c"><font color="white">{title}</font></td></tr>']
        rows += [f"<tr><td>{cell}</td></tr>" for cell in cells]
        table = f'<table border="0" cellborder="1" cellspacing="0" cellpadding="6">{"".join(rows)}</table>'
        return self.pydot.Node(
            _number(layer), label=f"<{table}>", shape="plain", fontname="Helvetica", fontsize=12
        )

    def _facts(self, layer: Any, node: Any) -> list[tuple[str, str]]:
        facts = []
        activation = getattr(layer, "activation", None)
        if self.show_layer_activations and activation is not None:
            facts.append(("Activation", getattr(activation, "__name__", type(activation).__name__)))
        inputs, outputs = self._tensors(layer, node)
        if self.show_shapes:
            if not isinstance(layer, InputLayer):
                facts.append(("Input shape", _shapes(inputs)))
            facts.append(("Output shape", _shapes(outputs)))
        if self.show_dtype:
            facts.append(("Output dtype", ", ".join(tensor.dtype for tensor in outputs) or "?"))
        return facts

    def _tensors(self, layer: Any, node: Any) -> tuple[list[Any], list[Any]]:
        if node is not None:
            return node.inputs, node.outputs
        if isinstance(layer, InputLayer):
            return [], tree.flatten(layer.output)
        return [], []


def _frame(pydot: Any, model: Any) -> Any:
    return pydot.Cluster(
        f"model_{id(model)}", label=model.name, style="dashed", labeljust="l", fontname="Helvetica"
    )


def _number(operation: Any) -> str:
    return str(id(operation))


def _shapes(tensors: list[Any]) -> str:
    return ", ".join(format_shape(tensor.shape) for tensor in tensors) or "?"
