"""`export`: the computation of a model in files that other programs run, by torch's own exporters."""

from __future__ import annotations

import io
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from kerasish import tree
from kerasish.dtypes import torch_dtype
from kerasish.errors import did_you_mean
from kerasish.layers.input_spec import InputSpec
from kerasish.saving.atomic import replacing
from kerasish.symbolic import KerasTensor

FORMATS = ("onnx", "torch", "torchscript")
ENDINGS = {"onnx": ".onnx", "torch": ".pt2", "torchscript": ".pt"}
ADVICE = {
    "tf_saved_model": "TensorFlow's SavedModel needs TensorFlow, which is not used here: write `format='onnx'`, which "
    "TensorFlow Serving's and most other runtimes read, or save a `.keras` file and export that with real Keras",
    "litert": "LiteRT is written by Google's `ai-edge-torch` from a torch module, which this model is",
    "openvino": "`openvino.convert_model` reads what `format='onnx'` writes",
}
MISSING = (
    "The ONNX format needs the packages `onnx` and `onnxscript`: install them with `pip install onnx onnxscript` or "
    "`pip install kerasish[export]`."
)
NOT_TRACED = (
    "Model {name!r} cannot be traced to TorchScript, which knows no sizes as numbers: {why}. Use format='torch', its "
    "successor."
)
SAMPLE = 2  # records of the example with which the model is traced; 1 would be taken for a constant


def export_model(
    model: Any,
    filepath: Any,
    format: str = "tf_saved_model",
    verbose: Any = None,
    input_signature: Any = None,
    **kwargs: Any,
) -> None:
    """Write what a built model computes in inference.

    Args:
        filepath: file to write, which appears when it is complete.
        format: `"onnx"` (read by onnxruntime and many others), `"torch"` (`torch.export.load`) or `"torchscript"`
            (`torch.jit.load`, also from C++). TensorFlow's formats are refused with advice.
        verbose: True prints where the file is, and the exporter's report.
        input_signature: the inputs' shapes and dtypes, as `InputSpec` or symbolic tensors, in the structure that the
            model takes; by default those of its `Input`s. Sizes of None may vary.
        **kwargs: further arguments of `torch.onnx.export` (`opset_version`), `torch.export.export` (`strict`) or
            `torch.jit.trace`.

    Raises:
        ValueError: an unknown format, or the model is not built and has no `input_signature`.
        ImportError: a package is missing.

    Example:
        >>> import kerasish, tempfile
        >>> model = kerasish.Sequential([kerasish.Input((4,)), kerasish.layers.Dense(2)])
        >>> path = tempfile.mkdtemp() + "/model.pt2"
        >>> model.export(path, format="torch")
        >>> torch.export.load(path).module()(torch.ones(3, 4)).shape
        torch.Size([3, 2])
    """
    if format in ADVICE:
        raise ValueError(f"format={format!r} is not written: {ADVICE[format]}.")
    if format not in FORMATS:
        raise ValueError(
            f"`format` must be one of {FORMATS}. Received: format={format!r}{did_you_mean(str(format), FORMATS)}"
        )
    path = os.fspath(filepath)
    specs = _specs(model, input_signature)
    leaves = tree.flatten(specs)
    if any(spec.dtype == "string" for spec in leaves):
        raise ValueError(
            f"Model {model.name!r} takes strings, which no exported format has: export the part after its text layers."
        )
    write = {"onnx": _write_onnx, "torch": _write_program, "torchscript": _write_script}[format]
    with _in_inference(model):
        examples = [_example(spec) for spec in leaves]
        runner = _Runner(model, specs)
        if not model.built:
            runner(*examples)
        with replacing(path) as unfinished:
            write(runner, examples, leaves, os.fspath(unfinished), bool(verbose), kwargs)
    if verbose:
        print(f"Saved {format} of model {model.name!r} at {path!r}.")


class _Runner(torch.nn.Module):
    """The model as a function of its inputs, one argument each."""

    def __init__(self, model: Any, specs: Any) -> None:
        super().__init__()
        self.model = model
        self.specs = [specs]  # in a list: symbolic tensors are no part of the module

    def forward(self, *inputs: Tensor) -> Any:
        """Compute the outputs."""
        given = tree.pack_sequence_as(tree.map_structure(lambda _: 0, self.specs[0]), list(inputs))
        outputs = self.model(given)
        return outputs if isinstance(outputs, (Tensor, dict)) else tuple(tree.flatten(outputs))


def _specs(model: Any, signature: Any) -> Any:
    """Symbolic tensors of the inputs."""
    if signature is None:
        graph = getattr(model, "_graph", None)
        if graph is not None:
            return graph.input_structure
        shapes = model._build_shapes if model.built else None
        if not shapes or len(shapes) != 1:
            raise ValueError(
                f"The inputs of model {model.name!r} are not known: call it on data first, or give `input_signature`, "
                "such as `[keras.InputSpec(shape=(None, 28, 28, 1), dtype='float32')]`."
            )
        shape = next(iter(shapes.values()))
        return tree.map_shape_structure(
            lambda s: KerasTensor((None, *s[1:]), dtype=model.compute_dtype), shape
        )

    def spec(leaf: Any) -> KerasTensor:
        shape, dtype = getattr(leaf, "shape", None), getattr(leaf, "dtype", None)
        if shape is None:
            raise ValueError(f"`input_signature` must hold shapes. Received: {leaf!r}")
        name = str(dtype).removeprefix("torch.") if dtype is not None else model.compute_dtype
        return KerasTensor(tuple(shape), dtype=name, name=getattr(leaf, "name", None))

    is_single = isinstance(signature, (list, tuple)) and len(signature) == 1
    signature = signature[0] if is_single else signature
    if isinstance(signature, (InputSpec, KerasTensor)) or hasattr(signature, "shape"):
        return spec(signature)
    if isinstance(signature, dict):
        return {key: spec(leaf) for key, leaf in signature.items()}
    return [spec(leaf) for leaf in signature]


def _example(spec: KerasTensor) -> Tensor:
    sizes = [SAMPLE + axis if size is None else size for axis, size in enumerate(spec.shape)]
    return torch.ones(sizes, dtype=torch_dtype(spec.dtype))


@contextmanager
def _in_inference(model: Any) -> Iterator[None]:
    """The model in eval mode, on the CPU, without gradients."""
    was_training = model.training
    device = next((weight.device for weight in model.weights), torch.device("cpu"))
    model.eval()
    if device.type != "cpu":
        model.to("cpu")
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporters' own, about themselves
            yield
    finally:
        if device.type != "cpu":
            model.to(device)
        model.train(was_training)


def _dynamic(leaves: list[KerasTensor]) -> tuple[Any, ...]:
    """Which sizes may vary, for `torch.export`; first axes are the batch of all."""
    batch = torch.export.Dim("batch")
    shapes = []
    for i, spec in enumerate(leaves):
        sizes: dict[int, Any] = {}
        for axis, size in enumerate(spec.shape):
            if size is None:
                sizes[axis] = batch if axis == 0 else torch.export.Dim(f"size_{i}_{axis}")
        shapes.append(sizes or None)
    return tuple(shapes)


def _program(runner: _Runner, examples: list[Tensor], leaves: list[KerasTensor], options: dict) -> Any:
    options = {"strict": False, "dynamic_shapes": (_dynamic(leaves),), **options}
    return torch.export.export(runner, tuple(examples), **options)


def _write_program(
    runner: _Runner, examples: list, leaves: list, path: str, verbose: bool, options: dict
) -> None:
    program = _program(runner, examples, leaves, options)
    _write_by(lambda buffer: torch.export.save(program, buffer), path)


def _write_onnx(
    runner: _Runner, examples: list, leaves: list, path: str, verbose: bool, options: dict
) -> None:
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError(MISSING) from error
    names = [f"input_{i}" if not hasattr(spec, "_keras_history") else spec._keras_history.operation.name
             for i, spec in enumerate(leaves)]  # fmt: skip
    outputs = runner(*examples)
    graph = getattr(runner.model, "_graph", None)
    if isinstance(outputs, dict):
        options = {"output_names": list(outputs), **options}
    elif graph is not None:
        options = {"output_names": graph.output_names, **options}
    options = {"input_names": names, "opset_version": None, **options}
    program = _program(runner, examples, leaves, {})
    registration = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = registration.level
    registration.setLevel(logging.ERROR)  # it warns of torchvision, which nothing here needs
    try:
        made: Any = torch.onnx.export(program, dynamo=True, verbose=verbose, **options)
    finally:
        registration.setLevel(level)
    made.save(path, external_data=False)


def _write_script(
    runner: _Runner, examples: list, leaves: list, path: str, verbose: bool, options: dict
) -> None:
    options = {"check_trace": False, "strict": False, **options}
    larger = [
        torch.cat([x, x[:1]]) if spec.shape[:1] == (None,) else x
        for x, spec in zip(examples, leaves, strict=True)
    ]
    try:
        script = torch.jit.trace(runner, tuple(examples), **options)
        pairs = zip(tree.flatten(runner(*larger)), tree.flatten(script(*larger)), strict=True)
        fits = all(torch.allclose(a, b, atol=1e-4, equal_nan=True) for a, b in pairs)
    except (RuntimeError, TypeError, ValueError) as error:
        raise ValueError(NOT_TRACED.format(name=runner.model.name, why=str(error).splitlines()[0])) from error
    if not fits:
        raise ValueError(
            NOT_TRACED.format(name=runner.model.name, why="it gives other results for another batch size")
        )
    _write_by(lambda buffer: torch.jit.save(script, buffer), path)


def _write_by(save: Callable[[io.BytesIO], None], path: str) -> None:
    """Write what `save` puts into a buffer; torch, writing a file itself, ends the process where the disk is full."""
    buffer = io.BytesIO()
    save(buffer)
    Path(path).write_bytes(buffer.getbuffer())
