"""Models whose training is overridden: GAN, VAE, contrastive losses, own metrics, several optimizers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers

rng = np.random.default_rng(0)
X = rng.normal(size=(64, 4)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def dense(*units, last=None):
    hidden = [layers.Dense(n, "relu") for n in units[1:-1]]
    return keras.Sequential([keras.Input((units[0],)), *hidden, layers.Dense(units[-1], last)])


class GAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.generator = dense(2, 8, 4)
        self.discriminator = dense(4, 8, 1)
        self.g_loss, self.d_loss = keras.metrics.Mean(name="g_loss"), keras.metrics.Mean(name="d_loss")

    @property
    def metrics(self):
        return [self.g_loss, self.d_loss]

    def compile(self, g_optimizer, d_optimizer, loss):
        super().compile()
        self.g_optimizer, self.d_optimizer, self.loss_function = g_optimizer, d_optimizer, loss

    def train_step(self, real):
        noise = torch.randn(len(real), 2)
        fake = self.generator(noise)
        judged = self.discriminator(torch.cat([fake.detach(), real]))
        labels = torch.cat([torch.ones(len(real), 1), torch.zeros(len(real), 1)])
        d_loss = self.loss_function(labels, judged)
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply(torch.autograd.grad(d_loss, weights), weights)
        g_loss = self.loss_function(torch.zeros(len(real), 1), self.discriminator(self.generator(noise)))
        weights = self.generator.trainable_weights
        self.g_optimizer.apply(torch.autograd.grad(g_loss, weights), weights)
        self.g_loss.update_state(g_loss)
        self.d_loss.update_state(d_loss)
        return {metric.name: metric.result() for metric in self.metrics}


def test_two_optimizers_train_two_parts():
    keras.utils.set_random_seed(0)
    gan = GAN()
    binary = keras.losses.BinaryCrossentropy(from_logits=True)
    gan.compile(keras.optimizers.Adam(0.01), keras.optimizers.Adam(0.01), binary)
    before = gan.get_weights()
    history = gan.fit(X, batch_size=16, epochs=3, verbose=0).history
    assert set(history) == {"g_loss", "d_loss"}
    assert history["d_loss"][-1] < history["d_loss"][0]
    assert all(not np.array_equal(a, b) for a, b in zip(before, gan.get_weights(), strict=True))
    assert int(gan.g_optimizer.iterations) == int(gan.d_optimizer.iterations) == 12


class Sampling(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1)

    def call(self, inputs):
        mean, log_variance = inputs
        noise = keras.random.normal(tuple(mean.shape), seed=self.seed_generator)
        return mean + torch.exp(0.5 * log_variance) * noise


class VAE(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        inputs = keras.Input((4,))
        hidden = layers.Dense(8, "relu")(inputs)
        mean, log_variance = (
            layers.Dense(2, name="mean")(hidden),
            layers.Dense(2, name="log_variance")(hidden),
        )
        self.encoder = keras.Model(inputs, [mean, log_variance, Sampling()([mean, log_variance])])
        self.decoder = dense(2, 8, 4)
        self.total = keras.metrics.Mean(name="total")

    def call(self, x):
        mean, log_variance, code = self.encoder(x)
        divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp())
        self.add_loss(0.01 * divergence.sum(dim=1).mean())
        return self.decoder(code)


def test_variational_autoencoder_with_added_loss():
    keras.utils.set_random_seed(0)
    vae = VAE()
    vae.compile(keras.optimizers.Adam(0.01), "mse")
    history = vae.fit(X, X, batch_size=16, epochs=15, verbose=0).history["loss"]
    assert history[-1] < 0.8 * history[0]
    assert len(vae.losses) == 1
    assert vae.decoder.predict(np.zeros((2, 2)), verbose=0).shape == (2, 4)


def test_overridden_loss_and_metrics():
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.net = dense(4, 8, 1)
            self.seen = keras.metrics.Mean(name="largest")

        def call(self, x):
            return self.net(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            loss = super().compute_loss(x, y, y_pred, sample_weight, training)
            return loss + 0.5 * (y - y_pred).abs().mean()

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            self.seen.update_state(y_pred.abs().max())
            return {**super().compute_metrics(x, y, y_pred, sample_weight), "constant": 7.0}

    keras.utils.set_random_seed(0)
    model = Model()
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(X, Y, batch_size=16, epochs=2, verbose=0, validation_data=(X, Y)).history
    assert set(history) == {
        "loss",
        "mae",
        "constant",
        "largest",
        "val_loss",
        "val_mae",
        "val_constant",
        "val_largest",
    }
    assert history["constant"] == [7.0, 7.0]
    results = model.evaluate(X, Y, return_dict=True, verbose=0)
    mse = float(((model.predict(X, verbose=0) - Y) ** 2).mean())
    assert results["loss"] == pytest.approx(mse + 0.5 * results["mae"], rel=1e-4)


def test_overridden_test_and_predict_steps():
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.net = dense(4, 1)

        def call(self, x):
            return self.net(x)

        def test_step(self, data):
            x, y = data
            return {"error": (self(x) - y).abs().mean()}

        def predict_step(self, data):
            return {"twice": 2 * self(data)}

    model = Model()
    model.compile(loss="mse")
    predicted = model.predict(X, verbose=0)
    assert set(predicted) == {"twice"}
    np.testing.assert_allclose(predicted["twice"], 2 * model(X).detach(), rtol=1e-5)
    result = model.evaluate(X, Y, batch_size=64, verbose=0, return_dict=True)
    assert result["error"] == pytest.approx(
        float((model(X).detach() - torch.from_numpy(Y)).abs().mean()), rel=1e-5
    )


def test_frozen_part_is_left_alone_and_can_be_freed():
    base, head = dense(4, 8, 3), layers.Dense(1)
    base.trainable = False
    inputs = keras.Input((4,))
    model = keras.Model(inputs, head(base(inputs, training=False)))
    model.compile("sgd", "mse")
    before = base.get_weights()
    model.fit(X, Y, epochs=2, verbose=0)
    for a, b in zip(before, base.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    base.trainable = True
    model.compile("sgd", "mse")
    model.fit(X, Y, epochs=2, verbose=0)
    assert not np.array_equal(before[0], base.get_weights()[0])


def test_shared_layer_has_one_set_of_weights():
    left, right = keras.Input((4,)), keras.Input((4,))
    shared = layers.Dense(3)
    distance = (shared(left) - shared(right)).square().sum(dim=-1)
    model = keras.Model([left, right], distance)
    assert len(model.weights) == 2
    model.compile("sgd", "mse")
    model.fit([X, X[::-1].copy()], np.zeros(64), epochs=1, verbose=0)
    np.testing.assert_array_equal(model.predict([X, X], verbose=0), np.zeros(64, "float32"))


def flipped(make):
    """Whether a mirror layer in a model turns pictures round, by way of calling it."""
    model = make(layers.RandomFlip("horizontal", seed=1))
    pictures = np.arange(2 * 4 * 4).reshape(8, 2, 2, 1).astype("float32")

    def is_changed(result):
        return not np.array_equal(np.asarray(result), pictures)

    return {
        "bare": is_changed(model(pictures)),
        "training=False": is_changed(model(pictures, training=False)),
        "training=True": is_changed(model(pictures, training=True)),
        "predict": is_changed(model.predict(pictures, verbose=0)),
        "bare after predict": is_changed(model(pictures)),
        "after eval": is_changed(model.eval()(pictures)),
        "after train": is_changed(model.train()(pictures)),
    }


def functional_of(layer):
    inputs = keras.Input((2, 2, 1))
    return keras.Model(inputs, layer(inputs))


@pytest.mark.parametrize("make", [lambda layer: keras.Sequential([layer]), functional_of])
def test_a_model_of_augmentations_augments_until_told_otherwise(make):
    assert flipped(make) == {
        "bare": True, "training=False": False, "training=True": True, "predict": False, "bare after predict": True,
        "after eval": False, "after train": True,
    }  # fmt: skip
