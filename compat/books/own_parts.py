"""Losses, metrics, layers, activations, constraints, callbacks, schedules and training loops of one's own."""

import os
import tempfile

import keras
import numpy as np
import torch
from equal import set_equal_weights, show
from keras import layers, ops

generator = np.random.default_rng(7)
x_train = generator.normal(size=(96, 8)).astype("float32")
y_train = (x_train[:, :3].sum(1, keepdims=True) + 0.1 * generator.normal(size=(96, 1))).astype("float32")
x_valid, y_valid = x_train[64:], y_train[64:]
x_train, y_train = x_train[:64], y_train[:64]


def create_huber(threshold=1.0):
    def huber_fn(y_true, y_pred):
        error = y_true - y_pred
        is_small = ops.abs(error) < threshold
        return ops.where(is_small, ops.square(error) / 2, threshold * ops.abs(error) - threshold**2 / 2)

    return huber_fn


@keras.saving.register_keras_serializable(package="books")
class HuberLoss(keras.losses.Loss):
    def __init__(self, threshold=1.0, **kwargs):
        self.threshold = threshold
        super().__init__(**kwargs)

    def call(self, y_true, y_pred):
        return ops.mean(create_huber(self.threshold)(y_true, y_pred), axis=-1)

    def get_config(self):
        base_config = super().get_config()
        return {**base_config, "threshold": self.threshold}


@keras.saving.register_keras_serializable(package="books")
class HuberMetric(keras.metrics.Metric):
    def __init__(self, threshold=1.0, name="huber", **kwargs):
        super().__init__(name=name, **kwargs)
        self.threshold = threshold
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        values = create_huber(self.threshold)(y_true, y_pred)
        self.total.assign_add(ops.sum(values))
        self.count.assign_add(ops.cast(ops.size(y_true), "float32"))

    def result(self):
        return self.total / self.count

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}


@keras.saving.register_keras_serializable()
def my_softplus(z):
    return ops.log(1.0 + ops.exp(z))


@keras.saving.register_keras_serializable()
def my_glorot_initializer(shape, dtype="float32"):
    stddev = ops.sqrt(2.0 / (shape[0] + shape[1]))
    return keras.random.normal(shape, stddev=float(stddev), dtype=dtype, seed=1)


@keras.saving.register_keras_serializable()
class MyL1(keras.regularizers.Regularizer):
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, weights):
        return ops.sum(ops.abs(self.factor * weights))

    def get_config(self):
        return {"factor": self.factor}


@keras.saving.register_keras_serializable()
class Positive(keras.constraints.Constraint):
    def __call__(self, weights):
        return ops.where(weights < 0.0, ops.zeros_like(weights), weights)


@keras.saving.register_keras_serializable()
class MyDense(layers.Layer):
    def __init__(self, units, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)

    def build(self, batch_input_shape):
        self.kernel = self.add_weight(
            name="kernel", shape=[batch_input_shape[-1], self.units], initializer="he_normal"
        )
        self.bias = self.add_weight(name="bias", shape=[self.units], initializer="zeros")

    def call(self, X):
        return self.activation(X @ self.kernel + self.bias)

    def get_config(self):
        base_config = super().get_config()
        return {
            **base_config,
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
        }


@keras.saving.register_keras_serializable()
class ResidualBlock(layers.Layer):
    def __init__(self, n_layers, n_neurons, **kwargs):
        super().__init__(**kwargs)
        self.n_layers, self.n_neurons = n_layers, n_neurons
        self.hidden = [layers.Dense(n_neurons, activation="relu") for _ in range(n_layers)]

    def build(self, input_shape):
        for layer in self.hidden:
            layer.build(input_shape)
        super().build(input_shape)

    def call(self, inputs):
        Z = inputs
        for layer in self.hidden:
            Z = layer(Z)
        return inputs + Z

    def get_config(self):
        return {**super().get_config(), "n_layers": self.n_layers, "n_neurons": self.n_neurons}


model = keras.Sequential(
    [
        keras.Input((8,)),
        MyDense(6, activation=my_softplus),
        ResidualBlock(2, 6),
        layers.Dense(
            4,
            kernel_initializer=my_glorot_initializer,
            kernel_regularizer=MyL1(0.01),
            kernel_constraint=Positive(),
            activity_regularizer=keras.regularizers.L2(1e-4),
        ),
        layers.Dense(1),
    ]
)
set_equal_weights(model)
model.compile(loss=HuberLoss(2.0), optimizer="nadam", metrics=["mae", HuberMetric(2.0)])
history = model.fit(
    x_train, y_train, epochs=2, batch_size=16, shuffle=False, validation_data=(x_valid, y_valid), verbose=0
)
show("own", history.history["loss"], history.history["huber"], history.history["val_mae"])
path = os.path.join(tempfile.mkdtemp(), "own.keras")
model.save(path)
loaded = keras.models.load_model(path)
show("loaded", loaded.evaluate(x_valid, y_valid, verbose=0, return_dict=True))
print("positive", bool((model.layers[2].kernel.numpy() >= 0).all()))


# A reconstruction loss inside a model, and a metric of it
class ReconstructingRegressor(keras.Model):
    def __init__(self, output_dim, **kwargs):
        super().__init__(**kwargs)
        self.hidden = [layers.Dense(6, activation="relu") for _ in range(2)]
        self.out = layers.Dense(output_dim)
        self.reconstruct = layers.Dense(8)
        self.reconstruction_mean = keras.metrics.Mean(name="reconstruction_error")

    def call(self, inputs, training=False):
        Z = inputs
        for layer in self.hidden:
            Z = layer(Z)
        recon_loss = ops.mean(ops.square(self.reconstruct(Z) - inputs))
        self.add_loss(0.05 * recon_loss)
        if training:
            self.reconstruction_mean.update_state(recon_loss)
        return self.out(Z)


model = ReconstructingRegressor(1)
model(x_train[:1])
set_equal_weights(model)
model.compile(loss="mse", optimizer="adam")
history = model.fit(x_train, y_train, epochs=2, batch_size=16, shuffle=False, verbose=0)
show("reconstructing", history.history["loss"])


# Callbacks
class LossHistory(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.per_batch_losses = []

    def on_train_batch_end(self, batch, logs=None):
        self.per_batch_losses.append(logs.get("loss"))

    def on_epoch_end(self, epoch, logs=None):
        show(
            "callback",
            epoch,
            len(self.per_batch_losses),
            self.per_batch_losses[-1],
            logs["val_loss"] / logs["loss"],
        )


class ExponentialLearningRate(keras.callbacks.Callback):
    def __init__(self, factor):
        super().__init__()
        self.factor, self.rates = factor, []

    def on_batch_end(self, batch, logs=None):
        lr = float(self.model.optimizer.learning_rate)
        self.rates.append(lr)
        self.model.optimizer.learning_rate = lr * self.factor


model = keras.Sequential([keras.Input((8,)), layers.Dense(6, activation="relu"), layers.Dense(1)])
set_equal_weights(model)
model.compile(loss="mse", optimizer=keras.optimizers.SGD(learning_rate=0.01))
rates = ExponentialLearningRate(1.1)
model.fit(
    x_train, y_train, epochs=2, batch_size=16, shuffle=False, validation_data=(x_valid, y_valid), verbose=0,
    callbacks=[LossHistory(), rates, keras.callbacks.LearningRateScheduler(lambda epoch, lr: lr * 0.5)],
)  # fmt: skip
show("rates", rates.rates)


# A schedule of one's own
class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, rate, steps):
        self.rate, self.steps = rate, steps

    def __call__(self, step):
        step = ops.cast(step, "float32")
        return self.rate * ops.minimum((step + 1) / self.steps, ops.sqrt(self.steps / (step + 1)))

    def get_config(self):
        return {"rate": self.rate, "steps": self.steps}


set_equal_weights(model)
model.compile(loss="mse", optimizer=keras.optimizers.Adam(Warmup(0.02, 4)))
show(
    "warm-up", model.fit(x_train, y_train, epochs=3, batch_size=16, shuffle=False, verbose=0).history["loss"]
)

# A training loop in PyTorch
set_equal_weights(model)
optimizer = keras.optimizers.Adam(learning_rate=1e-2)
loss_fn = keras.losses.MeanSquaredError()
mean_loss = keras.metrics.Mean()
metrics = [keras.metrics.MeanAbsoluteError()]
loader = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(torch.tensor(x_train), torch.tensor(y_train)), batch_size=16
)
for epoch in range(2):
    for x_batch, y_batch in loader:
        y_pred = model(x_batch, training=True)
        loss = loss_fn(y_batch, y_pred) + sum(model.losses)
        model.zero_grad()
        loss.backward()
        gradients = [v.value.grad for v in model.trainable_weights]
        with torch.no_grad():
            optimizer.apply(gradients, model.trainable_weights)
        mean_loss(loss)
        for metric in metrics:
            metric(y_batch, y_pred)
    show("loop", epoch, mean_loss.result(), *[metric.result() for metric in metrics])
    for metric in [mean_loss] + metrics:
        metric.reset_state()


# train_step and test_step of one's own, and torch's optimizer in a loop
class CustomModel(keras.Model):
    def train_step(self, data):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        self.zero_grad()
        y_pred = self(x, training=True)
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)
        loss.backward()
        trainable_weights = list(self.trainable_weights)
        gradients = [v.value.grad for v in trainable_weights]
        with torch.no_grad():
            self.optimizer.apply(gradients, trainable_weights)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred, sample_weight=sample_weight)
        return {m.name: m.result() for m in self.metrics}

    def test_step(self, data):
        x, y = data
        y_pred = self(x, training=False)
        loss = self.compute_loss(y=y, y_pred=y_pred)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


inputs = keras.Input(shape=(8,))
model = CustomModel(inputs, layers.Dense(1)(layers.Dense(6, activation="elu")(inputs)))
set_equal_weights(model)
model.compile(optimizer="adam", loss="mse", metrics=["mae"])
history = model.fit(
    x_train, y_train, sample_weight=np.linspace(0, 1, 64), epochs=2, batch_size=16, shuffle=False, verbose=0
)
show("train_step", history.history["loss"])
show("test_step", model.evaluate(x_valid, y_valid, verbose=0)[0])


class StochasticDepth(layers.Layer):
    def __init__(self, rate, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator(3)

    def call(self, x, training=None):
        if not training:
            return x
        keep = keras.random.uniform((ops.shape(x)[0], 1), seed=self.seed_generator) >= self.rate
        return ops.where(keep, x / (1 - self.rate), 0.0)


layer = StochasticDepth(0.5)
output = ops.convert_to_numpy(layer(np.ones((200, 2), "float32"), training=True))
print("dropped", set(np.unique(output)) == {0.0, 2.0}, 0.3 < output.mean() / 2 < 0.7)
