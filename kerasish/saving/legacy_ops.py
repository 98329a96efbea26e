"""TensorFlow functions in the graphs of Keras 2, as functions of Keras 3's `ops`."""

from __future__ import annotations

import importlib
from typing import Any

from kerasish.errors import did_you_mean
from kerasish.naming import to_snake_case

CONSTANT = "_CONSTANT_VALUE"  # Keras 2's mark of a first argument that is no tensor of the graph
KERAS_2_FUNCTIONS = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer", "ClassMethod", "InstanceProperty",
                     "InstanceMethod")  # fmt: skip
REFUSED = (
    "{kind} {function!r} of the file ({name!r}) is TensorFlow's and has no counterpart here.{hint} Make the model in "
    "code, with a function of `keras.ops` in its place, and load the weights of this file into it."
)
MODULES = ("numpy", "nn", "math", "core", "linalg", "image")
REDUCTION = {"input_tensor": "x", "keepdims": "keepdims"}
BINARY = {"x": "x1", "y": "x2"}

# TensorFlow's name → the name in `ops` and TensorFlow's arguments → those of `ops`; `x` is the first by default.
_FUNCTIONS: dict[str, tuple[str, dict[str, str]]] = {
    **{
        f"math.{name}": (name, BINARY)
        for name in (
            "add", "subtract", "multiply", "divide", "maximum", "minimum", "equal", "not_equal", "greater",
            "greater_equal", "less", "less_equal", "logical_and", "logical_or",
        )
    },
    **{
        f"math.{name}": (name, {})
        for name in (
            "abs", "ceil", "cos", "cosh", "erf", "exp", "expm1", "floor", "log", "log1p", "logical_not", "negative",
            "round", "rsqrt", "sigmoid", "sign", "sin", "sinh", "sqrt", "square", "tan", "tanh", "acos", "asin", "atan",
            "reciprocal",
        )
    },
    **{f"math.reduce_{name}": (name, REDUCTION) for name in ("sum", "mean", "max", "min", "prod", "std", "any", "all")},
    **{
        f"nn.{name}": (name, {"features": "x", "logits": "x"})
        for name in ("relu", "relu6", "elu", "selu", "gelu", "silu", "softmax", "log_softmax", "softplus", "softsign",
                     "sigmoid", "tanh", "leaky_relu")
    },
    "math.reduce_variance": ("var", REDUCTION),
    "math.reduce_logsumexp": ("logsumexp", REDUCTION),
    "math.truediv": ("true_divide", BINARY),
    "math.floordiv": ("floor_divide", BINARY),
    "math.floormod": ("mod", BINARY),
    "math.pow": ("power", BINARY),
    "math.softplus": ("softplus", {"features": "x"}),
    "math.argmax": ("argmax", {"input": "x"}),
    "math.argmin": ("argmin", {"input": "x"}),
    "math.cumsum": ("cumsum", {}),
    "math.l2_normalize": ("normalize", {}),
    "linalg.matmul": ("matmul", {"a": "x1", "b": "x2"}),
    "nn.swish": ("silu", {"features": "x"}),
    "__operators__.add": ("add", BINARY),
    "__operators__.getitem": ("get_item", {"tensor": "x", "slice_spec": "key"}),
    "cast": ("cast", {}),
    "clip_by_value": ("clip", {"t": "x", "clip_value_min": "x_min", "clip_value_max": "x_max"}),
    "concat": ("concatenate", {"values": "xs"}),
    "expand_dims": ("expand_dims", {"input": "x"}),
    "identity": ("copy", {"input": "x"}),
    "one_hot": ("one_hot", {"indices": "x", "depth": "num_classes"}),
    "ones_like": ("ones_like", {"input": "x"}),
    "repeat": ("repeat", {"input": "x"}),
    "reshape": ("reshape", {"tensor": "x", "shape": "newshape"}),
    "reverse": ("flip", {"tensor": "x"}),
    "squeeze": ("squeeze", {"input": "x"}),
    "stack": ("stack", {"values": "x"}),
    "stop_gradient": ("stop_gradient", {"input": "x", "variable": "x"}),
    "tile": ("tile", {"input": "x", "multiples": "repeats"}),
    "transpose": ("transpose", {"a": "x", "perm": "axes"}),
    "where": ("where", {"x": "x1", "y": "x2"}),
    "zeros_like": ("zeros_like", {"input": "x"}),
}  # fmt: skip
WITHOUT_EFFECT = {"transpose_a": (False,), "transpose_b": (False,), "conjugate": (False,),
                  "adjoint_a": (False,), "adjoint_b": (False,), "a_is_sparse": (False,), "b_is_sparse": (False,),
                  "output_type": (None, "int64", "int32"), "exclusive": (False,), "grad": (None,)}  # fmt: skip


def op_entry(name: str, kind: str, config: dict[str, Any], calls: list[tuple[Any, dict]]) -> dict[str, Any]:
    """An entry of a graph in Keras 3's form for a TensorFlow function of Keras 2's.

    Raises:
        ValueError: there is no counterpart.
    """
    function = str(config.get("function", config.get("method_name", config.get("attr_name"))))
    function = function.removeprefix("compat.v1.")
    if kind not in ("TFOpLambda", "SlicingOpLambda") or function not in _FUNCTIONS:
        hint = did_you_mean(function, _FUNCTIONS)
        raise ValueError(REFUSED.format(kind=kind, function=function, name=name, hint=hint))
    op, arguments = _FUNCTIONS[function]
    described = []
    for first, given in calls:
        kwargs: dict[str, Any] = {}
        for key, value in given.items():
            if key == "name" or (key in WITHOUT_EFFECT and value in WITHOUT_EFFECT[key]):
                continue
            if key in WITHOUT_EFFECT:
                raise ValueError(
                    REFUSED.format(kind=kind, function=f"{function}({key}={value!r})", name=name, hint="")
                )
            kwargs[arguments.get(key, key)] = value
        described.append({"args": [first], "kwargs": kwargs})
    class_name = "".join(part.capitalize() for part in op.split("_"))
    return {
        "module": op_module(class_name),
        "class_name": class_name,
        "config": {"name": name},
        "registered_name": class_name,
        "name": name,
        "inbound_nodes": described,
    }


def op_module(class_name: str) -> str:
    """The module in which Keras 3 has the operation of that class name.

    Raises:
        ValueError: there is none.
    """
    name = to_snake_case(class_name)
    for module in MODULES:
        if name == "get_item" or hasattr(importlib.import_module(f"kerasish.ops.{module}"), name):
            return f"keras.src.ops.{module}"
    raise ValueError(f"There is no operation {class_name!r} in `ops`.")
