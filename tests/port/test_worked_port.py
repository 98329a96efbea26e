"""The worked port: an old script runs as it is, and ported it does the same."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "porting"
SETTINGS = ["--samples", "128", "--epochs", "2", "--batch-size", "32"]


def start(command, output):
    paths = os.pathsep.join(filter(None, (str(EXAMPLE.parents[1]), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    arguments = [sys.executable, *command, *SETTINGS, "--output", str(output)]
    return subprocess.Popen(
        arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_the_ported_script_is_what_the_command_makes():
    pytest.importorskip("libcst")
    from kerasish.port.rewriting.source import port_source

    ported = port_source((EXAMPLE / "before.py").read_text())
    assert ported.source == (EXAMPLE / "after.py").read_text() and not ported.findings
    assert "tensorflow" not in ported.source


def test_the_old_script_runs_unmodified_and_the_ported_one_gives_the_same_history(tmp_path):
    commands = {
        "before": ["-m", "kerasish", "run", str(EXAMPLE / "before.py")],
        "after": [str(EXAMPLE / "after.py")],
    }
    processes = {name: start(command, tmp_path / name) for name, command in commands.items()}
    printed = {}
    for name, process in processes.items():
        out, error = process.communicate(timeout=300)
        assert process.returncode == 0, error
        printed[name] = [line for line in out.splitlines() if "step" not in line]
    assert printed["before"] == printed["after"]
    logs = {name: (tmp_path / name / "log.csv").read_text() for name in commands}
    assert logs["before"] == logs["after"]
    names, *epochs = csv.reader(logs["after"].splitlines())
    assert len(epochs) == 2 and {"loss", "accuracy", "val_f1"} <= set(names)
    assert (tmp_path / "after" / "best.h5").exists()
