"""Nested structures of lists, tuples, named tuples and dictionaries, as Keras's `keras.tree`."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable
from typing import Any

from torch.utils import _pytree as pytree


class MAP_TO_NONE:
    """What a function given to `traverse` returns to put None in the place of a node."""


def is_nested(structure: Any) -> bool:
    """True for a list, tuple, named tuple or dictionary."""
    return isinstance(structure, (list, tuple, dict))


def _keys(structure: dict) -> list:
    try:
        return sorted(structure)
    except TypeError:
        return list(structure)


def _children(structure: Any) -> list[tuple[Any, Any]]:
    if isinstance(structure, dict):
        return [(key, structure[key]) for key in _keys(structure)]
    return list(enumerate(structure))


def _rebuild(structure: Any, values: list) -> Any:
    """Put `values`, in the order of `_children`, into a container like `structure`."""
    if isinstance(structure, dict):
        by_key = dict(zip(_keys(structure), values, strict=True))
        ordered = {key: by_key[key] for key in structure}
        if type(structure) is dict:
            return ordered
        container: Any = type(structure)
        if isinstance(structure, collections.defaultdict):
            return container(structure.default_factory, ordered)
        return container(ordered)
    if hasattr(structure, "_fields"):
        return type(structure)(*values)
    kind = (
        type(structure)
        if type(structure) in (list, tuple)
        else (tuple if isinstance(structure, tuple) else list)
    )
    return kind(values)


def flatten_with_path(structure: Any) -> list[tuple[tuple, Any]]:
    """List the leaves with their paths; dictionaries are walked in the order of their sorted keys."""
    if not is_nested(structure):
        return [((), structure)]
    return [
        ((key, *path), leaf) for key, child in _children(structure) for path, leaf in flatten_with_path(child)
    ]


def flatten(structure: Any) -> list:
    """List the leaves; dictionaries are walked in the order of their sorted keys."""
    if not is_nested(structure):
        return [structure]
    return [leaf for _, child in _children(structure) for leaf in flatten(child)]


def map_structure(func: Callable, *structures: Any, none_is_leaf: bool = True) -> Any:
    """Apply `func` to the corresponding leaves of equal structures and keep the structure."""
    if not callable(func):
        raise TypeError(f"`func` must be callable. Received: {func!r}")
    if not structures:
        raise ValueError("map_structure needs at least one structure.")
    for other in structures[1:]:
        assert_same_structure(structures[0], other)
    return _map(func, structures, none_is_leaf)


def _map(func: Callable, structures: tuple, none_is_leaf: bool) -> Any:
    first = structures[0]
    if not is_nested(first):
        if first is None and not none_is_leaf:
            return None
        return func(*structures)
    columns = [[child for _, child in _children(s)] for s in structures]
    return _rebuild(first, [_map(func, row, none_is_leaf) for row in zip(*columns, strict=True)])


def map_structure_up_to(shallow_structure: Any, func: Callable, *structures: Any) -> Any:
    """As `map_structure`, descending only as deep as `shallow_structure` goes."""
    if not is_nested(shallow_structure):
        return func(*structures)
    for other in structures:
        _assert_shallow(shallow_structure, other)
    columns = [[child for _, child in _children(s)] for s in structures]
    shallow = [child for _, child in _children(shallow_structure)]
    rows = zip(shallow, *columns, strict=True)
    return _rebuild(shallow_structure, [map_structure_up_to(row[0], func, *row[1:]) for row in rows])


def _assert_shallow(shallow: Any, other: Any) -> None:
    if not is_nested(other):
        raise ValueError(f"Structures differ: expected a {type(shallow).__name__}. Received: {other!r}")
    if [key for key, _ in _children(shallow)] != [key for key, _ in _children(other)]:
        raise ValueError(f"Structures differ. Received: {shallow!r} and {other!r}")


def assert_same_structure(a: Any, b: Any, check_types: Any = None) -> None:
    """Raise `ValueError` unless `a` and `b` nest the same containers with the same keys and lengths."""
    if check_types is not None:
        raise ValueError(
            "`check_types` has no effect in Keras 3: leave it out. To compare paths only: assert_same_paths."
        )
    if is_nested(a) != is_nested(b):
        raise ValueError(f"Structures differ: one is a leaf. Received: {a!r} and {b!r}")
    if not is_nested(a):
        return
    same_kind = (isinstance(a, dict) and isinstance(b, dict)) or type(a) is type(b)
    if not same_kind or [key for key, _ in _children(a)] != [key for key, _ in _children(b)]:
        raise ValueError(f"Structures differ. Received: {a!r} and {b!r}")
    for (_, child_a), (_, child_b) in zip(_children(a), _children(b), strict=True):
        assert_same_structure(child_a, child_b)


def assert_same_paths(a: Any, b: Any) -> None:
    """Raise `ValueError` unless the leaves of `a` and `b` have the same paths, whatever the containers."""
    paths_a = {path for path, _ in flatten_with_path(a)}
    paths_b = {path for path, _ in flatten_with_path(b)}
    if paths_a != paths_b:
        raise ValueError(
            f"Paths differ. Only in the first: {paths_a - paths_b}; only in the second: {paths_b - paths_a}"
        )


def pack_sequence_as(structure: Any, flat_sequence: Iterable) -> Any:
    """Put the values of `flat_sequence` in the place of the leaves of `structure`."""
    leaves = list(flat_sequence)
    expected = len(flatten(structure))
    if expected != len(leaves):
        raise ValueError(f"`flat_sequence` must have {expected} items. Received: {len(leaves)}")
    values = iter(leaves)
    return _map(lambda _: next(values), (structure,), True)


def traverse(func: Callable, structure: Any, top_down: bool = True) -> Any:
    """Call `func` on every node: a non-None answer replaces it, `MAP_TO_NONE` replaces it by None."""
    if top_down:
        answer = func(structure)
        if answer is not None:
            return None if answer is MAP_TO_NONE else answer
    walked = structure
    if is_nested(structure):
        walked = _rebuild(structure, [traverse(func, child, top_down) for _, child in _children(structure)])
    if top_down:
        return walked
    answer = func(walked)
    if answer is None:
        return walked
    return None if answer is MAP_TO_NONE else answer


def lists_to_tuples(structure: Any) -> Any:
    """Replace every list in the structure by a tuple."""
    return traverse(lambda node: tuple(node) if isinstance(node, list) else None, structure, top_down=False)


def map_shape_structure(func: Callable, structure: Any) -> Any:
    """Apply `func` to every shape in the structure, a shape being a list or tuple of ints and None."""

    def is_shape(node: Any) -> bool:
        return isinstance(node, (list, tuple)) and all(isinstance(d, int) or d is None for d in node)

    def visit(node: Any) -> Any:
        if not is_shape(node):
            return None
        answer = func(tuple(node))
        return MAP_TO_NONE if answer is None else answer

    return traverse(visit, structure)


def torch_leaves(structure: Any) -> list:
    """The leaves by torch's own walker: faster, dictionary order kept. For the library's inner use."""
    return pytree.tree_leaves(structure)
