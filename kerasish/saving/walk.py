"""Where the state of a model lies: its layers and optimizer with the paths that Keras 3 gives them in its files.

A layer kept as attribute `a` lies at `a`, one in a list or dictionary at `list/class_name`, `list/class_name_1`, …;
`layers` comes first in sequential and functional models, private attributes last, and each object counts once.
Keras 2 goes through the attributes in other orders: since 2.14 from z to a, counting in lists what has no path yet.
"""

from __future__ import annotations

import functools
import inspect
import posixpath
from collections import Counter
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

import torch

from kerasish.layers.core.torch_module_wrapper import TorchModuleWrapper
from kerasish.layers.layer import Layer
from kerasish.losses import Loss
from kerasish.metrics import Metric
from kerasish.naming import to_snake_case
from kerasish.optimizers import Optimizer
from kerasish.random import SeedGenerator

CLASS_NAMES = {
    "GroupQueryAttention": "grouped_query_attention"
}  # Keras's class has another name than in public
STATEFUL_NAMES = {"layers", "optimizer"}  # attributes of `Model` itself that hold state
PREPARED = {"_compile_config", "_cached_weights", "_cached_penalized", "_cached_layers", "_seed_generators"}


class Layout(Enum):
    """Whose order of the parts of a model the paths follow."""

    KERAS_3 = "Keras 3"
    KERAS_2 = "Keras 2.14 and later"
    KERAS_2_12 = "Keras 2.12 and 2.13"


KERAS_2_LAYOUTS = (Layout.KERAS_2, Layout.KERAS_2_12)
LAYERS_OF_2_12 = "_layer_checkpoint_dependencies"  # of sequential and functional models


def is_torch_optimizer(obj: Any) -> bool:
    """Whether it is what `compile` makes of a `torch.optim` optimizer."""
    return "torch_optimizer" in getattr(obj, "__dict__", ())


def plain_module(obj: Any) -> torch.nn.Module | None:
    """The torch module of which Keras's files keep the `state_dict`, or None for layers."""
    if isinstance(obj, TorchModuleWrapper):
        return obj.module
    return obj if isinstance(obj, torch.nn.Module) and not isinstance(obj, Layer) else None


def visit(
    model: Any, take: Callable[[str, Any], bool], skip: Any = (), layout: Layout = Layout.KERAS_3
) -> None:
    """Call `take(path, obj)` for the model and everything stateful in it.

    An object for which `take` returned False is offered again under the next path at which it is found.
    """
    done = {id(obj): obj for obj in skip}
    open_ids: set[int] = set()

    def enter(path: str, obj: Any) -> None:
        key = id(plain_module(obj) or obj)
        if key in done or key in open_ids:
            return
        open_ids.add(key)
        if take(path, obj):
            done[key] = obj
        for name, child in _attributes(obj, layout):
            descend(posixpath.join(path, name), child)
        open_ids.discard(key)

    def descend(path: str, child: Any) -> None:
        if isinstance(child, (list, tuple, dict)):
            if id(child) in open_ids:
                return
            open_ids.add(id(child))
            counts: Counter[str] = Counter()
            for item in child.values() if isinstance(child, dict) else child:
                if not isinstance(item, (list, tuple, dict)) and not _is_stateful(item):
                    continue
                key = id(plain_module(item) or item)
                if layout is Layout.KERAS_2 and (key in done or key in open_ids):
                    continue
                name = _name_in_container(item)
                number = counts[name]
                counts[name] += 1
                descend(posixpath.join(path, f"{name}_{number}" if number else name), item)
            open_ids.discard(id(child))
        elif _is_stateful(child):
            enter(path, child)

    enter("", model)


def _is_stateful(obj: Any) -> bool:
    kinds = (torch.nn.Module, Optimizer, Metric, Loss, SeedGenerator)
    return isinstance(obj, kinds) or is_torch_optimizer(obj)


def _name_in_container(item: Any) -> str:
    if isinstance(item, (list, tuple, dict)):
        return "container"
    name = (TorchModuleWrapper if plain_module(item) is not None else type(item)).__name__
    return CLASS_NAMES.get(name) or to_snake_case(name)


def _attributes(obj: Any, layout: Layout) -> Iterator[tuple[str, Any]]:
    if plain_module(obj) is not None or isinstance(obj, SeedGenerator) or is_torch_optimizer(obj):
        return
    has_list = isinstance(obj, Layer) and (getattr(obj, "_graph", None) is not None or hasattr(obj, "_stack"))
    if isinstance(obj, Layer):
        if has_list and layout is Layout.KERAS_3:
            yield "layers", obj.layers
        names = set(dir(obj)) - _names_of_base(_base_of(type(obj))) - PREPARED
    else:
        names = set(vars(obj))
    if layout is Layout.KERAS_3:
        order = sorted(names, key=lambda name: (name.startswith("_"), name))
    else:
        extra = {LAYERS_OF_2_12} if has_list and layout is Layout.KERAS_2_12 else set()
        order = sorted(names | extra, reverse=layout is Layout.KERAS_2)
    for name in order:
        if name.startswith("__"):
            continue
        if name == LAYERS_OF_2_12:  # those with weights are in that dictionary twice
            yield name, [layer for layer in obj.layers for _ in range(2 if layer.weights else 1)]
            continue
        try:
            child = getattr(obj, name)
        except Exception:  # a property of the user's that has no value now holds no state
            continue
        yield name, child


def _base_of(cls: type) -> type:
    """The class of this package from which a layer or model class comes: `Layer`, `Model` or `Sequential`."""
    for base in cls.__mro__:
        if base is Layer or (
            base.__module__.startswith("kerasish.models.") and base.__name__ != "Functional"
        ):
            return base
    raise TypeError(f"{cls} is not a class of layers.")


@functools.cache
def _names_of_base(base: type) -> set[str]:
    """The attributes that every object of that class has: no state of a particular one."""
    reference = base(name="reference")
    return (set(dir(reference)) | set(vars(reference))) - STATEFUL_NAMES


def overrides(obj: Any, method: str) -> bool:
    """Whether a class outside this package defines the method."""
    function = inspect.unwrap(getattr(type(obj), method))
    return not function.__module__.startswith("kerasish.")
