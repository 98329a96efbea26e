"""Keras 2's `keras.wrappers.scikit_learn`: estimators round a function that builds and compiles a model."""

from __future__ import annotations

from typing import Any

from sklearn.utils.validation import check_is_fitted as _check_is_fitted

from kerasish.errors import received as _received
from kerasish.wrappers import classifier as _classifier
from kerasish.wrappers import regressor as _regressor
from kerasish.wrappers import routed as _routed
from kerasish.wrappers.parameters import names_of as _names_of


class BaseWrapper(_routed.BaseWrapper):
    """The parent of the two: Keras 2's constructor, attributes and methods.

    Args:
        build_fn: function that returns a compiled model; or `__call__` of a subclass.
        **sk_params: parameters of the function, and arguments of `fit` and `predict`.
    """

    def __init__(self, build_fn: Any = None, **sk_params: Any) -> None:
        self.build_fn = build_fn
        self.__dict__.update(sk_params)

    def _defaults(self) -> dict[str, Any]:
        return {"build_fn": None}

    def check_params(self, params: dict[str, Any]) -> None:
        """Raise where nobody takes a parameter.

        Raises:
            ValueError: neither `fit`, `predict` nor `build_fn` has an argument of that name.
        """
        self._refuse_unknown(params)

    def filter_sk_params(self, fn: Any, override: dict[str, Any] | None = None) -> dict[str, Any]:
        """The parameters that a function names, with those of `override` over them."""
        names = _names_of(fn)
        return {n: v for n, v in self.get_params(deep=False).items() if n in names} | (override or {})

    @property
    def model(self) -> Any:
        """The trained model."""
        if not hasattr(self, "model_"):
            raise AttributeError(f"{type(self).__name__} has no model before `fit`.")
        return self.model_

    @model.setter
    def model(self, model: Any) -> None:
        raise AttributeError(
            "A trained estimator keeps its model together with the classes and shapes of its data: save and load the "
            "estimator with joblib, or wrap the loaded model, `kerasish.wrappers.KerasClassifier(model)"
            f".initialize(X, y)`. Received: model={_received(model)}"
        )

    @property
    def epoch(self) -> list[int]:
        """The numbers of the epochs of the last fit, as in the `History` that Keras 2's `fit` returned."""
        return list(range(len(next(iter(self.history.values()), ()))))

    @property
    def history(self) -> dict[str, list[float]]:
        """The losses and metrics by epoch, so that `clf.fit(…).history` works as in Keras 2."""
        if not hasattr(self, "history_"):
            raise AttributeError(f"{type(self).__name__} has no history before `fit`.")
        return self.history_


class KerasClassifier(BaseWrapper, _classifier.KerasClassifier):
    """A model as a scikit-learn classifier, as in Keras 2.

    Args:
        build_fn: function that returns a compiled model.
        **sk_params: parameters of the function, and arguments of `fit` and `predict`; all that
            `kerasish.wrappers.KerasClassifier` takes is allowed.

    Example:
        >>> import kerasish as keras
        >>> def build_model(n_neurons=30):
        ...     layers = [keras.layers.Dense(n_neurons, "relu"), keras.layers.Dense(3, "softmax")]
        ...     model = keras.Sequential(layers)
        ...     model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        ...     return model
        >>> KerasClassifier(build_model, n_neurons=50).get_params()["n_neurons"]
        50

    Differs: `fit` returns the estimator, with the `history` and `epoch` that Keras 2's returned; `score` needs no
        metric "accuracy".
    """

    def score(self, X: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> float:
        """The accuracy on this data; `kwargs` are arguments of `Model.predict`."""
        return float(self.scorer(y, self.predict(X, **kwargs), sample_weight=sample_weight))


class KerasRegressor(BaseWrapper, _regressor.KerasRegressor):
    """A model as a scikit-learn regressor, as in Keras 2: `score` is the loss with its sign changed.

    Args:
        build_fn: function that returns a compiled model.
        **sk_params: parameters of the function, and arguments of `fit` and `predict`; all that
            `kerasish.wrappers.KerasRegressor` takes is allowed.

    Differs: `fit` returns the estimator, with the `history` that Keras 2's returned.
    """

    def score(self, X: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> float:
        """The loss on this data, with its sign changed, so that more is better."""
        _check_is_fitted(self)
        X, y = self._check_data(X, y, reset=False)
        inputs, targets = self.feature_encoder_.transform(X), self.target_encoder_.transform(y)
        settings = {"verbose": 0, **kwargs, "return_dict": True, "sample_weight": sample_weight}
        return -self.model_.evaluate(inputs, targets, **settings)["loss"]


def __dir__() -> list[str]:
    return ["BaseWrapper", "KerasClassifier", "KerasRegressor"]
