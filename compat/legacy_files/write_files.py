"""Write the files of this directory: models of Keras 2, their predictions, and how their training goes on.

Run where TensorFlow and tf_keras are installed: `python compat/legacy_files/write_files.py`. The tests need the
files only.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
import tf_keras as keras
from tf_keras import layers
from tf_keras.src.layers.rnn.cudnn_gru import CuDNNGRU
from tf_keras.src.layers.rnn.cudnn_lstm import CuDNNLSTM

HERE = Path(__file__).parent
expected: dict[str, np.ndarray] = {}
ARCHIVES = ("every_layer", "functional", "mixed", "recurrent")  # and those of the optimizers


def data(shape, records=4, integers=False):
    rng = np.random.default_rng(sum(shape) + 7)
    if integers:
        return rng.integers(0, 7, (records, *shape)).astype("int32")
    return rng.normal(size=(records, *shape)).astype("float32")


def randomize(model):
    rng = np.random.default_rng(3)
    model.set_weights([rng.uniform(0.1, 0.9, w.shape).astype(w.dtype) for w in model.get_weights()])


def save(name, model, **kwargs):
    """Write an HDF5 file and, of some models, an archive in Keras 2's layout."""
    model.save(HERE / f"{name}.h5", **kwargs)
    if name in ARCHIVES or name.endswith("_new"):
        model.save(HERE / f"{name}.keras")


def record(name, model, inputs):
    outputs = model.predict(inputs, verbose=0)
    for number, output in enumerate(outputs if isinstance(outputs, list) else [outputs]):
        expected[f"{name}/{number}"] = output


def train(name, model, x, y):
    """Train, save, and record what two more steps give."""
    model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    save(name, model)
    record(name, model, x)
    losses = [np.ravel(model.train_on_batch(x, y))[0] for _ in range(2)]
    expected[f"{name}/losses"] = np.array(losses)


def functional():
    x = keras.Input((4,), name="x")
    inner_x = keras.Input((3,), name="inner_x")
    hidden = layers.BatchNormalization(name="inner_bn")(
        layers.Dense(3, activation="tanh", name="inner_dense")(inner_x)
    )
    inner = keras.Model(inner_x, hidden, name="inner")
    stack = keras.Sequential(
        [layers.Dense(3, input_shape=(3,), name="stacked"), layers.ReLU(name="r")], name="stack"
    )
    shared = layers.Dense(3, kernel_regularizer="l2", name="shared")
    y = inner(shared(x))
    z = inner(shared(layers.Dense(4, name="first")(x)))
    y = layers.Add(name="add")([stack(y), z, stack(z)])
    y = layers.BatchNormalization(name="bn")(y)
    return keras.Model(
        x, [layers.Dense(2, name="out")(y), layers.Dense(1, activation="sigmoid", name="side")(z)], name="net"
    )


def convolutional():
    return keras.Sequential(
        [
            layers.Conv2D(4, 3, groups=2, padding="same", input_shape=(8, 8, 2), activation="relu"),
            layers.DepthwiseConv2D(3, depth_multiplier=2),
            layers.SeparableConv2D(5, 3, padding="same"),
            layers.BatchNormalization(fused=True),
            layers.LeakyReLU(alpha=0.2),
            layers.Conv2DTranspose(3, 2, strides=2),
            layers.MaxPooling2D(2),
            layers.SpatialDropout2D(0.1),
            layers.ZeroPadding2D(1),
            layers.UpSampling2D(2, interpolation="nearest"),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.2),
            layers.Dense(2),
        ],
        name="convolutional",
    )


def recurrent():
    words = keras.Input((5,), dtype="int32", name="words")
    x = layers.Embedding(7, 4, mask_zero=True, input_length=5)(words)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True, recurrent_activation="hard_sigmoid"))(x)
    x = layers.GRU(3, reset_after=False, return_sequences=True, dropout=0.1)(x)
    x = layers.TimeDistributed(layers.Dense(4))(x)
    x = layers.RNN(layers.StackedRNNCells([layers.LSTMCell(3), layers.GRUCell(2)]), return_sequences=True)(x)
    x = layers.SimpleRNN(3, return_sequences=True, go_backwards=True)(x)
    return keras.Model(words, layers.GRU(2)(x), name="recurrent")


def operations():
    x = keras.Input((4,), name="x")
    y = tf.nn.relu(x * 2.0 + 1.0) - x / 3.0
    y = tf.concat([y, 1.0 - y], axis=-1)[:, 1:7]
    y = tf.reduce_mean(tf.reshape(y, [-1, 3, 2]), axis=-1, keepdims=True) ** 2.0
    y = tf.squeeze(tf.transpose(y, [0, 2, 1]), axis=1)
    y = tf.clip_by_value(tf.exp(-tf.abs(y)), 0.1, 0.9) + tf.expand_dims(tf.reduce_sum(x, axis=1), -1)
    y = tf.where(y > 0.5, y, tf.zeros_like(y))
    y = tf.matmul(y, tf.constant([[1.0, 2.0], [0.0, 1.0], [3.0, 0.0]]))
    return keras.Model(
        x, tf.maximum(tf.cast(y, "float32"), tf.stack([x[:, 0], x[:, 3]], axis=1)), name="operations"
    )


LAYERS = {
    (6,): [
        layers.Activation("swish"), layers.ActivityRegularization(l1=0.1), layers.ELU(0.5), layers.GaussianNoise(0.1),
        layers.LayerNormalization(axis=[1]), layers.Normalization(mean=[1.0] * 6, variance=[4.0] * 6), layers.PReLU(),
        layers.ReLU(max_value=1.0), layers.RepeatVector(2), layers.Rescaling(0.5), layers.Reshape((2, 3)),
        layers.Softmax(), layers.UnitNormalization(), layers.AlphaDropout(0.1), layers.GaussianDropout(0.1),
        layers.Masking(0.0), layers.EinsumDense("ab,bc->ac", output_shape=3, bias_axes="c"),
        layers.Dense(3, kernel_initializer=keras.initializers.VarianceScaling(2.0, "fan_out", "uniform"),
                     kernel_constraint=keras.constraints.MaxNorm(2),
                     bias_regularizer=keras.regularizers.L1L2(0.1, 0.2)),
    ],
    (6, 4): [
        layers.AveragePooling1D(2), layers.Conv1D(3, 2, padding="causal", dilation_rate=2), layers.Cropping1D(1),
        layers.Conv1DTranspose(3, 2), layers.DepthwiseConv1D(2), layers.GlobalMaxPooling1D(), layers.MaxPooling1D(2),
        layers.Permute((2, 1)), layers.SeparableConv1D(3, 2), layers.SpatialDropout1D(0.1), layers.UpSampling1D(2),
        layers.ZeroPadding1D(1), layers.GroupNormalization(2), layers.GlobalAveragePooling1D(), layers.Flatten(),
    ],
    (5, 6, 2): [
        layers.Conv2D(3, (2, 3), strides=2), layers.ConvLSTM1D(2, 2), layers.Cropping2D(1), layers.Resizing(4, 4),
        layers.UpSampling2D(2, interpolation="bilinear"), layers.CenterCrop(3, 3), layers.RandomFlip(),
        layers.GlobalMaxPooling2D(),
        layers.RandomRotation(0.1), layers.RandomZoom(0.1), layers.RandomContrast(0.1),
        layers.RandomTranslation(0.1, 0.1),
    ],
    (4, 4, 4, 2): [
        layers.Conv3D(2, 2), layers.Conv3DTranspose(2, 2), layers.AveragePooling3D(2), layers.MaxPooling3D(2),
        layers.ConvLSTM2D(2, 2), layers.ZeroPadding3D(1), layers.UpSampling3D(2),
    ],
}  # fmt: skip


def every_layer():
    inputs = {shape: keras.Input(shape, name="x" + "_".join(map(str, shape))) for shape in LAYERS}
    outputs = [layer(inputs[shape]) for shape, group in LAYERS.items() for layer in group]
    a = inputs[6, 4]
    b = layers.Dense(4, name="key")(a)
    merged = [layers.Subtract(), layers.Multiply(), layers.Average(), layers.Maximum(), layers.Minimum()]
    outputs += [
        layer([a, b]) for layer in (*merged, layers.Concatenate(axis=1), layers.Dot(axes=2, normalize=True))
    ]
    outputs += [layers.Attention(use_scale=True)([a, b]), layers.AdditiveAttention()([a, b])]
    outputs += [layers.MultiHeadAttention(2, 3, value_dim=2)(a, b, key=a)]
    return keras.Model(list(inputs.values()), outputs, name="every_layer")


def cudnn():
    """Weights in cuDNN's layout; what they compute comes from the same weights in tf_keras's `LSTM` and `GRU`."""

    def make(lstm, gru):
        return keras.Sequential(
            [
                keras.Input((5, 4)),
                lstm(3, return_sequences=True, name="long"),
                layers.Bidirectional(lstm(2, return_sequences=True, name="both_ways"), name="both"),
                gru(3, name="gated"),
            ],
            name="cudnn",
        )

    model, plain = make(CuDNNLSTM, CuDNNGRU), make(layers.LSTM, layers.GRU)
    randomize(model)
    model.save(HERE / "cudnn.h5")
    plain.load_weights(HERE / "cudnn.h5")
    record("cudnn", plain, data((5, 4)))


OPTIMIZERS = {
    "Adadelta": {}, "Adagrad": {}, "Adam": {"amsgrad": True, "clipnorm": 1.0}, "Adamax": {}, "AdamW": {}, "Ftrl": {},
    "Lion": {}, "Nadam": {}, "RMSprop": {"momentum": 0.5, "centered": True}, "SGD": {"momentum": 0.9, "nesterov": True},
}  # fmt: skip


def optimizers():
    x, y = data((3,)), data((2,))
    for name, arguments in OPTIMIZERS.items():
        for kind, module in (("new", keras.optimizers), ("legacy", keras.optimizers.legacy)):
            if not hasattr(module, name):
                continue
            model = keras.Sequential([layers.Dense(2, input_shape=(3,), name="d")], name="one")
            randomize(model)
            model.compile(getattr(module, name)(0.01, **arguments), keras.losses.MeanSquaredError())
            train(f"optimizer_{name}_{kind}", model, x, y)


def main():
    model = functional()
    randomize(model)
    schedule = keras.optimizers.schedules.ExponentialDecay(0.01, 2, 0.5)
    model.compile(keras.optimizers.Adam(schedule), {"out": "mse", "side": "binary_crossentropy"},
                  metrics={"out": ["mae"], "side": ["accuracy"]}, loss_weights={"out": 1.0, "side": 0.5})  # fmt: skip
    x = data((4,))
    train("functional", model, x, [data((2,)), data((1,), integers=True) % 2])
    model.get_layer("inner").trainable = False
    model.save_weights(HERE / "functional_weights.h5")
    (HERE / "functional.json").write_text(model.to_json())
    model.compile("sgd", "mse")
    model.save(HERE / "frozen.h5", include_optimizer=False)
    record("frozen", model, x)

    model = convolutional()
    randomize(model)
    model.compile(keras.optimizers.legacy.RMSprop(0.001, decay=0.1), keras.losses.Huber(), metrics=["mse"])
    model.fit(data((8, 8, 2)), data((2,)), verbose=0)
    model.save(HERE / "convolutional.h5")
    record("convolutional", model, data((8, 8, 2)))
    (HERE / "convolutional.json").write_text(model.to_json())

    model = recurrent()
    randomize(model)
    save("recurrent", model)
    record("recurrent", model, data((5,), integers=True))

    model = operations()
    model.save(HERE / "operations.h5")
    record("operations", model, x)

    model = every_layer()
    randomize(model)
    save("every_layer", model, include_optimizer=False)
    record("every_layer", model, [data(shape) for shape in LAYERS])

    twice = eval(
        compile("lambda t: t * 2 + 1", "<lambda>", "eval")
    )  # so that the file does not name this one
    model = keras.Sequential(
        [layers.Dense(3, input_shape=(4,), name="d"), layers.Lambda(twice, name="twice")]
    )
    randomize(model)
    model.save(HERE / "lambda.h5")
    record("lambda", model, x)

    keras.mixed_precision.set_global_policy("mixed_float16")
    model = keras.Sequential(
        [layers.Dense(3, input_shape=(4,)), layers.Dense(2, dtype="float32")], name="mixed"
    )
    keras.mixed_precision.set_global_policy("float32")
    randomize(model)
    model.compile(keras.mixed_precision.LossScaleOptimizer(keras.optimizers.SGD(0.01)), "mse")
    save("mixed", model)
    record("mixed", model, x)

    cudnn()
    optimizers()
    np.savez_compressed(
        HERE / "expected.npz", **{key.replace("/", "|"): value for key, value in expected.items()}
    )


if __name__ == "__main__":
    main()
