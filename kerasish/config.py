"""Global settings: float type, fuzz factor, image layout, dtype policy, device, logging.

Read at import from `~/.keras/keras.json` (or `$KERAS_HOME/keras.json`), as Keras does; `backend` there is
not obeyed, since PyTorch is the only one.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

FLOATX_CHOICES = ("bfloat16", "float16", "float32", "float64")


class _Settings:
    """The one mutable object behind the functions of this module."""

    floatx = "float32"
    epsilon = 1e-7
    image_data_format = "channels_last"
    dtype_policy: Any = None
    device: torch.device | None = None
    interactive_logging = True
    traceback_filtering = True
    flash_attention = True
    unsafe_deserialization = False
    nan_check = False
    max_epochs: int | None = None
    max_steps_per_epoch: int | None = None


_settings = _Settings()
_HAS_MPS = torch.backends.mps.is_available()  # asked here, since torch.compile cannot ask it
_local = threading.local()


def keras_home() -> Path:
    """The directory of settings and data sets: `$KERAS_HOME`, else `~/.keras`."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def backend() -> str:
    """Always `"torch"`."""
    return "torch"


def set_backend(backend: str) -> None:
    """Accept `"torch"`; anything else raises, since kerasish has one backend."""
    if backend != "torch":
        raise ValueError(f"kerasish runs on PyTorch only: `backend` must be 'torch'. Received: {backend!r}")


def floatx() -> str:
    """The default float type of weights and inputs: `"float32"` unless changed."""
    return _settings.floatx


def set_floatx(value: str) -> None:
    """Set the default float type: `"bfloat16"`, `"float16"`, `"float32"` or `"float64"`."""
    if value not in FLOATX_CHOICES:
        raise ValueError(f"Unknown `floatx`: expected one of {FLOATX_CHOICES}. Received: {value!r}")
    _settings.floatx = str(value)


def epsilon() -> float:
    """The fuzz factor of numeric expressions: 1e-7 unless changed."""
    return _settings.epsilon


def set_epsilon(value: float) -> None:
    """Set the fuzz factor of numeric expressions."""
    _settings.epsilon = float(value)


def image_data_format() -> str:
    """`"channels_last"` (default) or `"channels_first"`."""
    return _settings.image_data_format


def set_image_data_format(data_format: str) -> None:
    """Set the default layout of images: `"channels_last"` or `"channels_first"`."""
    _settings.image_data_format = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """Return `data_format` in lower case, or the default for None; raise on anything else."""
    if data_format is None:
        return image_data_format()
    name = str(data_format).lower()
    if name not in ("channels_first", "channels_last"):
        raise ValueError(
            f"`data_format` must be 'channels_first' or 'channels_last'. Received: data_format={data_format!r}"
        )
    return name


def dtype_policy() -> Any:
    """The `DTypePolicy` that layers get when none is given."""
    from kerasish.dtype_policies import DTypePolicy

    return _settings.dtype_policy or DTypePolicy(floatx())


def set_dtype_policy(policy: Any) -> None:
    """Set the default dtype policy: a `DTypePolicy` or a name such as `"mixed_bfloat16"`."""
    from kerasish.dtype_policies import get

    _settings.dtype_policy = None if policy is None else get(policy)


def enable_interactive_logging() -> None:
    """Print progress bars to the standard output (the default)."""
    _settings.interactive_logging = True


def disable_interactive_logging() -> None:
    """Send progress to the `logging` module instead of the standard output."""
    _settings.interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress bars go to the standard output."""
    return _settings.interactive_logging


def enable_traceback_filtering() -> None:
    """Cut the frames of kerasish and torch out of tracebacks raised by `fit` and its kin (the default)."""
    _settings.traceback_filtering = True


def disable_traceback_filtering() -> None:
    """Show every frame in tracebacks."""
    _settings.traceback_filtering = False


def is_traceback_filtering_enabled() -> bool:
    """Whether tracebacks are filtered."""
    return _settings.traceback_filtering


def enable_flash_attention() -> None:
    """Let attention layers use torch's fused kernels (the default)."""
    _settings.flash_attention = True


def disable_flash_attention() -> None:
    """Make attention layers use torch's plain mathematics kernel."""
    _settings.flash_attention = False


def is_flash_attention_enabled() -> bool:
    """Whether attention layers may use torch's fused kernels."""
    return _settings.flash_attention


def enable_unsafe_deserialization() -> None:
    """Let files bring their own code: only for files from a trusted source."""
    _settings.unsafe_deserialization = True


def is_unsafe_deserialization_enabled() -> bool:
    """Whether `enable_unsafe_deserialization` was called."""
    return _settings.unsafe_deserialization


def enable_nan_check(enabled: bool = True) -> None:
    """Let `fit`, `evaluate` and `predict` look for NaN and infinity in their in-memory inputs, and raise."""
    _settings.nan_check = enabled


def is_nan_check_enabled() -> bool:
    """Whether `enable_nan_check` was called."""
    return _settings.nan_check


def is_nnx_enabled() -> bool:
    """Always False: NNX belongs to JAX."""
    return False


def max_epochs() -> int | None:
    """The upper limit of epochs in every `fit`, or None."""
    return _settings.max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Limit the epochs of every `fit`: for quick checks of a whole script."""
    _settings.max_epochs = max_epochs


def max_steps_per_epoch() -> int | None:
    """The upper limit of steps per epoch in `fit`, `evaluate` and `predict`, or None."""
    return _settings.max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limit the steps of every epoch, evaluation and prediction: for quick checks of a whole script."""
    _settings.max_steps_per_epoch = max_steps_per_epoch


def torch_device(name: Any) -> torch.device:
    """Turn a device name into a torch device: torch's (`"cuda:1"`) and TensorFlow's (`"/GPU:0"`) spellings.

    Raises:
        ValueError: the name is not a device of this machine.
    """
    if isinstance(name, torch.device):
        device = name
    else:
        text = str(name).lower().rsplit("device:", 1)[-1].lstrip("/")
        text = text.replace("gpu", "cuda")
        try:
            device = torch.device("cpu" if text.startswith("cpu") else text)
        except RuntimeError as error:
            raise ValueError(
                f"Unknown device: expected 'cpu', 'cuda', 'cuda:0', 'mps' or 'gpu:0'. Received: {name!r}"
            ) from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"Device {name!r} was asked for, but torch sees no CUDA device on this machine.")
    return device


def set_device(name: Any) -> None:
    """Choose the device of everything built from now on; None returns to the automatic choice."""
    _settings.device = None if name is None else torch_device(name)


def get_device() -> torch.device:
    """The device of new weights: the innermost `device(...)`, else `set_device`, else CUDA, MPS, CPU."""
    scoped = getattr(_local, "devices", None)
    if scoped:
        return scoped[-1]
    if _settings.device is None:
        if torch.cuda.is_available():
            _settings.device = torch.device("cuda")
        elif _HAS_MPS:
            _settings.device = torch.device("mps")
        else:
            _settings.device = torch.device("cpu")
    return _settings.device


@contextlib.contextmanager
def device(device_name: Any) -> Iterator[torch.device]:
    """Context in which new weights and tensors live on `device_name`: `with kerasish.device("cpu"): …`."""
    stack = _local.__dict__.setdefault("devices", [])
    stack.append(torch_device(device_name))
    try:
        yield stack[-1]
    finally:
        stack.pop()


def enable_tf32(enabled: bool = True) -> None:
    """Let CUDA matrix products run in TensorFloat-32: up to 4× faster, 10-bit mantissa.

    Off by default, as in PyTorch; TensorFlow and JAX have it on.
    """
    torch.backends.cuda.matmul.allow_tf32 = enabled
    torch.backends.cudnn.allow_tf32 = enabled


def _read_keras_json() -> None:
    path = keras_home() / "keras.json"
    try:
        stored = json.loads(path.read_text())
    except (OSError, ValueError):
        return
    if stored.get("floatx") in FLOATX_CHOICES:
        set_floatx(stored["floatx"])
    if isinstance(stored.get("epsilon"), float):
        set_epsilon(stored["epsilon"])
    if stored.get("image_data_format") in ("channels_first", "channels_last"):
        set_image_data_format(stored["image_data_format"])


_read_keras_json()
