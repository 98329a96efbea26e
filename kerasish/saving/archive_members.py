"""The members of a `.keras` archive: a zip file with `metadata.json`, `config.json`, `model.weights.h5`, `assets/`."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

CONFIG, METADATA, WEIGHTS, ASSETS = "config.json", "metadata.json", "model.weights.h5", "assets"
IN_MEMORY = 64 * 2**20  # bytes of weights that are read at once; larger ones go through a file
MOST_JSON = 512 * 2**20
SMALL = 16 * 2**20
MOST_EXPANSION = 100


@contextlib.contextmanager
def open_archive(path: str) -> Iterator[zipfile.ZipFile]:
    """Context with the archive, looked over: its members stay inside and are not far larger than what is stored."""
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path!r} is not a `.keras` archive, or it is damaged: {error}") from error
    with archive:
        for member in archive.infolist():
            name = member.filename.replace("\\", "/")
            parts = PurePosixPath(name).parts
            if name.startswith("/") or ".." in parts or ":" in name or "\0" in name:
                raise ValueError(f"{path!r} has a member that would leave the archive: {member.filename!r}")
            if member.file_size > SMALL and member.file_size > MOST_EXPANSION * member.compress_size:
                raise ValueError(
                    f"Member {member.filename!r} of {path!r} claims {member.file_size} bytes and stores "
                    f"{member.compress_size}: the file is damaged or hostile."
                )
        yield archive


def read_json(archive: zipfile.ZipFile, name: str) -> Any:
    """The contents of a JSON member."""
    try:
        info = archive.getinfo(name)
        if info.file_size > MOST_JSON:
            raise ValueError(f"{info.file_size} bytes")
        return json.loads(archive.read(info))
    except KeyError as error:
        raise ValueError(
            f"{archive.filename!r} is not a `.keras` archive: it has no {name!r}. Received: {archive.namelist()[:10]}"
        ) from error
    except (
        ValueError,
        RecursionError,
        zipfile.BadZipFile,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise ValueError(f"{name!r} of {archive.filename!r} cannot be read: {error}") from error


@contextlib.contextmanager
def open_weights(archive: zipfile.ZipFile | str) -> Iterator[Any]:
    """Context with the weights of an archive as something that h5py opens."""
    with contextlib.ExitStack() as opened:
        if isinstance(archive, str):
            archive = opened.enter_context(open_archive(archive))
        if WEIGHTS not in archive.namelist():
            raise ValueError(f"{archive.filename!r} has no {WEIGHTS!r}. Received: {archive.namelist()[:10]}")
        try:
            if archive.getinfo(WEIGHTS).file_size <= IN_MEMORY:
                source: Any = io.BytesIO(archive.read(WEIGHTS))
            else:
                source = opened.enter_context(tempfile.TemporaryFile())
                with archive.open(WEIGHTS) as member:
                    shutil.copyfileobj(member, source, 2**20)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
            raise ValueError(f"{WEIGHTS!r} of {archive.filename!r} cannot be read: {error}") from error
        yield source


def extract_assets(archive: zipfile.ZipFile, directory: str | os.PathLike[str]) -> None:
    """Put the files under `assets/` into a directory."""
    for member in archive.infolist():
        parts = PurePosixPath(member.filename).parts
        if parts[:1] != (ASSETS,) or member.is_dir() or len(parts) < 2:
            continue
        target = Path(directory, *parts[1:])
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, open(target, "wb") as file:
            shutil.copyfileobj(source, file, 2**20)
