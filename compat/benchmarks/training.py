"""Seconds per epoch and peak memory of kerasish's `fit` beside a hand-written PyTorch loop and Keras 3.

The contenders take turns, one epoch each per round, so that what disturbs the machine disturbs all of them;
ratios are taken within a round.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from statistics import median
from typing import Any

from processes import (
    CONTENDERS,
    WORKLOADS,
    add_process_options,
    describe_machine,
    limit_cores,
    markdown_table,
    publish,
    start_workers,
    take_turns,
    write_arrays,
)

REFERENCE = "torch"
TIME_COLUMNS = ["s per epoch", "ratio to (a)", "lowest–highest"]
MEMORY_COLUMNS = ["peak MB", "MB over (a)"]
HEADER = ["", *TIME_COLUMNS, *MEMORY_COLUMNS, "last loss", "val_loss", "val metric"]


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS), metavar="NAME")
    add_process_options(parser)
    parser.add_argument("--rounds", type=int, default=7, help="rounds measured")
    parser.add_argument("--warmup", type=int, default=1, help="rounds run before and discarded")
    parser.add_argument("--epochs", type=int, default=1, help="epochs per round, in one call of fit")
    parser.add_argument("--rows", type=int, help="training rows (default: the workload's own number)")
    parser.add_argument("--data", choices=("fashion_mnist", "random"), default="fashion_mnist")
    return parser.parse_args()


def result_row(name: str, rounds: list[dict[str, Any]], reference: list[dict[str, Any]]) -> list[str]:
    seconds = [answer["seconds"] for answer in rounds]
    ratios = [own / answer["seconds"] for own, answer in zip(seconds, reference, strict=False)]
    memory = rounds[-1]["memory"]
    logs = rounds[-1]["logs"]
    metric = next(key for key in logs if key.startswith("val_") and key != "val_loss")
    return [
        CONTENDERS[name],
        f"{median(seconds):.3f}",
        f"{median(ratios):.2f}" if ratios else "–",
        f"{min(ratios):.2f}–{max(ratios):.2f}" if ratios else "–",
        f"{memory:.0f}",
        f"{memory - reference[-1]['memory']:+.0f}" if reference else "–",
        f"{logs['loss']:.3f}",
        f"{logs['val_loss']:.3f}",
        f"{metric.removeprefix('val_')} {logs[metric]:.3f}",
    ]


def report(workload: str, options: argparse.Namespace) -> str:
    print(workload, file=sys.stderr)
    with tempfile.TemporaryDirectory() as data:
        source = write_arrays(data, workload, options.rows, options.data)
        workers, absent = start_workers(options.contenders, workload, data, options)
        answers = take_turns(workers, absent, options.warmup + options.rounds, train=options.epochs)
    measured = {name: rounds[options.warmup :] for name, rounds in answers.items()}
    versions = dict.fromkeys(workers[name].version for name in measured)
    rows = [result_row(name, rounds, measured.get(REFERENCE, [])) for name, rounds in measured.items()]
    lines = [
        f"### {workload}: {WORKLOADS[workload]}",
        f"{source['rows']} rows and {source['validation_rows']} for validation, {source['origin']}.",
        markdown_table(HEADER, rows),
        *[f"Absent: {CONTENDERS[name]}: {reason}" for name, reason in absent.items()],
        f"Versions: {', '.join(versions)}.",
    ]
    return "\n\n".join(lines)


def main() -> None:
    options = parse_options()
    limit_cores(options.threads)
    rounds = f"{options.rounds} rounds of {options.epochs} epoch(s) after {options.warmup} of warm-up"
    text = f"{describe_machine(options)}; {rounds}.\n"
    for workload in options.workloads:
        text += f"\n{report(workload, options)}\n"
    publish(text, options.output)


if __name__ == "__main__":
    main()
