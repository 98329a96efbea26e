"""What one batch of `fit` costs: its Python calls and their depth, and where its time goes.

Each figure is the difference between an epoch of many batches and one of half as many, divided by the batches
between them: what is done once per epoch or per `fit` cancels.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import sys
import time
from collections import Counter
from collections.abc import Callable
from statistics import median
from typing import Any

import workloads
from processes import WORKLOADS, child_environment, limit_cores, markdown_table

CONTENDERS = ("kerasish", "torch", "torch-dataloader", "keras-torch")
Epoch = Callable[[], Any]


def epoch_of(contender_name: str, workload: str, batches: int) -> Epoch:
    """An epoch of `batches` batches and a validation of one, with everything built and warm."""
    from worker import build_contender

    sizes = workloads.WORKLOADS[workload]
    arrays, _ = workloads.make_arrays(sizes, batches * sizes.batch_size, "random")
    arrays = {name: array[: sizes.batch_size] if "valid" in name else array for name, array in arrays.items()}
    contender, _ = build_contender(contender_name, workload, arrays, "cpu")
    contender.train(2)
    return lambda: contender.train(1)


def count_calls(epoch: Epoch) -> Counter[tuple[str, int, str]]:
    """How often each call is made: (kind, depth below the epoch's function, name)."""
    calls: Counter[tuple[str, int, str]] = Counter()
    depth = 0

    def record(frame: Any, event: str, argument: Any) -> None:
        nonlocal depth
        if event == "call":
            depth += 1
            calls["Python", depth, function_name(frame.f_code.co_filename, frame.f_code.co_name)] += 1
        elif event == "return":
            depth -= 1
        elif event == "c_call":
            calls["C", depth + 1, argument.__name__] += 1

    sys.setprofile(record)
    try:
        epoch()
    finally:
        sys.setprofile(None)
    return calls


def function_name(file: str, name: str) -> str:
    return name if file == "~" else f"{'/'.join(file.split(os.sep)[-2:])}:{name}"


def python_seconds(epoch: Epoch) -> Counter[str]:
    """Own seconds of each function, as cProfile sees them."""
    profiler = cProfile.Profile()
    profiler.runcall(epoch)
    seconds: Counter[str] = Counter()
    for (file, _, name), (_, _, own, _, _) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
        seconds[function_name(file, name)] += own
    return seconds


def operation_costs(epoch: Epoch) -> tuple[Counter[str], Counter[str]]:
    """Own seconds and number of each tensor operation, as torch's profiler sees them."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        epoch()
    events = profiler.key_averages()
    return (
        Counter({event.key: event.self_cpu_time_total / 1e6 for event in events}),
        Counter({event.key: event.count for event in events}),
    )


def per_batch(longer: Counter[Any], shorter: Counter[Any], batches: int) -> dict[Any, float]:
    """What each key costs per batch, greatest first; what does not grow with the batches is left out."""
    costs = {key: (total - shorter[key]) / batches for key, total in longer.items()}
    return dict(sorted(((key, cost) for key, cost in costs.items() if cost > 0), key=lambda item: -item[1]))


def seconds_per_batch(longer: Epoch, shorter: Epoch, batches: int, rounds: int) -> float:
    differences = []
    for _ in range(rounds):
        start = time.perf_counter()
        longer()
        middle = time.perf_counter()
        shorter()
        differences.append((2 * middle - start - time.perf_counter()) / batches)
    return median(differences)


def report(options: argparse.Namespace) -> str:
    batches = options.batches
    longer = epoch_of(options.contender, options.workload, 2 * batches)
    shorter = epoch_of(options.contender, options.workload, batches)
    wall = seconds_per_batch(longer, shorter, batches, options.rounds)

    calls = per_batch(count_calls(longer), count_calls(shorter), batches)
    python_calls = {key: count for key, count in calls.items() if key[0] == "Python"}
    depth = max((depth for (_, depth, _), count in python_calls.items() if count >= 0.9), default=0)
    by_name: Counter[str] = Counter()
    deepest: Counter[str] = Counter()
    for (_, call_depth, name), count in python_calls.items():
        by_name[name] += count  # type: ignore[assignment]
        deepest[name] = max(deepest[name], call_depth)
    c_calls = sum(count for (kind, _, _), count in calls.items() if kind == "C")

    own = per_batch(python_seconds(longer), python_seconds(shorter), batches)
    (longer_times, longer_counts), (shorter_times, shorter_counts) = (
        operation_costs(longer),
        operation_costs(shorter),
    )
    operations = per_batch(longer_times, shorter_times, batches)
    counts = per_batch(longer_counts, shorter_counts, batches)

    top = options.top
    blocks = [
        f"{options.contender} on {options.workload} ({WORKLOADS[options.workload]})",
        markdown_table(
            ["per batch", ""],
            [
                ["wall time, µs", f"{1e6 * wall:.1f}"],
                ["Python calls", f"{sum(python_calls.values()):.1f}"],
                ["depth of Python calls below `fit`'s caller", f"{depth}"],
                ["calls into C", f"{c_calls:.1f}"],
                ["tensor operations, with those inside others", f"{sum(counts.values()):.1f}"],
                ["own time of tensor operations, µs (profiled)", f"{1e6 * sum(operations.values()):.1f}"],
            ],
        ),
        markdown_table(
            ["Python calls", "depth", "per batch"],
            [
                [name, str(depth), f"{count:.2f}"]
                for (_, depth, name), count in list(python_calls.items())[:top]
            ],
        ),
        markdown_table(
            ["own time by function (cProfile)", "µs per batch"],
            [[name, f"{1e6 * seconds:.1f}"] for name, seconds in list(own.items())[:top]],
        ),
        markdown_table(
            ["own time by tensor operation (torch.profiler)", "µs per batch", "per batch"],
            [
                [name, f"{1e6 * seconds:.1f}", f"{counts.get(name, 0):.2f}"]
                for name, seconds in list(operations.items())[:top]
            ],
        ),
    ]
    return "\n\n".join(blocks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contender", choices=CONTENDERS, default="kerasish")
    parser.add_argument("--workload", choices=WORKLOADS, default="mlp32", metavar="NAME")
    parser.add_argument("--batches", type=int, default=200, help="batches between the two epochs compared")
    parser.add_argument("--rounds", type=int, default=7, help="repetitions of the timing")
    parser.add_argument("--threads", type=int, help="CPU cores to run on (default: all)")
    parser.add_argument("--top", type=int, default=15, help="lines per table")
    options = parser.parse_args()
    limit_cores(options.threads)
    os.environ.update(child_environment(threads=options.threads))
    sys.path.insert(0, str(workloads.REPOSITORY))
    print(report(options))


if __name__ == "__main__":
    main()
