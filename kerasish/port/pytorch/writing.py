"""`to_pytorch`: a model as the source of a plain PyTorch module, with its weights in a file beside it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from kerasish import tree
from kerasish.dtypes import is_float_dtype, torch_dtype
from kerasish.layers import Layer
from kerasish.port.pytorch.formatting import identifier, wrapped
from kerasish.port.pytorch.graphs import Emitted, emit_model, structure_text, wanted_class
from kerasish.port.pytorch.source import File, Value, Weight, layers_of
from kerasish.port.pytorch.training import training_text
from kerasish.saving.atomic import write_text
from kerasish.saving.safetensors import write_tensors

LOADER = '''
    @classmethod
    def from_pretrained(cls, path: str = "{weights}") -> "{name}":
        """The module with the weights of a safetensors file, in eval mode."""
        model = cls()
        model.load_state_dict(load_file(path))
        return model.eval()'''
TOLERANCE = 1e-4


class Port:
    """A model on its way to PyTorch: the text, and the weights."""

    def __init__(self, text: str, weights: list[Weight], name: str, emitted: Emitted) -> None:
        self.text = text
        self.weights = weights
        self.name = name
        self.emitted = emitted

    def state_dict(self) -> dict[str, Tensor]:
        """What is written beside the text."""
        return {weight.key: weight.value() for weight in self.weights}


def to_pytorch(model: Any, path: Any = None, weights: Any = None) -> str:
    """Write a model as the source of a `torch.nn.Module` that needs nothing but torch and safetensors.

    Layers become torch's modules (`nn.Linear`, `nn.Conv2d`, `nn.LSTM`, …) or short functions; images are moved to
    channels first once, at the start. A compiled model brings a function `train` with the same optimizer, loss and
    metrics in torch's names. The module is run beside the model before anything is written.

    Args:
        model: a built model.
        path: file for the source, such as `"net.py"`; None only returns it.
        weights: file for the weights; by default beside `path`, with the ending `.safetensors`.

    Returns:
        The source. `Net.from_pretrained()` in it gives the module with the weights.

    Raises:
        ValueError: the model is not built, or a layer, which is named, has no form in plain PyTorch.

    Example:
        >>> import kerasish
        >>> model = kerasish.Sequential([kerasish.Input((4,)), kerasish.layers.Dense(2, name="score")], name="net")
        >>> print(to_pytorch(model).split("super().__init__()")[1])
        <BLANKLINE>
                self.score = nn.Linear(4, 2)
        <BLANKLINE>
            def forward(self, x: Tensor) -> Tensor:
                return self.score(x)  # (B, 2)
        <BLANKLINE>
    """
    target = None if path is None else Path(os.fspath(path))
    if weights is not None:
        weights = Path(os.fspath(weights))
    elif target is not None:
        weights = target.with_suffix(".safetensors")
    _check_targets(target, weights)
    port = make_port(model, weights.name if weights is not None else None)
    check(port, model)
    if weights is not None:
        write_tensors(port.state_dict(), weights)
    if target is not None:
        write_text(target, port.text)
    return port.text


def _check_targets(target: Path | None, weights: Path | None) -> None:
    """Raise where one of the files cannot be written, before the other one is."""
    for name, file in (("path", target), ("weights", weights)):
        if file is None:
            continue
        if file.is_dir():
            raise IsADirectoryError(f"`{name}` must be a file. Received: {os.fspath(file)!r}, a directory")
        if not file.parent.is_dir():
            raise FileNotFoundError(f"There is no directory {os.fspath(file.parent)!r}: make it first.")
        if not os.access(file.parent, os.W_OK):
            raise PermissionError(f"The directory {os.fspath(file.parent)!r} cannot be written to.")
    if target is not None and target == weights:
        raise ValueError(
            f"The source and its weights must be two files. Received: {os.fspath(target)!r} for both"
        )


def make_port(model: Any, weights: str | None = None) -> Port:
    """The text of a model and the places of its weights."""
    if not isinstance(model, Layer) or not hasattr(model, "layers"):
        raise TypeError(f"`model` must be a kerasish model. Received: {type(model).__name__}")
    _require_float32(model)
    file = File()
    name = file.class_name(wanted_class(model, "Net"))
    emitted = emit_model(model, name, file)
    training = training_text(model, emitted, file)
    has_logits = any(training.has_logits)
    methods = [_forward(emitted, training.has_logits)] if has_logits else []
    result = result_without_activations(emitted, training.has_logits) if has_logits else emitted.result
    if weights is not None:
        methods.append("\n".join(map(wrapped, LOADER.format(weights=weights, name=name).split("\n"))))
    main = emitted.body.class_text(emitted.inputs, result, emitted.returned, methods)
    if has_logits:
        main = main.replace("def forward", "def logits", 1)
    parts = [*file.functions.values(), *file.classes.values(), main]
    parts += [training.text] if training.text else []
    text = _head(model, file, "\n".join(parts), weights) + "\n\n\n".join(parts) + "\n"
    return Port(text, emitted.body.weights, name, emitted)


def result_without_activations(emitted: Emitted, has_logits: list[bool]) -> str:
    """What `logits` returns: the outputs, some of them before their last activation."""
    chosen = {
        id(value): value.logits[0] if flag else value
        for value, flag in zip(tree.flatten(emitted.outputs), has_logits, strict=True)
    }
    return structure_text(emitted.outputs, lambda value: emitted.body.get(chosen[id(value)]))


def _forward(emitted: Emitted, has_logits: list[bool]) -> str:
    """The method `forward` of a class that has a method `logits`."""
    arguments = ", ".join(f"{name}: Tensor" for name in emitted.inputs.values())
    call = f"self.logits({', '.join(emitted.inputs.values())})"
    lines = ["", wrapped(f"    def forward(self, {arguments}) -> {emitted.returned}:")]
    count = len(has_logits)
    names = [call] if count == 1 else [identifier(name) for name in emitted.names]
    if isinstance(emitted.outputs, dict):
        names = [f'x["{key}"]' for key in sorted(emitted.outputs)]
        lines.append(f"        x = {call}")
    elif names != [call]:
        lines.append(f"        {', '.join(names)} = {call}")
    texts = {
        id(value): _activation(value, name) if flag else name
        for value, name, flag in zip(tree.flatten(emitted.outputs), names, has_logits, strict=True)
    }
    result = structure_text(emitted.outputs, lambda value: texts[id(value)])
    return "\n".join([*lines, wrapped(f"        return {result}")])


def _activation(value: Value, name: str) -> str:
    return f"torch.sigmoid({name})" if value.logits[1] == "sigmoid" else f"torch.softmax({name}, dim=-1)"  # type: ignore[index]


def _head(model: Any, file: File, body: str, weights: str | None) -> str:
    lines = [f'"""Model {model.name!r} as a PyTorch module.'.replace("'", "`")]
    if file.notes:
        lines += ["", *(line for note in file.notes for line in _folded(note))]
    lines[-1] += '"""' if not file.notes else ""
    lines += ['"""'] if file.notes else []
    lines += ["", *(["import math", ""] if "math." in body else []), "import torch"]
    lines += ["import torch.nn.functional as F"] if "F." in body else []
    lines += ["from safetensors.torch import load_file"] if weights is not None else []
    lines += ["from torch import Tensor, nn"]
    if "pack_padded_sequence" in body:
        lines += ["from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence"]
    lines += ["", "", ""]
    if "torch." not in body.replace("safetensors.torch", ""):
        lines.remove("import torch")
    return "\n".join(lines)


def _folded(note: str, width: int = 86) -> list[str]:
    lines, current = [], "-"
    for word in note.split():
        if len(current) + len(word) + 1 > width:
            lines.append(current)
            current = " "
        current += f" {word}"
    return [*lines, current]


def _require_float32(model: Any) -> None:
    for layer in layers_of(model):
        if is_float_dtype(layer.compute_dtype) and layer.compute_dtype != "float32":
            raise ValueError(
                f"Layer {layer.name!r} computes in {layer.compute_dtype}: the module is written in float32. Load the "
                "model with `dtype='float32'`, and use `torch.autocast` or `.to(torch.bfloat16)` on the module."
            )


def check(port: Port, model: Any) -> None:
    """Run the module beside the model on random inputs.

    Raises:
        RuntimeError: their outputs differ.
    """
    module = load_module(port)
    graph = port.emitted.graph
    generator = torch.Generator().manual_seed(0)
    tensors = []
    for tensor in graph.inputs:
        sizes = [3 if i == 0 and size is None else size or 7 for i, size in enumerate(tensor.shape)]
        dtype = torch_dtype(tensor.dtype)
        if dtype.is_floating_point:
            tensors.append(torch.rand(sizes, generator=generator, dtype=dtype))
        else:
            tensors.append(torch.randint(0, 2, sizes, generator=generator).to(dtype))
    device = next(iter(model.weights), torch.empty(0)).device
    with torch.no_grad():
        given = tree.pack_sequence_as(graph.input_structure, [tensor.to(device) for tensor in tensors])
        expected = tree.flatten(model(given, training=False))
        again = tree.flatten(model(given, training=False))
        received = tree.flatten(module(*tensors))
    for one, same, other in zip(expected, again, received, strict=True):
        is_random = not torch.equal(one.nan_to_num(), same.nan_to_num())
        if not is_random and not torch.allclose(
            one.cpu().double(), other.double(), rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True
        ):
            difference = (one.cpu().double() - other.double()).abs().max().item()
            raise RuntimeError(
                f"The module written for {model.name!r} computes something else than the model (difference "
                f"{difference:.2g}), so it is not given out. This is an error of kerasish: please report it, with "
                "`model.to_json()`."
            )


def load_module(port: Port) -> torch.nn.Module:
    """Make the module that a text describes, with its weights."""
    namespace: dict[str, Any] = {"__name__": "ported"}
    text = port.text.replace("from safetensors.torch import load_file\n", "")
    exec(compile(text, f"<{port.name}>", "exec"), namespace)
    module = namespace[port.name]()
    module.load_state_dict(port.state_dict())
    return module.eval()
