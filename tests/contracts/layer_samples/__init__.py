"""Samples of every public layer, one file per family; a layer without a sample fails the contract."""

from __future__ import annotations

import importlib
import pkgutil

from tests.contracts.layer_samples.sample import Sample as Sample

SAMPLES: dict[str, list[Sample]] = {}
for _module in pkgutil.iter_modules(__path__):
    SAMPLES.update(getattr(importlib.import_module(f"{__name__}.{_module.name}"), "SAMPLES", {}))
