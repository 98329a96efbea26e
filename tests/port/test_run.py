from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kerasish.__main__ import main
from kerasish.port.run import run_script

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import helper
import tensorflow as tf
from tensorflow import keras
from keras.losses import MeanSquaredError


def in_child(_):
    from tensorflow.keras.losses import MeanAbsoluteError
    return MeanAbsoluteError.__module__.partition(".")[0]


if __name__ == "__main__":
    one = MeanSquaredError is keras.losses.MeanSquaredError
    print(sys.argv, sys.path[0] == helper.HERE, keras.__name__, tf.__version__, one)
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        print("child", *pool.map(in_child, [0]))
    raise ValueError("from the script")
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "script.py").write_text(SCRIPT)
    (tmp_path / "inner" / "helper.py").write_text("import os\nHERE = os.path.dirname(__file__)\n")
    return tmp_path


def test_a_script_runs_as_python_would_run_it(project):
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "kerasish", "run", "inner/script.py", "--epochs", "3", "-m"]
    result = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=120
    )
    lines = result.stdout.splitlines()
    assert lines[0].startswith("['inner/script.py', '--epochs', '3', '-m'] True kerasish 2."), result
    assert lines[0].endswith("kerasish True")
    assert lines[1] == "child kerasish", result
    assert result.returncode == 1
    error = result.stderr.splitlines()
    assert error[0] == "Traceback (most recent call last):"
    assert 'script.py", line' in error[1] and "in <module>" in error[1]
    assert error[-1] == "ValueError: from the script"
    assert "runpy" not in result.stderr and "kerasish" not in result.stderr


@pytest.fixture
def in_process(without_keras, project, monkeypatch):
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "argv", [""])
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)


def test_a_module_runs_as_python_would_run_it(in_process, project, capsys):
    (project / "inner" / "show.py").write_text(
        "import keras, sys\nprint(sys.argv, keras.__name__, sys.path[0])\n"
    )
    assert main(["run", "-m", "inner.show", "--flag", "-x"]) == 0
    path = str(project / "inner" / "show.py")
    assert capsys.readouterr().out.strip() == f"{[path, '--flag', '-x']} kerasish {project}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1 / 0", ["ZeroDivisionError: division by zero"]),
        ("def f(:", ["SyntaxError: invalid syntax"]),
        (
            "try:\n    1 / 0\nexcept Exception as e:\n    raise KeyError from e",
            ["ZeroDivisionError", "KeyError"],
        ),
    ],
)
def test_tracebacks_begin_in_the_script(in_process, capsys, text, shown):
    Path("broken.py").write_text(text)
    try:
        main(["run", "broken.py"])
    except Exception as error:
        sys.excepthook(type(error), error, error.__traceback__.tb_next)
    message = capsys.readouterr().err
    assert all(part in message for part in shown) and "broken.py" in message
    assert "runpy" not in message and "kerasish" not in message


def test_the_exit_status_of_a_script_is_kept(in_process):
    Path("ends.py").write_text("import sys; sys.exit(7)")
    with pytest.raises(SystemExit) as caught:
        main(["run", "ends.py"])
    assert caught.value.code == 7


def test_a_script_that_is_not_there(tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        run_script(str(tmp_path / "none.py"))
    assert caught.value.code == 2
    assert "can't open file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status", "part"),
    [
        (["--version"], 0, "kerasish 0."),
        (["--help"], 0, "run a Keras or tf.keras script as it is"),
        (["run", "--help"], 0, "kerasish run script.py [args …]"),
        (["run"], 2, "run needs a script"),
        (["datasets", "cifar"], 2, "invalid choice: 'cifar'"),
        ([], 2, "required: command"),
    ],
)
def test_the_command_line_explains_itself(capsys, arguments, status, part):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == status
    captured = capsys.readouterr()
    assert part in captured.out + captured.err


@pytest.mark.skipif(
    not Path("/usr/share/datasets/fashion-mnist").is_dir(),
    reason="needs Debian's package dataset-fashion-mnist",
)
def test_datasets_says_where_they_lie_and_what_they_hold(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert main(["datasets", "fashion_mnist"]) == 0
    assert main(["datasets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz" in lines
    assert "x_train  (60000, 28, 28)      uint8" in lines
    assert "fashion_mnist       /usr/share/datasets/fashion-mnist" in lines
    assert "mnist               not here" in lines


def test_datasets_fails_plainly_when_there_is_none(capsys, monkeypatch, tmp_path):
    from dataclasses import replace

    from kerasish.datasets import mnist

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(mnist, "FILES", (replace(mnist.FILES[0], url="http://127.0.0.1:9/mnist.npz"),))
    assert main(["datasets", "mnist"]) == 1
    assert "was not found. Tried:" in capsys.readouterr().err
