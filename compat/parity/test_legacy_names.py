from __future__ import annotations

import importlib

import pytest

from kerasish.legacy.names import MODULES, RENAMED

keras = pytest.importorskip("keras")

TARGETS = sorted(
    {
        target if "." in target else f"{MODULES.get(namespace, namespace)}.{target}"
        for namespace, renamed in RENAMED.items()
        for target in renamed.values()
        if not target.startswith("keras.legacy.backend.")
    }
)


@pytest.mark.parametrize("target", TARGETS)
def test_old_names_lead_to_public_names_of_keras_3(target):
    found = keras
    for part in target.split(".")[1:]:
        found = getattr(found, part)
    assert callable(found)


@pytest.mark.parametrize("door", sorted(set(MODULES.values())))
def test_old_modules_lead_to_public_modules_of_keras_3(door):
    assert importlib.import_module(door)
