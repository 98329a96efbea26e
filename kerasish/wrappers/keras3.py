"""Keras 3's estimators: `SKLearnClassifier`, `SKLearnRegressor`, `SKLearnTransformer`."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array

from kerasish.errors import received
from kerasish.models import Model, clone_model
from kerasish.wrappers.estimator import ClassificationMixin, Estimator, RegressionMixin
from kerasish.wrappers.parameters import copied, make_callbacks, without_numpy
from kerasish.wrappers.targets import heads_of

COMPILATION = (
    "optimizer", "loss", "loss_weights", "metrics", "weighted_metrics", "run_eagerly",
    "steps_per_execution", "jit_compile",
)  # fmt: skip


class _SKLearnEstimator(Estimator):
    """What the three have in common.

    Args:
        model: a compiled model, cloned with new weights in each fit; or a function
            `(X, y, **model_kwargs)` that returns one.
        warm_start: whether `fit` goes on with the model of the last fit, and uses the given model itself.
        model_kwargs: arguments for the function.
        fit_kwargs: arguments for `Model.fit`; those given to `fit` take precedence.
    """

    def __init__(
        self, model: Any, warm_start: bool = False, model_kwargs: Any = None, fit_kwargs: Any = None
    ) -> None:
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    @property
    def epoch_(self) -> int:
        """The number of epochs of the last fit."""
        return len(self.history_.epoch) if hasattr(self, "history_") else 0

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:
        """Train on features (N, …) and targets (N,) or (N, L); `kwargs` are arguments of `Model.fit`."""
        if self._take_over(X, y):
            return self
        settings = self._settings_of_fit(kwargs)
        fresh = not (self.warm_start and hasattr(self, "model_"))
        self._keep_history(self._train(X, y, settings, fresh))
        return self

    def _settings_of_fit(self, given: dict[str, Any]) -> dict[str, Any]:
        settings = {**(self.fit_kwargs or {}), **given}
        return {**settings, "callbacks": make_callbacks(settings.get("callbacks"), {})}

    def predict(self, X: Any) -> Any:
        """Predict the targets."""
        outputs = self._outputs(X, {})
        return self.target_encoder_.inverse_transform(outputs)

    def _build(self, X: Any, y: Any) -> Model:
        if isinstance(self.model, Model):
            model = self.model if self.warm_start else _with_new_weights(self.model)
        elif callable(self.model):
            arguments = {name: without_numpy(value) for name, value in (self.model_kwargs or {}).items()}
            model = self.model(X=X, y=self._shown_to_builder(y), **arguments)
        else:
            raise TypeError(
                f"`model` must be a Model, or a function that returns one. Received: {received(self.model)}"
            )
        if not isinstance(model, Model):
            raise ValueError(
                f"The function given as `model` must return a Model. Received: {received(model)}"
            )
        if not model.compiled or model.loss is None:
            raise RuntimeError("Given model needs to be compiled, and have a loss and an optimizer.")
        return model

    def _shown_to_builder(self, y: Any) -> Any:
        return y.reshape(-1, 1) if y is not None and y.ndim == 1 else y


def _with_new_weights(model: Model) -> Model:
    """The model cloned, and compiled as it is."""
    clone = clone_model(model)
    if model.compiled and not clone.compiled:
        arguments = dict(zip(COMPILATION, model._compile_config, strict=True))
        arguments["optimizer"] = copied(arguments["optimizer"])
        clone.compile(**arguments)
    return clone


class SKLearnClassifier(ClassificationMixin, _SKLearnEstimator):
    """A model as a scikit-learn classifier; a function that builds it gets `y` as one-hot rows (N, C).

    Args:
        model: a compiled model, cloned with new weights in each fit; or a function
            `(X, y, **model_kwargs)` that returns one.
        warm_start: whether `fit` goes on with the model of the last fit, and uses the given model itself.
        model_kwargs: arguments for the function.
        fit_kwargs: arguments for `Model.fit`; those given to `fit` take precedence.

    Raises:
        RuntimeError: the model is not compiled.

    Differs: Keras 3 has no `predict_proba`, gives all outputs (N, C) as `decision_function`, and loses
    `fit_kwargs` in `sklearn.base.clone`; losses that take class numbers, and one sigmoid unit, work here.
    """

    _numbers_by_default = False

    def predict_proba(self, X: Any) -> Any:
        """The probabilities of the classes (N, C)."""
        return self._probabilities(X, {})

    def decision_function(self, X: Any) -> Any:
        """Log-odds (N,) of two classes, log-probabilities (N, C) of more; margins under a hinge loss."""
        return self._scores(X, {})

    def _encode_validation(self, settings: dict[str, Any]) -> None:
        data, columns = settings.get("validation_data"), self.target_encoder_.columns
        if isinstance(data, (tuple, list)) and len(data) > 1 and self.y_ndim_ == 1:
            # Keras 3 hands them to the model as they are: one-hot rows for its losses.
            classes, rows = columns[0].classes, np.asarray(data[1])
            if rows.shape[1:] == (len(classes),):
                settings["validation_data"] = (data[0], classes[rows.argmax(axis=1)], *data[2:])
        super()._encode_validation(settings)

    def _shown_to_builder(self, y: Any) -> Any:
        columns = self.target_encoder_.columns
        if y.ndim > 1 or len(columns) != 1:
            return y
        return np.eye(len(columns[0].classes))[columns[0].encoder.transform(y)]


class SKLearnRegressor(RegressionMixin, _SKLearnEstimator):
    """A model as a scikit-learn regressor; a function that builds it gets `y` with two dimensions.

    Args: those of `SKLearnClassifier`.

    Raises:
        RuntimeError: the model is not compiled.
    """


class SKLearnTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, _SKLearnEstimator):
    """A model as a scikit-learn transformer: `transform` gives its outputs.

    Args: those of `SKLearnClassifier`.

    Raises:
        RuntimeError: the model is not compiled.

    Differs: a model, as opposed to a function, transforms without a fit, compiled or not, so that
        `FrozenEstimator(SKLearnTransformer(model))` is a step of a pipeline; in Keras 3 that raises.
    """

    def predict(self, X: Any) -> Any:
        """The outputs of the model in the shape of the targets, (N, U) or (N,)."""
        outputs = self._outputs(X, {})
        return outputs[:, 0] if outputs.shape[1:] == (1,) and getattr(self, "y_ndim_", 2) == 1 else outputs

    def transform(self, X: Any) -> Any:
        """The outputs of the model (N, U)."""
        return self._outputs(X, {})

    def _outputs(self, X: Any, settings: dict[str, Any]) -> Any:
        if self._is_trained_elsewhere:
            return self.model.predict(check_array(X, allow_nd=True), verbose=0)
        return super()._outputs(X, settings)

    @property
    def _is_trained_elsewhere(self) -> bool:
        return isinstance(self.model, Model) and not hasattr(self, "model_")

    def __sklearn_is_fitted__(self) -> bool:
        return self._is_trained_elsewhere or super().__sklearn_is_fitted__()

    @property
    def _n_features_out(self) -> int:
        if self._is_trained_elsewhere:
            return sum(head.units for head in heads_of(self.model.output, None))
        return sum(head.units for head in self._heads)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _more_tags(self) -> dict[str, Any]:
        return {**super()._more_tags(), "requires_y": False, "preserves_dtype": []}
