"""Grids of settings, one file per family of layers: rows of class name, arguments, input shape.

A list of shapes is one argument that is a list of tensors; a dictionary is several arguments, by name. A layer that
draws at random in training stands in `DETERMINISTIC_IN_TRAINING` with the arguments that stop it, one that takes
integers from 0 to 3 in `INTEGER_INPUTS`, one that multiplies rounding errors by large inputs in `SMALL_INPUTS`; a
layer that a test file of its family compares, in `COMPARED_ELSEWHERE`.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

CASES: list[tuple[str, dict[str, Any], Any]] = []
DETERMINISTIC_IN_TRAINING: dict[str, dict[str, Any]] = {}
INTEGER_INPUTS: set[str] = set()
SMALL_INPUTS: set[str] = set()
COMPARED_ELSEWHERE: set[str] = set()
for _module in pkgutil.iter_modules(__path__):
    _family = importlib.import_module(f"{__name__}.{_module.name}")
    CASES += _family.CASES
    DETERMINISTIC_IN_TRAINING.update(getattr(_family, "DETERMINISTIC_IN_TRAINING", {}))
    INTEGER_INPUTS |= getattr(_family, "INTEGER_INPUTS", set())
    COMPARED_ELSEWHERE |= getattr(_family, "COMPARED_ELSEWHERE", set())
    SMALL_INPUTS |= getattr(_family, "SMALL_INPUTS", set())
