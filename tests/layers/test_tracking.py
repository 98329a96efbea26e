"""Lists, dictionaries and tuples of layers."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch

from kerasish import layers
from kerasish.layers.tracking import TrackedDict, TrackedList, TrackedTuple, track


class Holder(layers.Layer):
    def __init__(self, value):
        super().__init__()
        self.value = value


def test_what_is_tracked():
    dense = layers.Dense(1)
    assert type(track([dense])) is TrackedList
    assert type(track({"a": dense})) is TrackedDict
    assert type(track((dense, 3))) is TrackedTuple
    assert type(track([])) is TrackedList and type(track({})) is TrackedDict
    for plain in ([1, 2], {"a": 1}, (1, 2), "text", None):
        assert track(plain) is plain


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.append(layers.Dense(1)),
        lambda value: value.insert(0, layers.Dense(1)),
        lambda value: value.extend([layers.Dense(1)]),
        lambda value: value.__setitem__(0, layers.Dense(1)),
        lambda value: value.append([layers.Dense(1)]),
    ],
)
def test_lists_follow_changes(change):
    holder = Holder([layers.Dense(1)])
    before = set(holder.modules())
    change(holder.value)
    new = [m for m in set(holder.modules()) - before if isinstance(m, layers.Dense)]
    assert len(new) == 1
    new[0](torch.ones(1, 2))
    assert len(holder.state_dict()) == 2


def test_removed_layers_are_forgotten():
    holder = Holder([layers.Dense(1), layers.Dense(1)])
    holder.value.pop()
    assert sum(isinstance(m, layers.Dense) for m in holder.modules()) == 1
    del holder.value[0]
    assert not any(isinstance(m, layers.Dense) for m in holder.modules())


def test_dictionaries_follow_changes():
    holder = Holder({"a": layers.Dense(1)})
    holder.value["b.c"] = layers.Dense(1)
    for layer in holder.value.values():
        layer(torch.ones(1, 2))
    assert set(holder.state_dict()) == {
        "value.a.kernel", "value.a.bias", "value.b_c.kernel", "value.b_c.bias"
    }  # fmt: skip


def test_they_stay_lists_and_dictionaries():
    dense = layers.Dense(1)
    holder = Holder([dense])
    assert holder.value == [dense] and isinstance(holder.value, list) and len(holder.value) == 1
    assert [*holder.value] == [dense] and repr(holder.value) == repr([dense])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
@pytest.mark.parametrize("make", [lambda d: [d], lambda d: {"a": d}, lambda d: (d,)])
def test_copies(copied, make):
    holder = Holder(make(layers.Dense(1)))
    twin = copied(holder)
    assert type(twin.value) is type(holder.value)
    assert sum(isinstance(m, layers.Dense) for m in twin.modules()) == 1


def test_tuples_go_with_the_compiler_of_torch():
    compiled = torch.compile(torch.nn.Linear(2, 2), backend="eager")
    compiled(torch.ones(1, 2))
    holder = Holder((layers.Dense(1), 3))
    assert sum(isinstance(m, layers.Dense) for m in holder.modules()) == 1
    assert holder.train().value[0].training


def test_variables_in_lists_are_trained():
    holder = Holder([torch.nn.Parameter(torch.ones(2))])
    assert len(holder.trainable_weights) == 1
    holder.trainable = False
    assert holder.trainable_weights == []
