"""The count of changes that a prepared step has not seen: what is trained, settings of layers and optimizers."""

from __future__ import annotations


class Structure:
    """Steps prepared before a change, recorded or captured, are prepared again when `version` has grown.

    While `is_recording`, the step that runs is library code that drops its gradients after the update.
    """

    version = 0
    is_recording = False


structure = Structure()
