"""The training loops of emitted files take the steps that `fit` takes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers
from kerasish.port import to_pytorch
from kerasish.port.pytorch.writing import load_module, make_port

pytest.importorskip("safetensors")


@pytest.mark.parametrize(
    "optimizer",
    ["sgd", keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True), "adam", "rmsprop",
     keras.optimizers.AdamW(0.01, weight_decay=0.02), "adagrad", "adamax", "adadelta", "nadam"],
    ids=lambda optimizer: optimizer if isinstance(optimizer, str) else type(optimizer).__name__,
)  # fmt: skip
def test_the_training_loop_takes_the_same_steps(optimizer, capsys):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    hidden = layers.Dense(8, activation="tanh", kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02))(
        inputs
    )
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(hidden), name="net")
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(24, 4)).astype("float32"), rng.integers(0, 3, 24)
    port = make_port(model)
    module = load_module(port)
    namespace: dict = {"__name__": "ported"}
    exec(port.text, namespace)
    batches = [(torch.from_numpy(x[i : i + 8]), torch.from_numpy(y[i : i + 8])) for i in (0, 8, 16)]
    namespace["train"](module, batches, epochs=2)
    history = model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
    printed = capsys.readouterr().out.splitlines()
    assert float(printed[1].split("accuracy ")[1]) == pytest.approx(history["accuracy"][1], abs=1e-3)
    tolerance = 2e-3 if optimizer in ("nadam", "adagrad", "rmsprop") else 2e-4  # epsilon stands elsewhere
    for theirs, ours in zip(module.parameters(), model.weights, strict=True):
        wanted = ours.T if ours.dim() == 2 else ours
        torch.testing.assert_close(
            theirs, wanted.detach().clone().reshape(theirs.shape), atol=tolerance, rtol=1e-3
        )


@pytest.mark.parametrize(
    ("units", "activation", "loss", "found"),
    [
        (1, "sigmoid", "binary_crossentropy", "F.binary_cross_entropy_with_logits("),
        (1, None, "mse", "F.mse_loss("),
        (1, None, keras.losses.Huber(2.0), "F.huber_loss("),
        (3, "softmax", keras.losses.CategoricalCrossentropy(label_smoothing=0.1), "label_smoothing=0.1"),
        (3, None, keras.losses.SparseCategoricalCrossentropy(from_logits=True), "F.cross_entropy("),
    ],
)
def test_losses(units, activation, loss, found, capsys):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(units, activation=activation)])
    model.compile("sgd", loss)
    text = to_pytorch(model)
    assert found in text.replace("\n", "").replace("    ", "")
    y = torch.eye(3)[torch.tensor([0, 1])] if units == 3 and activation else torch.tensor([[0.0], [1.0]])
    namespace: dict = {"__name__": "ported"}
    exec(text, namespace)
    module = load_module(make_port(model))
    x = torch.rand(2, 4)
    namespace["train"](module, [(x, y)])
    expected = model.evaluate(x, y, verbose=0)
    assert float(capsys.readouterr().out.split("loss ")[1]) == pytest.approx(expected, abs=1e-4)


def trained(model, x, y):
    """The losses that the emitted loop and `fit` print for the same batches."""
    namespace: dict = {"__name__": "ported"}
    port = make_port(model)
    exec(port.text, namespace)
    structure = port.emitted.graph.input_structure
    batches = [(keras.tree.map_structure(lambda t, i=i: t[i : i + 4], x),
                keras.tree.map_structure(lambda t, i=i: t[i : i + 4], y)) for i in (0, 4)]  # fmt: skip
    assert len(keras.tree.flatten(structure)) == len(keras.tree.flatten(x))
    namespace["train"](load_module(port), batches, epochs=3)
    return model.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0).history["loss"], port.text


def printed_losses(text):
    return [float(line.split("loss ")[1].split()[0]) for line in text.splitlines()]


def test_the_loop_of_several_outputs(capsys):
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="y")
    h = layers.Dense(5, activation="tanh")(layers.Concatenate()([a, b]))
    outputs = [layers.Dense(1, name="price")(h), layers.Dense(3, activation="softmax", name="kind")(h)]
    model = keras.Model([a, b], outputs)
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5, staircase=True)
    model.compile(
        keras.optimizers.SGD(schedule, clipnorm=0.2),
        {"price": "mse", "kind": "sparse_categorical_crossentropy"},
        loss_weights={"price": 0.5},
        metrics={"kind": "accuracy"},
    )
    losses, text = trained(
        model, [torch.rand(8, 4), torch.rand(8, 4)], [torch.rand(8, 1), torch.randint(0, 3, (8,))]
    )
    assert printed_losses(capsys.readouterr().out) == pytest.approx(losses, abs=1e-4)
    assert "for (a, y_input), (price_target, kind_target) in loader:" in text
    assert "return price, torch.softmax(kind, dim=-1)" in text and "kind_accuracy" in text


def test_masked_steps_and_second_biases_are_left_out_of_training(capsys):
    x = keras.Input((None,), dtype="int64")
    y = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(layers.Embedding(9, 6, mask_zero=True)(x))
    model = keras.Model(x, layers.Dense(3, activation="softmax")(y), name="tagger")
    model.compile(
        keras.optimizers.Adam(0.05, epsilon=1e-12), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    torch.manual_seed(0)
    losses, text = trained(model, torch.randint(0, 3, (8, 5)), torch.randint(0, 3, (8, 5)))
    assert printed_losses(capsys.readouterr().out) == pytest.approx(losses, abs=1e-4)
    assert "keep = x != 0" in text and "bias.requires_grad_(False)  # Keras has one bias" in text


def test_what_the_loop_cannot_do_is_said():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.compile(keras.optimizers.Ftrl(), "mse")
    assert "No training loop: the optimizer Ftrl has no counterpart in torch." in to_pytorch(model)
    model.compile("sgd", "poisson")
    assert "def train(" not in to_pytorch(model)


def test_frozen_layers_stay_as_they_are(capsys):
    stack = [keras.Input((6, 6, 2)), layers.Conv2D(3, 3), layers.BatchNormalization(), layers.Flatten()]
    base = keras.Sequential(stack, name="base")
    base.trainable = False
    x = keras.Input((6, 6, 2))
    model = keras.Model(x, layers.Dense(2, activation="softmax")(base(x)))
    optimizer = keras.optimizers.AdamW(0.05, weight_decay=0.1, epsilon=1e-12)
    model.compile(optimizer, "sparse_categorical_crossentropy")
    losses, text = trained(model, torch.rand(8, 6, 6, 2), torch.randint(0, 2, (8,)))
    assert printed_losses(capsys.readouterr().out) == pytest.approx(losses, abs=1e-4)
    assert "layer.requires_grad_(False)" in text and "model.base.batch_normalization" in text
    optimizer = keras.optimizers.AdamW(0.05, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(optimizer, "sparse_categorical_crossentropy")
    assert "two groups of parameters" in " ".join(to_pytorch(model).split())
