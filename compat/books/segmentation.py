"""Image to image: a segmentation network, autoencoders of several kinds, mixed precision."""

import os
import tempfile

import keras
import numpy as np
from equal import set_equal_weights, show
from keras import layers, ops

generator = np.random.default_rng(8)
images = generator.normal(0, 0.2, (24, 16, 16, 3)).astype("float32")
masks = np.zeros((24, 16, 16, 1), "uint8")
for i, (row, column) in enumerate(generator.integers(0, 9, (24, 2))):
    images[i, row : row + 6, column : column + 6] += 1
    masks[i, row : row + 6, column : column + 6] = 1


def get_model(img_size, num_classes):
    inputs = keras.Input(shape=img_size + (3,))
    x = layers.Rescaling(1.0 / 2)(inputs)
    x = layers.Conv2D(4, 3, strides=2, activation="relu", padding="same")(x)
    x = layers.Conv2D(4, 3, activation="relu", padding="same")(x)
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Conv2DTranspose(8, 3, activation="relu", padding="same")(x)
    x = layers.Conv2DTranspose(8, 3, activation="relu", padding="same", strides=2)(x)
    x = layers.Conv2DTranspose(4, 3, activation="relu", padding="same", strides=2)(x)
    outputs = layers.Conv2D(num_classes, 3, activation="softmax", padding="same")(x)
    return keras.Model(inputs, outputs)


model = get_model((16, 16), 2)
set_equal_weights(model)
foreground_iou = keras.metrics.IoU(
    num_classes=2, target_class_ids=(1,), name="foreground_iou", sparse_y_pred=False
)
model.compile(
    optimizer=keras.optimizers.Adam(5e-3), loss="sparse_categorical_crossentropy", metrics=[foreground_iou]
)
history = model.fit(images, masks, epochs=2, batch_size=8, shuffle=False, verbose=0)
show("segmentation", history.history["loss"], history.history["foreground_iou"])


# A U-Net with skip connections
def unet():
    inputs = keras.Input((16, 16, 3))
    skips, x = [], inputs
    for filters in (4, 8):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.GroupNormalization(2)(x)
        x = layers.Activation("swish")(x)
        skips.append(x)
        x = layers.AveragePooling2D()(x)
    x = layers.Conv2D(8, 3, padding="same", activation="mish")(x)
    for filters in (8, 4):
        x = layers.UpSampling2D(interpolation="bilinear")(x)
        x = layers.Concatenate()([x, skips.pop()])
        x = layers.SpatialDropout2D(0.0)(
            layers.SeparableConv2D(filters, 3, padding="same", activation="relu")(x)
        )
    return keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid", dtype="float32")(x))


def dice(y_true, y_pred):
    y_true = ops.cast(y_true, y_pred.dtype)
    return 1 - 2 * ops.sum(y_true * y_pred) / (ops.sum(y_true) + ops.sum(y_pred) + 1e-6)


for loss in [dice, keras.losses.BinaryFocalCrossentropy(), keras.losses.Tversky()]:
    model = unet()
    set_equal_weights(model)
    model.compile("adamw", loss=loss, metrics=[keras.metrics.BinaryIoU(target_class_ids=[0, 1])])
    history = model.fit(images, masks.astype("float32"), epochs=2, batch_size=8, shuffle=False, verbose=0)
    show("unet", history.history["loss"])

# Autoencoders: stacked, convolutional, sparse, tied
flat = images.reshape(24, -1)[:, :64]
stacked_encoder = keras.Sequential(
    [
        layers.Dense(10, activation="selu", kernel_initializer="lecun_normal"),
        layers.Dense(4, activation="selu"),
    ]
)
stacked_decoder = keras.Sequential(
    [layers.Dense(10, activation="selu"), layers.Dense(64), layers.Reshape([8, 8])]
)
autoencoder = keras.Sequential(
    [keras.Input((64,)), layers.GaussianNoise(0.0), stacked_encoder, stacked_decoder]
)
set_equal_weights(autoencoder)
autoencoder.compile(loss="mse", optimizer="nadam")
history = autoencoder.fit(flat, flat.reshape(24, 8, 8), epochs=2, batch_size=8, shuffle=False, verbose=0)
show("stacked", history.history["loss"], str(stacked_encoder.predict(flat, verbose=0).shape))


class DenseTranspose(layers.Layer):
    def __init__(self, dense, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.dense = dense
        self.activation = keras.activations.get(activation)

    def build(self, batch_input_shape):
        self.biases = self.add_weight(name="bias", shape=self.dense.kernel.shape[:1], initializer="zeros")
        super().build(batch_input_shape)

    def call(self, inputs):
        Z = ops.matmul(inputs, ops.transpose(self.dense.kernel))
        return self.activation(Z + self.biases)


dense_1, dense_2 = layers.Dense(10, activation="relu"), layers.Dense(4, activation="relu")
tied = keras.Sequential(
    [
        keras.Input((64,)),
        dense_1,
        dense_2,
        DenseTranspose(dense_2, activation="relu"),
        DenseTranspose(dense_1),
    ]
)
print("tied", len(tied.trainable_weights), tied.count_params())
set_equal_weights(tied)
tied.compile("sgd", "mse")
show("tied", tied.fit(flat, flat, epochs=2, batch_size=8, shuffle=False, verbose=0).history["loss"])


class KLDivergenceRegularizer(keras.regularizers.Regularizer):
    def __init__(self, weight, target):
        self.weight, self.target = weight, target

    def __call__(self, inputs):
        mean = ops.mean(inputs, axis=0)
        return self.weight * (
            keras.losses.kl_divergence(self.target, mean)
            + keras.losses.kl_divergence(1.0 - self.target, 1.0 - mean)
        )


sparse = keras.Sequential(
    [
        keras.Input((64,)),
        layers.Dense(8, activation="sigmoid", activity_regularizer=KLDivergenceRegularizer(5e-3, 0.1)),
        layers.Dense(64),
    ]
)
set_equal_weights(sparse)
sparse.compile(loss="mse", optimizer="adam")
show("sparse", sparse.fit(flat, flat, epochs=2, batch_size=8, shuffle=False, verbose=0).history["loss"])

# Convolution in one and three dimensions, recurrent too
x = keras.Input((8, 8, 8, 1))
y = layers.Conv3D(2, 3, padding="same", activation="relu")(x)
y = layers.MaxPooling3D(2)(y)
y = layers.Conv3DTranspose(2, 2, strides=2)(y)
y = layers.ZeroPadding3D(1)(layers.Cropping3D(1)(y))
volume = keras.Model(x, layers.ConvLSTM2D(2, 3, padding="same")(y))
set_equal_weights(volume)
show("volumes", str(volume.output_shape), volume.predict(np.ones((2, 8, 8, 8, 1)), verbose=0).mean())

# Mixed precision
keras.mixed_precision.set_global_policy("mixed_bfloat16")
model = unet()
print(
    model.layers[1].compute_dtype,
    model.layers[1].variable_dtype,
    model.output.dtype,
    model.layers[1].dtype_policy.name,
)
model.compile("adam", "binary_crossentropy")
history = model.fit(images, masks.astype("float32"), epochs=2, batch_size=8, verbose=0)
print("falls", history.history["loss"][1] < history.history["loss"][0])
path = os.path.join(tempfile.mkdtemp(), "mixed.keras")
model.save(path)
again = keras.models.load_model(path)
print("again", again.layers[1].dtype_policy.name)
keras.mixed_precision.set_global_policy("float32")
