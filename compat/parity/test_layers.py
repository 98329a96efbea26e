"""Every layer against the real Keras 3: outputs, gradients, masks, weights and configs, over a grid of settings."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from compat.parity.layer_cases import (
    CASES,
    COMPARED_ELSEWHERE,
    DETERMINISTIC_IN_TRAINING,
    INTEGER_INPUTS,
    SMALL_INPUTS,
)
from kerasish import layers

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword"
)  # Keras's

MATRIX, SEQUENCE = (4, 3), (4, 5, 3)


def named(rows):
    return [pytest.param(*row, id=f"{row[0]}-{i}") for i, row in enumerate(rows)]


def listed(shapes):
    """The shapes of the tensors, in order."""
    return (
        list(shapes.values())
        if isinstance(shapes, dict)
        else shapes
        if isinstance(shapes, list)
        else [shapes]
    )


def draw(shapes, seed=0, name=None):
    """Inputs of wide range, zeros and a constant record among them."""
    rng = np.random.default_rng(seed)
    if name in INTEGER_INPUTS:
        return [rng.integers(0, 4, shape).astype("int64") for shape in listed(shapes)]
    arrays = [rng.normal(0.3, 2, shape).astype("float32") for shape in listed(shapes)]
    for x in arrays:
        x.flat[0] = 0.0
        x[-1] = 0.7
    return [x / 20 for x in arrays] if name in SMALL_INPUTS else arrays


def build(layer, shapes):
    """Build for one shape, a list of shapes, or several arguments."""
    if isinstance(shapes, dict):
        layer.build(**{f"{argument}_shape": shape for argument, shape in shapes.items()})
    else:
        layer.build(shapes)


def arguments(shapes, values):
    """The positional arguments of a call: one tensor, one list of tensors, or several tensors."""
    return values if isinstance(shapes, dict) else [values] if isinstance(shapes, list) else values[:1]


def pair(name, settings, shapes):
    """Our layer and Keras's, built for the shapes, with the same weights."""
    ours, theirs = getattr(layers, name)(**settings), getattr(keras.layers, name)(**settings)
    for layer in (ours, theirs):
        build(layer, shapes)
    rng = np.random.default_rng(1)
    values = [np.abs(rng.normal(1, 0.3, w.shape)).astype("float32") for w in theirs.get_weights()]
    theirs.set_weights(values)
    ours.set_weights(theirs.get_weights())
    return ours, theirs


def run(layer, arrays, shapes, **kwargs):
    """Output, and gradients of a weighted sum of it (and of the added losses) by inputs and trained weights."""
    inputs = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in arrays]
    output = layer(*arguments(shapes, inputs), **kwargs)
    factors = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).reshape(output.shape)
    total = (output * factors).sum() + sum(layer.losses)
    weights = [getattr(w, "value", w) for w in layer.trainable_weights]
    sources = [x for x in (*inputs, *weights) if x.requires_grad]
    gradients = torch.autograd.grad(total, sources, allow_unused=True) if sources else ()
    return [output.detach(), *gradients]


def assert_same(ours, theirs):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            torch.testing.assert_close(torch.as_tensor(a), torch.as_tensor(b), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("name", "settings", "shapes"), named(CASES))
def test_outputs_gradients_and_state(name, settings, shapes, training):
    if training:
        settings = {**settings, **DETERMINISTIC_IN_TRAINING.get(name, {})}
    arrays = draw(shapes, name=name)
    ours, theirs = pair(name, settings, shapes)
    for _ in range(2):
        assert_same(
            run(ours, arrays, shapes, training=training), run(theirs, arrays, shapes, training=training)
        )
        assert_same(ours.get_weights(), theirs.get_weights())


@pytest.mark.parametrize(("name", "settings", "shapes"), named(CASES))
def test_weights(name, settings, shapes):
    ours, theirs = pair(name, settings, shapes)
    for attribute in ("weights", "trainable_weights", "non_trainable_weights", "variables"):
        mine, other = getattr(ours, attribute), getattr(theirs, attribute)
        if attribute == "variables":
            other = [v for v in other if "seed_generator_state" not in v.name]
        assert [w.name for w in mine] == [w.name for w in other]
        assert [tuple(w.shape) for w in mine] == [tuple(w.shape) for w in other]
        assert [str(w.dtype).removeprefix("torch.") for w in mine] == [w.dtype for w in other]
    assert ours.count_params() == theirs.count_params()
    assert len(ours.losses) == len(theirs.losses)


@pytest.mark.parametrize(("name", "settings", "shapes"), named(CASES))
def test_config(name, settings, shapes):
    settings = {"name": "layer", **settings}
    ours, theirs = getattr(layers, name)(**settings), getattr(keras.layers, name)(**settings)
    assert json.dumps(layers.serialize(ours)) == json.dumps(keras.layers.serialize(theirs))
    for layer in (ours, theirs):
        build(layer, shapes)
    assert json.dumps(layers.serialize(ours)) == json.dumps(keras.layers.serialize(theirs))
    back = layers.deserialize(keras.layers.serialize(theirs))
    assert json.dumps(layers.serialize(back)) == json.dumps(layers.serialize(ours))
    there, copy = (
        keras.layers.deserialize(config)
        for config in (layers.serialize(ours), keras.layers.serialize(theirs))
    )
    assert json.dumps(keras.layers.serialize(there)) == json.dumps(keras.layers.serialize(copy))


@pytest.mark.parametrize(("name", "settings", "shapes"), named(CASES))
def test_symbolic_shapes(name, settings, shapes):
    ours, theirs = getattr(layers, name)(**settings), getattr(keras.layers, name)(**settings)
    for batch in (None, 4):
        open_shapes = [(batch, *shape[1:]) for shape in listed(shapes)]
        results = []
        for layer, namespace in ((ours, layers), (theirs, keras.layers)):
            inputs = [namespace.Input(batch_shape=shape) for shape in open_shapes]
            output = layer(*arguments(shapes, inputs))
            shape = layer.compute_output_shape(*arguments(shapes, open_shapes))
            results.append((tuple(output.shape), output.dtype, tuple(shape)))
        assert results[0] == results[1]


@pytest.mark.parametrize("dtype", ["float16", "float64", "int32", "uint8", "bool"])
@pytest.mark.parametrize(
    ("name", "settings"),
    [("Rescaling", {"scale": 0.5}), ("Normalization", {"mean": 1, "variance": 2}), ("Flatten", {})],
)
def test_inputs_of_other_dtypes(name, settings, dtype):
    assert_same_for_dtype(name, settings, dtype)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
@pytest.mark.parametrize(("name", "settings"), [("Dense", {"units": 2}), ("BatchNormalization", {})])
def test_inputs_of_other_float_dtypes(name, settings, dtype):
    assert_same_for_dtype(name, settings, dtype)


def assert_same_for_dtype(name, settings, dtype):
    ours, theirs = pair(name, settings, MATRIX)
    x = np.abs(draw(MATRIX)[0] * 3).astype(dtype)
    a, b = ours(x), theirs(x)
    assert a.dtype == b.dtype
    torch.testing.assert_close(a.detach(), b.detach(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "bfloat16", "float64"])
def test_dtype_policies(policy):
    ours, theirs = pair("Dense", {"units": 2, "activation": "relu", "dtype": policy}, MATRIX)
    x = draw(MATRIX)[0]
    a, b = ours(x), theirs(x)
    assert a.dtype == b.dtype
    assert [ours.compute_dtype, ours.variable_dtype] == [theirs.compute_dtype, theirs.variable_dtype]
    torch.testing.assert_close(a.detach().float(), b.detach().float(), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("shape", [SEQUENCE, (4, 6, 2)])
def test_batch_normalization_of_masked_positions(shape, training):
    ours, theirs = pair("BatchNormalization", {"momentum": 0.5}, shape)
    mask = torch.tensor(np.random.default_rng(5).random(shape[:2]) < 0.6)
    arrays = draw(shape)
    assert_same(
        run(ours, arrays, shape, training=training, mask=mask),
        run(theirs, arrays, shape, training=training, mask=mask),
    )
    assert_same(ours.get_weights(), theirs.get_weights())


@pytest.mark.filterwarnings("ignore:.*does not support masking")  # Keras's
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("Dense", {"units": 2}),
        ("Activation", {"activation": "relu"}),
        ("Dropout", {"rate": 0.3}),
        ("BatchNormalization", {}),
        ("Identity", {}),
        ("Rescaling", {"scale": 2.0}),
        ("Normalization", {"mean": 0.0, "variance": 1.0}),
        ("Flatten", {}),
        ("Reshape", {"target_shape": (15,)}),
    ],
)
def test_layers_that_pass_masks_on(name, settings):
    mask = torch.tensor(np.random.default_rng(5).random(SEQUENCE[:2]) < 0.6)
    found = []
    for namespace in (layers, keras.layers):
        x = torch.tensor(draw(SEQUENCE)[0])
        x._keras_mask = mask
        layer = getattr(namespace, name)(**settings)
        found.append((layer.supports_masking, getattr(layer(x), "_keras_mask", None)))
    assert found[0][0] == found[1][0]
    assert (found[0][1] is None) == (found[1][1] is None)
    assert found[0][1] is None or torch.equal(found[0][1], found[1][1])


@pytest.mark.parametrize(
    ("name", "settings", "which"),
    [
        ("Add", {}, (True, True)),
        ("Add", {}, (True, False)),
        ("Concatenate", {"axis": -1}, (True, True)),
        ("Concatenate", {"axis": 1}, (True, True)),
        ("Concatenate", {"axis": 1}, (False, True)),
        ("Concatenate", {"axis": 1}, (False, False)),
    ],
)
def test_masks_of_several_inputs(name, settings, which):
    found = []
    for namespace in (layers, keras.layers):
        inputs = [torch.tensor(x) for x in draw([SEQUENCE, SEQUENCE])]
        for i, (x, has_mask) in enumerate(zip(inputs, which, strict=True)):
            if has_mask:
                x._keras_mask = torch.tensor(np.random.default_rng(i).random(SEQUENCE[:2]) < 0.6)
        found.append(getattr(getattr(namespace, name)(**settings)(inputs), "_keras_mask", None))
    assert (found[0] is None) == (found[1] is None)
    assert found[0] is None or torch.equal(found[0], found[1])


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_in_training(rate):
    """The draws differ; what is kept, how it is scaled, and that the gradient has the same mask, do not."""
    for namespace in (layers, keras.layers):
        x = torch.ones(400, 100, requires_grad=True)
        output = namespace.Dropout(rate, seed=1)(x, training=True)
        kept = output != 0
        torch.testing.assert_close(output[kept], torch.full_like(output[kept], 1 / (1 - rate)))
        assert abs(kept.float().mean().item() - (1 - rate)) < 0.01
        torch.testing.assert_close(torch.autograd.grad(output.sum(), x)[0], output.detach())
        shared = namespace.Dropout(rate, noise_shape=(None, 1))(torch.ones(400, 5), training=True)
        assert torch.equal(shared, shared[:, :1].expand(400, 5))
        assert not namespace.Dropout(1.0)(torch.ones(3, 4), training=True).any()


@pytest.mark.parametrize("axis", [-1, None, (1, 2), 1])
def test_normalization_adapts(axis):
    x = draw((50, 4, 3))[0]
    ours, theirs = layers.Normalization(axis=axis), keras.layers.Normalization(axis=axis)
    for layer in (ours, theirs):
        layer.adapt(x)
    assert [w.name for w in ours.weights] == [w.name for w in theirs.weights]
    for a, b in zip(ours.get_weights()[:2], theirs.get_weights()[:2], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-5, atol=1e-5)
    config = {**theirs.get_config(), "name": ours.name}
    assert json.dumps(ours.get_config()) == json.dumps(config)
    copy = layers.Normalization(axis=axis)
    copy.build(x.shape)
    copy.set_weights(theirs.get_weights())
    torch.testing.assert_close(copy(x), theirs(x), rtol=1e-5, atol=1e-5)


BUILDS = [
    ("Dense", {"units": 2}, (None, 3)),
    ("BatchNormalization", {}, (None, 3, 4)),
    ("Normalization", {}, (None, 3)),
    ("Add", {}, [(None, 3), (None, 3)]),
]


@pytest.mark.parametrize(("name", "settings", "shape"), BUILDS)
def test_build_config(name, settings, shape):
    ours, theirs = getattr(layers, name)(**settings), getattr(keras.layers, name)(**settings)
    for layer in (ours, theirs):
        layer.build(shape)
    assert json.dumps(ours.get_build_config()) == json.dumps(theirs.get_build_config())
    copy = getattr(layers, name)(**settings)
    copy.build_from_config(json.loads(json.dumps(theirs.get_build_config())))
    assert copy.built
    assert [tuple(w.shape) for w in copy.weights] == [tuple(w.shape) for w in theirs.weights]


class OurBlock(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.first = layers.Dense(units, activation="tanh")
        self.norm = layers.BatchNormalization()

    def build(self, input_shape):
        self.gain = self.add_weight(shape=(1,), initializer="ones", name="gain")
        self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False, name="seen")
        self.first.build(input_shape)
        self.norm.build((None, self.first.units))
        self.last = layers.Dense(input_shape[-1])
        self.last.build((None, self.first.units))

    def call(self, x, training=False):
        hidden = self.norm(self.first(x), training=training)
        self.add_loss(hidden.square().mean())
        return x + self.gain * self.last(hidden)


class KerasBlock(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.first = keras.layers.Dense(units, activation="tanh")
        self.norm = keras.layers.BatchNormalization()

    def build(self, input_shape):
        self.gain = self.add_weight(shape=(1,), initializer="ones", name="gain")
        self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False, name="seen")
        self.first.build(input_shape)
        self.norm.build((None, self.first.units))
        self.last = keras.layers.Dense(input_shape[-1])
        self.last.build((None, self.first.units))

    def call(self, x, training=False):
        hidden = self.norm(self.first(x), training=training)
        self.add_loss(keras.ops.mean(keras.ops.square(hidden)))
        return x + self.gain * self.last(hidden)


@pytest.mark.parametrize("training", [False, True])
def test_layer_of_layers(training):
    keras.utils.set_random_seed(1)
    ours, theirs = OurBlock(4, name="block"), KerasBlock(4, name="block")
    x = torch.tensor(draw(MATRIX)[0])
    for layer in (ours, theirs):
        layer(x)
    for attribute in ("weights", "trainable_weights", "non_trainable_weights"):
        names = [[w.name for w in getattr(layer, attribute)] for layer in (ours, theirs)]
        assert names[0] == names[1]
    ours.set_weights(theirs.get_weights())
    assert_same(
        run(ours, [x.numpy()], MATRIX, training=training), run(theirs, [x.numpy()], MATRIX, training=training)
    )
    assert_same(ours.get_weights(), theirs.get_weights())
    for layer in (ours, theirs):
        layer.norm.trainable = False
    for attribute in ("trainable_weights", "non_trainable_weights"):
        names = [[w.name for w in getattr(layer, attribute)] for layer in (ours, theirs)]
        assert names[0] == names[1]


def test_every_public_layer_is_compared():
    """A layer that is added to the package must be added to the grid above."""
    compared = {row[0] for row in CASES}
    not_computing = {"Layer", "InputLayer", "TorchModuleWrapper", "InputSpec", "Wrapper"}
    classes = [getattr(layers, name) for name in dir(layers) if isinstance(getattr(layers, name), type)]
    public = {cls.__name__ for cls in classes}
    assert public - not_computing == compared | COMPARED_ELSEWHERE
