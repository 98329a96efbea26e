"""One contract for every public layer: config, shapes, copies, dtypes and a step of training."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
from typing import Any

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers
from kerasish.arrays import to_tensor
from kerasish.models import kept_steps
from kerasish.serialization import deserialize_keras_object, serialize_keras_object
from tests.contracts.layer_samples import SAMPLES, Sample

NOT_A_LAYER_BY_ITSELF = {"Layer", "Wrapper", "GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells"}
CASES = [(name, sample) for name, samples in SAMPLES.items() for sample in samples]
IDS = [f"{name}-{samples.index(sample)}" for name, samples in SAMPLES.items() for sample in samples]
FIRST = [(name, samples[0]) for name, samples in SAMPLES.items()]  # for what takes long
BATCH = 6


def public_layers() -> set[str]:
    values = [getattr(layers, name) for name in dir(layers)]
    classes = {value.__name__: value for value in values if inspect.isclass(value)}
    return {name for name, cls in classes.items() if issubclass(cls, layers.Layer)} - NOT_A_LAYER_BY_ITSELF


def test_every_public_layer_has_a_sample():
    assert set(SAMPLES) == public_layers()


def arranged(sample: Sample, one: Any) -> Any:
    """What `one` makes of each shape: alone, in a list, or in a tuple of several arguments."""
    if isinstance(sample.shape, dict):
        return tuple(one(shape) for shape in sample.shape.values())
    return [one(shape) for shape in sample.shape] if isinstance(sample.shape, list) else one(sample.shape)


def values(sample: Sample) -> Any:
    rng = np.random.default_rng(0)

    def one(shape):
        if sample.dtype == "string":
            return to_tensor(rng.choice(["a", "b", "c", "other"], (BATCH, *shape)), text=True)
        return torch.from_numpy((rng.random((BATCH, *shape)) * 3 + sample.lowest).astype(sample.dtype))

    return arranged(sample, one)


def symbolic(sample: Sample) -> Any:
    return arranged(sample, lambda shape: keras.Input(shape, dtype=sample.dtype))


def called(layer: layers.Layer, inputs: Any, **arguments) -> Any:
    return layer(*inputs, **arguments) if isinstance(inputs, tuple) else layer(inputs, **arguments)


def made(name: str, sample: Sample, /, **arguments) -> layers.Layer:
    keras.utils.set_random_seed(0)
    given = {key: copy.deepcopy(value) for key, value in sample.arguments.items()}
    layer = getattr(layers, name)(**{**given, **arguments})
    if sample.adapt:
        layer.adapt(values(sample).numpy())
    return layer.eval()  # image layers augment in a bare call unless told otherwise


def assert_equal_outputs(a: Any, b: Any) -> None:
    for x, y in zip(keras.tree.flatten(a), keras.tree.flatten(b), strict=True):
        if isinstance(x, np.ndarray):
            np.testing.assert_array_equal(x, y)
        else:
            torch.testing.assert_close(x, y)


@pytest.mark.parametrize(("name", "sample"), CASES, ids=IDS)
def test_config_round_trip(name, sample):
    layer = made(name, sample)
    called(layer, values(sample))
    if not sample.has_config:
        with pytest.raises(NotImplementedError, match=r"cannot describe"):
            layer.get_config()
        return
    text = json.dumps(serialize_keras_object(layer))
    twin = deserialize_keras_object(json.loads(text)).eval()
    assert type(twin) is type(layer) and twin.name == layer.name
    assert json.dumps(serialize_keras_object(twin)) == text
    left_out = NOT_IN_CONFIGS | NOT_IN_CONFIG_OF.get(name, set())
    assert set(inspect.signature(type(layer)).parameters) - {"kwargs", "module"} - left_out <= set(
        layer.get_config()
    ) | {"kwargs"}
    twin.set_weights(layer.get_weights())
    assert_equal_outputs(called(twin, values(sample)), called(layer, values(sample)))


NOT_IN_CONFIGS = {
    "lora_rank", "lora_alpha", "activity_regularizer", "renorm", "renorm_clipping", "renorm_momentum",
    "shape", "batch_size", "input_tensor",
    "weights", "gptq_unpacked_column_size", "flash_attention", "output_shape", "mask", "sparse", "use_cudnn",
}  # fmt: skip
NOT_IN_CONFIG_OF = {  # as in Keras
    "SimpleRNN": {"seed"}, "MaxNumBoundingBoxes": {"fill_value"}, "RandomGrayscale": {"seed"},
}  # fmt: skip


@pytest.mark.parametrize(("name", "sample"), CASES, ids=IDS)
def test_inferred_shape_is_the_real_one(name, sample):
    layer = made(name, sample)
    real = [tuple(x.shape) for x in keras.tree.flatten(called(layer, values(sample)))]
    inferred = [x.shape for x in keras.tree.flatten(called(made(name, sample), symbolic(sample)))]
    assert [shape[1:] for shape in inferred] == [shape[1:] for shape in real]
    assert all(shape[0] in (None, BATCH) for shape in inferred)
    shapes = arranged(sample, lambda shape: (None, *shape))
    several = shapes if isinstance(sample.shape, dict) else (shapes,)
    assert made(name, sample).compute_output_shape(*several)[1:] == real[0][1:]
    dtypes = {x.dtype for x in keras.tree.flatten(called(layer, values(sample)))}
    symbolic_dtypes = {x.dtype for x in keras.tree.flatten(called(made(name, sample), symbolic(sample)))}
    assert {str(d).removeprefix("torch.") for d in dtypes} == symbolic_dtypes


@pytest.mark.parametrize(("name", "sample"), CASES, ids=IDS)
@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["copy", "pickle"]
)
@pytest.mark.parametrize("is_built", [True, False], ids=["built", "unbuilt"])
def test_copies(name, sample, copied, is_built):
    layer = made(name, sample)
    if is_built:
        called(layer, values(sample))
    twin = copied(layer)
    assert type(twin) is type(layer) and twin.name == layer.name and twin.built == layer.built
    if is_built:
        assert_equal_outputs(called(twin, values(sample)), called(layer, values(sample)))
        assert not {id(w) for w in twin.weights} & {id(w) for w in layer.weights}


@pytest.mark.parametrize(("name", "sample"), [c for c in CASES if not c[1].keeps_dtype])
@pytest.mark.parametrize(
    ("policy", "compute", "variable"),
    [
        ("float64", torch.float64, torch.float64),
        ("mixed_bfloat16", torch.bfloat16, torch.float32),
        ("mixed_float16", torch.float16, torch.float32),
    ],
)
def test_dtype_policy(name, sample, policy, compute, variable):
    if name == "InputLayer":
        return
    layer = made(name, sample, dtype=policy)
    output = called(layer, values(sample))
    assert output.dtype is compute
    assert {w.dtype for w in layer.weights if w.is_floating_point()} <= {variable}
    plain = made(name, sample)
    called(plain, values(sample))
    layer.set_weights(plain.get_weights())
    tolerance = 1e-5 if compute is torch.float64 else 0.05
    expected = called(plain, values(sample)).to(compute)
    torch.testing.assert_close(called(layer, values(sample)), expected, rtol=tolerance, atol=tolerance * 4)


def model_around(name: str, sample: Sample) -> keras.Model:
    layer = made(name, sample)
    inputs = layer.output if name == "InputLayer" else symbolic(sample)
    return keras.Model(inputs, inputs if name == "InputLayer" else called(layer, inputs))


@pytest.mark.parametrize(("name", "sample"), FIRST, ids=list(SAMPLES))
def test_saved_in_a_model(name, sample, tmp_path):
    model = model_around(name, sample)
    given = values(sample)
    if not sample.has_config:
        with pytest.raises(NotImplementedError, match=r"cannot describe"):
            model.save(tmp_path / "model.keras")
        return
    model.save(tmp_path / "model.keras")
    twin = keras.models.load_model(tmp_path / "model.keras")
    assert [w.name for w in twin.weights] == [w.name for w in model.weights]
    assert_equal_outputs(twin(given, training=False), model(given, training=False))


NOT_COMPILED_WHOLE = {
    "Hashing": "strings are NumPy arrays, hashed in Python",
    "HashedCrossing": "strings are NumPy arrays, hashed in Python",
    "StringLookup": "strings are NumPy arrays, looked up in Python",
    "TextVectorization": "texts are split in Python",
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "sample"), FIRST, ids=list(SAMPLES))
def test_compiles_into_one_graph(name, sample):
    if name in NOT_COMPILED_WHOLE and sample.dtype == "string":
        return
    layer = made(name, sample)
    given = values(sample)
    expected = called(layer, given)
    torch._dynamo.reset()
    compiled = torch.compile(lambda *inputs: layer(*inputs), fullgraph=True, backend="eager")
    assert_equal_outputs(called(compiled, given), expected)


@pytest.mark.parametrize(("name", "sample"), CASES, ids=IDS)
def test_modes_give_finite_values_and_leave_the_input_alone(name, sample):
    layer = made(name, sample)
    given = values(sample)
    before = copy.deepcopy(given)
    for training in (False, True):
        output = called(layer, given, training=training)
        assert all(torch.isfinite(x).all() for x in keras.tree.flatten(output))
    assert_equal_outputs(given, before)
    assert not layer.training


@pytest.mark.parametrize(
    ("name", "sample", "run_eagerly"),
    [(*case, False) for case in CASES] + [(*case, True) for case in FIRST],
    ids=[f"{case}-recorded" for case in IDS] + [f"{name}-eager" for name in SAMPLES],
)
def test_training_lowers_the_loss(name, sample, run_eagerly):
    layer = made(name, sample)
    inputs = layer.output if name == "InputLayer" else symbolic(sample)
    x = layers.Flatten()(inputs if name == "InputLayer" else called(layer, inputs))
    model = keras.Model(inputs, layers.Dense(1)(x))
    model.compile(keras.optimizers.Adam(0.02), "mse", run_eagerly=run_eagerly)
    y = np.linspace(0, 1, BATCH)
    history = model.fit(values(sample), y, batch_size=3, epochs=30, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert history[-1] < history[0]


@pytest.mark.parametrize(("name", "sample"), FIRST, ids=list(SAMPLES))
def test_steps_of_an_earlier_model_train_the_next_as_its_own_do(name, sample):
    def train(seed):
        layer = made(name, sample)
        inputs = layer.output if name == "InputLayer" else symbolic(sample)
        x = layers.Flatten()(inputs if name == "InputLayer" else called(layer, inputs))
        model = keras.Model(inputs, layers.Dense(1)(x))
        keras.utils.set_random_seed(seed)
        for weight in model.trainable_weights:
            weight.data.add_(0.01 * torch.rand(weight.shape))
        model.compile(keras.optimizers.Adam(0.01 * seed), "mse", metrics=["mae"])
        with kept_steps.reused_steps(model):
            model.fit(values(sample), np.linspace(0, 1, BATCH), batch_size=3, epochs=3, verbose=0)
        return model

    kept_steps.forget()
    expected = train(seed=2)
    kept_steps.forget()
    earlier = train(seed=1)
    weights = earlier.get_weights()
    model = train(seed=2)
    assert model.history.history == expected.history.history
    for ours, theirs in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for now, before in zip(earlier.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(now, before)
    kept_steps.forget()


@pytest.mark.parametrize(("name", "sample"), CASES, ids=IDS)
def test_gradients_reach_the_weights_and_the_input(name, sample):
    layer = made(name, sample)
    given = values(sample)
    called(layer, given)
    leaves = [x.requires_grad_() for x in keras.tree.flatten(given) if x.is_floating_point()]
    output = called(layer, given, training=True)
    weights = layer.trainable_weights
    outputs = keras.tree.flatten(output)
    if not (leaves or weights) or not (weights or any(x.requires_grad for x in outputs)):
        return
    loss = sum((x.double() ** 3).sum() for x in outputs)
    gradients = torch.autograd.grad(loss, [*weights, *leaves])
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    assert all(gradient.abs().sum() > 0 for gradient in gradients[: len(weights)])


@pytest.mark.parametrize(("name", "sample"), CASES, ids=IDS)
def test_looks_and_unknown_arguments(name, sample):
    layer = made(name, sample, name="mine")
    assert repr(layer) == f"<{name} name=mine, built={layer.built}>"
    with pytest.raises((TypeError, ValueError), match=r"colour"):
        made(name, sample, colour=3)


@pytest.mark.parametrize(("name", "sample"), CASES, ids=IDS)
def test_docstring(name, sample):
    text = inspect.getdoc(getattr(layers, name))
    assert text and text.splitlines()[0].endswith((".", ":"))
