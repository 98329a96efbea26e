"""Helpers that Keras keeps under `keras.utils`."""

from kerasish.backend import clear_session as clear_session
from kerasish.backend import is_keras_tensor as is_keras_tensor
from kerasish.config import disable_interactive_logging as disable_interactive_logging
from kerasish.config import enable_interactive_logging as enable_interactive_logging
from kerasish.config import is_interactive_logging_enabled as is_interactive_logging_enabled
from kerasish.dtypes import standardize_dtype as standardize_dtype
from kerasish.random import set_random_seed as set_random_seed
from kerasish.serialization import CustomObjectScope as CustomObjectScope
from kerasish.serialization import custom_object_scope as custom_object_scope
from kerasish.serialization import deserialize_keras_object as deserialize_keras_object
from kerasish.serialization import get_custom_objects as get_custom_objects
from kerasish.serialization import get_registered_name as get_registered_name
from kerasish.serialization import get_registered_object as get_registered_object
from kerasish.serialization import register_keras_serializable as register_keras_serializable
from kerasish.serialization import serialize_keras_object as serialize_keras_object
from kerasish.training.data.packing import pack_x_y_sample_weight as pack_x_y_sample_weight
from kerasish.training.data.packing import unpack_x_y_sample_weight as unpack_x_y_sample_weight
from kerasish.training.data.py_dataset import PyDataset as PyDataset
from kerasish.utils.file_utils import get_file as get_file
from kerasish.utils.numerical import normalize as normalize
from kerasish.utils.numerical import to_categorical as to_categorical
from kerasish.utils.progbar import Progbar as Progbar

__all__ = [
    name for name in dir() if not name.startswith("_") and name not in ("file_utils", "numerical", "progbar")
]

Sequence = PyDataset  # Keras 2's name
