"""From files, texts and series to data that a model can take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerasish.doors import lazy_door as _lazy_door

if TYPE_CHECKING:
    from kerasish.preprocessing import image as image
    from kerasish.preprocessing import sequence as sequence
    from kerasish.preprocessing import text as text
    from kerasish.preprocessing.image_dataset import (
        image_dataset_from_directory as image_dataset_from_directory,
    )
    from kerasish.preprocessing.text_dataset import text_dataset_from_directory as text_dataset_from_directory
    from kerasish.preprocessing.timeseries import (
        timeseries_dataset_from_array as timeseries_dataset_from_array,
    )

__getattr__, __dir__ = _lazy_door(__name__)
