"""The harness in a tiny configuration, so that it does not rot. It measures nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
NUMBER = r"[\d.]+"


def run_script(name: str, *arguments: str) -> str:
    command = [sys.executable, str(HERE / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, OMP_NUM_THREADS="1"))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_training_reports_every_contender_and_the_reason_of_an_absent_one(tmp_path: Path) -> None:
    output = tmp_path / "table.md"
    text = run_script(
        *("training.py", "--workloads", "regression"),
        *("--contenders", "kerasish", "torch", "keras-jax", "--keras-python", "/no/such/python"),
        *("--rounds", "1", "--warmup", "0", "--rows", "512", "--output", str(output)),
    )
    assert output.read_text(encoding="utf-8").strip() == text.strip()
    assert "Absent: (d) Keras 3 on JAX: [Errno 2] No such file or directory: '/no/such/python'" in text
    timing = rf"\| {NUMBER} \| {NUMBER} \| {NUMBER}–{NUMBER} \| \d+ \| [+-]\d+ "
    row = timing + rf"\| {NUMBER} \| {NUMBER} \| \w+ {NUMBER} \|"
    assert re.search(r"\| kerasish " + row, text), text
    assert re.search(r"\| \(a\) hand-written PyTorch " + row, text), text


@pytest.mark.slow
def test_predict_and_memory_report_kerasish() -> None:
    few = ("--contenders", "kerasish", "--workload", "regression")
    predict = run_script("predict.py", *few, "--rounds", "1", "--calls", "3")
    assert re.search(rf"\| kerasish \| \d+ \| \d+ \| {NUMBER} \| – \|", predict), predict
    memory = run_script("memory.py", *few, "--epochs", "1", "--rows", "64")
    assert re.search(r"\| kerasish \| \d+ \| \d+ \|", memory), memory


def test_optimizers_are_timed_beside_torch_s() -> None:
    few = ("--optimizers", "SGD", "RMSprop", "--rounds", "1", "--steps", "1", "--threads", "1")
    text = run_script("optimizers.py", *few)
    times = rf"\| {NUMBER} \| {NUMBER} \| {NUMBER}"
    assert re.search(rf"\| SGD {times} \| fused \| {NUMBER} \| {NUMBER} \|", text), text
    assert re.search(rf"\| RMSprop {times} \| foreach \| {NUMBER} \| {NUMBER} \|", text), text


def test_profile_step_counts_the_calls_of_a_batch() -> None:
    text = run_script("profile_step.py", "--workload", "regression", "--batches", "4", "--rounds", "1")
    assert re.search(rf"\| Python calls \| {NUMBER} \|", text), text
    assert "own time by tensor operation" in text


@pytest.mark.slow
def test_import_time_reports_torch_and_kerasish() -> None:
    text = run_script("import_time.py", "--rounds", "1", "--modules", "torch", "kerasish")
    assert re.search(rf"\| import torch \| {NUMBER} \| \+0.00 \|", text), text
    assert re.search(rf"\| import kerasish \| {NUMBER} \| [+-]{NUMBER} \|", text), text


@pytest.mark.slow
def test_search_reports_both_searches_of_kerasish() -> None:
    few = ("--workloads", "tabular", "--contenders", "stacked", "loop", "--rounds", "1", "--warmup", "0")
    text = run_script("search.py", *few, "--epochs", "1", "--rows", "100")
    row = rf"\| {NUMBER} \| {NUMBER} \| {NUMBER}–{NUMBER} \| -?{NUMBER} \|"
    assert re.search(rf"\| kerasish\.model_selection {row}", text), text
    assert re.search(rf"\| scikit-learn's loop over kerasish {row}", text), text
