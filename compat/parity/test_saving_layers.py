"""Every layer in a `.keras` file: what Keras writes kerasish reads with equal predictions, and the reverse."""

from __future__ import annotations

import copy
import inspect
import warnings

import numpy as np
import pytest

import kerasish
from tests.contracts.layer_samples import SAMPLES
from tests.contracts.test_layers import arranged, called

keras = pytest.importorskip("keras")

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:keras"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

# What Keras on torch cannot make, run or load: kerasish alone writes and reads it here.
NEEDS_TENSORFLOW = {
    "CategoryEncoding", "Discretization", "HashedCrossing", "Hashing", "IntegerLookup", "StringLookup",
    "TextVectorization",
}  # fmt: skip
KERAS_CANNOT = {
    "RandomCrop": "cropping in inference",
    "Equalization": "symbolic inputs",
    "RandomShear": "a factor below 0, which its own config has",
}
NOT_IN_FILES = {"TorchModuleWrapper"}  # a torch module has no config
BATCH = 3
CASES = {name: samples[0] for name, samples in SAMPLES.items() if name not in NOT_IN_FILES}
DIRECTIONS = {"from Keras": (keras, kerasish), "to Keras": (kerasish, keras)}


def data(sample):
    rng = np.random.default_rng(0)

    def one(shape):
        if sample.dtype == "string":
            return rng.choice(["a", "b", "c", "other"], (BATCH, *shape))
        return (rng.random((BATCH, *shape)) * 3 + sample.lowest).astype(sample.dtype)

    return arranged(sample, one)


def of(k, value):
    """An argument for that package: layers within it are made again."""
    if isinstance(value, list):
        return [of(k, item) for item in value]
    if k is keras and isinstance(value, kerasish.layers.Layer):
        return keras.saving.deserialize_keras_object(kerasish.saving.serialize_keras_object(value))
    return copy.deepcopy(value)


def made(k, name, sample):
    if name == "InputLayer":
        layer = k.layers.InputLayer(**copy.deepcopy(sample.arguments))
        return k.Model(layer.output, k.layers.Identity()(layer.output))
    layer = getattr(k.layers, name)(**{key: of(k, value) for key, value in sample.arguments.items()})
    x = data(sample)
    if sample.adapt:
        layer.adapt(x)
    inputs = arranged(sample, lambda shape: k.Input(shape, dtype=sample.dtype))
    model = k.Model(inputs, called(layer, inputs))
    rng = np.random.default_rng(1)
    model.set_weights(
        [
            rng.uniform(0.1, 0.9, w.shape).astype(w.dtype) if w.dtype.kind == "f" else w
            for w in model.get_weights()
        ]
    )
    return model


def predict(model, x):
    outputs = model.predict(list(x) if isinstance(x, tuple) else x, verbose=0)
    return [np.asarray(leaf) for leaf in kerasish.tree.flatten(outputs)]


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("name", CASES)
def test_layers_in_archives(name, direction, tmp_path):
    sample = CASES[name]
    source, target = DIRECTIONS[direction]
    if name in NEEDS_TENSORFLOW or name in KERAS_CANNOT:
        source = target = kerasish
    keras.utils.clear_session()
    model, x = made(source, name, sample), data(sample)
    expected = predict(model, x)
    functions = {name: value for value in sample.arguments.values() if inspect.isfunction(value)
                 for name in (value.__name__, f"tests>{value.__name__}")}  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / "m.keras")
        loaded = target.models.load_model(tmp_path / "m.keras", custom_objects=functions)
    for a, b in zip(expected, predict(loaded, x), strict=True):
        assert a.dtype == b.dtype
        if a.dtype.kind in "US":
            np.testing.assert_array_equal(b, a)
        else:
            np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5)
