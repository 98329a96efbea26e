"""Files: peak extra memory of writing and reading weights, and the time from import to the first prediction."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

ENDINGS = (".weights.h5", ".keras", ".safetensors", ".h5")
FIRST_PREDICTION = """
import sys, time
import numpy as np
import kerasish
start = time.perf_counter()
model = kerasish.models.load_model(sys.argv[1])
loaded = time.perf_counter()
model.predict(np.zeros((3, 28, 28), "float32"), verbose=0)
print(1000 * (loaded - start), 1000 * (time.perf_counter() - loaded))
"""


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def extra_memory(function: Callable[[], object]) -> tuple[int, float]:
    """Bytes that a call needs at its peak beyond those before it, and its seconds."""
    base = peak = resident()
    is_running = True

    def watch() -> None:
        nonlocal peak
        while is_running:
            peak = max(peak, resident())
            time.sleep(0.001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    function()
    seconds = time.perf_counter() - start
    is_running = False
    watcher.join()
    return peak - base, seconds


def measure_memory(megabytes: int, count: int, directory: str) -> None:
    """Print the extra memory in units of the largest tensor for a model of `count` equal kernels."""
    import kerasish
    from kerasish import layers

    units = int((megabytes * 2**20 / 4 / count) ** 0.5)
    stack = [layers.Dense(units, use_bias=False) for _ in range(count)]
    model = kerasish.Sequential([kerasish.Input((units,)), *stack])
    small = kerasish.Sequential([kerasish.Input((2,)), layers.Dense(2)])
    largest = 4 * units**2
    print(f"model of {megabytes} MB in {count} kernels, the largest {largest / 2**20:.0f} MB")
    for ending in ENDINGS:
        for net in (small, model):  # the small one imports what is needed
            path = os.path.join(directory, f"model{ending}")
            write = net.save if ending == ".keras" else net.save_weights
            saving, save_seconds = extra_memory(lambda write=write, path=path: write(path))
            loading, load_seconds = extra_memory(lambda net=net, path=path: net.load_weights(path))
        print(
            f"{ending:12} save {saving / largest:5.2f}x {save_seconds:6.2f} s    "
            f"load {loading / largest:5.2f}x {load_seconds:6.2f} s"
        )
        os.remove(path)


def measure_first_prediction(repeats: int, directory: str) -> None:
    """Print the milliseconds that the lecture's model takes to load and to predict in a new process."""
    import kerasish
    from kerasish import layers

    stack = [
        kerasish.Input((28, 28)),
        layers.Flatten(),
        layers.Dense(300, activation="relu"),
        layers.Dense(100, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
    model = kerasish.Sequential(stack)
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    path = os.path.join(directory, "lecture.keras")
    model.save(path)
    command = [sys.executable, "-c", FIRST_PREDICTION, path]
    rows = []
    # compiled modules are kept, as those of an installed package are; the first run makes them
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(repeats + 1):
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        rows.append([float(number) for number in done.stdout.split()])
    load, predict = (statistics.median(column) for column in zip(*rows[1:], strict=True))
    least = min(sum(row) for row in rows[1:])
    print(
        f"lecture's model after import: load {load:.1f} ms + predict {predict:.1f} ms = {load + predict:.1f} ms, "
        f"at least {least:.1f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--tensors", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        measure_first_prediction(options.repeats, directory)
        measure_memory(options.megabytes, options.tensors, directory)


if __name__ == "__main__":
    main()
