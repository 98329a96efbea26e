"""Variational autoencoder, GAN and diffusion with training steps of their own, in PyTorch as Keras 3 asks for it."""

import keras
import numpy as np
import torch
from equal import set_equal_weights, show
from keras import layers, ops

generator = np.random.default_rng(5)
images = (
    generator.uniform(0, 1, (64, 8, 8, 1)).astype("float32")
    * np.linspace(0, 1, 8, dtype="float32")[:, None, None]
)


class Sampling(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1337)

    def call(self, z_mean, z_log_var):
        epsilon = keras.random.normal(ops.shape(z_mean), seed=self.seed_generator)
        return z_mean + ops.exp(0.5 * z_log_var) * epsilon * 0.0


encoder_inputs = keras.Input(shape=(8, 8, 1))
x = layers.Conv2D(4, 3, activation="relu", strides=2, padding="same")(encoder_inputs)
x = layers.Flatten()(x)
x = layers.Dense(8, activation="relu")(x)
z_mean = layers.Dense(2, name="z_mean")(x)
z_log_var = layers.Dense(2, name="z_log_var")(x)
encoder = keras.Model(encoder_inputs, [z_mean, z_log_var, Sampling()(z_mean, z_log_var)], name="encoder")
latent_inputs = keras.Input(shape=(2,))
x = layers.Dense(4 * 4 * 4, activation="relu")(latent_inputs)
x = layers.Reshape((4, 4, 4))(x)
x = layers.Conv2DTranspose(4, 3, activation="relu", strides=2, padding="same")(x)
decoder = keras.Model(
    latent_inputs, layers.Conv2D(1, 3, activation="sigmoid", padding="same")(x), name="decoder"
)
encoder.summary(show_trainable=True)


class VAE(keras.Model):
    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.total_loss_tracker = keras.metrics.Mean(name="total_loss")
        self.reconstruction_loss_tracker = keras.metrics.Mean(name="reconstruction_loss")
        self.kl_loss_tracker = keras.metrics.Mean(name="kl_loss")

    @property
    def metrics(self):
        return [self.total_loss_tracker, self.reconstruction_loss_tracker, self.kl_loss_tracker]

    def call(self, inputs):
        return self.encoder(inputs)

    def train_step(self, data):
        z_mean, z_log_var, z = self.encoder(data)
        reconstruction = self.decoder(z)
        reconstruction_loss = ops.mean(
            ops.sum(keras.losses.binary_crossentropy(data, reconstruction), axis=(1, 2)), axis=0
        )
        kl_loss = -0.5 * (1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var))
        kl_loss = ops.mean(ops.sum(kl_loss, axis=1))
        total_loss = reconstruction_loss + kl_loss
        self.zero_grad()
        total_loss.backward()
        weights = self.trainable_weights
        gradients = [v.value.grad for v in weights]
        with torch.no_grad():
            self.optimizer.apply(gradients, weights)
        self.total_loss_tracker.update_state(total_loss)
        self.reconstruction_loss_tracker.update_state(reconstruction_loss)
        self.kl_loss_tracker.update_state(kl_loss)
        return {m.name: m.result() for m in self.metrics}


set_equal_weights(encoder)
set_equal_weights(decoder)
vae = VAE(encoder, decoder)
vae.compile(optimizer=keras.optimizers.Adam(1e-2))
history = vae.fit(images, epochs=2, batch_size=16, shuffle=False, verbose=0)
for name in ["total_loss", "reconstruction_loss", "kl_loss"]:
    show(name, history.history[name])
grid = vae.decoder.predict(np.array([[x, y] for x in (-1.0, 1.0) for y in (-1.0, 1.0)]), verbose=0)
show("grid", str(grid.shape), grid.mean())


# The loss by a layer
class KLDivergence(layers.Layer):
    def call(self, inputs):
        mean, log_var = inputs
        self.add_loss(
            0.01 * ops.mean(-0.5 * ops.sum(1 + log_var - ops.exp(log_var) - ops.square(mean), axis=-1))
        )
        return mean


inputs = keras.Input((8, 8, 1))
x = layers.Flatten()(inputs)
x = KLDivergence()([layers.Dense(2)(x), layers.Dense(2)(x)])
x = layers.Reshape((8, 8, 1))(layers.Dense(64, activation="sigmoid")(x))
model = keras.Model(inputs, x)
set_equal_weights(model)
model.compile(loss="mse", optimizer="rmsprop")
history = model.fit(images, images, epochs=2, batch_size=16, shuffle=False, verbose=0)
show("add_loss", history.history["loss"])


# GAN
class GAN(keras.Model):
    def __init__(self, discriminator, generator, latent_dim):
        super().__init__()
        self.discriminator = discriminator
        self.generator = generator
        self.latent_dim = latent_dim
        self.d_loss_metric = keras.metrics.Mean(name="d_loss")
        self.g_loss_metric = keras.metrics.Mean(name="g_loss")
        self.built = True

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super().compile()
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer
        self.loss_fn = loss_fn

    @property
    def metrics(self):
        return [self.d_loss_metric, self.g_loss_metric]

    def train_step(self, real_images):
        batch_size = ops.shape(real_images)[0]
        noise = ops.reshape(
            ops.linspace(-1.0, 1.0, batch_size * self.latent_dim), (batch_size, self.latent_dim)
        )
        fake = self.generator(noise, training=True)
        combined = ops.concatenate([fake, real_images], axis=0)
        labels = ops.concatenate([ops.ones((batch_size, 1)), ops.zeros((batch_size, 1))], axis=0)
        self.zero_grad()
        d_loss = self.loss_fn(labels, self.discriminator(combined, training=True))
        d_loss.backward()
        weights = self.discriminator.trainable_weights
        with torch.no_grad():
            self.d_optimizer.apply([v.value.grad for v in weights], weights)
        self.zero_grad()
        g_loss = self.loss_fn(
            ops.zeros((batch_size, 1)),
            self.discriminator(self.generator(noise, training=True), training=True),
        )
        g_loss.backward()
        weights = self.generator.trainable_weights
        with torch.no_grad():
            self.g_optimizer.apply([v.value.grad for v in weights], weights)
        self.d_loss_metric.update_state(d_loss)
        self.g_loss_metric.update_state(g_loss)
        return {"d_loss": self.d_loss_metric.result(), "g_loss": self.g_loss_metric.result()}


discriminator = keras.Sequential(
    [
        keras.Input(shape=(8, 8, 1)),
        layers.Conv2D(4, 4, strides=2, padding="same"),
        layers.LeakyReLU(negative_slope=0.2),
        layers.Flatten(),
        layers.Dense(1, activation="sigmoid"),
    ],
    name="discriminator",
)
maker = keras.Sequential(
    [
        keras.Input(shape=(3,)),
        layers.Dense(2 * 2 * 4),
        layers.Reshape((2, 2, 4)),
        layers.Conv2DTranspose(4, 4, strides=2, padding="same"),
        layers.BatchNormalization(),
        layers.LeakyReLU(0.2),
        layers.UpSampling2D(2),
        layers.Conv2D(1, 5, padding="same", activation="sigmoid"),
    ],
    name="generator",
)
set_equal_weights(discriminator)
set_equal_weights(maker)


class Monitor(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        pictures = self.model.generator(np.zeros((2, 3), "float32"))
        show("picture", epoch, str(tuple(pictures.shape)), logs["g_loss"])


gan = GAN(discriminator=discriminator, generator=maker, latent_dim=3)
gan.compile(
    d_optimizer=keras.optimizers.Adam(learning_rate=1e-3),
    g_optimizer=keras.optimizers.Adam(learning_rate=1e-3, beta_1=0.5),
    loss_fn=keras.losses.BinaryCrossentropy(),
)
history = gan.fit(images, epochs=2, batch_size=16, shuffle=False, callbacks=[Monitor()], verbose=0)
show("gan", history.history["d_loss"], history.history["g_loss"])

# The GAN of older books: train_on_batch, a frozen discriminator inside the GAN
discriminator.trainable = False
discriminator.compile(loss="binary_crossentropy", optimizer="rmsprop")
old_gan = keras.Sequential([maker, discriminator])
old_gan.compile(loss="binary_crossentropy", optimizer="rmsprop")
noise = generator.normal(size=(16, 3)).astype("float32")
weights_before = discriminator.get_weights()
for _ in range(2):
    show("old gan", old_gan.train_on_batch(noise, np.ones((16, 1))))
print(
    "frozen",
    all(np.array_equal(a, b) for a, b in zip(weights_before, discriminator.get_weights(), strict=True)),
)
