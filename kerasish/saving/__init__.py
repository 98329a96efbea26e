"""Whole models and weights in Keras 3's files, registration of custom objects, and configs as JSON."""

from kerasish.saving.archive import load_model as load_model
from kerasish.saving.archive import save_model as save_model
from kerasish.saving.file_editor import KerasFileEditor as KerasFileEditor
from kerasish.saving.weights import load_weights as load_weights
from kerasish.saving.weights import save_weights as save_weights
from kerasish.serialization import CustomObjectScope as CustomObjectScope
from kerasish.serialization import custom_object_scope as custom_object_scope
from kerasish.serialization import deserialize_keras_object as deserialize_keras_object
from kerasish.serialization import get_custom_objects as get_custom_objects
from kerasish.serialization import get_registered_name as get_registered_name
from kerasish.serialization import get_registered_object as get_registered_object
from kerasish.serialization import register_keras_serializable as register_keras_serializable
from kerasish.serialization import serialize_keras_object as serialize_keras_object
