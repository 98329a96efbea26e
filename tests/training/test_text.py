"""Strings as inputs of models: NumPy arrays, since torch has no strings."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

import kerasish as keras
from kerasish import layers

TEXTS = np.array(["good film", "bad film", "good good", "bad bad", "a good one", "so bad"])
LABELS = np.array([1.0, 0.0, 1.0, 0.0, 1.0, 0.0])


def vectorizer(**arguments):
    layer = layers.TextVectorization(output_mode="count", **arguments)
    layer.adapt(TEXTS)
    return layer


def classifier(*first):
    model = keras.Sequential([*first, vectorizer(), layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    return model


class Reviews(Dataset):
    def __len__(self):
        return len(TEXTS)

    def __getitem__(self, index):
        return str(TEXTS[index]), np.float32(LABELS[index])


class ReviewBatches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        rows = slice(2 * index, 2 * index + 2)
        return TEXTS[rows], LABELS[rows]


@pytest.mark.parametrize("first", [(keras.Input((1,), dtype="string"),), ()], ids=["input", "no input"])
@pytest.mark.parametrize("shape", ["(B,)", "(B, 1)"])
@pytest.mark.parametrize("kind", ["str", "object", "list"])
def test_arrays_of_strings(first, shape, kind):
    x = TEXTS if shape == "(B,)" else TEXTS[:, None]
    x = {"str": x, "object": x.astype(object), "list": x.tolist()}[kind]
    model = classifier(*first)
    history = model.fit(x, LABELS, epochs=15, batch_size=4, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert model.evaluate(x, LABELS, verbose=0)[1] == 1.0
    assert model.predict(x, verbose=0).shape == (6, 1)
    assert model.predict_on_batch(x).shape == (6, 1) and model(np.array(x)).shape == (6, 1)
    assert len(model.train_on_batch(x, LABELS)) == 2


@pytest.mark.parametrize("data", ["loader", "dataset", "batches", "generator"])
def test_batches_of_strings(data):
    def generator():
        while True:
            yield list(TEXTS[:3]), LABELS[:3]

    sources = {
        "loader": DataLoader(Reviews(), batch_size=2),
        "dataset": Reviews(),
        "batches": ReviewBatches(),
    }
    source = sources.get(data) or generator()
    steps = {"steps_per_epoch": 2} if data == "generator" else {}
    history = classifier().fit(source, epochs=3, verbose=0, **steps).history
    assert history["loss"][-1] < history["loss"][0]


def test_shuffled_strings_stay_with_their_labels():
    x = np.array([str(i) for i in range(50)])
    lookup = layers.StringLookup(vocabulary=x.tolist(), num_oov_indices=0)
    seen = []

    class Watched(keras.Model):
        def __init__(self):
            super().__init__()
            self.lookup = lookup
            self.dense = layers.Dense(1)

        def call(self, inputs):
            return self.dense(self.lookup(inputs).unsqueeze(-1))

        def train_step(self, data):
            seen.append((self.lookup(data[0]), data[1]))
            return super().train_step(data)

    model = Watched()
    model.compile("sgd", "mse")
    model.fit(x, np.arange(50.0), batch_size=8, epochs=2, verbose=0, validation_split=0.2)
    indices = torch.cat([pair[0] for pair in seen])
    assert torch.equal(indices.float(), torch.cat([pair[1] for pair in seen]))
    assert not torch.equal(indices, indices.sort().values)


def test_several_inputs_and_a_file(tmp_path):
    words, number = keras.Input((1,), dtype="string", name="word"), keras.Input((2,), name="number")
    ids = keras.Input((1,), dtype="int64", name="id")
    crossed = layers.HashedCrossing(5, output_mode="one_hot")([words, ids])
    joined = layers.Concatenate()(
        [vectorizer()(words), number, crossed, layers.Hashing(3, output_mode="one_hot")(ids)]
    )
    model = keras.Model([words, number, ids], layers.Dense(1)(joined))
    model.compile("sgd", "mse")
    data = {"word": TEXTS, "number": np.random.default_rng(0).normal(size=(6, 2)), "id": np.arange(6)}
    model.fit(data, LABELS, epochs=2, batch_size=4, verbose=0)
    expected = model.predict(data, verbose=0)
    np.testing.assert_allclose(model.predict(list(data.values()), verbose=0), expected, rtol=1e-6)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(data, verbose=0), expected, rtol=1e-6)


def test_nested_model_and_summary(capsys):
    inner = keras.Sequential([keras.Input((1,), dtype="string"), vectorizer(), layers.Dense(2)])
    inputs = keras.Input((1,), dtype="string")
    outer = keras.Model(inputs, layers.Dense(1)(inner(inputs)))
    assert outer.output_shape == (None, 1)
    assert outer.predict(TEXTS, verbose=0).shape == (6, 1)
    outer.summary()
    assert "sequential" in capsys.readouterr().out


def test_predicted_strings():
    inputs = keras.Input((1,), dtype="int64")
    model = keras.Model(inputs, layers.StringLookup(vocabulary=["a", "b"], invert=True)(inputs))
    assert model.predict(np.array([[1], [2], [9]]), verbose=0).tolist() == [["a"], ["b"], ["[UNK]"]]


def test_integers_are_looked_up_exactly_without_an_input():
    large = 2**40 + 1
    model = keras.Sequential([layers.IntegerLookup(vocabulary=[large, large - 1]), layers.Embedding(4, 2)])
    a, b = model.predict(np.array([[large], [large - 1]]), verbose=0)
    assert not np.array_equal(a, b)


@pytest.mark.parametrize("layer", [
    layers.IntegerLookup(vocabulary=[1, 2], num_oov_indices=3, oov_method="farmhash", output_mode="count"),
    layers.Hashing(7, output_mode="multi_hot"), layers.Hashing(7, salt=3, output_mode="multi_hot"),
    layers.Discretization([1.5, 3.0], output_mode="count"), layers.CategoryEncoding(9),
])  # fmt: skip
def test_steps_on_numbers_are_recorded(layer):
    inputs = keras.Input((3,), dtype="int64")
    model = keras.Model(inputs, layers.Dense(1)(layer(inputs)))
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    x = np.random.default_rng(0).integers(0, 9, (32, 3))
    for one, eager in ((model, False), (twin, True)):
        one.compile("sgd", "mse", run_eagerly=eager)
        one.fit(x, x.sum(1), epochs=3, batch_size=8, shuffle=False, verbose=0)
    assert model._steps["train"].prepared
    np.testing.assert_allclose(model.get_weights()[0], twin.get_weights()[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: keras.Sequential([layers.Dense(1)]).predict(TEXTS), ValueError, r"a network cannot compute with"),
        (lambda: classifier().fit(TEXTS, TEXTS, verbose=0), ValueError, r"`y` holds values of type"),
        (
            lambda: classifier(keras.Input((1,), dtype="string")).predict(np.ones((2, 1))),
            TypeError,
            r"takes strings: a list or a NumPy array of them",
        ),
        (lambda: two_inputs().predict([TEXTS, TEXTS]), TypeError, r"'number' takes numbers \(float32\)"),
        (lambda: two_inputs().predict([np.ones(6), np.ones(6)]), TypeError, r"'word' takes strings"),
    ],
)  # fmt: skip
def test_mistakes(call, error, message):
    with pytest.raises(error, match=message):
        call()


def two_inputs():
    words, number = keras.Input((1,), dtype="string", name="word"), keras.Input((1,), name="number")
    return keras.Model([words, number], layers.Concatenate()([vectorizer()(words), number]))
