"""`tree` walks nested lists, tuples, named tuples and dictionaries."""

from __future__ import annotations

import collections

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasish import tree

Point = collections.namedtuple("Point", "x y")

structures = st.recursive(
    st.integers() | st.none(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


@given(structures)
def test_pack_reverses_flatten(structure):
    assert tree.pack_sequence_as(structure, tree.flatten(structure)) == structure


@given(structures)
def test_map_keeps_the_structure(structure):
    doubled = tree.map_structure(lambda x: None if x is None else 2 * x, structure)
    tree.assert_same_structure(structure, doubled)
    assert tree.flatten(doubled) == [None if x is None else 2 * x for x in tree.flatten(structure)]


@given(structures)
def test_paths_lead_to_the_leaves(structure):
    for path, leaf in tree.flatten_with_path(structure):
        found = structure
        for key in path:
            found = found[key]
        assert found is leaf


def test_dictionaries_are_walked_by_sorted_keys_and_keep_their_order():
    structure = {"b": 1, "a": [2, 3]}
    assert tree.flatten(structure) == [2, 3, 1]
    assert list(tree.map_structure(str, structure)) == ["b", "a"]


def test_named_tuples_and_special_dictionaries_keep_their_type():
    assert tree.map_structure(lambda x: x + 1, Point(1, 2)) == Point(2, 3)
    ordered = collections.OrderedDict(b=1, a=2)
    assert type(tree.map_structure(str, ordered)) is collections.OrderedDict
    default = collections.defaultdict(int, a=1)
    assert tree.map_structure(str, default)["missing"] == 0


@pytest.mark.parametrize(
    ("leaf", "nested"), [(1, False), ("text", False), (None, False), ([], True), ((), True), ({}, True)]
)
def test_is_nested(leaf, nested):
    assert tree.is_nested(leaf) is nested


def test_map_over_several_structures():
    assert tree.map_structure(lambda a, b: a + b, {"x": [1, 2]}, {"x": [10, 20]}) == {"x": [11, 22]}
    with pytest.raises(ValueError):
        tree.map_structure(lambda a, b: a, [1, 2], [1])
    with pytest.raises(TypeError, match=r"`func` must be callable"):
        tree.map_structure(3, [1])


def test_map_up_to_a_depth():
    assert tree.map_structure_up_to([0, 0], sum, [[1, 2], [3, 4]]) == [3, 7]


def test_pack_needs_as_many_values_as_leaves():
    with pytest.raises(ValueError, match=r"must have 2 items\. Received: 3"):
        tree.pack_sequence_as([0, 0], [1, 2, 3])


def test_traverse_replaces_nodes():
    assert tree.traverse(lambda node: "list" if isinstance(node, list) else None, {"a": [1], "b": 2}) == {
        "a": "list",
        "b": 2,
    }
    assert tree.traverse(lambda node: tree.MAP_TO_NONE if node == 1 else None, [1, 2]) == [None, 2]
    seen = []
    tree.traverse(lambda node: seen.append(node), [1, [2]], top_down=False)
    assert seen == [1, 2, [2], [1, [2]]]


def test_lists_to_tuples():
    assert tree.lists_to_tuples([1, {"a": [2, [3]]}]) == (1, {"a": (2, (3,))})


def test_map_shape_structure():
    assert tree.map_shape_structure(len, {"a": (None, 3), "b": [[1, 2, 3], (4,)]}) == {"a": 2, "b": [3, 1]}
