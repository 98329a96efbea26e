"""What Keras 2 had in `losses` besides other names of today's functions."""

from __future__ import annotations

from typing import Any

from kerasish.losses.crossentropy import categorical_crossentropy
from kerasish.losses.loss import LossFunctionWrapper


class Reduction:
    """Names of reductions; `AUTO` is `"sum_over_batch_size"`."""

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """All names."""
        return (cls.AUTO, cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE)

    @classmethod
    def validate(cls, key: str) -> None:
        """Raise `ValueError` unless `key` is one of the names."""
        if key not in cls.all():
            raise ValueError(f"Unknown reduction: expected one of {cls.all()}. Received: {key!r}")


def is_categorical_crossentropy(loss: Any) -> bool:
    """Whether a name, function or object is the categorical cross-entropy."""
    function = loss.fn if isinstance(loss, LossFunctionWrapper) else loss
    return function is categorical_crossentropy or function == "categorical_crossentropy"
