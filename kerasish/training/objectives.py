"""What `compile` was given, resolved: losses, metrics and optimizers by name, object, function or from PyTorch."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import torch
from torch import Tensor

from kerasish import losses, metrics, optimizers, tree
from kerasish.errors import did_you_mean, received
from kerasish.losses import Loss
from kerasish.metrics import Mean, Metric
from kerasish.naming import to_snake_case

ACCURACIES = ("accuracy", "acc")
CROSSENTROPIES = ("crossentropy", "ce")


class TorchLoss(Loss):
    """A `torch.nn` loss under Keras's argument order: `loss(y_true, y_pred)` calls `module(y_pred, y_true)`."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__(name=to_snake_case(type(module).__name__))
        self.module: Any = module

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        y_true = torch.as_tensor(y_true, device=y_pred.device)
        if y_true.dim() == y_pred.dim() and y_true.shape[-1] == 1 and y_pred.shape[-1] != 1:
            y_true = y_true.squeeze(-1)
        elif y_true.dim() + 1 == y_pred.dim() and y_pred.shape[-1] == 1:
            y_true = y_true.unsqueeze(-1)
        y_true = y_true.long() if not y_true.is_floating_point() and y_true.dim() < y_pred.dim() else y_true
        if y_true.dim() == y_pred.dim() and not y_true.is_floating_point():
            y_true = y_true.to(y_pred.dtype)
        if sample_weight is None:
            return self.module(y_pred, y_true)
        if getattr(self.module, "reduction", None) not in ("mean", "sum", "none"):
            raise ValueError(f"`sample_weight` cannot be used with {self.module!r}: it has no `reduction`.")
        reduction, self.module.reduction = self.module.reduction, "none"
        try:
            values = self.module(y_pred, y_true)
        finally:
            self.module.reduction = reduction
        weight = torch.as_tensor(sample_weight, dtype=values.dtype, device=values.device)
        values = values * weight.reshape(weight.shape + (1,) * (values.dim() - weight.dim()))
        return values.sum() if reduction == "sum" else values.mean()

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        return self.module(y_pred, y_true)

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(f"{self.module!r} is a torch loss, which has no Keras config.")


class TorchOptimizer:
    """A `torch.optim` optimizer behind the methods that a step needs.

    Args:
        optimizer: an instance made for this model's parameters, or a factory: a class such as
            `torch.optim.AdamW`, or a `functools.partial` of it.
    """

    capturable = False  # it may count its steps in Python, and keeps its learning rate as a Python number

    def __init__(self, optimizer: Any) -> None:
        self.torch_optimizer = optimizer if isinstance(optimizer, torch.optim.Optimizer) else None
        self.factory = None if self.torch_optimizer is not None else optimizer
        self.iterations = torch.zeros((), dtype=torch.int64)
        self.built = False
        self.name = to_snake_case(getattr(optimizer, "__name__", type(optimizer).__name__))

    def build(self, variables: list[Any]) -> None:
        """Make the optimizer for these weights, or check that it was made for them."""
        if self.built:
            return
        if self.torch_optimizer is None:
            assert self.factory is not None
            self.torch_optimizer = self.factory(variables)
        own = {id(p) for group in self.torch_optimizer.param_groups for p in group["params"]}
        if not own & {id(v) for v in variables}:
            raise ValueError(
                f"The {type(self.torch_optimizer).__name__} given to `compile` holds none of this "
                "model's weights. Build the "
                "model first and make the optimizer from `model.parameters()`, or pass the class itself "
                f"(`optimizer=torch.optim.{type(self.torch_optimizer).__name__}`)."
            )
        self.built = True

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """One step with these gradients."""
        for variable, gradient in zip(trainable_variables, grads, strict=True):
            variable.grad = gradient
        self.build(list(trainable_variables))
        assert self.torch_optimizer is not None
        self.torch_optimizer.step()
        for variable in trainable_variables:
            variable.grad = None
        self.iterations += 1

    def scale_loss(self, loss: Tensor) -> Tensor:
        """The loss itself."""
        return loss

    def finalize_variable_values(self, trainable_variables: Any) -> None:
        """Nothing is left to be done at the end of training."""

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the first parameter group; setting it sets all groups."""
        if self.torch_optimizer is None:
            raise ValueError(
                "The optimizer is made at the first `fit`: its learning rate is not known before."
            )
        return self.torch_optimizer.param_groups[0]["lr"]

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if self.torch_optimizer is None:
            raise ValueError(
                "The optimizer is made at the first `fit`: set its learning rate in the factory."
            )
        for group in self.torch_optimizer.param_groups:
            group["lr"] = float(value)

    lr = learning_rate

    @property
    def variables(self) -> list[Tensor]:
        """The state tensors of the optimizer."""
        if self.torch_optimizer is None:
            return []
        return [
            x
            for state in self.torch_optimizer.state.values()
            for x in state.values()
            if isinstance(x, Tensor)
        ]

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(f"{self.name!r} is a torch optimizer, which has no Keras config.")


def resolve_optimizer(optimizer: Any) -> Any:
    """An optimizer for a name, a config, an instance, or a torch optimizer or factory of one."""
    if isinstance(optimizer, torch.optim.Optimizer):
        return TorchOptimizer(optimizer)
    target = optimizer.func if isinstance(optimizer, functools.partial) else optimizer
    if inspect.isfunction(target) or (inspect.isclass(target) and issubclass(target, torch.optim.Optimizer)):
        return TorchOptimizer(optimizer)
    if isinstance(optimizer, TorchOptimizer):
        return optimizer
    resolved = optimizers.get(optimizer)
    if resolved is None or not hasattr(resolved, "apply"):
        raise ValueError(
            "`optimizer` must be a name, a Keras optimizer, a torch optimizer or a function of the parameters that "
            f"makes one. Received: optimizer={received(optimizer)}"
        )
    return resolved


def resolve_loss(loss: Any) -> Any:
    """A Loss for a name, an object, a Python function `(y_true, y_pred)`, or a `torch.nn` loss."""
    if isinstance(loss, (Loss, type(None))):
        return loss
    if inspect.isclass(loss) and issubclass(loss, torch.nn.Module):
        loss = loss()
    if isinstance(loss, torch.nn.Module):
        return TorchLoss(loss)
    resolved = losses.get(loss)
    if isinstance(resolved, Loss):
        return resolved
    name = getattr(resolved, "__name__", None) or to_snake_case(type(resolved).__name__)
    return losses.LossFunctionWrapper(resolved, name=name)


def resolve_metric(metric: Any, y_true: Any, y_pred: Any) -> Metric:
    """A Metric for a name, an object or a function; `"accuracy"` becomes the one that the shapes call for."""
    if isinstance(metric, Metric):
        return metric
    if isinstance(metric, str) and metric.lower() in (*ACCURACIES, *CROSSENTROPIES):
        return _metric_by_shape(metric, y_true, y_pred)
    if isinstance(metric, torch.nn.Module) and hasattr(metric, "update") and hasattr(metric, "compute"):
        return TorchMetric(metric)
    resolved = metrics.get(metric)
    name = (
        metric
        if isinstance(metric, str)
        else getattr(resolved, "__name__", to_snake_case(type(resolved).__name__))
    )
    if not isinstance(resolved, Metric):
        return metrics.MeanMetricWrapper(resolved, name=name)
    if isinstance(metric, str):
        resolved.name = metric
    return resolved


def _metric_by_shape(name: str, y_true: Any, y_pred: Any) -> Metric:
    is_binary = y_pred.shape[-1] == 1
    is_sparse = y_true.dim() < y_pred.dim() or (y_true.shape[-1] == 1 and y_pred.shape[-1] > 1)
    if name.lower() in ACCURACIES:
        kinds: Any = (metrics.BinaryAccuracy, metrics.SparseCategoricalAccuracy, metrics.CategoricalAccuracy)
    else:
        kinds = (
            metrics.BinaryCrossentropy,
            metrics.SparseCategoricalCrossentropy,
            metrics.CategoricalCrossentropy,
        )
    return kinds[0 if is_binary else 1 if is_sparse else 2](name=name)


class TorchMetric(Metric):
    """A `torchmetrics` metric under Keras's methods."""

    def __init__(self, metric: Any) -> None:
        super().__init__(name=to_snake_case(type(metric).__name__))
        self.metric = metric

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if sample_weight is not None:
            raise ValueError(
                f"{self.name!r} is a torchmetrics metric, which takes no weights: use `metrics=`."
            )
        self.metric.to(y_pred.device).update(y_pred.detach(), y_true)

    def result(self) -> Any:
        return self.metric.compute()

    def reset_state(self) -> None:
        self.metric.reset()


class CompiledLoss:
    """The losses of all outputs, weighted and added up.

    Args:
        loss: one loss, or a list or dictionary of losses, one for each output.
        loss_weights: factors in the same structure.
        output_names: names of the model's outputs.
    """

    def __init__(self, loss: Any, loss_weights: Any, output_names: list[str]) -> None:
        self.given = loss
        self.loss_weights = loss_weights
        self.output_names = output_names
        self.losses: list[Any] | None = None
        self.names: list[str] = []
        self.factors: list[Any] = []
        self.trackers: list[Mean | None] = []
        self.output_shapes: list[tuple] | None = None

    def check(self) -> None:
        """Raise at once where a loss is unknown."""
        for loss in [self.given] if _is_config(self.given) else tree.flatten(self.given):
            resolve_loss(loss)

    def match(self, y_true: Any) -> list[Any]:
        """The targets in the order of the outputs."""
        assert self.losses is not None
        return [_only(y_true)] if len(self.losses) == 1 else _match(y_true, self.losses, self.names, "y")

    def build(self, y_pred: Any) -> None:
        """Match losses and outputs; called with the first prediction."""
        if self.losses is not None:
            return
        outputs = tree.flatten(y_pred)
        self.output_shapes = [tuple(output.shape) for output in outputs]
        names = self.names = _names_of_outputs(y_pred, self.output_names)
        self.losses = [resolve_loss(loss) for loss in _per_output(self.given, y_pred, names, "loss")]
        weights = self.loss_weights
        if weights is not None and not isinstance(weights, (list, tuple, dict)):
            weights = [weights] * len(outputs)
        self.factors = _per_output(weights, y_pred, names, "loss_weights")
        several = sum(loss is not None for loss in self.losses) > 1
        self.trackers = [
            Mean(name=f"{name}_loss") if several and loss is not None else None
            for name, loss in zip(names, self.losses, strict=True)
        ]

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor | None:
        """The total loss, or None where no output has one."""
        if self.losses is None:
            self.build(y_pred)
        assert self.losses is not None
        if len(self.losses) == 1 and isinstance(y_pred, Tensor):
            loss, factor = self.losses[0], self.factors[0]
            if loss is None:
                return None
            value = loss(_only(y_true), y_pred, _only(sample_weight))
            return value if factor is None else value * factor
        total = None
        targets = _match(y_true, y_pred, self.names, "y")
        weights = _match(sample_weight, y_pred, self.names, "sample_weight")
        rows = zip(
            self.losses, self.factors, self.trackers, targets, tree.flatten(y_pred), weights, strict=True
        )
        for loss, factor, tracker, target, prediction, weight in rows:
            if loss is None:
                continue
            value = loss(target, prediction, weight)
            if tracker is not None:
                track(tracker, value, len(prediction))
            value = value if factor is None else value * factor
            total = value if total is None else total + value
        return total


class CompiledMetrics(Metric):
    """The metrics of all outputs as one metric, whose result is a dictionary.

    Args:
        given: metrics: a list, or a list or dictionary of lists, one for each output.
        weighted: metrics that `sample_weight` applies to, likewise.
        output_names: names of the model's outputs.
    """

    def __init__(self, given: Any, weighted: Any, output_names: list[str]) -> None:
        super().__init__(name="compile_metrics")
        self.given = given
        self.weighted_given = weighted
        self.output_names = output_names
        self.rows: list[tuple[list[Metric], list[Metric]]] | None = None
        self.names: list[str] = []

    def check(self) -> None:
        """Raise at once where a metric is unknown."""
        for given in (self.given, self.weighted_given):
            for metric in [given] if _is_config(given) else tree.flatten(given):
                is_known = metric is None or isinstance(metric, (Metric, torch.nn.Module))
                is_known |= isinstance(metric, str) and metric.lower() in (*ACCURACIES, *CROSSENTROPIES)
                if not is_known:
                    metrics.get(metric)

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Match metrics and outputs; called with the first batch."""
        if self.rows is not None:
            return
        names = self.names = _names_of_outputs(y_pred, self.output_names)
        targets, outputs = _match(y_true, y_pred, names, "y"), tree.flatten(y_pred)
        plain = _metrics_per_output(self.given, y_pred, names, "metrics")
        weighted = _metrics_per_output(self.weighted_given, y_pred, names, "weighted_metrics")
        self.rows = [
            (
                [resolve_metric(m, t, p) for m in some if m is not None],
                [resolve_metric(m, t, p) for m in others if m],
            )
            for some, others, t, p in zip(plain, weighted, targets, outputs, strict=True)
        ]

    @property
    def metrics(self) -> list[Metric]:
        """All metrics in the order of the outputs."""
        return [metric for plain, weighted in self.rows or [] for metric in (*plain, *weighted)]

    @property
    def variables(self) -> list[Any]:
        return [variable for metric in self.metrics for variable in metric.variables]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if self.rows is None:
            self.build(y_true, y_pred)
        assert self.rows is not None
        if len(self.rows) == 1 and isinstance(y_pred, Tensor):
            self._update(self.rows[0], _only(y_true), y_pred, _only(sample_weight))
            return
        targets = _match(y_true, y_pred, self.names, "y")
        weights = _match(sample_weight, y_pred, self.names, "sample_weight")
        for row, target, prediction, weight in zip(
            self.rows, targets, tree.flatten(y_pred), weights, strict=True
        ):
            self._update(row, target, prediction, weight)

    @staticmethod
    def _update(row: tuple, y_true: Any, y_pred: Any, sample_weight: Any) -> None:
        for metric in row[0]:
            metric.update_state(y_true, y_pred)
        for metric in row[1]:
            metric.update_state(y_true, y_pred, sample_weight=sample_weight)

    def result(self) -> dict[str, Any]:
        results: dict[str, Any] = {}
        for output, (plain, weighted) in zip(self.names, self.rows or [], strict=True):
            prefix = f"{output}_" if len(self.names) > 1 else ""
            for metric, is_weighted in [*((m, False) for m in plain), *((m, True) for m in weighted)]:
                name = f"{prefix}{metric.name}"
                if name in results:
                    name = f"{prefix}weighted_{metric.name}" if is_weighted else f"{name}_1"
                value = metric.result()
                results.update(value if isinstance(value, dict) else {name: value})
        return results

    def reset_state(self) -> None:
        for metric in self.metrics:
            metric.reset_state()


def track(tracker: Mean, value: Tensor, records: int) -> None:
    """Count a batch's mean loss with the weight of its records."""
    tracker.total.add_(value.detach(), alpha=records)
    tracker.count.add_(records)


def _is_config(value: Any) -> bool:
    return isinstance(value, dict) and "class_name" in value


def _only(value: Any) -> Any:
    """The tensor of a one-output model, which may come in a list or dictionary of one."""
    if isinstance(value, (list, tuple, dict)):
        leaves = tree.flatten(value)
        if len(leaves) == 1:
            return leaves[0]
        raise ValueError(f"The model has one output, but {len(leaves)} targets or weights were given.")
    return value


def _names_of_outputs(y_pred: Any, names: list[str]) -> list[str]:
    if isinstance(y_pred, dict):
        return sorted(y_pred)
    count = len(tree.flatten(y_pred))
    return names if len(names) == count else [f"output_{i}" for i in range(count)]


def _per_output(given: Any, y_pred: Any, names: list[str], argument: str) -> list[Any]:
    """One entry for each output, of an argument given once, as a list, or as a dictionary by name."""
    count = len(tree.flatten(y_pred))
    if isinstance(given, dict) and "class_name" not in given:
        unknown = [key for key in given if key not in names]
        if unknown:
            raise ValueError(
                f"`{argument}` names the output {unknown[0]!r}, which the model does not have: its outputs are "
                f"{names}.{did_you_mean(unknown[0], names)}"
            )
        return [given.get(name) for name in names]
    if isinstance(given, (list, tuple)):
        if len(given) != count:
            raise ValueError(
                f"`{argument}` must have one entry for each of the {count} outputs. Received: {given}"
            )
        return list(given)
    return [given] * count


def _metrics_per_output(given: Any, y_pred: Any, names: list[str], argument: str) -> list[list[Any]]:
    count = len(names)
    if given is None:
        return [[]] * count
    if isinstance(given, dict):
        rows = _per_output(given, y_pred, names, argument)
    elif isinstance(given, (list, tuple)) and count > 1:
        if len(given) != count:
            raise ValueError(
                f"`{argument}` must have one entry (a metric or a list of them) for each of the {count} outputs. "
                f"Received: {given}"
            )
        rows = list(given)
    else:
        rows = [given] * count
    return [list(row) if isinstance(row, (list, tuple)) else [] if row is None else [row] for row in rows]


def _match(values: Any, y_pred: Any, names: list[str], argument: str) -> list[Any]:
    """Targets or weights in the order of the outputs; one tensor of weights serves all outputs."""
    count = len(tree.flatten(y_pred))
    if values is None:
        return [None] * count
    if isinstance(values, dict):
        unknown = sorted(set(values) - set(names))
        if unknown:
            raise ValueError(f"`{argument}` names {unknown[0]!r}, but the model's outputs are {names}.")
        return [values.get(name) for name in names]
    flat = tree.flatten(values)
    if len(flat) == 1 and count > 1 and argument == "sample_weight":
        return flat * count
    if len(flat) != count:
        raise ValueError(
            f"The model has {count} outputs, {names}, so `{argument}` must have as many entries. Received: {len(flat)}"
        )
    return flat
