"""Seconds of `import kerasish` beside `import torch` and `import keras`, each in a new process."""

from __future__ import annotations

import argparse
import subprocess
import sys
from statistics import median

from processes import child_environment, markdown_table

MODULES = ("torch", "kerasish", "keras")
CODE = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def import_seconds(module: str) -> float:
    command = [sys.executable, "-c", CODE.format(module)]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=child_environment()).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modules", nargs="+", choices=MODULES, default=MODULES, metavar="NAME")
    parser.add_argument(
        "--rounds", type=int, default=7, help="rounds measured, after one that warms the disk"
    )
    options = parser.parse_args()
    modules = dict.fromkeys(["torch", *options.modules])
    rounds = [{module: import_seconds(module) for module in modules} for _ in range(1 + options.rounds)][1:]
    rows = []
    for module in modules:
        seconds = median(times[module] for times in rounds)
        over_torch = median(times[module] - times["torch"] for times in rounds)
        rows.append([f"import {module}", f"{seconds:.2f}", f"{over_torch:+.2f}"])
    print(markdown_table(["", "s", "s over torch"], rows))


if __name__ == "__main__":
    main()
