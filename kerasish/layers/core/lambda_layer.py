"""A function as a layer."""

from __future__ import annotations

import base64
import inspect
import marshal
import types
from collections.abc import Callable
from typing import Any

from kerasish.errors import received
from kerasish.layers.layer import Layer
from kerasish.serialization import deserialize_keras_object, in_safe_mode, serialize_keras_object
from kerasish.symbolic import KerasTensor, infer_output


class Lambda(Layer):
    """Apply a function of tensors: `y = function(x, **arguments)`.

    Args:
        function: callable of the input and, where its signature has them, `mask` and `training`.
        output_shape: the output's shape without the batch, or a function of the input's shape; by default it is
            found by running the function without values.
        mask: the output's mask, or a function `(inputs, mask)` that makes it.
        arguments: further keyword arguments of the function.

    Named functions are saved by name, and must be registered or given as `custom_objects` when loading. A Python
    `lambda` is saved as its code, which is run on loading with `safe_mode=False` only.

    Example:
        >>> import torch
        >>> Lambda(lambda x, power: x**power, arguments={"power": 2})(torch.tensor([3.0])).tolist()
        [9.0]
    """

    def __init__(
        self,
        function: Callable,
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(
                f"`function` of layer {self.name!r} must be callable. Received: {received(function)}"
            )
        if arguments is not None and not isinstance(arguments, dict):
            raise TypeError(
                f"`arguments` of layer {self.name!r} must be a dictionary of keyword arguments. "
                f"Received: arguments={arguments!r}"
            )
        if (
            output_shape is not None
            and not callable(output_shape)
            and not isinstance(output_shape, (list, tuple))
        ):
            raise TypeError(
                f"`output_shape` of layer {self.name!r} must be a tuple without the batch, or a function of the "
                f"input's shape. Received: output_shape={output_shape!r}"
            )
        self.function = function
        self.arguments = arguments or {}
        self._output_shape = output_shape
        self.mask = mask
        self.supports_masking = mask is not None
        self._passes = tuple(name for name in ("mask", "training") if _accepts(function, name))

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        given = dict(self.arguments)
        if "mask" in self._passes:
            given["mask"] = mask
        if "training" in self._passes:
            given["training"] = training
        return self.function(inputs, **given)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask that `mask` gives."""
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self._output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self._output_shape):
            return self._output_shape(input_shape)
        batch = input_shape[0] if input_shape and not isinstance(input_shape[0], (list, tuple)) else None
        return (batch, *self._output_shape)

    def compute_output_spec(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if self._output_shape is None:
            try:
                return infer_output(self._call_on_meta, (inputs, *args), kwargs, self.name)
            except ValueError as error:
                raise ValueError(f"{error}\nFor a `Lambda` layer, give it as `output_shape`.") from error
        shape = inputs.shape if isinstance(inputs, KerasTensor) else [x.shape for x in inputs]
        return KerasTensor(self.compute_output_shape(shape), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "function": _config_of(self.function)}
        if self._output_shape is not None:
            is_function = callable(self._output_shape)
            config["output_shape"] = _config_of(self._output_shape) if is_function else self._output_shape
        if self.mask is not None:
            config["mask"] = _config_of(self.mask)
        return {**config, "arguments": serialize_keras_object(self.arguments)}

    @classmethod
    def from_config(
        cls,
        config: dict[str, Any],
        custom_objects: dict[str, Any] | None = None,
        safe_mode: bool | None = None,
    ) -> Any:
        """Make a layer from `get_config()`.

        Raises:
            ValueError: the config holds a Python lambda, and `safe_mode` is on, as it is by default.
        """
        is_safe = in_safe_mode() if safe_mode is None else safe_mode
        read = {
            key: _from_config(config[key], custom_objects, is_safe)
            for key in ("function", "output_shape", "mask", "arguments")
            if config.get(key) is not None
        }
        if isinstance(read.get("output_shape"), list):
            read["output_shape"] = tuple(read["output_shape"])
        return super().from_config({**config, **read})


def _accepts(function: Callable, argument: str) -> bool:
    try:
        return argument in inspect.signature(function).parameters
    except (TypeError, ValueError):  # built-in functions may have no signature
        return False


def _config_of(item: Any) -> Any:
    is_lambda = isinstance(item, types.FunctionType) and item.__name__ == "<lambda>"
    return lambda_to_config(item) if is_lambda else serialize_keras_object(item)


def _from_config(config: Any, custom_objects: dict[str, Any] | None, is_safe: bool) -> Any:
    if not isinstance(config, dict) or config.get("class_name") != "__lambda__":
        return deserialize_keras_object(config, custom_objects=custom_objects)
    if is_safe:
        raise ValueError(
            "The config of a `Lambda` layer holds a Python lambda, whose code would run. Pass `safe_mode=False` if you "
            "trust where it comes from, or call `kerasish.config.enable_unsafe_deserialization()`; better, "
            "save the model again with a named function."
        )
    return lambda_from_config(config["config"])


def lambda_to_config(function: types.FunctionType) -> dict[str, Any]:
    """The compiled code of a lambda with its defaults and closure, as Keras writes it into files."""
    return {
        "class_name": "__lambda__",
        "config": {
            "code": base64.encodebytes(marshal.dumps(function.__code__)).decode("ascii"),
            "defaults": serialize_keras_object(function.__defaults__),
            "closure": [serialize_keras_object(cell.cell_contents) for cell in function.__closure__ or ()]
            or None,
        },
    }


def lambda_from_config(config: dict[str, Any]) -> types.FunctionType:
    """The function whose compiled code is in a file; only the Python version that wrote it can read it."""
    try:
        code = marshal.loads(base64.b64decode(config["code"] if "code" in config else config["value"]))
    except (ValueError, EOFError, TypeError, KeyError) as error:
        raise ValueError(f"A lambda in the file was written by another version of Python: {error}") from error
    cells = tuple(types.CellType(value) for value in config.get("closure") or ())
    defaults = tuple(config["defaults"]) if config.get("defaults") else None
    return types.FunctionType(code, {"__builtins__": __builtins__}, "<lambda>", defaults, cells)
