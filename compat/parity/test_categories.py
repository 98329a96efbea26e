"""Layers for categories, text and sound against Keras: live where torch suffices, else what TensorFlow computed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import kerasish
from kerasish import layers

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

FIXTURES = Path(__file__).parent / "fixtures"
RECORDED = json.loads((FIXTURES / "categories.json").read_text())
X = np.array([[-1.5, 1.0, 3.4, 0.5], [0.0, 3.0, 1.3, np.inf]], "float32")


def same(ours, theirs):
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert str(ours.dtype).removeprefix("torch.") == str(theirs.dtype).removeprefix("torch.")
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=1e-5, atol=1e-5)


def recorded_inputs(case):
    inputs = case["inputs"]
    return tuple(inputs) if case["layer"] == "HashedCrossing" else inputs


@pytest.mark.parametrize(
    "case", RECORDED["layers"], ids=lambda case: case["layer"] + str(sorted(case["arguments"]))
)
def test_what_keras_on_tensorflow_computed(case):
    layer = getattr(layers, case["layer"])(**case["arguments"])
    if case["adapt"] is not None:
        layer.adapt(case["adapt"])
    if "vocabulary" in case:
        assert [str(token) for token in layer.get_vocabulary()] == [
            str(token) for token in case["vocabulary"]
        ]
        assert layer.vocabulary_size() == case["size"]
    output = layer(recorded_inputs(case))
    assert list(output.shape) == case["shape"]
    if isinstance(output, np.ndarray):
        assert output.tolist() == case["output"]
    else:
        assert str(output.dtype) == f"torch.{case['dtype']}"
        torch.testing.assert_close(
            output, torch.tensor(case["output"], dtype=output.dtype).reshape(output.shape)
        )


@pytest.mark.parametrize(
    "case", RECORDED["layers"], ids=lambda case: case["layer"] + str(sorted(case["arguments"]))
)
def test_recorded_configs(case):
    layer = getattr(layers, case["layer"])(**{**case["arguments"], "name": "layer"})
    config = json.loads(json.dumps(layers.serialize(layer)))
    assert json.dumps(config) == json.dumps(case["config"])
    twin = layers.deserialize(case["config"])
    assert json.loads(json.dumps(layers.serialize(twin))) == config
    if case["adapt"] is None:
        assert np.array_equal(
            np.asarray(twin(recorded_inputs(case))), np.asarray(layer(recorded_inputs(case)))
        )


def test_model_of_keras_on_tensorflow():
    model = kerasish.models.load_model(FIXTURES / "lookups.keras")
    data = {name: np.array(x) for name, x in RECORDED["model"]["data"].items()}
    np.testing.assert_allclose(
        model.predict(data, verbose=0), RECORDED["model"]["output"], rtol=1e-5, atol=1e-5
    )


def test_feature_space_of_keras_on_tensorflow():
    recorded = RECORDED["feature_space"]
    space = kerasish.models.load_model(FIXTURES / "feature_space.keras")
    np.testing.assert_allclose(space(recorded["data"]), recorded["output"], rtol=1e-5, atol=1e-6)
    kinds = kerasish.utils.FeatureSpace
    own = kinds(
        features={
            "plain": "float",
            "rescaled": kinds.float_rescaled(scale=2.0, offset=1.0),
            "bins": kinds.float_discretized(3),
            "normal": "float_normalized",
            "word": "string_categorical",
            "wordhash": kinds.string_hashed(4),
            "number": kinds.integer_categorical(max_tokens=3),
            "numberhash": "integer_hashed",
        },
        crosses=[("word", "number"), kinds.cross(("number", "numberhash"), crossing_dim=6)],
        hashing_dim=5,
    )
    own.adapt(recorded["data"])
    np.testing.assert_allclose(own(recorded["data"]), recorded["output"], rtol=1e-5, atol=1e-6)
    one = {name: values[1] for name, values in recorded["data"].items()}
    np.testing.assert_allclose(own(one), recorded["one"], rtol=1e-5, atol=1e-6)


def test_uncoded_feature_space_of_keras_on_tensorflow():
    recorded = RECORDED["feature_space"]
    kinds = kerasish.utils.FeatureSpace
    own = kinds(
        features={
            "word": kinds.string_categorical(output_mode="int"),
            "number": kinds.integer_categorical(output_mode="int"),
        },
        crosses=[kinds.cross(("word", "number"), 32, output_mode="int")],
        output_mode="dict",
    )
    data = {name: recorded["data"][name] for name in ("word", "number")}
    own.adapt(data)
    assert {name: x.tolist() for name, x in own(data).items()} == recorded["ints"]


# Live -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
@pytest.mark.parametrize("x", [X, X[:, :1], X[0], X[0, 1], X.astype("float64"), np.arange(4)])
def test_discretization(mode, x):
    arguments = {"bin_boundaries": [0.0, 1.0, 2.0], "output_mode": mode}
    same(layers.Discretization(**arguments)(x), keras.layers.Discretization(**arguments)(x))


def test_discretization_of_nan_and_repeated_boundaries():
    x = np.array([np.nan, np.inf, -np.inf, 1.0, 0.1])
    for boundaries in ([0.0, 1.0], [1.0, 1.0, 1.0], [0.1]):
        same(layers.Discretization(boundaries)(x), keras.layers.Discretization(boundaries)(x))


@pytest.mark.parametrize("setting", RECORDED["quantiles"][0]["boundaries"])
@pytest.mark.parametrize("case", RECORDED["quantiles"], ids=range(len(RECORDED["quantiles"])))
def test_recorded_quantiles(case, setting):
    num_bins, epsilon = setting.split()
    layer = layers.Discretization(num_bins=int(num_bins), epsilon=float(epsilon))
    batches = [np.array(batch) for batch in case["batches"]]
    layer.adapt(iter(batches) if len(batches) > 1 else batches[0])
    np.testing.assert_allclose(layer.bin_boundaries, case["boundaries"][setting], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
@pytest.mark.parametrize("x", [[[0, 1], [0, 0]], [3, 2, 0], [[3], [2]], [1], 3, [2.0, 1.0], [1, -1]])
@pytest.mark.parametrize("dtype", [None, "int32", "float16"])
def test_category_encoding(mode, x, dtype):
    arguments = {"num_tokens": 4, "output_mode": mode, "dtype": dtype}
    same(
        layers.CategoryEncoding(**arguments)(np.array(x)),
        keras.layers.CategoryEncoding(**arguments)(np.array(x)),
    )


def test_count_weights():
    x, weights = np.array([[0, 1], [0, 0]]), np.array([[0.1, 0.2], [0.3, 0.4]])
    arguments = {"num_tokens": 4, "output_mode": "count"}
    ours, theirs = layers.CategoryEncoding(**arguments), keras.layers.CategoryEncoding(**arguments)
    same(ours(x, count_weights=weights), theirs(x, count_weights=weights))


@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
@pytest.mark.parametrize("shape", [(None,), (None, 1), (None, 3), (None, None)])
def test_symbolic_shapes(mode, shape):
    for name, arguments in (
        ("Discretization", {"bin_boundaries": [1.0]}),
        ("CategoryEncoding", {"num_tokens": 3}),
    ):
        if (name, mode) == ("CategoryEncoding", "int"):
            continue
        results = []
        for namespace, tensor in ((layers, kerasish.KerasTensor), (keras.layers, keras.KerasTensor)):
            layer = getattr(namespace, name)(**arguments, output_mode=mode)
            output = layer(tensor(shape, dtype="int32"))
            results.append((tuple(output.shape), output.dtype, tuple(layer.compute_output_shape(shape))))
        assert results[0] == results[1]


MEL = [
    {}, {"fft_length": 128, "sequence_stride": 64}, {"fft_length": 128, "sequence_length": 99, "sequence_stride": 64},
    {"fft_length": 128, "window": "hamming", "power_to_db": False}, {"fft_length": 101, "window": None},
    {
        "fft_length": 128, "sequence_stride": 50, "num_mel_bins": 16, "sampling_rate": 8000, "min_freq": 50,
        "max_freq": 3000, "top_db": 30, "mag_exp": 1.0, "min_power": 1e-5, "ref_power": 2.0,
    },
]  # fmt: skip


@pytest.mark.parametrize("arguments", MEL)
@pytest.mark.parametrize("shape", [(2, 3000), (3000,), (2, 2, 3000)])
def test_mel_spectrogram(arguments, shape):
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    x[0] *= 0.01
    ours, theirs = layers.MelSpectrogram(**arguments), keras.layers.MelSpectrogram(**arguments)
    ours.build(shape)
    bands = [ours.num_mel_bins, ours.fft_length // 2 + 1, ours.sampling_rate, ours.min_freq, ours.max_freq]
    their_bands = torch.as_tensor(theirs.linear_to_mel_weight_matrix(*bands))
    torch.testing.assert_close(ours.linear_to_mel_weight_matrix(*bands), their_bands, rtol=1e-2, atol=5e-5)
    ours._bands.copy_(their_bands)  # Keras computes them in float32, ours are exact
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-4, atol=1e-4)
    if len(shape) < 3:  # Keras's is wrong for more
        assert tuple(ours.compute_output_shape(shape)) == tuple(theirs.compute_output_shape(shape))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("CategoryEncoding", {"num_tokens": 4}),
        ("Discretization", {"bin_boundaries": [1, 2.0], "output_mode": "count", "dtype": "float16"}),
        ("Discretization", {"num_bins": 3}),
        *[("MelSpectrogram", arguments) for arguments in MEL],
        ("MelSpectrogram", {"fft_length": 4, "window": np.ones(4)}),
        ("STFTSpectrogram", {"frame_length": 4, "window": np.ones(4)}),
    ],
)
def test_configs(name, arguments):
    ours, theirs = (
        getattr(namespace, name)(**arguments, name="layer") for namespace in (layers, keras.layers)
    )
    assert json.dumps(layers.serialize(ours)) == json.dumps(keras.layers.serialize(theirs))
    twin = layers.deserialize(keras.layers.serialize(theirs))
    assert json.dumps(layers.serialize(twin)) == json.dumps(layers.serialize(ours))


def test_config_after_adapt():
    ours = layers.Discretization(num_bins=3, output_mode="one_hot", name="layer")
    ours.adapt(np.arange(20.0))
    theirs = keras.layers.deserialize(layers.serialize(ours))
    assert json.dumps(layers.serialize(ours)) == json.dumps(keras.layers.serialize(theirs))
    same(layers.deserialize(keras.layers.serialize(theirs))(X), theirs(X))


@pytest.mark.filterwarnings(
    "ignore:FFT length:UserWarning", "ignore:`fft_length`:UserWarning", "ignore:.*power of"
)
@pytest.mark.parametrize("fft_length", [8, 9, 12, 15])
def test_stft_of_any_length(fft_length):
    x = np.random.default_rng(0).normal(size=(2, 40, 2)).astype("float32")
    arguments = {"mode": "stft", "frame_length": 8, "fft_length": fft_length}
    same(
        layers.STFTSpectrogram(**arguments)(x).detach(), keras.layers.STFTSpectrogram(**arguments)(x).detach()
    )


def test_pipeline():
    ours, theirs = (
        namespace.Pipeline([namespace.Rescaling(2.0, name="a"), namespace.Dense(3, name="b")], name="p")
        for namespace in (layers, keras.layers)
    )
    same(ours(X[:1]).detach() * 0, theirs(X[:1]).detach() * 0)
    theirs.set_weights(ours.get_weights())
    same(ours(X[:1]).detach(), theirs(X[:1]).detach())
    ours.build((1, 4))
    config, their_config = ours.get_config(), theirs.get_config()
    assert json.dumps(config["layers"][0]["config"]) == json.dumps(their_config["layers"][0]["config"])
    assert list(config) == list(their_config)
    assert layers.deserialize(keras.layers.serialize(theirs)).layers[1].units == 3


def test_pipeline_alone_augments():
    x = np.ones((4, 50), "float32")
    for namespace in (layers, keras.layers):
        pipeline = namespace.Pipeline([namespace.Dropout(0.5)])
        assert (np.asarray(pipeline(x)) == 0).any()
        assert (np.asarray(pipeline(x, training=False)) == 1).all()
    for namespace, models in ((layers, kerasish), (keras.layers, keras)):
        model = models.Sequential([namespace.Pipeline([namespace.Dropout(0.5)])])
        assert (model.predict(x, verbose=0) == 1).all()


@pytest.mark.parametrize("direction", ["ours to theirs", "theirs to ours"])
def test_files(direction, tmp_path):
    writer, reader = (kerasish, keras) if direction == "ours to theirs" else (keras, kerasish)
    bins = writer.layers.Discretization([-1.0, 0.5], output_mode="one_hot")
    pipeline = writer.layers.Pipeline([writer.layers.Dense(3), writer.layers.Rescaling(2.0)])
    layer_stack = [
        writer.Input((40, 1)),
        writer.layers.STFTSpectrogram(frame_length=8),
        writer.layers.Flatten(),
    ]
    model = writer.Sequential([*layer_stack, pipeline, bins, writer.layers.Flatten(), writer.layers.Dense(2)])
    x = np.random.default_rng(0).normal(size=(3, 40, 1)).astype("float32")
    expected = model.predict(x, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = reader.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-5)
