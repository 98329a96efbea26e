"""Helpers that Keras keeps under `keras.utils`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerasish.doors import lazy_door as _lazy_door

if TYPE_CHECKING:
    from kerasish.backend import clear_session as clear_session
    from kerasish.backend import is_keras_tensor as is_keras_tensor
    from kerasish.config import disable_interactive_logging as disable_interactive_logging
    from kerasish.config import enable_interactive_logging as enable_interactive_logging
    from kerasish.config import is_interactive_logging_enabled as is_interactive_logging_enabled
    from kerasish.dtypes import standardize_dtype as standardize_dtype
    from kerasish.preprocessing.audio_dataset import (
        audio_dataset_from_directory as audio_dataset_from_directory,
    )
    from kerasish.preprocessing.image_dataset import (
        image_dataset_from_directory as image_dataset_from_directory,
    )
    from kerasish.preprocessing.pictures import array_to_img as array_to_img
    from kerasish.preprocessing.pictures import img_to_array as img_to_array
    from kerasish.preprocessing.pictures import load_img as load_img
    from kerasish.preprocessing.pictures import save_img as save_img
    from kerasish.preprocessing.sequence import pad_sequences as pad_sequences
    from kerasish.preprocessing.splitting import split_dataset as split_dataset
    from kerasish.preprocessing.text_dataset import text_dataset_from_directory as text_dataset_from_directory
    from kerasish.preprocessing.timeseries import (
        timeseries_dataset_from_array as timeseries_dataset_from_array,
    )
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
    from kerasish.training.data.py_dataset import PyDataset as Sequence  # Keras 2's name
    from kerasish.utils import bounding_boxes as bounding_boxes
    from kerasish.utils import legacy as legacy
    from kerasish.utils.configuration import Config as Config
    from kerasish.utils.feature_space import FeatureSpace as FeatureSpace
    from kerasish.utils.file_utils import get_file as get_file
    from kerasish.utils.model_plot import model_to_dot as model_to_dot
    from kerasish.utils.model_plot import plot_model as plot_model
    from kerasish.utils.numerical import normalize as normalize
    from kerasish.utils.numerical import to_categorical as to_categorical
    from kerasish.utils.progbar import Progbar as Progbar
    from kerasish.utils.source_inputs import get_source_inputs as get_source_inputs

__getattr__, __dir__ = _lazy_door(__name__)
