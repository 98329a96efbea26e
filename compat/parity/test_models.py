"""Models against the real Keras 3: order of layers and weights, configs and JSON both ways, summaries, shapes."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

import kerasish

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword"
)  # Keras's

RNG = np.random.default_rng(0)


def chain(K):
    return K.Sequential(
        [
            K.Input((4,)),
            K.layers.Dense(6, activation="relu", kernel_regularizer="l2"),
            K.layers.BatchNormalization(),
            K.layers.Dropout(0.3),
            K.layers.Dense(
                3, activation="softmax", kernel_initializer="he_normal", bias_constraint="non_neg"
            ),
        ],
        name="chain",
    )


def unnamed_chain(K):
    return K.Sequential([K.layers.Dense(6), K.layers.Dense(2, name="last"), K.layers.Activation("tanh")])


def image_chain(K):
    return K.Sequential(
        [
            K.layers.Input(batch_shape=(None, 5, 4)),
            K.layers.Rescaling(1 / 255, offset=-0.5),
            K.layers.Reshape((4, 5)),
            K.layers.Flatten(),
            K.layers.Normalization(mean=0.1, variance=2.0),
            K.layers.Dense(3),
            K.layers.Identity(),
        ]
    )


def branches(K):
    x = K.Input((4,), name="x")
    left = K.layers.Dense(5, name="left")(x)
    right = K.layers.Dense(5, name="right")(x)
    deeper = K.layers.Dense(5, name="deeper")(right)
    joined = K.layers.Add(name="sum")([left, deeper])
    both = K.layers.Concatenate(name="both")([joined, right])
    return K.Model(x, K.layers.Dense(2, name="end")(both), name="branches")


def skip_connections(K):
    x = inputs = K.Input((4,))
    for i in range(3):
        y = K.layers.Dense(4, activation="relu", name=f"block{i}_a")(x)
        y = K.layers.BatchNormalization(name=f"block{i}_b")(y)
        x = K.layers.Add(name=f"block{i}_add")([x, y])
    return K.Model(inputs, x)


def two_inputs_two_outputs(K):
    a, b = K.Input((4,), name="a"), K.Input((3,), name="b")
    hidden = K.layers.Concatenate()([K.layers.Dense(2)(b), K.layers.Dense(3)(a)])
    return K.Model([a, b], [K.layers.Dense(1, name="one")(hidden), K.layers.Dense(2, name="two")(hidden)])


def dictionaries(K):
    a, b = K.Input((4,), name="a"), K.Input((3,), name="b")
    hidden = K.layers.Dense(4, name="hidden")(b)
    return K.Model({"a": a, "b": b}, {"sum": K.layers.Add(name="sum")([a, hidden]), "hidden": hidden})


def shared_layer(K):
    a, b = K.Input((4,), name="a"), K.Input((4,), name="b")
    twin = K.layers.Dense(3, name="twin")
    joined = K.layers.concatenate([twin(a), twin(b), twin(K.layers.Dense(4, name="extra")(b))], name="joined")
    return K.Model([a, b], K.layers.Dense(1, name="end")(joined))


def nested(K):
    inner = K.Sequential(
        [K.Input((5,)), K.layers.Dense(3, name="d1"), K.layers.BatchNormalization(name="n1")], name="inner"
    )
    x = K.Input((4,), name="entry")
    graph = K.Model(x, K.layers.Add(name="twice")([x, K.layers.Dense(4, name="g1")(x)]), name="graph")
    start = K.Input((4,), name="start")
    hidden = K.layers.Dense(5, name="before")(graph(start))
    return K.Model(start, K.layers.Dense(2, name="after")(inner(hidden)), name="outer")


def model_of_models(K):
    return K.Sequential(
        [
            K.Input((4,)),
            K.Sequential([K.layers.Dense(3, name="a"), K.layers.Dense(2, name="b")], name="first"),
            K.Sequential(
                [K.Input((2,)), K.layers.BatchNormalization(name="c"), K.layers.Dense(2, name="d")],
                name="second",
            ),
        ],
        name="stack",
    )


def frozen_parts(K):
    model = chain(K)
    model.layers[0].trainable = False
    model.layers[1].trainable = False
    return model


def integer_input(K):
    x = K.Input((3,), dtype="int32", name="counts")
    return K.Model(x, K.layers.Dense(2)(K.layers.Rescaling(0.5)(x)))


def submodel(K):
    """Up to an inner tensor of another model."""
    x = K.Input((4,))
    hidden = K.layers.Dense(3, name="hidden")(x)
    K.Model(x, K.layers.Dense(2, name="end")(hidden))
    return K.Model(x, hidden, name="lower")


BUILDERS = [
    chain, image_chain, branches, skip_connections, two_inputs_two_outputs, dictionaries, shared_layer, nested,
    model_of_models, frozen_parts, integer_input, submodel,
]  # fmt: skip


def fresh(build, K):
    K.utils.clear_session(free_memory=False)
    K.utils.set_random_seed(0)
    return build(K)


def both(build):
    return fresh(build, kerasish), fresh(build, keras)


def data_for(model):
    def draw(shape, dtype):
        values = RNG.normal(0, 2, (6, *shape[1:]))
        return np.round(values).astype(dtype)

    inputs = model.input
    if isinstance(inputs, dict):
        return {key: draw(t.shape, t.dtype) for key, t in inputs.items()}
    if isinstance(inputs, list):
        return [draw(t.shape, t.dtype) for t in inputs]
    return draw(inputs.shape, inputs.dtype)


def assert_same_predictions(ours, theirs, x):
    a, b = ours.predict(x, verbose=0), theirs.predict(x, verbose=0)
    if isinstance(b, dict):
        assert sorted(a) == sorted(b)
        a, b = [a[key] for key in b], list(b.values())
    for one, other in zip(*(v if isinstance(v, list) else [v] for v in (a, b)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("build", BUILDERS)
def test_layers_weights_and_predictions(build):
    ours, theirs = both(build)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert [type(layer).__name__ for layer in ours.layers] == [
        type(layer).__name__ for layer in theirs.layers
    ]
    for attribute in ("weights", "trainable_weights", "non_trainable_weights"):
        mine, other = getattr(ours, attribute), getattr(theirs, attribute)
        assert [(w.path, tuple(w.shape)) for w in mine] == [(w.path, tuple(w.shape)) for w in other]
    if not isinstance(theirs, keras.Sequential):
        assert ours.output_names == theirs.output_names
    assert ours.input_shape == theirs.input_shape
    assert ours.output_shape == theirs.output_shape
    assert ours.count_params() == theirs.count_params()
    ours.set_weights(theirs.get_weights())
    assert_same_predictions(ours, theirs, data_for(ours))


@pytest.mark.parametrize("build", BUILDERS)
def test_config_and_json_both_ways(build):
    ours, theirs = both(build)
    mine, other = json.loads(ours.to_json()), json.loads(theirs.to_json())
    assert comparable(mine) == comparable(other)
    there, here = (
        keras.models.model_from_json(ours.to_json()),
        kerasish.models.model_from_json(theirs.to_json()),
    )
    x = data_for(ours)
    for loaded, original in ((there, ours), (here, theirs)):
        names = [[w.path.split("/")[-2:] for w in model.weights] for model in (loaded, original)]
        assert names[0] == names[1]
        assert [w.name for w in loaded.trainable_weights] == [w.name for w in original.trainable_weights]
        loaded.set_weights(original.get_weights())
        assert_same_predictions(loaded, original, x)
    assert comparable(json.loads(here.to_json())) == comparable(mine)


def comparable(config):
    """A config without what does not matter to either library.

    Keras counts some layers without weights as built when they are made, writes empty configs of compilation and
    masks that are None, and names modules inside its own package.
    """
    if isinstance(config, list):
        return [comparable(item) for item in config]
    if not isinstance(config, dict):
        return config
    config = {key: value for key, value in config.items() if key != "compile_config" or value}
    config = {key: value for key, value in config.items() if key != "mask" or value is not None}
    if config.get("class_name") in ("Activation", "Identity", "Dropout", "Reshape", "Functional"):
        config.pop("build_config", None)
    if config.get("class_name") in ("Functional", "Adam", "SGD"):
        config = {**config, "module": "", "registered_name": None}
    return {key: comparable(value) for key, value in config.items()}


@pytest.mark.parametrize("build", BUILDERS)
def test_clone_and_from_config(build):
    ours, theirs = both(build)
    copies = (kerasish.models.clone_model(ours), type(ours).from_config(ours.get_config()))
    for copy in copies:
        assert [layer.name for layer in copy.layers] == [layer.name for layer in theirs.layers]
        assert [tuple(w.shape) for w in copy.weights] == [tuple(w.shape) for w in theirs.weights]
        copy.set_weights(theirs.get_weights())
        assert_same_predictions(copy, theirs, data_for(ours))


def numbers(model, **kwargs):
    """The shapes and numbers of parameters in a summary's rows and totals, whatever the drawing around them."""
    lines = []
    model.summary(print_fn=lambda text, *args, **kw: lines.append(text), line_length=200, **kwargs)
    text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(lines))
    rows = [re.split(r"[│┃]", line)[2:4] for line in text.splitlines() if "│" in line]
    rows = [[cell.strip() for cell in row] for row in rows]
    rows = [row for row in rows if any(row)]
    totals = re.findall(r"([\w-]+ params): ([\d,]+) \(([\d.]+ \w+)\)", text)
    return rows, totals


@pytest.mark.parametrize("settings", [{}, {"expand_nested": True}, {"show_trainable": True}], ids=str)
@pytest.mark.parametrize("build", BUILDERS)
def test_numbers_of_the_summary(build, settings, monkeypatch):
    monkeypatch.setenv("COLUMNS", "220")  # Keras cuts at the width of the terminal
    ours, theirs = both(build)
    mine, other = numbers(ours, **settings), numbers(theirs, **settings)
    assert mine[0] == other[0]
    assert mine[1] == other[1]


def test_numbers_of_the_summary_after_training(monkeypatch):
    monkeypatch.setenv("COLUMNS", "220")
    results = []
    for K in (kerasish, keras):
        model = fresh(chain, K)
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(np.zeros((4, 4)), np.zeros(4), verbose=0)
        rows, totals = numbers(model)
        results.append(
            (rows, [total[:2] for total in totals])
        )  # Keras counts steps in int32, kerasish in int64
    assert results[0] == results[1]


@pytest.mark.parametrize("shape", [(None, 4), (7, 4)])
@pytest.mark.parametrize("build", [chain, branches, skip_connections, nested, model_of_models])
def test_compute_output_shape(build, shape):
    ours, theirs = both(build)
    assert ours.compute_output_shape(shape) == tuple(theirs.compute_output_shape(shape))
    assert tuple(ours(kerasish.Input(batch_shape=shape)).shape) == tuple(
        theirs(keras.Input(batch_shape=shape)).shape
    )


def test_compute_output_shape_of_several_inputs():
    ours, theirs = both(two_inputs_two_outputs)
    shapes = [(None, 4), (None, 3)]
    assert [tuple(s) for s in ours.compute_output_shape(shapes)] == [
        tuple(s) for s in theirs.compute_output_shape(shapes)
    ]


def test_deferred_building():
    """Names and weights are the same whether a Sequential is built by `build`, by data, or by an Input."""
    x = RNG.normal(size=(3, 4)).astype("float32")
    for built_by in ("build", "data", "fit"):
        models = []
        for K in (kerasish, keras):
            model = fresh(unnamed_chain, K)
            assert not model.built
            if built_by == "build":
                model.build((None, 4))
            elif built_by == "data":
                model(x)
            else:
                model.compile(loss="mse", optimizer="sgd")
                model.fit(x, np.zeros((3, 2)), verbose=0)
            models.append(model)
        ours, theirs = models
        assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]
        assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
        ours.set_weights(theirs.get_weights())
        assert_same_predictions(ours, theirs, x)
        there, here = (
            keras.models.model_from_json(ours.to_json()),
            kerasish.models.model_from_json(theirs.to_json()),
        )
        assert [tuple(w.shape) for w in there.weights] == [tuple(w.shape) for w in ours.weights]
        assert [tuple(w.shape) for w in here.weights] == [tuple(w.shape) for w in theirs.weights]


def test_add_and_pop():
    for K in (kerasish, keras):
        model = fresh(chain, K)
        model.pop()
        model.add(K.layers.Dense(7, name="new"))
        assert [layer.name for layer in model.layers] == ["dense", "batch_normalization", "dropout", "new"]
        assert model.output_shape == (None, 7)
        assert model.count_params() == 4 * 6 + 6 + 4 * 6 + 6 * 7 + 7


def test_default_names_count_up():
    names = []
    for K in (kerasish, keras):
        K.utils.clear_session(free_memory=False)
        models = [K.Sequential([K.layers.Dense(2), K.layers.Dense(2)]) for _ in range(2)]
        x = K.Input((3,))
        models.append(K.Model(x, K.layers.BatchNormalization()(K.layers.Dense(1)(x))))
        names.append([(m.name, [layer.name for layer in m.layers]) for m in models])
    assert names[0] == names[1]


@pytest.mark.parametrize("settings", [
    {"loss": "mse", "optimizer": "adam", "metrics": ["mae"]},
    {"loss": {"one": "mse", "two": "mae"}, "optimizer": "sgd", "loss_weights": {"one": 1.0, "two": 0.5}},
])  # fmt: skip
def test_compile_config(settings):
    """A compiled model's JSON carries how it was compiled, both ways."""
    models = both(two_inputs_two_outputs)
    if isinstance(settings["loss"], str):
        models = both(chain)
    for model in models:
        model.compile(**settings)
    mine, other = (json.loads(model.to_json())["compile_config"] for model in models)
    assert comparable(mine) == comparable(other)
    for loaded in (
        keras.models.model_from_json(models[0].to_json()),
        kerasish.models.model_from_json(models[1].to_json()),
    ):
        assert loaded.compiled
        assert loaded.optimizer.name == settings["optimizer"]


@pytest.mark.parametrize("namespace", [kerasish, keras], ids=["kerasish", "keras"])
def test_a_model_from_an_intermediate_tensor_begins_with_a_new_input(namespace):
    inputs = namespace.Input((4,), name="start")
    hidden = namespace.layers.Dense(5, name="a")(inputs)
    second = namespace.layers.Dense(3, name="b")
    outputs = namespace.layers.Dense(2, name="c")(second(hidden))
    whole = namespace.Model(inputs, outputs)
    tail = namespace.Model(hidden, outputs)
    assert [layer.name for layer in tail.layers[1:]] == ["b", "c"]
    assert type(tail.layers[0]).__name__ == "InputLayer"
    assert tail.layers[0].name == f"{hidden.name}CLONE"
    assert tail.input_shape == (None, 5)
    assert tail.layers[1] is second
    assert second.output.shape == (None, 3)  # still the one call that it was
    head = namespace.Model(inputs, hidden)
    x = np.ones((2, 4), "float32")
    np.testing.assert_allclose(
        tail.predict(head.predict(x, verbose=0), verbose=0), whole.predict(x, verbose=0), rtol=1e-5
    )


@pytest.mark.parametrize("namespace", [kerasish, keras], ids=["kerasish", "keras"])
def test_a_clone_is_compiled_like_its_model(namespace):
    model = namespace.Sequential([namespace.Input((3,)), namespace.layers.Dense(1)])
    assert not namespace.models.clone_model(model).compiled
    model.compile(namespace.optimizers.SGD(0.25), "mse", metrics=["mae"])
    model.fit(np.ones((4, 3)), np.ones(4), verbose=0)
    clone = namespace.models.clone_model(model)
    assert clone.compiled
    assert clone.optimizer is not model.optimizer
    assert float(clone.optimizer.learning_rate) == 0.25
    assert int(clone.optimizer.iterations) == 0
    assert len(clone.evaluate(np.ones((4, 3)), np.ones(4), verbose=0)) == 2


@pytest.mark.parametrize("namespace", [kerasish, keras], ids=["kerasish", "keras"])
def test_optional_inputs_may_be_none(namespace):
    class Sum(namespace.layers.Layer):
        def call(self, a, b=None):
            return a if b is None else a + b

    first, second = namespace.Input((3,)), namespace.Input((3,), optional=True)
    model = namespace.Model([first, second], Sum()(first, second))
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(model.predict([x, None], verbose=0), x)
    np.testing.assert_array_equal(model.predict([x, x], verbose=0), x + x)


def graph_of_operations(K):
    from importlib import import_module

    numpy, nn = (import_module(f"{K.__name__}.ops.{name}") for name in ("numpy", "nn"))
    inputs = K.Input((4,), name="in")
    h = K.layers.Dense(6, name="d")(inputs)
    h = h * 2 + 1 - h[:, :6] / 3
    h = numpy.concatenate([h, numpy.mean(h, axis=1, keepdims=True)], axis=-1)
    h = nn.softmax(numpy.reshape(h, (-1, 7)))
    h = numpy.transpose(numpy.expand_dims(h, 1), (0, 2, 1))
    h = numpy.clip(numpy.where(h > 0.1, h, -h), -0.5, 0.5)
    return K.Model(inputs, K.layers.Dense(1, name="o")(K.layers.Flatten(name="f")(h)), name="m")


def test_operations_in_a_graph_are_written_as_keras_writes_them(tmp_path):
    for package in (kerasish, keras):
        package.utils.clear_session()
    ours, theirs = graph_of_operations(kerasish), graph_of_operations(keras)
    a, b = (json.loads(model.to_json())["config"] for model in (ours, theirs))
    assert a == b
    ours.set_weights(theirs.get_weights())
    x = RNG.random((3, 4)).astype("float32")
    expected = theirs.predict(x, verbose=0)
    np.testing.assert_allclose(ours.predict(x, verbose=0), expected, rtol=1e-5)
    ours.save(tmp_path / "ours.keras")
    theirs.save(tmp_path / "theirs.keras")
    loaded = kerasish.models.load_model(tmp_path / "theirs.keras")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), expected, rtol=1e-5)
    assert json.loads(loaded.to_json())["config"] == b
    back = keras.models.load_model(tmp_path / "ours.keras")
    np.testing.assert_allclose(back.predict(x, verbose=0), expected, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:.*does not support masking")
def test_masks_in_files_of_keras(tmp_path):
    inputs = keras.Input((5,), dtype="int32")
    outputs = keras.layers.LSTM(3)(keras.layers.Embedding(10, 4, mask_zero=True)(inputs))
    theirs = keras.Model(inputs, outputs)
    theirs.save(tmp_path / "model.keras")  # holds a node NotEqual, whose result is the mask
    ours = kerasish.models.load_model(tmp_path / "model.keras")
    x = np.array([[1, 2, 0, 0, 0], [3, 4, 5, 6, 0]])
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-5)
    ours.save(tmp_path / "ours.keras")
    back = keras.models.load_model(tmp_path / "ours.keras")
    np.testing.assert_allclose(back.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-5)
