"""Default names and scopes."""

from __future__ import annotations

import pytest

import kerasish as keras
from kerasish import naming


@pytest.fixture(autouse=True)
def counts(monkeypatch):
    monkeypatch.setattr(naming, "_counts", type(naming._counts)())


@pytest.mark.parametrize(
    ("name", "snake"),
    [
        ("Dense", "dense"), ("BatchNormalization", "batch_normalization"), ("Conv2DTranspose", "conv2d_transpose"),
        ("LSTM", "lstm"), ("HTTPServer", "http_server"), ("PReLU", "p_re_lu"), ("Model<1>", "model1"),
    ],
)  # fmt: skip
def test_snake_case(name, snake):
    assert naming.to_snake_case(name) == snake


def test_names_count_up():
    assert [naming.unique_name("Dense") for _ in range(3)] == ["dense", "dense_1", "dense_2"]
    assert [naming.get_uid("x") for _ in range(2)] == [1, 2]


def test_layers_and_models_count_up_until_the_session_is_cleared():
    assert [keras.layers.Dense(1).name for _ in range(2)] == ["dense", "dense_1"]
    assert keras.Sequential().name == "sequential"
    naming.reset_names()
    assert keras.layers.Dense(1).name == "dense"


def test_a_given_name_is_kept():
    assert keras.layers.Dense(1, name="dense").name == "dense"
    assert keras.layers.Dense(1).name == "dense"
    with pytest.raises(ValueError, match=r"`name` must be a string without '/'"):
        keras.layers.Dense(1, name="a/b")


def test_scopes_make_paths():
    with keras.name_scope("block"), keras.name_scope("inner"):
        assert naming.current_path() == "block/inner"
        assert keras.Variable("zeros", (1,), name="w").path == "block/inner/w"
    assert naming.current_path() == ""
    with pytest.raises(ValueError, match=r"without '/'"), keras.name_scope("a/b"):
        pass


def test_weights_are_named_after_their_layer():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="out")])
    assert [weight.path for weight in model.weights] == ["sequential/out/kernel", "sequential/out/bias"]
    assert list(model.state_dict()) == ["0.kernel", "0.bias"]
