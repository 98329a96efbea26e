"""`from_pytorch`: the weights of a PyTorch module in a model of the same architecture."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from kerasish.errors import format_shape
from kerasish.layers import Layer
from kerasish.port.pytorch.source import Weight, layers_of
from kerasish.port.pytorch.writing import make_port

COUNTERS = "num_batches_tracked"
STACKED = re.compile("((?:weight|bias)_(?:ih|hh)_l)([0-9]+)(|_reverse)")
ORDER = "Submodules must stand in the order of the model's layers, where their shapes do not tell them apart."


def from_pytorch(module: Any, model: Any) -> Any:
    """Copy the weights of a `torch.nn.Module` into a model of the same architecture; return the model.

    Args:
        module: the module, or its `state_dict()`. Its submodules with weights must stand in the order of the model's
            layers, as `to_pytorch` would write them, or differ in their shapes; names do not matter. A linear layer
            behind a flattened image is taken to have seen it with channels first.
        model: a built model, whose weights are overwritten.

    Raises:
        ValueError: the first weight that does not fit, by its name in both; then nothing is changed.

    Example:
        >>> import kerasish
        >>> model = kerasish.Sequential([kerasish.Input((3,)), kerasish.layers.Dense(2)])
        >>> linear = torch.nn.Linear(3, 2)
        >>> model = from_pytorch(torch.nn.Sequential(linear), model)
        >>> torch.equal(model.layers[0].kernel, linear.weight.T)
        True
    """
    if not isinstance(module, (torch.nn.Module, Mapping)) or isinstance(module, Layer):
        raise TypeError(
            "`module` must be a torch.nn.Module, or its `state_dict()` (of a file: `torch.load(path)`). Received: "
            f"{type(module).__name__}"
        )
    state = module.state_dict() if isinstance(module, torch.nn.Module) else module
    weights = [weight for weight in make_port(model).weights if not weight.key.endswith(COUNTERS)]
    given = {key: value for key, value in state.items() if not key.endswith(COUNTERS)}
    keys = _matched(weights, given, model.name)
    if isinstance(module, torch.nn.Module):
        _compare_settings(module, model, weights, keys)
    new: dict[int, Incoming] = {}
    for weight in weights:
        _collect(weight, keys[weight.key], given[keys[weight.key]], new)
    with torch.no_grad():
        for incoming in new.values():
            incoming.source.copy_(incoming.parts.sum(dim=0).reshape(incoming.source.shape))
    return model


def _groups(shapes: dict[str, tuple]) -> list[dict[str, str]]:
    """The keys of each submodule, by their last part; each layer of a stack in one LSTM is a submodule of its own."""
    found: dict[str, dict[str, str]] = {}
    for key in shapes:
        owner, _, last = key.rpartition(".")
        if owner.endswith(".out_proj"):
            owner, last = owner.removesuffix(".out_proj"), f"out_proj.{last}"
        stacked = STACKED.fullmatch(last)
        if stacked:
            owner, last = f"{owner}#{stacked[2]}", f"{stacked[1]}0{stacked[3]}"
        found.setdefault(owner, {})[last] = key
    return list(found.values())


def _matched(weights: list[Weight], given: dict[str, Tensor], name: str) -> dict[str, str]:
    """Which of the module's keys each weight is read from: by name, by order, or by shape where that tells."""
    wanted = {weight.key: tuple(weight.value().shape) for weight in weights}
    shapes = {key: tuple(value.shape) for key, value in given.items()}
    if wanted == shapes:
        return {key: key for key in wanted}
    own, theirs = _groups(wanted), _groups(shapes)
    signatures = [_signature(group, wanted) for group in own]
    found = {_signature(group, shapes): group for group in theirs}
    if len(set(signatures)) == len(signatures) == len(found) == len(theirs) and set(signatures) == set(found):
        theirs = [found[signature] for signature in signatures]
    keys: dict[str, str] = {}
    for group, other in zip(own, theirs, strict=False):
        for last, key in group.items():
            rest = [candidate for candidate in other.values() if candidate not in keys.values()]
            received = other.get(last, rest[0] if rest else None)
            if received is None:
                break
            if last not in other or shapes[received] != wanted[key]:
                raise ValueError(
                    f"The module does not fit model {name!r}: {key!r} of shape {format_shape(wanted[key])} is "
                    f"expected. Received: {received!r} of shape {format_shape(shapes[received])}. {ORDER}"
                )
            keys[key] = received
    for key in wanted:
        if key not in keys:
            raise ValueError(
                f"The module does not fit model {name!r}: the module has no weights left for {key!r}."
            )
    for key in shapes:
        if key not in keys.values():
            raise ValueError(f"The module does not fit model {name!r}: the model has no layer for {key!r}.")
    return keys


def _signature(group: dict[str, str], shapes: dict[str, tuple]) -> frozenset:
    return frozenset((last, shapes[key]) for last, key in group.items())


def _compare_settings(
    module: torch.nn.Module, model: Any, weights: list[Weight], keys: dict[str, str]
) -> None:
    """The numbers beside the weights on which the outputs depend."""
    owners = {
        id(tensor): layer
        for layer in layers_of(model)
        for tensor in (*layer.parameters(recurse=False), *layer.buffers(recurse=False))
    }
    for weight in weights:
        layer = owners.get(id(weight.sources[0])) if weight.sources else None
        place = keys[weight.key].rpartition(".")[0]
        epsilon, eps = getattr(layer, "epsilon", None), getattr(module.get_submodule(place), "eps", None)
        if layer is not None and epsilon is not None and eps is not None and epsilon != eps:
            raise ValueError(
                f"Layer {layer.name!r} has epsilon={epsilon}, the module's {place!r} eps={eps}: make the layer with "
                f"`epsilon={eps}`."
            )


class Incoming:
    """The numbers that one weight of the model is to get: the sum of two arrays where torch has two."""

    def __init__(self, source: Tensor) -> None:
        self.source = source
        self.parts = torch.zeros(2, source.numel(), dtype=torch.float64)
        self.keys: list[list[str]] = [[], []]
        self.is_filled = torch.zeros(2, source.numel(), dtype=torch.bool)

    def put(self, key: str, index: Tensor, numbers: Tensor, is_summand: bool) -> None:
        """Take numbers for some places; a weight that several classes have copies of must be the same in all."""
        part, is_filled = self.parts[int(is_summand)], self.is_filled[int(is_summand)]
        again = is_filled[index]
        if not torch.equal(part[index][again], numbers[again]):
            first = self.keys[int(is_summand)][0]
            raise ValueError(
                f"The model has one weight for the module's {first!r} and {key!r}, which differ."
            )
        part[index] = numbers
        is_filled[index] = True
        self.keys[int(is_summand)].append(key)


def _collect(weight: Weight, key: str, value: Tensor, new: dict[int, Incoming]) -> None:
    """Put each element of the module's array where it comes from: `make` moves numbers of places in its stead."""
    flat = value.detach().cpu().double().flatten()
    if not weight.sources:
        expected = weight.make().double().flatten()
        if not torch.equal(expected, flat):
            raise ValueError(
                f"The module's {key!r} must be constant ({expected[:1].item():g}): the model's layer has no "
                "such weight. Make the layer with `scale=True` and `center=True`."
            )
        return
    places = []
    start = 1
    for source in weight.sources:
        places.append(torch.arange(start, start + source.numel(), dtype=torch.float64).reshape(source.shape))
        start += source.numel()
    origin = weight.make(*places).long().flatten() - 1
    start = 0
    for source in weight.sources:
        is_here = (origin >= start) & (origin < start + source.numel())
        incoming = new.setdefault(id(source), Incoming(source))
        incoming.put(key, origin[is_here] - start, flat[is_here], weight.is_summand)
        start += source.numel()
