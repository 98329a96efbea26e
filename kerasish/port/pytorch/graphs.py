"""Models as classes: the calls of a graph one after the other."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from kerasish import tree
from kerasish.layers import Embedding, InputLayer, Layer, MultiHeadAttention, Pipeline, TimeDistributed
from kerasish.layers.core.input_layer import Input
from kerasish.models.functional import Graph
from kerasish.models.model import Model
from kerasish.port.pytorch import attention as _attention  # noqa: F401 (registers its layers)
from kerasish.port.pytorch import categories as _categories  # noqa: F401
from kerasish.port.pytorch import functions as _functions  # noqa: F401 (registers its layers)
from kerasish.port.pytorch import normalization as _normalization  # noqa: F401
from kerasish.port.pytorch import recurrent as _recurrent  # noqa: F401
from kerasish.port.pytorch.formatting import identifier
from kerasish.port.pytorch.modules import EMITTERS, SAME_LENGTH, emits
from kerasish.port.pytorch.recording import record
from kerasish.port.pytorch.source import FLAT, PLAIN, Body, File, Refusal, Value, layers_of
from kerasish.port.pytorch.spelling import infix
from kerasish.symbolic import OPERATOR_NAMES, FunctionOperation, KerasTensor

SYMBOLS = {"add": "+", "subtract": "-", "multiply": "*", "true_divide": "/", "matmul": "@", "power": "**",
           "floor_divide": "//", "mod": "%"}  # fmt: skip
NOT_IN_TORCH = {"StringLookup", "TextVectorization"}
ADVICE = (
    "Layer {name!r} ({cls}) has no counterpart in plain PyTorch: {why}. Leave it out of the model that is ported "
    "(keep it in the data pipeline), or write it by hand."
)


class Emitted:
    """A model's class in the emitted file.

    Args:
        body: the class.
        inputs: token → name of each argument of `forward`.
        result: what `forward` returns.
        outputs: the values in it.
        graph: what was written.
        names: of the outputs.
    """

    def __init__(
        self, body: Body, inputs: dict[str, str], result: str, outputs: Any, graph: Graph, names: list[str]
    ) -> None:
        self.body = body
        self.given = inputs
        self.result = result
        self.outputs = outputs
        self.graph = graph
        self.names = names

    @property
    def inputs(self) -> dict[str, str]:
        """Token → name of each argument, none of which hides a module or function of the file."""
        spoken_for = self.body.spoken_for()
        return {token: f"{name}_input" if name in spoken_for else name for token, name in self.given.items()}

    @property
    def returned(self) -> str:
        """The type of what `forward` returns."""
        return _annotation(self.outputs)

    def class_text(self) -> str:
        """The class."""
        return self.body.class_text(self.inputs, self.result, self.returned)


def _annotation(outputs: Any) -> str:
    if isinstance(outputs, Value):
        return "Tensor"
    if isinstance(outputs, dict):
        return f"dict[str, {' | '.join(sorted({_annotation(value) for value in outputs.values()}))}]"
    kinds = ", ".join(map(_annotation, outputs))
    return kinds if len(outputs) == 1 else f"tuple[{kinds}]"


def graph_of(model: Any) -> Graph:
    """The calls of a functional or sequential model; a subclassed one is called on symbolic inputs."""
    graph = getattr(model, "_graph", None)
    if graph is not None:
        return graph
    if not model.built:
        raise ValueError(
            f"Model {model.name!r} must be built before it is written as PyTorch: give it an `Input`, or call it on "
            "data."
        )
    shapes = model._build_shapes or {}
    if len(shapes) != 1:
        raise Refusal(f"The input of {model.name!r} is not known: call it on data with one argument.")
    inputs = tree.map_shape_structure(
        lambda shape: Input(batch_shape=(None, *shape[1:])), next(iter(shapes.values()))
    )
    try:
        with torch.enable_grad():
            return Graph(inputs, model.call(inputs))
    except (TypeError, ValueError, RuntimeError, NotImplementedError, AttributeError) as error:
        raise Refusal(
            f"`call` of {model.name!r} ({type(model).__name__}) cannot be followed symbolically: "
            f"{str(error).splitlines()[0]}"
        ) from error


def emit_model(model: Any, name: str, file: File, graph: Graph | None = None) -> Emitted:
    """Write the class of a model and of those in it."""
    graph = graph_of(model) if graph is None else graph
    file.kept.append(graph)
    for operation, count in Counter(
        node.operation for node in graph.nodes if isinstance(node.operation, Layer)
    ).items():
        file.uses[id(operation)] = file.uses.get(id(operation), 0) + count
    body = Body(name, file)
    if getattr(model, "_graph", None) is None:
        body.names = _attribute_names(model)
    values: dict[int, Value] = {}
    inputs: dict[str, str] = {}
    for tensor, given in zip(graph.inputs, _input_names(graph), strict=True):
        if tensor.dtype == "string":
            raise Refusal(
                f"The input {given!r} takes strings, of which there are no tensors in torch. Keep the layers that read "
                "them in the data pipeline, and port the model behind them."
            )
        token = body.token()
        inputs[token] = given
        body.tokens_of_inputs.append(token)
        values[id(tensor)] = Value(tensor.shape, tensor.dtype, {PLAIN: token})

    def given_as(leaf: Any) -> Any:
        if isinstance(leaf, Tensor) and leaf.grad_fn is not None:
            return _emit_computed(body, leaf, embeddings)
        return values[id(leaf)] if isinstance(leaf, KerasTensor) else leaf

    embeddings = {id(layer.embeddings): layer for layer in layers_of(model) if type(layer) is Embedding}
    body.owned = {id(parameter) for parameter in model.parameters()}
    for node in graph.nodes:
        args, kwargs = tree.map_structure(given_as, (node.args, node.kwargs))
        results = emit_call(body, node.operation, args, kwargs)
        flat = tree.flatten(results)
        symbolic = [ref() for ref in node._outputs]
        values.update(
            {id(made): value for made, value in zip(symbolic, flat, strict=True) if made is not None}
        )
    outputs = tree.map_structure(lambda tensor: values[id(tensor)], graph.output_structure)
    names = _output_names(model, outputs)
    for output, wished in zip(tree.flatten(outputs), names, strict=True):
        for value in (output, output.logits[0]) if len(names) > 1 and output.logits else (output,):
            is_free = len(names) > 1 and wished not in inputs.values()
            body.wished.update(
                {token.strip("«»"): identifier(wished) for token in value.forms.values() if is_free}
            )
    return Emitted(body, inputs, structure_text(outputs, body.get), outputs, graph, names)


def _emit_computed(body: Body, tensor: Tensor, embeddings: dict[int, Embedding]) -> Any:
    """What `call` computes from weights alone: the embedding of positions, which becomes `nn.Embedding`."""
    step: Any = tensor.grad_fn
    found = _weights_behind(step)
    if not found & body.owned:
        return tensor
    first: Any = step.next_functions[0][0] if step.next_functions else None
    layer = embeddings.get(id(getattr(first, "variable", None)))
    indices = getattr(step, "_saved_indices", None)
    if step.name() != "EmbeddingBackward0" or layer is None or indices is None or indices.dim() != 1:
        raise Refusal("`call` computes something from weights without its inputs")
    count = len(indices)
    if torch.equal(indices.cpu(), torch.arange(count)):
        argument = next(iter(body.tokens_of_inputs))
        places = body.set(f"torch.arange({count}, device={argument}.device)", "positions")
    else:
        places = body.parameter(indices.detach().clone(), f"{layer.name}_positions")
    return emit_call(body, layer, (Value((count,), "int64", {PLAIN: places}),), {})


def _weights_behind(step: Any) -> set[int]:
    """The leaves of which a tensor was computed."""
    found: set[int] = set()
    waiting, seen = [step], set()
    while waiting:
        one = waiting.pop()
        if one is None or one in seen:
            continue
        seen.add(one)
        found.add(id(getattr(one, "variable", None)))
        waiting += [following for following, _ in one.next_functions]
    return found


def _attribute_names(model: Any) -> dict[int, str]:
    """The names that a class of the user's gives to its layers."""
    found = [
        (name, layer)
        for name, layer in model.named_modules()
        if isinstance(layer, Layer) and layer is not model
    ]
    return {id(layer): name.replace(".", "_") for name, layer in reversed(found)}


def _input_names(graph: Graph) -> list[str]:
    structure = graph.input_structure
    if isinstance(structure, dict) and all(isinstance(x, KerasTensor) for x in structure.values()):
        names = tree.flatten({key: key for key in structure})
    elif len(graph.inputs) == 1:
        return ["x"]
    else:
        names = list(graph.input_names)
    return [identifier(str(name)) for name in names]


def _output_names(model: Any, outputs: Any) -> list[str]:
    """Names of the outputs, in the order in which a structure is flattened."""
    count = len(tree.flatten(outputs))
    names = sorted(outputs) if isinstance(outputs, dict) else getattr(model, "output_names", ())
    return list(map(str, names)) if len(names) == count else [f"output_{i + 1}" for i in range(count)]


def structure_text(outputs: Any, text: Callable[[Value], str]) -> str:
    """Outputs as `return` has them, with a text for each value."""
    if isinstance(outputs, Value):
        return text(outputs)
    if isinstance(outputs, dict):
        items = (f'"{key}": {structure_text(value, text)}' for key, value in outputs.items())
        return f"{{{', '.join(items)}}}"
    return ", ".join(structure_text(value, text) for value in outputs)


def emit_call(body: Body, operation: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """Write one call of a layer or a function."""
    kwargs = {k: v for k, v in kwargs.items() if v is not None and not (k == "training" and v is False)}
    if isinstance(operation, FunctionOperation):
        return _emit_function(body, operation, args, kwargs)
    name, cls = operation.name, type(operation).__name__
    if isinstance(operation, InputLayer):
        return args[0]
    if kwargs.pop("training", False) and cls != "Pipeline":
        raise Refusal(
            f"Layer {name!r} is called with `training=True`, which a module has for all of its layers or none."
        )
    if cls in NOT_IN_TORCH and type(operation).__module__.startswith("kerasish."):
        raise Refusal(ADVICE.format(name=name, cls=cls, why="it works on words"))
    try:
        made = _emit_layer(body, operation, args, kwargs)
    except Refusal as error:
        if str(error).startswith(("Layer ", "Model ")):
            raise
        raise Refusal(ADVICE.format(name=name, cls=cls, why=error)) from error
    for value in tree.flatten(made):
        if isinstance(value, Value):
            body.label(value)
    return made


def _emit_layer(body: Body, layer: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    if isinstance(layer, Model):
        return _emit_nested(body, layer, args, kwargs)
    emitter = EMITTERS.get(type(layer))
    masked = [x for x in tree.flatten((args, kwargs)) if isinstance(x, Value) and x.mask is not None]
    takes = emitter is not None and _fits(emitter, args, kwargs)
    is_recurrent = takes and "initial_state" in inspect.signature(emitter).parameters  # type: ignore[arg-type]
    takes_masks = is_recurrent or type(layer) in SAME_LENGTH or type(layer) is MultiHeadAttention
    if takes and (not masked or takes_masks):
        made = emitter(body, layer, *args, **kwargs)  # type: ignore[misc]
        if made is not None:
            if masked and isinstance(made, Value) and made.mask is None and type(layer) in SAME_LENGTH:
                made.mask = masked[0].mask
            return made
    if type(layer) is TimeDistributed and not masked and not kwargs:
        return _emit_time_distributed(body, layer, args[0])
    if _is_random(layer):
        body.file.note(
            f"{layer.name}: {type(layer).__name__} changes its input in training only, which is left out here: "
            "augment in the data loader (torchvision.transforms)."
        )
        kwargs["training"] = False
    if _has_composed_call(layer):
        try:
            return _emit_nested(body, layer, args, kwargs)
        except Refusal:
            pass
    return record(body, layer.name, layer, (args, kwargs), layer)


def _fits(emitter: Any, args: tuple, kwargs: dict[str, Any]) -> bool:
    try:
        inspect.signature(emitter).bind(None, None, *args, **kwargs)
    except TypeError:
        return False
    return True


def _is_random(layer: Any) -> bool:
    is_own = type(layer).__module__.startswith("kerasish.layers.preprocessing.image.")
    return is_own and type(layer).__name__ not in (
        "Resizing",
        "CenterCrop",
        "RandomCrop",
        "MaxNumBoundingBoxes",
    )


def _has_composed_call(layer: Any) -> bool:
    """Whether it is a layer of the user's made of other layers."""
    is_own = type(layer).__module__.startswith("kerasish.")
    return not is_own and any(isinstance(child, Layer) for child in layer.children())


def wanted_class(model: Any, default: str) -> str:
    """How the class of a model is best called: `default` where nobody named it."""
    if not type(model).__module__.startswith("kerasish."):
        return type(model).__name__
    return default if re.fullmatch("(sequential|functional|model)(_[0-9]+)?", model.name) else model.name


def _emit_nested(body: Body, model: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    if kwargs or len(args) != 1:
        raise Refusal(f"Layer {model.name!r} is called with more than its inputs: {sorted(kwargs)}")
    file = body.file
    if id(model) not in file.bodies:
        graph = None
        if not isinstance(model, Model):
            inputs = tree.map_structure(lambda x: Input(batch_shape=x.shape, dtype=x.dtype), args[0])
            try:
                with torch.enable_grad():
                    graph = Graph(inputs, model.call(inputs))
            except (TypeError, ValueError, RuntimeError, NotImplementedError, AttributeError) as error:
                raise Refusal(str(error)) from error
        emitted = emit_model(model, file.class_name(wanted_class(model, "Block")), file, graph)
        file.add_class(emitted.body, emitted.class_text())
        file.bodies[id(model)] = emitted
    emitted = file.bodies[id(model)]
    if model not in body.attributes:
        attribute = body.module(model, model.name, f"{emitted.body.name}()").removeprefix("self.")
        body.weights += [w._replace(key=f"{attribute}.{w.key}") for w in emitted.body.weights]
    given = args[0]
    if isinstance(given, dict):
        structure = emitted.graph.input_structure
        names = structure if isinstance(structure, dict) else emitted.graph.input_names
        given = (
            {key: given[key] for key in names}
            if isinstance(structure, dict)
            else [given[key] for key in names]
        )
    tokens = [body.get(value) for value in tree.flatten(given)]
    expression = f"self.{body.attributes[model]}({', '.join(tokens)})"
    flat = tree.flatten(emitted.outputs)
    if isinstance(emitted.outputs, Value):
        made = [body.set(expression)]
    elif isinstance(emitted.outputs, dict):
        whole = body.set(expression)
        made = [f'{whole}["{key}"]' for key in sorted(emitted.outputs)]
    else:
        made = body.unpack(expression, len(flat)) if len(flat) > 1 else [body.set(expression)]
    if any(value.mask is not None for value in flat):
        body.file.note(f"{model.name}: the mask of its output ends at the border of the class.")
    new = iter([Value(v.shape, v.dtype, {PLAIN: token}) for v, token in zip(flat, made, strict=True)])
    return tree.map_structure(lambda _: next(new), emitted.outputs)


@emits(Pipeline)
def emit_pipeline(body: Body, layer: Any, x: Value) -> Value:
    """Its layers in order."""
    for inner in layer.layers:
        x = emit_call(body, inner, (x,), {})
    return x


def _emit_time_distributed(body: Body, layer: Any, x: Value) -> Value:
    """Time joins the batch, and leaves it again."""
    token = body.get(x)
    steps = x.steps or Value((None, *x.shape[2:]), x.dtype, {PLAIN: body.set(f"{token}.flatten(0, 1)")})
    inner = emit_call(body, layer.layer, (steps,), {})
    if not isinstance(inner, Value):
        raise Refusal("its layer has several outputs")
    made = body.set(f"{body.get(inner)}.unflatten(0, {token}.shape[:2])")
    value = Value((x.shape[0], x.shape[1], *inner.shape[1:]), inner.dtype, {PLAIN: made})
    value.steps = inner
    return value


def _emit_function(body: Body, operation: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    name = OPERATOR_NAMES.get(operation.function)
    is_simple = (
        all(isinstance(x, (Value, int, float)) and not isinstance(x, bool) for x in args) and not kwargs
    )
    if name in SYMBOLS and is_simple and len(args) == 2:
        return _emit_arithmetic(body, operation, SYMBOLS[name], args)
    return record(body, operation.name, operation, (args, kwargs))


def _emit_arithmetic(body: Body, operation: Any, symbol: str, args: tuple) -> Value:
    values = [x for x in args if isinstance(x, Value)]
    same = len({x.form for x in values}) == 1 and len({len(x.shape) for x in values}) == 1 and symbol != "@"
    form = values[0].form if same and values[0].form != FLAT else PLAIN
    first, second = (body.get(x, form) if isinstance(x, Value) else str(x) for x in args)
    symbolic = [KerasTensor(x.shape, dtype=x.dtype) if isinstance(x, Value) else x for x in args]
    spec = operation.function(*symbolic)
    return Value(spec.shape, spec.dtype, {form: body.set(infix(symbol, first, second))})
