"""Every test draws the same random numbers in each run."""

from __future__ import annotations

import numpy as np
import torch

torch.manual_seed(0)  # for what test files draw when they are imported


def pytest_runtest_setup(item):
    torch.manual_seed(0)
    np.random.seed(0)
    if "compile" in item.name:
        torch.compiler.reset()  # it gives up after several recompilations of one function in a process
