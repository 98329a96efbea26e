"""One CPU thread or all of them: small steps run faster on one, and much faster where other programs want the cores."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

SAMPLES = 12  # steps timed with one thread, then with all
HOPELESS = 2  # timing ends once the steps with all threads have taken this many times as long
VALID_FOR = 4000  # steps until the choice is made again
CROWDED = 3  # a step with all threads that takes this many times as long as with one has met other programs


class ThreadChoice:
    """Times a recorded step with one thread and with all of torch's, and goes on with the faster.

    torch's number of threads is a setting of the process: `restore()` puts it back after an epoch.
    """

    def __init__(self) -> None:
        self.all = torch.get_num_threads()
        self.times: dict[int, list[float]] = {}
        self.chosen = 0
        self._forget()

    def _forget(self) -> None:
        self.times = {self.all: [], 1: []}
        self.chosen = 1 if self.all == 1 else 0
        self.steps = 0
        self.slow_steps = 0
        self.usual_time = 0.0

    def run(self, function: Callable[[Any], Any], argument: Any) -> None:
        """Call the function with the threads chosen or, at first, with those to be timed."""
        self.steps += 1
        if self.chosen == 1:
            function(argument)
            return
        count = self.chosen or (1 if len(self.times[1]) < SAMPLES else self.all)
        if not self.chosen:
            torch.set_num_threads(count)
        start = time.perf_counter()
        function(argument)
        elapsed = time.perf_counter() - start
        if self.chosen:
            self.slow_steps = self.slow_steps + 1 if elapsed > CROWDED * self.usual_time else 0
            if self.slow_steps == SAMPLES:
                self._choose(1)
            return
        self.times[count].append(elapsed)
        one, several = self.times[1], self.times[self.all]
        if len(several) == SAMPLES or sum(several) > HOPELESS * sum(one):
            self.usual_time = statistics.median(several)
            self._choose(self.all if self.usual_time < statistics.median(one) else 1)

    def _choose(self, count: int) -> None:
        self.chosen = count
        torch.set_num_threads(count)

    def begin(self, with_one: bool) -> None:
        """Set one thread, or all, for a step that is not timed, as long as nothing is chosen."""
        if not self.chosen:
            torch.set_num_threads(1 if with_one else self.all)

    def resume(self) -> None:
        """Set the number of threads for another epoch; a choice that has grown old is made again."""
        if self.all != 1 and self.steps > VALID_FOR:
            self._forget()
        if self.chosen:
            torch.set_num_threads(self.chosen)

    def restore(self) -> None:
        """Give torch the number of threads that it had before."""
        if torch.get_num_threads() != self.all:
            torch.set_num_threads(self.all)
