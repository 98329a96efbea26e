"""How a step runs: eagerly, as a recording, as a CUDA graph, or compiled. Chosen once per shape of batch."""

from __future__ import annotations

import contextlib
import logging
import weakref
from collections.abc import Iterator, Set
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.modules import module as torch_modules
from torch.utils._pytree import tree_leaves

from kerasish.changes import structure
from kerasish.training.logs import Logs
from kerasish.training.replay import NotRecordable, Recording, copy_of_tensors
from kerasish.training.threads import ThreadChoice

log = logging.getLogger("kerasish")

EAGER_STEPS = 1  # build the optimizer's and the metrics' state before anything is recorded
EAGER_STEPS_CUDA = 3  # as torch recommends before a capture: libraries choose their kernels meanwhile
USUAL_SHAPES = 2  # of the full batches and of the last
MOST_SHAPES = 8
GLOBAL_HOOKS = (
    "_global_forward_hooks", "_global_forward_pre_hooks", "_global_backward_hooks", "_global_backward_pre_hooks",
)  # fmt: skip
NOT_RUN = object()


class Step:
    """A model's `train_step` or `test_step`, prepared for each shape of batch it meets.

    Args:
        model: the model, which is not kept alive.
        name: name of the model's method: batch → logs.
        allowed: False runs it eagerly always.
    """

    def __init__(self, model: Any, name: str, allowed: bool) -> None:
        self._model = weakref.ref(model)
        self.name = name
        self.allowed = allowed
        self.prepared: dict[Any, Any] = {}
        self.seen: dict[Any, int] = {}
        self.version = structure.version
        self.places: list[int] = []
        self.has_hooks = False
        self.threads = ThreadChoice()

    def function(self, batch: Any) -> Any:
        """The step as plain Python."""
        return getattr(self._model(), self.name)(batch)

    @contextlib.contextmanager
    def epoch(self) -> Iterator[Step]:
        """Context of an epoch's steps, in which torch's number of threads may be another."""
        self.look_for_changes()
        self.threads.resume()
        try:
            yield self
        finally:
            self.threads.restore()

    def look_for_changes(self) -> None:
        """Drop what was prepared if weights were moved or frozen, or the learning rate has another source; run
        eagerly while anybody listens to modules.
        """
        model: Any = self._model()
        self.has_hooks = _has_hooks(model)
        places = self._places()
        if places != self.places:
            self._forget()
        self.places = places

    def _places(self) -> list[int]:
        model: Any = self._model()
        weights = (*model.parameters(), *model.buffers())
        places = [id(getattr(model.optimizer, "_learning_rate", None))]
        return (
            places + [weight.data_ptr() for weight in weights] + [weight.requires_grad for weight in weights]
        )

    def can_serve_others(self, storages: Set[int]) -> bool:
        """Whether what is prepared changes nothing but these storages, and would do the same for a model like this."""
        return self.version == structure.version and all(
            type(prepared.result) is Logs and prepared.written <= storages
            for prepared in self.prepared.values()
        )

    @property
    def prepared_bytes(self) -> int:
        """The memory of all intermediate values, of recordings only."""
        return sum(prepared.nbytes for prepared in self.prepared.values())

    def take_over(self, prepared: dict[Any, Any], threads: ThreadChoice) -> None:
        """Go on with what another model of this structure has prepared, whose memory this one has moved into."""
        model: Any = self._model()
        for step in prepared.values():
            step.result = Logs(model.get_metrics_result)
        self.prepared = prepared
        self.threads = threads
        threads.resume()
        self.version = structure.version
        self.places = self._places()

    def _forget(self) -> None:
        self.prepared.clear()
        self.seen.clear()
        self.version = structure.version

    def __call__(self, batch: Any) -> Any:
        """Run the step on a batch."""
        if not self.allowed or self.has_hooks:
            return self.function(batch)
        if self.version != structure.version:
            self._forget()
        tensors = _tensors(batch)
        if not tensors:
            return self.function(batch)
        key = (len(batch) if type(batch) is tuple else 0, *[(x.shape, x.dtype) for x in tensors])
        prepared = self.prepared.get(key)
        if prepared is None:
            return self._run_or_prepare(key, batch, tensors[0].device.type)
        try:
            prepared.run(tensors)
        except (IndexError, RuntimeError):
            self.function(batch)  # says in which layer
            raise
        result = prepared.result
        return result.renewed() if type(result) is Logs else result

    def _run_or_prepare(self, key: Any, batch: Any, device: str) -> Any:
        count = self.seen[key] = self.seen.get(key, 0) + 1
        self.threads.begin(with_one=device == "cpu" and len(self.seen) <= USUAL_SHAPES)
        warm_up = EAGER_STEPS_CUDA if device == "cuda" else EAGER_STEPS
        if count <= warm_up or len(self.prepared) >= MOST_SHAPES or device not in ("cpu", "cuda"):
            return self.function(batch)
        model: Any = self._model()
        if model._take_over_steps is not None:
            model._take_over_steps(model)
            if key in self.prepared:
                return self(batch)
        version = structure.version
        try:
            prepared: Any = CapturedGraph(self, batch) if device == "cuda" else Recorded(self, batch)
        except NotRecordable as reason:
            log.debug("%s runs its steps eagerly: %s", model.name, reason)
            self.allowed = False
            self.threads.begin(with_one=False)
            return self.function(batch) if reason.result is NOT_RUN else reason.result
        if version == structure.version:
            self.prepared[key] = prepared
        return prepared.result.renewed() if type(prepared.result) is Logs else prepared.result


class Recorded:
    """A step recorded on the CPU, run with the number of threads that suits it."""

    def __init__(self, step: Step, batch: Any) -> None:
        self.recording = Recording(step.function, batch)
        self.result = self.recording.result
        self.written, self.nbytes = self.recording.written, self.recording.nbytes
        self.threads = step.threads

    def run(self, tensors: list[Tensor]) -> Any:
        """Run the step on a batch's tensors and return what the step returned when it was recorded."""
        self.threads.run(self.recording.replay, tensors)
        return self.result


def _tensors(batch: Any) -> list[Tensor]:
    """The tensors of a batch, in order; none where it has strings, too, which each step looks up anew."""
    found = []
    for part in batch if type(batch) is tuple else (batch,):
        if type(part) is Tensor:
            found.append(part)
        elif part is not None:
            leaves = tree_leaves(part)
            if any(isinstance(leaf, np.ndarray) for leaf in leaves):
                return []
            found += [leaf for leaf in leaves if isinstance(leaf, Tensor)]
    return found


class CapturedGraph:
    """A step captured in a CUDA graph and run once."""

    written: Set[int] = frozenset()  # a graph does not tell, nor how much memory it takes
    nbytes = 0

    def __init__(self, step: Step, batch: Any) -> None:
        static = copy_of_tensors(batch)
        self.inputs = [leaf for leaf in tree_leaves(static) if isinstance(leaf, Tensor)]
        self.graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(self.graph):
                self.result = step.function(static)
        except RuntimeError as error:
            torch.cuda.synchronize()
            raise NotRecordable(str(error).splitlines()[0], step(batch)) from error
        self.graph.replay()

    def run(self, tensors: list[Tensor]) -> Any:
        """Run the step on a batch's tensors and return what the step returned when it was captured."""
        for static, value in zip(self.inputs, tensors, strict=True):
            static.copy_(value, non_blocking=True)
        self.graph.replay()
        return self.result


def _has_hooks(model: torch.nn.Module) -> bool:
    """Whether anybody listens to modules or gradients, who would not be called in a replay."""
    if any(getattr(torch_modules, name) for name in GLOBAL_HOOKS):
        return True
    for module in model.modules():
        if (
            module._forward_hooks
            or module._forward_pre_hooks
            or module._backward_hooks
            or module._backward_pre_hooks
        ):
            return True
    return any(parameter._backward_hooks for parameter in model.parameters())
