"""Seconds of a hyperparameter search: stacked, by scikit-learn's loop over kerasish, and over other wrappers.

Every contender searches the same grid on the same folds with `refit=False`, in a process of its own; they take
turns, one search each per round.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from processes import (
    Absent,
    Worker,
    child_environment,
    describe_machine,
    limit_cores,
    markdown_table,
    publish,
    take_turns,
)

CONTENDERS = {
    "stacked": "kerasish.model_selection",
    "loop": "scikit-learn's loop over kerasish",
    "keras": "keras.wrappers (Keras 3 on PyTorch)",
    "scikeras": "SciKeras (Keras 3 on TensorFlow)",
    "skorch": "skorch",
}
REFERENCE = "loop"
WORKLOADS = {
    "tabular": "diabetes (442 × 10), 2 hidden layers, Adam, batch 32; 8 candidates × 5 folds × 25 epochs",
    "lecture": "Fashion MNIST (10,000 images), 1–2 hidden layers of 50 or 100, SGD, batch 32; 4 × 5 × 2 epochs",
}
HEADER = ["", "s per search", "times the loop's", "lowest–highest", "best score"]


def read_data(workload: str, rows: int | None) -> tuple[Any, Any]:
    import numpy as np

    if workload == "tabular":
        from sklearn.datasets import load_diabetes

        X, y = load_diabetes(return_X_y=True)
        X, y = X[:rows] * 20, y[:rows]
        return X.astype("float32"), ((y - y.mean()) / y.std()).astype("float32")
    with np.load(rows_file(rows or 10_000)) as data:
        return data["X"], data["y"]


def rows_file(rows: int) -> Path:
    """Images as an array file: not every contender's environment has kerasish."""
    path = Path(tempfile.gettempdir()) / f"fashion_mnist_{rows}.npz"
    if not path.exists():
        import numpy as np

        from kerasish import datasets

        (X, y), _ = datasets.fashion_mnist.load_data()
        np.savez(path, X=(X[:rows].reshape(-1, 784) / 255.0).astype("float32"), y=y[:rows].astype("int64"))
    return path


def make_keras_model(keras: Any, workload: str, depth: int, width: int, rate: float) -> Any:
    is_tabular = workload == "tabular"
    model = keras.Sequential([keras.Input((10 if is_tabular else 784,))])
    for _ in range(depth):
        model.add(keras.layers.Dense(width, activation="relu"))
    model.add(keras.layers.Dense(1) if is_tabular else keras.layers.Dense(10, activation="softmax"))
    optimizer = keras.optimizers.Adam(rate) if is_tabular else keras.optimizers.SGD(rate)
    model.compile(optimizer=optimizer, loss="mse" if is_tabular else "sparse_categorical_crossentropy")
    return model


def candidates(workload: str) -> dict[str, list[Any]]:
    if workload == "tabular":
        return {"width": [16, 32], "rate": [0.001, 0.003, 0.01, 0.03]}
    return {"depth": [1, 2], "width": [50, 100]}


def defaults(workload: str) -> dict[str, Any]:
    return {"depth": 2, "rate": 0.001} if workload == "tabular" else {"rate": 0.01}


def with_wrapper(wrapper: Any, keras: Any, workload: str, epochs: int) -> tuple[Any, dict]:
    """An estimator of kerasish's or of SciKeras's, and its grid."""

    def build(depth: int, width: int, rate: float) -> Any:
        return make_keras_model(keras, workload, depth, width, rate)

    given = {f"model__{name}": value for name, value in defaults(workload).items()}
    estimator = wrapper(build, epochs=epochs, batch_size=32, verbose=0, random_state=0, **given)
    return estimator, {f"model__{name}": values for name, values in candidates(workload).items()}


def with_kerasish(workload: str, epochs: int) -> tuple[Any, dict]:
    import kerasish as keras
    from kerasish import wrappers

    wrapper = wrappers.KerasRegressor if workload == "tabular" else wrappers.KerasClassifier
    return with_wrapper(wrapper, keras, workload, epochs)


def with_scikeras(workload: str, epochs: int) -> tuple[Any, dict]:
    import keras
    from scikeras import wrappers

    wrapper = wrappers.KerasRegressor if workload == "tabular" else wrappers.KerasClassifier
    return with_wrapper(wrapper, keras, workload, epochs)


def with_keras(workload: str, epochs: int) -> tuple[Any, dict]:
    import keras
    from sklearn.model_selection import ParameterGrid

    def build(X: Any, y: Any, **arguments: Any) -> Any:
        model = make_keras_model(keras, workload, **{**defaults(workload), **arguments})
        if workload != "tabular":  # Keras's classifier always gives one-hot rows
            model.compile(optimizer=model.optimizer, loss="categorical_crossentropy")
        return model

    kind = keras.wrappers.SKLearnRegressor if workload == "tabular" else keras.wrappers.SKLearnClassifier
    return kind(build), {"model_kwargs": list(ParameterGrid(candidates(workload)))}


def with_skorch(workload: str, epochs: int) -> tuple[Any, dict]:
    import skorch
    import torch

    class Net(torch.nn.Module):
        def __init__(self, depth: int = 1, width: int = 16) -> None:
            super().__init__()
            sizes = [10 if workload == "tabular" else 784, *[width] * depth]
            hidden = [
                part
                for pair in itertools.pairwise(sizes)
                for part in (torch.nn.Linear(*pair), torch.nn.ReLU())
            ]
            self.layers = torch.nn.Sequential(
                *hidden, torch.nn.Linear(width, 1 if workload == "tabular" else 10)
            )

        def forward(self, X: Any) -> Any:
            return self.layers(X)

    is_tabular = workload == "tabular"
    kind = skorch.NeuralNetRegressor if is_tabular else skorch.NeuralNetClassifier
    estimator = kind(
        Net,
        criterion=torch.nn.MSELoss if is_tabular else torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam if is_tabular else torch.optim.SGD,
        max_epochs=epochs,
        batch_size=32,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
        callbacks__print_log=None,
    )
    names = {"width": "module__width", "depth": "module__depth", "rate": "lr"}
    estimator.set_params(**{names[name]: value for name, value in defaults(workload).items()})
    return estimator, {names[name]: values for name, values in candidates(workload).items()}


ESTIMATORS: dict[str, Callable] = {
    "stacked": with_kerasish,
    "loop": with_kerasish,
    "keras": with_keras,
    "scikeras": with_scikeras,
    "skorch": with_skorch,
}


def serve(contender: str, workload: str, epochs: int, rows: int | None) -> None:
    """Answer each line on stdin with the seconds of one search."""
    import os

    import numpy as np
    import sklearn

    if contender == "stacked":
        from kerasish.model_selection import GridSearchCV
    else:
        from sklearn.model_selection import GridSearchCV
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print goes elsewhere
    estimator, grid = ESTIMATORS[contender](workload, epochs)
    X, y = read_data(workload, rows)
    fit_arguments = {"epochs": epochs, "batch_size": 32, "verbose": 0} if contender == "keras" else {}
    if contender == "skorch" and workload == "tabular":
        y = y[:, None]
    if contender == "skorch":
        import torch

        torch.manual_seed(0)
    version = f"scikit-learn {sklearn.__version__}"
    print(json.dumps({"version": version, "memory": 0.0}), file=answers, flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        search = GridSearchCV(estimator, grid, cv=5, refit=False, error_score="raise").fit(
            X, y, **fit_arguments
        )
        seconds = time.perf_counter() - start
        score = float(np.nanmax(search.cv_results_["mean_test_score"]))
        print(json.dumps({"seconds": seconds, "score": score}), file=answers, flush=True)


class Searcher(Worker):
    """One contender's process."""

    def __init__(self, name: str, workload: str, options: argparse.Namespace) -> None:
        python = options.scikeras_python if name == "scikeras" else sys.executable
        epochs = str(options.epochs or (25 if workload == "tabular" else 2))
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        try:
            self.process = subprocess.Popen(
                [python, __file__, "--serve", name, workload, epochs, str(options.rows or 0)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                text=True,
                env=child_environment(
                    threads=options.threads, backend="tensorflow" if name == "scikeras" else "torch"
                ),
            )
        except OSError as error:
            raise Absent(str(error)) from None
        self.version = self.receive()["version"]


def report(workload: str, options: argparse.Namespace) -> str:
    print(workload, file=sys.stderr)
    if workload == "lecture":
        rows_file(options.rows or 10_000)
    workers: dict[str, Any] = {}
    absent: dict[str, str] = {}
    for name in options.contenders:
        try:
            workers[name] = Searcher(name, workload, options)
        except Absent as reason:
            absent[name] = str(reason)
    answers = take_turns(workers, absent, options.warmup + options.rounds)
    measured = {name: rounds[options.warmup :] for name, rounds in answers.items()}
    rows = []
    for name, rounds in measured.items():
        seconds = [answer["seconds"] for answer in rounds]
        reference = [answer["seconds"] for answer in measured.get(REFERENCE, [])]
        ratios = [own / other for own, other in zip(seconds, reference, strict=False)]
        spread = f"{min(ratios):.2f}–{max(ratios):.2f}" if ratios else "–"
        ratio = f"{median(ratios):.2f}" if ratios else "–"
        rows.append([CONTENDERS[name], f"{median(seconds):.2f}", ratio, spread, f"{rounds[-1]['score']:.3f}"])
    lines = [
        f"### {workload}: {WORKLOADS[workload]}",
        markdown_table(HEADER, rows),
        *[f"Absent: {CONTENDERS[name]}: {reason}" for name, reason in absent.items()],
    ]
    return "\n\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS), metavar="NAME")
    parser.add_argument(
        "--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), metavar="NAME"
    )
    parser.add_argument("--scikeras-python", default=sys.executable, help="Python of SciKeras's environment")
    parser.add_argument("--rounds", type=int, default=3, help="rounds measured")
    parser.add_argument("--warmup", type=int, default=1, help="rounds run before and discarded")
    parser.add_argument("--epochs", type=int, help="epochs of each fit (default: the workload's own number)")
    parser.add_argument("--rows", type=int, help="records (default: the workload's own number)")
    parser.add_argument("--threads", type=int, help="CPU cores to run on (default: all)")
    parser.add_argument("--output", type=Path, help="also write the Markdown here")
    options = parser.parse_args()
    options.device = "cpu"
    limit_cores(options.threads)
    reports = [report(workload, options) for workload in options.workloads]
    machine = f"{describe_machine(options)}; {options.rounds} rounds after {options.warmup} of warm-up."
    publish("\n\n".join([machine, *reports]) + "\n", options.output)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]) or None)
    else:
        main()
