"""Models as plain PyTorch modules: the same outputs, readable source, nothing of kerasish in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import kerasish as keras
from kerasish import layers, ops
from kerasish.__main__ import main
from kerasish.port import to_pytorch
from kerasish.port.pytorch.formatting import wrapped
from kerasish.port.pytorch.writing import load_module, make_port
from tests.contracts.layer_samples import SAMPLES
from tests.contracts.test_layers import called, made, symbolic

pytest.importorskip("safetensors")

CASES = [(name, sample) for name, samples in SAMPLES.items() for sample in samples if name != "InputLayer"]
IDS = [
    f"{name}-{i}" for name, samples in SAMPLES.items() for i in range(len(samples)) if name != "InputLayer"
]
NAMED_IN_TORCH = {
    "Dense": "nn.Linear(", "Conv2D": "nn.Conv2d(", "Conv1D": "nn.Conv1d(", "Conv3D": "nn.Conv3d(",
    "Conv2DTranspose": "nn.ConvTranspose2d(", "DepthwiseConv2D": "groups=2", "Embedding": "nn.Embedding(",
    "BatchNormalization": "nn.BatchNorm", "LayerNormalization": "nn.LayerNorm(", "LSTM": "nn.LSTM(", "GRU": "nn.GRU(",
    "SimpleRNN": "nn.RNN(", "Bidirectional": "bidirectional=True", "RMSNormalization": "nn.RMSNorm(",
    "PReLU": "nn.PReLU(", "Dropout": "nn.Dropout(", "SpatialDropout2D": "nn.Dropout2d(",
    "MaxPooling2D": "F.max_pool2d(", "AlphaDropout": "nn.AlphaDropout(", "Concatenate": "torch.cat(",
}  # fmt: skip


def model_of(name, sample):
    layer = made(name, sample)
    inputs = symbolic(sample)
    return keras.Model(
        list(inputs) if isinstance(inputs, tuple) else inputs, called(layer, inputs), name="net"
    )


def assert_same(model, *inputs):
    """The module gives the model's outputs."""
    port = make_port(model)
    graph = port.emitted.graph
    given = keras.tree.pack_sequence_as(graph.input_structure, list(inputs))
    with torch.no_grad():
        expected = keras.tree.flatten(model(given))
        received = keras.tree.flatten(load_module(port)(*inputs))
    for a, b in zip(received, expected, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)
    assert "keras" not in port.text.replace("Keras", "")
    return port.text


def randoms(model):
    torch.manual_seed(0)
    shapes = [(3, *(7 if size is None else size for size in x.shape[1:])) for x in model.inputs]
    return [
        torch.rand(shape) + 0.5
        if "float" in x.dtype
        else torch.randint(1, 4, shape).to(getattr(torch, x.dtype))
        for x, shape in zip(model.inputs, shapes, strict=True)
    ]


@pytest.mark.parametrize(("name", "sample"), CASES, ids=IDS)
def test_every_layer(name, sample):
    model = model_of(name, sample)
    if any(x.dtype == "string" for x in model.inputs):
        with pytest.raises(
            ValueError, match=r"takes strings.*Keep the layers that read them in the data pipeline"
        ):
            to_pytorch(model)
        return
    text = assert_same(model, *randoms(model))
    if sample is SAMPLES[name][0] and name in NAMED_IN_TORCH:
        assert NAMED_IN_TORCH[name] in text


def convnet():
    stack = [
        keras.Input((12, 12, 2)),
        layers.Rescaling(1 / 255),
        layers.Conv2D(4, 3, activation="relu", padding="same"),
        layers.BatchNormalization(),
        layers.MaxPooling2D(),
        layers.Conv2D(3, 3, strides=2, padding="same", activation="relu"),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(5, activation="relu", kernel_regularizer="l2"),
        layers.Dense(3, activation="softmax"),
    ]
    return keras.Sequential(stack, name="convnet")


def test_a_convolutional_network_is_moved_to_channels_first_once():
    text = assert_same(convnet(), torch.rand(2, 12, 12, 2))
    assert text.count("movedim") == text.count("permute") + 1 == 1
    assert "x = x.flatten(1)" in text


def test_images_of_any_size():
    stack = [keras.Input((None, None, 3)), layers.Conv2D(4, 3, strides=2, padding="same"),
             layers.MaxPooling2D(3, 2, padding="same"), layers.Conv2D(2, (2, 3), padding="same"),
             layers.GlobalAveragePooling2D()]  # fmt: skip
    model = keras.Sequential(stack)
    assert "x = pad_same(x, (3, 3), (2, 2))" in assert_same(model, torch.rand(2, 13, 8, 3))
    assert_same(model, torch.rand(1, 12, 9, 3))
    stack[2] = layers.AveragePooling2D(3, 2, padding="same")
    with pytest.raises(ValueError, match=r"AveragePooling2D.*give `Input` a full shape"):
        to_pytorch(keras.Sequential(stack))


def test_shared_layers_and_several_inputs_and_outputs():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    shared = layers.Dense(3, activation="tanh", name="shared")
    u, v = shared(a), shared(b)
    outputs = {
        "first": layers.Dense(2)(u + v * 2 - 1),
        "second": ops.mean(u, axis=1, keepdims=True),
        "third": v[:, :2],
    }
    model = keras.Model([a, b], outputs, name="two_towers")
    text = assert_same(model, torch.rand(3, 4), torch.rand(3, 4))
    assert text.count("nn.Linear(4, 3)") == 1
    assert "def forward(self, a: Tensor, b: Tensor)" in text
    model = keras.Model({"q": a, "p": b}, [u, ops.concatenate([u, v], axis=-1)])
    assert_same(model, torch.rand(3, 4), torch.rand(3, 4))


def test_an_image_flattened_beside_numbers_needs_no_permutation():
    image, numbers = keras.Input((4, 4, 2), name="image"), keras.Input((3,), name="numbers")
    x = layers.MaxPooling2D(3, 2, padding="same")(layers.Conv2D(5, 3, padding="same")(image))
    x = layers.Concatenate()([numbers, layers.Flatten()(x), numbers])
    x = layers.Dense(4)(layers.Dropout(0.5)(layers.BatchNormalization()(x)))
    model = keras.Model([image, numbers], x)
    text = assert_same(model, torch.rand(2, 4, 4, 2), torch.rand(2, 3))
    assert text.count("movedim") == 1 and "unflatten" not in text and "ceil_mode=True" in text
    plain = keras.Sequential([image, layers.Flatten(), layers.LayerNormalization()])
    assert_same(plain, torch.rand(2, 4, 4, 2))


NUMBERS = torch.tensor([[0, 1, -5], [123456789, -(2**63), 2**63 - 1], [17, 999, 10**16], [10**17, 7, 3]])


@pytest.mark.parametrize(
    "layer",
    [
        layers.Hashing(7), layers.Hashing(7, salt=[3, 2**63]), layers.Hashing(5, mask_value=7, output_mode="count"),
        layers.IntegerLookup(vocabulary=[17, 999, 7], mask_token=0),
        layers.IntegerLookup(vocabulary=[17, 999, 7], num_oov_indices=3),
        layers.IntegerLookup(vocabulary=[17, 7], num_oov_indices=3, oov_method="farmhash", output_mode="count"),
        layers.IntegerLookup(vocabulary=[17, 999, 7], invert=True),
    ],
    ids=lambda layer: layer.name,
)  # fmt: skip
def test_integers_to_categories(layer):
    assert_same(keras.Sequential([keras.Input((3,), dtype="int64"), layer]), NUMBERS)


def test_functions_of_ops():
    x = keras.Input((6, 4))
    y = ops.softmax(ops.matmul(x, ops.transpose(x, (0, 2, 1))) / 2.0, axis=-1)
    y = ops.einsum("bij,bjk->bik", y, x) ** 2 + ops.expand_dims(ops.max(x, axis=1), 1)
    y = ops.where(y > 1.0, y, -y)
    assert_same(keras.Model(x, [y, 1.0 / y, ops.reshape(y, (-1, 24))]), torch.rand(3, 6, 4))


def test_nested_models_become_classes():
    encoder = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(5)], name="encoder"
    )
    a, b = keras.Input((8, 8, 3)), keras.Input((8, 8, 3))
    model = keras.Model(
        [a, b], layers.Dense(1)(layers.Concatenate()([encoder(a), encoder(b)])), name="siamese"
    )
    text = assert_same(model, torch.rand(2, 8, 8, 3), torch.rand(2, 8, 8, 3))
    assert text.count("class Encoder(nn.Module)") == text.count("self.encoder = Encoder()") == 1


def test_a_layer_of_two_classes_is_said_to_be_copied():
    shared = layers.Dense(4, name="shared")
    inner = keras.Sequential([keras.Input((4,)), shared], name="inner")
    x = keras.Input((4,))
    text = assert_same(keras.Model(x, inner(shared(x)), name="outer"), torch.rand(2, 4))
    assert "shared: Inner and Outer have copies" in text or "shared: Outer and Inner have copies" in text


def test_a_residual_and_a_u_shaped_network():
    x = inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same")(x)
    y = layers.Activation("relu")(layers.BatchNormalization()(x))
    x = layers.Add()([x, layers.Conv2D(4, 3, padding="same")(y)])
    y = layers.Conv2D(8, 3, padding="same", activation="relu")(layers.MaxPooling2D()(x))
    x = layers.Concatenate()([layers.UpSampling2D()(y), x])
    model = keras.Model(
        inputs, [layers.Conv2D(1, 1, activation="sigmoid")(x), layers.GlobalAveragePooling2D()(x)]
    )
    text = assert_same(model, torch.rand(2, 8, 8, 3))
    assert text.count("movedim") == 2  # in, and the image that comes out


def test_attention():
    x = keras.Input((None,), dtype="int32")
    e = layers.Embedding(11, 8)(x)
    h = layers.LayerNormalization()(layers.MultiHeadAttention(2, 4)(e, e, use_causal_mask=True) + e)
    text = assert_same(keras.Model(x, layers.Dense(11)(h)), torch.randint(0, 11, (2, 5)))
    assert "nn.MultiheadAttention(8, 2, batch_first=True)" in text
    e = layers.Embedding(11, 8, mask_zero=True)(x)
    h = layers.GlobalAveragePooling1D()(layers.MultiHeadAttention(2, 4)(e, e))
    assert_same(keras.Model(x, h), torch.randint(0, 3, (4, 6)))


@pytest.mark.parametrize("causal", [False, True])
def test_attention_with_heads_of_any_size_and_masks(causal):
    x, y = keras.Input((None,), dtype="int32"), keras.Input((4, 6))
    e = layers.Embedding(11, 8, mask_zero=True)(x)
    h = layers.MultiHeadAttention(2, 8, value_dim=3, output_shape=5, use_bias=False)(
        e, e, use_causal_mask=causal
    )
    h = layers.Dense(8)(layers.MultiHeadAttention(4, 5)(h, y))
    model = keras.Model([x, y], layers.GlobalAveragePooling1D()(layers.MultiHeadAttention(2, 3)(h, h)))
    text = assert_same(model, torch.tensor([[0, 3, 0, 2], [0, 0, 0, 5], [1, 2, 3, 4]]), torch.rand(3, 4, 6))
    assert text.count("class MultiHeadAttention(nn.Module)") == 1 and "def multi_head" not in text
    assert "2, (8, 8, 8), 8, 3, 5, bias=False" in text


class Positions(keras.Layer):
    def __init__(self):
        super().__init__()
        self.tokens, self.places = layers.Embedding(9, 4), layers.Embedding(6, 4)

    def call(self, x):
        return self.tokens(x) + self.places(ops.arange(6))


def test_an_embedding_of_positions_stays_a_layer_with_weights():
    x = keras.Input((6,), dtype="int32")
    model = keras.Model(x, Positions()(x), name="net")
    text = assert_same(model, torch.randint(0, 9, (2, 6)))
    assert "self.places = nn.Embedding(6, 4)" in text and "buffer" not in text
    with torch.no_grad():
        assert "self.places = nn.Embedding(6, 4)" in make_port(model).text


class Sampling(keras.Layer):
    def call(self, inputs):
        mean, log_variance = inputs
        return mean + ops.exp(log_variance / 2) * keras.random.normal(ops.shape(mean))


def test_a_model_that_draws_numbers_and_names_that_clash(tmp_path):
    x = keras.Input((3,), name="torch")
    mean, log_variance = layers.Dense(2, name="mean")(x), layers.Dense(2, name="log")(x)
    model = keras.Model(x, [mean, Sampling(name="sampling")([mean, log_variance])], name="encoder")
    text = to_pytorch(model, tmp_path / "net.py")
    assert "def sampling(x, y):" in text
    torch.manual_seed(0)
    one, drawn = load_module(make_port(model))(torch.rand(500, 3))
    assert 0.1 < (drawn - one).std() < 10


@pytest.mark.parametrize(
    "layer",
    [
        layers.LSTM(3), layers.GRU(3, return_sequences=True), layers.LSTM(3, go_backwards=True),
        layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
        layers.Bidirectional(layers.GRU(2), merge_mode="sum"),
        layers.RNN([layers.GRUCell(2), layers.LSTMCell(3)]),
    ],
    ids=lambda layer: type(layer).__name__,
)  # fmt: skip
def test_masked_sequences(layer):
    x = keras.Input((None,), dtype="int32")
    model = keras.Model(x, layers.Dense(1)(layer(layers.Embedding(9, 4, mask_zero=True)(x))))
    assert_same(model, torch.randint(0, 3, (5, 6)))


def test_masked_sequences_go_through_modules_of_torch():
    x = keras.Input((None,), dtype="int32")
    e = layers.Embedding(9, 4, mask_zero=True)(x)
    y = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(e)
    y, state = layers.GRU(3, go_backwards=True, return_sequences=True, return_state=True)(y)
    model = keras.Model(x, [layers.Bidirectional(layers.SimpleRNN(2))(y), state])
    padded = torch.tensor([[0, 0, 3, 0, 5], [1, 2, 0, 0, 0], [0, 0, 0, 0, 0], [1, 2, 3, 4, 5]])
    text = assert_same(model, padded)
    assert text.count("run_masked(self.") == 3 and "run_steps" not in text
    assert "mask = x != 0  # (B, L)" in text


def test_a_layer_called_with_states_gets_no_mask_as_in_keras():
    x, state = keras.Input((None,), dtype="int32"), keras.Input((3,))
    y = layers.GRU(3)(layers.Embedding(4, 2, mask_zero=True)(x), initial_state=state)
    text = assert_same(keras.Model([x, state], y), torch.tensor([[0, 0, 1], [2, 0, 0]]), torch.rand(2, 3))
    assert "run_masked" not in text


def test_states_from_one_layer_to_another():
    x, later = keras.Input((5, 3)), keras.Input((None, 2))
    _, h, c = layers.LSTM(4, return_state=True)(x)
    y = layers.LSTM(4, return_sequences=True)(later, initial_state=[h, c])
    model = keras.Model([x, later], layers.TimeDistributed(layers.Dense(3, activation="softmax"))(y))
    assert_same(model, torch.rand(2, 5, 3), torch.rand(2, 6, 2))


class Residual(keras.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = layers.Dense(4, activation="relu")
        self.drop = layers.Dropout(0.5)

    def call(self, x, training=False):
        return x + self.drop(self.inner(x), training=training)


class Scale(keras.Layer):
    def build(self, shape):
        self.factor = self.add_weight(shape=(shape[-1],), initializer="ones", name="factor")

    def call(self, x):
        total = torch.cumsum(x * self.factor.abs(), dim=-1)
        return (total / total.amax(dim=-1, keepdim=True)).reshape(x.shape[0] * 2, -1)


class Written(keras.Model):
    def __init__(self):
        super().__init__(name="written")
        self.block = Residual()
        self.scale = Scale()

    def call(self, x):
        return self.scale(self.block(x))


def test_subclassed_models_and_layers():
    model = Written()
    model(torch.ones(2, 4))
    text = assert_same(model, torch.rand(3, 4))
    assert "class Residual(nn.Module)" in text and "nn.Dropout(0.5)" in text
    assert "def scale(x, factor):" in text


class Tower(keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [Residual(), Residual()]
        self.score = layers.Dense(1)

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.score(x)


def test_the_users_names_stay_and_equal_blocks_are_one_class():
    model = Tower()
    model(torch.ones(2, 4))
    text = assert_same(model, torch.rand(3, 4))
    assert text.count("class ") == 2 and "class Tower(nn.Module)" in text
    assert "self.blocks_1 = Residual()" in text and "self.inner = nn.Linear(4, 4)" in text
    assert "return self.score(x)  # (B, 1)" in text


def test_what_augments_is_left_out():
    stack = [keras.Input((8, 8, 3)), layers.RandomFlip(), layers.RandomRotation(0.1), layers.Conv2D(2, 3)]
    text = to_pytorch(keras.Sequential(stack))
    assert "class Net(nn.Module)" in text and "def " not in text.partition("class ")[0]
    assert "augment in the data loader" in text


class Counting(keras.Layer):
    def call(self, x):
        return x if x.sum() > 0 else -x

    def compute_output_shape(self, input_shape):
        return input_shape


def test_what_cannot_be_written_is_refused():
    x = keras.Input((3,))
    with pytest.raises(ValueError, match=r"Layer 'counting' \(Counting\) has no counterpart.*`__bool__`"):
        to_pytorch(keras.Sequential([keras.Input((3,)), Counting(name="counting")]))
    with pytest.raises(ValueError, match=r"Layer 'lstm.*stateful"):
        to_pytorch(keras.Sequential([keras.Input((3, 2), batch_size=2), layers.LSTM(2, stateful=True)]))
    with pytest.raises(ValueError, match=r"must be built"):
        to_pytorch(keras.Sequential([layers.Dense(2)]))
    with pytest.raises(TypeError, match=r"must be a kerasish model. Received: Linear"):
        to_pytorch(torch.nn.Linear(2, 2))
    with pytest.raises(ValueError, match=r"computes in bfloat16"):
        to_pytorch(keras.Sequential([x, layers.Dense(2, dtype="mixed_bfloat16")]))
    words = keras.Sequential([keras.Input((1,), dtype="string"), layers.StringLookup(vocabulary=["a"])])
    with pytest.raises(ValueError, match=r"takes strings"):
        to_pytorch(words)


# Files ---------------------------------------------------------------------------------------------------------------

RUN = """
import importlib, sys
sys.modules["kerasish"] = None
sys.path.insert(0, ".")
import torch
from safetensors.torch import load_file
for name, cls in (("convnet", "Convnet"), ("tagger", "Tagger")):
    module = getattr(importlib.import_module(name), cls).from_pretrained()
    data = load_file(name + "_data.safetensors")
    torch.testing.assert_close(module(data["x"]), data["y"], atol=1e-5, rtol=1e-5)
print("the same")
"""


def tagger():
    x = keras.Input((None,), dtype="int64")
    y = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(layers.Embedding(9, 6, mask_zero=True)(x))
    return keras.Model(x, layers.Dense(3, activation="softmax")(y), name="tagger")


def test_the_files_run_without_kerasish(tmp_path):
    from safetensors.torch import save_file

    for model, x in ((convnet(), torch.rand(2, 12, 12, 2)), (tagger(), torch.randint(0, 9, (2, 5)))):
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        path = tmp_path / f"{model.name}.py"
        assert to_pytorch(model, path) == path.read_text(encoding="utf-8")
        with torch.no_grad():
            save_file({"x": x, "y": model(x).contiguous()}, tmp_path / f"{model.name}_data.safetensors")
    done = subprocess.run(
        [sys.executable, "-I", "-c", RUN],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == "the same", done.stderr


def test_the_source_is_formatted_and_clean(tmp_path):
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    if ruff is None:
        pytest.skip("ruff is not installed")
    for model in (convnet(), tagger()):
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        to_pytorch(model, tmp_path / f"{model.name}.py")
    for command in (["format", "--check", "--diff"], ["check", "--select", "E,F,W,I,B"]):
        done = subprocess.run(
            [ruff, *command, "--isolated", str(tmp_path)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_command(tmp_path, capsys):
    model = convnet()
    model.save(tmp_path / "model.keras")
    output = tmp_path / "net.py"
    assert main(["to-pytorch", str(tmp_path / "model.keras"), "-o", str(output)]) == 0
    assert "class Convnet(nn.Module)" in output.read_text(encoding="utf-8")
    assert (tmp_path / "net.safetensors").exists()
    assert main(["to-pytorch", str(tmp_path / "none.keras"), "-o", str(output)]) == 1
    assert "There is no file" in capsys.readouterr().err


def test_both_files_are_written_or_none(tmp_path):
    (tmp_path / "net.py").mkdir()
    cases = [("net.py", IsADirectoryError, "must be a file"), ("no/net.py", FileNotFoundError, "make it first"),
             ("net.safetensors", ValueError, "must be two files")]  # fmt: skip
    for name, error, message in cases:
        with pytest.raises(error, match=message):
            to_pytorch(convnet(), tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["net.py"]


def test_long_lines_are_broken():
    line = "        x = function(" + ", ".join(f"argument_{i}" for i in range(12)) + ")"
    parts = wrapped(line).split("\n")
    assert all(len(part) <= 88 for part in parts) and parts[-1] == "        )"
    compile("def f():\n" + wrapped(line), "text", "exec")
