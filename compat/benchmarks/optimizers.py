"""Microseconds of one optimizer step on the parameters of the 784-300-100-10 net, beside torch.optim.

"called" is `optimizer.apply(gradients)` from Python; "replayed" is the same as `fit` runs it on the CPU, from
the recording of a step. torch.optim runs with `fused=True`, or `foreach=True` where it has no fused kernel.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from processes import describe_machine, limit_cores, markdown_table, publish

REPOSITORY = Path(__file__).resolve().parents[2]

SHAPES = [(784, 300), (300,), (300, 100), (100,), (100, 10), (10,)]
OPTIMIZERS = ("SGD", "SGD with momentum", "Adam", "AdamW", "RMSprop")
HEADER = [
    "",
    "called µs",
    "replayed µs",
    "torch.optim µs",
    "torch.optim's kernel",
    "called over",
    "replayed over",
]


def make_tensors(device: str) -> tuple[list, list]:
    import torch

    generator = torch.Generator().manual_seed(0)
    weights = [0.1 * torch.randn(shape, generator=generator) for shape in SHAPES]
    gradients = [0.01 * torch.randn(shape, generator=generator).to(device) for shape in SHAPES]
    return [torch.nn.Parameter(weight.to(device)) for weight in weights], gradients


def make_kerasish(name: str) -> object:
    from kerasish import optimizers

    return {
        "SGD": lambda: optimizers.SGD(0.01),
        "SGD with momentum": lambda: optimizers.SGD(0.01, momentum=0.9),
        "Adam": lambda: optimizers.Adam(0.001),
        "AdamW": lambda: optimizers.AdamW(0.001, weight_decay=0.004),
        "RMSprop": lambda: optimizers.RMSprop(0.001),
    }[name]()


def make_torch(name: str, weights: list) -> tuple[object, str]:
    from torch import optim

    if name == "RMSprop":  # without a fused kernel
        return optim.RMSprop(weights, lr=0.001, alpha=0.9, eps=1e-7, foreach=True), "foreach"
    cls, arguments = {
        "SGD": (optim.SGD, {"lr": 0.01}),
        "SGD with momentum": (optim.SGD, {"lr": 0.01, "momentum": 0.9}),
        "Adam": (optim.Adam, {"lr": 0.001, "eps": 1e-7}),
        "AdamW": (optim.AdamW, {"lr": 0.001, "eps": 1e-7, "weight_decay": 0.004}),
    }[name]
    return cls(weights, fused=True, **arguments), "fused"


def contenders(name: str, device: str) -> tuple[dict[str, Callable[[], object]], str]:
    """One step of each, as a function, and the kernel that torch.optim uses."""
    from kerasish.training.replay import Recording

    steps: dict[str, Callable[[], object]] = {}
    called = make_kerasish(name)
    weights, gradients = make_tensors(device)
    called.build(weights)
    steps["called"] = lambda: called.apply(gradients)
    if device == "cpu":
        replayed = make_kerasish(name)
        own_weights, own_gradients = make_tensors(device)
        replayed.build(own_weights)
        recording = Recording(replayed.apply, own_gradients)
        steps["replayed"] = lambda: recording.replay(recording.inputs)
    torch_weights, torch_gradients = make_tensors(device)
    theirs, kernel = make_torch(name, torch_weights)
    for weight, gradient in zip(torch_weights, torch_gradients, strict=True):
        weight.grad = gradient
    steps["torch"] = theirs.step
    return steps, kernel


def seconds_per_step(step: Callable[[], object], count: int, device: str) -> float:
    import torch

    def wait() -> None:
        if device == "cuda":
            torch.cuda.synchronize()

    wait()
    start = time.perf_counter()
    for _ in range(count):
        step()
    wait()
    return (time.perf_counter() - start) / count


def measure(options: argparse.Namespace) -> str:
    import torch

    if options.threads:
        torch.set_num_threads(options.threads)
    rows = []
    for name in options.optimizers:
        steps, kernel = contenders(name, options.device)
        times: dict[str, list[float]] = {contender: [] for contender in steps}
        for round_number in range(1 + options.rounds):
            for contender in list(steps) if round_number % 2 else list(reversed(steps)):
                times[contender].append(seconds_per_step(steps[contender], options.steps, options.device))
        times = {contender: measured[1:] for contender, measured in times.items()}
        rows.append(as_row(name, times, kernel))
    title = (
        f"One step on the parameters of 784-300-100-10, torch {torch.__version__}, "
        f"{torch.get_num_threads()} threads; {describe_machine(options)}."
    )
    return f"{title}\n\n{markdown_table(HEADER, rows)}\n"


def as_row(name: str, times: dict[str, list[float]], kernel: str) -> list[str]:
    def micro(contender: str) -> str:
        return f"{1e6 * median(times[contender]):.1f}" if contender in times else "–"

    def over_torch(contender: str) -> str:
        if contender not in times:
            return "–"
        return f"{median(a / b for a, b in zip(times[contender], times['torch'], strict=True)):.2f}"

    return [
        name,
        micro("called"),
        micro("replayed"),
        micro("torch"),
        kernel,
        over_torch("called"),
        over_torch("replayed"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--optimizers", nargs="+", choices=OPTIMIZERS, default=OPTIMIZERS, metavar="NAME")
    parser.add_argument("--threads", type=int, help="CPU cores to run on (default: all)")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--rounds", type=int, default=21, help="rounds measured, after one of warm-up")
    parser.add_argument("--steps", type=int, default=200, help="steps per round")
    parser.add_argument("--output", type=Path, help="also write the Markdown here")
    options = parser.parse_args()
    limit_cores(options.threads)
    publish(measure(options), options.output)


if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))
    main()
