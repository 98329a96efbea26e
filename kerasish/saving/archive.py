"""`save_model` and `load_model`: Keras 3's `.keras` archives, with structure, weights and what `compile` was given."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kerasish.saving.archive_members import (
    ASSETS,
    CONFIG,
    METADATA,
    WEIGHTS,
    extract_assets,
    open_archive,
    open_weights,
    read_json,
)
from kerasish.saving.atomic import replacing
from kerasish.saving.configs import model_of_config, weights_within
from kerasish.saving.hdf5 import is_hdf5, reading, writing
from kerasish.saving.legacy_h5 import (
    CHECKPOINT,
    SAVED_MODEL,
    is_checkpoint,
    is_saved_model,
    load_legacy_model,
)
from kerasish.saving.legacy_h5_writing import save_legacy_model
from kerasish.saving.state import read_state, write_state
from kerasish.saving.walk import KERAS_2_LAYOUTS, Layout, visit
from kerasish.saving.weights import may_replace
from kerasish.serialization import serialize_keras_object, shared_objects, without_single_marks

KERAS_VERSION = "3.15.1"  # whose format is written
H5_FORMATS = ("h5", "hdf5")
NOT_WRITTEN = (
    "`{path}` cannot be written: models are saved as `.keras` (or `.h5`, as Keras 2 did). For TensorFlow's SavedModel "
    "load that file with real Keras and call `model.export(…)`."
)


def save_model(
    model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
) -> None:
    """Write structure, weights and compilation for kerasish and Keras 3 to load.

    Args:
        model: the model; each of its layers must have a config.
        filepath: ends in `.keras`; in `.h5` or `.hdf5` for the older format; a directory with `zipped=False`.
        overwrite: whether an existing file may be replaced without asking.
        zipped: False writes the members of the archive as files of a directory.
        save_format: `"h5"` writes the older format whatever the name.
        include_optimizer: False leaves out what `compile` was given, and the optimizer's state.

    The file appears when it is complete; an interruption leaves the old one as it was.

    Raises:
        ValueError: another ending, or a part of the model that has no config, such as a lambda.
        FileExistsError: the file exists, `overwrite=False`, and nobody agreed to replace it.
    """
    include_optimizer = kwargs.pop("include_optimizer", True)
    save_format = kwargs.pop("save_format", None)
    if kwargs:
        raise ValueError(f"Unrecognized keyword arguments for save_model: {sorted(kwargs)}")
    path = os.fspath(filepath)
    has_ending = path.endswith((".h5", ".hdf5")) and not path.endswith(".weights.h5")
    is_legacy = has_ending or save_format in H5_FORMATS
    if save_format not in (None, *(H5_FORMATS if not path.endswith(".keras") else ("keras",))):
        raise ValueError(
            "`save_format` must be 'keras' for names that end in `.keras`, 'h5' for others, or left out. "
            f"Received: save_format={save_format!r}, filepath={path!r}"
        )
    if zipped is not False and not path.endswith(".keras") and not is_legacy:
        raise ValueError(NOT_WRITTEN.format(path=path) + f" Received: filepath={path!r}")
    if zipped is False and path.endswith((".keras", ".h5", ".hdf5")):
        raise ValueError(f"With `zipped=False` give the name of a directory. Received: filepath={path!r}")
    if not overwrite and not may_replace(path):
        return
    if not model.built:
        warnings.warn(
            f"Model {model.name!r} is saved before it is built: the file has no weights. Call it on data first.",
            stacklevel=3,
        )
    with shared_objects():
        config = without_single_marks(serialize_keras_object(model))
    if not include_optimizer:
        config.pop("compile_config", None)
    elif getattr(model, "compiled", False) and "compile_config" not in config:
        warnings.warn(
            f"What model {model.name!r} was compiled with cannot be written (a torch object, or a function without a "
            "name): the loaded model must be compiled again.",
            stacklevel=3,
        )
    if is_legacy:
        save_legacy_model(model, path, config, include_optimizer, KERAS_VERSION)
        return
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    texts = {METADATA: {"keras_version": KERAS_VERSION, "date_saved": now}, CONFIG: config}
    skip = [] if include_optimizer else [model.optimizer]
    members = {name: json.dumps(contents) for name, contents in texts.items()}
    if zipped is False:
        _write_directory(model, Path(path), members, skip)
    else:
        _write_archive(model, path, members, skip)


def _write_archive(model: Any, path: str, members: dict[str, str], skip: list[Any]) -> None:
    with replacing(path) as unfinished, zipfile.ZipFile(unfinished, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
        with tempfile.TemporaryDirectory(dir=Path(path).parent, prefix=f".{Path(path).name}.") as directory:
            weights = Path(directory, WEIGHTS)
            with writing(weights) as writer:
                write_state(model, writer, skip)
            archive.write(weights, WEIGHTS)
            assets = Path(directory, ASSETS)
            _write_assets(model, assets)
            for file in sorted(assets.rglob("*")):
                if file.is_file():
                    archive.write(file, file.relative_to(directory).as_posix())


def _write_directory(model: Any, path: Path, members: dict[str, str], skip: list[Any]) -> None:
    path.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as places:
        for name, text in members.items():
            places.enter_context(replacing(path / name)).write_text(text, encoding="utf-8")
        with writing(path / WEIGHTS) as writer:
            write_state(model, writer, skip)
        _write_assets(model, path / ASSETS)


def load_model(
    filepath: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """Make the model that `save_model`, or Keras 3, wrote: same structure, weights, compilation, optimizer state.

    Args:
        filepath: a `.keras` file, or the directory of `zipped=False`; or an `.h5` or `.hdf5` file of any Keras.
        custom_objects: name → class or function of yours that the file names.
        compile: False leaves the model uncompiled.
        safe_mode: False lets lambdas in the file run: only for files from a trusted source.

    Nothing in the file is unpickled, imported or, with `safe_mode`, run.

    Raises:
        ValueError: another format, a damaged file, an unknown class, a lambda, or weights that do not fit.
        FileNotFoundError: no such file.
    """
    path = os.fspath(filepath)
    if path.startswith("hf://"):
        raise ValueError(
            f"Download the model first (`huggingface_hub.snapshot_download`). Received: {path!r}"
        )
    if not os.path.exists(path):
        if is_checkpoint(path):
            raise ValueError(CHECKPOINT.format(path=path))
        raise FileNotFoundError(f"There is no file {path!r}.")
    if os.path.isdir(path):
        return _load_directory(Path(path), custom_objects, compile, safe_mode)
    # Keras 2 wrote HDF5 under any name, until 2.11 under those in `.keras`, too
    if path.endswith((".h5", ".hdf5")) or (not zipfile.is_zipfile(path) and is_hdf5(path)):
        return load_legacy_model(path, custom_objects, compile, safe_mode)
    if not path.endswith(".keras"):
        raise ValueError(
            f"`filepath` must end in '.keras'. Received: {path!r}. A structure alone (`.json`) is read by "
            "`models.model_from_json`, weights alone by `model.load_weights`."
        )
    with open_archive(path) as archive:
        config = read_json(archive, CONFIG)
        version = _version(read_json(archive, METADATA) if METADATA in archive.namelist() else None)
        with open_weights(archive) as source, reading(source) as reader:
            with weights_within(reader.size, path):
                model = model_of_config(config, custom_objects, compile, safe_mode, CONFIG, version)
            read_state(model, reader, layouts=_layouts(version))
        if any(name.startswith(ASSETS + "/") for name in archive.namelist()):
            with tempfile.TemporaryDirectory() as directory:
                extract_assets(archive, directory)
                _read_assets(model, Path(directory))
    return model


def _load_directory(path: Path, custom_objects: Any, compile: bool, safe_mode: bool) -> Any:
    if not (path / CONFIG).exists():
        if is_saved_model(str(path)):
            raise ValueError(SAVED_MODEL.format(path=str(path)))
        raise ValueError(f"{str(path)!r} has no {CONFIG!r}: it is not the directory of a model.")
    try:
        config = json.loads((path / CONFIG).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{CONFIG!r} of {str(path)!r} cannot be read: {error}") from error
    with reading(path / WEIGHTS) as reader:
        with weights_within(reader.size, str(path)):
            model = model_of_config(config, custom_objects, compile, safe_mode)
        read_state(model, reader)
    if (path / ASSETS).is_dir():
        _read_assets(model, path / ASSETS)
    return model


def _version(metadata: Any) -> str:
    """That of Keras which wrote the archive."""
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    return version if isinstance(version, str) else KERAS_VERSION


def _layouts(version: str) -> tuple[Layout, ...]:
    return (*KERAS_2_LAYOUTS, Layout.KERAS_3) if version.startswith("2.") else (Layout.KERAS_3,)


def _write_assets(model: Any, directory: Path) -> None:
    """Let layers that keep vocabularies and the like write their files."""
    for path, layer in _with_method(model, "save_assets"):
        place = directory / path
        place.mkdir(parents=True, exist_ok=True)
        layer.save_assets(str(place))


def _read_assets(model: Any, directory: Path) -> None:
    for path, layer in _with_method(model, "load_assets"):
        if (directory / path).is_dir():
            layer.load_assets(str(directory / path))


def _with_method(model: Any, method: str) -> Iterator[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []

    def take(path: str, obj: Any) -> bool:
        if hasattr(obj, method):
            found.append((path, obj))
        return True

    visit(model, take)
    yield from found
