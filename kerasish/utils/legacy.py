"""Keras 2's short configs, under the name that Keras 3 keeps for them."""

from kerasish.legacy.saving import deserialize_keras_object as deserialize_keras_object
from kerasish.legacy.saving import serialize_keras_object as serialize_keras_object
