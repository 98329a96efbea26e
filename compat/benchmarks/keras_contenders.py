"""The same nets through `fit`: kerasish and Keras have one API, so one class serves both."""

from __future__ import annotations

import contextlib
from types import ModuleType
from typing import Any

from workloads import TRANSFORMER_VOCABULARY, VOCABULARY, Arrays, Workload

LOSSES = {"regression": "mse", "lstm": "binary_crossentropy"}


def build_model(keras: Any, net: str) -> Any:
    layers = keras.layers
    if net == "mlp":
        hidden = [layers.Dense(300, activation="relu"), layers.Dense(100, activation="relu")]
        return keras.Sequential([keras.Input((784,)), *hidden, layers.Dense(10, activation="softmax")])
    if net == "regression":
        return keras.Sequential([keras.Input((8,)), layers.Dense(30, activation="relu"), layers.Dense(1)])
    if net == "convnet":
        model = keras.Sequential([keras.Input((28, 28, 1))])
        for filters in (32, 64):
            model.add(layers.Conv2D(filters, 3, activation="relu"))
            model.add(layers.MaxPooling2D())
        model.add(layers.Flatten())
        model.add(layers.Dense(10, activation="softmax"))
        return model
    if net == "transformer":
        tokens = keras.Input((80,), dtype="int64")
        x = layers.Embedding(TRANSFORMER_VOCABULARY, 64)(tokens)
        x = layers.LayerNormalization()(layers.add([x, layers.MultiHeadAttention(4, 16)(x, x)]))
        hidden = layers.Dense(64)(layers.Dense(128, activation="relu")(x))
        x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(layers.add([x, hidden])))
        return keras.Model(tokens, layers.Dense(2, activation="softmax")(x))
    if net == "lstm":
        text = [keras.Input((80,), dtype="int64"), layers.Embedding(VOCABULARY, 128), layers.LSTM(128)]
        return keras.Sequential([*text, layers.Dense(1, activation="sigmoid")])
    model = keras.Sequential([keras.Input((1024,))])
    for _ in range(2):
        model.add(layers.Dense(2048, activation="relu"))
        model.add(layers.BatchNormalization())
        model.add(layers.Dropout(0.5))
    model.add(layers.Dense(10, activation="softmax"))
    return model


class KerasFit:
    """`compile` once, then `fit` on NumPy arrays, as a user calls it."""

    def __init__(self, keras: ModuleType, workload: Workload, arrays: Arrays, verbose: int = 0):
        self.keras = keras
        self.batch_size = workload.batch_size
        self.arrays = arrays
        self.verbose = verbose
        self.model = build_model(keras, workload.net)
        self.model.compile(
            loss=LOSSES.get(workload.net, "sparse_categorical_crossentropy"),
            optimizer="adam" if workload.net in ("wide", "convnet", "lstm", "transformer") else "sgd",
            metrics=[workload.metric],
        )

    def train(self, epochs: int) -> dict[str, float]:
        history = self.model.fit(
            *(self.arrays["x_train"], self.arrays["y_train"]),
            batch_size=self.batch_size,
            epochs=epochs,
            validation_data=(self.arrays["x_valid"], self.arrays["y_valid"]),
            verbose=self.verbose,
        )
        return {name: float(values[-1]) for name, values in history.history.items()}

    def prepare_row(self) -> None:
        self.row = self.arrays["x_train"][:1]
        self.no_grad: Any = contextlib.nullcontext
        if self.keras.config.backend() == "torch":
            import torch

            self.no_grad = torch.no_grad
            self.row_tensor = torch.from_numpy(self.row).to(next(self.model.parameters()).device)
        else:
            self.row_tensor = self.keras.ops.convert_to_tensor(self.row)

    def predict_row(self) -> Any:
        return self.model.predict(self.row, verbose=0)

    def call_row(self) -> Any:
        with self.no_grad():
            return self.model(self.row_tensor)
