"""Functions in a functional model's graph, in the JSON that Keras writes for them."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

from kerasish import tree
from kerasish.naming import to_snake_case
from kerasish.symbolic import OPERATOR_NAMES, FunctionOperation, KerasTensor, Node

MODULES = ("numpy", "nn", "linalg", "math", "image", "core")
# Arguments of Keras's operations that are given with the call; the others are settings of the operation.
CALL_ARGUMENTS = frozenset((
    "x", "x1", "x2", "xs", "a", "b", "q", "v", "y", "array", "inputs", "images", "start", "stop", "step", "key",
    "indices", "index", "condition", "kernel", "depthwise_kernel", "pointwise_kernel", "target", "output", "query",
    "value", "bias", "mask", "data", "segment_ids", "targets", "predictions", "transform", "coordinates", "operands",
    "start_indices", "updates", "constant_values",
))  # fmt: skip
CLASS_NAMES = {
    "get_item": "GetItem", "allclose": "AllClose", "isin": "IsIn", "searchsorted": "SearchSorted",
    "batch_normalization": "BatchNorm", "rms_normalization": "RMSNorm", "layer_normalization": "LayerNorm",
    "cdist": "CDist", "ctc_loss": "CTCLoss", "ctc_decode": "CTCDecode", "psnr": "PSNR", "svd": "SVD", "fft": "FFT",
    "fft2": "FFT2", "ifft2": "IFFT2", "rfft": "RFFT", "irfft": "IRFFT", "stft": "STFT", "istft": "ISTFT",
    "rgb_to_grayscale": "RGBToGrayscale", "rgb_to_hsv": "RGBToHSV", "hsv_to_rgb": "HSVToRGB", "ssim": "SSIM",
}  # fmt: skip
FUNCTION_NAMES = {class_name: name for name, class_name in CLASS_NAMES.items()}


def op_config(node: Node, model_name: str) -> tuple[dict[str, Any], list[Any], dict[str, Any]]:
    """What Keras writes for a function: its config, and the arguments of the call.

    Raises:
        NotImplementedError: the function is none of Keras's operations.
    """
    function = node.operation.function
    name = OPERATOR_NAMES.get(function) or _name_of_op(function)
    if name is None:
        raise NotImplementedError(
            f"The functional model {model_name!r} contains the torch function {node.operation.name!r}, which Keras's "
            "JSON cannot describe: use the function of `ops` in its place, or a layer of yours with a `get_config`."
        )
    args, kwargs = list(node.args), dict(node.kwargs)
    settings: dict[str, Any] = getattr(node.operation, "settings", {})
    if function not in OPERATOR_NAMES and not isinstance(node.operation, OpOperation):
        args, settings = _split(function, args, kwargs)
        kwargs = {}
    module = "numpy" if name == "get_item" else _module_of(name)
    class_name = CLASS_NAMES.get(name) or "".join(part.capitalize() for part in name.split("_"))
    config = {
        "module": f"keras.src.ops.{module}",
        "class_name": class_name,
        "config": {"name": node.operation.name, **settings},
        "registered_name": class_name,
    }
    return config, args, kwargs


def _split(function: Callable, args: list, kwargs: dict) -> tuple[list, dict[str, Any]]:
    """The arguments of the call, in order, and the settings."""
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    given, settings = [], {}
    for key, value in bound.arguments.items():
        is_symbolic = any(isinstance(leaf, KerasTensor) for leaf in tree.flatten(value))
        if key in CALL_ARGUMENTS or is_symbolic:
            given.append(value)
        else:
            settings[key] = value
    return given, settings


def get_item(x: Any, key: Any) -> Any:
    """`x[key]`, where a list of indices, as JSON has it, is a tuple."""
    return x[tuple(key) if isinstance(key, list) else key]


def _name_of_op(function: Callable) -> str | None:
    is_op = function is get_item or getattr(function, "__module__", "").startswith("kerasish.ops.")
    return function.__name__ if is_op else None


def _module_of(name: str) -> str:
    """The part of Keras's `ops` that has the function."""
    for module in MODULES:
        if hasattr(_ops(module), name):
            return module
    raise NotImplementedError(f"`ops.{name}` belongs to no module of operations.")


def _ops(module: str) -> Any:
    return importlib.import_module(f"kerasish.ops.{module}")


def is_op_config(config: dict[str, Any]) -> bool:
    """Whether an entry of a graph describes a function."""
    return str(config.get("module", "")).startswith("keras.src.ops.")


class OpOperation(FunctionOperation):
    """A function of `ops` with its settings, as a graph in a file names it."""

    def __init__(self, function: Callable, settings: dict[str, Any], name: str) -> None:
        self.function = function
        self.settings = settings
        self.name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **{**self.settings, **kwargs})


def op_from_config(config: dict[str, Any]) -> OpOperation:
    """The function that an entry of a graph describes.

    Raises:
        ValueError: there is no such operation.
    """
    settings = dict(config["config"])
    name = settings.pop("name", None)
    class_name = config["class_name"]
    function_name = FUNCTION_NAMES.get(class_name) or to_snake_case(class_name)
    module = str(config["module"]).rpartition(".")[2]
    function: Any = get_item if function_name == "get_item" else None
    if function is None and module in MODULES:
        function = getattr(_ops(module), function_name, None)
    if function is None:
        raise ValueError(f"There is no operation {class_name!r} in {config['module']!r}.")
    return OpOperation(function, settings, name or function_name)
