"""`from_pytorch`: the weights of a PyTorch module in a model of the same architecture."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish.errors import format_shape
from kerasish.port.pytorch.source import Weight, layers_of
from kerasish.port.pytorch.writing import make_port

COUNTERS = "num_batches_tracked"


def from_pytorch(module: Any, model: Any) -> Any:
    """Copy the weights of a `torch.nn.Module` into a model of the same architecture; return the model.

    Args:
        module: the module, or its `state_dict()`. Its submodules with weights must stand in the order of the model's
            layers, as `to_pytorch` would write them; names do not matter. A linear layer behind a flattened image is
            taken to have seen it with channels first.
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
    state = module.state_dict() if isinstance(module, torch.nn.Module) else dict(module)
    weights = [weight for weight in make_port(model).weights if not weight.key.endswith(COUNTERS)]
    given = {key: value for key, value in state.items() if not key.endswith(COUNTERS)}
    keys = _matched(weights, given, model.name)
    if isinstance(module, torch.nn.Module):
        _compare_settings(module, model, keys)
    new: dict[int, tuple[Tensor, Tensor]] = {}
    for weight in weights:
        _collect(weight, keys[weight.key], given[keys[weight.key]], new)
    with torch.no_grad():
        for source, value in new.values():
            source.copy_(value.reshape(source.shape))
    return model


def _matched(weights: list[Weight], given: dict[str, Tensor], name: str) -> dict[str, str]:
    """Which of the module's keys each weight is read from: by name, or else by order."""
    if all(weight.key in given for weight in weights) and len(weights) == len(given):
        keys = [weight.key for weight in weights]
    else:
        keys = _in_order([weight.key for weight in weights], list(given))
    for weight, key in zip(weights, keys, strict=False):
        shape = tuple(weight.value().shape)
        suffixes = weight.key.rpartition(".")[2], key.rpartition(".")[2]
        if tuple(given[key].shape) != shape or suffixes[0] != suffixes[1]:
            raise ValueError(
                f"The module does not fit model {name!r}: {weight.key!r} of shape {format_shape(shape)} is expected. "
                f"Received: {key!r} of shape {format_shape(given[key].shape)}"
            )
    if len(keys) != len(weights):
        missing = weights[len(keys)].key if len(keys) < len(weights) else keys[len(weights)]
        where = (
            "the module has no weights left for" if len(keys) < len(weights) else "the model has no layer for"
        )
        raise ValueError(f"The module does not fit model {name!r}: {where} {missing!r}.")
    return {weight.key: key for weight, key in zip(weights, keys, strict=True)}


def _in_order(wanted: list[str], given: list[str]) -> list[str]:
    """The module's keys in the order of the model's, within each submodule by name."""

    def groups(keys: list[str]) -> list[list[str]]:
        found: dict[str, list[str]] = {}
        for key in keys:
            found.setdefault(key.rpartition(".")[0].removesuffix(".out_proj"), []).append(key)
        return list(found.values())

    ordered: list[str] = []
    own = groups(wanted)
    for i, group in enumerate(groups(given)):
        order = [key.rpartition(".")[2] for key in own[i]] if i < len(own) else []
        ordered += sorted(
            group,
            key=lambda key, order=order: (
                order.index(key.rpartition(".")[2])  # type: ignore[misc]
                if key.rpartition(".")[2] in order
                else len(order)
            ),
        )
    return ordered


def _compare_settings(module: torch.nn.Module, model: Any, keys: dict[str, str]) -> None:
    """The numbers beside the weights on which the outputs depend."""
    layers = {layer.name: layer for layer in layers_of(model)}
    for own, other in keys.items():
        layer = layers.get(own.split(".")[0])
        counterpart = module.get_submodule(other.rpartition(".")[0])
        epsilon, eps = getattr(layer, "epsilon", None), getattr(counterpart, "eps", None)
        if epsilon is not None and eps is not None and epsilon != eps:
            raise ValueError(
                f"Layer {layer.name!r} has epsilon={epsilon}, the module's {other.rpartition('.')[0]!r} eps={eps}: "  # type: ignore[union-attr]
                f"make the layer with `epsilon={eps}`."
            )


def _collect(weight: Weight, key: str, value: Tensor, new: dict[int, tuple[Tensor, Tensor]]) -> None:
    """Put each element of the module's array where it comes from: `make` moves numbers of places in its stead."""
    places = []
    start = 1
    for source in weight.sources:
        places.append(torch.arange(start, start + source.numel(), dtype=torch.float64).reshape(source.shape))
        start += source.numel()
        if id(source) not in new:
            new[id(source)] = source, torch.zeros(source.numel(), dtype=torch.float64)
    if not weight.sources:
        expected = weight.make()
        if not torch.equal(expected, value.detach().cpu().to(expected.dtype)):
            raise ValueError(
                f"The module's {key!r} must be constant ({expected.flatten()[:1].item():g}): the model's layer has no "
                "such weight. Make the layer with `scale=True` and `center=True`."
            )
        return
    origin = weight.make(*places).long().flatten() - 1
    flat = value.detach().cpu().double().flatten()
    start = 0
    for source in weight.sources:
        is_here = (origin >= start) & (origin < start + source.numel())
        new[id(source)][1].index_add_(0, origin[is_here] - start, flat[is_here])
        start += source.numel()
