import json

import numpy as np
import pytest
import torch

from kerasish import constraints

keras = pytest.importorskip("keras")

CALLS = [
    ("MaxNorm", ()), ("MaxNorm", (0.5, 1)), ("MaxNorm", (3, [0, 1])), ("NonNeg", ()), ("UnitNorm", ()),
    ("UnitNorm", ([0, 1],)), ("UnitNorm", (-1,)), ("MinMaxNorm", ()), ("MinMaxNorm", (0.5, 2.0, 0.3, 1)),
    ("MinMaxNorm", (1.0, 1.5, 1.0, [0, 1])),
]  # fmt: skip
WEIGHTS = [
    np.random.default_rng(0).normal(0, 2, (4, 3)),
    np.random.default_rng(1).normal(0, 1e-8, (4, 3)),
    np.random.default_rng(2).normal(0, 1e4, (3, 3, 2, 5)),
    np.array([[1.0, -1.0, 0.0], [0.0, -0.0, 0.0]]),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("w", WEIGHTS, ids=range(len(WEIGHTS)))
@pytest.mark.parametrize(("name", "arguments"), CALLS, ids=str)
def test_values(name, arguments, w, dtype):
    w = torch.tensor(w.astype(dtype))
    ours = getattr(constraints, name)(*arguments)(w)
    theirs = getattr(keras.constraints, name)(*arguments)(w).to(w)  # Keras's NonNeg returns float32
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("name", "arguments"), CALLS, ids=str)
def test_config(name, arguments):
    ours = constraints.serialize(getattr(constraints, name)(*arguments))
    theirs = keras.constraints.serialize(getattr(keras.constraints, name)(*arguments))
    assert json.dumps(ours) == json.dumps(theirs)
    assert constraints.serialize(constraints.deserialize(theirs)) == ours
    assert keras.constraints.serialize(keras.constraints.deserialize(ours)) == theirs


def test_names():
    public = {name for name in dir(keras.constraints) if not name.startswith("_")}
    assert set(dir(constraints)) == public
    for name in sorted(public - {"Constraint", "get", "serialize", "deserialize"}):
        assert type(constraints.get(name)).__name__ == type(keras.constraints.get(name)).__name__
