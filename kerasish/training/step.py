"""How a step runs: eagerly, as a recording, as a CUDA graph, or compiled. Chosen once per shape of batch."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map_only

from kerasish.layers.layer import structure
from kerasish.training.replay import NotRecordable, Recording

log = logging.getLogger("kerasish")

EAGER_STEPS = 1  # build the optimizer's and the metrics' state before anything is recorded
EAGER_STEPS_CUDA = 3  # as torch recommends before a capture: libraries choose their kernels meanwhile
MOST_SHAPES = 8


class Step:
    """A model's `train_step` or `test_step`, prepared for each shape of batch it meets.

    Args:
        model: the model.
        function: the step: batch → logs.
        allowed: False runs it eagerly always.
    """

    def __init__(self, model: Any, function: Callable[[Any], Any], allowed: bool) -> None:
        self.model = model
        self.function = function
        self.allowed = allowed
        self.prepared: dict[Any, Any] = {}
        self.seen: dict[Any, int] = {}
        self.version = structure.version

    def refresh(self) -> None:
        """Forget what was prepared if the model, its optimizer or its hooks changed since."""
        self.allowed = self.allowed and not _has_hooks(self.model)
        self._forget()

    def _forget(self) -> None:
        self.prepared.clear()
        self.seen.clear()
        self.version = structure.version

    def __call__(self, batch: Any) -> Any:
        """Run the step on a batch."""
        if not self.allowed:
            return self.function(batch)
        if self.version != structure.version:
            self._forget()
        key = tuple([(x.shape, x.dtype) if type(x) is Tensor else x for x in tree_leaves(batch)])
        prepared = self.prepared.get(key)
        if prepared is not None:
            return prepared.replay(batch)
        return self._run_or_prepare(key, batch)

    def _run_or_prepare(self, key: Any, batch: Any) -> Any:
        count = self.seen[key] = self.seen.get(key, 0) + 1
        device = next((x.device.type for x in tree_leaves(batch) if isinstance(x, Tensor)), "cpu")
        warm_up = EAGER_STEPS_CUDA if device == "cuda" else EAGER_STEPS
        if count <= warm_up or len(self.prepared) >= MOST_SHAPES or device not in ("cpu", "cuda"):
            return self.function(batch)
        version = structure.version
        try:
            prepared = (CapturedGraph if device == "cuda" else Recording)(self.function, batch)
        except NotRecordable as reason:
            log.debug("%s runs its steps eagerly: %s", self.model.name, reason)
            self.allowed = False
            return self.function(batch)
        if version == structure.version:
            self.prepared[key] = prepared
        return prepared.result


class CapturedGraph:
    """A step captured in a CUDA graph and run once."""

    def __init__(self, step: Callable[[Any], Any], batch: Any) -> None:
        static = tree_map_only(Tensor, torch.clone, batch)
        self.inputs = [leaf for leaf in tree_leaves(static) if isinstance(leaf, Tensor)]
        self.graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(self.graph):
                self.result = step(static)
        except RuntimeError as error:
            torch.cuda.synchronize()
            raise NotRecordable(str(error).splitlines()[0]) from error
        self.graph.replay()

    def replay(self, batch: Any) -> Any:
        """Run the step on `batch` and return what the step returned when it was captured."""
        for static, value in zip(
            self.inputs, [x for x in tree_leaves(batch) if isinstance(x, Tensor)], strict=True
        ):
            static.copy_(value, non_blocking=True)
        self.graph.replay()
        return self.result


def _has_hooks(model: torch.nn.Module) -> bool:
    """Whether anybody listens to modules or gradients, who would not be called in a replay."""
    for module in model.modules():
        if (
            module._forward_hooks
            or module._forward_pre_hooks
            or module._backward_hooks
            or module._backward_pre_hooks
        ):
            return True
    return any(parameter._backward_hooks for parameter in model.parameters())
