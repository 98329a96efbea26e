"""Write an archive of a subclassed model, whose layout changed between Keras 2.13 and 2.14.

Run where TensorFlow 2.13 is installed, and where tf_keras is: `python compat/legacy_files/write_subclassed.py`.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np

try:
    import tf_keras as keras
except ImportError:
    import keras

layers = keras.layers

HERE = Path(__file__).parent


@keras.utils.register_keras_serializable("tests")
class Parts(keras.Model):
    """Layers under names before and after "layers", in a list, and a sequential model."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.zeta = layers.Dense(3)
        self.alpha = layers.Dense(3)
        self.blocks = [layers.Dense(3), layers.Dense(3)]
        self._private = layers.Dense(3)
        self.stack = keras.Sequential([layers.Dense(3), layers.ReLU(), layers.Dense(3)])

    def call(self, x):
        for layer in (self.zeta, self.alpha, *self.blocks, self._private, self.stack):
            x = layer(x)
        return x

    def get_config(self):
        return {}


def main():
    rng = np.random.default_rng(1)
    x, y = (rng.normal(size=(4, 3)).astype("float32") for _ in range(2))
    model = Parts()
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    model(x)
    model.set_weights([rng.uniform(-0.9, 0.9, w.shape) for w in model.get_weights()])
    model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    name = "subclassed_" + "_".join(keras.__version__.split(".")[:2])
    model.save(HERE / f"{name}.keras")
    outputs = model.predict(x, verbose=0)
    losses = [model.train_on_batch(x, y)[0] for _ in range(2)]
    np.savez_compressed(HERE / f"{name}.npz", x=x, y=y, outputs=outputs, losses=losses)


if __name__ == "__main__":
    main()
