"""The functions that Keras keeps under `keras.backend`."""

from __future__ import annotations

from typing import Any

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
from kerasish.dtypes import standardize_dtype as standardize_dtype
from kerasish.dtypes import torch_dtype as _torch_dtype
from kerasish.naming import get_uid as get_uid
from kerasish.naming import reset_names as _reset_names
from kerasish.symbolic import is_keras_tensor as is_keras_tensor


def clear_session(free_memory: bool = True) -> None:
    """Start the default names again and, with `free_memory`, give unused memory back."""
    import gc

    _reset_names()
    if free_memory:
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def result_type(*dtypes: Any) -> str:
    """The dtype of an operation on values of these dtypes: torch's promotion, without the step up to float64.

    Example:
        >>> result_type("int32", "float16")
        'float16'
    """
    if not dtypes:
        return floatx()
    result = _torch_dtype(dtypes[0])
    for dtype in dtypes[1:]:
        result = torch.promote_types(result, _torch_dtype(dtype))
    return standardize_dtype(result)
