"""Models in files that other programs run: ONNX, torch programs, TorchScript, pickles of torch."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers, ops


def dense():
    return keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")], name="dense_net"), [
        (4,)
    ]


def conv():
    stack = [
        keras.Input((8, 8, 3)), layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization(),
        layers.MaxPooling2D(), layers.Flatten(), layers.Dropout(0.5), layers.Dense(3),
    ]  # fmt: skip
    return keras.Sequential(stack, name="conv_net"), [(8, 8, 3)]


def lstm():
    return keras.Sequential([keras.Input((4, 3)), layers.LSTM(4), layers.Dense(1)], name="lstm_net"), [(4, 3)]


def attention():
    x = keras.Input((6, 8))
    y = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 4)(x, x))
    return keras.Model(x, layers.Dense(2)(y), name="attention_net"), [(6, 8)]


def several():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    outputs = {"total": ops.sum(a * b, axis=1), "score": layers.Dense(2)(a)}
    return keras.Model({"a": a, "b": b}, outputs, name="several"), [(4,), (4,)]


MODELS = [dense, conv, lstm, attention, several]


def values(model, shapes, batch):
    generator = torch.Generator().manual_seed(batch)
    tensors = [torch.rand((batch, *shape), generator=generator) for shape in shapes]
    with torch.no_grad():
        outputs = model(keras.tree.pack_sequence_as(model.input, tensors))
    return tensors, list(outputs.values()) if isinstance(outputs, dict) else [outputs]


@pytest.mark.parametrize("make", MODELS)
def test_onnx_by_onnxruntime(make, tmp_path, caplog):
    for package in ("onnx", "onnxscript"):
        pytest.importorskip(package)
    runtime = pytest.importorskip("onnxruntime")
    model, shapes = make()
    path = str(tmp_path / "model.onnx")
    with caplog.at_level(logging.WARNING):
        model.export(path, format="onnx")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for batch in (1, 2, 7):
        tensors, expected = values(model, shapes, batch)
        given = {entry.name: x.numpy() for entry, x in zip(session.get_inputs(), tensors, strict=True)}
        for one, other in zip(session.run(None, given), expected, strict=True):
            np.testing.assert_allclose(one, other.numpy(), atol=1e-4)
    assert [entry.name for entry in session.get_inputs()] == model.input_names
    if make is several:
        assert [entry.name for entry in session.get_outputs()] == ["total", "score"]


@pytest.mark.filterwarnings("ignore:The given buffer is not writable")  # of torch 2.11 reading its own file
@pytest.mark.parametrize("make", MODELS)
def test_torch_programs(make, tmp_path):
    model, shapes = make()
    path = tmp_path / "model.pt2"
    model.train()
    model.export(path, format="torch")
    assert model.training
    model.eval()
    program = torch.export.load(path).module()
    for batch in (1, 2, 7):
        tensors, expected = values(model, shapes, batch)
        received = program(*tensors)
        received = list(received.values()) if isinstance(received, dict) else [received]
        for one, other in zip(received, expected, strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("make", [dense, conv, lstm])
def test_torchscript(make, tmp_path):
    model, shapes = make()
    model.export(tmp_path / "model.pt", format="torchscript", verbose=True)
    script = torch.jit.load(str(tmp_path / "model.pt"))
    for batch in (1, 2, 7):
        tensors, expected = values(model, shapes, batch)
        torch.testing.assert_close(script(*tensors), expected[0], atol=1e-5, rtol=1e-5)


def test_a_model_that_torchscript_cannot_have(tmp_path):
    model, _ = attention()
    with pytest.raises(ValueError, match=r"cannot be traced to TorchScript.*Use format='torch'"):
        model.export(tmp_path / "model.pt", format="torchscript")
    assert not list(tmp_path.iterdir())


class Twice(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = layers.Dense(2)

    def call(self, x):
        return self.inner(self.inner(x))


def test_input_signature(tmp_path):
    model = Twice()
    with pytest.raises(ValueError, match=r"call it on data first, or give `input_signature`"):
        model.export(tmp_path / "model.pt2", format="torch")
    signature = [keras.InputSpec(shape=(None, 2), dtype="float32")]
    model.export(tmp_path / "model.pt2", format="torch", input_signature=signature)
    x = torch.rand(5, 2)
    program = torch.export.load(tmp_path / "model.pt2").module()
    torch.testing.assert_close(program(x), model(x))
    model.export(tmp_path / "model.pt2", format="torch")


def test_other_formats_are_refused(tmp_path):
    model, _ = dense()
    with pytest.raises(ValueError, match=r"SavedModel needs TensorFlow.*format='onnx'"):
        model.export(tmp_path / "model")
    with pytest.raises(ValueError, match=r"Did you mean 'onnx'|must be one of"):
        model.export(tmp_path / "model", format="onx")
    with pytest.raises(ValueError, match=r"openvino.convert_model"):
        model.export(tmp_path / "model", format="openvino")
    words = keras.Sequential([keras.Input((1,), dtype="string"), layers.StringLookup(vocabulary=["a"])])
    with pytest.raises(ValueError, match=r"takes strings"):
        words.export(tmp_path / "model.onnx", format="onnx")


# Torch's own files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", MODELS)
def test_torch_save_of_a_model(make, tmp_path):
    model, shapes = make()
    model.compile("adam", "mse")
    torch.save(model, tmp_path / "model.pt")
    loaded = torch.load(tmp_path / "model.pt", weights_only=False)
    _, expected = values(model, shapes, 3)
    _, received = values(loaded, shapes, 3)
    for one, other in zip(received, expected, strict=True):
        torch.testing.assert_close(one, other, atol=0, rtol=0)
    assert loaded.compiled and type(loaded.optimizer) is type(model.optimizer)


@pytest.mark.parametrize("make", MODELS)
def test_state_dict_in_torchs_files(make, tmp_path):
    (model, _), (twin, _) = make(), make()
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    result = twin.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    assert not result.missing_keys and not result.unexpected_keys
    assert all(torch.equal(a, b) for a, b in zip(model.weights, twin.weights, strict=True))
    assert all(isinstance(key, str) and "/" not in key for key in model.state_dict())
