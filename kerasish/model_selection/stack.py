"""Models of one architecture trained together: their weights, and their batches, are stacked."""

# K models, B records in a batch, N records in a training, R rows of all data sets together

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, vmap

from kerasish.model_selection.plan import NotStackable, Plan, is_mean, metrics_given
from kerasish.models import Model
from kerasish.regularizers import L1, L1L2, L2
from kerasish.training.data.arrays import CHUNK_BYTES
from kerasish.training.loop import training_mode
from kerasish.training.objectives import resolve_metric
from kerasish.training.step import Step


class Stack(torch.nn.Module):
    """K models with the same layers, optimized by their own losses in the same steps.

    Every model sees its own records in its own order and keeps its own optimizer's settings: the results are those of
    K trainings one after the other, up to rounding.

    Args:
        plans: trainings of one key.
    """

    def __init__(self, plans: list[Plan]) -> None:
        super().__init__()
        self.plans = sorted(plans, key=lambda p: _optimizer_key(p.training.model))
        models = [p.training.model for p in self.plans]
        self.template = models[0]
        self.name = f"stack_of_{len(models)}"
        self.optimizer = None  # `Step` looks for a model's; here there are several
        self._take_over_steps = None
        self.names = [name for name, _ in self.template.named_parameters()]
        columns = zip(*(model.parameters() for model in models), strict=True)
        self.stacked = torch.nn.ParameterList(
            torch.stack([weight.detach() for weight in column]) for column in columns
        )
        self.penalties = list(_penalties(models))
        self.parts = list(self._optimizers())
        self.compiled_loss: Any = self.template._compiled_loss
        device = self.stacked[0].device
        self.totals = torch.zeros(len(models), device=device)
        self._place_data(device)
        self.metrics = self._resolve_metrics()
        self.metric_totals = [torch.zeros(len(models), device=device) for _ in self.metrics]

    def _place_data(self, device: torch.device) -> None:
        """Put the data sets one after the other, and note where each model's begins."""
        sets = {id(p.data): p.data for p in self.plans}
        starts, start = {}, 0
        for name, data in sets.items():
            starts[name] = start
            start += len(data[0])
        columns = zip(*sets.values(), strict=True)
        self.columns = [torch.cat(column) for column in columns if column[0] is not None]
        self.starts = torch.tensor([starts[id(p.data)] for p in self.plans], device=device)
        self.counts = torch.tensor([p.num_records for p in self.plans], device=device)
        first = self.plans[0]
        self.batch_size = first.batch_size
        self.num_batches = -(-first.num_records // self.batch_size)
        self.is_weighted = len(self.columns) == 3

    def _resolve_metrics(self) -> list[Any]:
        given = metrics_given(self.template)
        if not given:
            return []
        x, y = (column[:1] for column in self.columns[:2])
        with torch.no_grad(), training_mode(self.template, False):
            y_pred = self.template(x)
        resolved = [resolve_metric(metric, y, y_pred) for metric in given]
        for metric in resolved:
            if not is_mean(metric):
                raise NotStackable(f"the metric {metric.name!r} is custom code, or not a mean over records")
        return resolved

    def _optimizers(self) -> Iterator[tuple[Any, slice]]:
        """Optimizers, each for the adjacent models that have one of the same settings."""
        keys = [_optimizer_key(p.training.model) for p in self.plans]
        for key in dict.fromkeys(keys):
            start, stop = keys.index(key), keys.index(key) + keys.count(key)
            own = self.plans[start].training.model.optimizer
            optimizer = type(own).from_config(own.get_config())
            optimizer.build([weights.detach()[start:stop] for weights in self.stacked])
            yield optimizer, slice(start, stop)

    def train_step(self, batch: tuple[Tensor, ...]) -> None:
        """Train on batches x (K, B, …), y (K, B, …); with sample weights (K, B); with presence (K, B).

        A record whose presence is 0 fills up a batch that has fewer than the others.
        """
        weights = list(self.stacked)
        losses, values = vmap(self._evaluate)(weights, *batch)
        for i, l1, l2 in self.penalties:
            losses = losses + _penalty(self.stacked[i], l1, l2)
        gradients = torch.autograd.grad(losses.sum(), weights)
        for optimizer, rows in self.parts:
            optimizer.apply([gradient[rows] for gradient in gradients])
        with torch.no_grad():
            records = batch[3].sum(dim=1) if len(batch) == 4 else float(batch[0].shape[1])
            self.totals.add_(losses.detach() * records)
            for total, value in zip(self.metric_totals, values, strict=True):
                total.add_(value)

    def _evaluate(
        self,
        weights: list[Tensor],
        x: Tensor,
        y: Tensor,
        sample_weight: Tensor | None = None,
        present: Tensor | None = None,
    ) -> tuple[Tensor, list[Tensor]]:
        """The loss, and the sums of the metrics, of one model."""
        y_pred = functional_call(self.template, dict(zip(self.names, weights, strict=True)), (x,))
        loss = self.compiled_loss(y, y_pred, sample_weight)
        for added in self.template._added_losses():
            loss = loss + added.sum()
        values = []
        with torch.no_grad():
            for metric in self.metrics:
                value = metric._fn(y, y_pred, **metric._fn_kwargs).reshape(len(x), -1).float().mean(dim=1)
                values.append(value.sum() if present is None else (value * present).sum())
        return loss, values

    def fit(self) -> list[dict[str, list[float]]]:
        """Train, give the models their weights, and return their histories, in the order of `plans`."""
        step = Step(self, "train_step", allowed=True)
        histories: list[dict[str, list[float]]] = [{} for _ in self.plans]
        epochs = len(self.plans[0].orders)
        with training_mode(self, True):
            for epoch in range(epochs):
                with step.epoch():
                    for batch in self._batches(epoch):
                        step(batch)
                self._end_epoch(histories)
        with torch.no_grad():
            for column, weights in zip(
                zip(*(p.training.model.parameters() for p in self.plans), strict=True),
                self.stacked,
                strict=True,
            ):
                for weight, value in zip(column, weights, strict=True):
                    weight.copy_(value)
        return histories

    def _end_epoch(self, histories: list[dict[str, list[float]]]) -> None:
        names = ["loss", *(metric.name for metric in self.metrics)]
        for name, totals in zip(names, [self.totals, *self.metric_totals], strict=True):
            for history, value in zip(histories, (totals / self.counts).tolist(), strict=True):
                history.setdefault(name, []).append(value)
            totals.zero_()

    def _batches(self, epoch: int) -> Iterator[tuple[Tensor, ...]]:
        """The batches of all models, several gathered at once."""
        size, last = self.batch_size, self.num_batches - 1
        counts = [p.num_records - last * size for p in self.plans]
        rows = self._rows(epoch, last * size + max(counts))
        full = rows[:, : last * size].reshape(len(rows), last, size).transpose(0, 1)
        row_bytes = sum(c[:1].numel() * c.element_size() for c in self.columns)
        several = max(1, CHUNK_BYTES // max(1, row_bytes * size * len(rows)))
        for chunk in full.split(several):
            yield from zip(*self._gather(chunk), strict=True)
        batch = tuple(column[0] for column in self._gather(rows[None, :, last * size :]))
        yield batch if len(set(counts)) == 1 else self._with_presence(batch, counts)

    def _rows(self, epoch: int, length: int) -> Tensor:
        """Where the records of every model lie in their order (K, length), the first again past the last."""
        rows = torch.zeros(len(self.plans), length, dtype=torch.int64)
        for row, p in zip(rows, self.plans, strict=True):
            row[: p.num_records] = p.orders[epoch]
        return rows.to(self.starts.device) + self.starts[:, None]

    def _gather(self, rows: Tensor) -> list[Tensor]:
        flat = rows.reshape(-1)
        return [
            column.index_select(0, flat).reshape(*rows.shape, *column.shape[1:]) for column in self.columns
        ]

    def _with_presence(self, batch: tuple[Tensor, ...], counts: list[int]) -> tuple[Tensor, ...]:
        """The batch with weights under which the records that fill it up do not count."""
        x, y = batch[:2]
        count = torch.tensor(counts, device=x.device)[:, None]
        present = (torch.arange(x.shape[1], device=x.device) < count).to(self.totals.dtype)
        is_mean = self.compiled_loss.losses[0].reduction in ("sum_over_batch_size", "mean")
        weight = present * (x.shape[1] / count) if is_mean else present
        return x, y, weight * batch[2].reshape(weight.shape) if self.is_weighted else weight, present


def _optimizer_key(model: Model) -> str:
    """The settings of a model's optimizer."""
    config = {**model.optimizer.get_config(), "name": type(model.optimizer).__name__}
    return json.dumps(config, sort_keys=True, default=repr)


def _penalties(models: list[Any]) -> Iterator[tuple[int, Tensor | None, Tensor | None]]:
    """The number of each penalized weight, with the factors (K,) of its L1 and of its L2 penalty."""
    for i, column in enumerate(zip(*(model.parameters() for model in models), strict=True)):
        factors = [_factors(getattr(weight, "regularizer", None)) for weight in column]
        if any(any(pair) for pair in factors):
            l1, l2 = (torch.tensor(f, device=column[0].device) for f in zip(*factors, strict=True))
            yield i, l1 if bool(l1.any()) else None, l2 if bool(l2.any()) else None


def _factors(regularizer: Any) -> tuple[float, float]:
    if isinstance(regularizer, L1L2):
        return regularizer.l1, regularizer.l2
    return (
        regularizer.l1 if isinstance(regularizer, L1) else 0.0,
        regularizer.l2 if isinstance(regularizer, L2) else 0.0,
    )


def _penalty(weights: Tensor, l1: Tensor | None, l2: Tensor | None) -> Any:
    total: Any = 0.0
    flat = weights.flatten(1)
    if l1 is not None:
        total = total + l1 * flat.abs().sum(dim=1)
    return total if l2 is None else total + l2 * flat.square().sum(dim=1)
