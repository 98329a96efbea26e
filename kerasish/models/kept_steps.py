"""Prepared steps that outlive the model that they were prepared for: the next one of its architecture takes them over.

A recorded or captured step works on certain memory. After a fit its model moves out of that memory into a copy; the
next one moves in with its own values, and goes on with steps that need no preparation.
"""

from __future__ import annotations

import collections
import contextlib
import json
import threading
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from kerasish.config import epsilon
from kerasish.models.architecture import NotComparable, architecture, numbered, reduced
from kerasish.random import SeedGenerator
from kerasish.training.step import Step

LARGEST_KEPT = 64 * 2**20  # bytes; larger models take so long for a step that recording one is no matter
MOST_KEPT = 8


class _Kept:
    """The steps of a model, and the memory that they work on."""

    def __init__(self, steps: dict[str, Step], memory: list[Tensor]) -> None:
        self.prepared = {kind: (step.prepared, step.threads) for kind, step in steps.items()}
        self.memory = memory


_kept: collections.OrderedDict[str | None, _Kept] = collections.OrderedDict()
_lock = threading.Lock()


@contextlib.contextmanager
def reused_steps(model: Any) -> Iterator[None]:
    """Context of a new model's fit, which takes over the steps of an earlier model and leaves them to a later one."""
    model.__dict__["_take_over_steps"] = _take_over
    try:
        yield
    finally:
        model.__dict__["_take_over_steps"] = None
    _keep_steps(model)


def forget() -> None:
    """Free what is kept."""
    with _lock:
        _kept.clear()


def _take_over(model: Any) -> None:
    """Give a model after its first step the steps of an earlier model like it, if some are kept."""
    model.__dict__["_take_over_steps"] = None
    key = _key(model)
    with _lock:
        kept = _kept.pop(key, None)
    if kept is None:
        return
    state = _state(model)
    if [_form(x) for x in state] != [_form(x) for x in kept.memory]:
        return
    with torch.no_grad():
        for tensor, memory in zip(state, kept.memory, strict=True):
            memory.copy_(tensor)
            tensor.data = memory
    for kind, (prepared, threads) in kept.prepared.items():
        model._make_step(kind).take_over(prepared, threads)


def _keep_steps(model: Any) -> None:
    """Leave the steps of a model that has been trained to the next one like it."""
    steps = {name: step for name, step in model._steps.items() if step.prepared}
    key = _key(model) if steps else None
    if key is None:
        return
    state = _state(model)
    storages = {x.untyped_storage()._cdata: x.untyped_storage().nbytes() for x in state}
    size = sum(storages.values()) + sum(step.prepared_bytes for step in steps.values())
    shares_memory = len(storages) < len(state)
    may_serve = all(step.can_serve_others(storages.keys()) for step in steps.values())
    if shares_memory or not may_serve or size > LARGEST_KEPT:
        return
    memory = [x.data for x in state]
    for tensor in state:
        tensor.data = tensor.data.clone()
    model.__dict__["_steps"] = {}
    with _lock:
        _kept[key] = _Kept(steps, memory)
        _kept.move_to_end(key)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)


def _state(model: Any) -> list[Tensor]:
    """All that a step may change, in an order that models of one architecture have in common."""
    found = [*model.parameters(), *model.buffers(), *model.optimizer.variables]
    found += [variable for metric in model.metrics for variable in metric.variables]
    return list({id(tensor): tensor for tensor in found}.values())


def _form(tensor: Tensor) -> Any:
    return tensor.shape, tensor.stride(), tensor.dtype, tensor.device


def _key(model: Any) -> str | None:
    """What is equal for two models that run the same steps; None if that cannot be told."""
    compilation = model.get_compile_config()
    if compilation is None or any(_draws_alone(module) for module in model.modules()):
        return None
    optimizer = compilation["optimizer"]["config"]
    if isinstance(optimizer.get("learning_rate"), float):
        del optimizer["learning_rate"]  # a variable
    names = [model.optimizer.name, *(metric.name for metric in _metrics(model))]
    try:
        parts = [architecture(model, _is_initial), numbered(reduced(compilation, _is_initial), names)]
    except (NotComparable, TypeError, ValueError, NotImplementedError):
        return None
    parts.append([weight.requires_grad for weight in model.parameters()])
    parts.append(
        [epsilon(), torch.get_float32_matmul_precision(), torch.are_deterministic_algorithms_enabled()]
    )
    return json.dumps(parts, sort_keys=True)


def _metrics(model: Any) -> Iterator[Any]:
    for metric in model.metrics:
        yield metric
        yield from getattr(metric, "metrics", ())


def _is_initial(setting: str) -> bool:
    return setting.endswith("_initializer")


def _draws_alone(module: Any) -> bool:
    return any(isinstance(value, (SeedGenerator, torch.Generator)) for value in vars(module).values())
