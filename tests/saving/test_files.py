"""Weights and whole models of kerasish itself: what comes back, what is refused, and what a failure leaves behind."""

from __future__ import annotations

import errno
import io
import json
import pickle
import warnings
import zipfile

import h5py
import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers
from kerasish.saving import hdf5

X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")


def make(units=3, **compile_arguments):
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(units, name="hidden"), layers.Dense(2, name="out")]
    )
    if compile_arguments:
        model.compile(**compile_arguments)
    return model


def predict(model):
    return model.predict(X, verbose=0)


@keras.saving.register_keras_serializable("tests")
class Odd(layers.Layer):
    """State of every kind that torch has beside a layer's own variables."""

    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.plain = torch.nn.Parameter(torch.zeros(units))
        self.register_buffer("kept", torch.zeros(units))
        self.register_buffer("scratch", torch.zeros(units), persistent=False)
        self.listed = [keras.Variable(np.zeros(units, "float32"))]

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")

    def call(self, x):
        return x @ self.kernel + self.plain + self.kept + self.listed[0]


@keras.saving.register_keras_serializable("tests")
class Vocabulary(layers.Layer):
    """Keeps words, in a file of its own."""

    def __init__(self, words=(), **kwargs):
        super().__init__(**kwargs)
        self.words = list(words)

    def call(self, x):
        return x

    def get_config(self):
        return layers.Layer.get_config(self)

    def save_assets(self, directory):
        with open(directory + "/words.txt", "w") as file:
            file.write("\n".join(self.words))

    def load_assets(self, directory):
        with open(directory + "/words.txt") as file:
            self.words[:] = file.read().split("\n")


def test_state_of_torch_comes_back(tmp_path):
    model = keras.Sequential([keras.Input((4,)), Odd()])
    odd = model.layers[0]
    with torch.no_grad():
        for i, tensor in enumerate((odd.plain, odd.kept, odd.scratch, odd.listed[0])):
            tensor.fill_(i + 1.0)
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(predict(loaded), predict(model))
    other = loaded.layers[0]
    assert [t[0].item() for t in (other.plain, other.kept, other.scratch, other.listed[0])] == [1, 2, 0, 4]


def test_layers_bring_files_of_their_own(tmp_path):
    model = keras.Sequential([keras.Input((4,)), Vocabulary(["a", "b"]), layers.Dense(2)])
    for path, zipped in ((tmp_path / "m.keras", None), (tmp_path / "m", False)):
        model.save(path, zipped=zipped)
        assert keras.models.load_model(path).layers[0].words == ["a", "b"]


def test_seeded_dropout_goes_on_in_its_sequence(tmp_path):
    model = keras.Sequential([keras.Input((50,)), layers.Dropout(0.5, seed=3)])
    x = torch.ones(2, 50)
    model(x, training=True)
    model.save(tmp_path / "m.keras")
    expected = [model(x, training=True) for _ in range(2)]
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert all(torch.equal(loaded(x, training=True), value) for value in expected)
    with h5py.File(io.BytesIO(zipfile.ZipFile(tmp_path / "m.keras").read("model.weights.h5"))) as file:
        assert file["layers/dropout/seed_generator/vars/0"][()].tolist() == [3, 0]


def test_seeds_of_older_keras_files_are_taken(tmp_path):
    def dropout(seed):
        return keras.Sequential([keras.Input((50,)), layers.Dropout(0.5, seed=seed)])

    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        file["layers/dropout/seed_generator/vars/0"] = np.array([9, 4], "uint32")
    model = dropout(1)
    model(torch.ones(2, 50), training=True)
    model.load_weights(tmp_path / "m.weights.h5")
    x = torch.ones(2, 50)
    assert torch.equal(model(x, training=True), dropout(9)(x, training=True))


def test_compilation_comes_back_or_is_left_out(tmp_path):
    model = make(optimizer=keras.optimizers.Adam(0.25), loss=keras.losses.Huber(0.5), metrics=["mae"])
    model.fit(X, X[:, :2], verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    assert loaded.evaluate(X, X[:, :2], verbose=0) == model.evaluate(X, X[:, :2], verbose=0)
    assert int(loaded.optimizer.iterations) == 1
    assert not keras.models.load_model(tmp_path / "m.keras", compile=False).compiled
    model.save(tmp_path / "m.keras", include_optimizer=False)
    assert not keras.models.load_model(tmp_path / "m.keras").compiled
    with h5py.File(io.BytesIO(zipfile.ZipFile(tmp_path / "m.keras").read("model.weights.h5"))) as file:
        assert "optimizer" not in file


def test_what_cannot_be_written_is_told(tmp_path):
    model = make(optimizer="sgd", loss=torch.nn.MSELoss())
    with pytest.warns(UserWarning, match="must be compiled again"):
        model.save(tmp_path / "m.keras")
    assert not keras.models.load_model(tmp_path / "m.keras").compiled
    with pytest.raises(ValueError, match="A lambda cannot be saved"):
        keras.Sequential([keras.Input((4,)), layers.Dense(2, activation=lambda x: x)]).save(
            tmp_path / "n.keras"
        )
    assert not (tmp_path / "n.keras").exists()


def test_custom_objects_are_asked_for(tmp_path):
    class Mine(layers.Layer):
        def call(self, x):
            return x * 2

    keras.Sequential([keras.Input((4,)), Mine()]).save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match=r"Could not find 'Mine'.*custom_objects"):
        keras.models.load_model(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras", custom_objects={"Mine": Mine})
    np.testing.assert_array_equal(predict(loaded), X * 2)


def test_weights_that_do_not_fit_change_nothing(tmp_path):
    make().save_weights(tmp_path / "m.weights.h5")
    other = make(units=5)
    before = other.get_weights()
    message = r"'hidden' \(Dense, at 'layers/dense'\): weight 'kernel' must have shape \(4, 5\)\. Received: \(4, 3\)"
    with pytest.raises(ValueError, match=message):
        other.load_weights(tmp_path / "m.weights.h5")
    for a, b in zip(other.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match="They keep their values"):
        other.load_weights(tmp_path / "m.weights.h5", skip_mismatch=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ([layers.Dense(3), layers.Dense(2, use_bias=False)], "has 1 weights of its own. Received: 2 arrays"),
        ([layers.Dense(3), layers.Dense(2), layers.Dense(2)], "at 'layers/dense_2'.* is not in the file"),
        ([layers.BatchNormalization(), layers.Dense(2)], "BatchNormalization.* is not in the file"),
    ],
)
def test_other_structures_are_named(tmp_path, change, message):
    make().save_weights(tmp_path / "m.weights.h5")
    with pytest.raises(ValueError, match=message):
        keras.Sequential([keras.Input((4,)), *change]).load_weights(tmp_path / "m.weights.h5")


def test_objects_to_skip(tmp_path):
    model, other = make(), make(units=5)
    keras.saving.save_weights(model, tmp_path / "m.weights.h5", objects_to_skip=[model.layers[1]])
    with pytest.raises(ValueError, match=r"'out'.* is not in the file"):
        make().load_weights(tmp_path / "m.weights.h5")
    fitting = make()
    fitting.load_weights(tmp_path / "m.weights.h5", objects_to_skip=[fitting.layers[1]])
    np.testing.assert_array_equal(fitting.get_weights()[0], model.get_weights()[0])
    with pytest.raises(ValueError, match="weight 'kernel'"):
        other.load_weights(tmp_path / "m.weights.h5", objects_to_skip=[other.layers[1]])


def test_the_optimizer_of_a_fresh_model_is_restored(tmp_path):
    model = make(optimizer="adam", loss="mse")
    model.fit(X, X[:, :2], epochs=2, verbose=0)
    model.save_weights(tmp_path / "m.weights.h5")
    fresh = make(optimizer="adam", loss="mse")
    fresh.load_weights(tmp_path / "m.weights.h5")
    for a, b in zip(fresh.optimizer.variables, model.optimizer.variables, strict=True):
        assert torch.equal(a, b)


def test_a_shared_layer_is_written_once(tmp_path):
    class Twice(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = layers.Dense(4)
            self.second = self.first
            self.itself = [self.first, [self.first]]

        def call(self, x):
            return self.second(self.first(x))

    model, other = Twice(), Twice()
    predict(model), predict(other)
    model.save_weights(tmp_path / "m.weights.h5")
    other.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(predict(other), predict(model))


def test_layers_shared_by_nested_models_stay_shared(tmp_path):
    """Keras itself writes such files and cannot read them: the layer's weights are there once."""
    shared, parts = layers.Dense(4, name="shared"), []
    for name in ("left", "right"):
        x = keras.Input((4,))
        parts.append(keras.Model(x, layers.Dense(2, name=f"{name}_out")(shared(x)), name=name))
    x = keras.Input((4,))
    model = keras.Model(x, layers.Add()([part(x) for part in parts]))
    model.compile("sgd", "mse")
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        assert archive.read("config.json").count(b"shared_object_id") == 2
    loaded = keras.models.load_model(tmp_path / "m.keras")
    left, right = (loaded.get_layer(name).get_layer("shared") for name in ("left", "right"))
    assert left is right
    assert len(loaded.weights) == len(model.weights) == 6
    for trained in (model, loaded):
        trained.fit(X, X[:, :2], batch_size=6, epochs=2, verbose=0)
    np.testing.assert_allclose(predict(loaded), predict(model), atol=1e-6)


def test_layers_written_under_another_attribute_are_found(tmp_path):
    class Before(keras.Model):
        def __init__(self):
            super().__init__()
            self.zeta = layers.Dense(2)

        def call(self, x):
            return self.zeta(x)

    class After(Before):
        def __init__(self):
            super().__init__()
            self.alpha = self.zeta

    before, after = Before(), After()
    predict(before), predict(after)
    before.save_weights(tmp_path / "m.weights.h5")
    after.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(predict(after), predict(before))


@pytest.mark.parametrize("moment", ["array", "flush", "replace"])
@pytest.mark.parametrize("name", ["m.keras", "m.h5", "m.weights.h5"])
def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch, name, moment):
    old = make()
    path = tmp_path / name
    write = (
        (lambda model: model.save_weights(path)) if "weights" in name else (lambda model: model.save(path))
    )
    write(old)
    whole = path.read_bytes()

    def fail(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    if name == "m.h5":
        array = (h5py.Group, "create_dataset")
    else:
        array = (hdf5.Writer, "put")
    place = {"array": array, "flush": (hdf5.os, "fsync"), "replace": (hdf5.os, "replace")}[moment]
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(*place, fail)
        write(make())
    assert path.read_bytes() == whole
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_existing_files_are_kept_when_asked(tmp_path, monkeypatch):
    model = make()
    for value, path, write in (
        (1.0, tmp_path / "m.keras", model.save),
        (2.0, tmp_path / "m.weights.h5", model.save_weights),
    ):
        write(path)
        before = path.read_bytes()
        with pytest.raises(FileExistsError, match="overwrite=True"), monkeypatch.context() as patch:
            patch.setattr("builtins.input", lambda _: (_ for _ in ()).throw(EOFError))
            write(path, overwrite=False)
        with monkeypatch.context() as patch:
            patch.setattr("builtins.input", lambda _: "n")
            model.layers[0].kernel.assign(torch.full((4, 3), value))
            write(path, overwrite=False)
            assert path.read_bytes() == before
            patch.setattr("builtins.input", lambda _: "y")
            write(path, overwrite=False)
            assert path.read_bytes() != before


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("m", "models are saved as `.keras`"),
        ("m.weights.h5", "models are saved as `.keras`"),
    ],
)
def test_formats_not_written(tmp_path, path, message):
    with pytest.raises(ValueError, match=message):
        make().save(tmp_path / path)


def test_formats_not_read(tmp_path):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").touch()
    for name in ("m.h5", "m.json", "m.pkl"):
        (tmp_path / name).write_bytes(b"?")
    load = keras.models.load_model
    for name, message in {
        "m.h5": "cannot be read as an HDF5 file", "m.json": "model_from_json", "m.pkl": "must end in '.keras'",
        "saved": "SavedModel",
    }.items():  # fmt: skip
        with pytest.raises(ValueError, match=message):
            load(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="There is no file"):
        load(tmp_path / "absent.keras")
    with pytest.raises(ValueError, match="cannot be read as an HDF5 file"):
        make().load_weights(tmp_path / "m.h5")
    with pytest.raises(FileNotFoundError, match="There is no file"):
        make().load_weights(tmp_path / "absent.weights.h5")
    with pytest.raises(ValueError, match="`by_name` works"):
        make().load_weights(tmp_path / "absent.weights.h5", by_name=True)


def test_wrong_arguments(tmp_path):
    model = make()
    unbuilt = keras.Sequential([layers.Dense(2)])
    for name in ("m", "m.keras", "m.ckpt"):
        with pytest.raises(
            ValueError, match=r"must end in '\.weights\.h5', or '\.h5'\. TensorFlow's checkpoints"
        ):
            model.save_weights(tmp_path / name)
    with pytest.raises(ValueError, match=r"`save_format` must be 'h5'.*Received: save_format='tf'"):
        model.save_weights(tmp_path / "m", save_format="tf")
    with pytest.raises(ValueError, match=r"must end in '.weights.json' with `max_shard_size`"):
        model.save_weights(tmp_path / "m.weights.h5", max_shard_size=1)
    with pytest.raises(ValueError, match="more than `max_shard_size`"):
        model.save_weights(tmp_path / "m.weights.json", max_shard_size=1e-9)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="cannot be saved before it is built"):
        unbuilt.save_weights(tmp_path / "m.weights.h5")
    with pytest.raises(ValueError, match="cannot be loaded before it is built"):
        unbuilt.load_weights(tmp_path / "m.weights.h5")
    with pytest.raises(ValueError, match="Unrecognized keyword"):
        model.save(tmp_path / "m.keras", signatures=None)
    with pytest.raises(ValueError, match="`save_format` must be 'keras'"):
        model.save(tmp_path / "m.keras", save_format="tf")
    with pytest.warns(UserWarning, match="before it is built"):
        unbuilt.save(tmp_path / "m.keras")


def test_a_model_that_was_not_compiled_loads_without_warnings(tmp_path):
    make().save(tmp_path / "m.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not keras.models.load_model(tmp_path / "m.keras").compiled


def test_models_made_by_load_can_be_pickled(tmp_path):
    model = make(optimizer="adam", loss="mse")
    model.save(tmp_path / "m.keras")
    again = pickle.loads(pickle.dumps(keras.models.load_model(tmp_path / "m.keras")))
    np.testing.assert_array_equal(predict(again), predict(model))


def test_metadata_names_the_format(tmp_path):
    make().save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        assert set(json.loads(archive.read("metadata.json"))) == {"keras_version", "date_saved"}
