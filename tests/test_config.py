"""Global settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import torch

import kerasish as keras
from kerasish import config


@pytest.fixture(autouse=True)
def settings(monkeypatch):
    """Every test gets its own copy of the settings."""
    fresh = config._Settings()
    fresh.__dict__.update(config._settings.__dict__)
    monkeypatch.setattr(config, "_settings", fresh)


@pytest.mark.parametrize("name", config.FLOATX_CHOICES)
def test_floatx(name):
    config.set_floatx(name)
    assert config.floatx() == name
    assert keras.layers.Dense(2).variable_dtype == name
    assert keras.Variable("zeros", (2,)).dtype is getattr(torch, name)


def test_wrong_floatx():
    with pytest.raises(ValueError, match=r"Unknown `floatx`.*Received: 'int8'"):
        config.set_floatx("int8")


def test_epsilon():
    config.set_epsilon(1e-3)
    assert config.epsilon() == 1e-3


def test_image_data_format():
    config.set_image_data_format("channels_first")
    assert config.image_data_format() == "channels_first"
    assert config.standardize_data_format("CHANNELS_LAST") == "channels_last"
    with pytest.raises(ValueError, match=r"`data_format` must be 'channels_first' or 'channels_last'"):
        config.set_image_data_format("channels")


def test_backend():
    assert config.backend() == "torch"
    config.set_backend("torch")
    with pytest.raises(ValueError, match=r"runs on PyTorch only.*Received: 'jax'"):
        config.set_backend("jax")


@pytest.mark.parametrize(
    "name",
    ["interactive_logging", "traceback_filtering", "flash_attention"],
)
def test_switches(name):
    read, off, on = (getattr(config, f"{verb}_{name}{end}") for verb, end in
                     (("is", "_enabled"), ("disable", ""), ("enable", "")))  # fmt: skip
    assert read()
    off()
    assert not read()
    on()
    assert read()


def test_tracebacks_are_whole_when_asked():
    def fail(y_true, y_pred):
        raise ZeroDivisionError

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", fail)
    depths = []
    for switch in (config.enable_traceback_filtering, config.disable_traceback_filtering):
        switch()
        with pytest.raises(ZeroDivisionError) as caught:
            model.fit(torch.ones(2, 1), torch.ones(2, 1), verbose=0)
        depths.append(len(caught.traceback))
    assert depths[0] < depths[1]


@pytest.mark.parametrize("name", ["cpu", "CPU:0", "/CPU:0", "/device:CPU:0", torch.device("cpu")])
def test_device_names(name):
    assert config.torch_device(name) == torch.device("cpu")


def test_wrong_device():
    with pytest.raises(ValueError, match=r"Unknown device: expected 'cpu'.*Received: 'warp'"):
        config.torch_device("warp")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match=r"torch sees no CUDA device"):
            config.set_device("gpu:0")


def test_device_scopes():
    with keras.device("cpu"), keras.device("meta"):
        assert keras.Variable(torch.zeros(2)).device.type == "meta"
    config.set_device("cpu")
    assert config.get_device() == torch.device("cpu")


def test_settings_are_read_from_the_home_directory(tmp_path):
    (tmp_path / "keras.json").write_text(
        json.dumps(
            {"floatx": "float64", "epsilon": 1e-5, "image_data_format": "channels_first", "backend": "jax"}
        )
    )
    code = (
        "from kerasish import config as c; print(c.floatx(), c.epsilon(), c.image_data_format(), c.backend())"
    )
    environment = {**os.environ, "KERAS_HOME": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["float64", "1e-05", "channels_first", "torch"]


def test_broken_settings_file_is_passed_over(tmp_path, monkeypatch):
    (tmp_path / "keras.json").write_text("{")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    config._read_keras_json()
    assert config.floatx() == "float32"
