"""A training step recorded once and replayed: what a CUDA graph does for the GPU, for the CPU.

While one step runs as usual, every ATen operation (forward, backward, optimizer, metrics) is recorded with its
tensors. Replaying runs the same operations on the same memory: no autograd, no modules, no allocation, about a
microsecond of Python each. It is used only for steps that consist of kerasish and torch code: other Python code might
do something of its own in each step.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from kerasish import tree
from kerasish.changes import structure

LARGEST_RECORDING = 256 * 2**20  # bytes of intermediate values; larger steps gain nothing from a recording
LIBRARIES = frozenset(("kerasish", "torch", "numpy")) | sys.stdlib_module_names
ONLY_WITH_GRADIENTS = ("aten::mkldnn_rnn_layer",)  # gives other results without, as a replay runs
CONSTANTS = ("ones_like", "zeros_like", "full_like", "new_ones", "new_zeros", "new_full")
RESIZES_ITS_OUTPUT = ("mse_loss", "smooth_l1_loss", "huber_loss")
ONE_BY_ONE = tuple(f"_foreach_{name}" for name in ("add", "sub", "mul", "div", "sqrt", "neg", "reciprocal"))
CHANGES_ITS_INPUT = ("native_batch_norm",)  # the running statistics, though its schema does not say so


class NotRecordable(Exception):
    """The step did something that a recording cannot repeat: the message says what, `result` is what it returned."""

    def __init__(self, reason: str, result: Any) -> None:
        super().__init__(reason)
        self.result = result


class _Call:
    """One recorded operation."""

    def __init__(self, function: Any, args: tuple, kwargs: dict, result: Any) -> None:
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.result = result
        self.name = function._schema.name.removeprefix("aten::")
        self.reads = [_storage(x) for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
        self.outputs = [x for x in tree_leaves(result) if isinstance(x, Tensor)]
        self.makes = [s for s in map(_storage, self.outputs) if s not in self.reads]
        self.writes = self._written() if function._schema.is_mutable else []

    def _written(self) -> list[int]:
        written = []
        for i, argument in enumerate(self.function._schema.arguments):
            if argument.alias_info is not None and argument.alias_info.is_write:
                value = self.args[i] if i < len(self.args) else self.kwargs.get(argument.name)
                written += [_storage(x) for x in tree_leaves(value) if isinstance(x, Tensor)]
        return written

    @property
    def is_random(self) -> bool:
        return torch.Tag.nondeterministic_seeded in self.function.tags

    @property
    def is_check(self) -> bool:
        """Whether the operation has no result, and raises for some values."""
        return self.name == "_assert_async"

    @property
    def is_constant(self) -> bool:
        return self.name in CONSTANTS or (not self.reads and not self.is_random)


class _Idle(TorchDispatchMode):
    """A mode that changes nothing."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        return func(*args, **(kwargs or {}))


class _Recorder(TorchDispatchMode):
    """Runs operations as usual and notes them; notes in `refusal` what keeps the step from being repeated."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[_Call] = []
        self.refusal: str | None = None

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else torch wraps the method in a decorator that imports its compiler

    def __enter__(self) -> _Recorder:
        with _Idle():  # the first mode of a process imports what it needs
            self._outer_profiler: Any = sys.getprofile()
        self._collects_garbage = gc.isenabled()
        gc.disable()  # finalizers and `gc.callbacks` are foreign code, too
        sys.setprofile(self._look_for_foreign_code)
        structure.is_recording = True
        return super().__enter__()

    def __exit__(self, *exc_info: Any) -> None:
        super().__exit__(*exc_info)
        structure.is_recording = False
        if hasattr(self._outer_profiler, "enable"):  # cProfile's, which is no Python function
            sys.setprofile(None)
            self._outer_profiler.enable()
        else:
            sys.setprofile(self._outer_profiler)
        if self._collects_garbage:
            gc.enable()

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if torch.Tag.data_dependent_output in func.tags or torch.Tag.dynamic_output_shape in func.tags:
            self._refuse(f"{func} depends on values")
        needs_gradients = func._schema.name in ONLY_WITH_GRADIENTS and torch.is_grad_enabled()
        if torch.Tag.inplace_view in func.tags or needs_gradients:
            self._refuse(f"{func} leaves its result in a form that a second run would not find")
        if self.refusal is None:
            self.calls.append(_Call(func, args, kwargs or {}, result))
        return result

    def _look_for_foreign_code(self, frame: Any, event: str, argument: Any) -> None:
        if event == "call" and self.refusal is None:
            module = frame.f_globals.get("__name__") or ""
            is_library = module.partition(".")[0] in LIBRARIES or module.startswith("namedtuple_")
            if not is_library:
                self._refuse(f"{frame.f_code.co_name} of {module} is not library code")

    def _refuse(self, reason: str) -> None:
        self.refusal = reason
        self.calls.clear()


def copy_of_tensors(structure: Any) -> Any:
    """The same structure with copies of the tensors."""
    return tree.map_structure(lambda x: x.clone() if isinstance(x, Tensor) else x, structure)


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


class Recording:
    """A recorded step: `replay` repeats it on other values of the same shapes.

    Args:
        step: the step, called once with `batch`.
        batch: nested tuple of tensors.

    Raises:
        NotRecordable: the step runs foreign code, depends on values, or is too large. It ran as usual then.
    """

    def __init__(self, step: Callable[[Any], Any], batch: Any) -> None:
        static = copy_of_tensors(batch)
        self.inputs = [leaf for leaf in tree_leaves(static) if isinstance(leaf, Tensor)]
        with _Recorder() as recorder:
            self.result = step(static)
        if recorder.refusal is not None:
            raise NotRecordable(recorder.refusal, self.result)
        self.written = {storage for call in recorder.calls for storage in call.writes}
        self.written -= {storage for call in recorder.calls for storage in call.makes}
        with torch.no_grad():
            self.program, self.nbytes = _program(recorder.calls, self.result)

    def replay(self, tensors: list[Tensor]) -> Any:
        """Run the step on a batch's tensors and return what the step returned when it was recorded."""
        with torch.no_grad():
            for static, value in zip(self.inputs, tensors, strict=True):
                static.copy_(value)
            for function, args, kwargs in self.program:
                function(*args, **kwargs)
        return self.result


def _program(calls: list[_Call], result: Any) -> tuple[list[tuple[Callable, tuple, dict]], int]:
    """Turn the recorded calls into calls that write their results where the recorded results lie, in so many bytes."""
    made = {storage for call in calls for storage in call.makes}
    written = {storage for call in calls for storage in call.writes}
    needed = {_storage(x) for x in tree_leaves(result) if isinstance(x, Tensor)}
    kept: list[_Call] = []
    for call in reversed(calls):
        changes_state = any(storage not in made for storage in call.writes)
        if (
            changes_state
            or call.is_check
            or needed.intersection(call.makes)
            or needed.intersection(call.writes)
        ):
            needed.update(call.reads)
            kept.append(call)
    kept.reverse()
    size = sum(
        x.untyped_storage().nbytes() for call in kept for x in call.outputs if _storage(x) in call.makes
    )
    if size > LARGEST_RECORDING:
        raise NotRecordable(f"it needs {size >> 20} MiB for intermediate values", result)
    running = [call for call in kept if call.writes or call.is_check or not _is_fixed(call, written)]
    return [instruction for call in running for instruction in _instructions(call)], size


def _is_fixed(call: _Call, written: set[int]) -> bool:
    """Whether the recorded result stays valid: views of fixed memory, constants, uninitialised memory."""
    if not call.makes or "empty" in call.name:
        return True
    return call.is_constant and not written.intersection(call.makes)


def _instructions(call: _Call) -> list[tuple[Callable, tuple, dict]]:
    args, kwargs = tree.map_structure(_without_graph, (call.args, call.kwargs))
    if call.writes or call.is_check:
        return [(_direct(call.function), args, kwargs)]
    outputs = [_without_graph(x) for x in call.outputs]
    if call.name in ONE_BY_ONE:
        function = getattr(torch, call.name.removeprefix("_foreach_"))
        return [
            (
                function,
                tuple(x[i] if isinstance(x, (list, tuple)) else x for x in args),
                {**kwargs, "out": output},
            )
            for i, output in enumerate(outputs)
        ]
    if call.name == "relu":  # which torch computes so, and then copies where an output is given
        return [(torch.clamp_min, (*args, 0), {"out": outputs[0]})]
    return [_instruction(call, args, kwargs, outputs)]


def _instruction(
    call: _Call, args: tuple, kwargs: dict, outputs: list[Tensor]
) -> tuple[Callable, tuple, dict]:
    runs_as_it_is = call.is_random or call.name in RESIZES_ITS_OUTPUT + CHANGES_ITS_INPUT
    variant = None if runs_as_it_is else _out_variant(call)
    if variant is None:
        return _compute_and_copy, (call.function, args, kwargs, outputs), {}
    function, names = variant
    places = [(x.data_ptr(), x.shape, x.stride(), x.untyped_storage().nbytes()) for x in outputs]
    with_outputs = {**kwargs, **dict(zip(names, outputs, strict=True))}
    fast = getattr(torch, call.name, None) if names == ["out"] else None
    for candidate in (fast, function):
        if candidate is None:
            continue
        try:
            candidate(*args, **with_outputs)
        except (TypeError, RuntimeError, NotImplementedError):
            continue
        if places == [(x.data_ptr(), x.shape, x.stride(), x.untyped_storage().nbytes()) for x in outputs]:
            return _direct(candidate), args, with_outputs
    return _compute_and_copy, (call.function, args, kwargs, outputs), {}


def _direct(function: Any) -> Any:
    """The C function behind an operator overload, called without the overload's Python frame."""
    return getattr(function, "_op", function)


def _without_graph(x: Any) -> Any:
    """The memory alone, without the autograd graph or, of a weight, the object that another memory may be given to."""
    return torch.Tensor.detach(x) if isinstance(x, Tensor) else x


def _out_variant(call: _Call) -> tuple[Any, list[str]] | None:
    """The overload of the operation that takes the tensors to write to, and their names."""
    schema = call.function._schema
    wanted = [(argument.name, str(argument.type)) for argument in schema.arguments]
    packet = call.function.overloadpacket
    for overload in packet.overloads():
        candidate = getattr(packet, overload)
        arguments = candidate._schema.arguments
        names = [argument.name for argument in arguments if argument.is_out]
        inputs = [(argument.name, str(argument.type)) for argument in arguments if not argument.is_out]
        if names and inputs == wanted and len(names) == len(call.outputs):
            return candidate, names
    return None


def _compute_and_copy(function: Callable, args: tuple, kwargs: dict, outputs: list[Tensor]) -> None:
    results = [x for x in tree_leaves(function(*args, **kwargs)) if isinstance(x, Tensor)]
    for output, result in zip(outputs, results, strict=True):
        output.copy_(result)
