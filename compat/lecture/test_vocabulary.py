"""R31–R34: the lists of initializers, activations, optimizers and metrics, and the lecture's net trained with each."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

os.environ.setdefault("KERAS_BACKEND", "torch")
import kerasish as keras

real = pytest.importorskip("keras")

LECTURE = {
    "initializers": ["Constant", "GlorotNormal", "GlorotUniform", "Identity", "Initializer", "Ones"],
    "activations": [
        "deserialize", "elu", "exponential", "gelu", "get", "hard_sigmoid", "linear", "relu", "selu", "serialize",
        "sigmoid", "softmax", "softplus", "softsign", "swish", "tanh",
    ],
    "optimizers": ["Adadelta", "Adagrad", "Adam", "Adamax", "Ftrl", "Nadam", "Optimizer", "RMSprop", "SGD"],
}  # fmt: skip


@pytest.mark.parametrize("namespace", ["initializers", "activations", "optimizers", "metrics"])
def test_r31_to_r34_every_keras_name_is_listed(namespace):
    listed = [name for name in dir(getattr(keras, namespace)) if not name.startswith("_")]
    missing = set(LECTURE.get(namespace, ())) - set(listed)
    assert not missing
    theirs = {name for name in dir(getattr(real, namespace)) if not name.startswith("_")}
    assert theirs <= set(listed)


def test_r31_he_normal():
    keras.utils.set_random_seed(0)
    layer = keras.layers.Dense(400, activation="relu", kernel_initializer="he_normal")
    layer.build((None, 784))
    kernel = layer.kernel.detach().numpy()
    deviation = np.sqrt(2 / 784)
    assert kernel.std() == pytest.approx(deviation, rel=0.01)
    assert abs(kernel.mean()) < deviation / 100
    assert (
        np.abs(kernel).max() <= 2 * deviation / 0.87962566103423978
    )  # cut off at two deviations, then widened


def net(package, optimizer):
    model = package.Sequential(
        [
            package.layers.Input((28, 28)),
            package.layers.Flatten(),
            package.layers.Dense(30, activation="relu"),
            package.layers.Dense(10, activation="relu"),
            package.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model


OPTIMIZERS = [
    name
    for name, cls in vars(keras.optimizers).items()
    if isinstance(cls, type)
    and issubclass(cls, keras.optimizers.Optimizer)
    and hasattr(real.optimizers, name)
    if name not in ("Optimizer", "LossScaleOptimizer", "MultiOptimizer")
]


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_r33_trains_the_network_as_keras_does(name):
    rng = np.random.default_rng(0)
    x, y = rng.random((96, 28, 28), dtype="float32"), rng.integers(0, 10, 96)
    ours, theirs = (net(p, getattr(p.optimizers, name)(learning_rate=0.001)) for p in (keras, real))
    ours.set_weights(theirs.get_weights())
    for model in (ours, theirs):
        model.fit(x, y, batch_size=32, epochs=3, shuffle=False, verbose=0)
    theirs = theirs.get_weights()
    if name != "Adafactor" or np.isfinite(theirs[0]).all():  # Keras's gives NaN once a unit has no gradient
        for a, b in zip(ours.get_weights(), theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
    history = ours.fit(x, y, batch_size=32, epochs=30, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert history[-1] < history[0]


def test_r34_several_metrics():
    model = net(keras, "sgd")
    metrics = ["accuracy", "sparse_top_k_categorical_accuracy", keras.metrics.SparseCategoricalCrossentropy()]
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=metrics)
    rng = np.random.default_rng(0)
    history = model.fit(rng.random((64, 28, 28)), rng.integers(0, 10, 64), verbose=0).history
    assert list(history) == [
        "accuracy",
        "loss",
        "sparse_categorical_crossentropy",
        "sparse_top_k_categorical_accuracy",
    ]
    assert torch.is_tensor(model.metrics[0].result())
