"""Which trainings can be stacked, and with which others: what has to be equal makes up the key of a training."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import torch
from torch import Tensor

from kerasish import config, losses, optimizers
from kerasish.losses import LossFunctionWrapper
from kerasish.metrics import MeanMetricWrapper, Metric
from kerasish.models.architecture import NotComparable, architecture, is_library
from kerasish.regularizers import L1, L1L2, L2
from kerasish.training.data.arrays import ArrayData
from kerasish.wrappers.estimator import Training

# Updates of these do not mix elements, so that models may share one.
ELEMENTWISE = (
    optimizers.SGD, optimizers.Adam, optimizers.AdamW, optimizers.RMSprop, optimizers.Adagrad,
    optimizers.Adadelta, optimizers.Adamax, optimizers.Nadam, optimizers.Ftrl, optimizers.Lion,
)  # fmt: skip
MIXING_OPTIONS = ("clipnorm", "global_clipnorm", "use_ema", "gradient_accumulation_steps")
MIXING_LOSSES = (losses.Dice, losses.Tversky, losses.Circle, losses.CTC)
REGULARIZERS = (L1, L2, L1L2)
STACKABLE_SETTINGS = ("batch_size", "epochs", "verbose", "shuffle", "validation_batch_size")
DEFAULT_SETTINGS: dict[str, Any] = {
    "validation_split": 0.0,
    "initial_epoch": 0,
    "validation_freq": 1,
    "callbacks": [],
}
UNSTACKABLE = (RuntimeError, NotImplementedError, TypeError, ValueError, AttributeError)


class NotStackable(Exception):
    """A training has to run alone: the message says why."""


@dataclasses.dataclass
class Plan:
    """A training with all that it draws drawn in advance.

    Args:
        data: its records (x, y, sample_weight or None), N of each.
        orders: the order of the records in each epoch, shape (epochs, N).
        key: trainings of the same key can be stacked.
    """

    training: Training
    data: tuple[Tensor, Tensor, Tensor | None]
    orders: Tensor
    batch_size: int
    key: Any

    @property
    def num_records(self) -> int:
        """The number of records N."""
        return len(self.data[0])


def plan(training: Training, known: list[tuple]) -> Plan:
    """Plan a training, drawing now what it would draw.

    Args:
        known: data sets of other trainings; equal ones are shared, new ones are added.

    Raises:
        NotStackable: it has to run alone.
    """
    model, settings = training.model, training.settings
    _check_process()
    _check_settings(settings)
    _check_compilation(model)
    architecture = _architecture(model)
    data = ArrayData(
        training.inputs,
        training.targets,
        training.sample_weight,
        settings.get("batch_size"),
        settings["shuffle"],
        None,
        None,
        model._device(),
    )
    named = data.named_tensors()
    if [name for name, _ in named][:2] != ["x", "y"] or len(named) > 3:
        raise NotStackable("there are several inputs or outputs")
    tensors = _shared((*[tensor for _, tensor in named], None)[:3], known)
    epochs = settings.get("epochs", 1)
    shapes = [(tensor.shape[1:], tensor.dtype) for _, tensor in named]
    loss = model._compiled_loss.losses[0]
    key = (
        architecture,
        json.dumps({**loss.get_config(), "name": type(loss).__name__}, sort_keys=True, default=repr),
        repr(model._compiled_loss.factors),
        tuple(_metric_key(metric) for metric in metrics_given(model)),
        tuple(shapes),
        (data.num_batches, data.batch_size, epochs),
        str(model._device()),
    )
    return Plan(training, tensors, _orders(data, epochs, settings["shuffle"]), data.batch_size, key)


def _orders(data: ArrayData, epochs: int, shuffle: bool) -> Tensor:
    count = data.num_records
    if not shuffle:
        return torch.arange(count, dtype=torch.int32).expand(epochs, count)
    draws = [torch.randperm(count).int() for _ in range(epochs)]
    return torch.stack(draws) if draws else torch.empty(0, count, dtype=torch.int32)


def _shared(data: Any, known: list[tuple]) -> Any:
    """The same data, in the memory of an equal data set that is known."""
    for other in known:
        if all(_is_equal(a, b) for a, b in zip(data, other, strict=True)):
            return other
    known.append(data)
    return data


def _is_equal(a: Tensor | None, b: Tensor | None) -> bool:
    return a is b or (a is not None and b is not None and a.dtype == b.dtype and torch.equal(a, b))


def _check_process() -> None:
    if config.is_nan_check_enabled() or config.max_epochs() is not None:
        raise NotStackable("the NaN check is on, or epochs are limited")
    if config.max_steps_per_epoch() is not None:
        raise NotStackable("steps are limited")


def _check_settings(settings: dict[str, Any]) -> None:
    for name, value in settings.items():
        if name in STACKABLE_SETTINGS or value is None:
            continue
        if name not in DEFAULT_SETTINGS or value != DEFAULT_SETTINGS[name]:
            raise NotStackable(f"fit has {name}={value!r}")
    settings.setdefault("shuffle", True)
    if not isinstance(settings["shuffle"], bool):
        raise NotStackable(f"fit has shuffle={settings['shuffle']!r}")


def _check_compilation(model: Any) -> None:
    if model.run_eagerly or model.jit_compile:
        raise NotStackable("the model is compiled with run_eagerly or jit_compile")
    optimizer = model.optimizer
    if type(optimizer) not in ELEMENTWISE:
        raise NotStackable(f"the optimizer {type(optimizer).__name__} is not elementwise")
    if any(getattr(optimizer, option) for option in MIXING_OPTIONS) or not optimizer.capturable:
        raise NotStackable(f"of an option of the optimizer: one of {MIXING_OPTIONS}, or a callable rate")
    if optimizer._undecayed or optimizer._undecayed_names:
        raise NotStackable("weights are exempt from the optimizer's decay")
    compiled = model._compiled_loss
    if compiled is None or compiled.losses is None or len(compiled.losses) != 1:
        raise NotStackable("the model has not one loss")
    loss = compiled.losses[0]
    if not isinstance(loss, LossFunctionWrapper) or isinstance(loss, MIXING_LOSSES):
        raise NotStackable(f"the loss {type(loss).__name__} is not one of single records")
    if loss.reduction in (None, "none") or not is_library(loss.fn):
        raise NotStackable("the loss is custom code, or not reduced")
    if model._compiled_metrics.weighted_given:
        raise NotStackable("there are weighted metrics")


def metrics_given(model: Any) -> list[Any]:
    """The metrics that the model was compiled with."""
    given = model._compiled_metrics.given
    return list(given) if isinstance(given, (list, tuple)) else [] if given is None else [given]


def _metric_key(metric: Any) -> str:
    if isinstance(metric, str):
        return metric
    if not isinstance(metric, Metric) or not is_mean(metric):
        raise NotStackable("a metric is custom code, or not a mean over records")
    return json.dumps({**metric.get_config(), "class": type(metric).__name__}, sort_keys=True, default=repr)


def is_mean(metric: Any) -> bool:
    """Whether a metric is the mean of a function of kerasish's over the records."""
    return type(metric).update_state is MeanMetricWrapper.update_state and is_library(metric._fn)


def _architecture(model: Any) -> str:
    """The model's config without names, initial values and factors of penalties."""
    if next(model.buffers(), None) is not None:
        raise NotStackable("the model has buffers")
    for path, weight in model.named_parameters():
        if not weight.requires_grad:
            raise NotStackable(f"{path} is not trained by gradients")
        if weight.dim() > 2:
            raise NotStackable(f"{path} has {weight.dim()} dimensions: convolutions run no faster stacked")
        if getattr(weight, "constraint", None) is not None:
            raise NotStackable(f"{path} has a constraint")
        if type(getattr(weight, "regularizer", None)) not in (*REGULARIZERS, type(None)):
            raise NotStackable(f"{path} has a penalty other than L1 and L2")
    try:
        return architecture(model, _is_free)
    except NotComparable as reason:
        raise NotStackable(str(reason)) from reason


def _is_free(setting: str) -> bool:
    """Whether stacked models may differ in a setting: initial values, and factors of the weights' penalties."""
    is_penalty = setting.endswith("_regularizer") and setting != "activity_regularizer"
    return is_penalty or setting.endswith("_initializer")
