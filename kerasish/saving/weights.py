"""`save_weights` and `load_weights`: the weights and the optimizer's state in Keras 3's `.weights.h5` files."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

from kerasish.saving.archive_members import open_weights
from kerasish.saving.hdf5 import is_hdf5, reading, writing
from kerasish.saving.legacy_h5 import (
    CHECKPOINT,
    SAVED_MODEL,
    is_checkpoint,
    is_legacy_weights,
    is_saved_model,
    load_legacy_weights,
)
from kerasish.saving.legacy_h5_writing import save_legacy_weights
from kerasish.saving.safetensors import SAFETENSORS, load_safetensors, save_safetensors
from kerasish.saving.state import read_state, write_state
from kerasish.saving.walk import Layout

KERAS_2_ENDINGS = (".h5", ".hdf5")
H5_FORMATS = (None, "h5", "hdf5")
NO_CHECKPOINT = " TensorFlow's checkpoints, which Keras 2 wrote for other names, are not written."


def save_weights(
    model: Any, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None, **kwargs: Any
) -> None:
    """Write the weights, and the optimizer's state where the model is compiled, for Keras 3 to read as well.

    Args:
        model: a model that is built.
        filepath: ends in `.weights.h5`, or with `max_shard_size` in `.weights.json`; `.safetensors` takes the weights
            alone, under torch's names; another name in `.h5` or `.hdf5` takes them alone in the layout of Keras 2.
        overwrite: whether an existing file may be replaced without asking.
        max_shard_size: limit of each file in GiB; the `.json` file then names the files.
        objects_to_skip: layers, or the optimizer, to leave out.
        save_format: `"h5"` writes Keras 2's layout whatever the name, as Keras 2 did.

    The file appears when it is complete; an interruption leaves the old one as it was.

    Raises:
        ValueError: another ending, or the model has no weights yet.
        FileExistsError: the file exists, `overwrite=False`, and nobody agreed to replace it.

    Differs: seeded dropout keeps its place in the sequence of draws, in a group that Keras skips.
    """
    save_format = kwargs.pop("save_format", None)
    skip = _objects_to_skip(kwargs)
    path = os.fspath(filepath)
    if save_format not in H5_FORMATS:
        raise ValueError(f"`save_format` must be 'h5'.{NO_CHECKPOINT} Received: save_format={save_format!r}")
    if path.endswith(SAFETENSORS) and max_shard_size is None:
        _refuse_skipping(skip, path)
        _require_built(model, "saved")
        if overwrite or may_replace(path):
            save_safetensors(model, path)
        return
    is_legacy = save_format is not None or path.endswith(KERAS_2_ENDINGS)
    if is_legacy and max_shard_size is None and not path.endswith((".weights.h5", ".keras")):
        _refuse_skipping(skip, path)
        _require_built(model, "saved")
        if overwrite or may_replace(path):
            save_legacy_weights(model, path)
        return
    endings = (".weights.h5",) if max_shard_size is None else (".weights.json",)
    if not path.endswith(endings):
        raise ValueError(
            f"`filepath` must end in {endings[0]!r}"
            + (" with `max_shard_size`." if max_shard_size is not None else f", or '.h5'.{NO_CHECKPOINT}")
            + f" Received: filepath={path!r}"
        )
    _require_built(model, "saved")
    if not overwrite and not may_replace(path):
        return
    with writing(path, max_shard_size) as writer:
        write_state(model, writer, skip)


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Read the weights, and the optimizer's state where the model is compiled, from a file of kerasish or Keras 3.

    Args:
        model: a model of the same structure, built; names do not matter.
        filepath: a `.weights.h5`, `.weights.json`, `.keras` or `.safetensors` file, or an `.h5` or `.hdf5` file of
            Keras 1 or 2, whole models included.
        skip_mismatch: leave the layers that do not fit as they are, with a warning.
        by_name: with files of Keras 1 and 2, find the layers by their names, not by their order.
        objects_to_skip: layers, or the optimizer, to leave as they are.

    Raises:
        ValueError: the file is damaged, or a layer has other weights than the file: then nothing is changed.
        FileNotFoundError: no such file.
    """
    by_name = kwargs.pop("by_name", False)
    skip = _objects_to_skip(kwargs)
    path = os.fspath(filepath)
    if path.endswith(SAFETENSORS):
        _refuse_skipping(skip, path)
        _require_built(model, "loaded")
        load_safetensors(model, path, skip_mismatch)
        return
    if not os.path.exists(path) and is_checkpoint(path):
        raise ValueError(CHECKPOINT.format(path=path))
    if is_saved_model(path):
        raise ValueError(SAVED_MODEL.format(path=path))
    is_known = path.endswith((*KERAS_2_ENDINGS, ".weights.json", ".keras"))
    if not is_known and not (os.path.isfile(path) and is_hdf5(path)):
        raise ValueError(
            "`filepath` must end in '.weights.h5', '.weights.json', '.keras', '.safetensors', '.h5' or '.hdf5'. "
            f"Received: filepath={path!r}"
        )
    may_be_new = path.endswith((".weights.h5", ".weights.json", ".keras"))
    is_legacy = not may_be_new or (os.path.isfile(path) and is_hdf5(path) and is_legacy_weights(path))
    if by_name and not is_legacy:
        raise ValueError(
            "`by_name` works with Keras 2's `.h5` files only: layers are matched by their order here."
        )
    _require_built(model, "loaded")
    if not Path(path).exists():
        raise FileNotFoundError(f"There is no file {path!r}.")
    if is_legacy:
        _refuse_skipping(skip, path)
        load_legacy_weights(model, path, skip_mismatch, bool(by_name))
        return
    with contextlib.ExitStack() as opened:
        source = opened.enter_context(open_weights(path)) if path.endswith(".keras") else path
        read_state(model, opened.enter_context(reading(source)), skip_mismatch, skip, tuple(Layout))


def may_replace(path: str) -> bool:
    """Ask whether an existing file may be replaced; where nobody can answer, raise."""
    if not os.path.exists(path):
        return True
    try:
        answer = input(f"{path!r} already exists: overwrite it? [y/n] ")
    except (EOFError, OSError) as error:
        raise FileExistsError(
            f"{path!r} exists: pass `overwrite=True` to replace it. Received: overwrite=False"
        ) from error
    return answer.strip().lower() in ("y", "yes")


def _objects_to_skip(kwargs: dict[str, Any]) -> list[Any]:
    skip = kwargs.pop("objects_to_skip", None) or []
    if kwargs:
        raise ValueError(f"Unrecognized keyword arguments: {sorted(kwargs)}")
    return list(skip)


def _refuse_skipping(skip: list[Any], path: str) -> None:
    if skip:
        raise ValueError(
            f"`objects_to_skip` works with `.weights.h5` files: other files are one whole. Received: {path!r}"
        )


def _require_built(model: Any, verb: str) -> None:
    if not model.built:
        raise ValueError(
            f"The weights of model {model.name!r} cannot be {verb} before it is built: give it an `Input`, call it "
            "on data, or `build(input_shape)`."
        )
