"""Microseconds of a one-row `predict`, NumPy in and NumPy out, beside a call of the bare module on a tensor.

A hand-written `predict` is the bare call between two conversions.
"""

from __future__ import annotations

import argparse
import tempfile
from statistics import median

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

HEADER = ["", "predict µs", "bare call µs", "predict over own call", "predict over (a)'s call"]
SINGLE_ROW_CONTENDERS = ("kerasish", "torch", "keras-torch", "keras-jax", "keras-tensorflow")


def measure(options: argparse.Namespace) -> str:
    with tempfile.TemporaryDirectory() as data:
        write_arrays(data, options.workload, 64, "random")
        workers, absent = start_workers(options.contenders, options.workload, data, options)
        answers = take_turns(workers, absent, 1 + options.rounds, predict=options.calls)
    rounds = {name: measured[1:] for name, measured in answers.items()}
    reference = [answer["call"] for answer in rounds.get("torch", [])]
    rows = []
    for name, measured in rounds.items():
        over_own = median(answer["predict"] / answer["call"] for answer in measured)
        over_torch = [answer["predict"] / call for answer, call in zip(measured, reference, strict=False)]
        rows.append(
            [
                CONTENDERS[name],
                f"{1e6 * median(answer['predict'] for answer in measured):.0f}",
                f"{1e6 * median(answer['call'] for answer in measured):.0f}",
                f"{over_own:.2f}",
                f"{median(over_torch):.2f}" if over_torch else "–",
            ]
        )
    reasons = [f"Absent: {CONTENDERS[name]}: {reason}" for name, reason in absent.items()]
    title = (
        f"One row through {options.workload} ({WORKLOADS[options.workload]}); {describe_machine(options)}."
    )
    return "\n\n".join([title, markdown_table(HEADER, rows), *reasons]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workload", choices=WORKLOADS, default="mlp32", metavar="NAME")
    add_process_options(parser, SINGLE_ROW_CONTENDERS)
    parser.add_argument("--rounds", type=int, default=5, help="rounds measured, after one of warm-up")
    parser.add_argument("--calls", type=int, default=200, help="calls per round")
    options = parser.parse_args()
    limit_cores(options.threads)
    publish(measure(options), options.output)


if __name__ == "__main__":
    main()
