"""Models as scikit-learn estimators; scikit-learn is imported when one of them is first used.

`KerasClassifier` and `KerasRegressor` are the ones to use. `scikit_learn` holds those of Keras 2, `SKLearnClassifier`,
`SKLearnRegressor` and `SKLearnTransformer` are those of Keras 3.
"""

from __future__ import annotations

import importlib as _importlib
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from kerasish.errors import did_you_mean as _did_you_mean

if _TYPE_CHECKING:
    from kerasish.wrappers.classifier import KerasClassifier as KerasClassifier
    from kerasish.wrappers.keras3 import SKLearnClassifier as SKLearnClassifier
    from kerasish.wrappers.keras3 import SKLearnRegressor as SKLearnRegressor
    from kerasish.wrappers.keras3 import SKLearnTransformer as SKLearnTransformer
    from kerasish.wrappers.regressor import KerasRegressor as KerasRegressor
    from kerasish.wrappers.routed import BaseWrapper as BaseWrapper

_HOME = {
    "BaseWrapper": "routed",
    "KerasClassifier": "classifier",
    "KerasRegressor": "regressor",
    "SKLearnClassifier": "keras3",
    "SKLearnRegressor": "keras3",
    "SKLearnTransformer": "keras3",
}


def __getattr__(name: str) -> _Any:
    if name == "scikit_learn":
        return _importlib.import_module("kerasish.wrappers.scikit_learn")
    if name in _HOME:
        return getattr(_importlib.import_module(f"kerasish.wrappers.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}.{_did_you_mean(name, __dir__())}")


def __dir__() -> list[str]:
    return sorted([*_HOME, "scikit_learn"])
