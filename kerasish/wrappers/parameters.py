"""Parameters by prefix: `optimizer__learning_rate` for the optimizer, `model__hidden` for the builder."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch

from kerasish import losses, metrics, optimizers, tree
from kerasish.errors import did_you_mean, received
from kerasish.losses import Loss
from kerasish.metrics import Metric
from kerasish.models import Model
from kerasish.optimizers import Optimizer
from kerasish.training.objectives import ACCURACIES, CROSSENTROPIES

DESTINATIONS = ("model", "compile", "optimizer", "loss", "metrics", "callbacks", "fit", "predict", "score")


def names_of(function: Callable) -> tuple[str, ...]:
    """The names of the arguments of a function or class that can be given by keyword."""
    return tuple(
        name
        for name, argument in inspect.signature(function).parameters.items()
        if argument.kind in (argument.POSITIONAL_OR_KEYWORD, argument.KEYWORD_ONLY) and name != "self"
    )


def takes_any_name(function: Callable) -> bool:
    """Whether a function has a `**kwargs`."""
    return any(a.kind is a.VAR_KEYWORD for a in inspect.signature(function).parameters.values())


COMPILE_ARGUMENTS = names_of(Model.compile)
FIT_ARGUMENTS = tuple(name for name in names_of(Model.fit) if name not in ("x", "y"))
PREDICT_ARGUMENTS = tuple(name for name in names_of(Model.predict) if name != "x")


def without_numpy(value: Any) -> Any:
    """A number that NumPy has drawn for a search as one of Python's, which layers ask for."""
    return value.item() if isinstance(value, (np.number, np.bool_)) else value


def routed(params: dict[str, Any], destination: str) -> dict[str, Any]:
    """The parameters that begin with `destination__`, without it."""
    prefix = f"{destination}__"
    return {name.removeprefix(prefix): value for name, value in params.items() if name.startswith(prefix)}


def is_routed(name: str) -> bool:
    """Whether a parameter begins with one of the prefixes."""
    destination, separator, _ = name.partition("__")
    return bool(separator) and destination in DESTINATIONS


def refuse_unknown(names: Iterable[str], known: Iterable[str], owner: str, prefix: str = "") -> None:
    """Raise where a name is not among the known ones, with the closest of them."""
    known = [prefix + name for name in sorted(known)]
    for name in (prefix + name for name in names):
        if name not in known:
            raise ValueError(
                f"Invalid parameter {name!r} for {owner}. Valid parameters are: {known}."
                f"{did_you_mean(name, known)}"
            )


def make(
    given: Any,
    params: dict[str, Any],
    path: str,
    find: Callable = lambda name: name,
    is_maker: Callable[[Any], bool] = inspect.isclass,
) -> Any:
    """Turn classes and names into objects, wherever they stand in lists and dictionaries.

    Args:
        given: a class, a name, an object, or a list or dictionary of them.
        params: arguments by name, or by position, `0`; `0__name` or `key__name` is for one entry, `name` for all.
        path: prefix under which `params` were given, for messages.
        find: turns a name into a class.
        is_maker: tells what has to be called to get the object.
    """
    if isinstance(given, (list, tuple, dict)) and not (isinstance(given, dict) and "class_name" in given):
        entries = list(given.items()) if isinstance(given, dict) else list(enumerate(given))
        keys = {str(key) for key, _ in entries}
        shared = {name: value for name, value in params.items() if name.partition("__")[0] not in keys}
        made = [make(x, {**shared, **routed(params, str(key))}, path, find, is_maker) for key, x in entries]
        return dict(zip(given, made, strict=True)) if isinstance(given, dict) else type(given)(made)
    if isinstance(given, str):
        if not params:
            return given
        given = find(given)
    if not is_maker(given):
        if params:
            raise TypeError(
                f"{path}__{next(iter(params))} needs a class, or the name of one, to go to. "
                f"Received: {path}={received(given)}"
            )
        return copied(given)
    named = {name: value for name, value in params.items() if not name.partition("__")[0].isdigit()}
    if not takes_any_name(given):
        refuse_unknown(
            (name.partition("__")[0] for name in named), names_of(given), _name(given), f"{path}__"
        )
    arguments = {name: value for name, value in params.items() if "__" not in name}
    for name, value in arguments.items():
        if routed(params, name):
            arguments[name] = make(value, routed(params, name), f"{path}__{name}")
    positions = sorted(int(name) for name in arguments if name.isdigit())
    return given(*[arguments.pop(str(position)) for position in positions], **arguments)


def _name(function: Any) -> str:
    return getattr(function, "__name__", None) or getattr(function, "func", function).__name__


def make_optimizer(given: Any, params: dict[str, Any]) -> Any:
    """An optimizer of this fit's own: of a name, a class, an instance, or a class of `torch.optim`."""
    if isinstance(given, torch.optim.Optimizer):
        raise TypeError(
            f"A {type(given).__name__} object belongs to the parameters it was made for, but every fit makes "
            f"a new model: give the class, `optimizer=torch.optim.{type(given).__name__}`, and `optimizer__lr=…`."
        )
    kind = given.func if isinstance(given, functools.partial) else given
    if inspect.isclass(kind) and issubclass(kind, torch.optim.Optimizer):
        refuse_unknown(params, names_of(kind), kind.__name__, "optimizer__")
        return functools.partial(given, **params)
    if isinstance(given, str):
        given = type(optimizers.get(given))
    return make(
        given, params, "optimizer", is_maker=lambda x: inspect.isclass(x) or isinstance(x, functools.partial)
    )


def make_loss(given: Any, params: dict[str, Any]) -> Any:
    """A loss, or a structure of losses, of names, classes or objects."""
    return make(given, params, "loss", functools.partial(_class_of, module=losses, base=Loss))


def make_metrics(given: Any, params: dict[str, Any]) -> Any:
    """A list or dictionary of metrics, of names, classes or objects."""
    made = make(given, params, "metrics", functools.partial(_class_of, module=metrics, base=Metric))
    return made if made is None or isinstance(made, (list, tuple, dict)) else [made]


def _class_of(name: str, module: Any, base: type) -> Any:
    """The class behind a name; the name itself where there is none, as for `"accuracy"`."""
    if name in (*ACCURACIES, *CROSSENTROPIES):
        return name
    found = module.get(name)
    if isinstance(found, base):
        return type(found)
    wanted = found.__name__.replace("_", "")
    classes = [c for c in vars(module).values() if inspect.isclass(c) and c.__name__.lower() == wanted]
    return classes[0] if classes else name


def make_callbacks(given: Any, params: dict[str, Any]) -> list[Any]:
    """Callbacks of this fit's own: of classes, of functions that make one, or copies of objects."""
    made = make(given, params, "callbacks", is_maker=lambda x: callable(x) and not _is_callback(x))
    flat = [] if made is None else tree.flatten(made)
    for callback in flat:
        if not _is_callback(callback):
            raise TypeError(
                "`callbacks` must be callbacks, their classes, functions that make them, or a list or "
                f"dictionary of these. Received: {received(callback)}"
            )
    return flat


def _is_callback(x: Any) -> bool:
    return not inspect.isclass(x) and hasattr(x, "set_model")


def copied(given: Any) -> Any:
    """A copy of what has a state of its own, so that no two fits share it; anything else as it is."""
    if isinstance(given, Optimizer):
        return type(given).from_config(given.get_config()) if given.built else copy.deepcopy(given)
    if isinstance(given, Metric) or _is_callback(given):
        model = getattr(given, "model", None)
        try:
            # A callback used before refers to its model, which is not to be copied with it.
            return copy.deepcopy(given, {} if model is None else {id(model): None})
        except TypeError as error:
            raise TypeError(
                f"{type(given).__name__} cannot be copied ({error}), and fits never share one: give its "
                "class, or a function that makes it."
            ) from error
    return given
