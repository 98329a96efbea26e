"""Files that tf_keras wrote (see compat/legacy_files) load with its predictions, and its training goes on."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers

FILES = Path(__file__).parents[2] / "compat" / "legacy_files"
OPTIMIZERS = sorted(path.stem for path in FILES.glob("optimizer_*.h5"))
LAYER_INPUTS = ((6,), (6, 4), (5, 6, 2), (4, 4, 4, 2))


@pytest.fixture(scope="module")
def expected():
    with np.load(FILES / "expected.npz") as arrays:
        return {key.replace("|", "/"): arrays[key] for key in arrays.files}


def data(shape, records=4, integers=False):
    """The same as in the script that wrote the files."""
    rng = np.random.default_rng(sum(shape) + 7)
    if integers:
        return rng.integers(0, 7, (records, *shape)).astype("int32")
    return rng.normal(size=(records, *shape)).astype("float32")


def load(name, ending=".h5", **kwargs):
    return keras.models.load_model(FILES / f"{name}{ending}", **kwargs)


def assert_predicts(model, inputs, expected, name, tolerance=2e-5):
    outputs = model.predict(inputs, verbose=0)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    for number, output in enumerate(outputs):
        np.testing.assert_allclose(output, expected[f"{name}/{number}"], rtol=tolerance * 10, atol=tolerance,
                                   err_msg=f"{name}/{number}: {model.output_names[number]}")  # fmt: skip
    assert f"{name}/{len(outputs)}" not in expected


X = data((4,))
INPUTS = {
    "functional": X,
    "frozen": X,
    "convolutional": data((8, 8, 2)),
    "recurrent": data((5,), integers=True),
    "operations": X,
    "cudnn": data((5, 4)),
    "every_layer": [data(shape) for shape in LAYER_INPUTS],
}


@pytest.mark.parametrize("name", INPUTS)
def test_models_predict_as_they_did(name, expected):
    assert_predicts(load(name), INPUTS[name], expected, name)


@pytest.mark.parametrize("name", ["functional", "recurrent", "every_layer"])
def test_archives_of_keras_2_predict_as_they_did(name, expected):
    assert_predicts(load(name, ".keras"), INPUTS[name], expected, name)


@pytest.mark.parametrize("ending", [".h5", ".keras"])
def test_mixed_precision(expected, ending):
    model = load("mixed", ending)
    assert model.layers[0].dtype_policy.name == "mixed_float16"
    assert type(model.optimizer).__name__ == "LossScaleOptimizer"
    assert_predicts(model, X, expected, "mixed", tolerance=5e-3)


@pytest.mark.parametrize(
    ("name", "ending"),
    [(name, ".h5") for name in OPTIMIZERS]
    + [(name, ".keras") for name in OPTIMIZERS if name.endswith("_new")],
)
def test_training_goes_on(name, ending, expected):
    model = load(name, ending)
    x, y = data((3,)), data((2,))
    np.testing.assert_allclose(model.predict(x, verbose=0), expected[f"{name}/0"], atol=1e-5)
    assert int(model.optimizer.iterations) == 2
    losses = [model.train_on_batch(x, y) for _ in range(2)]
    # Keras 2's Nadam follows another formula, and does not save all of its state.
    np.testing.assert_allclose(losses, expected[f"{name}/losses"], rtol=2e-3 if "Nadam" in name else 2e-5)


@pytest.mark.parametrize("ending", [".h5", ".keras"])
def test_training_of_a_model_of_several_outputs_goes_on(ending, expected):
    model = load("functional", ending)
    assert isinstance(model.optimizer.learning_rate, torch.Tensor)
    y = [data((2,)), data((1,), integers=True) % 2]
    losses = [model.train_on_batch(X, y)[0] for _ in range(2)]
    np.testing.assert_allclose(losses, expected["functional/losses"], rtol=1e-4)
    assert load("functional", ending, compile=False).optimizer is None


def test_what_was_compiled():
    model = load("convolutional")
    assert type(model.optimizer).__name__ == "RMSprop" and model.optimizer.decay == pytest.approx(0.1)
    assert type(model.loss).__name__ == "Huber" and int(model.optimizer.iterations) == 1
    result = model.evaluate(data((8, 8, 2)), data((2,)), verbose=0, return_dict=True)
    assert set(result) == {"loss", "mse"}


def test_structure_is_kept():
    model = load("frozen")
    assert [layer.name for layer in model.layers if layer.weights] == [
        "first",
        "shared",
        "inner",
        "stack",
        "bn",
        "out",
        "side",
    ]
    assert not model.get_layer("inner").trainable and not model.get_layer("inner").trainable_weights
    assert model.get_layer("shared").kernel_regularizer.l2 == pytest.approx(0.01)


@pytest.mark.parametrize("name", ["functional", "convolutional"])
def test_json_and_weights_apart(name, expected):
    model = keras.models.model_from_json((FILES / f"{name}.json").read_text())
    assert not model.optimizer
    weights = "functional_weights.h5" if name == "functional" else f"{name}.h5"
    model.load_weights(FILES / weights)
    assert_predicts(model, INPUTS[name], expected, "frozen" if name == "functional" else name)


def test_json_of_keras_3_stays_as_it_is():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, activation="hard_sigmoid")])
    model.compile("adam", "mse")
    again = keras.models.model_from_json(model.to_json())
    assert again.get_config() == model.get_config() and again.compiled
    assert keras.activations.serialize(again.layers[0].activation) == "hard_sigmoid"


# Archives of Keras 2 --------------------------------------------------------------------------------------------


@keras.saving.register_keras_serializable("tests")
class Parts(keras.Model):
    """The same as in the script that wrote the file."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.zeta = layers.Dense(3)
        self.alpha = layers.Dense(3)
        self.blocks = [layers.Dense(3), layers.Dense(3)]
        self._private = layers.Dense(3)
        self.stack = keras.Sequential([layers.Dense(3), layers.ReLU(), layers.Dense(3)])

    def call(self, x):
        for layer in (self.zeta, self.alpha, *self.blocks, self._private, self.stack):
            x = layer(x)
        return x

    def get_config(self):
        return {}


@pytest.mark.parametrize("version", ["2_13", "2_21"])
def test_subclassed_models_in_archives_go_on_as_they_were(version):
    model = load(f"subclassed_{version}", ".keras")
    with np.load(FILES / f"subclassed_{version}.npz") as arrays:
        x, y, outputs, losses = (arrays[name] for name in ("x", "y", "outputs", "losses"))
    np.testing.assert_allclose(model.predict(x, verbose=0), outputs, atol=1e-6)
    np.testing.assert_allclose([model.train_on_batch(x, y)[0] for _ in range(2)], losses, rtol=1e-5)


@pytest.mark.parametrize("version", ["2_13", "2_21"])
def test_weights_alone_of_archives_of_keras_2(version, tmp_path):
    """Neither `.weights.h5` files nor weights out of an archive say which Keras wrote them."""
    parts = Parts()
    parts(np.zeros((1, 3), "float32"))
    with zipfile.ZipFile(FILES / f"subclassed_{version}.keras") as archive:
        (tmp_path / "m.weights.h5").write_bytes(archive.read("model.weights.h5"))
    parts.load_weights(tmp_path / "m.weights.h5")
    with np.load(FILES / f"subclassed_{version}.npz") as arrays:
        np.testing.assert_allclose(parts.predict(arrays["x"], verbose=0), arrays["outputs"], atol=1e-6)


# Weights by order and by name -------------------------------------------------------------------------------------


def small(first="d", units=2):
    return keras.Sequential(
        [keras.Input((3,)), layers.Dense(units, name=first), layers.Dense(3, name="other")]
    )


def test_weights_by_name():
    file = FILES / "optimizer_Adam_new.h5"
    model = small()
    kept = model.layers[1].get_weights()
    model.load_weights(file, by_name=True)
    with h5py.File(file) as opened:
        np.testing.assert_array_equal(model.layers[0].get_weights()[0], opened["model_weights/d/d/kernel:0"])
    for a, b in zip(model.layers[1].get_weights(), kept, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match="No layer of model .* has a name"):
        small("e").load_weights(file, by_name=True)


def test_weights_that_do_not_fit():
    file = FILES / "optimizer_Adam_new.h5"
    with pytest.raises(
        ValueError, match=r"weights for 1 layers, model 'sequential\w*' has 2 layers with weights"
    ):
        small().load_weights(file)
    model = small(units=4)
    before = model.get_weights()
    message = (
        r"Layer 'd' \(Dense\): weight 'kernel' must have shape \(3, 4\)\. Received: \(3, 2\) in the file"
    )
    with pytest.raises(ValueError, match=message):
        model.load_weights(file, by_name=True)
    with pytest.warns(UserWarning, match="They keep their values"):
        model.load_weights(file, by_name=True, skip_mismatch=True)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_layout_counts_and_not_the_ending(tmp_path):
    shutil.copy(FILES / "optimizer_Adam_new.h5", tmp_path / "m.weights.h5")
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    model.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(model.get_weights()[0], load("optimizer_Adam_new").get_weights()[0])
    model.save_weights(tmp_path / "new.weights.h5")
    (tmp_path / "new.weights.h5").rename(tmp_path / "new.h5")
    with pytest.raises(ValueError, match=r"end in `\.weights\.h5`"):
        model.load_weights(tmp_path / "new.h5")


def test_subclassed_models_take_weights(tmp_path):
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.d = layers.Dense(2, name="d")

        def call(self, x):
            return self.d(x)

    net = Net()
    net.predict(np.zeros((1, 3), "float32"), verbose=0)
    net.load_weights(FILES / "optimizer_SGD_new.h5")
    np.testing.assert_array_equal(net.get_weights()[0], load("optimizer_SGD_new").get_weights()[0])


def names(group, attribute):
    return [name.decode() if isinstance(name, bytes) else name for name in group.attrs[attribute]]


@pytest.mark.parametrize("name", ["m.h5", "m.hdf5", "m"])
def test_weights_are_written_as_keras_2_did(tmp_path, name):
    model = load("functional")
    model.save_weights(tmp_path / name, **({} if "." in name else {"save_format": "h5"}))
    with h5py.File(tmp_path / name) as ours, h5py.File(FILES / "functional_weights.h5") as theirs:
        assert set(ours.attrs) == set(theirs.attrs)
        assert set(ours) == set(theirs) == {*names(theirs, "layer_names"), "top_level_model_weights"}
        assert names(ours, "layer_names") == names(theirs, "layer_names")
        for layer in theirs:
            written, expected = (names(file[layer], "weight_names") for file in (ours, theirs))
            assert [name.split("/")[-2:] for name in written] == [name.split("/")[-2:] for name in expected]
            for a, b in zip(written, expected, strict=True):
                assert ours[layer][a].shape == theirs[layer][b].shape
    for arguments in ({}, {"by_name": True}):
        again = keras.models.clone_model(model)
        again.load_weights(tmp_path / name, **arguments)
        np.testing.assert_array_equal(again.predict(X, verbose=0)[0], model.predict(X, verbose=0)[0])


def test_hdf5_under_any_name_as_in_keras_2(tmp_path, expected):
    """Keras 2 wrote it with `save_format="h5"`, and until 2.11 for names in `.keras`."""
    model = load("functional")
    model.save(tmp_path / "model", save_format="h5")
    shutil.copy(FILES / "functional.h5", tmp_path / "old.keras")
    for name in ("model", "old.keras"):
        assert_predicts(keras.models.load_model(tmp_path / name), X, expected, "functional")
        model.load_weights(tmp_path / name, by_name=True)


def test_checkpoints_of_weights_as_in_keras_2(tmp_path):
    model = small()
    model.compile("sgd", "mse")
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch:02d}.hdf5", save_weights_only=True)
    model.fit(np.ones((4, 3)), np.ones((4, 3)), epochs=2, verbose=0, callbacks=[checkpoint])
    again = small()
    again.load_weights(tmp_path / "02.hdf5", by_name=True)
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])
    assert len(list(tmp_path.iterdir())) == 2


# What is refused --------------------------------------------------------------------------------------------------


def test_lambdas_run_only_when_trusted(expected):
    with pytest.raises(ValueError, match="safe_mode=False"):
        load("lambda")
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, name="d"), layers.Lambda(lambda t: t * 2 + 1)]
    )
    model.load_weights(FILES / "lambda.h5", by_name=True)
    assert_predicts(model, X, expected, "lambda")


def test_functions_of_tensorflow_without_a_counterpart_are_named(tmp_path):
    shutil.copy(FILES / "operations.h5", tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        file.attrs["model_config"] = file.attrs["model_config"].replace(
            '"function": "nn.relu"', '"function": "nn.rleu"'
        )
    with pytest.raises(
        ValueError, match=r"'nn\.rleu' of the file \('tf\.nn\.relu'\).*Did you mean 'nn\.relu'"
    ):
        keras.models.load_model(tmp_path / "m.h5")


@pytest.mark.parametrize(("key", "value"), [("time_major", True), ("groups", 2)])
def test_arguments_that_cannot_be_honoured(key, value):
    name = "LSTM" if key == "time_major" else "DepthwiseConv2D"
    config = {
        "class_name": name,
        "config": {"name": "x", **({"units": 2} if name == "LSTM" else {"kernel_size": 2}), key: value},
    }
    text = json.dumps({"class_name": "Sequential", "config": {"layers": [config]}, "keras_version": "2.3.0"})
    with pytest.raises(ValueError, match=f"{key}={value} of layer 'x' .* has no counterpart"):
        keras.models.model_from_json(text)


def test_tensorflow_formats_say_how_to_convert(tmp_path):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").touch()
    (tmp_path / "ckpt.index").touch()
    for read in (keras.models.load_model, small().load_weights):
        with pytest.raises(ValueError, match=r"SavedModel of TensorFlow.*save it again"):
            read(tmp_path / "saved")
    for read in (keras.models.load_model, small().load_weights):
        with pytest.raises(ValueError, match=r"checkpoint of TensorFlow.*save it again"):
            read(tmp_path / "ckpt")


# Keras 1 and the first Keras 2 ------------------------------------------------------------------------------------


def test_json_of_keras_1():
    config = [
        {"class_name": "Convolution2D", "config": {
            "name": "c", "batch_input_shape": [None, 6, 6, 1], "nb_filter": 2, "nb_row": 3, "nb_col": 2,
            "border_mode": "same", "dim_ordering": "tf", "subsample": [2, 2], "init": "normal", "bias": True,
            "activation": "relu", "W_regularizer": None, "trainable": True}},
        {"class_name": "Dropout", "config": {"name": "p", "p": 0.25}},
        {"class_name": "Flatten", "config": {"name": "f"}},
        {"class_name": "Dense", "config": {"name": "d", "output_dim": 3, "init": "glorot_uniform", "bias": False}},
    ]  # fmt: skip
    model = keras.models.model_from_json(
        json.dumps({"class_name": "Sequential", "config": config, "keras_version": "1.2.2"})
    )
    convolution, dropout, _, dense = model.layers
    assert (
        convolution.kernel.shape == (3, 2, 1, 2)
        and convolution.strides == (2, 2)
        and convolution.padding == "same"
    )
    assert dropout.rate == 0.25
    assert dense.units == 3 and not dense.use_bias and model.output_shape == (None, 3)


def legacy_weights(path, version, backend, name, arrays):
    with h5py.File(path, "w") as file:
        file.attrs.update(
            {"keras_version": version, "backend": backend, "layer_names": np.array([name.encode()])}
        )
        group = file.create_group(name)
        names = [f"{name}_{i}" for i in range(len(arrays))]
        group.attrs["weight_names"] = np.array([n.encode() for n in names])
        for weight, array in zip(names, arrays, strict=True):
            group[weight] = array
    return path


def one_layer(shape, layer):
    return keras.Sequential([keras.Input(shape), layer])


def test_gates_of_keras_1_are_put_together(tmp_path):
    rng = np.random.default_rng(0)
    for kind, gates, order in (("LSTM", "icfo", "ifco"), ("GRU", "zrh", "zrh")):
        parts = {g: [rng.normal(size=s).astype("float32") for s in ((4, 2), (2, 2), (2,))] for g in gates}
        arrays = [array for g in gates for array in parts[g]]
        arguments = {"reset_after": False} if kind == "GRU" else {}
        model = one_layer((5, 4), getattr(layers, kind)(2, name="r", **arguments))
        model.load_weights(legacy_weights(tmp_path / f"{kind}.h5", "1.2.2", "tensorflow", "r", arrays))
        for i, weight in enumerate(model.get_weights()):
            np.testing.assert_array_equal(weight, np.concatenate([parts[g][i] for g in order], axis=-1))


def test_kernels_of_theano_are_turned_round(tmp_path):
    kernel, bias = np.arange(24.0).reshape(2, 3, 2, 2).astype("float32"), np.zeros(2, "float32")
    model = one_layer((6, 6, 2), layers.Conv2D(2, (2, 3), name="c"))
    model.load_weights(legacy_weights(tmp_path / "m.h5", "2.0.8", "theano", "c", [kernel, bias]))
    np.testing.assert_array_equal(model.get_weights()[0], kernel[::-1, ::-1])


def test_cudnn_needs_reset_after(tmp_path):
    arrays = [np.zeros(s, "float32") for s in ((4, 6), (2, 6), (12,))]
    model = one_layer((5, 4), layers.GRU(2, reset_after=False, name="g"))
    with pytest.raises(ValueError, match=r"Layer 'g' .*`reset_after=True` only"):
        model.load_weights(legacy_weights(tmp_path / "m.h5", "2.2.4", "tensorflow", "g", arrays))
