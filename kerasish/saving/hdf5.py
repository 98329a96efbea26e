"""HDF5 files of arrays under paths: `layers/dense/vars/0`, as Keras 3 lays them out, in one file or in several.

Reading trusts nothing: links that leave the file, external and virtual data, and arrays that claim to be far larger
than what the file stores, are refused.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kerasish.errors import format_shape
from kerasish.saving.atomic import replacing, write_text
from kerasish.saving.hdf5_heaps import refuse_endless_heaps

LARGE = 64 * 2**20  # bytes; smaller arrays are read whatever they claim
MOST_EXPANSION = 1000  # what gzip can reach on zeros
SHARD_UNIT = 1024**3


def h5py() -> Any:
    """The module h5py, imported when the first file is read or written."""
    try:
        import h5py
    except ImportError as error:
        raise ImportError("Reading and writing weights needs h5py: `pip install h5py`.") from error
    return h5py


def as_array(value: Any) -> np.ndarray:
    """An array, tensor or number as a NumPy array; bfloat16 becomes float32, which holds its values exactly."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        value = value.float() if value.dtype is torch.bfloat16 else value
        return value.numpy()
    return np.asarray(value)


class Entry:
    """What one layer writes into: `entry["0"] = array`."""

    def __init__(self, writer: Writer, path: str) -> None:
        self._writer = writer
        self._path = path

    def __setitem__(self, key: str, value: Any) -> None:
        self._writer.put(self._path, str(key), as_array(value))


class Writer:
    """Writes one HDF5 file."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def entry(self, path: str, name: str | None = None) -> Entry:
        """The place for the arrays of the object at `path`; `name` is noted there."""
        if name is not None:
            self._group(path).attrs["name"] = name
        return Entry(self, path)

    def put(self, path: str, key: str, value: np.ndarray) -> None:
        """Write one array."""
        self._group(path).create_dataset(key, data=value)

    def _group(self, path: str) -> Any:
        return self._file.require_group(posixpath.join(path, "vars"))


class ShardWriter(Writer):
    """Writes files of limited size beside a JSON file that says which holds what.

    The files take their names when `places` is closed: until then those of an older model stay whole.
    """

    def __init__(self, index: Path, largest: float, places: contextlib.ExitStack) -> None:
        if not largest > 0:
            raise ValueError(f"`max_shard_size` must be a positive number of GiB. Received: {largest!r}")
        self._index = index
        self._largest = largest * SHARD_UNIT
        self._stem = index.stem.replace(".weights", "")
        self._used = self._total = 0
        self._map: dict[str, Any] = {}
        self._names: list[str] = []
        self._attributes: dict[str, str] = {}
        self._places = places
        self._file: Any = None
        self._open_next()

    def _open_next(self) -> None:
        self.close()
        name = f"{self._stem}_{len(self._names):05}.weights.h5"
        unfinished = self._places.enter_context(replacing(self._index.with_name(name)))
        self._file = h5py().File(unfinished, "w")
        self._names.append(name)
        self._used = 0

    def close(self) -> None:
        """Complete the file that is being written."""
        if self._file is not None:
            self._file.close()

    def entry(self, path: str, name: str | None = None) -> Entry:
        if name is not None:
            self._attributes[path] = name
        return super().entry(path, name)

    def put(self, path: str, key: str, value: np.ndarray) -> None:
        if value.nbytes > self._largest:
            raise ValueError(
                f"Array {key!r} of {path or 'the model'!r} has {value.nbytes / SHARD_UNIT:.3g} GiB, more than "
                f"`max_shard_size`. Received: max_shard_size={self._largest / SHARD_UNIT:.3g}"
            )
        if self._used and self._used + value.nbytes > self._largest:
            self._open_next()
            if path in self._attributes:
                super().entry(path, self._attributes[path])
        self._used += value.nbytes
        self._total += value.nbytes
        super().put(path, key, value)
        where, shard = posixpath.join("/", path, "vars"), self._names[-1]
        held = self._map.get(where)
        shards = [] if held is None else [held] if isinstance(held, str) else held
        shards = shards if shard in shards else [*shards, shard]
        self._map[where] = shards[0] if len(shards) == 1 else shards

    def write_index(self) -> None:
        """Write the JSON file."""
        contents = {"metadata": {"total_size": self._total}, "weight_map": self._map}
        write_text(self._index, json.dumps(contents, indent=4))


@contextlib.contextmanager
def new_file(path: str | os.PathLike[str]) -> Iterator[Any]:
    """Context with a new HDF5 file, which takes the place of `path` when it is complete."""
    with _clear_errors(path), replacing(path) as unfinished, h5py().File(unfinished, "w") as file:
        yield file


@contextlib.contextmanager
def _clear_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Context in which a full disk is what HDF5 complains of, not what it could not do next."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        code = re.search(r"errno = (\d+)", str(error))
        if code is None:
            raise
        raise OSError(int(code[1]), os.strerror(int(code[1])), os.fspath(path)) from error


@contextlib.contextmanager
def writing(path: str | os.PathLike[str], max_shard_size: float | None = None) -> Iterator[Writer]:
    """Context with a writer of the file, or files, at `path`, which appear when they are complete."""
    if max_shard_size is None:
        with new_file(path) as file:
            yield Writer(file)
        return
    with _clear_errors(path), contextlib.ExitStack() as places:
        shards = ShardWriter(Path(path), max_shard_size, places)
        with contextlib.closing(shards):
            yield shards
    shards.write_index()


class Store:
    """What one layer reads from: `store["0"]`, `store.keys()`; arrays are read when they are asked for."""

    def __init__(self, path: str, groups: list[Any]) -> None:
        self.path = path
        with damage(path):
            self._group_of = {key: group for group in groups for key in group}
        self._checked: dict[str, Any] = {}

    def keys(self) -> list[str]:
        """The names of the arrays."""
        return list(self._group_of)

    def __len__(self) -> int:
        return len(self._group_of)

    def __iter__(self) -> Iterator[str]:
        return iter(self._group_of)

    def __contains__(self, key: object) -> bool:
        return key in self._group_of

    def shape(self, key: str) -> tuple[int, ...]:
        """The shape that the file claims for an array, without reading it."""
        return tuple(self._dataset(key).shape)

    def __getitem__(self, key: str) -> np.ndarray:
        dataset = self._dataset(key)
        with damage(posixpath.join(self.path, "vars", key)):
            return self._read(dataset)

    def _read(self, dataset: Any) -> np.ndarray:
        claimed = math.prod(dataset.shape) * dataset.dtype.itemsize
        if claimed > LARGE and claimed > MOST_EXPANSION * dataset.id.get_storage_size():
            raise ValueError(
                f"it claims the shape {format_shape(dataset.shape)}, {claimed} bytes, and stores "
                f"{dataset.id.get_storage_size()}."
            )
        if _marks_bfloat16(dataset):
            halves = np.empty(dataset.shape, dataset.dtype)
            dataset.read_direct(halves) if halves.size and halves.ndim else halves.__setitem__(
                (), dataset[()]
            )
            return (halves.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
        return np.asarray(dataset)

    def _dataset(self, key: str) -> Any:
        if key not in self._group_of:
            where = posixpath.join(self.path, "vars", key)
            raise KeyError(f"The file has no {where!r}: it has {self.keys()}.")
        if key not in self._checked:
            dataset = follow(self._group_of[key], key)
            with damage(posixpath.join(self.path, "vars", key)):
                self._check(dataset)
            self._checked[key] = dataset
        return self._checked[key]

    def _check(self, dataset: Any) -> None:
        if not isinstance(dataset, h5py().Dataset) or dataset.shape is None:
            raise ValueError(f"an array is expected. Received: {type(dataset).__name__}")
        if dataset.external or dataset.is_virtual:
            raise ValueError("it keeps its values in another file, which is refused.")
        if dataset.dtype.kind not in "biufc" and not _marks_bfloat16(dataset):
            raise ValueError(f"numbers are expected. Received: dtype {dataset.dtype}")


def _marks_bfloat16(dataset: Any) -> bool:
    mark = dataset.attrs.get("dtype")
    mark = mark.decode() if isinstance(mark, bytes) else mark
    return isinstance(mark, str) and mark == "bfloat16" and dataset.dtype.itemsize == 2


def follow(group: Any, name: str) -> Any:
    """The member of that name, or None; links to elsewhere are refused."""
    where = posixpath.join(group.name, name)
    with damage(where):
        link = group.get(name, getlink=True)
    if link is None:
        return None
    if not isinstance(link, h5py().HardLink):
        raise ValueError(f"{where!r} is a {type(link).__name__} to elsewhere, which is refused.")
    with damage(where):
        return group[name]


@contextlib.contextmanager
def damage(where: str) -> Iterator[None]:
    """Context in which what HDF5 finds wrong becomes one kind of error."""
    try:
        yield
    except (KeyError, OSError, OverflowError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError(f"{where!r} cannot be read, the file is damaged: {error}") from error


class Reader:
    """Reads one HDF5 file."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._found: dict[tuple[Any, str], Any] = {}

    def store(self, path: str) -> Store | None:
        """The arrays of the object at `path`, or None where the file has no such place."""
        group = self._find(self._file, posixpath.join(path, "vars"))
        if group is None:
            return None
        return Store(path, [group])

    def _find(self, file: Any, path: str) -> Any:
        if not path:
            return file
        if (file, path) not in self._found:
            above, _, name = path.rpartition("/")
            group = self._find(file, above)
            found = None if group is None else follow(group, name)
            if found is not None and not isinstance(found, h5py().Group):
                raise ValueError(f"{path!r} must be a group of the file. Received: {type(found).__name__}")
            self._found[file, path] = found
        return self._found[file, path]

    def size(self) -> int:
        """How many bytes of arrays there can be at most."""
        return stored_bytes(self._file)


class ShardReader(Reader):
    """Reads the files that `ShardWriter` wrote."""

    def __init__(self, index: Path, opened: contextlib.ExitStack) -> None:
        self._directory = index.parent
        self._opened = opened
        self._files: dict[str, Any] = {}
        self._found = {}
        try:
            self._map = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
            names = {n for held in self._map.values() for n in ([held] if isinstance(held, str) else held)}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"{str(index)!r} is not an index of weight files: {error}") from error
        for name in names:
            if not isinstance(name, str) or name in ("", ".", "..") or set(name) & set("/\\:\0"):
                raise ValueError(f"{str(index)!r} names a file elsewhere, which is refused: {name!r}")

    def size(self) -> int:
        held = {n for names in self._map.values() for n in ([names] if isinstance(names, str) else names)}
        return sum(stored_bytes(self._file(name)) for name in held)

    def store(self, path: str) -> Store | None:
        where = posixpath.join(path, "vars")
        held = self._map.get("/" + where)
        if held is None:
            return None
        groups = [self._find(self._file(name), where) for name in ([held] if isinstance(held, str) else held)]
        return Store(path, [group for group in groups if group is not None])

    def _file(self, name: str) -> Any:
        if name not in self._files:
            self._files[name] = self._opened.enter_context(opened_file(self._directory / name))
        return self._files[name]


@contextlib.contextmanager
def reading(source: Any) -> Iterator[Reader]:
    """Context with a reader of a path (of an HDF5 file, or of a JSON file naming several) or of an open file."""
    with contextlib.ExitStack() as opened:
        if isinstance(source, (str, os.PathLike)) and str(source).endswith(".json"):
            yield ShardReader(Path(source), opened)
        else:
            yield Reader(opened.enter_context(opened_file(source)))


def stored_bytes(file: Any) -> int:
    """How many bytes of arrays the file can hold at most: what it claims, as far as what it stores allows."""
    total = 0

    def add(name: str, item: Any) -> None:
        nonlocal total
        if isinstance(item, h5py().Dataset) and item.shape is not None:
            claimed = math.prod(item.shape) * item.dtype.itemsize
            total += min(claimed, MOST_EXPANSION * item.id.get_storage_size())

    with damage("The file"):
        file.visititems(add)
    return total


def opened_file(source: Any) -> Any:
    """The HDF5 file, open for reading."""
    try:
        refuse_endless_heaps(source)
        return h5py().File(source, "r")
    except FileNotFoundError as error:
        raise FileNotFoundError(f"There is no file {str(source)!r}.") from error
    except (
        OSError,
        OverflowError,
        ValueError,
    ) as error:  # h5py overflows where a damaged file gives absurd sizes
        name = repr(str(source)) if isinstance(source, (str, os.PathLike)) else "The weights"
        raise ValueError(
            f"{name} cannot be read as an HDF5 file, it is damaged or another kind: {error}"
        ) from error


NOTES = "_notes"  # a text beside the arrays, which Keras does not look for


def is_hdf5(path: str | os.PathLike[str]) -> bool:
    """Whether the file is of that kind."""
    return bool(h5py().is_hdf5(path))


def attach(path: str | os.PathLike[str], text: str) -> None:
    """Put a text into an HDF5 file."""
    with h5py().File(path, "a") as file:
        file.create_dataset(NOTES, data=np.frombuffer(text.encode(), np.uint8))
    with open(path, "rb+") as written:
        os.fsync(written.fileno())


def attached(path: str | os.PathLike[str]) -> str | None:
    """The text that `attach` put into the file, or None."""
    with opened_file(path) as file:
        if follow(file, NOTES) is None:
            return None
        return Store("", [file])[NOTES].astype(np.uint8).tobytes().decode()
