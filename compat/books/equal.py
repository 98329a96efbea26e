"""Weights that are the same whichever library made the model, so that what the scripts print can be compared."""

import numpy as np


def set_equal_weights(model, seed=0):
    """Draw every weight anew, by its shape, from NumPy; keep the state (moving averages, seeds)."""
    generator = np.random.default_rng(seed)
    for weight in model.trainable_weights:
        shape = tuple(weight.shape)
        width = np.sqrt(6 / (shape[-1] + np.prod(shape[:-1]))) if len(shape) > 1 else 0.1
        weight.assign(generator.uniform(-width, width, shape).astype("float32"))


def show(title, *values):
    """Print numbers to four digits and everything else as it is."""
    print(title, *(_text(value) for value in values))


def _text(value):
    if isinstance(value, dict):
        return " ".join(f"{key}={_text(value[key])}" for key in sorted(value))
    if isinstance(value, (list, tuple)):
        return " ".join(_text(item) for item in value)
    if isinstance(value, (int, str)) or value is None:
        return str(value)
    return f"{float(value):.4f}"
