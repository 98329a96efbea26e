"""The README's programs run as they are printed, in their order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sklearn.datasets import load_iris

import kerasish as keras

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture
def short_runs():
    keras.config.set_max_epochs(2)
    keras.config.set_max_steps_per_epoch(30)
    yield
    keras.config.set_max_epochs(None)
    keras.config.set_max_steps_per_epoch(None)


def test_programs(short_runs, capsys):
    programs = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    X, y = load_iris(return_X_y=True)
    names = {"X": X, "y": y}
    for program in programs:
        exec(program, names)
    assert "accuracy" in capsys.readouterr().out
    assert names["model"].evaluate(names["x_test"], names["y_test"], verbose=0)[1] > 0.2
    assert set(names["search"].best_params_) == {"model__hidden", "optimizer__learning_rate"}
