"""Metrics of predicted probabilities: cross-entropies, Kullback-Leibler divergence, Poisson."""

from __future__ import annotations

from typing import Any

from kerasish import losses
from kerasish.metrics.reduction import FunctionMetric


class BinaryCrossentropy(FunctionMetric):
    """Mean of `losses.binary_crossentropy`.

    Args:
        name: key in the logs.
        dtype: type of the sums.
        from_logits: whether predictions are logits.
        label_smoothing: fraction of each label moved to ½.

    Example:
        >>> round(float(BinaryCrossentropy()([[0.0, 1.0], [0.0, 0.0]], [[0.6, 0.4], [0.4, 0.6]])), 4)
        0.8149
    """

    def __init__(
        self,
        name: str = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            losses.binary_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing
        )


class CategoricalCrossentropy(FunctionMetric):
    """Mean of `losses.categorical_crossentropy`.

    Args:
        name: key in the logs.
        dtype: type of the sums.
        from_logits: whether predictions are logits.
        label_smoothing: fraction of each label spread evenly over the classes.
        axis: dimension of the classes.
    """

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(FunctionMetric):
    """Mean of `losses.sparse_categorical_crossentropy`.

    Args:
        name: key in the logs.
        dtype: type of the sums.
        from_logits: whether predictions are logits.
        ignore_class: a class number whose samples give 0, and count as samples, as in Keras.
        axis: dimension of the classes.

    Example:
        >>> round(float(SparseCategoricalCrossentropy()([1, 2], [[0.05, 0.95, 0.0], [0.1, 0.8, 0.1]])), 4)
        1.1769
    """

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )


class KLDivergence(FunctionMetric):
    """Mean of `losses.kl_divergence`, Σ y_true · log(y_true / y_pred)."""

    def __init__(self, name: str = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(losses.kl_divergence, name, dtype)


class Poisson(FunctionMetric):
    """Mean of `losses.poisson`, y_pred − y_true · log(y_pred)."""

    def __init__(self, name: str = "poisson", dtype: Any = None) -> None:
        super().__init__(losses.poisson, name, dtype)
