"""The functions that Keras keeps under `keras.backend`, and at first use those that Keras 2 had there."""

from __future__ import annotations

import torch

from kerasish.config import backend as backend
from kerasish.config import epsilon as epsilon
from kerasish.config import floatx as floatx
from kerasish.config import image_data_format as image_data_format
from kerasish.config import set_epsilon as set_epsilon
from kerasish.config import set_floatx as set_floatx
from kerasish.config import set_image_data_format as set_image_data_format
from kerasish.dtypes import is_float_dtype as is_float_dtype
from kerasish.dtypes import is_int_dtype as is_int_dtype
from kerasish.dtypes import result_type as result_type
from kerasish.dtypes import standardize_dtype as standardize_dtype
from kerasish.legacy.names import RENAMED as _RENAMED
from kerasish.legacy.names import module_getattr as _module_getattr
from kerasish.models.kept_steps import forget as _forget_kept_steps
from kerasish.naming import get_uid as get_uid
from kerasish.naming import reset_names as _reset_names
from kerasish.symbolic import is_keras_tensor as is_keras_tensor


def clear_session(free_memory: bool = True) -> None:
    """Start the default names again and, with `free_memory`, give unused memory back."""
    import gc

    _reset_names()
    if free_memory:
        _forget_kept_steps()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


__getattr__ = _module_getattr("keras.backend")


def __dir__() -> list[str]:
    own = [name for name in globals() if not name.startswith("_") and name not in ("annotations", "torch")]
    return sorted([*own, *_RENAMED["keras.backend"]])
