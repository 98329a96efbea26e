"""Weights in `.safetensors` files, under the names that torch gives them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from kerasish.errors import did_you_mean, format_shape
from kerasish.saving.atomic import replacing

SAFETENSORS = ".safetensors"
MISSING = (
    "`.safetensors` files need the package `safetensors`: install it with `pip install safetensors` or "
    "`pip install kerasish[export]`."
)


def _safetensors() -> Any:
    try:
        import safetensors.torch
    except ImportError as error:
        raise ImportError(MISSING) from error
    return safetensors


def write_tensors(tensors: Mapping[str, Tensor], path: Any) -> None:
    """Write named tensors; the file appears when it is complete."""
    module = _safetensors()
    seen: dict[int, str] = {}
    contents = {}
    for name, tensor in tensors.items():
        tensor = tensor.detach().contiguous()
        is_shared = tensor.numel() and tensor.data_ptr() in seen
        contents[name] = tensor.clone() if is_shared else tensor
        seen[tensor.data_ptr()] = name
    with replacing(path) as unfinished:
        try:
            module.torch.save_file(contents, os.fspath(unfinished), metadata={"format": "pt"})
        except module.SafetensorError as error:
            raise OSError(f"{os.fspath(path)!r} cannot be written: {error}") from error


def save_safetensors(model: Any, path: str) -> None:
    """Write `model.state_dict()`; of a weight with several names the first one is written."""
    tensors: dict[str, Tensor] = {}
    known: set[int] = set()
    for name, tensor in model.state_dict(keep_vars=True).items():
        if id(tensor) not in known:
            known.add(id(tensor))
            tensors[name] = tensor
    write_tensors(tensors, path)


def load_safetensors(model: Any, path: str, skip_mismatch: bool = False) -> None:
    """Read what `save_safetensors`, or `safetensors` from a `state_dict`, wrote, one tensor after the other.

    Raises:
        ValueError: the file is damaged, or names or shapes differ: then nothing is changed.
    """
    module = _safetensors()
    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no file {path!r}.")
    names_of: dict[int, list[str]] = {}
    tensors: dict[int, Tensor] = {}
    for name, tensor in model.state_dict(keep_vars=True).items():
        names_of.setdefault(id(tensor), []).append(name)
        tensors[id(tensor)] = tensor
    try:
        with module.safe_open(path, framework="pt") as file:
            stored = set(file.keys())
            fitting, problems = [], []
            for key, names in names_of.items():
                name = next((name for name in names if name in stored), None)
                if name is None:
                    problems.append(
                        f"Weight {names[0]!r} is not in the file.{did_you_mean(names[0], stored)}"
                    )
                    continue
                shape, wanted = tuple(file.get_slice(name).get_shape()), tuple(tensors[key].shape)
                if shape != wanted:
                    problems.append(
                        f"Weight {name!r} must have shape {format_shape(wanted)}. Received: {format_shape(shape)}"
                    )
                    continue
                fitting.append((name, tensors[key]))
            unknown = stored - {name for names in names_of.values() for name in names}
            problems += [f"The file has {name!r}, the model has not." for name in sorted(unknown)]
            text = "".join(f"\n- {problem}" for problem in problems[:20])
            complaint = f"{len(problems)} weight(s) of model {model.name!r} do not fit {path!r}:{text}"
            if problems and not skip_mismatch:
                raise ValueError(complaint)
        for name, tensor in fitting:
            with (
                module.safe_open(path, framework="pt") as file,
                torch.no_grad(),
            ):  # its pages go when it is closed
                tensor.copy_(file.get_tensor(name))
    except module.SafetensorError as error:
        raise ValueError(f"{path!r} cannot be read as a safetensors file, it is damaged: {error}") from error
    if problems:
        warnings.warn(complaint + " They keep their values.", stacklevel=4)
