"""Control flow, and what gradients do: loops, branches, maps and scans in eager Python."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from kerasish import tree
from kerasish.dtypes import standardize_dtype
from kerasish.errors import format_shape
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.operands import canonical_axis
from kerasish.ops.operation import operation


def _require_callable(op: str, name: str, function: Any) -> None:
    if not callable(function):
        raise TypeError(f"{op}: `{name}` must be callable. Received: {function!r}")


def _has_no_value(*values: Any) -> bool:
    """Whether a condition or number is only a shape: symbolic tensors are run on the meta device."""
    return any(isinstance(value, Tensor) and value.is_meta for value in values)


@operation
def cond(pred: Any, true_fn: Callable, false_fn: Callable) -> Any:
    """`true_fn()` if `pred` holds, else `false_fn()`. Symbolically, both must return the same shapes and dtypes.

    Example:
        >>> cond(torch.tensor(2) > 1, lambda: "larger", lambda: "smaller")
        'larger'
    """
    _require_callable("cond", "true_fn", true_fn)
    _require_callable("cond", "false_fn", false_fn)
    if not _has_no_value(pred):
        return true_fn() if pred else false_fn()
    outcomes = true_fn(), false_fn()
    specs = [tree.map_structure(_spec, outcome) for outcome in outcomes]
    if specs[0] != specs[1]:
        raise ValueError(
            "cond: `true_fn` and `false_fn` must return the same structure, shapes and dtypes. "
            f"Received: {specs[0]} and {specs[1]}"
        )
    return outcomes[0]


def _spec(x: Any) -> Any:
    return (tuple(x.shape), standardize_dtype(x.dtype)) if hasattr(x, "shape") else type(x)


@operation
def switch(index: Any, branches: Sequence[Callable], *operands: Any) -> Any:
    """`branches[index](*operands)`; an index out of range counts as the nearest one."""
    if not branches:
        raise ValueError("switch: `branches` must hold at least one function. Received: none")
    for branch in branches:
        _require_callable("switch", "branches", branch)
    i = 0 if _has_no_value(index) else min(max(int(index), 0), len(branches) - 1)
    return branches[i](*operands)


@operation
def while_loop(cond: Callable, body: Callable, loop_vars: Any, maximum_iterations: int | None = None) -> Any:
    """While `cond(*loop_vars)` holds, replace them by `body(*loop_vars)`; at most `maximum_iterations` times.

    Args:
        loop_vars: a tuple or list of tensors or structures of them, or one of these.

    Example:
        >>> int(while_loop(lambda i: i < 5, lambda i: i + 2, 0))
        6
    """
    _require_callable("while_loop", "cond", cond)
    _require_callable("while_loop", "body", body)
    is_sequence = isinstance(loop_vars, (tuple, list))
    values = tuple(loop_vars) if is_sequence else (loop_vars,)
    values = tree.map_structure(convert_to_tensor, values)
    iteration = 0
    while not _has_no_value(*tree.flatten(values)) and cond(*values):
        if maximum_iterations is not None and iteration >= maximum_iterations:
            break
        result = body(*values)
        values = tuple(result) if isinstance(result, (tuple, list)) else (result,)
        iteration += 1
    return values if is_sequence else values[0]


@operation
def fori_loop(lower: Any, upper: Any, body_fun: Callable, init_val: Any) -> Any:
    """Replace a value by `body_fun(i, value)` for i = lower, …, upper − 1, starting from `init_val`.

    Example:
        >>> fori_loop(0, 4, lambda i, total: total + i, 10)
        16
    """
    _require_callable("fori_loop", "body_fun", body_fun)
    value = init_val
    if _has_no_value(lower, upper):
        return value
    for i in range(int(lower), int(upper)):
        value = body_fun(i, value)
    return value


@operation
def map(f: Callable, xs: Any) -> Any:
    """`f` of every slice of `xs` along the first axis, stacked.

    Args:
        xs: a tensor, or a structure of tensors with the same first size; so is what `f` returns.
    """
    _require_callable("map", "f", f)
    return _stack([f(item) for item in _slices("map", xs)], f, xs)


def _slices(op: str, xs: Any, axis: int = 0) -> list:
    """The slices of a structure of tensors along an axis, each in the same structure."""
    leaves = [tensor.unbind(axis) for tensor in tree.flatten(xs)]
    if len({len(slices) for slices in leaves}) != 1:
        raise ValueError(
            f"{op}: all tensors must have the same size along axis {axis}. "
            f"Received: sizes {[len(slices) for slices in leaves]}"
        )
    return [tree.pack_sequence_as(xs, row) for row in zip(*leaves, strict=True)]


def _stack(results: list, f: Callable, xs: Any) -> Any:
    if results:
        return tree.map_structure(lambda *items: torch.stack([convert_to_tensor(x) for x in items]), *results)
    example = f(tree.map_structure(lambda x: x.new_zeros(x.shape[1:]), xs))
    return tree.map_structure(lambda x: x.new_zeros((0, *x.shape)), example)


@operation
def vectorized_map(function: Callable, elements: Any) -> Any:
    """As `map`, in one batched run of `function` instead of one run per slice."""
    _require_callable("vectorized_map", "function", function)
    return torch.func.vmap(function)(_tensors(elements))


def _tensors(structure: Any) -> Any:
    """A structure of tensors from one of tensors and arrays."""
    return tree.map_structure(convert_to_tensor, structure)


@operation
def scan(
    f: Callable, init: Any, xs: Any = None, length: int | None = None, reverse: bool = False, unroll: Any = 1
) -> Any:
    """Run `carry, y = f(carry, x)` over the slices of `xs` along the first axis; return the last carry and all ys.

    Args:
        init: the first carry.
        xs: a structure of tensors with the same first size, or None for `length` runs with x = None.
        reverse: whether to start with the last slice; the ys stay in the order of the slices.
        unroll: an integer of at least 1, or a bool; every loop is unrolled on torch.

    Example:
        >>> total, sums = scan(lambda total, x: (total + x, total + x), 0, torch.tensor([1, 2, 3]))
        >>> int(total), sums.tolist()
        (6, [1, 3, 6])
    """
    _require_callable("scan", "f", f)
    if not isinstance(unroll, int) or (not isinstance(unroll, bool) and unroll < 1):
        raise ValueError(
            f"scan: `unroll` must be an integer of at least 1, or a bool. Received: unroll={unroll!r}"
        )
    if xs is None and length is None:
        raise ValueError("scan: give `xs` to scan over, or `length`. Received: neither")
    items = [None] * int(length or 0) if xs is None else _slices("scan", _tensors(xs))
    if xs is not None and length is not None:
        items = items[: int(length)]
    carry, results = _tensors(init), []
    for item in reversed(items) if reverse else items:
        carry, y = f(carry, item)
        results.append(y)
    if not results:
        return carry, None if xs is None else _stack([], lambda x: f(carry, x)[1], _tensors(xs))
    results = results[::-1] if reverse else results
    return carry, None if results[0] is None else _stack(results, f, xs)


@operation
def associative_scan(f: Callable, elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """All partial results of an associative operation along an axis, in O(log n) batched calls of it.

    Args:
        f: function of two equal structures of tensors, whose slices along `axis` it combines one by one.
        elems: a tensor, or a structure of tensors with the same size along `axis`.
        reverse: whether to combine from the end.

    Example:
        >>> associative_scan(lambda a, b: a + b, torch.tensor([1, 2, 3, 4])).tolist()
        [1, 3, 6, 10]

    Source: Blelloch, 1990, *Prefix sums and their applications*.
    """
    _require_callable("associative_scan", "f", f)
    leaves = [convert_to_tensor(x) for x in tree.flatten(elems)]
    axis = canonical_axis(axis, builtins.min(x.ndim for x in leaves))
    if len({x.shape[axis] for x in leaves}) != 1:
        raise ValueError(
            f"associative_scan: all tensors must have the same size along axis {axis}. "
            f"Received: {[format_shape(x.shape) for x in leaves]}"
        )

    def combine(a: list[Tensor], b: list[Tensor]) -> list[Tensor]:
        return tree.flatten(f(tree.pack_sequence_as(elems, a), tree.pack_sequence_as(elems, b)))

    leaves = [x.flip(axis) for x in leaves] if reverse else leaves
    result = _partial_results(combine, leaves, axis)
    return tree.pack_sequence_as(elems, [x.flip(axis) for x in result] if reverse else result)


def _partial_results(combine: Callable, elems: list[Tensor], axis: int) -> list[Tensor]:
    """Combine neighbours, solve the half-sized problem for the odd places, then fill in the even ones."""
    size = elems[0].shape[axis]
    if size < 2:
        return elems

    def part(x: Tensor, start: int, stop: int, step: int) -> Tensor:
        index: list[Any] = [builtins.slice(None)] * x.ndim
        index[axis] = builtins.slice(start, stop, step)
        return x[tuple(index)]

    pairs = combine([part(x, 0, size - 1, 2) for x in elems], [part(x, 1, size, 2) for x in elems])
    odd = _partial_results(combine, pairs, axis)
    before_even = [part(x, 0, (size - 1) // 2, 1) for x in odd]
    even_rest = [part(x, 2, size, 2) for x in elems]
    rest = combine(before_even, even_rest) if size > 2 else even_rest
    even = [torch.cat([part(x, 0, 1, 1), y], axis) for x, y in zip(elems, rest, strict=True)]
    return [_interleave(e, o, axis) for e, o in zip(even, odd, strict=True)]


def _interleave(even: Tensor, odd: Tensor, axis: int) -> Tensor:
    together = odd.shape[axis]
    paired = torch.stack([even.narrow(axis, 0, together), odd], axis + 1).flatten(axis, axis + 1)
    extra = even.shape[axis] - together
    return torch.cat([paired, even.narrow(axis, together, extra)], axis) if extra else paired


def custom_gradient(f: Callable) -> Callable:
    """Let a function that returns `(result, grad)` be differentiated by `grad(*args, upstream=…)`.

    Args:
        f: function of tensors. Its `grad` gets the gradient of the result, `upstream`, and returns those of the
            arguments.

    Example:
        >>> @custom_gradient
        ... def log1pexp(x):
        ...     e = torch.exp(x)
        ...     return torch.log(1 + e), lambda *args, upstream: upstream * (1 - 1 / (1 + e))
        >>> x = torch.tensor(100.0, requires_grad=True)
        >>> log1pexp(x).backward()
        >>> x.grad
        tensor(1.)
    """
    _require_callable("custom_gradient", "f", f)

    class CustomGradient(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *args: Any) -> Any:
            result, ctx.grad_fn_of_user = f(*args)
            ctx.arguments = args
            return result

        @staticmethod
        def backward(ctx: Any, *upstream: Any) -> Any:
            return ctx.grad_fn_of_user(
                *ctx.arguments, upstream=upstream[0] if len(upstream) == 1 else upstream
            )

    @operation
    def differentiable(*args: Any) -> Any:
        return CustomGradient.apply(*args)

    return differentiable


@operation
def stop_gradient(variable: Any) -> Any:
    """The same values, through which no gradient flows."""
    return convert_to_tensor(variable).detach()
