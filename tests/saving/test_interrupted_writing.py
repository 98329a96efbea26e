"""A full disk, or a kill, in the middle of writing leaves the old file whole, and no other one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import kerasish as keras
from kerasish import layers

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs limits and signals of POSIX")

WRITERS = {
    "m.keras": lambda model, path: model.save(path),
    "m.h5": lambda model, path: model.save(path),
    "w.h5": lambda model, path: model.save_weights(path),
    "m.weights.h5": lambda model, path: model.save_weights(path),
    "m.weights.json": lambda model, path: model.save_weights(path, max_shard_size=1e-4),
    "m.safetensors": lambda model, path: model.save_weights(path),
    "directory": lambda model, path: model.save(path, zipped=False),
    "m.onnx": lambda model, path: model.export(path, format="onnx"),
    "m.pt2": lambda model, path: model.export(path, format="torch"),
    "m.pt": lambda model, path: model.export(path, format="torchscript"),
}
EXPORTS = ("m.onnx", "m.pt2", "m.pt")
OLD = b"the old file"


def make():
    model = keras.Sequential([keras.Input((100,)), layers.Dense(200), layers.Dense(100), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def put_old_files(path):
    """Stand-ins for all files that the writer of that path will replace."""
    if path.name == "directory":
        path.mkdir()
    names = {
        "directory": [
            f"directory/{member}" for member in ("config.json", "metadata.json", "model.weights.h5")
        ],
        "m.weights.json": ["m.weights.json", "m_00000.weights.h5", "m_00001.weights.h5"],
    }
    for name in names.get(path.name, [path.name]):
        (path.parent / name).write_bytes(OLD)


def contents(directory):
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@contextlib.contextmanager
def files_up_to(size):
    """Context in which writing more fails as it does on a full disk."""
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


SIZES = [(name, size) for name in WRITERS if name not in EXPORTS for size in (1, 3_000, 60_000)]
SIZES += [(name, 3_000) for name in ("m.pt", "m.pt2")]
SIZES += [pytest.param("m.onnx", 3_000, marks=pytest.mark.slow)]


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize(("name", "size"), SIZES)
def test_a_full_disk(tmp_path, name, size):
    put_old_files(tmp_path / name)
    before = contents(tmp_path)
    with pytest.raises(OSError, match="File too large"), files_up_to(size):
        WRITERS[name](make(), tmp_path / name)
    assert contents(tmp_path) == before


MOMENTS = {"array": ("h5py.Group", "create_dataset"), "flush": ("os", "fsync"), "replace": ("os", "replace")}
KILLS = [
    (name, moment)
    for name in WRITERS
    if name not in EXPORTS and name != "directory"
    for moment in MOMENTS
    if (name, moment) not in (("m.safetensors", "array"), ("m.weights.json", "replace"))
]


def test_a_kill(tmp_path):
    """In a process of its own, which has no threads yet when it forks."""
    environment = {**os.environ, "PYTHONPATH": str(Path(keras.__file__).parents[1])}
    command = [sys.executable, __file__, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [f"{name}:{moment}" for name, moment in KILLS]


def write_and_be_killed(path, moment):
    import h5py

    place, function = MOMENTS[moment]
    target = h5py.Group if place == "h5py.Group" else os
    original, calls = getattr(target, function), []

    def kill(*args, **kwargs):
        calls.append(args)
        if len(calls) == (3 if moment == "array" else 1):
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **kwargs)

    setattr(target, function, kill)
    WRITERS[path.name](make(), path)


def main(directory):
    for number, (name, moment) in enumerate(KILLS):
        path = Path(directory, str(number), name)
        path.parent.mkdir()
        put_old_files(path)
        before = contents(path.parent)
        child = os.fork()
        if not child:
            write_and_be_killed(path, moment)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        after = {p: data for p, data in contents(path.parent).items() if not p.name.endswith(".unfinished")}
        after = {p: data for p, data in after.items() if not p.parent.name.startswith(".")}
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, (name, moment)
        assert after == before, (name, moment)
        print(f"{name}:{moment}")


if __name__ == "__main__":
    main(sys.argv[1])
