"""The state of a model into and out of a file of arrays."""

from __future__ import annotations

import json
import posixpath
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from kerasish import tree
from kerasish.errors import format_shape
from kerasish.layers.layer import Layer
from kerasish.optimizers import Optimizer
from kerasish.random import SeedGenerator
from kerasish.saving.hdf5 import Entry, Reader, Store, Writer
from kerasish.saving.legacy_weights import read_optimizer_of_keras_2
from kerasish.saving.walk import Layout, is_torch_optimizer, overrides, plain_module, visit

OWN = "_torch"  # beside a layer's `vars`: parameters and buffers that only torch knows


def write_state(model: Any, writer: Writer, skip: Any = ()) -> None:
    """Write the weights of the layers and the state of the optimizer."""

    def write(path: str, obj: Any) -> bool:
        module = plain_module(obj)
        name = getattr(obj, "name", None)
        if isinstance(obj, SeedGenerator):
            _write_seed_generator(obj, writer.entry(path))
        elif is_torch_optimizer(obj):
            _write_torch_optimizer(obj, writer.entry(path, obj.name))
        elif module is not None:
            entry = writer.entry(path, name if isinstance(name, str) else None)
            for key, value in module.state_dict().items():
                entry[key] = value
        elif hasattr(obj, "save_own_variables"):
            obj.save_own_variables(writer.entry(path, name))
            entry = writer.entry(posixpath.join(path, OWN))
            for key, value in _torch_state(obj):
                entry[key] = value
        return True

    visit(model, write, skip)


def read_state(
    model: Any,
    reader: Reader,
    skip_mismatch: bool = False,
    skip: Any = (),
    layouts: tuple[Layout, ...] = (Layout.KERAS_3,),
) -> None:
    """Read what `write_state`, or Keras, wrote.

    Args:
        layouts: those that the file may have; the first one counts in which all is found.

    Raises:
        ValueError: the file does not fit; the layers and weights are named, and nothing is changed.
    """
    found, missing = _match(model, reader, skip, layouts)
    problems = [(obj, f"{_title(obj, path)} is not in the file.") for path, obj in missing.values()]
    fitting = []
    for obj, store in found:
        _prepare(obj, store, model)
        problem = _misfit(obj, store)
        if problem is None:
            fitting.append((obj, store))
        else:
            problems.append((obj, problem))
    if problems and not skip_mismatch:
        raise ValueError(_complaint(model, problems))
    for obj, store in fitting:
        try:
            _read_into(obj, store)
        except (ValueError, KeyError, RuntimeError, TypeError) as error:
            problems.append((obj, f"{_title(obj, store.path)} could not be loaded: {error}"))
    if problems and not skip_mismatch:
        raise ValueError(_complaint(model, problems))
    if problems:
        warnings.warn(_complaint(model, problems) + " They keep their values.", stacklevel=4)


Found = list[tuple[Any, Store]]
Missing = dict[int, tuple[str, Any]]


def _match(model: Any, reader: Reader, skip: Any, layouts: tuple[Layout, ...]) -> tuple[Found, Missing]:
    """What the file has for the objects, and those for which it has nothing."""
    for layout in layouts if len(layouts) > 1 else ():
        found, missing = _match_layout(model, reader, skip, layout, is_exact=True)
        if not missing:
            return found, missing
    return _match_layout(model, reader, skip, layouts[0], is_exact=False)


def _match_layout(
    model: Any, reader: Reader, skip: Any, layout: Layout, is_exact: bool
) -> tuple[Found, Missing]:
    """The same for one layout; `is_exact` looks for each object at the first of its paths only."""
    found: Found = []
    missing: Missing = {}

    def look(path: str, obj: Any) -> bool:
        store = reader.store(path)
        own = reader.store(posixpath.join(path, OWN))
        if isinstance(obj, Layer) and own is not None:
            found.append((_TorchState(obj), own))
        if store is not None:
            found.append((obj, store))
            missing.pop(id(obj), None)
            return True
        if _needs_state(obj):
            missing[id(obj)] = path, obj
            return is_exact
        return True

    visit(model, look, skip, layout)
    return found, missing


def _complaint(model: Any, problems: list[tuple[Any, str]]) -> str:
    lines = "".join(f"\n- {problem}" for _, problem in problems[:20])
    more = f"\n- and {len(problems) - 20} more" if len(problems) > 20 else ""
    return f"{len(problems)} object(s) of model {model.name!r} do not fit the file:{lines}{more}"


def _title(obj: Any, path: str) -> str:
    kind = "Model" if not path else "Optimizer" if isinstance(obj, Optimizer) else "Layer"
    return f"{kind} {getattr(obj, 'name', type(obj).__name__)!r} ({type(obj).__name__}, at {path or '/'!r})"


def _needs_state(obj: Any) -> bool:
    module = plain_module(obj)
    if module is not None:
        return bool(module.state_dict())
    if not isinstance(obj, Layer):
        return False
    return bool(obj._own_variables()) or overrides(obj, "load_own_variables")


def _prepare(obj: Any, store: Store, model: Any) -> None:
    """Make the state of an optimizer that was compiled but not used yet."""
    is_new = (isinstance(obj, Optimizer) or is_torch_optimizer(obj)) and not obj.built
    if is_new and not _is_unused_optimizer(store) and model.trainable_weights:
        obj.build(model.trainable_weights)


def _is_unused_optimizer(store: Store) -> bool:
    """Whether the file was written before the first step: it has a counter and a learning rate at most."""
    return len(store) <= 2 and all(key.isdigit() and store.shape(key) == () for key in store)


def _misfit(obj: Any, store: Store) -> str | None:
    """Say what does not fit, by names and shapes alone; nothing is read."""
    module = plain_module(obj)
    if module is not None:
        own = {key: tuple(value.shape) for key, value in module.state_dict().items()}
    elif isinstance(obj, _TorchState):
        own = {key: tuple(value.shape) for key, value in obj.tensors.items()}
    elif isinstance(obj, Layer) and not overrides(obj, "load_own_variables"):
        own = {str(i): tuple(variable.shape) for i, variable in enumerate(obj._own_variables())}
        if not all(key.isdigit() for key in store):
            return None  # a layer of this package with names of its own in the file
    elif isinstance(obj, Optimizer) and len(store) == len(obj.variables):
        own = {str(i): tuple(variable.shape) for i, variable in enumerate(obj.variables)}
    else:
        return None
    title = _title(obj, store.path)
    if set(own) != set(store.keys()):
        if isinstance(obj, Layer) and not obj.built:
            return f"{title} is not built yet, the file has {len(store)} arrays for it."
        return f"{title} has {len(own)} weights of its own. Received: {len(store)} arrays in the file"
    names = (
        [variable.name for variable in obj._own_variables()] if isinstance(obj, Layer) and not module else []
    )
    for i, (key, shape) in enumerate(own.items()):
        if store.shape(key) != shape:
            weight = repr(names[i]) if names else key
            return (
                f"{title}: weight {weight} must have shape {format_shape(shape)}. "
                f"Received: {format_shape(store.shape(key))} in the file"
            )
    return None


def _read_into(obj: Any, store: Store) -> None:
    module = plain_module(obj)
    if isinstance(obj, SeedGenerator):
        _read_seed_generator(obj, store)
    elif is_torch_optimizer(obj):
        _read_torch_optimizer(obj, store)
    elif module is not None:
        module.load_state_dict({key: torch.as_tensor(store[key]) for key in store})
    elif isinstance(obj, Optimizer) and len(store) < len(obj.variables) and _is_unused_optimizer(store):
        for variable, key in zip(obj.variables, sorted(store), strict=False):
            variable.assign(store[key])
    elif (
        isinstance(obj, Optimizer)
        and len(store) != len(obj.variables)
        and read_optimizer_of_keras_2(obj, store)
    ):
        return
    elif hasattr(obj, "load_own_variables"):
        obj.load_own_variables(store)


# What Keras's files have no place for ------------------------------------------------------------------------------


class _TorchState:
    """The parameters and buffers of a layer that are no `Variable` made by it."""

    def __init__(self, layer: Layer) -> None:
        self.name = layer.name
        self.tensors = dict(_torch_state(layer))

    def load_own_variables(self, store: Store) -> None:
        """Overwrite their values."""
        with torch.no_grad():
            for key, tensor in self.tensors.items():
                tensor.copy_(torch.as_tensor(store[key]))


def _torch_state(layer: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Plain parameters, persistent buffers, and those in lists and dictionaries that are attributes."""
    if not isinstance(layer, Layer):
        return
    seen = {id(variable) for variable in layer._own_variables()}
    buffers = {k: b for k, b in layer._buffers.items() if k not in layer._non_persistent_buffers_set}
    named = [*layer._parameters.items(), *buffers.items()]
    for name, value in layer._modules.items():
        if isinstance(value, (list, tuple, dict)):
            leaves = tree.flatten(value.values() if isinstance(value, dict) else value)
            named += [
                (f"{name}.{i}", leaf) for i, leaf in enumerate(leaves) if isinstance(leaf, torch.nn.Parameter)
            ]
    for key, tensor in named:
        if tensor is not None and id(tensor) not in seen:
            seen.add(id(tensor))
            yield key, tensor


def _write_seed_generator(source: SeedGenerator, entry: Entry) -> None:
    """Keras's place for a seed holds two integers; the states of torch's generators lie beside them."""
    entry["0"] = np.array([source.seed % 2**32, 0], np.uint32)
    for device, generator in source._generators.items():
        entry[str(device)] = generator.get_state()


def _read_seed_generator(source: SeedGenerator, store: Store) -> None:
    source.seed = int(store["0"].reshape(-1)[0])
    for generator in source._generators.values():
        generator.manual_seed(source.seed)
    for key in store:
        if key != "0" and (not key.startswith("cuda") or torch.cuda.is_available()):
            source.on(torch.device(key)).set_state(torch.as_tensor(store[key]))


def _write_torch_optimizer(optimizer: Any, entry: Entry) -> None:
    state = optimizer.torch_optimizer.state_dict() if optimizer.torch_optimizer is not None else {}
    plain: dict[str, dict[str, Any]] = {}
    tensors: list[tuple[int, str]] = []
    for number, values in state.get("state", {}).items():
        for name, value in values.items():
            if isinstance(value, torch.Tensor):
                entry[f"{number}.{name}"] = value
                tensors.append((number, name))
            else:
                plain.setdefault(str(number), {})[name] = value
    settings = {"groups": state.get("param_groups", []), "plain": plain, "tensors": tensors}
    try:
        text = json.dumps(settings, default=lambda value: value.item())
    except (TypeError, AttributeError) as error:
        raise ValueError(f"The state of {optimizer.torch_optimizer!r} cannot be written: {error}") from error
    entry["settings"] = np.frombuffer(text.encode(), np.uint8)
    entry["0"] = np.asarray(int(optimizer.iterations), np.int64)


def _read_torch_optimizer(optimizer: Any, store: Store) -> None:
    if "settings" not in store:
        raise ValueError("the file holds the state of a Keras optimizer, the model has one of torch.")
    settings = json.loads(store["settings"].tobytes())
    if not settings["groups"]:
        return
    state: dict[int, dict[str, Any]] = {
        int(number): dict(values) for number, values in settings["plain"].items()
    }
    for number, name in settings["tensors"]:
        state.setdefault(number, {})[name] = torch.as_tensor(store[f"{number}.{name}"])
    for group in settings["groups"]:
        group.update({k: tuple(v) for k, v in group.items() if isinstance(v, list) and k != "params"})
    optimizer.torch_optimizer.load_state_dict({"state": state, "param_groups": settings["groups"]})
    optimizer.iterations.fill_(int(store["0"]))
