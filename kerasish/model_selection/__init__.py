"""Searches that train the folds and candidates together; scikit-learn is imported when one is first used."""

from __future__ import annotations

import importlib as _importlib
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from kerasish.errors import did_you_mean as _did_you_mean

if _TYPE_CHECKING:
    from kerasish.model_selection.search import GridSearchCV as GridSearchCV
    from kerasish.model_selection.search import RandomizedSearchCV as RandomizedSearchCV

_NAMES = ("GridSearchCV", "RandomizedSearchCV")


def __getattr__(name: str) -> _Any:
    if name in _NAMES:
        return getattr(_importlib.import_module("kerasish.model_selection.search"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}.{_did_you_mean(name, __dir__())}")


def __dir__() -> list[str]:
    return sorted(_NAMES)
