"""Forecasting: windows, a naive baseline, dense, convolutional, recurrent and stacked models, several steps ahead."""

import keras
import numpy as np
from equal import set_equal_weights, show
from keras import layers

generator = np.random.default_rng(2)
steps = np.arange(400)
series = np.stack([np.sin(steps / 8), np.cos(steps / 5), steps / 400], axis=-1) + generator.normal(
    0, 0.05, (400, 3)
)
series = ((series - series[:200].mean(0)) / series[:200].std(0)).astype("float32")
LENGTH, DELAY = 12, 4


def windows(start, stop):
    last = stop - LENGTH - DELAY
    x = np.stack([series[i : i + LENGTH] for i in range(start, last)])
    y = series[start + LENGTH + DELAY - 1 : last + LENGTH + DELAY - 1, 0]
    return x, y


x_train, y_train = windows(0, 200)
x_val, y_val = windows(200, 300)
show("windows", str(x_train.shape), str(y_train.shape))
show("naive", np.mean(np.abs(x_val[:, -1, 0] - y_val)))


def run(name, model, **settings):
    set_equal_weights(model)
    model.compile(optimizer=keras.optimizers.Adam(5e-3), loss="mse", metrics=["mae"])
    history = model.fit(
        x_train,
        y_train,
        epochs=2,
        batch_size=32,
        shuffle=False,
        validation_data=(x_val, y_val),
        verbose=0,
        **settings,
    )
    show(name, history.history["loss"], history.history["val_mae"], model.count_params())


inputs = keras.Input(shape=(LENGTH, 3))
run(
    "dense",
    keras.Model(inputs, layers.Dense(1)(layers.Dense(8, activation="relu")(layers.Flatten()(inputs)))),
)

x = layers.Conv1D(8, 5, activation="relu")(inputs)
x = layers.MaxPooling1D(2)(x)
x = layers.Conv1D(8, 3, activation="relu")(x)
run("conv1d", keras.Model(inputs, layers.Dense(1)(layers.GlobalAveragePooling1D()(x))))

run("simple", keras.Sequential([keras.Input((None, 3)), layers.SimpleRNN(8), layers.Dense(1)]))
run("lstm", keras.Model(inputs, layers.Dense(1)(layers.LSTM(8)(inputs))))
run(
    "unrolled",
    keras.Model(
        inputs, layers.Dense(1)(layers.LSTM(8, unroll=True, recurrent_activation="hard_sigmoid")(inputs))
    ),
)

x = layers.GRU(8, return_sequences=True)(inputs)
x = layers.GRU(8, go_backwards=True, reset_after=False)(x)
run("stacked", keras.Model(inputs, layers.Dense(1)(layers.Dropout(0.0)(x))))

x = layers.Bidirectional(layers.LSTM(6, return_sequences=True), merge_mode="sum")(inputs)
x = layers.Bidirectional(layers.GRU(4))(x)
run("bidirectional", keras.Model(inputs, layers.Dense(1)(x)), callbacks=[keras.callbacks.TerminateOnNaN()])

# WaveNet's dilated causal convolutions
model = keras.Sequential([keras.Input(shape=[None, 3])])
for rate in (1, 2, 4, 8) * 2:
    model.add(
        layers.Conv1D(filters=6, kernel_size=2, padding="causal", activation="relu", dilation_rate=rate)
    )
model.add(layers.Conv1D(filters=1, kernel_size=1))
model.add(layers.Lambda(lambda z: z[:, -1]))
run("wavenet", model)

# Sequence to sequence: at each step the next four values
targets = np.stack([series[1 + i : 1 + i + 150, 0] for i in range(DELAY)], axis=-1)
x_seq = np.stack([series[i : i + LENGTH] for i in range(130)])
y_seq = np.stack([targets[i : i + LENGTH] for i in range(130)])


@keras.saving.register_keras_serializable(package="books")
def last_step_mse(y_true, y_pred):
    return keras.metrics.mean_squared_error(y_true[:, -1], y_pred[:, -1])


class LayerNormRNNCell(layers.Layer):
    def __init__(self, units, activation="tanh", **kwargs):
        super().__init__(**kwargs)
        self.state_size = units
        self.output_size = units
        self.cell = layers.SimpleRNNCell(units, activation=None)
        self.norm = layers.LayerNormalization()
        self.activation = keras.activations.get(activation)

    def call(self, inputs, states):
        outputs, _ = self.cell(inputs, states)
        outputs = self.activation(self.norm(outputs))
        return outputs, [outputs]


model = keras.Sequential(
    [
        keras.Input((None, 3)),
        layers.RNN(LayerNormRNNCell(8), return_sequences=True),
        layers.LSTM(8, return_sequences=True),
        layers.TimeDistributed(layers.Dense(DELAY)),
    ]
)
model.predict(x_seq[:1], verbose=0)  # builds the cell, which has no `build` of its own
set_equal_weights(model)
model.compile(loss=keras.losses.Huber(), optimizer="nadam", metrics=[last_step_mse])
model.fit(x_seq, y_seq, epochs=2, batch_size=26, shuffle=False, verbose=0)
show("sequences", model.evaluate(x_seq, y_seq, verbose=0), str(model.predict(x_seq[:5], verbose=0).shape))
