#!/usr/bin/env python
# Comments, blank lines, quotes and odd spacing stay.
import kerasish as keras
import os     # engine
from kerasish import (
    layers,     # all of them

    models,
)


class Net( keras.Model ) :
    """A net of tf.keras."""

    def __init__(self, units = 3, activation = keras.activations.relu):
        super().__init__()
        # tf.keras.layers.Dense in a comment
        self.dense = layers.Dense(units,
                                  activation=activation)   ; self.out = keras.layers.Dense( 1 )

    def call(self, x): return self.out(
        self.dense(x)   # hidden
    )

net = Net()
net.compile(keras.optimizers.Adam(
    learning_rate = 1e-3,      # small
    decay = 1e-5), "mse")
print(f"{keras.config.epsilon()} tf.keras", keras.__version__)
