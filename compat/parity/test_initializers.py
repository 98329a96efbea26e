import json

import numpy as np
import pytest
import torch

from kerasish import initializers
from kerasish.initializers import VarianceScaling

keras = pytest.importorskip("keras")

CALLS = [
    ("Zeros", ()), ("Ones", ()), ("Constant", (3,)), ("Constant", ([1.0, 2.0],)), ("Constant", (np.ones(2),)),
    ("Identity", ()), ("STFT", ()), ("STFT", ("imag", None, None, True)), ("RandomNormal", ()),
    ("RandomNormal", (1.0, 2.0, 3)), ("RandomUniform", ()), ("RandomUniform", (-1, 2.0, 3)),
    ("TruncatedNormal", (0.0, 0.1, 3)), ("VarianceScaling", ()),
    ("VarianceScaling", (2.0, "fan_avg", "Normal", 3)),
    ("VarianceScaling", (2.0, "fan_avg", "uniform", 3, [0], [1])), ("GlorotUniform", (1,)),
    ("GlorotNormal", ()), ("HeUniform", (2,)), ("HeNormal", (2, [0], [1])), ("LecunUniform", ()),
    ("LecunNormal", (3,)), ("Orthogonal", ()), ("Orthogonal", (2.0, 3)),
]  # fmt: skip
SHAPES = [(4, 7), (7, 4), (3, 3, 2, 5), (2, 5, 3)]


@pytest.mark.parametrize(("name", "arguments"), CALLS, ids=str)
def test_config(name, arguments):
    ours = initializers.serialize(getattr(initializers, name)(*arguments))
    theirs = keras.initializers.serialize(getattr(keras.initializers, name)(*arguments))
    assert json.dumps(ours) == json.dumps(theirs)
    assert initializers.serialize(initializers.deserialize(theirs)) == ours
    assert keras.initializers.serialize(keras.initializers.deserialize(ours)) == theirs


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Zeros", ()), ("Ones", ()), ("Constant", (3,)), ("RandomNormal", (1.0, 2.0, 3)),
        ("RandomUniform", (-1, 2.0, 3)), ("VarianceScaling", (2.0, "fan_avg", "untruncated_normal", 3)),
        ("VarianceScaling", (2.0, "fan_out", "uniform", 3)), ("GlorotUniform", (3,)), ("HeUniform", (3,)),
        ("LecunUniform", (3,)), ("Orthogonal", (2.0, 3)),
    ],
)  # fmt: skip
def test_equal_seeds_give_equal_values(name, arguments, shape):
    with keras.device("cpu"):
        theirs = getattr(keras.initializers, name)(*arguments)(shape)
    ours = getattr(initializers, name)(*arguments)(shape)
    assert ours.dtype == theirs.dtype
    torch.testing.assert_close(ours.cpu(), theirs.cpu(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(100, 150), (3, 3, 30, 40)], ids=str)
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("TruncatedNormal", (1.0, 0.5, 3)), ("VarianceScaling", (2.0, "fan_avg", "truncated_normal", 3)),
        ("GlorotNormal", (3,)), ("HeNormal", (3,)), ("LecunNormal", (3,)),
    ],
)  # fmt: skip
def test_truncated_draws_have_the_same_distribution(name, arguments, shape):
    with keras.device("cpu"):
        theirs = getattr(keras.initializers, name)(*arguments)(shape).flatten().sort().values
    ours = getattr(initializers, name)(*arguments)(shape).flatten().sort().values
    scale = theirs.std()
    inner = slice(len(ours) // 100, -len(ours) // 100)
    assert ((ours - theirs)[inner].abs() / scale).max() < 0.1
    assert abs(ours.std() / scale - 1) < 0.03
    assert abs(ours[-1] - theirs[-1]) / scale < 0.05


@pytest.mark.parametrize("shape", [(4, 1, 3), (9, 1, 4), (16, 1, 9), (5, 1, 8)], ids=str)
@pytest.mark.parametrize("side", ["real", "imag"])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"window": None},
        {"scaling": "spectrum"},
        {"scaling": None},
        {"window": "hamming", "periodic": True},
    ],
    ids=str,
)
def test_stft(side, arguments, shape):
    theirs = keras.initializers.STFT(side, **arguments)(shape)
    ours = initializers.STFT(side, **arguments)(shape)
    torch.testing.assert_close(ours.cpu(), theirs.cpu(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(50, 3, 40), (4, 6, 3, 20)], ids=str)
@pytest.mark.parametrize("axes", [([0], [1, 2]), ([0, 1], [2]), ([1], [0]), ([-1], [0])], ids=str)
@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
def test_axes(mode, axes, shape):
    arguments = (2.0, mode, "uniform", 5, *axes)
    with keras.device("cpu"):
        theirs = keras.initializers.VarianceScaling(*arguments)(shape)
    torch.testing.assert_close(VarianceScaling(*arguments)(shape).cpu(), theirs.cpu())


def test_names():
    public = {name for name in dir(keras.initializers) if not name.startswith("_")}
    assert set(dir(initializers)) == public
    for name in sorted(public - {"Initializer", "get", "serialize", "deserialize", "Constant", "constant"}):
        theirs = type(keras.initializers.get(name)).__name__
        assert type(initializers.get(name)).__name__ == theirs
