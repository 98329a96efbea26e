from __future__ import annotations

import hashlib
import importlib
import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

import kerasish.datasets

keras = pytest.importorskip("keras")

RANDOM = np.random.RandomState(0)


def ragged(count: int) -> np.ndarray:
    array = np.empty(count, dtype=object)
    array[:] = [RANDOM.randint(1, 60, RANDOM.randint(1, 9)).tolist() for _ in range(count)]
    return array


NPZ = {
    "boston_housing": {"x": RANDOM.rand(30, 13), "y": RANDOM.rand(30)},
    "california_housing": {"x": RANDOM.rand(700, 8), "y": RANDOM.rand(700)},
    "mnist": {
        f"{a}_{part}": RANDOM.randint(0, 9, (3, 2), "uint8") for a in "xy" for part in ("train", "test")
    },
    "imdb": {
        "x_train": ragged(20),
        "y_train": RANDOM.randint(0, 2, 20),
        "x_test": ragged(15),
        "y_test": RANDOM.randint(0, 2, 15),
    },
    "reuters": {"x": ragged(33), "y": RANDOM.randint(0, 46, 33)},
}


@pytest.fixture
def both(tmp_path, monkeypatch):
    """Return a function name → (our module, Keras's module), both reading the same small files."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    root = tmp_path / "datasets"

    def make(name):
        ours = getattr(kerasish.datasets, name)
        theirs = importlib.import_module(f"keras.src.datasets.{name}")
        if name in NPZ:
            path = root / f"{name}.npz"
            path.parent.mkdir()
            np.savez(path, **NPZ[name])
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            monkeypatch.setattr(ours, "FILES", (replace(ours.FILES[0], digest=digest), *ours.FILES[1:]))
            monkeypatch.setattr(theirs, "get_file", lambda *args, **kwargs: str(path))
        else:
            folder = root / f"{ours.FOLDER}-target" / ours.FOLDER
            folder.mkdir(parents=True)
            for file in ("train", "test"):
                data = RANDOM.randint(0, 256, (4, 3072), "uint8")
                batch = {b"data": data, b"fine_labels": [3, 99, 0, 7], b"coarse_labels": [1, 2, 0, 19]}
                (folder / file).write_bytes(pickle.dumps(batch, protocol=3))
            monkeypatch.setattr(theirs, "get_file", lambda *args, **kwargs: str(folder.parent))
        return ours, theirs

    return make


def assert_same(ours, theirs):
    for half, other in zip(ours, theirs, strict=True):
        for mine, its in zip(half, other, strict=True):
            assert mine.shape == its.shape and mine.dtype == its.dtype
            if mine.dtype == object:
                assert mine.tolist() == its.tolist()
            else:
                np.testing.assert_array_equal(mine, its)


WORDS = [
    {},
    {"num_words": 20},
    {"num_words": 20, "skip_top": 5, "oov_char": None},
    {"maxlen": 5, "seed": 7},
    {"start_char": None},
    {"start_char": None, "index_from": 0, "num_words": 30},
    {"start_char": 9, "index_from": 10, "oov_char": 4, "skip_top": 12},
]
CASES = [
    ("mnist", {}),
    ("boston_housing", {}),
    ("boston_housing", {"test_split": 0.0, "seed": 3}),
    ("california_housing", {}),
    ("california_housing", {"version": "small", "test_split": 0.33}),
    ("cifar100", {}),
    ("cifar100", {"label_mode": "coarse"}),
    *(("imdb", arguments) for arguments in WORDS),
    *(("reuters", arguments) for arguments in WORDS),
    ("reuters", {"test_split": 0.5}),
]


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_load_data(both, name, arguments):
    ours, theirs = both(name)
    assert_same(ours.load_data(**arguments), theirs.load_data(**arguments))


def test_reuters_names():
    assert kerasish.datasets.reuters.get_label_names() == keras.datasets.reuters.get_label_names()


@pytest.mark.parametrize("name", ["imdb", "reuters"])
def test_word_index(both, monkeypatch, tmp_path, name):
    ours, theirs = both(name)
    path = tmp_path / "datasets" / ours.FILES[1].name
    path.write_text(json.dumps({"a": 1}))
    digest = hashlib.md5(path.read_bytes()).hexdigest()
    monkeypatch.setattr(ours, "FILES", (ours.FILES[0], replace(ours.FILES[1], digest=digest)))
    monkeypatch.setattr(theirs, "get_file", lambda *args, **kwargs: str(path))
    assert ours.get_word_index() == theirs.get_word_index()
