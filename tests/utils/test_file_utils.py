from __future__ import annotations

import hashlib
import http.server
import io
import os
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest

from kerasish.utils import file_utils
from kerasish.utils.file_utils import download, extract_archive, get_file, hash_file, validate_file

CONTENT = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT with ranges; breaks off after `server.cut` bytes while `server.breaks` lasts."""

    def do_GET(self):
        server = self.server
        server.ranges.append(self.headers.get("Range"))
        if self.path == "/gone":
            self.send_error(404)
            return
        start = 0
        if self.headers.get("Range") and server.with_ranges:
            start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
            if start >= len(CONTENT):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        stop = len(CONTENT)
        if server.breaks > 0:
            server.breaks -= 1
            stop = start + server.cut
        self.wfile.write(CONTENT[start:stop])

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.ranges, server.breaks, server.cut, server.with_ranges = [], 0, 100_000, True
    server.url = f"http://127.0.0.1:{server.server_port}/data.bin"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def is_content(path: Path) -> bool:
    return path.read_bytes() == CONTENT


def test_get_file_downloads_once_and_returns_the_path_in_the_cache(server, home, capsys):
    path = get_file(origin=server.url, file_hash=SHA256)
    assert path == str(home / "datasets" / "data.bin") and is_content(Path(path))
    assert capsys.readouterr().out == f"Downloading data from {server.url}\n"
    assert get_file("data.bin", server.url, file_hash=SHA256) == path
    assert len(server.ranges) == 1
    assert os.listdir(home / "datasets") == ["data.bin"]


@pytest.mark.parametrize(
    "hashes",
    [{"md5_hash": MD5}, {"file_hash": MD5}, {"file_hash": SHA256.upper(), "hash_algorithm": "sha256"}],
)
def test_get_file_takes_each_kind_of_hash(server, home, hashes):
    assert is_content(Path(get_file("x", server.url, cache_subdir="models", **hashes)))


def test_get_file_replaces_a_cached_file_whose_hash_is_wrong(server, home, capsys):
    (home / "datasets").mkdir(parents=True)
    (home / "datasets" / "data.bin").write_bytes(b"old")
    assert is_content(Path(get_file(origin=server.url, file_hash=SHA256)))
    assert "incomplete or outdated" in capsys.readouterr().out


def test_get_file_downloads_again_only_when_forced(server, tmp_path):
    for force in (False, False, True):
        get_file(origin=server.url, cache_dir=tmp_path, force_download=force)
    assert len(server.ranges) == 2


def test_get_file_rejects_what_has_the_wrong_hash(server, home):
    with pytest.raises(ValueError, match="not the expected file"):
        get_file(origin=server.url, file_hash="0" * 64)
    assert os.listdir(home / "datasets") == []


def test_get_file_says_what_the_server_answered(server, home):
    with pytest.raises(OSError, match=r"/gone answered 404"):
        get_file(origin=server.url.replace("data.bin", "gone"))
    assert os.listdir(home / "datasets") == []


def test_get_file_says_that_nobody_answers(home):
    with pytest.raises(OSError, match=r"cannot be reached: .*refused"):
        get_file(origin="http://127.0.0.1:9/data.bin")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "needs `origin`"),
        ({"origin": "http://127.0.0.1"}, "give `fname`"),
        ({"origin": "http://127.0.0.1/a", "fname": "a/b"}, "`cache_dir`"),
    ],
)
def test_get_file_refuses_arguments(home, arguments, message):
    with pytest.raises(ValueError, match=message):
        get_file(**arguments)


def test_get_file_falls_back_to_the_temporary_directory(server, tmp_path, monkeypatch):
    monkeypatch.setattr(file_utils.tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    (tmp_path / "file").touch()
    path = get_file(origin=server.url, cache_dir=tmp_path / "file" / "below")
    assert path == str(tmp_path / "tmp" / ".keras" / "datasets" / "data.bin")


def test_a_connection_that_breaks_is_resumed_at_once(server, tmp_path):
    server.breaks = 2
    download(server.url, tmp_path / "data.bin", is_content)
    assert server.ranges == [None, "bytes=100000-", "bytes=200000-"]
    assert is_content(tmp_path / "data.bin")


def test_a_download_that_failed_is_resumed_by_the_next_call(server, tmp_path):
    server.breaks = 3
    with pytest.raises(OSError, match="broke off 3 times"):
        download(server.url, tmp_path / "data.bin", is_content)
    assert not (tmp_path / "data.bin").exists()
    download(server.url, tmp_path / "data.bin", is_content)
    assert server.ranges[-1] == "bytes=300000-"
    assert os.listdir(tmp_path) == ["data.bin"] and is_content(tmp_path / "data.bin")


def test_without_a_hash_a_failed_download_starts_anew(server, tmp_path):
    server.breaks = 3
    with pytest.raises(OSError, match="broke off"):
        download(server.url, tmp_path / "data.bin")
    assert os.listdir(tmp_path) == []
    download(server.url, tmp_path / "data.bin")
    assert server.ranges[-1] is None and is_content(tmp_path / "data.bin")


@pytest.mark.parametrize("part", [b"another file", CONTENT, CONTENT + b"more"])
@pytest.mark.parametrize("with_ranges", [True, False])
def test_a_partial_file_of_any_content_ends_well(server, tmp_path, part, with_ranges):
    server.with_ranges = with_ranges
    (tmp_path / "data.bin.part").write_bytes(part)
    download(server.url, tmp_path / "data.bin", is_content)
    assert os.listdir(tmp_path) == ["data.bin"] and is_content(tmp_path / "data.bin")


@pytest.mark.parametrize("is_valid", [is_content, None])
def test_downloads_of_one_file_at_a_time_do_not_mix(server, tmp_path, is_valid):
    target = tmp_path / "data.bin"
    threads = [threading.Thread(target=download, args=(server.url, target, is_valid)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert os.listdir(tmp_path) == ["data.bin"] and is_content(target)
    assert len(server.ranges) == (1 if is_valid else 4)


def test_progress_is_one_line_on_a_terminal(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(file_utils.sys.stdout, "isatty", lambda: True, raising=False)
    download(server.url, tmp_path / "data.bin")
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("data.bin  100%  0.5/0.5 MB")


def make_tar(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def make_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("make", "name", "fname", "expected"),
    [
        (make_tar, "set.tar.gz", None, "set.tar.gz"),
        (make_tar, "set.tar.gz", "set.tar.gz", "set_extracted"),
        (make_zip, "set.zip", "set", "set"),
    ],
)
def test_get_file_unpacks_archives(tmp_path, make, name, fname, expected):
    origin = make(tmp_path / name, {"a/b.txt": b"text"}).as_uri()
    path = get_file(fname, origin, extract=True, cache_dir=tmp_path / "home")
    assert path == str(tmp_path / "home" / "datasets" / expected)
    assert (Path(path) / "a" / "b.txt").read_bytes() == b"text"
    (tmp_path / name).unlink()
    assert get_file(fname, origin, untar=True, cache_dir=tmp_path / "home") == path


def test_get_file_refuses_to_unpack_what_is_no_archive(server, home):
    with pytest.raises(ValueError, match="not an archive"):
        get_file("x", server.url, extract=True)


def test_no_member_leaves_the_directory(tmp_path):
    with pytest.raises(tarfile.FilterError):
        extract_archive(make_tar(tmp_path / "bad.tar.gz", {"../outside": b""}), tmp_path / "inside")
    assert extract_archive(make_zip(tmp_path / "bad.zip", {"../outside": b""}), tmp_path / "inside")
    assert not (tmp_path / "outside").exists()


def test_extract_archive_tells_whether_the_format_fits(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {"a": b""})
    assert not extract_archive(archive, tmp_path / "out", "tar")
    assert not extract_archive(archive, tmp_path / "out", None)
    assert extract_archive(archive, tmp_path / "out", ["tar", "zip"])
    with pytest.raises(ValueError, match="'tar', 'zip' or 'auto'"):
        extract_archive(archive, tmp_path / "out", "rar")


def test_hashes(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(CONTENT)
    assert hash_file(path) == SHA256 and hash_file(path, "md5") == MD5
    assert validate_file(path, SHA256) and validate_file(path, MD5) and not validate_file(path, "0" * 32)
    with pytest.raises(ValueError, match="'sha256', 'md5'"):
        hash_file(path, "crc")
