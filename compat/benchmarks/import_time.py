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
    parser.add_argument(
        "--rounds", type=int, default=7, help="imports of each module, after one that warms the disk"
    )
    rounds = parser.parse_args().rounds
    seconds = {module: import_seconds(module) for module in MODULES}
    present = [module for module, value in seconds.items() if value is not None]
    measured = {module: [import_seconds(module) or 0.0 for _ in range(rounds)] for module in present}
    rows = []
    for module in present:
        over_torch = median(
            own - torch for own, torch in zip(measured[module], measured["torch"], strict=True)
        )
        rows.append([f"import {module}", f"{median(measured[module]):.2f}", f"{over_torch:+.2f}"])
    print(markdown_table(["", "s", "s over torch"], rows))


if __name__ == "__main__":
    main()
