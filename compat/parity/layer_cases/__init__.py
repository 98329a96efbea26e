"""Grids of settings, one file per family of layers: rows of class name, arguments, input shape (a list for several).

A layer that draws at random in training stands in `DETERMINISTIC_IN_TRAINING` with the arguments that stop it.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

CASES: list[tuple[str, dict[str, Any], Any]] = []
DETERMINISTIC_IN_TRAINING: dict[str, dict[str, Any]] = {}
for _module in pkgutil.iter_modules(__path__):
    _family = importlib.import_module(f"{__name__}.{_module.name}")
    CASES += _family.CASES
    DETERMINISTIC_IN_TRAINING.update(getattr(_family, "DETERMINISTIC_IN_TRAINING", {}))
