"""Image classification: a small convnet, a residual network, a depthwise separable one, and what their filters see."""

import keras
import numpy as np
from equal import set_equal_weights, show
from keras import layers

generator = np.random.default_rng(0)
labels = generator.integers(0, 3, 96)
images = generator.normal(0, 0.3, (96, 16, 16, 1)).astype("float32")
for image, label in zip(images, labels, strict=True):
    image[2 + 4 * label : 6 + 4 * label, 4:12] += 1.0
x_train, y_train, x_val, y_val = images[:64], labels[:64], images[64:], labels[64:]

# The first convnet
inputs = keras.Input(shape=(16, 16, 1))
x = layers.Conv2D(filters=8, kernel_size=3, activation="relu")(inputs)
x = layers.MaxPooling2D(pool_size=2)(x)
x = layers.Conv2D(filters=16, kernel_size=3, activation="relu")(x)
x = layers.Flatten()(x)
outputs = layers.Dense(3, activation="softmax")(x)
model = keras.Model(inputs=inputs, outputs=outputs, name="first_convnet")
model.summary()
set_equal_weights(model)
model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(
    x_train, y_train, epochs=3, batch_size=16, shuffle=False, validation_data=(x_val, y_val), verbose=0
)
for name in sorted(history.history):
    show(name, history.history[name])

# Data augmentation in front of a network
augmentation = keras.Sequential(
    [layers.RandomFlip("horizontal"), layers.RandomRotation(0.1), layers.RandomZoom(0.2)], name="augmentation"
)
print("augmented", tuple(augmentation(images[:5], training=True).shape))


# Residual blocks, with batch normalization and projections
def residual_block(x, filters, pooling=False):
    residual = x
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    x = layers.Conv2D(filters, 3, activation="relu", padding="same")(x)
    if pooling:
        x = layers.MaxPooling2D(2, padding="same")(x)
        residual = layers.Conv2D(filters, 1, strides=2)(residual)
    elif filters != residual.shape[-1]:
        residual = layers.Conv2D(filters, 1)(residual)
    return layers.add([x, residual])


inputs = keras.Input(shape=(16, 16, 1))
x = layers.Rescaling(1.0 / 2, offset=0.1)(inputs)
x = residual_block(x, filters=4, pooling=True)
x = residual_block(x, filters=8, pooling=True)
x = residual_block(x, filters=8)
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(3, activation="softmax")(x)
model = keras.Model(inputs, outputs)
set_equal_weights(model, 1)
model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=2, batch_size=32, shuffle=False, verbose=0)
show("residual", model.evaluate(x_val, y_val, verbose=0))

# A miniature of Xception
model = keras.Sequential()
model.add(keras.Input((16, 16, 1)))
model.add(layers.Conv2D(4, 5, use_bias=False, kernel_initializer="he_normal", padding="same"))
for size in [8, 16]:
    model.add(layers.BatchNormalization())
    model.add(layers.ReLU())
    model.add(layers.SeparableConv2D(size, 3, padding="same", use_bias=False))
    model.add(layers.MaxPool2D(3, strides=2, padding="same"))
model.add(layers.DepthwiseConv2D(3, depth_multiplier=2, activation="gelu"))
model.add(layers.GlobalMaxPool2D())
model.add(layers.Dropout(0.0))
model.add(layers.Dense(3))
set_equal_weights(model, 2)
model.compile(
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    optimizer=keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    metrics=[
        keras.metrics.SparseCategoricalAccuracy(name="acc"),
        keras.metrics.SparseTopKCategoricalAccuracy(2, name="top2"),
    ],
)
model.fit(x_train, y_train, epochs=2, batch_size=32, shuffle=False, verbose=0)
show("xception", model.evaluate(x_val, y_val, verbose=0, return_dict=True))
print([type(layer).__name__ for layer in model.layers])

# Intermediate activations
outputs = [layer.output for layer in model.layers if isinstance(layer, (layers.Conv2D, layers.MaxPooling2D))]
activation_model = keras.Model(inputs=model.inputs, outputs=outputs)
for activation in activation_model.predict(x_val[:4], verbose=0):
    show("activation", str(activation.shape), activation.mean())
