"""From files, texts and series to data that a model can take."""

from kerasish.preprocessing import image as image
from kerasish.preprocessing import sequence as sequence
from kerasish.preprocessing import text as text
from kerasish.preprocessing.image_dataset import image_dataset_from_directory as image_dataset_from_directory
from kerasish.preprocessing.text_dataset import text_dataset_from_directory as text_dataset_from_directory
from kerasish.preprocessing.timeseries import timeseries_dataset_from_array as timeseries_dataset_from_array

__all__ = [
    "image",
    "image_dataset_from_directory",
    "sequence",
    "text",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]
