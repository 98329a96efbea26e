from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import pickle
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kerasish import config
from kerasish.datasets import (
    boston_housing,
    california_housing,
    cifar,
    cifar10,
    cifar100,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)
from kerasish.datasets.locate import DataFile, locate

NOWHERE = "http://127.0.0.1:9/"
SYSTEM_FASHION = Path("/usr/share/datasets/fashion-mnist")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty cache, no system copies, and no network."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("kerasish.datasets.locate.SYSTEM_DIRECTORIES", (tmp_path / "share" / "datasets",))
    (tmp_path / "datasets").mkdir()
    return tmp_path


def adopt(monkeypatch, module, *paths: Path, url: str = NOWHERE) -> None:
    """Let `module` know the given files by their hashes."""
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    files = [replace(file, digest=d, url=url) for file, d in zip(module.FILES, digests, strict=False)]
    monkeypatch.setattr(module, "FILES", (*files, *module.FILES[len(files) :]))


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.tobytes()


@pytest.mark.skipif(not SYSTEM_FASHION.is_dir(), reason="needs Debian's package dataset-fashion-mnist")
def test_fashion_mnist_is_the_real_one(monkeypatch, home):
    monkeypatch.setattr("kerasish.datasets.locate.SYSTEM_DIRECTORIES", (SYSTEM_FASHION.parent,))
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    assert x_train.shape == (60000, 28, 28) and x_test.shape == (10000, 28, 28)
    assert {a.dtype.name for a in (x_train, y_train, x_test, y_test)} == {"uint8"}
    assert np.bincount(y_train).tolist() == [6000] * 10 and np.bincount(y_test).tolist() == [1000] * 10
    assert y_train[5000] == 4 and y_test[:3].tolist() == [9, 2, 1]
    assert x_train.mean() / 255 == pytest.approx(0.2860, abs=1e-4)
    assert x_train.flags.writeable
    assert os.listdir(home / "datasets") == []


def test_fashion_mnist_from_the_cache_however_it_is_packed(monkeypatch, home):
    arrays = [
        np.arange(n, dtype="uint8").reshape(shape)
        for n, shape in [(12, (3, 2, 2)), (3, 3), (4, (1, 2, 2)), (1, 1)]
    ]
    files = []
    for file, array in zip(fashion_mnist.FILES, arrays, strict=True):
        path = home / "datasets" / file.name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress(idx(array), compresslevel=len(files)))
        files.append(replace(file, digest=hashlib.sha256(idx(array)).hexdigest()))
    monkeypatch.setattr(fashion_mnist, "FILES", tuple(files))
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    for got, expected in zip((x_train, y_train, x_test, y_test), arrays, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_an_idx_file_must_be_one(home):
    path = home / "x.gz"
    path.write_bytes(gzip.compress(b"\x00\x00\x0d\x01"))
    with pytest.raises(ValueError, match="not an IDX file of unsigned bytes"):
        fashion_mnist.read_idx(path)


@pytest.mark.parametrize(
    "broken",
    [b"", b"no gzip", gzip.compress(b"other"), gzip.compress(b"x" * 99)[:-9]],
    ids=["empty", "no gzip", "other content", "cut off"],
)
def test_a_broken_copy_is_passed_over(home, broken):
    for directory, content in [
        (home / "datasets", broken),
        (home / "share" / "datasets", gzip.compress(b"right")),
    ]:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "a.gz").write_bytes(content)
    file = DataFile("a.gz", NOWHERE, hashlib.sha256(b"right").hexdigest())
    assert locate(file) == home / "share" / "datasets" / "a.gz"


def test_when_nothing_can_be_reached_the_error_lists_what_was_tried(monkeypatch, home):
    monkeypatch.setattr(mnist, "FILES", (replace(mnist.FILES[0], url=NOWHERE + "mnist.npz"),))
    (home / "datasets" / "mnist.npz").write_bytes(b"half of it")
    with pytest.raises(FileNotFoundError) as caught:
        mnist.load_data()
    message = str(caught.value)
    for part in (
        f"{home}/datasets/mnist.npz: there, but not the expected file",
        f"{home}/share/datasets/mnist.npz: not there",
        f"{NOWHERE}mnist.npz cannot be reached",
        f"put it at {home}/datasets/mnist.npz, or set KERAS_HOME",
    ):
        assert part in message
    assert (home / "datasets" / "mnist.npz").read_bytes() == b"half of it"


def test_the_error_for_fashion_mnist_names_the_package(monkeypatch):
    monkeypatch.setattr(fashion_mnist, "FILES", tuple(replace(f, url=NOWHERE) for f in fashion_mnist.FILES))
    with pytest.raises(FileNotFoundError, match="apt install dataset-fashion-mnist"):
        fashion_mnist.load_data()


def test_what_is_missing_is_downloaded_into_the_cache(monkeypatch, home):
    source = home / "source.npz"
    np.savez(source, x_train=[[1]], y_train=[2], x_test=[[3]], y_test=[4])
    adopt(monkeypatch, mnist, source, url=source.as_uri())
    (x_train, _), (_, y_test) = mnist.load_data()
    assert x_train.tolist() == [[1]] and y_test.tolist() == [4]
    assert os.listdir(home / "datasets") == ["mnist.npz"]
    source.unlink()
    assert mnist.load_data("mnist.npz")[0][1].tolist() == [2]
    assert mnist.load_data(cache_dir=home)[0][1].tolist() == [2]


def test_path_is_a_file_name():
    with pytest.raises(ValueError, match="set KERAS_HOME"):
        mnist.load_data("/data/mnist.npz")


def save_housing(path: Path, rows: int) -> Path:
    np.savez(path, x=np.arange(2.0 * rows).reshape(rows, 2), y=np.arange(float(rows)))
    return path


def test_boston_housing_is_shuffled_and_split(monkeypatch, home):
    adopt(monkeypatch, boston_housing, save_housing(home / "datasets" / "boston_housing.npz", 20))
    (x_train, y_train), (_, y_test) = boston_housing.load_data(test_split=0.3)
    assert x_train.shape == (14, 2) and y_test.shape == (6,)
    assert sorted([*y_train, *y_test]) == list(range(20))
    np.testing.assert_array_equal(x_train[:, 0], 2 * y_train)
    assert boston_housing.load_data(seed=1)[0][1].tolist() != boston_housing.load_data(seed=2)[0][1].tolist()
    for test_split in (-0.1, 1):
        with pytest.raises(ValueError, match="at least 0 and below 1"):
            boston_housing.load_data(test_split=test_split)


def test_california_housing_small_is_the_first_600_rows(monkeypatch, home):
    adopt(monkeypatch, california_housing, save_housing(home / "datasets" / "california_housing.npz", 700))
    (_, y_train), (_, y_test) = california_housing.load_data("small")
    assert sorted([*y_train, *y_test]) == list(range(600))
    assert len(california_housing.load_data()[0][0]) == 560
    with pytest.raises(ValueError, match="'small' or 'large'"):
        california_housing.load_data("medium")


def make_cifar_archive(path: Path, folder: str, batches: dict[str, dict[bytes, object]]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, batch in batches.items():
            content = pickle.dumps(batch, protocol=3)
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def pictures(count: int, value: int) -> np.ndarray:
    red = np.full((count, 1024), value, "uint8")
    return np.concatenate([red, red + 1, red + 2], axis=1)


def test_cifar10_from_the_archive_then_from_the_directory(monkeypatch, home):
    names = [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]
    batches = {name: {b"data": pictures(2, 10 * i), b"labels": [i, i]} for i, name in enumerate(names)}
    archive = home / "datasets" / "cifar-10-batches-py-target_archive"
    adopt(monkeypatch, cifar10, make_cifar_archive(archive, cifar10.FOLDER, batches))
    for _ in range(2):
        (x_train, y_train), (x_test, y_test) = cifar10.load_data()
        assert x_train.shape == (10, 32, 32, 3) and x_train.dtype == "uint8" and y_train.dtype == "uint8"
        assert y_train.ravel().tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4] and y_train.shape == (10, 1)
        assert x_test[0, 5, 7].tolist() == [50, 51, 52] and y_test.tolist() == [[5], [5]]
        archive.unlink(missing_ok=True)
    monkeypatch.setattr(config._settings, "image_data_format", "channels_first")
    assert cifar10.load_data()[0][0].shape == (10, 3, 32, 32)


def test_cifar100_from_the_directory_that_keras_2_made(home):
    folder = home / "datasets" / "cifar-100-python"
    folder.mkdir()
    for name in ("train", "test"):
        batch = {b"data": pictures(3, 7), b"fine_labels": [90, 91, 92], b"coarse_labels": [1, 2, 3]}
        (folder / name).write_bytes(pickle.dumps(batch))
    assert cifar100.load_data()[0][1].tolist() == [[90], [91], [92]]
    assert cifar100.load_data("coarse")[1][1].tolist() == [[1], [2], [3]]
    with pytest.raises(ValueError, match="'fine' or 'coarse'"):
        cifar100.load_data("all")


def test_a_cifar_batch_cannot_run_code(home):
    class Attack:
        def __reduce__(self):
            return os.mkdir, (str(home / "broken_in"),)

    (home / "batch").write_bytes(pickle.dumps({b"data": Attack()}))
    with pytest.raises(pickle.UnpicklingError, match="arrays only"):
        cifar.load_batch(home / "batch")
    assert not (home / "broken_in").exists()


def ragged(*sequences: list[int]) -> np.ndarray:
    array = np.empty(len(sequences), dtype=object)
    array[:] = sequences
    return array


def test_imdb_marks_limits_and_drops_words(monkeypatch, home):
    path = home / "datasets" / "imdb.npz"
    np.savez(
        path, x_train=ragged([1, 5], [2, 9, 3]), y_train=[0, 1], x_test=ragged([4], [7, 7]), y_test=[1, 0]
    )
    adopt(monkeypatch, imdb, path)

    def texts(**arguments):
        (x_train, y_train), (x_test, y_test) = imdb.load_data(**arguments)
        assert x_train.dtype == object and len(x_train) == len(y_train) and len(x_test) == len(y_test)
        return sorted([*x_train]), sorted([*x_test])

    assert texts(num_words=100) == ([[1, 4, 8], [1, 5, 12, 6]], [[1, 7], [1, 10, 10]])
    assert texts(num_words=8) == ([[1, 4, 2], [1, 5, 2, 6]], [[1, 2, 2], [1, 7]])
    assert texts(nb_words=8, oov_char=None) == ([[1, 4], [1, 5, 6]], [[1], [1, 7]])
    assert texts(num_words=100, start_char=None, index_from=0, skip_top=3) == (
        [[2, 5], [2, 9, 3]],
        [[4], [7, 7]],
    )
    assert texts(num_words=100, maxlen=4) == ([[1, 4, 8]], [[1, 7], [1, 10, 10]])
    with pytest.raises(ValueError, match="increase `maxlen`"):
        imdb.load_data(maxlen=2)
    with pytest.raises(TypeError, match="num_word"):
        imdb.load_data(num_word=3)


def test_reuters_is_split(monkeypatch, home):
    path = home / "datasets" / "reuters.npz"
    np.savez(path, x=ragged(*([n, n] for n in range(1, 11))), y=np.arange(10))
    adopt(monkeypatch, reuters, path)
    (x_train, y_train), (x_test, _) = reuters.load_data(num_words=99)
    assert len(x_train) == len(y_train) == 8 and len(x_test) == 2
    assert all(words == [1, label + 4, label + 4] for words, label in zip(x_train, y_train, strict=True))
    assert len(reuters.get_label_names()) == 46


@pytest.mark.parametrize("module", [imdb, reuters])
def test_word_index(monkeypatch, home, module):
    path = home / "datasets" / module.FILES[1].name
    path.write_text(json.dumps({"the": 1, "été": 2}, ensure_ascii=False), encoding="utf-8")
    digest = hashlib.md5(path.read_bytes()).hexdigest()
    monkeypatch.setattr(module, "FILES", (module.FILES[0], replace(module.FILES[1], digest=digest)))
    assert module.get_word_index() == {"the": 1, "été": 2}
