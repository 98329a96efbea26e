"""Scripts in the manner of books and courses run unmodified, and print what they print with the real Keras."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SCRIPTS = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in ("equal", "test_books"))
# The others need TensorFlow under the real Keras, or meet errors of it on torch.
RUN_BY_KERAS_ON_TORCH = (
    "convnet", "generative", "own_parts", "seq2seq", "several_inputs", "timeseries", "transfer", "transformer",
)  # fmt: skip
DRAWS = ("several_inputs",)
OF_SUMMARIES = re.compile(r"[│┃━─]|params:|^Model: ")
NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


def printed(script: str, *interpreter: str) -> list[str]:
    """What the script prints, run by itself, without the tables of `summary`."""
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "KERAS_BACKEND": "torch"}
    environment |= {"CUDA_VISIBLE_DEVICES": "", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, *interpreter, str(HERE / f"{script}.py")]
    if script in DRAWS and shutil.which("dot") is None:
        pytest.skip("draws its model with Graphviz, which is not installed")
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
    return [line for line in result.stdout.splitlines() if line.strip() and not OF_SUMMARIES.search(line)]


@pytest.mark.parametrize("script", SCRIPTS)
def test_runs_unmodified(script):
    lines = printed(script, "-m", "kerasish", "run")
    assert lines
    assert not [line for line in lines if re.search(r"\b(nan|inf|False)\b", line)]


@pytest.mark.slow
@pytest.mark.parametrize("script", RUN_BY_KERAS_ON_TORCH)
def test_prints_the_same_as_keras(script):
    if importlib.util.find_spec("keras") is None:
        pytest.skip("needs the real Keras")
    ours, theirs = printed(script, "-m", "kerasish", "run"), printed(script)
    assert [NUMBER.sub("#", line) for line in ours] == [NUMBER.sub("#", line) for line in theirs]
    for line, other in zip(ours, theirs, strict=True):
        values, others = ([float(value) for value in NUMBER.findall(text)] for text in (line, other))
        assert values == pytest.approx(others, rel=2e-3, abs=3e-4), (line, other)
