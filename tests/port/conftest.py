from __future__ import annotations

import sys

import pytest

from kerasish.port import aliases


@pytest.fixture
def without_keras(monkeypatch):
    """Take a Keras that other tests imported out of the way, and put it back."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    kept = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in aliases.TOPS}
    for name in kept:
        del sys.modules[name]
    yield
    aliases.uninstall_aliases()
    sys.modules.update(kept)
