import json
import math

import numpy as np
import pytest
import torch

from kerasish import initializers
from kerasish.config import floatx
from kerasish.dtypes import torch_dtype
from kerasish.initializers import (
    STFT,
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Identity,
    Initializer,
    LecunNormal,
    LecunUniform,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
)
from kerasish.random import SeedGenerator
from kerasish.serialization import serialize_keras_object

RANDOM = [
    RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling, GlorotNormal, GlorotUniform, HeNormal,
    HeUniform, LecunNormal, LecunUniform, Orthogonal,
]  # fmt: skip
SHAPES = [(300, 200), (3, 3, 40, 60), (5, 60, 40)]


def fans(shape):
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("initializer", "variance"),
    [
        (RandomNormal(stddev=0.3), lambda i, o: 0.09),
        (TruncatedNormal(stddev=0.3), lambda i, o: 0.09 * 0.87962566**2),
        (RandomUniform(-0.3, 0.3), lambda i, o: 0.03),
        (GlorotUniform(), lambda i, o: 2 / (i + o)),
        (GlorotNormal(), lambda i, o: 2 / (i + o)),
        (HeUniform(), lambda i, o: 2 / i),
        (HeNormal(), lambda i, o: 2 / i),
        (LecunUniform(), lambda i, o: 1 / i),
        (LecunNormal(), lambda i, o: 1 / i),
        (VarianceScaling(3.0, "fan_out", "untruncated_normal"), lambda i, o: 3 / o),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Initializer) else None,
)
def test_moments(initializer, variance, shape):
    torch.manual_seed(0)
    values = initializer(shape).double()
    expected = variance(*fans(shape))
    assert values.shape == shape
    assert abs(values.mean().item()) < 5 * math.sqrt(expected / values.numel())
    assert values.var().item() == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize("shape", [(), (50,), (30, 20), (3, 3, 40, 60)])
def test_limits_follow_the_fans(mode, shape):
    fan_in, fan_out = (math.prod(shape),) * 2 if len(shape) < 2 else fans(shape)
    n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    uniform = VarianceScaling(2.0, mode, "uniform", seed=0)(shape)
    truncated = VarianceScaling(2.0, mode, seed=0)(shape)
    assert uniform.abs().max() <= math.sqrt(6 / n) * 1.000001
    assert truncated.abs().max() <= 2 * math.sqrt(2 / n) / 0.8796
    if len(shape) > 1:
        assert uniform.abs().max() > 0.97 * math.sqrt(6 / n)


def test_axes_replace_the_rule_for_kernels():
    values = VarianceScaling(1.0, "fan_in", "uniform", seed=0, input_axes=0, output_axes=[1, 2])((50, 3, 40))
    assert values.abs().max().item() == pytest.approx(math.sqrt(3 / 50), rel=0.01)
    values = VarianceScaling(1.0, "fan_out", "uniform", seed=0, input_axes=0, output_axes=[1, 2])((50, 3, 40))
    assert values.abs().max().item() == pytest.approx(math.sqrt(3 / 120), rel=0.01)
    with pytest.raises(ValueError, match="given together"):
        HeNormal(input_axes=[0])
    with pytest.raises(ValueError, match="axis 5"):
        HeNormal(input_axes=[0], output_axes=[5])((3, 3))


@pytest.mark.parametrize("cls", RANDOM)
def test_seeds(cls):
    assert torch.equal(cls(seed=7)((4, 5)), cls(seed=7)((4, 5)))
    assert not torch.equal(cls(seed=7)((4, 5)), cls(seed=8)((4, 5)))
    seeded, unseeded = cls(seed=7), cls()
    assert torch.equal(seeded((4, 5)), seeded((4, 5)))
    assert not torch.equal(unseeded((4, 5)), unseeded((4, 5)))
    shared = SeedGenerator(7)
    first, second = cls(seed=shared)((4, 5)), cls(seed=shared)((4, 5))
    assert not torch.equal(first, second)
    again = cls(seed=SeedGenerator(7))
    assert torch.equal(again((4, 5)), first)
    assert torch.equal(again((4, 5)), second)
    torch.manual_seed(3)
    draw = unseeded((4, 5))
    torch.manual_seed(3)
    assert torch.equal(unseeded.clone()((4, 5)), draw)


@pytest.mark.parametrize("seed", ["a", 1.5, [1]])
def test_a_seed_of_another_kind_is_refused(seed):
    with pytest.raises(ValueError, match="`seed` must be an integer"):
        RandomNormal(seed=seed)


@pytest.mark.parametrize("cls", [*RANDOM, Zeros, Ones, Constant, Identity])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", torch.float32, None])
def test_dtypes(cls, dtype):
    values = cls()((4, 3), dtype=dtype)
    assert values.dtype is torch_dtype(dtype or floatx())
    assert torch.isfinite(values).all()


def test_integers():
    assert Zeros()(3, "int32").tolist() == [0, 0, 0]
    assert Ones()((2,), dtype="bool").tolist() == [True, True]
    assert Constant(2)((2,), dtype="int64").tolist() == [2, 2]
    assert Identity()((2, 2), dtype="int32").tolist() == [[1, 0], [0, 1]]
    with pytest.raises(ValueError, match="HeNormal draws floats"):
        HeNormal()((2, 2), dtype="int32")


@pytest.mark.parametrize("shape", [(6, 6), (3, 7), (7, 3), (2, 3, 4), (3, 2, 30)])
def test_orthogonal_has_orthonormal_rows_or_columns(shape):
    matrix = Orthogonal(gain=2.0, seed=1)(shape).reshape(-1, shape[-1])
    rows, columns = matrix.shape
    product = matrix.T @ matrix if rows >= columns else matrix @ matrix.T
    torch.testing.assert_close(product, 4 * torch.eye(min(rows, columns)))
    with pytest.raises(ValueError, match="two or more dimensions"):
        Orthogonal()((3,))


def test_orthogonal_matrices_are_uniform():
    traces = torch.stack([Orthogonal(seed=seed)((3, 3)).trace() for seed in range(2000)])
    assert abs(traces.mean()) < 0.1
    assert traces.var() == pytest.approx(1.0, rel=0.1)


def test_identity():
    assert Identity(gain=3.0)((2, 3)).tolist() == [[3.0, 0.0, 0.0], [0.0, 3.0, 0.0]]
    with pytest.raises(ValueError, match="2 sizes"):
        Identity()((2, 2, 2))


def test_constant_broadcasts_only_where_it_fits():
    assert Constant([1.0, 2.0])((2, 2)).tolist() == [[1.0, 2.0], [1.0, 2.0]]
    values = Constant(torch.ones(2, 1, requires_grad=True))((3, 2, 2))
    assert values.shape == (3, 2, 2)
    assert not values.requires_grad
    assert values.is_contiguous()
    for shape in [(3,), (2, 3), ()]:
        with pytest.raises(ValueError, match="broadcasts"):
            Constant([1.0, 2.0])(shape)


def test_unknown_sizes_are_refused():
    with pytest.raises(ValueError, match=r"Received: shape=\(None, 3\)"):
        Zeros()((None, 3))


@pytest.mark.parametrize("window", ["hann", ("kaiser", 4.0), None, np.linspace(1, 2, 16)])
def test_stft_equals_the_fourier_transform(window):
    signal = np.random.default_rng(0).normal(size=16)
    real, imag = (
        STFT(side, window, scaling=None, periodic=True)((16, 1, 9), "float64") for side in ("real", "imag")
    )
    if isinstance(window, (str, tuple)):
        from scipy.signal import get_window

        values = get_window(window, 16)
    else:
        values = np.ones(16) if window is None else window
    expected = np.fft.rfft(signal * values)
    np.testing.assert_allclose(signal @ real[:, 0].numpy(), expected.real, atol=1e-9)
    np.testing.assert_allclose(signal @ imag[:, 0].numpy(), expected.imag, atol=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"side": "left"}, "`side` must be"),
        ({"scaling": "none"}, "`scaling` must be"),
        ({"window": "hannn"}, "hannn"),
        ({"window": [1.0, 2.0]}, "length of a frame, 8"),
    ],
)
def test_stft_refuses_unknown_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        STFT(**arguments)((8, 1, 5))


@pytest.mark.parametrize("shape", [(16, 2, 9), (16, 9)])
def test_stft_takes_one_channel(shape):
    with pytest.raises(ValueError, match="one channel"):
        STFT()(shape)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": 0}, "`scale` must be positive"),
        ({"mode": "fan"}, "`mode` must be"),
        ({"distribution": "gauss"}, "`distribution` must be"),
    ],
)
def test_variance_scaling_refuses_unknown_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        VarianceScaling(**arguments)


INSTANCES = [
    Zeros(), Ones(), Constant(3), Constant([1.0, 2.0]), Constant(np.ones(2)), Constant(torch.ones(2)),
    Identity(), Identity(2.0), STFT("imag", None, None, True), STFT(window=np.ones(5)),
    RandomNormal(1.0, 2.0, 3), RandomUniform(seed=SeedGenerator(4)), TruncatedNormal(seed=1),
    VarianceScaling(2.0, "fan_avg", "uniform", 1, (0,), (1,)), GlorotUniform(1), HeNormal(),
    Orthogonal(2.0, 5),
]  # fmt: skip


@pytest.mark.parametrize("initializer", INSTANCES, ids=lambda i: type(i).__name__)
def test_config_survives_json(initializer):
    config = initializers.serialize(initializer)
    assert config["module"] == "keras.initializers"
    again = initializers.get(json.loads(json.dumps(config)))
    assert type(again) is type(initializer)
    assert initializers.serialize(again) == config
    shape = (5, 1, 2) if isinstance(initializer, STFT) else (3, 2)
    if getattr(initializer, "seed", 0) is not None:
        assert torch.equal(again(shape), initializer.clone()(shape))


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("he_normal", HeNormal), ("HeNormal", HeNormal), ("glorot_uniform", GlorotUniform), ("zeros", Zeros),
        ("one", Ones), ("normal", RandomNormal), ("uniform", RandomUniform), ("constant", Constant),
        ("OrthogonalInitializer", Orthogonal), ("IdentityInitializer", Identity), ("stft", STFT),
        ("STFTInitializer", STFT), ({"class_name": "he_normal", "config": {}}, HeNormal),
        ({"class_name": "zero"}, Zeros), (Ones, Ones),
    ],
)  # fmt: skip
def test_get_by_name(name, cls):
    assert type(initializers.get(name)) is cls


def test_get_of_objects_functions_and_arrays():
    def custom(shape, dtype=None):
        return torch.full(shape, 7.0)

    instance = HeNormal()
    assert initializers.get(None) is None
    assert initializers.get(instance) is instance
    assert initializers.get(custom) is custom
    for array in (np.array([1, 2]), torch.tensor([1.0, 2.0])):
        fixed = initializers.get(array)
        assert fixed((2,)).tolist() == [1.0, 2.0]
        assert fixed((2,), dtype="int32").dtype is torch.int32
        with pytest.raises(ValueError, match=r"must be \(2,\), that of the value"):
            fixed((3, 2))
        assert initializers.get(initializers.serialize(fixed))((2,)).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("identifier", "message"),
    [
        ("he_norml", "Did you mean 'he_normal'"),
        (3, "Received: 3"),
        (2.5, "Received: 2.5"),
        (True, "Received: True"),
    ],
)
def test_get_refuses_what_is_no_initializer(identifier, message):
    with pytest.raises(ValueError, match=message):
        initializers.get(identifier)


def test_subclasses():
    class Ramp(Initializer):
        def __init__(self, step=1.0):
            self.step = step

        def __call__(self, shape, dtype=None):
            return torch.arange(math.prod(shape)).reshape(shape) * self.step

        def get_config(self):
            return {"step": self.step}

    assert Ramp(2.0).clone()((3,)).tolist() == [0.0, 2.0, 4.0]
    assert serialize_keras_object(Ramp(2.0))["config"] == {"step": 2.0}
    with pytest.raises(NotImplementedError, match="must define `__call__"):
        Initializer()((2,))


def test_names_are_the_classes_and_dir_is_public():
    assert initializers.he_normal is HeNormal
    assert initializers.orthogonal is initializers.OrthogonalInitializer is Orthogonal
    assert initializers.zero is Zeros
    names = dir(initializers)
    assert not [name for name in names if name.startswith("_")]
    assert {"Constant", "GlorotNormal", "HeNormal", "VarianceScaling", "Zeros", "he_normal", "get"} <= set(
        names
    )
    assert not {"torch", "np", "math", "Any"} & set(names)
