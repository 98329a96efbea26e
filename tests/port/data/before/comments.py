#!/usr/bin/env python
# Comments, blank lines, quotes and odd spacing stay.
import os ; import tensorflow as tf     # engine
from tensorflow.keras import (
    layers,     # all of them

    models,
)


class Net( tf.keras.Model ) :
    """A net of tf.keras."""

    def __init__(self, units = 3, activation = tf.nn.relu):
        super().__init__()
        # tf.keras.layers.Dense in a comment
        self.dense = layers.Dense(units,
                                  activation=activation)   ; self.out = tf.keras.layers.Dense( 1 )

    def call(self, x): return self.out(
        self.dense(x)   # hidden
    )

net = Net()
net.compile(tf.keras.optimizers.Adam(
    lr = 1e-3,      # small
    decay = 1e-5), "mse")
print(f"{tf.keras.backend.epsilon()} tf.keras", tf.__version__)
