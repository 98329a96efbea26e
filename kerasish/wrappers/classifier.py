"""`KerasClassifier`, with SciKeras's interface."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score
from sklearn.utils.multiclass import type_of_target

from kerasish.wrappers.estimator import ClassificationMixin
from kerasish.wrappers.routed import BaseWrapper


class KerasClassifier(ClassificationMixin, BaseWrapper):
    """A model as a scikit-learn classifier.

    Targets are turned into what the model's loss reads: labels of any type into class numbers or one-hot
    rows, for one sigmoid unit or several softmax units; one-hot rows, label matrices and several columns of
    classes (an output for each) work, too.

    Args: those of `BaseWrapper`, and
        class_weight: `"balanced"`, or a dictionary label → weight.

    Example:
        >>> import kerasish as keras
        >>> from sklearn.datasets import load_iris
        >>> def build(meta, hidden=16):
        ...     layers = keras.layers
        ...     units = meta["n_classes_"]
        ...     return keras.Sequential([layers.Dense(hidden, "relu"), layers.Dense(units, "softmax")])
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = KerasClassifier(
        ...     build, loss="sparse_categorical_crossentropy", optimizer="adam", epochs=30, verbose=0,
        ...     optimizer__learning_rate=0.01, model__hidden=32, random_state=0,
        ... )
        >>> clf.fit(X, y).score(X, y) > 0.9
        True

    Source: the interface is that of SciKeras 0.13.
    """

    def __init__(
        self,
        model: Any = None,
        *,
        build_fn: Any = None,
        warm_start: bool = False,
        random_state: Any = None,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        batch_size: int | None = None,
        validation_batch_size: int | None = None,
        verbose: Any = 1,
        callbacks: Any = None,
        validation_split: Any = 0.0,
        shuffle: Any = True,
        run_eagerly: bool = False,
        epochs: int = 1,
        class_weight: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            model=model,
            build_fn=build_fn,
            warm_start=warm_start,
            random_state=random_state,
            optimizer=optimizer,
            loss=loss,
            metrics=metrics,
            batch_size=batch_size,
            validation_batch_size=validation_batch_size,
            verbose=verbose,
            callbacks=callbacks,
            validation_split=validation_split,
            shuffle=shuffle,
            run_eagerly=run_eagerly,
            epochs=epochs,
            **kwargs,
        )
        self.class_weight = class_weight

    score = BaseWrapper.score

    def partial_fit(  # type: ignore[override]
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None, **kwargs: Any
    ) -> Any:
        """Train the model there is, or a new one, for one more epoch.

        Args: those of `fit`, and
            classes: all classes, for the first call, where `y` may lack some.
        """
        if not self.initialized_:
            self._given_classes = classes
        return super().partial_fit(X, y, sample_weight, **kwargs)

    def predict_proba(self, X: Any, **kwargs: Any) -> Any:
        """The probabilities of classes (N, C), of labels (N, L), or a list (N, C) for several columns."""
        return self._probabilities(X, self._predict_settings(kwargs))

    def decision_function(self, X: Any, **kwargs: Any) -> Any:
        """Log-odds (N,) of two classes, log-probabilities (N, C) of more; margins under a hinge loss."""
        return self._scores(X, self._predict_settings(kwargs))

    @staticmethod
    def scorer(y_true: Any, y_pred: Any, **kwargs: Any) -> float:
        """The accuracy; with several target columns, of whole rows."""
        if np.ndim(y_true) < 2 or type_of_target(y_true) != "multiclass-multioutput":
            return accuracy_score(y_true, y_pred, **kwargs)
        return float(
            np.average((np.asarray(y_true) == y_pred).all(axis=1), weights=kwargs.get("sample_weight"))
        )
