"""Files that Keras writes load in kerasish with equal predictions and continue training equally, and the reverse."""

from __future__ import annotations

import types
import warnings

import h5py
import numpy as np
import pytest
import torch

import kerasish

keras = pytest.importorskip("keras")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:keras")

X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
Y = np.random.default_rng(1).normal(size=(8, 2)).astype("float32")
DIRECTIONS = [(keras, kerasish), (kerasish, keras), (kerasish, kerasish)]
IDS = ["Keras to kerasish", "kerasish to Keras", "kerasish to kerasish"]


def custom_objects(k):
    class Gate(k.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self._hidden = k.layers.Dense(units)
            self.many = [k.layers.Dense(units), [k.layers.Dense(units)]]
            self.named = {"b": k.layers.Dense(units), "a": k.layers.Dense(units)}
            self.pair = (k.layers.Dense(units), k.layers.BatchNormalization())

        def build(self, input_shape):
            self.scale = self.add_weight(shape=(self.units,), name="scale", initializer="ones")
            self.seen = self.add_weight(shape=(), name="seen", trainable=False, initializer="ones")
            for layer in (self._hidden, *self.many[:1], *self.many[1], *self.named.values(), *self.pair):
                layer.build(input_shape)

        def call(self, x, training=None):
            for layer in (self._hidden, *self.many[:1], *self.many[1], *self.named.values(), self.pair[0]):
                x = layer(x)
            x = self.pair[1](x, training=training)
            return x * self.scale * self.seen

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    class Net(k.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.zeta = Gate(4)
            self.alpha = Gate(4)
            self.again = self.alpha
            self.head = k.Sequential([k.layers.Dense(2, name="head_dense")], name="head")

        def call(self, x, training=None):
            return self.head(self.alpha(self.zeta(x, training=training), training=training))

        def get_config(self):
            return {"name": self.name}

    return {"Gate": Gate, "Net": Net}


def sequential(k):
    layers = k.layers
    return k.Sequential(
        [
            k.Input((4,)),
            layers.Dense(3, name="foo", activation="relu", kernel_regularizer=k.regularizers.L2(0.01)),
            layers.BatchNormalization(),
            layers.Dense(2, use_bias=False),
        ]
    )


def nested(k):
    layers = k.layers
    inner_input = k.Input((4,))
    inner = k.Model(inner_input, layers.Dense(4, activation="tanh")(inner_input), name="inner")
    x = k.Input((4,), name="x")
    shared = layers.Dense(4, name="shared")
    side = k.Sequential([k.Input((4,)), layers.Dense(4)], name="side")
    added = layers.Add()([inner(shared(x)), inner(shared(shared(x))), side(x)])
    return k.Model(x, layers.Dense(2, name="out")(added))


def subclassed(k):
    model = custom_objects(k)["Net"]()
    model(torch.zeros(1, 4))
    return model


def frozen(k):
    model = sequential(k)
    model.layers[1].trainable = False
    return model


def odd_types(k):
    return k.Sequential(
        [k.Input((4,)), k.layers.Dense(3, dtype="float64"), k.layers.Dense(2, dtype="bfloat16")]
    )


MODELS = [sequential, nested, subclassed, frozen, odd_types]


def compiled(k, make, optimizer="adam"):
    model = make(k)
    model.compile(optimizer, "mse", metrics=["mae"], jit_compile=False)
    return model


def predict(model):
    return np.asarray(model.predict(X, verbose=0), dtype="float64")


def train(model, epochs=2):
    return model.fit(X, Y, batch_size=4, epochs=epochs, shuffle=False, verbose=0).history


def values(variables):
    return [v.detach().float().numpy() if isinstance(v, torch.Tensor) else _array(v) for v in variables]


def _array(variable):
    value = keras.ops.convert_to_tensor(variable).detach()
    return value.float().numpy()


@pytest.mark.parametrize(("source", "target"), DIRECTIONS, ids=IDS)
@pytest.mark.parametrize("make", MODELS)
def test_whole_models_go_on_as_they_were(source, target, make, tmp_path):
    model = compiled(source, make, source.optimizers.SGD(0.01, momentum=0.9))
    train(model)
    model.save(tmp_path / "m.keras")
    loaded = target.models.load_model(tmp_path / "m.keras", custom_objects=custom_objects(target))
    tolerance = 2e-2 if make is odd_types else 1e-6
    np.testing.assert_allclose(predict(loaded), predict(model), atol=tolerance)
    for expected, found in zip(
        values(model.optimizer.variables), values(loaded.optimizer.variables), strict=True
    ):
        np.testing.assert_array_equal(found, expected)
    assert [layer.trainable for layer in loaded.layers] == [layer.trainable for layer in model.layers]
    for (name, expected), (own, found) in zip(train(model).items(), train(loaded).items(), strict=True):
        assert name == own
        np.testing.assert_allclose(found, expected, atol=tolerance)
    np.testing.assert_allclose(predict(loaded), predict(model), rtol=1e-4, atol=max(tolerance, 1e-5))


@pytest.mark.parametrize(("source", "target"), DIRECTIONS, ids=IDS)
@pytest.mark.parametrize("make", MODELS)
def test_weights_go_into_a_model_of_the_same_structure(source, target, make, tmp_path):
    model = make(source)
    model.save_weights(tmp_path / "m.weights.h5")
    other = make(target)
    other.load_weights(tmp_path / "m.weights.h5")
    for expected, found in zip(values(model.weights), values(other.weights), strict=True):
        np.testing.assert_array_equal(found.astype("float32"), expected.astype("float32"))


@pytest.mark.parametrize("make", [sequential, nested, subclassed])
def test_the_file_has_the_same_arrays_as_keras_writes(make, tmp_path):
    contents = []
    for k in (keras, kerasish):
        model = compiled(k, make)
        train(model, epochs=1)
        model.save_weights(tmp_path / "m.weights.h5")
        shapes = {}
        with h5py.File(tmp_path / "m.weights.h5") as file:
            file.visititems(
                lambda name, item, shapes=shapes: (
                    shapes.update({name: item.shape}) if isinstance(item, h5py.Dataset) else None
                )
            )
        contents.append(shapes)
    assert contents[0] == contents[1]


OPTIMIZERS = {
    "SGD": {"momentum": 0.9, "nesterov": True}, "RMSprop": {"momentum": 0.5, "centered": True},
    "Adam": {"amsgrad": True},
    "AdamW": {}, "Adadelta": {}, "Adagrad": {}, "Adamax": {}, "Adafactor": {}, "Nadam": {}, "Ftrl": {}, "Lion": {},
    "Lamb": {},
}  # fmt: skip


@pytest.mark.parametrize(("source", "target"), DIRECTIONS[:2], ids=IDS[:2])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_goes_on_as_it_was(source, target, name, tmp_path):
    rate = source.optimizers.schedules.ExponentialDecay(0.01, 3, 0.5) if name == "Adam" else 0.01
    ema = {"use_ema": True} if name in ("SGD", "Nadam") else {}
    model = compiled(source, sequential, getattr(source.optimizers, name)(rate, **OPTIMIZERS[name], **ema))
    model.train_on_batch(X, Y)
    model.save(tmp_path / "m.keras")
    loaded = target.models.load_model(tmp_path / "m.keras")
    assert type(loaded.optimizer).__name__ == name
    for expected, found in zip(
        values(model.optimizer.variables), values(loaded.optimizer.variables), strict=True
    ):
        np.testing.assert_array_equal(found, expected)
    model.train_on_batch(X, Y)
    loaded.train_on_batch(X, Y)
    np.testing.assert_allclose(predict(loaded), predict(model), atol=1e-5)


@pytest.mark.parametrize(("source", "target"), DIRECTIONS[:2], ids=IDS[:2])
def test_the_loss_scale_goes_along(source, target, tmp_path):
    def scaled(k):
        return k.optimizers.LossScaleOptimizer(k.optimizers.SGD(0.01, momentum=0.9), initial_scale=64.0)

    model = compiled(source, sequential, scaled(source))
    model.train_on_batch(X, Y)
    model.save(tmp_path / "m.keras")
    loaded = target.models.load_model(tmp_path / "m.keras")
    for expected, found in zip(
        values(model.optimizer.variables), values(loaded.optimizer.variables), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("source", "target"), DIRECTIONS, ids=IDS)
def test_seeded_dropout_and_models_that_never_trained(source, target, tmp_path):
    model = source.Sequential(
        [source.Input((4,)), source.layers.Dropout(0.5, seed=7), source.layers.Dense(2)]
    )
    model.compile("adam", "mse")
    model.save(tmp_path / "m.keras")
    with warnings.catch_warnings():
        if target is keras:  # Keras warns that the optimizer of the file has no slots yet
            warnings.simplefilter("ignore")
        loaded = target.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(predict(loaded), predict(model), atol=1e-6)
    assert loaded.layers[0].seed == 7


@pytest.mark.parametrize(("source", "target"), DIRECTIONS, ids=IDS)
def test_weights_in_several_files(source, target, tmp_path):
    def make(k):
        return k.Sequential([k.Input((4,)), k.layers.Dense(30), k.layers.Dense(30), k.layers.Dense(30)])

    model, other = make(source), make(target)
    model.save_weights(tmp_path / "m.weights.json", max_shard_size=5e-6)
    assert len(list(tmp_path.glob("m_*.weights.h5"))) > 1
    other.load_weights(tmp_path / "m.weights.json")
    for expected, found in zip(values(model.weights), values(other.weights), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("source", "target"), DIRECTIONS, ids=IDS)
def test_directories_instead_of_archives(source, target, tmp_path):
    model = compiled(source, sequential)
    train(model)
    model.save(tmp_path / "m", zipped=False)
    np.testing.assert_allclose(predict(target.models.load_model(tmp_path / "m")), predict(model), atol=1e-6)


@pytest.mark.parametrize(("source", "target"), DIRECTIONS, ids=IDS)
def test_torch_modules_as_layers(source, target, tmp_path):
    def make(k):
        class Net(k.Model):
            def __init__(self):
                super().__init__()
                self.conv = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
                self.dense = k.layers.Dense(2)

            def call(self, x):
                return self.dense(self.conv(x))

        net = Net()
        net(torch.ones(2, 4))
        return net

    model, other = make(source), make(target)
    model.save_weights(tmp_path / "m.weights.h5")
    other.load_weights(tmp_path / "m.weights.h5")
    expected, found = (getattr(m.conv, "module", m.conv).state_dict() for m in (model, other))
    assert all(torch.equal(found[key], value) for key, value in expected.items())
    assert list(found) == list(expected)


def test_lambdas_in_a_file_are_refused_unless_trusted(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x * 2)])
    model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="safe_mode=False"):
        kerasish.models.load_model(tmp_path / "m.keras")

    class Lambda(kerasish.layers.Layer):
        def __init__(self, function, **kwargs):
            super().__init__()
            self.function = function

        def call(self, x):
            return self.function(x)

        @classmethod
        def from_config(cls, config):
            return cls(kerasish.saving.deserialize_keras_object(config["function"]))

    loaded = kerasish.models.load_model(
        tmp_path / "m.keras", custom_objects={"Lambda": Lambda}, safe_mode=False
    )
    assert isinstance(loaded.layers[0].function, types.FunctionType)
    np.testing.assert_allclose(predict(loaded), 2 * X, atol=1e-6)


# The older HDF5 format -------------------------------------------------------------------------------------------

H5_WARNINGS = pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
OLD_MODELS = [sequential, nested, frozen]


@H5_WARNINGS
@pytest.mark.parametrize(("source", "target"), DIRECTIONS, ids=IDS)
@pytest.mark.parametrize("make", OLD_MODELS)
def test_old_files_go_on_as_they_were(source, target, make, tmp_path):
    model = make(source)
    # by objects: real Keras cannot load its own old files where "mse" is a string
    model.compile(
        "adam", source.losses.MeanSquaredError(), metrics=[source.metrics.MeanAbsoluteError(name="mae")]
    )
    train(model)
    model.save(tmp_path / "m.h5")
    loaded = target.models.load_model(tmp_path / "m.h5")
    np.testing.assert_allclose(predict(loaded), predict(model), atol=1e-6)
    assert [layer.trainable for layer in loaded.layers] == [layer.trainable for layer in model.layers]
    if target is keras:  # which builds the optimizer, whose state then waits for the first step
        loaded.optimizer.build(loaded.trainable_variables)
        return
    for expected, found in zip(
        values(model.optimizer.variables), values(loaded.optimizer.variables), strict=True
    ):
        np.testing.assert_array_equal(found, expected)
    for (name, expected), (own, found) in zip(train(model).items(), train(loaded).items(), strict=True):
        assert name == own
        np.testing.assert_allclose(found, expected, atol=1e-6)


@H5_WARNINGS
def test_functions_in_old_files_of_keras_are_found(tmp_path):
    x = keras.Input((4,))
    model = keras.Model(x, keras.ops.relu(keras.layers.Dense(3)(x) * 2.0) + 1.0)
    model.save(tmp_path / "m.h5")
    np.testing.assert_allclose(
        predict(kerasish.models.load_model(tmp_path / "m.h5")), predict(model), atol=1e-6
    )


@H5_WARNINGS
@pytest.mark.parametrize("make", OLD_MODELS)
def test_old_weights_go_in_by_order_and_by_name(make, tmp_path):
    for source, target in DIRECTIONS:
        model = make(source)
        model.save(tmp_path / "m.h5")
        for by_name in (False, True):
            other = make(target)
            for layer, own in zip(other.layers, model.layers, strict=True):
                layer.name = own.name
            other.load_weights(tmp_path / "m.h5", **({"by_name": True} if by_name else {}))
            for expected, found in zip(values(model.weights), values(other.weights), strict=True):
                np.testing.assert_array_equal(found, expected)


@H5_WARNINGS
@pytest.mark.parametrize(("source", "target"), DIRECTIONS, ids=IDS)
def test_custom_objects_in_old_files(source, target, tmp_path):
    def make(k):
        class Twice(k.layers.Layer):
            def call(self, x):
                return x * 2

        return k.Sequential([k.Input((4,)), Twice(), k.layers.Dense(2)]), {"Twice": Twice}

    model, _ = make(source)
    model.save(tmp_path / "m.h5")
    loaded = target.models.load_model(tmp_path / "m.h5", custom_objects=make(target)[1])
    np.testing.assert_allclose(predict(loaded), predict(model), atol=1e-6)


# Sharing, registration, editing ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "target"), DIRECTIONS, ids=IDS)
def test_registered_objects_and_scopes(source, target, tmp_path):
    def define(k, package):
        @k.saving.register_keras_serializable(package, "renamed")
        class Scaled(k.layers.Layer):
            def __init__(self, factor=2.0, **kwargs):
                super().__init__(**kwargs)
                self.factor = factor

            def call(self, x):
                return x * self.factor

            def get_config(self):
                return {**super().get_config(), "factor": self.factor}

        @k.saving.register_keras_serializable(package)
        def bent(x):
            return x * 3.0

        return Scaled, bent

    package = f"parity_{source.__name__}_{target.__name__}"
    scaled, bent = define(source, package)
    if target is not source:
        define(target, package)
    model = source.Sequential([source.Input((4,)), scaled(4.0), source.layers.Dense(2, activation=bent)])
    model.save(tmp_path / "m.keras")
    np.testing.assert_allclose(
        predict(target.models.load_model(tmp_path / "m.keras")), predict(model), atol=1e-5
    )

    class Mine(source.layers.Layer):
        def call(self, x):
            return x + 1.0

    class Theirs(target.layers.Layer):
        def call(self, x):
            return x + 1.0

    model = source.Sequential([source.Input((4,)), Mine()])
    model.save(tmp_path / "n.keras")
    with target.saving.CustomObjectScope({"Mine": Theirs}):
        loaded = target.models.load_model(tmp_path / "n.keras")
    np.testing.assert_allclose(predict(loaded), X + 1.0, atol=1e-6)


def edited(k, path, target):
    """What an editor of that package finds, and what it writes after some changes."""
    editor = k.saving.KerasFileEditor(str(path))
    found = [
        editor.compare(model(k))["status"] for model in (sequential, nested)
    ]  # Keras's counts are too high
    editor.rename_object("layers/dense_1", "dense_7")
    editor.delete_object("batch_normalization")
    editor.add_object("layers/extra", {"0": np.ones((2, 2), "float32")})
    editor.add_weights("layers/extra", {"1": np.zeros(3, "float32")})
    editor.delete_weight("layers/dense", "1")
    editor.save(str(target))
    for wrong in ("layers/absent", "absent"):
        with pytest.raises(ValueError):
            editor.delete_object(wrong)
    shapes = {}
    with h5py.File(target) as file:
        file.visititems(
            lambda name, item: shapes.update({name: item.shape}) if isinstance(item, h5py.Dataset) else None
        )
    return found, shapes


@pytest.mark.parametrize("ending", [".keras", ".weights.h5"])
def test_file_editor(ending, tmp_path, capsys):
    model = sequential(keras)
    path = tmp_path / f"m{ending}"
    model.save(path) if ending == ".keras" else model.save_weights(path)
    results = [edited(k, path, tmp_path / f"{k.__name__}.weights.h5") for k in (keras, kerasish)]
    assert results[0] == results[1]
    assert results[1][0] == ["success", "error"]
