"""Damaged weights files and archives of Keras 2: clean errors only."""

from __future__ import annotations

import json
import random
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kerasish as keras
from kerasish import layers

CLEAN = (ValueError, TypeError, OSError)
FILES = Path(__file__).parents[2] / "compat" / "legacy_files"
# the same examples each time: HDF5 itself, in C, ends the process on a few damaged files in a thousand
QUICK = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
ODD = [None, True, -1, 10**12, 1e308, "", "x", "os", [], {}, [[10**7, 10**7]],
       {"class_name": "Dense", "config": {"units": 10**9}}, [["x", 99, 0, {}]]]  # fmt: skip


def make():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.BatchNormalization()])
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_weights)
    return model


def refuses_cleanly(read, path):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read(path)
    except CLEAN as error:
        assert str(error)


@pytest.mark.parametrize("ending", [".weights.h5", ".safetensors", ".h5"])
@QUICK
@given(seed=st.integers(0, 2**32))
def test_weights(tmp_path, ending, seed):
    draw = random.Random(seed)
    model, path = make(), tmp_path / f"good{ending}"
    if not path.exists():
        model.save_weights(path)
    data = bytearray(path.read_bytes())
    for _ in range(draw.randint(1, 20)):
        data[draw.randrange(len(data))] = draw.choice([0, 255, draw.randrange(256)])
    damaged = tmp_path / f"damaged{ending}"
    damaged.write_bytes(data[: draw.randrange(len(data))] if draw.random() < 0.2 else data)
    refuses_cleanly(model.load_weights, damaged)


@QUICK
@given(seed=st.integers(0, 2**32))
def test_configs_in_archives_of_keras_2(tmp_path, seed):
    draw = random.Random(seed)
    with zipfile.ZipFile(
        FILES / f"{draw.choice(['functional', 'mixed', 'optimizer_Nadam_new'])}.keras"
    ) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    place = config = json.loads(members["config.json"])
    while True:
        key = draw.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if not isinstance(place[key], (dict, list)) or not place[key] or draw.random() < 0.15:
            place[key] = draw.choice(ODD)
            break
        place = place[key]
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        for name, data in {**members, "config.json": json.dumps(config)}.items():
            archive.writestr(name, data)
    refuses_cleanly(keras.models.load_model, tmp_path / "m.keras")


@pytest.mark.parametrize("without_meaning", [bytes(3), b"xyz"])
def test_a_heap_in_which_hdf5_would_stay_for_ever(tmp_path, without_meaning):
    data = bytearray((FILES / "lambda.h5").read_bytes())
    heap = data.index(b"GCOL")
    data[heap + 5 : heap + 8] = without_meaning
    data[heap + 16 : heap + 32] = bytes(16)
    (tmp_path / "m.h5").write_bytes(data)
    for read in (keras.models.load_model, make().load_weights):
        with pytest.raises(ValueError, match="an object of a heap of texts has no size"):
            read(tmp_path / "m.h5")
