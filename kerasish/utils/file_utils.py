"""Files from the network: downloaded into the cache, resumed, checked, unpacked, put in place in one step."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import logging
import os
import shutil
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from kerasish.config import is_interactive_logging_enabled, keras_home

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

CHUNK = 1 << 16
ATTEMPTS = 3
TIMEOUT = 30.0  # seconds without a byte


def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | list[str] | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """Return the path of a file in the cache, after downloading it from `origin` where it is not there.

    The file lies at `<cache_dir>/<cache_subdir>/<fname>`. A download appears there only when it is complete
    and its hash is right; with a hash given, one that broke off is resumed by the next call.

    Args:
        fname: file name; the last part of `origin` by default. With `extract`, the directory to unpack into.
        origin: URL of the file.
        untar: older spelling of `extract`.
        md5_hash: older spelling of `file_hash` with `hash_algorithm="md5"`.
        file_hash: expected hash, hexadecimal.
        cache_subdir: directory below `cache_dir`, or an absolute path.
        hash_algorithm: `"sha256"`, `"md5"` or `"auto"` (by the length of the hash).
        extract: unpack the archive and return the directory that holds its members.
        archive_format: `"tar"`, `"zip"`, a list of them, or `"auto"` for both.
        cache_dir: `$KERAS_HOME` or `~/.keras` by default.
        force_download: download even where the file is there.

    Raises:
        OSError: the file cannot be fetched.
        ValueError: the hash differs, or the file is not an archive.
    """
    if origin is None:
        raise ValueError("get_file needs `origin`, the URL of the file. Received: origin=None")
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    given = os.fspath(fname) if fname else ""
    name = given or Path(urllib.parse.urlsplit(origin).path).name
    if not name:
        raise ValueError(f"The URL names no file: give `fname`. Received: origin={origin!r}")
    if os.sep in name:
        raise ValueError(
            f"`fname` is a file name; directories go into `cache_dir`. Received: fname={fname!r}"
        )

    directory = writable_cache(cache_dir) / cache_subdir
    target, unpacked = directory / name, None
    if extract or untar:
        if given and "." in given:
            unpacked = directory / f"{given.partition('.')[0]}_extracted"
        else:
            target, unpacked = directory / f"{name}_archive", directory / name

    def is_valid(path: Path) -> bool:
        return file_hash is None or validate_file(path, file_hash, hash_algorithm)

    fresh = force_download or not target.exists()
    if not fresh and not is_valid(target):
        say(f"{target} is incomplete or outdated (its hash is not {file_hash}): downloading it again.")
        fresh = True
    if fresh:
        download(origin, target, is_valid if file_hash else None, again=force_download)
    if unpacked is None:
        return str(target)
    if fresh or not unpacked.is_dir():
        unpack(target, unpacked, archive_format)
    return str(unpacked)


def writable_cache(cache_dir: str | os.PathLike[str] | None = None) -> Path:
    """`cache_dir`, `$KERAS_HOME` or `~/.keras`, or where that cannot be written, the temporary `.keras`."""
    base = Path(cache_dir).expanduser() if cache_dir else keras_home()
    with contextlib.suppress(OSError):
        base.mkdir(parents=True, exist_ok=True)
    return base if os.access(base, os.W_OK) else Path(tempfile.gettempdir()) / ".keras"


def hash_file(fpath: str | os.PathLike[str], algorithm: str = "sha256") -> str:
    """The hexadecimal `"sha256"` or `"md5"` hash of a file."""
    if algorithm not in ("sha256", "md5"):
        raise ValueError(f"The hash algorithm must be 'sha256', 'md5' or 'auto'. Received: {algorithm!r}")
    digest = hashlib.new(algorithm, usedforsecurity=algorithm != "md5")
    with Path(fpath).open("rb") as stream:
        while block := stream.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()


def validate_file(fpath: str | os.PathLike[str], file_hash: str, algorithm: str = "auto") -> bool:
    """Whether a file has that hash; `"auto"` takes 64 digits for SHA-256 and fewer for MD5."""
    if algorithm == "auto":
        algorithm = "sha256" if len(file_hash) == 64 else "md5"
    return hash_file(fpath, algorithm) == file_hash.lower()


def download(
    url: str, target: Path, is_valid: Callable[[Path], bool] | None = None, again: bool = False
) -> None:
    """Fetch `url` to `target`, through `<target>.part` and one rename.

    Several processes may ask for the same file: one downloads, the others wait for it. Without `is_valid`
    nothing can tell a good continuation from a bad one, so a broken download then starts from its beginning.

    Raises:
        OSError: `url` cannot be fetched.
        ValueError: what was fetched is not valid.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    with _alone(part) as stream:
        if is_valid is None or again:
            stream.truncate(0)
        elif target.exists() and is_valid(target):
            part.unlink()
            return
        begun = _size(stream) > 0
        try:
            if not (begun and is_valid is not None and is_valid(part)):
                say(f"Downloading data from {url}")
                _fetch_patiently(url, stream)
            if begun and is_valid is not None and not is_valid(part):
                stream.truncate(0)
                _fetch_patiently(url, stream)
        except OSError:
            if is_valid is None or not _size(stream):
                part.unlink()
            raise
        if is_valid is not None and not is_valid(part):
            part.unlink()
            raise ValueError(f"What {url} sent is not the expected file: its hash differs. Nothing was kept.")
        if fcntl is None:
            stream.close()
        os.replace(part, target)


@contextlib.contextmanager
def _alone(part: Path) -> Iterator[IO[bytes]]:
    """Open `part` for appending while no other process does; if it was renamed meanwhile, open a new one."""
    while True:
        with part.open("ab") as stream:
            if fcntl is not None:
                fcntl.flock(stream, fcntl.LOCK_EX)
            if part.exists() and os.path.samestat(os.fstat(stream.fileno()), part.stat()):
                yield stream
                return


def _size(stream: IO[bytes]) -> int:
    stream.flush()
    return os.fstat(stream.fileno()).st_size


def _fetch_patiently(url: str, stream: IO[bytes]) -> None:
    """Fetch `url` onto the end of `stream`; a connection that breaks is taken up again where it broke."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _fetch(url, stream)
            return
        except urllib.error.HTTPError as error:
            raise OSError(f"{url} answered {error.code} {error.reason}") from error
        except urllib.error.URLError as error:
            raise OSError(f"{url} cannot be reached: {error.reason}") from error
        except (ConnectionError, TimeoutError, http.client.HTTPException) as error:
            if attempt == ATTEMPTS:
                raise OSError(f"{url} broke off {ATTEMPTS} times, last with: {error}") from error


def _fetch(url: str, stream: IO[bytes]) -> None:
    offset = _size(stream)
    request = urllib.request.Request(url, headers={"Range": f"bytes={offset}-"} if offset else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not offset:
            raise
        error.close()
        stream.truncate(0)
        _fetch(url, stream)
        return
    with response:
        if not str(response.headers.get("Content-Range", "")).startswith(f"bytes {offset}-"):
            stream.truncate(0)
            offset = 0
        length = response.headers.get("Content-Length")
        total = offset + int(length) if length else None
        progress = _Progress(Path(urllib.parse.urlsplit(url).path).name, total)
        while block := response.read(CHUNK):
            stream.write(block)
            offset += len(block)
            progress.update(offset)
        progress.close()
        stream.flush()
    if total is not None and offset < total:
        raise ConnectionError(f"{offset} of {total} bytes came")


class _Progress:
    """One line, rewritten: `mnist.npz  45%  5.2/11.5 MB  3.1 MB/s`; silent where there is no terminal."""

    def __init__(self, name: str, total: int | None) -> None:
        self.name, self.total = name, total
        self.shown = is_interactive_logging_enabled() and sys.stdout.isatty()
        self.start = self.last = time.monotonic()
        self.first: int | None = None

    def update(self, done: int) -> None:
        now = time.monotonic()
        if self.first is None:
            self.first = done
        if not self.shown or (now - self.last < 0.1 and done != self.total):
            return
        self.last = now
        rate = (done - self.first) / max(now - self.start, 1e-9) / 1e6
        share = (
            f"{done / self.total:4.0%}  {done / 1e6:.1f}/{self.total / 1e6:.1f}"
            if self.total
            else f"{done / 1e6:.1f}"
        )
        sys.stdout.write(f"\r{self.name}  {share} MB  {rate:.1f} MB/s ")
        sys.stdout.flush()

    def close(self) -> None:
        if self.shown:
            sys.stdout.write("\n")


def extract_archive(
    file_path: str | os.PathLike[str],
    path: str | os.PathLike[str] = ".",
    archive_format: str | list[str] | None = "auto",
) -> bool:
    """Unpack a tar or zip file into `path`; return whether it was one of the formats asked for.

    Raises:
        tarfile.FilterError: a member would land outside `path`.
    """
    formats = ["tar", "zip"] if archive_format == "auto" else archive_format or []
    for kind in [formats] if isinstance(formats, str) else formats:
        if kind not in ("tar", "zip"):
            raise ValueError(f"`archive_format` must be 'tar', 'zip' or 'auto'. Received: {archive_format!r}")
        if kind == "tar" and tarfile.is_tarfile(file_path):
            if not hasattr(tarfile, "data_filter"):
                raise RuntimeError("Unpacking a tar file safely needs Python 3.10.12, 3.11.4 or later.")
            with tarfile.open(file_path) as archive:
                archive.extractall(path, filter="data")
            return True
        if kind == "zip" and zipfile.is_zipfile(file_path):
            with zipfile.ZipFile(file_path) as archive:
                archive.extractall(path)
            return True
    return False


def unpack(archive: Path, directory: Path, archive_format: Any = "auto") -> None:
    """Unpack `archive` into a new `directory`, which appears only when all members are out."""
    with tempfile.TemporaryDirectory(dir=directory.parent) as scratch:
        content = Path(scratch) / "content"
        if not extract_archive(archive, content, archive_format):
            raise ValueError(
                f"{archive} is not an archive of the format asked for. Received: {archive_format!r}"
            )
        if directory.exists():
            shutil.rmtree(directory)
        os.replace(content, directory)


def say(message: str) -> None:
    """Print a message, or log it where interactive logging is disabled."""
    if is_interactive_logging_enabled():
        print(message)
    else:
        logging.getLogger("kerasish").info(message)
