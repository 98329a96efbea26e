"""Where a data set lies: in Keras's cache, else in a copy that came with the system, else on the network."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from kerasish.config import keras_home
from kerasish.utils.file_utils import download, validate_file, writable_cache

# The second is where Debian's `dataset-…` packages put theirs.
SYSTEM_DIRECTORIES = (Path("/usr/local/share/datasets"), Path("/usr/share/datasets"))
KERAS_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


@dataclass(frozen=True)
class DataFile:
    """One file of a data set.

    Args:
        name: its place below the directory of data sets.
        url: where it comes from.
        digest: its SHA-256 (or MD5), hexadecimal; for a `.gz`, of the content, as packing varies.
        hint: another way to get it.
    """

    name: str
    url: str
    digest: str
    hint: str = ""

    def is_valid(self, path: Path) -> bool:
        """Whether the file at `path` is this one."""
        if not self.name.endswith(".gz"):
            return validate_file(path, self.digest)
        try:
            with gzip.open(path) as stream:
                return hashlib.sha256(stream.read()).hexdigest() == self.digest
        except (gzip.BadGzipFile, EOFError, zlib.error):
            return False


def renamed(file: DataFile, path: str) -> DataFile:
    """The same data under the file name that a user gave as `load_data(path=...)`."""
    if os.path.basename(path) != path:
        raise ValueError(
            "`path` is the name of a file in the directory of data sets; to choose the directory, set "
            f"KERAS_HOME or give `cache_dir`. Received: path={path!r}"
        )
    return replace(file, name=path)


def places(name: str, cache_dir: str | os.PathLike[str] | None = None) -> list[Path]:
    """Where a file of that name may lie: the cache first, then the system's directories."""
    cache = (Path(cache_dir).expanduser() if cache_dir else keras_home()) / "datasets"
    return [directory / name for directory in (cache, *SYSTEM_DIRECTORIES)]


def locate(file: DataFile, cache_dir: str | os.PathLike[str] | None = None) -> Path:
    """Return the path of a valid copy of `file`, downloading it into the cache where there is none.

    Raises:
        FileNotFoundError: there is no copy and none can be fetched; the message lists every place tried.
    """
    tried = []
    candidates = places(file.name, cache_dir)
    for path in candidates:
        if not path.is_file():
            tried.append(f"{path}: not there")
        elif file.is_valid(path):
            return path
        else:
            tried.append(f"{path}: there, but not the expected file (its hash differs)")
    target = writable_cache(cache_dir) / "datasets" / file.name
    try:
        download(file.url, target, file.is_valid)
    except (OSError, ValueError) as error:
        tried.append(str(error))
        listing = "\n  ".join(tried)
        raise FileNotFoundError(
            f"The data set file {file.name!r} was not found. Tried:\n  {listing}\n"
            f"Fetch {file.url} where there is a connection and put it at {candidates[0]}, or set "
            f"KERAS_HOME to a directory that has datasets/{file.name}.{' ' * bool(file.hint)}{file.hint}"
        ) from None
    return target


def present(module: ModuleType) -> list[Path]:
    """The files or directories of a data set module that are here, each at the first place that has it."""
    folders = [f"{module.FOLDER}-target", module.FOLDER] if hasattr(module, "FOLDER") else []
    found = [
        next(filter(Path.exists, places(name)), None) for name in (*(f.name for f in module.FILES), *folders)
    ]
    return [path for path in found if path is not None]
