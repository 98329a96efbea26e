"""The nets, sizes and arrays that every contender trains on. NumPy only: it runs in any environment.

`python workloads.py DIRECTORY WORKLOAD ROWS SOURCE` writes the arrays of one workload as `.npy` files.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Workload:
    net: str
    batch_size: int
    features: int
    rows: int
    validation_rows: int
    metric: str


WORKLOADS = {
    "mlp32": Workload("mlp", 32, 784, 55_000, 5_000, "accuracy"),
    "mlp256": Workload("mlp", 256, 784, 55_000, 5_000, "accuracy"),
    "regression": Workload("regression", 32, 8, 20_000, 2_000, "mae"),
    "wide": Workload("wide", 256, 1024, 10_240, 1_024, "accuracy"),
    "convnet": Workload("convnet", 128, 784, 12_800, 1_280, "accuracy"),
    "transformer": Workload("transformer", 64, 80, 6_400, 640, "accuracy"),
    "lstm": Workload("lstm", 64, 80, 3_200, 320, "binary_accuracy"),
}

Arrays = dict[str, np.ndarray]
VOCABULARY = 5_000
TRANSFORMER_VOCABULARY = 10_000
ARRAY_NAMES = ("x_train", "y_train", "x_valid", "y_valid")


def load_arrays(directory: str) -> Arrays:
    return {name: np.load(Path(directory) / f"{name}.npy") for name in ARRAY_NAMES}


def random_arrays(workload: Workload) -> tuple[np.ndarray, np.ndarray]:
    """Random inputs, labelled by a random linear teacher so that there is something to learn."""
    generator = np.random.default_rng(0)
    if workload.net == "lstm":
        shape = workload.rows + workload.validation_rows, workload.features
        x = generator.integers(1, VOCABULARY, shape, dtype=np.int64)
        return x, (generator.standard_normal(VOCABULARY)[x].sum(axis=1) > 0).astype(np.float32)
    if workload.net == "transformer":
        shape = workload.rows + workload.validation_rows, workload.features
        x = generator.integers(0, TRANSFORMER_VOCABULARY, shape, dtype=np.int64)
        return x, (generator.standard_normal(TRANSFORMER_VOCABULARY)[x].sum(axis=1) > 0).astype(np.uint8)
    x = generator.random((workload.rows + workload.validation_rows, workload.features), dtype=np.float32)
    outputs = 1 if workload.net == "regression" else 10
    score = (x - 0.5) @ generator.standard_normal((workload.features, outputs)).astype(np.float32)
    if workload.net == "regression":
        return x, np.tanh(score)
    return x, score.argmax(axis=1).astype(np.uint8)


def fashion_mnist_arrays() -> tuple[np.ndarray, np.ndarray]:
    """The 60,000 training images as rows of floats in [0, 1], and their labels."""
    sys.path.insert(0, str(REPOSITORY))
    from kerasish.datasets import fashion_mnist

    (images, labels), _ = fashion_mnist.load_data()
    return images.reshape(len(images), -1).astype(np.float32) / 255, labels


def make_arrays(workload: Workload, rows: int | None, source: str) -> tuple[Arrays, str]:
    """The arrays of a workload, the first `rows` training rows only when given, and where they come from."""
    if workload.net in ("mlp", "convnet") and source == "fashion_mnist":
        try:
            x, y = fashion_mnist_arrays()
            origin = "Fashion MNIST"
        except (ImportError, AttributeError, OSError) as error:
            x, y = random_arrays(workload)
            origin = f"random data of Fashion MNIST's shape ({type(error).__name__}: {error})"
    else:
        x, y = random_arrays(workload)
        origin = "random data"
    if workload.net == "convnet":
        x = x.reshape(-1, 28, 28, 1)
    x, y = (array[: workload.rows + workload.validation_rows] for array in (x, y))
    held_out = workload.validation_rows
    arrays = {
        "x_train": x[held_out:],
        "y_train": y[held_out:],
        "x_valid": x[:held_out],
        "y_valid": y[:held_out],
    }
    if rows is not None:
        share = held_out / workload.rows
        for name, limit in zip(ARRAY_NAMES, (rows, rows, *[max(1, round(rows * share))] * 2), strict=True):
            arrays[name] = arrays[name][:limit]
    return arrays, origin


def main(directory: str, workload: str, rows: str, source: str) -> None:
    arrays, origin = make_arrays(WORKLOADS[workload], int(rows) or None, source)
    for name, array in arrays.items():
        np.save(Path(directory) / f"{name}.npy", array)
    print(
        json.dumps(
            {"origin": origin, "rows": len(arrays["x_train"]), "validation_rows": len(arrays["x_valid"])}
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
