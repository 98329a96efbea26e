"""torchmetrics in `compile`, beside the Keras metrics of the same formulas."""

from __future__ import annotations

import numpy as np
import pytest

import kerasish as keras

torchmetrics = pytest.importorskip("torchmetrics", reason="torchmetrics is not installed")

rng = np.random.default_rng(0)
X, VALUES = rng.random((40, 3), dtype="float32"), rng.random((40, 1), dtype="float32")


def made(metrics):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=metrics)
    return model


def test_the_same_values_as_keras_metrics():
    theirs = [torchmetrics.MeanAbsoluteError(), torchmetrics.MeanSquaredError()]
    histories = [
        made(metrics).fit(X, VALUES, batch_size=16, epochs=3, validation_split=0.25, verbose=0).history
        for metrics in (theirs, ["mae", "mse"])
    ]
    names = {"mean_absolute_error": "mae", "mean_squared_error": "mse"}
    for prefix in ("", "val_"):
        for torch_name, keras_name in names.items():
            np.testing.assert_allclose(
                histories[0][prefix + torch_name], histories[1][prefix + keras_name], rtol=1e-5
            )


def test_weights_are_refused():
    model = made(None)
    model.compile("sgd", "mse", weighted_metrics=[torchmetrics.MeanAbsoluteError()])
    with pytest.raises(ValueError, match="takes no weights"):
        model.fit(X, VALUES, sample_weight=np.ones(40), verbose=0)
