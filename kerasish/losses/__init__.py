"""Loss functions, one value per sample, and loss objects, which reduce them to one number."""

import types as _types
from typing import Any as _Any

from kerasish.losses.crossentropy import BinaryCrossentropy as BinaryCrossentropy
from kerasish.losses.crossentropy import BinaryFocalCrossentropy as BinaryFocalCrossentropy
from kerasish.losses.crossentropy import CategoricalCrossentropy as CategoricalCrossentropy
from kerasish.losses.crossentropy import CategoricalFocalCrossentropy as CategoricalFocalCrossentropy
from kerasish.losses.crossentropy import (
    CategoricalGeneralizedCrossEntropy as CategoricalGeneralizedCrossEntropy,
)
from kerasish.losses.crossentropy import SparseCategoricalCrossentropy as SparseCategoricalCrossentropy
from kerasish.losses.crossentropy import binary_crossentropy as binary_crossentropy
from kerasish.losses.crossentropy import binary_focal_crossentropy as binary_focal_crossentropy
from kerasish.losses.crossentropy import categorical_crossentropy as categorical_crossentropy
from kerasish.losses.crossentropy import categorical_focal_crossentropy as categorical_focal_crossentropy
from kerasish.losses.crossentropy import (
    categorical_generalized_cross_entropy as categorical_generalized_cross_entropy,
)
from kerasish.losses.crossentropy import sparse_categorical_crossentropy as sparse_categorical_crossentropy
from kerasish.losses.distribution import KLDivergence as KLDivergence
from kerasish.losses.distribution import Poisson as Poisson
from kerasish.losses.distribution import kl_divergence as kl_divergence
from kerasish.losses.distribution import poisson as poisson
from kerasish.losses.legacy import Reduction as Reduction
from kerasish.losses.legacy import is_categorical_crossentropy as is_categorical_crossentropy
from kerasish.losses.loss import Loss as Loss
from kerasish.losses.loss import LossFunctionWrapper as LossFunctionWrapper
from kerasish.losses.margin import CategoricalHinge as CategoricalHinge
from kerasish.losses.margin import Hinge as Hinge
from kerasish.losses.margin import SquaredHinge as SquaredHinge
from kerasish.losses.margin import categorical_hinge as categorical_hinge
from kerasish.losses.margin import hinge as hinge
from kerasish.losses.margin import squared_hinge as squared_hinge
from kerasish.losses.metric_learning import Circle as Circle
from kerasish.losses.metric_learning import circle as circle
from kerasish.losses.regression import CosineSimilarity as CosineSimilarity
from kerasish.losses.regression import Huber as Huber
from kerasish.losses.regression import LogCosh as LogCosh
from kerasish.losses.regression import MeanAbsoluteError as MeanAbsoluteError
from kerasish.losses.regression import MeanAbsolutePercentageError as MeanAbsolutePercentageError
from kerasish.losses.regression import MeanSquaredError as MeanSquaredError
from kerasish.losses.regression import MeanSquaredLogarithmicError as MeanSquaredLogarithmicError
from kerasish.losses.regression import cosine_similarity as cosine_similarity
from kerasish.losses.regression import huber as huber
from kerasish.losses.regression import log_cosh as log_cosh
from kerasish.losses.regression import mean_absolute_error as mean_absolute_error
from kerasish.losses.regression import mean_absolute_percentage_error as mean_absolute_percentage_error
from kerasish.losses.regression import mean_squared_error as mean_squared_error
from kerasish.losses.regression import mean_squared_logarithmic_error as mean_squared_logarithmic_error
from kerasish.losses.segmentation import Dice as Dice
from kerasish.losses.segmentation import Tversky as Tversky
from kerasish.losses.segmentation import dice as dice
from kerasish.losses.segmentation import tversky as tversky
from kerasish.losses.sequence import CTC as CTC
from kerasish.losses.sequence import ctc as ctc
from kerasish.registry import Registry as _Registry

mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
kld = KLD = kullback_leibler_divergence = kl_divergence
cosine = cosine_proximity = cosine_similarity
logcosh = log_cosh
huber_loss = huber

_public = [value for name, value in list(globals().items()) if not name.startswith("_")]

_registry = _Registry(
    "loss",
    "keras.losses",
    classes=[value for value in _public if isinstance(value, type) and issubclass(value, Loss)],
    functions=[
        value
        for value in _public
        if isinstance(value, _types.FunctionType) and value is not is_categorical_crossentropy
    ],
    aliases={
        **{name: globals()[name] for name in ("mse", "MSE", "mae", "MAE", "mape", "MAPE", "msle", "MSLE")},
        **{name: globals()[name] for name in ("kld", "KLD", "kullback_leibler_divergence", "logcosh")},
        **{name: globals()[name] for name in ("cosine", "cosine_proximity", "huber_loss")},
        "bce": binary_crossentropy,
        "BCE": binary_crossentropy,
        "categorical_generalized_cross_entropy": CategoricalGeneralizedCrossEntropy,
    },
)


def get(identifier: _Any) -> _Any:
    """Return the loss for a name, a config, a class, an object or a function; None for None.

    Raises:
        ValueError: there is no such loss.

    Example:
        >>> get("mse").__name__
        'mean_squared_error'
        >>> get("MeanSquaredError").name
        'mean_squared_error'
    """
    return deserialize(identifier) if isinstance(identifier, dict) else _registry.get(identifier)


def serialize(loss: _Any) -> _Any:
    """The JSON config of a loss object or function, as Keras writes it."""
    name = _registry.serialize(loss)
    if isinstance(name, str):
        return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}
    return name


def deserialize(name: _Any, custom_objects: dict[str, _Any] | None = None) -> _Any:
    """Make a loss from `serialize(...)`, from a config of Keras 2 or 3, or from a name."""
    is_builtin = (
        isinstance(name, dict) and name.get("class_name") == "function" and name.get("module") == "builtins"
    )
    return _registry.deserialize(name["config"] if is_builtin else name, custom_objects)


def __dir__() -> list[str]:
    return sorted(
        name
        for name, value in globals().items()
        if name.startswith("__") or not (name.startswith("_") or isinstance(value, _types.ModuleType))
    )
