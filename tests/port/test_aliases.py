from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from types import ModuleType

import pytest
import torch

import kerasish
from kerasish.port import aliases
from kerasish.port.aliases import install_aliases, load_ipython_extension, uninstall_aliases


@pytest.fixture
def installed(without_keras):
    install_aliases()


def run(code: str) -> dict:
    scope: dict = {}
    exec(code, scope)
    return scope


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import keras", lambda: kerasish),
        ("from tensorflow import keras", lambda: kerasish),
        ("import tensorflow as tf; keras = tf.keras", lambda: kerasish),
        ("import tensorflow.keras as keras", lambda: kerasish),
        ("import tf_keras as keras", lambda: kerasish),
        ("from keras import losses as keras", lambda: kerasish.losses),
        ("import tensorflow.keras.backend as keras", lambda: kerasish.backend),
        ("from tensorflow.keras import backend as keras", lambda: kerasish.backend),
        ("from keras.models import Sequential as keras", lambda: kerasish.models.Sequential),
        ("from tensorflow.keras.layers import Dense as keras", lambda: kerasish.layers.Dense),
        ("from keras.optimizers.schedules import ExponentialDecay as keras",
         lambda: kerasish.optimizers.schedules.ExponentialDecay),
        ("from keras.layers.core import Dense as keras", lambda: kerasish.layers.Dense),
        ("from keras.layers.core import Dropout as keras", lambda: kerasish.layers.Dropout),
        ("from keras.layers.convolutional import Dense as keras", lambda: kerasish.layers.Dense),
        ("from keras.layers.convolutional import *; keras = Dense", lambda: kerasish.layers.Dense),
        ("import keras.layers.convolutional as c; keras = c.Dense", lambda: kerasish.layers.Dense),
        ("import keras.layers.convolutional; keras = keras.layers.convolutional.Dense",
         lambda: kerasish.layers.Dense),
        ("from tensorflow.keras.layers.experimental.preprocessing import Rescaling as keras",
         lambda: kerasish.layers.Rescaling),
        ("from keras.layers.experimental import preprocessing; keras = preprocessing.Rescaling",
         lambda: kerasish.layers.Rescaling),
        ("from keras.layers.merge import concatenate as keras", lambda: kerasish.layers.concatenate),
        ("from keras.engine.topology import Layer as keras", lambda: kerasish.layers.Layer),
        ("from keras.optimizer_v2.adam import Adam as keras", lambda: kerasish.optimizers.Adam),
        ("from keras.utils.np_utils import to_categorical as keras", lambda: kerasish.utils.to_categorical),
        ("from keras.utils import np_utils; keras = np_utils.to_categorical",
         lambda: kerasish.utils.to_categorical),
        ("from keras.objectives import mse as keras", lambda: kerasish.losses.mean_squared_error),
        ("import keras as k; keras = k.objectives.mse", lambda: kerasish.losses.mean_squared_error),
        ("from tensorflow.keras.constraints import maxnorm as keras", lambda: kerasish.constraints.MaxNorm),
        ("from keras.backend.tensorflow_backend import epsilon as keras", lambda: kerasish.backend.epsilon),
        ("from keras.api._v2.keras import layers as keras", lambda: kerasish.layers),
        ("from keras.api.layers import Dense as keras", lambda: kerasish.layers.Dense),
        ("import keras.api as k; keras = k.losses", lambda: kerasish.losses),
        ("from keras.datasets.fashion_mnist import load_data as keras",
         lambda: kerasish.datasets.fashion_mnist.load_data),
    ],
)  # fmt: skip
def test_imports_of_keras_give_kerasish(installed, code, expected):
    assert run(code)["keras"] is expected()


def test_there_is_one_set_of_modules(installed):
    run("import keras.layers, tensorflow.keras.layers, tf_keras.layers, keras.layers.core")
    for name in ("keras.layers", "tensorflow.keras.layers", "tf_keras.layers"):
        assert sys.modules[name] is kerasish.layers
    assert sys.modules["keras.layers.core"] is importlib.import_module("kerasish.layers.core")
    assert kerasish.layers.__name__ == kerasish.layers.__spec__.name == "kerasish.layers"
    assert kerasish.__spec__.name == kerasish.__name__ == "kerasish"


@pytest.mark.parametrize(
    "name", ["keras", "tensorflow", "tensorflow.random", "keras.objectives", "keras.losses"]
)
def test_libraries_may_ask_whether_a_module_is_there(installed, name):
    # torch._dynamo does, for tensorflow.
    assert importlib.util.find_spec(name) is not None
    importlib.import_module(name)
    assert importlib.util.find_spec(name) is not None
    assert importlib.util.find_spec("keras.nothing") is None


def test_an_old_path_never_covers_a_module_of_kerasish(installed):
    real = importlib.import_module("kerasish.layers.preprocessing")
    run("import keras.layers.experimental.preprocessing, keras.engine.training, keras.api._v2.keras")
    assert kerasish.layers.preprocessing is real
    assert not hasattr(kerasish.layers, "training")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("from keras.src.layers import Dense", r"`keras.src` is private. Import from `keras` instead"),
        ("from tensorflow.python.keras.layers import Dense", r"is private. Import from `tensorflow.keras`"),
        ("import tensorflow.compat.v1 as tf", r"`tf.compat` belongs to TensorFlow.*code of TensorFlow 2"),
        ("from tensorflow import data", r"`tf.data` belongs.*torch.utils.data.DataLoader"),
        ("import keras.engines", r"No module named 'keras.engines'"),
        (
            "from keras.layers import LocallyConnected2D",
            r"`keras.layers.LocallyConnected2D` is not in Keras 3.*Conv2D",
        ),
        ("from keras.backend import set_session", r"`keras.backend.set_session` is not.*no sessions"),
        ("from keras.layers import merge", r"`keras.layers.merge` is not in Keras 3. Use keras.layers.conc"),
        ("from keras.utils import multi_gpu_model", r"keras.distribution.DataParallel"),
        ("from keras.layers import Dens", r"cannot import name 'Dens'"),
    ],
)
def test_imports_of_what_is_not_there_say_what_to_do(installed, code, message):
    with pytest.raises(ImportError, match=message):
        run(code)


def test_attributes_that_are_not_there_say_what_to_do(installed):
    keras = run("import keras")["keras"]
    with pytest.raises(
        AttributeError, match=r"`keras.layers.Merge` is not in Keras 3. Use keras.layers.concatenate"
    ):
        _ = keras.layers.Merge
    with pytest.raises(AttributeError, match=r"'keras.layers' has no attribute 'Dens'. Did you mean 'Dense'"):
        _ = keras.layers.Dens
    assert not hasattr(keras.backend, "__wrapped__")


def test_a_keras_that_was_imported_is_not_replaced_by_chance(without_keras):
    theirs = sys.modules["keras"] = ModuleType("keras")
    sys.modules["keras.layers"] = ModuleType("keras.layers")
    with pytest.raises(RuntimeError, match=r"'keras' is already imported.*install_aliases\(\) first"):
        install_aliases()
    install_aliases(force=True)
    assert importlib.import_module("keras") is kerasish
    assert importlib.import_module("keras.layers") is kerasish.layers
    uninstall_aliases()
    assert sys.modules["keras"] is theirs and sys.modules["keras.layers"] is not kerasish.layers
    for name in ("keras", "keras.layers"):
        del sys.modules[name]


def test_uninstalling_leaves_no_trace(without_keras):
    importlib.import_module("kerasish.layers.preprocessing")

    def state():
        return {name: set(vars(m)) for name, m in sys.modules.items() if name.partition(".")[0] == "kerasish"}

    before, finders, environment = state(), list(sys.meta_path), dict(os.environ)
    install_aliases(subprocesses=True)
    install_aliases(subprocesses=True)
    run(
        "import keras.objectives, keras.api.layers, tensorflow.keras.layers.convolutional\n"
        "import keras.backend as K; K.reset_uids"
    )
    uninstall_aliases()
    uninstall_aliases()
    after = state()
    for name, attributes in before.items():
        imported = {n.rpartition(".")[2] for n in after if n not in before and n.rpartition(".")[0] == name}
        loaded = set(dir(sys.modules[name]))  # names of its own that a door has looked up
        assert after[name] - imported - loaded == attributes - loaded, name
    assert sys.meta_path == finders
    assert dict(os.environ) == environment
    assert not [name for name in sys.modules if name.partition(".")[0] in aliases.TOPS]


def test_tensorboard_does_without_tensorflow(without_keras, monkeypatch, tmp_path):
    package = tmp_path / "tensorboard" / "compat"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ImportError):
        run("from tensorboard.compat import notf")
    install_aliases()
    run("from tensorboard.compat import notf")
    uninstall_aliases()
    with pytest.raises(ImportError):
        run("from tensorboard.compat import notf")
    for name in ("tensorboard.compat", "tensorboard"):
        del sys.modules[name]


def test_the_notebook_extension_installs_the_aliases(without_keras, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    load_ipython_extension(None)
    assert importlib.import_module("keras") is kerasish
    assert os.environ["PYTHONPATH"] == os.pathsep.join([aliases.SHIMS, "elsewhere"])
    aliases.unload_ipython_extension(None)
    assert os.environ["PYTHONPATH"] == "elsewhere"


def test_tensorflow_has_the_lines_around_keras(installed):
    tf = run("import tensorflow as tf")["tf"]
    assert tf.__version__.startswith("2.")
    assert str(tf.version.VERSION) == str(tf.__version__)
    assert tf.keras is kerasish and tf.executing_eagerly()
    tf.random.set_seed(42)
    first = torch.rand(3)
    run("from tensorflow.random import set_seed; set_seed(42)")
    assert torch.equal(first, torch.rand(3))
    assert len(tf.config.list_physical_devices("GPU")) == torch.cuda.device_count()
    assert tf.config.list_physical_devices("CPU")[0].device_type == "CPU"
    for gpu in tf.config.experimental.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)
    with pytest.raises(ValueError, match="as it needs it"):
        tf.config.experimental.set_memory_growth(None, False)
    assert tf.test.is_gpu_available() == torch.cuda.is_available() == bool(tf.test.gpu_device_name())
    x = tf.constant([[1, 2]], dtype=tf.float32)
    assert isinstance(x, tf.Tensor) and x.dtype == torch.float32
    assert tf.convert_to_tensor([1.0], dtype="float64").dtype == tf.float64
    with tf.device("/CPU:0"):
        assert tf.constant(1.0).device.type == "cpu"


@pytest.mark.parametrize(
    ("expression", "advice"),
    [
        ("tf.data.Dataset", r"`tf.data` belongs to TensorFlow.*NumPy arrays, torch.utils.data.DataLoader"),
        ("tf.function", r"compile\(jit_compile=True\)"),
        ("tf.GradientTape", r"torch.autograd.grad"),
        ("tf.reduce_mean", r"Use keras.ops.mean\."),
        ("tf.square", r"Use keras.ops.square\."),
        ("tf.nn.relu", r"keras.ops.relu"),
        ("tf.random.normal", r"`tf.random.normal` belongs.*Use keras.random.normal"),
        ("tf.random.Philox", r"`tf.random.Philox` belongs.*keras.ops"),
        ("tf.config.set_visible_devices", r"CUDA_VISIBLE_DEVICES"),
        ("tf.Session", r"no sessions"),
        ("tf.bitcast", r"keras.ops, or torch's own"),
    ],
)
def test_anything_else_of_tensorflow_says_what_to_use(installed, expression, advice):
    tf = run("import tensorflow as tf")["tf"]
    with pytest.raises(AttributeError, match=advice):
        eval(expression, {"tf": tf})
