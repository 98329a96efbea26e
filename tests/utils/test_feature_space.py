from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import kerasish as keras
from kerasish import layers
from kerasish.utils import FeatureSpace

DATA = {"size": [1.0, 2.0, 4.0], "kind": ["cat", "dog", "cat"], "age": [3, 5, 3]}
KINDS = {"size": "float_normalized", "kind": "string_categorical", "age": "integer_categorical"}


def space(**arguments):
    return FeatureSpace(KINDS, crosses=[("kind", "age")], crossing_dim=4, **arguments)


def adapted(**arguments):
    made = space(**arguments)
    made.adapt(DATA)
    return made


def test_parts_of_the_vector():
    made = adapted()
    encoded = made(DATA)
    assert encoded.shape == (3, 3 + 3 + 1 + 4) and encoded.dtype is torch.float32
    parts = adapted(output_mode="dict")(DATA)
    assert list(parts) == ["age", "kind", "size", "kind_X_age"]
    torch.testing.assert_close(torch.cat(list(parts.values()), dim=1), encoded)
    assert parts["kind"].tolist() == [[0, 1, 0], [0, 0, 1], [0, 1, 0]]
    size = np.array(DATA["size"])
    np.testing.assert_allclose(parts["size"][:, 0], (size - size.mean()) / size.std(), rtol=1e-5)


RECORDS = [{name: values[i] for name, values in DATA.items()} for i in range(3)]


@pytest.mark.parametrize(
    "data",
    [
        {name: np.array(values)[:, None] for name, values in DATA.items()}, RECORDS, iter(RECORDS),
        [(record, 0) for record in RECORDS], DataLoader(RECORDS, batch_size=2),
    ],
)  # fmt: skip
def test_adapt_to_all_kinds_of_data(data):
    made = space()
    made.adapt(data)
    torch.testing.assert_close(made(DATA), adapted()(DATA))


def test_data_frame():
    frame = pytest.importorskip("pandas").DataFrame(DATA)
    made = space()
    made.adapt(frame)
    torch.testing.assert_close(made(frame), adapted()(DATA))


def test_one_record():
    made = adapted()
    torch.testing.assert_close(made(RECORDS[1]), made(DATA)[1])
    assert adapted(output_mode="dict")(RECORDS[1])["kind"].tolist() == [0, 0, 1]


def test_in_a_model(tmp_path):
    made = adapted()
    inputs, encoded = made.get_inputs(), made.get_encoded_features()
    assert encoded.shape == (None, 11) and inputs["kind"].dtype == "string" and inputs["age"].dtype == "int32"
    model = keras.Model(inputs, layers.Dense(1)(encoded))
    model.compile("sgd", "mse")
    model.fit(DATA, np.zeros(3), epochs=2, verbose=0)
    expected = model.predict(DATA, verbose=0)
    model.save(tmp_path / "model.keras")
    np.testing.assert_allclose(
        keras.models.load_model(tmp_path / "model.keras").predict(DATA, verbose=0), expected
    )
    trained_on_vectors = keras.Sequential([keras.Input((11,)), model.layers[-1]])
    np.testing.assert_allclose(
        trained_on_vectors.predict(made(DATA), verbose=0), expected, rtol=1e-5, atol=1e-6
    )


def test_files(tmp_path):
    made = adapted()
    made.save(tmp_path / "space.keras")
    loaded = keras.models.load_model(tmp_path / "space.keras")
    torch.testing.assert_close(loaded(DATA), made(DATA))
    assert loaded.preprocessors["kind"].get_vocabulary() == ["[UNK]", "cat", "dog"]
    twin = FeatureSpace.from_config(json.loads(json.dumps(made.get_config())))
    twin.adapt(DATA)
    torch.testing.assert_close(twin(DATA), made(DATA))


def test_layer_of_ones_own():
    text = layers.TextVectorization(output_mode="tf_idf")
    made = FeatureSpace({"text": FeatureSpace.feature("string", text, "float"), "x": FeatureSpace.float()})
    made.adapt({"text": ["a b", "b c"], "x": [0.0, 1.0]})
    assert made({"text": ["a b", "b c"], "x": [0.0, 1.0]}).shape == (2, 5)
    assert made.preprocessors["text"] is text


def test_given_boundaries_and_bins():
    made = FeatureSpace(
        {
            "x": FeatureSpace.float_discretized(3, bin_boundaries=[0.0, 1.0]),
            "h": "string_hashed",
            "n": "integer_hashed",
        },
        hashing_dim=6,
    )
    made.adapt({"x": [0.5], "h": ["a"], "n": [1]})
    assert made({"x": [0.5], "h": ["a"], "n": [1]}).shape == (1, 3 + 6 + 6)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: space()(DATA), ValueError, r"call `adapt\(dataset\)` first"),
        (lambda: space().get_inputs(), ValueError, r"call `adapt\(dataset\)` first"),
        (lambda: FeatureSpace({}), ValueError, r"at least one feature"),
        (lambda: FeatureSpace({"a": "floats"}), ValueError, r"Did you mean 'float'\?"),
        (lambda: FeatureSpace({"a": "float"}, output_mode="list"), ValueError, r"must be 'concat' or 'dict'"),
        (lambda: FeatureSpace({"kind": "float", "b": "float"}, crosses=[("kint", "b")]), ValueError, r"mean 'kind'\?"),
        (lambda: FeatureSpace({"a": "float"}, crosses=[("a",)]), ValueError, r"joins two features or more"),
        (lambda: FeatureSpace.cross(("a", "b"), 3, "count"), ValueError, r"`output_mode` of a cross"),
        (lambda: FeatureSpace.feature("float32", layers.Identity(), "x"), ValueError, r"`output_mode` of a feature"),
        (lambda: adapted()({"size": [1.0]}), ValueError, r"needs the feature 'kind'. Received: \['size'\]"),
        (lambda: adapted()({**DATA, "kin": [1, 2, 3]}), ValueError, r"has no feature 'kin'. Did you mean 'kind'\?"),
        (lambda: adapted()([1.0]), TypeError, r"takes a dictionary of features"),
        (lambda: adapted()({**DATA, "age": ["a"] * 3}), TypeError, r"'age' takes numbers \(int32\)"),
        (lambda: adapted()({**DATA, "kind": [1] * 3}), TypeError, r"takes strings"),
        (lambda: space().adapt({"size": [1.0]}), ValueError, r"needs the feature 'kind'"),
        (
            lambda: FeatureSpace({"a": FeatureSpace.integer_categorical(output_mode="int"), "b": "float"}).adapt(
                {"a": [1], "b": [1.0]}
            ),
            ValueError,
            r"Feature 'a' is not encoded",
        ),
        (
            lambda: FeatureSpace({"a": FeatureSpace.feature("float32", layers.ReLU(), "one_hot")}).adapt({"a": [1]}),
            ValueError,
            r"its preprocessor must return integers",
        ),
        (
            lambda: FeatureSpace({"a": FeatureSpace.feature("int32", layers.Identity(), "one_hot")}).adapt({"a": [1]}),
            ValueError,
            r"not known how many values",
        ),
    ],
)  # fmt: skip
def test_mistakes(make, error, message):
    with pytest.raises(error, match=message):
        make()
