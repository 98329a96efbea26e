"""One contender in a process of its own, since Keras's backends cannot share one.

`python worker.py CONTENDER WORKLOAD DATA DEVICE` answers each line of JSON on its standard input with one on
its standard output:
`{"train": epochs}` with the seconds per epoch, `{"predict": calls}` with the seconds per one-row call.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from workloads import WORKLOADS, Arrays, load_arrays


class SilentTerminal(io.TextIOWrapper):
    """Takes progress bars as a terminal does, and shows nothing."""

    def isatty(self) -> bool:
        return True


def build_contender(name: str, workload_name: str, arrays: Arrays, device: str) -> tuple[Any, str]:
    """The contender, ready to train, and the version of what it runs on."""
    workload = WORKLOADS[workload_name]
    if name.startswith("torch"):
        torch = importlib.import_module("torch")
        contenders = importlib.import_module("torch_contenders")
        contender_class = contenders.TorchDataLoader if name == "torch-dataloader" else contenders.TorchLoop
        return contender_class(workload, arrays, device), f"torch {torch.__version__}"
    from keras_contenders import KerasFit

    if name.startswith("kerasish"):
        kerasish = importlib.import_module("kerasish")
        verbose = int(name == "kerasish-verbose")
        return KerasFit(kerasish, workload, arrays, verbose), f"kerasish {kerasish.__version__}"
    keras = importlib.import_module("keras")
    backend = importlib.import_module(keras.backend.backend())
    version = f"keras {keras.__version__} on {backend.__name__} {backend.__version__}"
    return KerasFit(keras, workload, arrays), version


def peak_memory() -> float:
    """The process's peak resident memory in MB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def time_call(function: Callable[[], Any], calls: int) -> float:
    """The median seconds of one call."""
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return median(times)


def answer(contender: Any, request: dict[str, int]) -> dict[str, Any]:
    if "train" in request:
        start = time.perf_counter()
        logs = contender.train(request["train"])
        seconds = (time.perf_counter() - start) / request["train"]
        return {"seconds": seconds, "logs": logs, "memory": peak_memory()}
    contender.prepare_row()
    calls = request["predict"]
    return {"predict": time_call(contender.predict_row, calls), "call": time_call(contender.call_row, calls)}


def main(name: str, workload_name: str, data: str, device: str) -> None:
    # Progress bars and the libraries' messages must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stdout = SilentTerminal(open(os.devnull, "wb"))  # noqa: SIM115

    def send(message: dict[str, Any]) -> None:
        print(json.dumps(message), file=answers, flush=True)

    contender, version = build_contender(name, workload_name, load_arrays(data), device)
    send({"version": version, "memory": peak_memory()})
    for line in sys.stdin:
        send(answer(contender, json.loads(line)))


if __name__ == "__main__":
    main(*sys.argv[1:])
