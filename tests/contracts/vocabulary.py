"""Every public class that Keras finds by name, and how to make one: a new class without a sample fails the tests."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import torch

NAMESPACES = (
    "initializers", "regularizers", "constraints", "losses", "metrics", "optimizers", "optimizers.schedules",
    "callbacks", "dtype_policies",
)  # fmt: skip

# To be subclassed, or without arguments and state.
BASES = (
    "Initializer", "Regularizer", "Constraint", "Loss", "Metric", "Optimizer", "LearningRateSchedule", "Callback",
)  # fmt: skip
CONSTANTS = ("Reduction",)

RATE = {"initial_learning_rate": 0.1}
CLASSES = {"num_classes": 3}
SAMPLES: dict[str, Any] = {
    "initializers.STFT": lambda k: {"side": "imag"},
    "losses.LossFunctionWrapper": lambda k: {"fn": k.losses.mean_squared_error, "name": "mine"},
    "metrics.IoU": lambda k: {**CLASSES, "target_class_ids": [1]},
    "metrics.OneHotIoU": lambda k: {**CLASSES, "target_class_ids": [1]},
    "metrics.MeanIoU": lambda k: CLASSES,
    "metrics.OneHotMeanIoU": lambda k: CLASSES,
    "metrics.MeanMetricWrapper": lambda k: {"fn": k.metrics.mean_squared_error, "name": "mine"},
    "metrics.MeanRelativeError": lambda k: {"normalizer": [1.0, 2.0]},
    "metrics.PrecisionAtRecall": lambda k: {"recall": 0.4},
    "metrics.RecallAtPrecision": lambda k: {"precision": 0.4},
    "metrics.SensitivityAtSpecificity": lambda k: {"specificity": 0.4},
    "metrics.SpecificityAtSensitivity": lambda k: {"sensitivity": 0.4},
    "optimizers.LossScaleOptimizer": lambda k: {"inner_optimizer": k.optimizers.Adam(0.02)},
    "optimizers.MultiOptimizer": lambda k: {
        "optimizer_map": k.optimizers.OptimizerMap(k.optimizers.SGD(), {"a/.*": k.optimizers.Adam(0.02)})
    },
    "optimizers.OptimizerMap": lambda k: {
        "default_optimizer": k.optimizers.SGD(),
        "optimizer_map": {"a/.*": k.optimizers.Adam(0.02)},
    },
    "optimizers.schedules.CosineDecay": lambda k: {**RATE, "decay_steps": 10, "warmup_target": 0.5},
    "optimizers.schedules.CosineDecayRestarts": lambda k: {**RATE, "first_decay_steps": 10},
    "optimizers.schedules.ExponentialDecay": lambda k: {**RATE, "decay_steps": 10, "decay_rate": 0.5},
    "optimizers.schedules.InverseTimeDecay": lambda k: {**RATE, "decay_steps": 10, "decay_rate": 0.5},
    "optimizers.schedules.OneCycle": lambda k: {"max_learning_rate": 0.1, "total_steps": 10},
    "optimizers.schedules.PiecewiseConstantDecay": lambda k: {"boundaries": [3], "values": [0.2, 0.1]},
    "optimizers.schedules.PolynomialDecay": lambda k: {**RATE, "decay_steps": 10},
    "callbacks.BackupAndRestore": lambda k: {"backup_dir": "backup"},
    "callbacks.CSVLogger": lambda k: {"filename": "log.csv"},
    "callbacks.LearningRateScheduler": lambda k: {"schedule": k.optimizers.schedules.ExponentialDecay(0.1, 9, 0.5)},
    "callbacks.ModelCheckpoint": lambda k: {"filepath": "model.keras"},
    "callbacks.TimeLimit": lambda k: {"seconds": 60},
    "callbacks.TorchLRScheduler": lambda k: {"scheduler": torch.optim.lr_scheduler.StepLR},
    "dtype_policies.DTypePolicy": lambda k: {"name": "mixed_bfloat16"},
}  # fmt: skip


def namespace_of(package: Any, name: str) -> Any:
    return importlib.import_module(f"{package.__name__}.{name}")


def public_classes(package: Any) -> dict[str, type]:
    """`"losses.Huber"` → the class, each under the name it was defined with."""
    found = {}
    for namespace in NAMESPACES:
        module = namespace_of(package, namespace)
        for cls in (getattr(module, name) for name in dir(module)):
            if inspect.isclass(cls) and cls.__module__.startswith(package.__name__):
                found[f"{namespace}.{cls.__name__}"] = cls
    return {path: cls for path, cls in found.items() if cls.__name__ not in (*BASES, *CONSTANTS)}


def parameters(cls: type) -> dict[str, inspect.Parameter]:
    """The named parameters of a constructor."""
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {name: p for name, p in inspect.signature(cls).parameters.items() if p.kind not in kinds}


def arguments(path: str, cls: type, package: Any) -> dict[str, Any]:
    """Arguments for a class, made of `package`'s own objects: the sample, a seed where it takes one."""
    given = SAMPLES[path](package) if path in SAMPLES else {}
    missing = [n for n, p in parameters(cls).items() if p.default is p.empty and n not in given]
    assert not missing, f"{path} needs {missing}: add a sample to {__name__}.SAMPLES"
    return {"seed": 7, **given} if "seed" in parameters(cls) else given
