"""Every example runs, shortened, and does what it is there to show."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

import kerasish as keras
from examples import (
    custom_train_step,
    grid_search,
    keras_in_torch_loop,
    lecture,
    mixing_torch_modules,
    regression,
    regularization,
    torch_loop,
)

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(autouse=True)
def close_pictures():
    yield
    plt.close("all")


def test_every_example_is_tested_here():
    names = {path.name for path in EXAMPLES.iterdir() if path.suffix in (".py", ".ipynb")}
    tests = Path(__file__).read_text()
    assert names
    assert [
        name for name in names if f"def test_{name.replace('.', '_').removesuffix('_py')}" not in tests
    ] == []


def test_lecture(tmp_path, capsys):
    accuracy = lecture.main(epochs=2, output=tmp_path, max_images=6000)
    assert accuracy > 0.65
    output = capsys.readouterr().out
    for part in ("266,610", "Epoch 2/2", f"test accuracy {accuracy:.4f}", "the first three test images"):
        assert part in output
    for name in ("samples", "learning_curve", "confusion_matrix"):
        pixels = plt.imread(tmp_path / f"{name}.png")
        assert len(np.unique(pixels.reshape(-1, pixels.shape[-1]), axis=0)) > 50, name


def test_lecture_explains_its_options():
    finished = subprocess.run(
        [sys.executable, str(EXAMPLES / "lecture.py"), "--help"],
        cwd=EXAMPLES.parent,
        env=os.environ | {"PYTHONPATH": str(EXAMPLES.parent)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    for option in ("--epochs", "--seed", "--output"):
        assert option in finished.stdout


def cells_of_notebook() -> list[dict]:
    return json.loads((EXAMPLES / "lecture.ipynb").read_text())["cells"]


def test_lecture_ipynb_runs(monkeypatch, capsys):
    monkeypatch.setattr(plt, "show", lambda: None)
    namespace: dict = {"__name__": "__main__"}
    keras.config.set_max_epochs(1)
    try:
        for cell in cells_of_notebook():
            if cell["cell_type"] == "code":
                exec(compile("".join(cell["source"]), "lecture.ipynb", "exec"), namespace)
    finally:
        keras.config.set_max_epochs(None)
    assert namespace["y_proba"].shape == (3, 10)
    assert "1719/1719" in capsys.readouterr().out


def test_lecture_ipynb_shows_what_its_last_run_gave():
    code = [cell for cell in cells_of_notebook() if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3
    text = json.dumps(outputs)
    assert "266,610" in text and "Epoch 30/30" in text


def test_regression():
    assert regression.main(epochs=25) > 0.35


def test_regularization(capsys):
    test_errors = regularization.main(epochs=60)
    assert list(test_errors) == list(regularization.REMEDIES)
    overfitted = test_errors.pop("none")
    assert max(test_errors.values()) < min(0.7, overfitted)
    assert len(capsys.readouterr().out.splitlines()) == 7


def test_mixing_torch_modules():
    assert min(mixing_torch_modules.main(epochs=8).values()) > 0.85


def test_custom_train_step():
    accuracies = custom_train_step.main(epochs=25)
    assert list(accuracies) == ["Model", "MixupModel"]
    assert min(accuracies.values()) > 0.85


def test_custom_train_step_blends_the_records():
    model = custom_train_step.build_model(custom_train_step.MixupModel)
    x, y = np.eye(64, dtype="float32")[:20], np.eye(10, dtype="float32")[np.arange(20) % 10]
    model.fit(x, y, epochs=60, verbose=0)
    confidence = model.predict(x, verbose=0).max(axis=1).mean()
    assert 0.2 < confidence < 0.99, "labels that were blended leave the model less than certain"


def test_torch_loop():
    assert torch_loop.main(epochs=4) > 0.85


def test_keras_in_torch_loop():
    assert keras_in_torch_loop.main(epochs=4) > 0.85


def test_grid_search(capsys):
    score = grid_search.main(max_images=600, epochs=2)
    assert score > 0.5
    printed = capsys.readouterr().out
    assert printed.count("model__n_neurons") == 4
    assert "accuracy on the test images" in printed


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of the cluster's own shutdown
def test_distributed_search(capsys):
    pytest.importorskip("distributed")
    from examples import distributed_search

    assert distributed_search.main(candidates=2, epochs=2) > -10
    assert "best of 2" in capsys.readouterr().out
