"""Transfer learning: features of a frozen base, fine-tuning, class activation maps, filters by gradient ascent."""

import os
import tempfile

import keras
import numpy as np
import torch
from equal import set_equal_weights, show
from keras import layers, ops

generator = np.random.default_rng(1)
images = generator.uniform(0, 255, (40, 16, 16, 3)).astype("float32")
labels = (images[..., 0].mean((1, 2)) > images[..., 1].mean((1, 2))).astype("int32")


def make_base(name="base"):
    inputs = keras.Input((16, 16, 3))
    x = layers.Conv2D(4, 3, strides=2, padding="same", name="block1_conv")(inputs)
    x = layers.BatchNormalization(name="block1_bn")(x)
    x = layers.Activation("relu", name="block1_act")(x)
    x = layers.Conv2D(8, 3, padding="same", activation="relu", name="block2_conv")(x)
    x = layers.MaxPooling2D(name="block2_pool")(x)
    return keras.Model(inputs, x, name=name)


base = make_base()
set_equal_weights(base)
directory = tempfile.mkdtemp()
base.save_weights(os.path.join(directory, "base.weights.h5"))
base = make_base()
base.load_weights(os.path.join(directory, "base.weights.h5"))

# 1. Features computed once
features = base.predict(images / 255.0, verbose=0)
show("features", str(features.shape), features.mean())
head = keras.Sequential(
    [layers.Flatten(), layers.Dense(8, activation="relu"), layers.Dense(1, activation="sigmoid")]
)
head.build((None, 4, 4, 8))
set_equal_weights(head, 1)
head.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
head.fit(features, labels, epochs=2, batch_size=8, shuffle=False, verbose=0)
show("head", head.evaluate(features, labels, verbose=0))

# 2. The base inside a model, frozen, then fine-tuned
base.trainable = False
print("trainable weights", len(base.trainable_weights), len(base.weights))
inputs = keras.Input(shape=(16, 16, 3))
x = layers.Rescaling(1 / 255.0)(inputs)
x = base(x, training=False)
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(1, activation="sigmoid", name="classifier")(x)
model = keras.Model(inputs, outputs)
set_equal_weights(model, 2)
model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(1e-2), metrics=["accuracy"])
before = base.get_weights()
best = os.path.join(directory, "best.keras")
callbacks = [
    keras.callbacks.ModelCheckpoint(best, save_best_only=True, monitor="val_loss"),
    keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True),
    keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=1),
]
history = model.fit(
    images,
    labels,
    epochs=3,
    batch_size=8,
    shuffle=False,
    validation_data=(images, labels),
    callbacks=callbacks,
    verbose=0,
)
show("frozen", history.history["val_loss"])
print("base unchanged", all(np.array_equal(a, b) for a, b in zip(before, base.get_weights(), strict=True)))
base.trainable = True
for layer in base.layers[:-2]:
    layer.trainable = False
print("fine-tuned", [weight.name for weight in model.trainable_weights])
model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.RMSprop(1e-3), metrics=["accuracy"])
model.fit(images, labels, epochs=2, batch_size=8, shuffle=False, verbose=0)
show("tuned", model.evaluate(images, labels, verbose=0))
best_model = keras.models.load_model(best)
show("best", best_model.evaluate(images, labels, verbose=0))

# 3. Class activation map
base = model.get_layer("base")
last_conv = base.get_layer("block2_conv")
last_conv_model = keras.Model(base.inputs, last_conv.output)
classifier_input = keras.Input(shape=last_conv.output.shape[1:])
x = classifier_input
for name in ["block2_pool"]:
    x = base.get_layer(name)(x)
x = layers.GlobalAveragePooling2D()(x)
x = model.get_layer("classifier")(x)
classifier_model = keras.Model(classifier_input, x)
output = last_conv_model(images[:1] / 255.0).detach().requires_grad_(True)
prediction = classifier_model(output)
prediction[:, 0].sum().backward()
pooled = ops.mean(output.grad, axis=(0, 1, 2))
heatmap = ops.mean(output[0] * pooled, axis=-1)
heatmap = ops.maximum(heatmap, 0) / (ops.max(ops.abs(heatmap)) + 1e-7)
show("heatmap", str(tuple(heatmap.shape)), ops.convert_to_numpy(heatmap.detach()).mean())

# 4. Gradient ascent in input space
extractor = keras.Model(inputs=base.input, outputs=base.get_layer(name="block2_conv").output)
image = torch.full((1, 16, 16, 3), 0.5, requires_grad=True)
for _ in range(3):
    activation = extractor(image)
    loss = ops.mean(activation[:, 2:-2, 2:-2, 1])
    (gradient,) = torch.autograd.grad(loss, image)
    gradient = ops.normalize(gradient)
    image = (image + 10.0 * gradient).detach().requires_grad_(True)
show("ascent", loss.item(), image.detach().cpu().numpy().std())
