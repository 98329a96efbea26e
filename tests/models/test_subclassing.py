"""Models and layers that users write as classes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers

X = np.random.default_rng(0).random((8, 4), dtype="float32")


class Perceptron(keras.Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.hidden = layers.Dense(units, activation="relu")
        self.dropout = layers.Dropout(0.5)
        self.out = layers.Dense(2)

    def call(self, inputs, training=False):
        return self.out(self.dropout(self.hidden(inputs), training=training))


def test_build_by_call_shape_and_fit():
    for build in (
        lambda model: model(X),
        lambda model: model.build((None, 4)),
        lambda model: model.predict(X, verbose=0),
        lambda model: (model.compile("sgd", "mse"), model.fit(X, X[:, :2], verbose=0)),
    ):
        model = Perceptron()
        assert not model.built
        build(model)
        assert model.built and model.count_params() == 4 * 3 + 3 + 3 * 2 + 2
        assert [layer.name.partition("_")[0] for layer in model.layers] == ["dense", "dropout", "dense"]


def test_training_argument_reaches_call():
    seen = []

    class Spy(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, inputs, training=None):
            seen.append(training)
            return self.dense(inputs)

    model = Spy()
    model.compile("sgd", "mse", run_eagerly=True)
    model(X)
    model.fit(X, X[:, :1], verbose=0)
    model.predict(X, verbose=0)
    model(X, training=True)
    assert seen[0] is False and seen[-3:] == [True, False, True]


def test_dropout_obeys_the_mode():
    model = Perceptron(50)
    quiet = model(X)
    torch.testing.assert_close(model(X), quiet)
    assert not torch.equal(model(X, training=True), quiet)
    model.train()
    assert not torch.equal(model(X), quiet)
    torch.testing.assert_close(model(X, training=False), quiet)
    assert model.training


def test_lists_and_dictionaries_of_layers_are_tracked():
    class Stack(keras.Model):
        def __init__(self):
            super().__init__()
            self.blocks = [layers.Dense(4), [layers.Dense(4)]]
            self.heads = {"a": layers.Dense(1)}
            self.pair = (layers.Dense(1), 3)
            self.more = []
            for _ in range(2):
                self.more.append(layers.Dense(4))

        def call(self, inputs):
            for layer in (self.blocks[0], self.blocks[1][0], *self.more):
                inputs = layer(inputs)
            return self.heads["a"](inputs) + self.pair[0](inputs)

    model = Stack()
    model(X)
    assert len(model.weights) == 12 and len(model.layers) == 6
    assert len(model.state_dict()) == 12
    model.compile(keras.optimizers.SGD(0.1), "mse")
    before = model.get_weights()
    model.fit(X, X[:, :1], verbose=0)
    assert all(np.abs(a - b).max() > 0 for a, b in zip(before, model.get_weights(), strict=True))


def test_weights_and_modules_of_torch_are_tracked():
    class Mixed(keras.Model):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(4, 3)
            self.scale = torch.nn.Parameter(torch.ones(3))
            self.dense = layers.Dense(1)

        def call(self, inputs):
            return self.dense(self.linear(inputs) * self.scale)

    model = Mixed()
    model(X)
    assert set(model.state_dict()) == {"scale", "linear.weight", "linear.bias", "dense.kernel", "dense.bias"}
    assert len(model.trainable_weights) == 5
    model.compile(keras.optimizers.SGD(0.1), "mse")
    history = model.fit(X, X[:, :1], epochs=5, verbose=0).history["loss"]
    assert history[-1] < history[0]


class Doubling(layers.Layer):
    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="ones", name="w")
        self.count = self.add_weight(
            shape=(), initializer="zeros", trainable=False, dtype="int64", name="count"
        )

    def call(self, inputs):
        self.count.assign_add(1)
        return 2 * inputs @ self.w


def test_layer_of_the_user():
    layer = Doubling()
    np.testing.assert_allclose(layer(X).detach(), np.repeat(2 * X.sum(1, keepdims=True), 2, 1), rtol=1e-5)
    assert [w.name for w in layer.trainable_weights] == ["w"]
    assert [w.name for w in layer.non_trainable_weights] == ["count"]
    assert layer.count == 1
    assert keras.Sequential([keras.Input((4,)), Doubling(5)]).output_shape == (None, 5)


def test_torch_names_work_too():
    class Torch(layers.Layer):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(4, 2)

        def forward(self, inputs):
            return self.linear(inputs)

    model = keras.Sequential([keras.Input((4,)), Torch()])
    assert model.output_shape == (None, 2)
    assert model(X).shape == (8, 2)


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        (
            "self.dense = layers.Dense(1)",
            RuntimeError,
            r"must call `super\(\).__init__\(\)` before it assigns",
        ),
        ("self.size = 3", (RuntimeError, AttributeError), r"must call `super\(\).__init__\(\)`"),
    ],
)
def test_forgotten_super(body, error, message):
    namespace = {"layers": layers, "keras": keras}
    exec(  # a class for each body
        f"class Forgetful(keras.Model):\n    def __init__(self):\n        {body}\n"
        "    def call(self, inputs):\n        return inputs\n",
        namespace,
    )
    with pytest.raises(error, match=message):
        namespace["Forgetful"]()(X)


def test_model_without_call():
    class Nothing(keras.Model):
        pass

    with pytest.raises(NotImplementedError, match=r"Nothing must define `call\(self, inputs\)`"):
        Nothing()(X)
    with pytest.raises(NotImplementedError, match=r"\(Layer\) must define `call\(self, inputs\)`"):
        layers.Layer()(X)
    with pytest.raises(TypeError, match=r"Perceptron|positional"):
        keras.Model(3)


def test_error_in_call_names_the_layer_and_the_shapes():
    class Broken(layers.Layer):
        def call(self, inputs):
            return inputs @ torch.ones(7, 7)

    model = keras.Sequential([layers.Dense(3), Broken(name="broken")])
    with pytest.raises(RuntimeError, match=r"In layer 'broken' \(Broken\)"):
        model(X)


def test_losses_added_in_call():
    class Penalty(layers.Layer):
        def call(self, inputs):
            self.add_loss(inputs.sum())
            return inputs

    model = keras.Sequential([keras.Input((4,)), Penalty(), layers.Dense(1, kernel_regularizer="l2")])
    model(X)
    model(X * 2)
    assert len(model.losses) == 2
    assert model.losses[0].item() == pytest.approx(2 * X.sum(), rel=1e-5)
    with pytest.raises(TypeError, match=r"`add_loss` takes a tensor"):
        layers.Layer().add_loss(lambda: 3)
    with pytest.raises(NotImplementedError, match=r"`add_metric` was removed in Keras 3"):
        layers.Layer().add_metric(3, name="x")


def test_trainable():
    model = Perceptron()
    model(X)
    model.hidden.trainable = False
    assert len(model.trainable_weights) == 2 and len(model.non_trainable_weights) == 2
    model.trainable = False
    assert model.trainable_weights == [] and not any(p.requires_grad for p in model.parameters())
    model.trainable = True
    assert len(model.trainable_weights) == 4
    frozen = Perceptron(trainable=False)
    frozen(X)
    assert frozen.trainable_weights == []


def test_mixed_precision():
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(8, dtype="mixed_bfloat16"), layers.Dense(1, dtype="float32")]
    )
    assert model.layers[0](X).dtype is torch.bfloat16
    assert model(X).dtype is torch.float32
    model.compile("adam", "mse")
    history = model.fit(X, X[:, :1], epochs=20, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_stateless_call_leaves_the_weights_alone():
    layer = Doubling()
    layer(X)
    before = layer.get_weights()
    output, state = layer.stateless_call([torch.zeros(4, 2)], [torch.tensor(5)], torch.from_numpy(X))
    assert output.abs().sum() == 0 and state[0] == 6
    assert all(np.array_equal(a, b) for a, b in zip(before, layer.get_weights(), strict=True))


class Tokens(layers.Layer):
    """An embedding with a mask, which it does not announce by `supports_masking`."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.embedding = layers.Embedding(10, 4)

    def call(self, inputs):
        return self.embedding(inputs)

    def compute_mask(self, inputs, mask=None):
        return inputs != 0


class Pair(layers.Layer):
    """Keeps which masks its call was given."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.given = {}

    def call(self, x, other=None, mask=None, x_mask=None, other_mask=None):
        self.given = {"mask": mask, "x_mask": x_mask, "other_mask": other_mask}
        return x * 1.0


def test_a_layer_that_computes_a_mask_supports_masking():
    tokens = torch.tensor([[1, 2, 0]])
    layer = Tokens()
    assert layer.supports_masking
    assert layer(tokens)._keras_mask.tolist() == [[True, True, False]]
    assert not Pair.supports_masking.fget(layers.Flatten())


def test_masks_of_several_arguments_go_by_their_names():
    masked = Tokens()(torch.tensor([[1, 2, 0]]))
    pair = Pair()
    pair(masked)
    assert [name for name, mask in pair.given.items() if mask is not None] == ["mask"]
    pair(masked, masked * 1.0)
    assert [name for name, mask in pair.given.items() if mask is not None] == ["x_mask"]
    pair(masked, other=masked)
    assert [name for name, mask in pair.given.items() if mask is not None] == ["x_mask", "other_mask"]


def test_a_mask_that_the_output_has_already_stays():
    class Inner(layers.Layer):
        def __init__(self):
            super().__init__()
            self.tokens = Tokens()
            self.supports_masking = True

        def call(self, x):
            return self.tokens(x[..., 0].int() * 0)

    masked = Tokens()(torch.tensor([[1, 2, 0]]))
    assert Inner()(masked)._keras_mask.tolist() == [[False, False, False]]


@pytest.mark.parametrize("symbolic", [False, True])
def test_paths_of_layers_that_a_call_builds(symbolic):
    layer = Tokens(name="outer")
    layer.embedding.name = "inner"
    layer(keras.Input((3,), dtype="int64") if symbolic else torch.tensor([[1, 2, 0]]))
    assert layer.weights[0].path == "outer/inner/embeddings"
