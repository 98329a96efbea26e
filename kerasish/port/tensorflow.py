"""What `import tensorflow as tf` gives: Keras, the few lines around it, and directions for the rest."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch

import kerasish
from kerasish import config
from kerasish.dtypes import TORCH_DTYPES, torch_dtype
from kerasish.variable import Variable

VERSION = "2.20.0+kerasish"
PhysicalDevice = namedtuple("PhysicalDevice", ["name", "device_type"])

# TensorFlow's functions → those of keras.ops.
_SAME = (
    "abs add argmax argmin argsort cast ceil cos cumsum divide einsum equal exp expand_dims eye floor "
    "greater greater_equal less less_equal linspace logical_and logical_not logical_or matmul maximum "
    "meshgrid minimum multiply negative norm not_equal one_hot ones ones_like pad repeat reshape round "
    "shape sigmoid sign sin size sort split sqrt square squeeze stack stop_gradient subtract tan tanh "
    "tensordot tile transpose unstack where zeros zeros_like"
)
OPS = {
    **{name: name for name in _SAME.split()},
    "clip_by_value": "clip",
    "concat": "concatenate",
    "fill": "full",
    "gather": "take",
    "pow": "power",
    "range": "arange",
    "reduce_all": "all",
    "reduce_any": "any",
    "reduce_max": "max",
    "reduce_mean": "mean",
    "reduce_min": "min",
    "reduce_prod": "prod",
    "reduce_std": "std",
    "reduce_sum": "sum",
    "reverse": "flip",
}
# Of these TensorFlow takes the first axis where none is given.
FIRST_AXIS = frozenset(("argmax", "argmin", "cumsum", "gather"))
# Number of positional arguments with which the two agree, where it is not the number that TensorFlow takes.
POSITIONAL = {"matmul": 2, "norm": 1, "pad": 2, "split": 2, "where": 3}

_ACTIVATIONS = "elu relu relu6 selu sigmoid softmax softplus tanh"
_MATH = "abs cos exp log log1p sigmoid sin square tanh"
# What the module below gives, and other names with one meaning → the same in source code.
SPELLINGS = {
    "Tensor": "torch.Tensor",
    "Variable": "keras.Variable",
    "constant": "keras.ops.convert_to_tensor",
    "convert_to_tensor": "keras.ops.convert_to_tensor",
    "device": "keras.config.device",
    "is_tensor": "torch.is_tensor",
    "random.set_seed": "torch.manual_seed",
    "test.is_built_with_cuda": "torch.backends.cuda.is_built",
    "test.is_gpu_available": "torch.cuda.is_available",
    **{name: str(dtype) for name, dtype in TORCH_DTYPES.items() if not name.startswith("float8")},
    **{f"nn.{name}": f"keras.activations.{name}" for name in _ACTIVATIONS.split()},
    **{f"math.{name}": f"keras.ops.{name}" for name in _MATH.split()},
    "math.pow": "keras.ops.power",
}

_OPS = "the functions of keras.ops, or torch's own"
_EAGER = "nothing: there are no sessions and graphs here, every line runs at once. Leave the line out"
_DEVICES = "keras.config.set_device, or the environment variable CUDA_VISIBLE_DEVICES"

# Name below `tf` → what to write instead.
INSTEAD = {
    "GradientTape": "torch.autograd.grad, or loss.backward() in a Model with its own `train_step`",
    "IndexedSlices": "torch tensors",
    "Module": "keras.layers.Layer or torch.nn.Module",
    "RaggedTensor": "padded tensors: keras.utils.pad_sequences",
    "Session": _EAGER,
    "SparseTensor": "torch.sparse_coo_tensor",
    "TensorArray": "a Python list and keras.ops.stack",
    "TensorShape": "a tuple",
    "TensorSpec": "keras.KerasTensor or keras.InputSpec",
    "autograph": "nothing: Python runs as it is. Leave the line out",
    "compat": "the code of TensorFlow 2: graphs and sessions of TensorFlow 1 do not exist here",
    "cond": "a Python `if`, or keras.ops.cond",
    "config.experimental.list_physical_devices": "torch.cuda.device_count()",
    "config.experimental.set_memory_growth": "nothing: torch takes GPU memory as it needs it. Leave the line out",
    "config.experimental_run_functions_eagerly": "compile(run_eagerly=True)",
    "config.list_logical_devices": "torch.cuda.device_count()",
    "config.list_physical_devices": "torch.cuda.device_count()",
    "config.optimizer": "compile(jit_compile=True)",
    "config.run_functions_eagerly": "compile(run_eagerly=True)",
    "config.set_visible_devices": _DEVICES,
    "config.threading": "torch.set_num_threads",
    "data": "NumPy arrays, torch.utils.data.DataLoader or keras.utils.PyDataset, all of which fit() takes",
    "debugging": "assert, numpy.testing or torch.testing",
    "distribute": "keras.distribution",
    "estimator": "keras.Model",
    "errors": "Python's own exceptions",
    "feature_column": "keras.utils.FeatureSpace",
    "function": "compile(jit_compile=True), or torch.compile",
    "get_default_graph": _EAGER,
    "get_logger": "logging.getLogger('kerasish')",
    "global_variables_initializer": _EAGER,
    "image": "keras.ops.image, or keras.layers.Resizing, RandomFlip, …",
    "io": "pathlib, numpy or torchvision.io",
    "linalg": "keras.ops.linalg or torch.linalg",
    "lite": "model.export, or torch.onnx.export",
    "logging": "logging.getLogger('kerasish')",
    "lookup": "keras.layers.StringLookup or IntegerLookup",
    "map_fn": "keras.ops.map",
    "math": "keras.ops: tf.math.log is keras.ops.log",
    "nest": "keras.tree",
    "nn": "keras.ops or keras.activations: tf.nn.relu is keras.ops.relu",
    "numpy_function": "the Python function itself: everything runs eagerly",
    "placeholder": "keras.Input",
    "print": "print",
    "py_function": "the Python function itself: everything runs eagerly",
    "ragged": "padded tensors: keras.utils.pad_sequences",
    "random.Generator": "keras.random.SeedGenerator",
    "random.categorical": "keras.random.categorical",
    "random.normal": "keras.random.normal",
    "random.shuffle": "keras.random.shuffle",
    "random.truncated_normal": "keras.random.truncated_normal",
    "random.uniform": "keras.random.uniform",
    "reset_default_graph": "keras.utils.clear_session()",
    "saved_model": "model.export, model.save and keras.models.load_model",
    "set_random_seed": "tf.random.set_seed or keras.utils.set_random_seed",
    "sparse": "torch.sparse",
    "strings": "Python's str, or keras.layers.TextVectorization",
    "summary": "keras.callbacks.TensorBoard or torch.utils.tensorboard",
    "train": "keras.optimizers, and keras.callbacks.ModelCheckpoint for checkpoints",
    "tpu": "one process per device: keras.distribution",
    "version": "kerasish.__version__",
    "while_loop": "a Python `while`, or keras.ops.while_loop",
}


def make_tensorflow() -> ModuleType:
    """Build the module; `tf.keras` is kerasish."""
    experimental = _namespace(
        "config.experimental",
        list_physical_devices=list_physical_devices,
        set_memory_growth=set_memory_growth,
    )
    tensorflow = _namespace(
        "",
        Tensor=torch.Tensor,
        Variable=Variable,
        __version__=VERSION,
        config=_namespace(
            "config",
            experimental=experimental,
            list_logical_devices=list_physical_devices,
            list_physical_devices=list_physical_devices,
        ),
        constant=convert_to_tensor,
        convert_to_tensor=convert_to_tensor,
        device=config.device,
        executing_eagerly=lambda: True,
        is_tensor=torch.is_tensor,
        keras=kerasish,
        random=_namespace("random", set_seed=torch.manual_seed),
        test=_namespace(
            "test",
            gpu_device_name=lambda: "/device:GPU:0" if torch.cuda.is_available() else "",
            is_built_with_cuda=torch.backends.cuda.is_built,
            is_gpu_available=torch.cuda.is_available,
        ),
        version=_namespace("version", VERSION=VERSION),
        **{name: dtype for name, dtype in TORCH_DTYPES.items() if not name.startswith("float8")},
    )
    tensorflow.__path__ = []
    return tensorflow


def convert_to_tensor(value: Any, dtype: Any = None) -> torch.Tensor:
    """`torch.as_tensor` on the current device, with dtypes by name too."""
    return torch.as_tensor(
        value, dtype=None if dtype is None else torch_dtype(dtype), device=config.get_device()
    )


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The CPU, and the GPUs that torch sees, as TensorFlow names them."""
    gpus = torch.cuda.device_count()
    names = [("CPU", 0), *(("GPU", index) for index in range(gpus))]
    return [
        PhysicalDevice(f"/physical_device:{kind}:{index}", kind)
        for kind, index in names
        if device_type in (None, kind)
    ]


def set_memory_growth(device: Any, enable: bool) -> None:
    """Accept True, which is what torch always does: it takes GPU memory as it needs it."""
    if not enable:
        raise ValueError(
            "torch takes GPU memory as it needs it. To limit it: torch.cuda.set_per_process_memory_fraction"
        )


def explain(name: str) -> str:
    """The message for a name of TensorFlow that is not here: `explain("data.Dataset")`."""
    path = name
    while path and path not in INSTEAD:
        path = path.rpartition(".")[0]
    advice = f"keras.ops.{OPS[name]}" if name in OPS else INSTEAD.get(path, _OPS)
    return f"`tf.{name}` belongs to TensorFlow, which kerasish replaces with PyTorch. Use {advice}."


def _namespace(path: str, **members: Any) -> ModuleType:
    module = ModuleType(f"tensorflow.{path}" if path else "tensorflow")
    vars(module).update(members, __getattr__=_refuse(path))
    return module


def _refuse(path: str) -> Callable[[str], Any]:
    def __getattr__(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module has no attribute {name!r}", name=name)
        raise AttributeError(explain(f"{path}.{name}" if path else name), name=name)

    return __getattr__
