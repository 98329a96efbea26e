"""What a layer without a counterpart in torch computes, recorded as the torch functions that it calls."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode, resolve_name

from kerasish import tree
from kerasish.dtypes import torch_dtype
from kerasish.port.pytorch.formatting import identifier, wrapped
from kerasish.port.pytorch.source import PLAIN, Body, Lines, Refusal, Value
from kerasish.port.pytorch.spelling import FUNCTIONS, INFIX, METHODS, infix, method_text
from kerasish.symbolic import ShapeInference

BATCHES = (83, 89)
UNKNOWN = (97, 102)  # odd and even, as padding may depend on that
SHORT = 3  # statements that stand in `forward` itself
NO_VALUES = {"item", "tolist", "numpy", "__bool__", "__float__", "__int__", "__index__", "__array__", "equal",
             "allclose", "is_nonzero", "__iter__", "__contains__"}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Ref:
    """A tensor by its number."""

    number: int


class Call(NamedTuple):
    """One call of a torch function."""

    function: Callable
    args: tuple
    kwargs: dict[str, Any]
    results: Any


class Recorder(TorchFunctionMode):
    """Writes down the torch functions called."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.tensors: list[Tensor] = []
        self.numbers: dict[int, int] = {}
        self.constants: dict[int, Tensor] = {}

    def number(self, tensor: Tensor) -> int:
        """The number of a tensor, a new one for a new tensor."""
        if id(tensor) not in self.numbers:
            self.numbers[id(tensor)] = len(self.tensors)
            self.tensors.append(tensor)
        return self.numbers[id(tensor)]

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in NO_VALUES and METHODS.get(id(func), name) == name:
            raise Refusal(f"it looks at values of tensors (`{name}`), which one fixed program cannot do")
        known = len(self.tensors)
        arguments = self._refs((args, kwargs))
        result = func(*args, **kwargs)
        leaves = tree.flatten(result)
        if not any(isinstance(leaf, Tensor) for leaf in leaves) and name != "__setitem__":
            return result
        for number in range(known, len(self.tensors)):
            self.constants[number] = self.tensors[number]
        is_in_place = name == "__setitem__" or (isinstance(result, Tensor) and id(result) in self.numbers)
        results = None if is_in_place else self._refs(result)
        if is_in_place and name != "__setitem__" and not (name.endswith("_") and not name.endswith("__")):
            return result  # it gave back its argument
        self.calls.append(Call(func, arguments[0], arguments[1], results))
        return result

    def _refs(self, structure: Any) -> Any:
        def ref(leaf: Any) -> Any:
            return Ref(self.number(leaf)) if isinstance(leaf, Tensor) else leaf

        return _map(ref, structure)


def _map(function: Callable, value: Any) -> Any:
    if isinstance(value, slice):
        return slice(_map(function, value.start), _map(function, value.stop), _map(function, value.step))
    if isinstance(value, (list, tuple, torch.Size)):
        items = [_map(function, item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, dict):
        return {key: _map(function, item) for key, item in value.items()}
    return function(value)


def record(
    body: Body, name: str, function: Callable, arguments: Any, owner: Any = None, inline: bool = True
) -> Any:
    """Write what `function` computes from values; return its results as values.

    Args:
        name: for the function that is written, and for errors.
        function: called as `function(*args, **kwargs)`.
        arguments: `(args, kwargs)` with values in place of tensors.
        owner: layer whose weights it uses.
        inline: False always writes a function; then its name and what it is called with are returned.
    """
    values: list[Value] = []
    for leaf in tree.flatten(arguments):
        if isinstance(leaf, Value):
            values += [x for x in (leaf, leaf.mask) if x is not None and x not in values]
    try:
        runs = [_run(function, arguments, values, i) for i in (0, 1)]
    except (Refusal, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        raise Refusal(f"{name!r} cannot be written as PyTorch code: {str(error).splitlines()[0]}") from error
    (first, outputs, masks), (second, others, _) = runs
    if [call.function for call in first.calls] != [call.function for call in second.calls]:
        raise Refusal(f"{name!r} calls different functions for different sizes, so it has no fixed program")
    return _Writer(body, name, first, second, values, owner).write(outputs, others, masks, inline)


def _run(function: Callable, arguments: Any, values: list[Value], which: int) -> tuple[Recorder, Any, Any]:
    recorder = Recorder()
    tensors = {}
    for value in values:
        sizes = [
            (BATCHES if axis == 0 else (UNKNOWN[0] + 2 * axis, UNKNOWN[1] + 4 * axis))[which]
            if size is None
            else size
            for axis, size in enumerate(value.shape)
        ]
        tensors[id(value)] = torch.empty(sizes, dtype=torch_dtype(value.dtype), device="meta")
        recorder.number(tensors[id(value)])
    for value in values:
        if value.mask is not None:
            tensors[id(value)]._keras_mask = tensors[id(value.mask)]  # type: ignore[attr-defined]

    def given(leaf: Any) -> Any:
        return tensors[id(leaf)] if isinstance(leaf, Value) else leaf

    args, kwargs = tree.map_structure(given, arguments)
    with torch.no_grad(), ShapeInference(), recorder:
        result = function(*args, **kwargs)
    masks = [getattr(leaf, "_keras_mask", None) for leaf in tree.flatten(result)]
    return recorder, result, masks


class _Writer:
    """Turns two runs with different sizes into statements."""

    def __init__(
        self, body: Body, name: str, first: Recorder, second: Recorder, values: list[Value], owner: Any
    ) -> None:
        self.body = body
        self.name = name
        self.first, self.second = first, second
        self.values = values
        self.weights = dict(_named_weights(owner)) if owner is not None else {}
        self.owned = [] if owner is None else [*owner.parameters(), *owner.buffers()]
        self.lines: Lines = body
        self.names: dict[int, str] = {}
        self.parameters: list[tuple[str, str]] = []

    def write(self, outputs: Any, others: Any, masks: list[Any], inline: bool) -> Any:
        """Write the statements; return the values."""
        is_inline = inline and len(self.first.calls) <= SHORT
        used = self._used(outputs, masks)
        if not is_inline:
            self.lines = Lines()
        inputs: dict[str, str] = {}
        call = []
        for number, value in enumerate(self.values):
            if number not in used and inline:
                continue
            if is_inline:
                self.names[number] = self.body.get(value)
                continue
            token = self.lines.token()
            inputs[token] = self._argument(len(inputs), value, inline)
            self.names[number] = token
            call.append(self.body.get(value) if inline else "")
        known = {id(tensor) for tensor in self.first.constants.values()}
        for tensor in self.owned:
            if id(tensor) in known:
                self.body.parameter(tensor, f"{self.name.removesuffix('_step')}_{self.weights[id(tensor)]}")
        for one, other in zip(self.first.calls, self.second.calls, strict=True):
            self._statement(one, other)
        leaves = [leaf for leaf in tree.flatten(outputs) if isinstance(leaf, Tensor)]
        sizes = [leaf for leaf in tree.flatten(others) if isinstance(leaf, Tensor)]
        passed = {id(self.first.tensors[i]): value for i, value in enumerate(self.values)}
        found = [leaf for leaf in (*leaves, *masks) if isinstance(leaf, Tensor) and id(leaf) not in passed]
        results = [self._tensor(self.first.number(leaf)) for leaf in found]
        order = list(self.body.attributes.values())
        by_use = {f"self.{name}": order.index(name) for name in order}
        self.parameters.sort(key=lambda pair: by_use[pair[1]])
        if not is_inline:
            text_of = ", ".join(results)
            names = {**inputs, **{token: name for name, token in self.parameters_of()}}
            arguments = ", ".join(names.values())
            taken = list(names.values())

            def make(name: str) -> str:
                lines = [f"def {name}({arguments}):"] + [
                    f"    {x}" for x in self.lines.text(names, text_of, taken)
                ]
                return "\n".join(map(wrapped, lines))

            function = self.body.file.function(self.name, make)
            weights = [attribute for _, attribute in self.parameters]
            if not inline:
                return function, weights
            expression = f"{function}({', '.join([*call, *weights])})"
            if len(found) == 1:
                results = [self.body.set(expression)]
            elif found:
                results = self.body.unpack(expression, len(found))
        made = {id(leaf): token for leaf, token in zip(found, results, strict=True)}
        pairs = iter(zip(leaves, sizes, masks, strict=True))

        def result_of(leaf: Any) -> Any:
            if not isinstance(leaf, Tensor):
                return leaf
            one, other, mask = next(pairs)
            if id(one) in passed:
                old = passed[id(one)]
                new = Value(old.shape, old.dtype, old.forms, old.mask)
                new.image, new.order, new.logits = old.image, old.order, old.logits
            else:
                new = _value(one, other, made[id(one)])
            if mask is not None:
                shape = new.shape[: mask.dim()]
                new.mask = passed.get(id(mask)) or Value(shape, "bool", {PLAIN: made[id(mask)]})
            return new

        return tree.map_structure(result_of, outputs)

    def _argument(self, position: int, value: Value, inline: bool) -> str:
        """How a function calls its input at this position."""
        if value.dtype == "bool":
            return "mask" if position == 1 else f"mask{position}"
        names = ("x", "y", "z") if inline else ("x", "h", "c")
        return names[position] if position < len(names) else f"{names[1]}{position}"

    def parameters_of(self) -> list[tuple[str, str]]:
        """Name in the function and token of each weight."""
        taken: dict[str, int] = {}
        result = []
        for token, attribute in self.parameters:
            short = attribute.removeprefix("self.")
            own = identifier(self.name.removesuffix("_step")) + "_"
            short = short.removeprefix(own)
            taken[short] = taken.get(short, 0) + 1
            result.append((short if taken[short] == 1 else f"{short}_{taken[short]}", token))
        return result

    def _used(self, outputs: Any, masks: list[Any]) -> set[int]:
        used = {
            ref.number
            for call in self.first.calls
            for ref in _leaves((call.args, call.kwargs))
            if isinstance(ref, Ref)
        }
        return used | {
            self.first.number(leaf) for leaf in (*tree.flatten(outputs), *masks) if isinstance(leaf, Tensor)
        }

    def _tensor(self, number: int) -> str:
        if number not in self.names:
            tensor = self.first.tensors[number]
            name = self.weights.get(id(tensor), "constant")
            if tensor.device.type == "meta":
                raise Refusal(f"{self.name!r} uses a tensor whose origin is not known")
            attribute = self.body.parameter(tensor, f"{self.name.removesuffix('_step')}_{name}")
            if self.lines is self.body:
                self.names[number] = attribute
            else:
                token = self.lines.token()
                self.parameters.append((token, attribute))
                self.names[number] = token
        return self.names[number]

    def _statement(self, one: Call, other: Call) -> None:
        expression = self._expression(one, other)
        if one.results is None:
            self.lines.do(expression)
            return
        if isinstance(one.results, Ref):
            self.names[one.results.number] = self.lines.set(expression)
            return
        refs = list(one.results)
        if len(refs) <= 4 and all(isinstance(ref, Ref) for ref in refs):
            tokens = self.lines.unpack(expression, len(refs))
        else:
            whole = self.lines.set(expression)
            tokens = [f"{whole}[{i}]" for i in range(len(refs))]
        for ref, token in zip(refs, tokens, strict=True):
            if isinstance(ref, Ref):
                self.names[ref.number] = token

    def _expression(self, one: Call, other: Call) -> str:
        function: Any = one.function
        args = [self._text(a, b) for a, b in zip(one.args, other.args, strict=True)]
        kwargs = [
            f"{k}={self._text(v, other.kwargs[k])}" for k, v in one.kwargs.items() if (k, v) != ("out", None)
        ]
        name = getattr(function, "__name__", "")
        if name == "__get__":
            return f"{args[0]}.{function.__self__.__name__}"
        if id(function) in METHODS:
            name = METHODS[id(function)]
            return method_text(name, args, kwargs)
        prefix = FUNCTIONS.get(id(function)) or resolve_name(function)
        if prefix is None:
            raise Refusal(f"{self.name!r} uses {function!r}, which has no public name in torch")
        prefix = prefix.replace("torch.nn.functional.", "F.").replace("torch._C._nn.", "F.")
        plain = prefix.removeprefix("torch.")
        if plain in INFIX and len(args) == 2 and not kwargs:
            return infix(INFIX[plain], *args)
        return f"{prefix}({', '.join([*args, *kwargs])})"

    def _text(self, a: Any, b: Any) -> str:
        """The argument of a call, from those of two runs."""
        if isinstance(a, Ref):
            return self._tensor(a.number)
        if isinstance(a, slice):
            parts = [
                "" if x is None else self._text(x, y)
                for x, y in ((a.start, b.start), (a.stop, b.stop), (a.step, b.step))
            ]
            return ":".join(parts if a.step is not None else parts[:2])
        if isinstance(a, tuple):
            items = [self._text(x, y) for x, y in zip(a, b, strict=True)]
            if any(isinstance(x, slice) for x in a):
                return ", ".join(items)
            return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
        if isinstance(a, list):
            return f"[{', '.join(self._text(x, y) for x, y in zip(a, b, strict=True))}]"
        if isinstance(a, torch.device):
            if not self.values:
                return "None"
            number = next((i for i in range(len(self.values)) if i in self.names), None)
            return f"{self.names[number]}.device" if number is not None else "None"
        if isinstance(a, torch.dtype) or a is None or a is Ellipsis:
            return "..." if a is Ellipsis else str(a)
        if isinstance(a, np.ndarray):
            raise Refusal(f"{self.name!r} makes a tensor of a NumPy array in its call; make it in `build`")
        if isinstance(a, (np.integer, np.floating, np.bool_)):
            a, b = a.item(), b.item()
        if isinstance(a, float):
            if a != b and not (math.isnan(a) and math.isnan(b)):
                raise Refusal(f"{self.name!r} uses a number that depends on the size of its input")
            return repr(a) if math.isfinite(a) else f'float("{a}")'
        if isinstance(a, int) and not isinstance(a, bool) and a != b:
            return self._size(a, b)
        if isinstance(a, (bool, int, str)):
            return repr(a).replace("'", '"') if isinstance(a, str) else repr(a)
        if isinstance(a, torch.memory_format):
            return str(a)
        raise Refusal(f"{self.name!r} uses {type(a).__name__} {a!r}, which has no text")

    def _size(self, a: int, b: int) -> str:
        """An expression of the inputs' sizes which is `a` in the first run and `b` in the second."""
        sizes = [
            (f"{self.names[i]}.shape[{axis}]", p, q)
            for i in range(len(self.values))
            if i in self.names
            for axis, (p, q) in enumerate(
                zip(self.first.tensors[i].shape, self.second.tensors[i].shape, strict=True)
            )
            if p != q
        ]
        for text, p, q in sizes:
            if (a, b) == (p, q):
                return text
        for text, p, q in sizes:
            if a * q == b * p and a % p == 0:
                return f"{text} * {a // p}"
            if a - p == b - q:
                return f"{text} {'+' if a > p else '-'} {abs(a - p)}"
            if (a, b) == (-p, -q):
                return f"-{text}"
        for i, (one, p, q) in enumerate(sizes):
            for other, r, s in sizes[i + 1 :]:
                if p * r and a * q * s == b * p * r and a % (p * r) == 0:
                    factor = a // (p * r)
                    return f"{one} * {other}" + (f" * {factor}" if factor != 1 else "")
        raise Refusal(f"{self.name!r} uses a size that does not follow simply from those of its input")


def _value(one: Tensor, other: Tensor, token: str) -> Value:
    shape = [p if p == q else None for p, q in zip(one.shape, other.shape, strict=True)]
    return Value(shape, str(one.dtype).removeprefix("torch."), {PLAIN: token})


def _leaves(structure: Any) -> list[Any]:
    found: list[Any] = []
    _map(found.append, structure)
    return found


def _named_weights(owner: Any) -> list[tuple[int, str]]:
    named = [*owner.named_parameters(), *owner.named_buffers()]
    return [(id(tensor), name.replace(".", "_").lstrip("_")) for name, tensor in named]
