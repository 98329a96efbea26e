"""Metrics: objects that gather a number over many batches, and the functions behind them."""

import types as _types
from typing import Any as _Any

from kerasish.losses import binary_crossentropy as binary_crossentropy
from kerasish.losses import binary_focal_crossentropy as binary_focal_crossentropy
from kerasish.losses import categorical_crossentropy as categorical_crossentropy
from kerasish.losses import categorical_focal_crossentropy as categorical_focal_crossentropy
from kerasish.losses import categorical_hinge as categorical_hinge
from kerasish.losses import hinge as hinge
from kerasish.losses import huber as huber
from kerasish.losses import kl_divergence as kl_divergence
from kerasish.losses import log_cosh as log_cosh
from kerasish.losses import mean_absolute_error as mean_absolute_error
from kerasish.losses import mean_absolute_percentage_error as mean_absolute_percentage_error
from kerasish.losses import mean_squared_error as mean_squared_error
from kerasish.losses import mean_squared_logarithmic_error as mean_squared_logarithmic_error
from kerasish.losses import poisson as poisson
from kerasish.losses import sparse_categorical_crossentropy as sparse_categorical_crossentropy
from kerasish.losses import squared_hinge as squared_hinge
from kerasish.metrics.accuracies import Accuracy as Accuracy
from kerasish.metrics.accuracies import BinaryAccuracy as BinaryAccuracy
from kerasish.metrics.accuracies import CategoricalAccuracy as CategoricalAccuracy
from kerasish.metrics.accuracies import SparseCategoricalAccuracy as SparseCategoricalAccuracy
from kerasish.metrics.accuracies import SparseTopKCategoricalAccuracy as SparseTopKCategoricalAccuracy
from kerasish.metrics.accuracies import TopKCategoricalAccuracy as TopKCategoricalAccuracy
from kerasish.metrics.accuracies import accuracy as accuracy
from kerasish.metrics.accuracies import binary_accuracy as binary_accuracy
from kerasish.metrics.accuracies import categorical_accuracy as categorical_accuracy
from kerasish.metrics.accuracies import sparse_categorical_accuracy as sparse_categorical_accuracy
from kerasish.metrics.accuracies import sparse_top_k_categorical_accuracy as sparse_top_k_categorical_accuracy
from kerasish.metrics.accuracies import top_k_categorical_accuracy as top_k_categorical_accuracy
from kerasish.metrics.confusion import AUC as AUC
from kerasish.metrics.confusion import FalseNegatives as FalseNegatives
from kerasish.metrics.confusion import FalsePositives as FalsePositives
from kerasish.metrics.confusion import Precision as Precision
from kerasish.metrics.confusion import PrecisionAtRecall as PrecisionAtRecall
from kerasish.metrics.confusion import Recall as Recall
from kerasish.metrics.confusion import RecallAtPrecision as RecallAtPrecision
from kerasish.metrics.confusion import SensitivityAtSpecificity as SensitivityAtSpecificity
from kerasish.metrics.confusion import SpecificityAtSensitivity as SpecificityAtSensitivity
from kerasish.metrics.confusion import TrueNegatives as TrueNegatives
from kerasish.metrics.confusion import TruePositives as TruePositives
from kerasish.metrics.correlation import ConcordanceCorrelation as ConcordanceCorrelation
from kerasish.metrics.correlation import PearsonCorrelation as PearsonCorrelation
from kerasish.metrics.correlation import concordance_correlation as concordance_correlation
from kerasish.metrics.correlation import pearson_correlation as pearson_correlation
from kerasish.metrics.f_score import F1Score as F1Score
from kerasish.metrics.f_score import FBetaScore as FBetaScore
from kerasish.metrics.iou import BinaryIoU as BinaryIoU
from kerasish.metrics.iou import IoU as IoU
from kerasish.metrics.iou import MeanIoU as MeanIoU
from kerasish.metrics.iou import OneHotIoU as OneHotIoU
from kerasish.metrics.iou import OneHotMeanIoU as OneHotMeanIoU
from kerasish.metrics.margin import CategoricalHinge as CategoricalHinge
from kerasish.metrics.margin import Hinge as Hinge
from kerasish.metrics.margin import SquaredHinge as SquaredHinge
from kerasish.metrics.metric import Metric as Metric
from kerasish.metrics.probabilistic import BinaryCrossentropy as BinaryCrossentropy
from kerasish.metrics.probabilistic import CategoricalCrossentropy as CategoricalCrossentropy
from kerasish.metrics.probabilistic import KLDivergence as KLDivergence
from kerasish.metrics.probabilistic import Poisson as Poisson
from kerasish.metrics.probabilistic import SparseCategoricalCrossentropy as SparseCategoricalCrossentropy
from kerasish.metrics.reduction import Mean as Mean
from kerasish.metrics.reduction import MeanMetricWrapper as MeanMetricWrapper
from kerasish.metrics.reduction import MeanTensor as MeanTensor
from kerasish.metrics.reduction import Sum as Sum
from kerasish.metrics.regression import CosineSimilarity as CosineSimilarity
from kerasish.metrics.regression import LogCoshError as LogCoshError
from kerasish.metrics.regression import MeanAbsoluteError as MeanAbsoluteError
from kerasish.metrics.regression import MeanAbsolutePercentageError as MeanAbsolutePercentageError
from kerasish.metrics.regression import MeanRelativeError as MeanRelativeError
from kerasish.metrics.regression import MeanSquaredError as MeanSquaredError
from kerasish.metrics.regression import MeanSquaredLogarithmicError as MeanSquaredLogarithmicError
from kerasish.metrics.regression import R2Score as R2Score
from kerasish.metrics.regression import RootMeanSquaredError as RootMeanSquaredError
from kerasish.metrics.regression import cosine_similarity as cosine_similarity
from kerasish.registry import Registry as _Registry

mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
kld = KLD = kullback_leibler_divergence = kl_divergence
cosine = cosine_proximity = cosine_similarity
logcosh = log_cosh

_classes = [
    value for value in list(globals().values()) if isinstance(value, type) and issubclass(value, Metric)
]

_registry = _Registry(
    "metric",
    "keras.metrics",
    classes=_classes,
    aliases={
        **dict.fromkeys(("mse", "MSE"), MeanSquaredError),
        **dict.fromkeys(("mae", "MAE"), MeanAbsoluteError),
        **dict.fromkeys(("mape", "MAPE"), MeanAbsolutePercentageError),
        **dict.fromkeys(("msle", "MSLE"), MeanSquaredLogarithmicError),
        **dict.fromkeys(("bce", "BCE"), BinaryCrossentropy),
        **dict.fromkeys(("kld", "KLD", "kullback_leibler_divergence"), KLDivergence),
        **dict.fromkeys(("cosine", "cosine_proximity"), CosineSimilarity),
        **dict.fromkeys(("logcosh", "log_cosh"), LogCoshError),
        "huber": huber,
        "binary_focal_crossentropy": binary_focal_crossentropy,
        "categorical_focal_crossentropy": categorical_focal_crossentropy,
    },
)


def get(identifier: _Any) -> _Any:
    """Return the metric for a name, a config, a class, an object or a function; None for None.

    Raises:
        ValueError: there is no such metric.

    Example:
        >>> get("mse")
        <MeanSquaredError name=mean_squared_error>
    """
    return deserialize(identifier) if isinstance(identifier, dict) else _registry.get(identifier)


def serialize(metric: _Any) -> _Any:
    """The JSON config of a metric object or function, as Keras writes it."""
    name = getattr(metric, "__name__", "")
    if isinstance(metric, _types.FunctionType) and globals().get(name) is metric:
        return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}
    return _registry.serialize(metric)


def deserialize(config: _Any, custom_objects: dict[str, _Any] | None = None) -> _Any:
    """Make a metric from `serialize(...)`, from a config of Keras 2 or 3, or from a name."""
    if (
        isinstance(config, dict)
        and config.get("class_name") == "function"
        and config.get("module") == "builtins"
    ):
        config = {**config, "module": "keras.metrics"}
    return _registry.deserialize(config, custom_objects)


def __dir__() -> list[str]:
    return sorted(
        name
        for name, value in globals().items()
        if name.startswith("__") or not (name.startswith("_") or isinstance(value, _types.ModuleType))
    )
