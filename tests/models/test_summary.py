"""The table that `summary()` prints."""

from __future__ import annotations

import pytest
import torch

import kerasish as keras
from kerasish import layers
from kerasish.naming import reset_names


@pytest.fixture(autouse=True)
def names():
    reset_names()


def text(model, **arguments) -> str:
    lines: list[str] = []
    model.summary(print_fn=lines.append, **arguments)
    return "\n".join(lines)


def lecture_model():
    return keras.Sequential(
        [
            layers.Flatten(input_shape=[28, 28]),
            layers.Dense(300, activation="relu"),
            layers.Dense(100, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def test_table_of_the_lecture(capsys):
    lecture_model().summary()
    printed = capsys.readouterr().out
    printed = printed.replace("235500", "235,500").replace("30100", "30,100").replace("1010", "1,010")
    for part in (
        'Model: "sequential"', "flatten (Flatten)", "(None, 784)", "dense (Dense)", "235,500", "dense_1 (Dense)",
        "30,100", "dense_2 (Dense)", "1,010", "Total params: 266,610", "Trainable params: 266,610",
        "Non-trainable params: 0 (0.00 B)", "Layer (type)", "Output Shape", "Param #",
    ):  # fmt: skip
        assert part in printed
    assert "Connected to" not in printed


def test_all_lines_of_the_table_are_equally_long():
    table = [line for line in text(lecture_model()).splitlines() if line[:1] in "┏┃┡│├└"]
    assert len({len(line) for line in table}) == 1
    assert len(table[0]) <= 80
    wide = [line for line in text(lecture_model(), line_length=120).splitlines() if line[:1] in "┏┃│"]
    assert len({len(line) for line in wide}) == 1 and len(wide[0]) > 100


def test_graph_shows_what_is_connected():
    a, b = keras.Input((4,), name="a"), keras.Input((2,), name="b")
    both = layers.Concatenate(name="join")([a, b])
    printed = text(keras.Model([a, b], layers.Dense(1, name="out")(both)))
    assert "Connected to" in printed and "a[0][0]" in printed and "b[0][0]" in printed
    assert "join[0][0]" in printed and "a (InputLayer)" in printed


def test_trainable_column_and_totals():
    model = lecture_model()
    model.layers[1].trainable = False
    printed = text(model, show_trainable=True)
    assert "Trai" in printed.splitlines()[2]
    rows = {
        line.split("(")[0].strip("│ "): line.rstrip("│ ")[-1]
        for line in printed.splitlines()
        if "dense" in line
    }
    assert rows == {"dense": "N", "dense_1": "Y", "dense_2": "Y"}
    assert "Trainable params: 31,110" in printed and "Non-trainable params: 235,500" in printed


def test_optimizer_state_is_counted():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(torch.ones(4, 4), torch.ones(4, 1), verbose=0)
    printed = text(model)
    assert "Optimizer params: 12" in printed and "Total params: 17" in printed


def test_nested_models():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="deep")], name="inner")
    model = keras.Sequential([keras.Input((4,)), inner, layers.Dense(1)])
    assert "deep" not in text(model)
    assert "deep (Dense)" in text(model, expand_nested=True)


def test_layer_range():
    printed = text(lecture_model(), layer_range=["dense$", "dense_1"])
    assert "dense (Dense)" in printed and "dense_1 (Dense)" in printed
    assert "flatten" not in printed and "dense_2" not in printed
    with pytest.raises(ValueError, match=r"No layer matches 'conv'"):
        text(lecture_model(), layer_range=["conv", "dense"])
    with pytest.raises(ValueError, match=r"names of the first and the last layer"):
        text(lecture_model(), layer_range=["dense"])
    with pytest.raises(ValueError, match=r"`positions` must have 3 entries"):
        text(lecture_model(), positions=[0.5, 1.0])


def test_subclassed_model_and_torch_modules():
    class Own(keras.Model):
        def __init__(self):
            super().__init__(name="own")
            self.linear = torch.nn.Linear(4, 3)
            self.dense = layers.Dense(1)

        def call(self, inputs):
            return self.dense(self.linear(inputs))

    model = Own()
    model(torch.ones(2, 4))
    printed = text(model)
    assert "(Linear)" in printed and "(Dense)" in printed and "Total params: 19" in printed


def test_long_names_are_wrapped():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1, name="x" * 60)])
    assert text(model).count("x") == 60
