from __future__ import annotations

import pytest

import kerasish
from kerasish.utils import get_source_inputs


def test_inputs_behind_a_tensor():
    a, b, c = (kerasish.Input((3,), name=name) for name in "abc")
    hidden = kerasish.layers.Dense(2)(b)
    y = kerasish.layers.concatenate([a, hidden, hidden])
    assert get_source_inputs(y) == [a, b]
    assert get_source_inputs(kerasish.layers.Dense(1)(c) + y) == [c, a, b]
    assert get_source_inputs(a) == [a]


def test_inputs_of_something_else():
    with pytest.raises(TypeError, match="`tensor` must be symbolic"):
        get_source_inputs(3)
