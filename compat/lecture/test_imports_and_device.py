"""R01–R02: the lecture's import lines, and where its computations run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch._dynamo.utils

import kerasish as keras

PRINTED = Path(__file__).parent / "printed"
REPOSITORY = Path(__file__).parents[2]


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=REPOSITORY, capture_output=True, text=True, timeout=170, check=False
    )


def output_of(*arguments: str) -> str:
    finished = run_python(*arguments)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def run_shortened(script: Path, max_epochs: int) -> str:
    """Run a script unmodified after `install_aliases()`, its epochs limited from outside."""
    prelude = (
        "import runpy, kerasish; kerasish.install_aliases();"
        f"kerasish.config.set_max_epochs({max_epochs});"
        f"runpy.run_path({str(script)!r}, run_name='__main__')"
    )
    return output_of("-c", prelude)


def test_r01_import_lines_run_with_the_run_command(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "import tensorflow as tf\n"
        "from tensorflow import keras\n"
        "import keras as plain_keras\n"
        "import tensorflow.keras.layers as layers\n"
        "from tensorflow.keras.models import Sequential\n"
        "from keras.layers import Dense\n"
        "if __name__ == '__main__':\n"
        "    assert keras.layers.Dense is plain_keras.layers.Dense is layers.Dense is Dense is tf.keras.layers.Dense\n"
        "    assert keras.models.Sequential is Sequential\n"
        "    assert int(tf.__version__.split('.')[0]) >= 2, tf.__version__\n"
        "    print(sys.argv[1:], Sequential.__mro__[0].__module__.partition('.')[0])\n"
    )
    assert (
        output_of("-m", "kerasish", "run", str(script), "--epochs", "3").strip()
        == "['--epochs', '3'] kerasish"
    )


def test_r01_a_failing_script_fails_the_run_command(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from tensorflow import keras\nkeras.layers.Dense(0)\n")
    finished = run_python("-m", "kerasish", "run", str(script))
    assert finished.returncode == 1
    assert "script.py" in finished.stderr and "ValueError" in finished.stderr


def test_r01_tensorflow_answers_seeds_and_refuses_the_rest():
    output = output_of(
        "-c",
        "import kerasish; kerasish.install_aliases()\n"
        "import tensorflow as tf\n"
        "from tensorflow import keras\n"
        "weights = []\n"
        "for seed in (42, 42, 43):\n"
        "    tf.random.set_seed(seed)\n"
        "    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])\n"
        "    weights.append(model.get_weights()[0].tolist())\n"
        "print(weights[0] == weights[1], weights[0] == weights[2])\n"
        "for name in ('Graph', 'Session', 'not_a_name'):\n"
        "    try:\n"
        "        getattr(tf, name)\n"
        "    except AttributeError as error:\n"
        "        print(name, '|', error)\n",
    ).splitlines()
    assert output[0] == "True False"
    messages = dict(line.split(" | ") for line in output[1:])
    assert list(messages) == ["Graph", "Session", "not_a_name"]
    for name, message in messages.items():
        assert name in message and re.search("torch|kerasish|keras.ops", message), message


def test_r01_aliases_can_be_taken_away_again():
    output = output_of(
        "-c",
        "import sys, kerasish\n"
        "kerasish.install_aliases()\n"
        "import keras\n"
        "print(keras.Model is kerasish.Model)\n"
        "kerasish.port.aliases.uninstall_aliases()\n"
        "print(any(name.split('.')[0] in ('keras', 'tensorflow') for name in sys.modules))\n",
    )
    assert output.split() == ["True", "False"]


def test_r01_classification_slides_run_as_printed():
    output = run_shortened(PRINTED / "classification.py", max_epochs=1)
    assert "Total params: 266,610" in output
    loss, accuracy = map(float, re.findall(r"^\[([\d.]+), ([\d.]+)\]$", output, re.MULTILINE)[0])
    assert loss < 1.2 and accuracy > 0.6
    assert re.search(r"^\[\d \d \d\]$", output, re.MULTILINE)


def test_r01_regression_slides_run_as_printed():
    output = run_shortened(PRINTED / "regression.py", max_epochs=40)
    assert "Epoch 40/40" in output
    assert "(72, 1)" in output


def test_r02_device_is_cuda_where_there_is_one(classifier):
    expected = {"cuda"} if torch.cuda.is_available() else {torch.device(keras.config.get_device()).type}
    assert {weight.device.type for weight in classifier.weights} == expected
    if not torch.cuda.is_available() and not torch.backends.mps.is_available():
        assert expected == {"cpu"}


def test_r02_device_can_be_chosen(diabetes):
    X_train, y_train = diabetes.X_train, diabetes.y_train
    with keras.device("cpu"):
        model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(1)])
        model.compile(optimizer="sgd", loss="mse")
    model.fit(X_train, y_train, epochs=1, verbose=0)
    assert {weight.device.type for weight in model.weights} == {"cpu"}
    assert isinstance(model.predict(X_train, verbose=0), np.ndarray)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_r02_device_cuda_trains_like_the_cpu(fashion):
    X_train, y_train = fashion.X_train, fashion.y_train
    losses = {}
    for device in ("cuda", "cpu"):
        with keras.device(device):
            keras.utils.set_random_seed(0)
            model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")])
            model.build((None, 28, 28))
            model.set_weights([np.zeros((784, 10)), np.zeros(10)])
            model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd")
            losses[device] = model.fit(X_train, y_train, epochs=2, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(losses["cuda"], losses["cpu"], rtol=1e-4)


def trained_weights(X, y, **compile_arguments) -> list[np.ndarray]:
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((10,)), keras.layers.Dense(16, activation="tanh"), keras.layers.Dense(1)]
    )
    model.compile(optimizer="sgd", loss="mse", metrics=["mae"], **compile_arguments)
    model.fit(X, y, epochs=2, shuffle=False, verbose=0)
    return model.get_weights()


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # of torch.compile's own imports
@pytest.mark.parametrize("jit_compile", ["auto", False, pytest.param(True, marks=pytest.mark.slow)])
def test_r02_compiled_step_trains_like_the_eager_step(diabetes, jit_compile):
    torch._dynamo.utils.counters.clear()
    compiled = trained_weights(diabetes.X_train, diabetes.y_train, jit_compile=jit_compile)
    assert (torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0) is (jit_compile is True)
    eager = trained_weights(diabetes.X_train, diabetes.y_train, run_eagerly=True)
    for one, other in zip(compiled, eager, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
