"""Starts the contenders' processes and asks them for measurements.

Standard library only: a process's peak memory begins at that of the process which started it, so this one
stays small.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CONTENDERS = {
    "kerasish": "kerasish",
    "kerasish-verbose": "kerasish, verbose=1",
    "torch": "(a) hand-written PyTorch",
    "torch-dataloader": "(b) hand-written PyTorch, DataLoader",
    "keras-torch": "(c) Keras 3 on PyTorch",
    "keras-jax": "(d) Keras 3 on JAX",
    "keras-tensorflow": "(e) Keras 3 on TensorFlow",
}
WORKLOADS = {
    "mlp32": "784-300-100-10, SGD, batch 32",
    "mlp256": "784-300-100-10, SGD, batch 256",
    "regression": "8-30-1, SGD, batch 32",
    "wide": "1024-2048-2048-10, BatchNormalization, Dropout, Adam, batch 256",
    "convnet": "28×28 images, two convolutions (32 and 64 filters) with pooling, 10 classes, Adam, batch 128",
    "transformer": "80 tokens of 10,000, width 64, one encoder block (4 heads, 128 hidden units), Adam, batch 64",
    "lstm": "80 tokens of 5,000, Embedding 128, LSTM 128, Dense sigmoid, Adam, batch 64",
}


class Absent(RuntimeError):
    """A contender that cannot start or that failed, with the reason."""


def add_process_options(
    parser: argparse.ArgumentParser, contenders: Sequence[str] = tuple(CONTENDERS)
) -> None:
    """The options of every measurement of contenders; `contenders` are those measured by default."""
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=contenders, metavar="NAME")
    parser.add_argument("--threads", type=int, help="CPU cores to run on (default: all)")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument(
        "--keras-python", default=sys.executable, help="Python of the JAX and TensorFlow environment"
    )
    parser.add_argument("--output", type=Path, help="also write the Markdown here")


def child_environment(
    device: str = "cpu", threads: int | None = None, backend: str = "torch"
) -> dict[str, str]:
    environment = dict(os.environ, KERAS_BACKEND=backend, TF_CPP_MIN_LOG_LEVEL="3")
    paths = [str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    if device == "cpu":
        environment["CUDA_VISIBLE_DEVICES"] = ""
    if threads:
        environment["OMP_NUM_THREADS"] = str(threads)
    return environment


def limit_cores(threads: int | None) -> None:
    """Keep this process and its children on `threads` cores: the one limit that every framework obeys."""
    if threads and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def write_arrays(directory: str, workload: str, rows: int | None, source: str) -> dict[str, Any]:
    """Write a workload's arrays, in another process, and say how many rows there are and of what."""
    command = [sys.executable, str(HERE / "workloads.py"), directory, workload, str(rows or 0), source]
    output = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=child_environment()
    ).stdout
    return json.loads(output.splitlines()[-1])


class Worker:
    """One contender's process. Raises Absent, with the reason, if it cannot start or fails later."""

    def __init__(self, name: str, workload: str, data: str, options: argparse.Namespace):
        needs_keras_python = name in ("keras-jax", "keras-tensorflow")
        python = options.keras_python if needs_keras_python else sys.executable
        backend = name.removeprefix("keras-") if name.startswith("keras-") else "torch"
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        try:
            self.process = subprocess.Popen(
                [python, str(HERE / "worker.py"), name, workload, data, options.device],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                text=True,
                env=child_environment(options.device, options.threads, backend),
            )
        except OSError as error:
            raise Absent(str(error)) from None
        ready = self.receive()
        self.version: str = ready["version"]
        self.memory: float = ready["memory"]

    def receive(self) -> dict[str, Any]:
        line = self.process.stdout.readline()  # type: ignore[union-attr]
        if line:
            return json.loads(line)
        code = self.process.wait()
        self.errors.seek(0)
        lines = [line.rstrip() for line in self.errors if line.strip()]
        errors = [line for line in lines if re.match(r"[\w.]+(Error|Exception): ", line)]
        raise Absent((errors or lines or [f"the process ended with code {code}"])[-1])

    def ask(self, **request: int) -> dict[str, Any]:
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(request), file=self.process.stdin, flush=True)
        return self.receive()

    def stop(self) -> None:
        self.process.communicate()
        self.errors.close()


def start_workers(
    names: Sequence[str], workload: str, data: str, options: argparse.Namespace
) -> tuple[dict[str, Worker], dict[str, str]]:
    """The workers that started, and why the others did not."""
    workers: dict[str, Worker] = {}
    absent: dict[str, str] = {}
    for name in names:
        try:
            workers[name] = Worker(name, workload, data, options)
        except Absent as reason:
            absent[name] = str(reason)
    return workers, absent


def take_turns(
    workers: dict[str, Worker], absent: dict[str, str], rounds: int, **request: int
) -> dict[str, list[dict[str, Any]]]:
    """Ask every worker once per round, in the opposite order every second round; then stop them all.

    A worker that fails moves to `absent`, with the reason.
    """
    answers: dict[str, list[dict[str, Any]]] = {name: [] for name in workers}
    for round_number in range(rounds):
        order = list(answers) if round_number % 2 else list(reversed(answers))
        for name in order:
            try:
                answers[name].append(workers[name].ask(**request))
            except Absent as reason:
                absent[name] = str(reason)
                del answers[name]
        print(f"round {round_number + 1} of {rounds}", file=sys.stderr)
    for worker in workers.values():
        worker.stop()
    return answers


def publish(text: str, output: Path | None) -> None:
    print(text)
    if output:
        output.write_text(text, encoding="utf-8")


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def describe_machine(options: argparse.Namespace) -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cpu_name()}, {cores} cores used, device {options.device}, Python {platform.python_version()}"


def cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
