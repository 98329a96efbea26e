"""Scripts written for Keras and tf.keras, run as they are; models and weights to PyTorch and back."""

from __future__ import annotations

import importlib as _importlib
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from kerasish.port.aliases import install_aliases as install_aliases
from kerasish.port.aliases import load_ipython_extension as load_ipython_extension
from kerasish.port.aliases import uninstall_aliases as uninstall_aliases
from kerasish.port.aliases import unload_ipython_extension as unload_ipython_extension

if _TYPE_CHECKING:
    from kerasish.port.pytorch import from_pytorch as from_pytorch
    from kerasish.port.pytorch import to_pytorch as to_pytorch


def __getattr__(name: str) -> _Any:
    if name in ("from_pytorch", "to_pytorch"):
        return getattr(_importlib.import_module("kerasish.port.pytorch"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    names = {name for name in globals() if not name.startswith("_")} - {"annotations"}
    return sorted(names | {"from_pytorch", "to_pytorch"})
