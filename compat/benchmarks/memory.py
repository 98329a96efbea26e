"""Peak memory of each contender: with its model and data, and after each epoch (growth shows leaks)."""

from __future__ import annotations

import argparse
import tempfile

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


def measure(options: argparse.Namespace) -> str:
    with tempfile.TemporaryDirectory() as data:
        write_arrays(data, options.workload, options.rows, "random")
        rows, reasons = [], []
        for name in options.contenders:
            workers, absent = start_workers([name], options.workload, data, options)
            for answers in take_turns(workers, absent, options.epochs, train=1).values():
                peaks = [workers[name].memory, *[answer["memory"] for answer in answers]]
                rows.append([CONTENDERS[name], *[f"{peak:.0f}" for peak in peaks]])
            reasons += [f"Absent: {CONTENDERS[name]}: {reason}" for reason in absent.values()]
    header = ["peak MB", "model and data", *[f"epoch {epoch + 1}" for epoch in range(options.epochs)]]
    title = f"{options.workload} ({WORKLOADS[options.workload]}); {describe_machine(options)}."
    return "\n\n".join([title, markdown_table(header, rows), *reasons]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workload", choices=WORKLOADS, default="mlp32", metavar="NAME")
    add_process_options(parser)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rows", type=int, help="training rows (default: the workload's own number)")
    options = parser.parse_args()
    limit_cores(options.threads)
    publish(measure(options), options.output)


if __name__ == "__main__":
    main()
