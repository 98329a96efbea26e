"""Classify clothes with a small convolutional network (written for TensorFlow 2.0, spring 2020).

usage: before.py [--epochs 12] [--batch-size 64] [--samples 0] [--output runs]
"""

from __future__ import print_function

import argparse
import math
import os

import numpy as np
import tensorflow as tf
from tensorflow.keras import backend as K
from tensorflow.keras import regularizers
from tensorflow.keras.callbacks import (
    CSVLogger,  # one line per epoch
    EarlyStopping,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
)
from tensorflow.keras.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    MaxPooling2D,
)
from tensorflow.keras.models import Sequential, load_model
from tensorflow.keras.preprocessing.image import ImageDataGenerator
from tensorflow.keras.utils import to_categorical

CLASSES = ["T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Boot"]
WEIGHT_DECAY = 1e-4
WARM_UP = 2  # epochs


# --- data ---------------------------------------------------------------------------------------


def synthetic_data(samples, size=28):
    """Bars of ten widths and brightnesses on noise: clothes for those without the data set."""
    labels = np.arange(samples) % len(CLASSES)
    images = np.random.randint(0, 40, size=(samples, size, size)).astype("uint8")
    for image, label in zip(images, labels):
        left = np.random.randint(1, 6)
        image[4:24, left : left + 2 * (label + 1)] += np.uint8(60 + 15 * label)
    return images, labels


def load_data(samples):
    """Images in [0, 1] with a channel axis, and one-hot labels."""
    if samples:
        train, test = synthetic_data(samples), synthetic_data(samples // 4)
    else:
        train, test = tf.keras.datasets.fashion_mnist.load_data()
    pairs = []
    for images, labels in (train, test):
        x = images[..., np.newaxis].astype(K.floatx()) / 255
        pairs.append((x, to_categorical(labels, len(CLASSES))))
    return pairs


# --- pieces of our own ----------------------------------------------------------------------------


class ChannelScale(Layer):
    """Multiplies each channel by a learned factor."""

    def __init__(self, initial=1.0, **kwargs):
        super(ChannelScale, self).__init__(**kwargs)
        self.initial = initial

    def build(self, input_shape):
        self.scale = self.add_weight(
            name="scale",
            shape=(input_shape[-1],),
            initializer=tf.keras.initializers.Constant(self.initial),
            trainable=True,
        )
        super(ChannelScale, self).build(input_shape)

    def call(self, inputs):
        return inputs * self.scale

    def get_config(self):
        config = super(ChannelScale, self).get_config()
        config.update({"initial": self.initial})
        return config


def smoothed_crossentropy(y_true, y_pred, smoothing=0.1):
    """Crossentropy with labels that are 90 % sure."""
    y_true = y_true * (1 - smoothing) + smoothing / len(CLASSES)
    y_pred = K.clip(y_pred, K.epsilon(), 1 - K.epsilon())
    return -K.sum(y_true * K.log(y_pred), axis=-1)


def mean_confidence(y_true, y_pred):
    """Mean probability of the chosen class."""
    return K.mean(K.max(y_pred, axis=-1))


def f1(y_true, y_pred):
    """Harmonic mean of precision and recall over all classes, batch by batch."""
    chosen = K.round(K.clip(y_pred, 0, 1))
    hits = K.sum(y_true * chosen)
    precision = hits / (K.sum(chosen) + K.epsilon())
    recall = hits / (K.sum(y_true) + K.epsilon())
    return 2 * precision * recall / (precision + recall + K.epsilon())


# --- model ------------------------------------------------------------------------------------------


def conv_block(model, filters, **kwargs):
    """Convolution, normalization, activation, scale."""
    model.add(
        Conv2D(
            filters,
            (3, 3),
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            kernel_regularizer=regularizers.l2(WEIGHT_DECAY),
            **kwargs
        )
    )
    model.add(BatchNormalization())
    model.add(Activation("relu"))
    model.add(ChannelScale())


def make_model(input_shape):
    """Two blocks and a head."""
    model = Sequential(name="clothes")
    conv_block(model, 16, input_shape=input_shape)
    model.add(MaxPooling2D((2, 2)))
    model.add(Dropout(0.2))
    conv_block(model, 32)
    model.add(MaxPooling2D((2, 2)))
    model.add(Flatten())
    model.add(Dense(64, activation="relu"))
    model.add(Dropout(0.4))
    model.add(Dense(len(CLASSES), activation="softmax"))
    optimizer = tf.keras.optimizers.Adam(lr=2e-3, decay=1e-4)
    model.compile(loss=smoothed_crossentropy, optimizer=optimizer, metrics=["accuracy", f1, mean_confidence])
    return model


def warm_up(epoch, lr):
    """A tenth of the learning rate first, all of it after two epochs."""
    if epoch == 0:
        return 2e-4
    if epoch == WARM_UP:
        return 2e-3
    return lr


def make_callbacks(output):
    """Checkpoints, the learning rate's ups and downs, and a log."""
    return [
        LearningRateScheduler(warm_up),
        ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=2, min_lr=1e-5, verbose=0),
        EarlyStopping(monitor="val_accuracy", patience=6, restore_best_weights=True),
        ModelCheckpoint(os.path.join(output, "best.h5"), monitor="val_loss", save_best_only=True, verbose=0),
        CSVLogger(os.path.join(output, "log.csv")),
    ]


# --- training -----------------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--samples", type=int, default=0, help="synthetic images instead of Fashion MNIST")
    parser.add_argument("--output", default="runs")
    parser.add_argument("--seed", type=int, default=42)
    args = parser.parse_args()

    np.random.seed(args.seed)
    tf.random.set_seed(args.seed)
    if not os.path.exists(args.output):
        os.makedirs(args.output)

    (x_train, y_train), (x_test, y_test) = load_data(args.samples)
    augmentation = ImageDataGenerator(width_shift_range=0.1, height_shift_range=0.1, horizontal_flip=True)
    augmentation.fit(x_train)
    train_flow = augmentation.flow(x_train, y_train, batch_size=args.batch_size, seed=args.seed)
    test_flow = ImageDataGenerator().flow(x_test, y_test, batch_size=args.batch_size, shuffle=False)

    model = make_model(x_train.shape[1:])
    model.summary()
    history = model.fit_generator(
        train_flow,
        steps_per_epoch=int(math.ceil(len(x_train) / float(args.batch_size))),
        epochs=args.epochs,
        verbose=2,
        callbacks=make_callbacks(args.output),
        validation_data=test_flow,
        validation_steps=len(test_flow),
        workers=1,
        use_multiprocessing=False,
    )
    print("learning rate at the end: %.6f" % K.get_value(model.optimizer.lr))
    print("best val_accuracy: %.4f" % max(history.history["val_accuracy"]))

    # The best checkpoint, in a new process as it were.
    custom_objects = {
        "ChannelScale": ChannelScale,
        "smoothed_crossentropy": smoothed_crossentropy,
        "f1": f1,
        "mean_confidence": mean_confidence,
    }
    best = load_model(os.path.join(args.output, "best.h5"), custom_objects=custom_objects)
    scores = best.evaluate_generator(test_flow, steps=len(test_flow))
    for name, score in zip(["loss", "accuracy", "f1", "confidence"], scores):
        print("%s: %.4f" % (name, score))

    probabilities = best.predict(x_test)
    predicted = best.predict_classes(x_test)
    assert (predicted == np.argmax(probabilities, axis=-1)).all()
    for label, name in enumerate(CLASSES):
        chosen = y_test[:, label] == 1
        print("%-10s %5.1f %%" % (name, 100 * np.mean(predicted[chosen] == label)))

    model.save_weights(os.path.join(args.output, "last.weights.h5"))
    again = make_model(x_train.shape[1:])
    again.load_weights(os.path.join(args.output, "last.weights.h5"))
    np.testing.assert_allclose(again.predict(x_test), model.predict(x_test), rtol=1e-5, atol=1e-6)


if __name__ == "__main__":
    main()
