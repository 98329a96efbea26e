"""One CPU thread or all of them: small steps run faster on one, and much faster where other programs want the cores."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

SAMPLES = 12  # steps timed with all threads, then with one
VALID_FOR = 4000  # steps until the choice is made again


class ThreadChoice:
    """Times a recorded step with all of torch's threads and with one, and goes on with the faster.

    torch's number of threads is a setting of the process: `restore()` puts it back after an epoch.
    """

    def __init__(self) -> None:
        self.all = torch.get_num_threads()
        self.times: dict[int, list[float]] = {}
        self.chosen = 0
        self.steps = 0
        self._forget()

    def _forget(self) -> None:
        self.times = {self.all: [], 1: []}
        self.chosen = 0
        self.steps = 0

    def run(self, function: Callable[[Any], Any], argument: Any) -> Any:
        """Call the function, with the threads chosen or, at first, with those to be timed."""
        if self.all == 1:
            return function(argument)
        if self.chosen:
            self.steps += 1
            return function(argument)
        count = self.all if len(self.times[self.all]) < SAMPLES else 1
        torch.set_num_threads(count)
        start = time.perf_counter()
        result = function(argument)
        self.times[count].append(time.perf_counter() - start)
        if len(self.times[1]) == SAMPLES:
            self._choose()
        return result

    def _choose(self) -> None:
        medians = {count: statistics.median(times) for count, times in self.times.items()}
        self.chosen = min(medians, key=lambda count: medians[count])
        torch.set_num_threads(self.chosen)

    def resume(self) -> None:
        """Set the number of threads for another epoch; a choice that has grown old is made again."""
        if self.chosen and self.steps > VALID_FOR:
            self._forget()
        if self.chosen:
            torch.set_num_threads(self.chosen)

    def restore(self) -> None:
        """Give torch the number of threads that it had before."""
        if torch.get_num_threads() != self.all:
            torch.set_num_threads(self.all)
