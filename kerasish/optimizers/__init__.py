"""Optimizers: rules that update variables in place from their gradients."""

from __future__ import annotations

from typing import Any as _Any

from kerasish.errors import did_you_mean as _did_you_mean
from kerasish.errors import received as _received
from kerasish.optimizers import legacy as legacy
from kerasish.optimizers import schedules as schedules
from kerasish.optimizers._adadelta import Adadelta as Adadelta
from kerasish.optimizers._adafactor import Adafactor as Adafactor
from kerasish.optimizers._adagrad import Adagrad as Adagrad
from kerasish.optimizers._adam import Adam as Adam
from kerasish.optimizers._adamax import Adamax as Adamax
from kerasish.optimizers._adamw import AdamW as AdamW
from kerasish.optimizers._ftrl import Ftrl as Ftrl
from kerasish.optimizers._lamb import Lamb as Lamb
from kerasish.optimizers._lion import Lion as Lion
from kerasish.optimizers._loss_scale_optimizer import LossScaleOptimizer as LossScaleOptimizer
from kerasish.optimizers._multi_optimizer import MultiOptimizer as MultiOptimizer
from kerasish.optimizers._multi_optimizer import OptimizerMap as OptimizerMap
from kerasish.optimizers._muon import Muon as Muon
from kerasish.optimizers._nadam import Nadam as Nadam
from kerasish.optimizers._rmsprop import RMSprop as RMSprop
from kerasish.optimizers._schedule_free_adamw import ScheduleFreeAdamW as ScheduleFreeAdamW
from kerasish.optimizers._sgd import SGD as SGD
from kerasish.optimizers.optimizer import Optimizer as Optimizer
from kerasish.registry import Registry as _Registry

_registry = _Registry(
    "optimizer",
    "keras.optimizers",
    classes=(
        Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Ftrl, Lamb, Lion, LossScaleOptimizer,
        MultiOptimizer, Muon, Nadam, RMSprop, SGD, ScheduleFreeAdamW,
    ),
)  # fmt: skip

_KERAS_1_NAMES = {
    "adadelta": Adadelta, "adagrad": Adagrad, "adam": Adam, "adamax": Adamax, "nadam": Nadam,
    "rmsprop": RMSprop, "sgd": SGD,
}  # fmt: skip


def __getattr__(name: str) -> _Any:
    if name in _KERAS_1_NAMES:
        return _KERAS_1_NAMES[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}.{_did_you_mean(name, __dir__())}")


def __dir__() -> list[str]:
    classes = {cls.__name__ for cls in _registry.entries.values()}
    return sorted(
        {*classes, "Optimizer", "OptimizerMap", "deserialize", "get", "legacy", "schedules", "serialize"}
    )


def get(identifier: _Any) -> _Any:
    """Return the optimizer for a name (`"adam"`), a config, a class, an optimizer, or None.

    Raises:
        ValueError: an unknown name, or something that is no optimizer.
    """
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    found = _registry.find(identifier) if isinstance(identifier, str) else identifier
    if isinstance(found, type) and issubclass(found, Optimizer):
        make: _Any = found
        if found in (LossScaleOptimizer, MultiOptimizer):
            raise ValueError(f"{found.__name__} needs arguments: make it yourself. Received: {identifier!r}")
        return make()
    if isinstance(found, Optimizer):
        return found
    raise ValueError(
        f"Could not interpret optimizer identifier: expected a name, a config or a kerasish optimizer. "
        f"Received: {_received(identifier)}"
    )


def serialize(optimizer: Optimizer) -> dict[str, _Any]:
    """An optimizer → Keras's JSON config."""
    return _registry.serialize(optimizer)


def deserialize(config: dict[str, _Any], custom_objects: dict[str, _Any] | None = None) -> _Any:
    """Keras's JSON config → the optimizer; class names in any case."""
    if isinstance(config, str):
        return get(config)
    known = {name.lower(): cls.__name__ for name, cls in _registry.entries.items()}
    name = str(config.get("class_name", "")).lower()
    if name in known:
        config = {**config, "class_name": known[name]}
    return _registry.deserialize(_with_public_modules(config), custom_objects=custom_objects)


def _with_public_modules(config: _Any) -> _Any:
    """Name `keras.optimizers` where a file of Keras's torch backend names the module of its own subclass."""
    if not isinstance(config, dict):
        return config
    config = {key: _with_public_modules(value) for key, value in config.items()}
    if str(config.get("module")).startswith("keras.src.backend.torch.optimizers"):
        config["module"] = "keras.optimizers"
    return config
