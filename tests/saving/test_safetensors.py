"""Weights in safetensors files."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

import kerasish as keras
from kerasish import layers

safetensors = pytest.importorskip("safetensors.torch")


def model_of(units=3):
    x = keras.Input((4,))
    shared = layers.Dense(4, name="shared")
    y = layers.BatchNormalization(name="norm")(shared(shared(x)))
    return keras.Model(x, layers.Dense(units, name="head")(y), name="net")


def test_round_trip(tmp_path):
    path = tmp_path / "model.safetensors"
    model, twin = model_of(), model_of()
    model.save_weights(path)
    twin.load_weights(path)
    assert all(torch.equal(a, b) for a, b in zip(model.weights, twin.weights, strict=True))
    stored = safetensors.load_file(path)
    assert stored.keys() == model.state_dict().keys()
    safetensors.save_file({key: value * 2 for key, value in stored.items()}, path)
    twin.load_weights(path)
    torch.testing.assert_close(twin.get_layer("head").kernel, model.get_layer("head").kernel * 2)


def test_dtypes_are_kept(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, dtype="bfloat16")])
    model.save_weights(tmp_path / "model.safetensors")
    assert {x.dtype for x in safetensors.load_file(tmp_path / "model.safetensors").values()} == {
        torch.bfloat16
    }
    kernel = model.layers[0].kernel.detach().clone()
    model.layers[0].kernel.assign(torch.zeros_like(kernel))
    model.load_weights(tmp_path / "model.safetensors")
    assert torch.equal(model.layers[0].kernel, kernel)


def test_what_does_not_fit(tmp_path):
    path = str(tmp_path / "model.safetensors")
    model_of(5).save_weights(path)
    model = model_of()
    before = [weight.detach().clone() for weight in model.weights]
    with pytest.raises(
        ValueError, match=r"2 weight\(s\) of model 'net' do not fit(.|\n)*must have shape \(4, 3\)"
    ):
        model.load_weights(path)
    assert all(torch.equal(a, b) for a, b in zip(model.weights, before, strict=True))
    with pytest.warns(UserWarning, match=r"They keep their values"):
        model.load_weights(path, skip_mismatch=True)
    assert not torch.equal(model.weights[0], before[0])
    with pytest.raises(FileNotFoundError, match=r"There is no file"):
        model.load_weights(str(tmp_path / "none.safetensors"))
    with pytest.raises(ValueError, match=r"objects_to_skip"):
        model.load_weights(path, objects_to_skip=[model.layers[1]])


@pytest.mark.parametrize(
    "content", [b"", b"12345678", b"\xff" * 64, b"\x10" + b"\0" * 7 + b'{"a": 3, "b": 1}']
)
def test_damaged_files(content, tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged"):
        model_of().load_weights(path)


MEASURE = """
import os, sys, threading, time
import torch
import kerasish as keras
from kerasish import layers

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def extra(function):
    base = resident()
    peak, going = [base], [True]
    def watch():
        while going[0]:
            peak[0] = max(peak[0], resident())
            time.sleep(0.001)
    watcher = threading.Thread(target=watch)
    watcher.start()
    function()
    going[0] = False
    watcher.join()
    return peak[0] - base

units = 1600
stack = [layers.Dense(units, use_bias=False) for _ in range(20)]
model = keras.Sequential([keras.Input((units,)), *stack])
largest = units * units * 4
small = keras.Sequential([keras.Input((2,)), layers.Dense(2)])
directory = sys.argv[1]
for ending in (".weights.h5", ".safetensors", ".keras"):
    path = os.path.join(directory, "model" + ending)
    first = os.path.join(directory, "small" + ending)
    for net, name in ((small, first), (model, path)):  # the small one loads the packages
        save = (lambda: net.save(name)) if ending == ".keras" else (lambda: net.save_weights(name))
        saving, loading = extra(save), extra(lambda: net.load_weights(name))
    print(ending, saving / largest, loading / largest)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_writing_and_reading_200_MB_takes_little_more_than_the_largest_tensor(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    assert len(rows) == 3, done.stderr
    for ending, saving, loading in rows:
        assert float(saving) < 1.5 and float(loading) < 1.5, (ending, saving, loading)
