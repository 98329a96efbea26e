"""Symbolic tensors: what a functional model is drawn with, and the shapes that flow along it.

A `KerasTensor` knows its shape, dtype and the `Node` that made it. A node keeps its operation and inputs alive, a
tensor its node, while an operation refers to its nodes weakly: a dropped model is freed at once, without the
cyclic collector.
"""

from __future__ import annotations

import contextlib
import operator
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from kerasish import tree
from kerasish.dtypes import standardize_dtype, torch_dtype
from kerasish.errors import format_shape
from kerasish.naming import unique_name

# Arithmetic on symbolic tensors by the names of Keras's operations, under which graphs and files know it.
OPERATOR_NAMES: dict[Callable, str] = {
    operator.add: "add", operator.sub: "subtract", operator.mul: "multiply", operator.truediv: "true_divide",
    operator.floordiv: "floor_divide", operator.mod: "mod", operator.pow: "power", operator.matmul: "matmul",
    operator.neg: "negative", operator.abs: "absolute", operator.lt: "less", operator.le: "less_equal",
    operator.gt: "greater", operator.ge: "greater_equal", operator.ne: "not_equal", operator.and_: "logical_and",
    operator.or_: "logical_or", operator.xor: "logical_xor", operator.invert: "logical_not",
    operator.getitem: "get_item",
}  # fmt: skip
UNKNOWN_SIZES = (240, 360)  # with many divisors: unknown sizes may be split and reshaped


class History(NamedTuple):
    """Where a symbolic tensor comes from."""

    node: Node
    tensor_index: int

    @property
    def operation(self) -> Operation:
        """The layer or function that made the tensor."""
        return self.node.operation

    @property
    def node_index(self) -> int:
        """The number of the call among the operation's calls."""
        return self.node.index


class KerasTensor:
    """A tensor without values: a shape (None where unknown), a dtype and a history.

    Torch functions, arithmetic and tensor methods applied to it give symbolic tensors again.

    Args:
        shape: sizes, None for unknown ones.
        dtype: data type by name.
        name: name of the tensor.
    """

    _keras_history: History

    def __init__(
        self,
        shape: Any,
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments for KerasTensor: {sorted(kwargs)}")
        if sparse or ragged:
            raise ValueError(
                "Sparse and ragged symbolic tensors are not supported: pass dense, padded inputs."
            )
        self.shape = tuple(None if size is None else int(size) for size in shape)
        self.dtype = standardize_dtype(dtype)
        self.sparse = sparse
        self.ragged = ragged
        self.record_history = record_history
        self.name = name or unique_name("keras_tensor")

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    def dim(self) -> int:
        """The number of dimensions, by torch's name."""
        return len(self.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension, by torch's name."""
        return self.shape if dim is None else self.shape[dim]

    @classmethod
    def __torch_function__(
        cls, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        return call_symbolically(func, *args, **(kwargs or {}))

    def __getattr__(self, name: str) -> Any:
        method = None if name.startswith("_") else getattr(torch.Tensor, name, None)
        if callable(method):
            return lambda *args, **kwargs: call_symbolically(method, self, *args, **kwargs)
        if method is not None and name in ("T", "mT", "real", "imag"):
            return call_symbolically(operator.attrgetter(name), self)
        raise AttributeError(
            f"A symbolic tensor has no attribute {name!r}: it has a shape and a dtype, no values. If a torch module "
            "asks for it, make the module a layer: `layers.TorchModuleWrapper(module)(x)`."
        )

    def _refuse_values(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            "A symbolic KerasTensor has no values: it cannot become a NumPy array, a Python number or a condition. "
            "Do that in a Lambda layer or in the `call` of a layer of yours, on real tensors."
        )

    __array__ = __bool__ = __float__ = __int__ = __iter__ = _refuse_values

    def __len__(self) -> int:
        if not self.shape or self.shape[0] is None:
            raise TypeError(
                f"The first size of a symbolic tensor of shape {format_shape(self.shape)} is unknown."
            )
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        return call_symbolically(operator.getitem, self, key)

    def __repr__(self) -> str:
        return f"<KerasTensor shape={format_shape(self.shape)}, dtype={self.dtype}, name={self.name}>"


def _unary(function: Callable) -> Callable:
    return lambda self: call_symbolically(function, self)


def _binary(function: Callable) -> tuple[Callable, Callable]:
    return (
        lambda self, other: call_symbolically(function, self, other),
        lambda self, other: call_symbolically(function, other, self),
    )


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor"):
    _function = getattr(operator, f"{_name}_" if _name in ("and", "or") else _name)
    _plain, _reflected = _binary(_function)
    setattr(KerasTensor, f"__{_name}__", _plain)
    setattr(KerasTensor, f"__r{_name}__", _reflected)
for _name in ("lt", "le", "gt", "ge", "ne"):
    setattr(KerasTensor, f"__{_name}__", _binary(getattr(operator, _name))[0])
for _name in ("neg", "abs", "invert", "pos"):
    setattr(KerasTensor, f"__{_name}__", _unary(getattr(operator, _name)))


class Operation:
    """Anything that can be a node of a graph: layers, and functions of tensors."""

    name: str

    @property
    def _nodes(self) -> list[Node]:
        """The calls of this operation on symbolic tensors that are still part of a graph, in order."""
        return [node for ref in self.__dict__.get("_node_refs", ()) if (node := ref()) is not None]

    def _only_node(self, what: str) -> Node:
        nodes = self._nodes
        if not nodes:
            raise AttributeError(
                f"{self.name!r} was not called on a symbolic tensor, so it has no `{what}`: call it on `Input(shape)`."
            )
        if len(nodes) != 1:
            raise ValueError(
                f"{self.name!r} has {len(nodes)} symbolic calls, so `{what}` does not name one tensor: take the "
                "tensor that the call you mean returned."
            )
        return nodes[0]

    @property
    def input(self) -> Any:
        """The symbolic input of the only call of this operation."""
        tensors = self._only_node("input").inputs
        return tensors[0] if len(tensors) == 1 else list(tensors)

    @property
    def output(self) -> Any:
        """The symbolic output of the only call of this operation."""
        return self._only_node("output").output_structure()


class FunctionOperation(Operation):
    """A torch or Python function as a node."""

    def __init__(self, function: Callable) -> None:
        self.function = function
        name = OPERATOR_NAMES.get(function) or getattr(function, "__name__", type(function).__name__)
        self.name = unique_name(str(name).strip("_") or "function")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the calls, which belong to graphs."""
        return {"function": self.function, "name": self.name}


class Node:
    """One call of an operation on symbolic tensors.

    Args:
        operation: layer or function.
        args, kwargs: what it was called with.
        outputs: its symbolic results.
        is_listed: whether the call counts among the operation's own calls, which `layer.output` asks for.
    """

    def __init__(
        self, operation: Any, args: tuple, kwargs: dict, outputs: Any, is_listed: bool = True
    ) -> None:
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.inputs = [leaf for leaf in tree.flatten((args, kwargs)) if isinstance(leaf, KerasTensor)]
        flat = tree.flatten(outputs)
        self._outputs = [weakref.ref(tensor) for tensor in flat]
        self._template = tree.map_structure(lambda _: 0, outputs)
        refs = operation.__dict__.setdefault("_node_refs", [])
        self.index = len(refs)
        if is_listed:
            refs.append(weakref.ref(self))
        for i, tensor in enumerate(flat):
            tensor._keras_history = History(self, i)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The tensors that the call gave, as far as anybody still holds them."""
        return [tensor for ref in self._outputs if (tensor := ref()) is not None]

    def output_structure(self) -> Any:
        """The result of the call in the structure in which it was returned."""
        return tree.pack_sequence_as(self._template, [ref() for ref in self._outputs])

    @property
    def parents(self) -> list[Node]:
        """The calls that made the inputs."""
        return [tensor._keras_history.node for tensor in self.inputs]


def is_keras_tensor(x: Any) -> bool:
    """True for a symbolic tensor."""
    return isinstance(x, KerasTensor)


def any_symbolic(structure: Any) -> bool:
    """Whether any leaf of the structure is symbolic."""
    return any(isinstance(leaf, KerasTensor) for leaf in tree.flatten(structure))


def call_symbolically(function: Callable, *args: Any, **kwargs: Any) -> Any:
    """Record the call of a function on symbolic tensors and return its symbolic result.

    Raises:
        TypeError: a torch module was called as it is: a graph would not know that its weights are to be trained.
    """
    if any(type(leaf) is torch.nn.Parameter for leaf in tree.flatten((args, kwargs))):
        raise TypeError(
            "A torch module was called on a symbolic tensor (its weights reached "
            f"`{getattr(function, '__name__', function)}`). Make it a layer, so that the model trains and saves its "
            "weights: `layers.TorchModuleWrapper(module)(x)`."
        )
    outputs = infer_output(function, args, kwargs)
    Node(FunctionOperation(function), args, kwargs, outputs)
    return outputs


class ShapeInference(TorchDispatchMode):
    """Run operations on the meta device, where tensors have shapes and no values.

    Weights met on the way are replaced by meta tensors; `paused()` is for building real weights meanwhile.
    """

    active: ShapeInference | None = None

    def __init__(self) -> None:
        super().__init__()
        self.is_paused = False

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else torch wraps the method in a decorator that imports its compiler

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if self.is_paused:
            return func(*args, **kwargs)
        args, kwargs = tree.map_structure(_to_meta, (args, kwargs))
        if kwargs.get("device") is not None:
            kwargs = {**kwargs, "device": torch.device("meta")}
        if isinstance(kwargs.get("generator"), torch.Generator):
            kwargs = {**kwargs, "generator": None}
        return func(*args, **kwargs)

    def __enter__(self) -> ShapeInference:
        self._outer, ShapeInference.active = ShapeInference.active, self
        return super().__enter__()

    def __exit__(self, *exc_info: Any) -> None:
        ShapeInference.active = self._outer
        super().__exit__(*exc_info)


@contextlib.contextmanager
def real_tensors() -> Iterator[None]:
    """Context in which tensors are real again inside shape inference: weights are built in it."""
    mode = ShapeInference.active
    if mode is None or mode.is_paused:
        yield
        return
    mode.is_paused = True
    try:
        yield
    finally:
        mode.is_paused = False


def _to_meta(tensor: Any) -> Any:
    if not isinstance(tensor, torch.Tensor) or tensor.device.type == "meta":
        return tensor
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")


def _run_on_meta(function: Callable, args: tuple, kwargs: dict, unknown_size: int) -> Any:
    def materialize(leaf: Any) -> Any:
        if not isinstance(leaf, KerasTensor):
            return leaf
        sizes = [unknown_size if size is None else size for size in leaf.shape]
        kind = torch.uint8 if leaf.dtype == "string" else torch_dtype(leaf.dtype)  # torch has no strings
        return torch.empty(sizes, dtype=kind, device="meta")

    args, kwargs = tree.map_structure(materialize, (args, kwargs))
    with torch.no_grad(), ShapeInference():
        return function(*args, **kwargs)


def infer_output(function: Callable, args: tuple, kwargs: dict, name: str | None = None) -> Any:
    """Return the result of `function` as symbolic tensors, from two runs on the meta device.

    Raises:
        ValueError: the function's result depends on values, which symbolic tensors do not have.
    """
    has_unknown = any(
        None in leaf.shape for leaf in tree.flatten((args, kwargs)) if isinstance(leaf, KerasTensor)
    )
    try:
        first = _run_on_meta(function, args, kwargs, UNKNOWN_SIZES[0])
        second = _run_on_meta(function, args, kwargs, UNKNOWN_SIZES[1]) if has_unknown else first
    except NotImplementedError as error:
        raise ValueError(
            f"The output shape of {name or getattr(function, '__name__', function)!r} could not be inferred, since it "
            "depends on values (or calls NumPy). Give this layer a `compute_output_shape(input_shape)` method. "
            f"Torch says: {str(error).splitlines()[0]}"
        ) from error

    def spec(a: Any, b: Any) -> Any:
        if not isinstance(a, torch.Tensor):
            return a
        shape = [p if p == q else None for p, q in zip(a.shape, b.shape, strict=True)]
        return KerasTensor(shape, dtype=a.dtype)

    return tree.map_structure(spec, first, second)
