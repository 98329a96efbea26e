"""What the scikit-learn estimators have in common: checking data, training a model, predicting with it."""

from __future__ import annotations

import collections
import contextlib
import contextvars
import dataclasses
import multiprocessing
import random
import re
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from kerasish import tree
from kerasish.config import device, get_device
from kerasish.errors import did_you_mean, format_shape
from kerasish.models import Model
from kerasish.models.architecture import is_library
from kerasish.models.kept_steps import reused_steps
from kerasish.random import set_random_seed
from kerasish.wrappers.parameters import FIT_ARGUMENTS
from kerasish.wrappers.targets import ClassEncoder, Unchanged, ValueEncoder, heads_of

try:
    from sklearn.utils.validation import validate_data
except ImportError:  # scikit-learn before 1.6

    def validate_data(estimator: Any, *args: Any, **kwargs: Any) -> Any:
        """Check `X` and `y`, and keep or compare the number and names of the features."""
        return estimator._validate_data(*args, **kwargs)


# What a pipeline or search may hand on to `fit`; X_val and y_val so that a pipeline can transform X_val.
METADATA_OF_FIT = (*FIT_ARGUMENTS, "X_val", "y_val")
FEATURE_CHECKS: dict[str, Any] = {"accept_sparse": True, "allow_nd": True}
NOT_METADATA_OF_BUILDERS = ("model_", "history_", "callbacks_", "target_encoder_", "feature_encoder_")


@dataclasses.dataclass
class Training:
    """A model, new or trained before, and the arguments of its `fit`, ready to be run."""

    model: Model
    is_new: bool
    inputs: Any
    targets: Any
    sample_weight: Any
    settings: dict[str, Any]

    def run(self) -> Any:
        """Train the model and return the `History`."""
        may_reuse = self.is_new and all(is_library(type(callback)) for callback in self.settings["callbacks"])
        with reused_steps(self.model) if may_reuse else contextlib.nullcontext():
            return self.model.fit(
                self.inputs, self.targets, sample_weight=self.sample_weight, **self.settings
            )


@dataclasses.dataclass
class Trained:
    """An estimator that a search has trained ahead, together with others, and the data that it was trained on.

    Args:
        estimator: None where the fit is to happen at its turn.
        X: the features, where they have to be compared.
        y: the targets.
        is_taken: whether the fit has come to its turn, and found it.
    """

    estimator: Any
    X: Any
    y: Any
    is_taken: bool = False

    def is_for(self, estimator: Any, X: Any, y: Any) -> bool:
        """Whether it is what `estimator.fit(X, y)` would give."""
        return (
            type(estimator) is type(self.estimator)
            and np.array_equal(np.asarray(y), np.asarray(self.y))
            and (self.X is None or np.array_equal(_dense(X), _dense(self.X)))
        )


# The fits of a search in their order, while scikit-learn goes through them.
trained_ahead: contextvars.ContextVar[collections.deque[Trained] | None] = contextvars.ContextVar(
    "trained_ahead", default=None
)

one_at_a_time = threading.RLock()  # fits in several threads would draw from the same random numbers


class Estimator(BaseEstimator):
    """A model that is trained and used by scikit-learn's conventions."""

    __metadata_request__fit = dict.fromkeys(METADATA_OF_FIT)
    _has_numeric_targets = False
    _given_classes: Any = None
    _seeds: Any = None

    # What the kinds of estimators define --------------------------------------------------------------------

    @property
    def target_encoder(self) -> Any:
        """An unfitted transformer between `y` and what the network has; a subclass may override it."""
        return Unchanged()

    @property
    def feature_encoder(self) -> Any:
        """An unfitted transformer from `X` to the inputs; a subclass may override it."""
        return Unchanged()

    def _build(self, X: Any, y: Any) -> Model:
        """A compiled model for this data."""
        raise NotImplementedError

    def _check_targets(self, y: Any) -> Any:
        return y

    def _type_of_target(self, y: Any) -> str:
        return "continuous-multioutput" if y.ndim > 1 and y.shape[1] > 1 else "continuous"

    # Data ---------------------------------------------------------------------------------------------------

    def _check_data(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        """Check features and targets as scikit-learn does; sparse ones become dense."""
        options: dict[str, Any] = {"reset": reset, **FEATURE_CHECKS}
        if y is None:
            X = validate_data(self, X, None, **options)
        else:
            X, y = validate_data(
                self, X, y, multi_output=True, y_numeric=self._has_numeric_targets, **options
            )
            y = self._check_targets(_dense(y))
        X = _dense(X)
        if reset:
            self.X_shape_, self.X_dtype_ = X.shape, X.dtype
            if y is not None:
                self.y_dtype_, self.y_ndim_, self.target_type_ = y.dtype, y.ndim, self._type_of_target(y)
        else:
            self._check_shape(X)
        return X, y

    def _check_features(self, X: Any) -> Any:
        """Check features to predict with against those of the fit."""
        check_is_fitted(self)
        X = _dense(validate_data(self, X, reset=False, **FEATURE_CHECKS))
        self._check_shape(X)
        return X

    def _check_shape(self, X: Any) -> None:
        if X.shape[1:] != self.X_shape_[1:]:
            expected = format_shape((None, *self.X_shape_[1:]))
            raise ValueError(
                f"X has shape {format_shape(X.shape)}, but {type(self).__name__} is expecting {expected}."
            )

    def _settings_of_fit(self, given: dict[str, Any]) -> dict[str, Any]:
        """The arguments of `Model.fit` for a call of `fit` with the arguments `given`."""
        raise NotImplementedError

    def _keep_history(self, history: Any, goes_on: bool = False) -> None:
        """Set the attributes that hold the losses and metrics by epoch."""
        self.history_ = history

    def _weights(self, y: Any, sample_weight: Any, class_weight: Any) -> Any:
        if class_weight is not None:
            raise TypeError(f"`class_weight` is for classifiers. Received: class_weight={class_weight!r}")
        return sample_weight

    # Training -----------------------------------------------------------------------------------------------

    def _train(self, X: Any, y: Any, settings: dict[str, Any], fresh: bool) -> Any:
        """Fit a new model, or go on with the one there is, and return the `History`.

        Args:
            settings: arguments of `Model.fit`; its `callbacks` are this fit's own.
            fresh: whether to build a new model.
        """
        with self._prepared(X, y, settings, fresh) as training:
            return training.run()

    @contextlib.contextmanager
    def _prepared(self, X: Any, y: Any, settings: dict[str, Any], fresh: bool) -> Iterator[Training]:
        """Context with the random numbers of this fit, in which the training is ready to be run."""
        refuse_unknown_arguments(settings)
        settings = dict(settings)
        sample_weight = settings.pop("sample_weight", None)
        class_weight = settings.pop("class_weight", None)
        X, y = self._check_data(X, y, reset=fresh)
        X, y, sample_weight = _with_weight(X, y, sample_weight)
        if fresh:
            self._start(X, y)
        sample_weight = self._weights(y, sample_weight, class_weight)
        X, y, sample_weight = _set_validation_aside(settings, X, y, sample_weight)
        with self._seeded(), device(device_of_process()):
            inputs = self.feature_encoder_.transform(X)
            if fresh:
                self._make_model(inputs, X, y)
            targets = self.target_encoder_.transform(y)
            self._encode_validation(settings)
            for name in ("batch_size", "validation_batch_size"):
                if settings.get(name) == -1:
                    settings[name] = len(X)
            self.callbacks_ = settings["callbacks"]
            yield Training(self.model_, fresh, inputs, targets, sample_weight, settings)

    def _take_over(self, X: Any, y: Any) -> bool:
        """Become what a search has trained ahead for this fit, if it has."""
        queue = trained_ahead.get()
        if not queue:
            return False
        trained = queue[0]
        if trained.estimator is None:
            queue.popleft()
            return False
        if not trained.is_for(self, X, y):
            return False
        queue.popleft()
        trained.is_taken = True
        self.__dict__.update(vars(trained.estimator))
        return True

    def _start(self, X: Any, y: Any) -> None:
        """Fit the encoders and begin the random numbers anew."""
        self._seeds = None
        if getattr(self, "random_state", None) is not None:
            self._seeds = check_random_state(self.random_state)
        self.target_encoder_ = self.target_encoder
        self.target_encoder_.fit(y)
        self.feature_encoder_ = self.feature_encoder
        self.feature_encoder_.fit(X)
        for encoder in (self.target_encoder_, self.feature_encoder_):
            self.__dict__.update(getattr(encoder, "get_metadata", dict)())

    def _make_model(self, inputs: Any, X: Any, y: Any) -> None:
        model = self._build(X, y)
        outputs = model.output if model._graph is not None else _first_outputs(model, inputs)
        self._heads = heads_of(outputs, model._compiled_loss)
        if hasattr(self.target_encoder_, "match"):
            self.target_encoder_.match(self._heads)
        self.model_ = model

    def _encode_validation(self, settings: dict[str, Any]) -> None:
        data = settings.get("validation_data")
        if isinstance(data, (tuple, list)) and len(data) in (2, 3):
            X, y = self._check_data(data[0], data[1], reset=False)
            inputs, targets = self.feature_encoder_.transform(X), self.target_encoder_.transform(y)
            settings["validation_data"] = (inputs, targets, *data[2:])

    @contextlib.contextmanager
    def _seeded(self) -> Iterator[None]:
        """Context with random numbers of `random_state`, which leaves the global ones as they were."""
        if self._seeds is None:
            with one_at_a_time:
                yield
            return
        devices = [get_device()] if get_device().type == "cuda" else []
        with one_at_a_time, torch.random.fork_rng(devices):
            python, numpy = random.getstate(), np.random.get_state()
            try:
                set_random_seed(self._seeds.randint(2**31 - 1))
                yield
            finally:
                random.setstate(python)
                np.random.set_state(numpy)

    # Use ----------------------------------------------------------------------------------------------------

    def _outputs(self, X: Any, settings: dict[str, Any]) -> Any:
        """The outputs of the network for features that fit those it was trained on."""
        X = self._check_features(X)
        settings = {"verbose": 0, **settings}
        if settings.get("batch_size") == -1:
            settings["batch_size"] = len(X)
        return self.model_.predict(self.feature_encoder_.transform(X), **settings)

    def _builder_metadata(self) -> dict[str, Any]:
        """What is known about the data when the model is built."""
        return {
            name: value
            for name, value in vars(self).items()
            if name.endswith("_") and not name.startswith("_") and name not in NOT_METADATA_OF_BUILDERS
        }

    @property
    def feature_importances_(self) -> Any:
        """What a network does not have: scikit-learn's RFE and SelectFromModel are told so."""
        asker = sys._getframe(1).f_globals.get("__name__", "")
        message = (
            f"{type(self).__name__} has neither coef_ nor feature_importances_: the weights of a network do not rank "
            "its features. Use sklearn.inspection.permutation_importance, or SequentialFeatureSelector, which "
            "compares scores; or give `importance_getter`."
        )
        # An AttributeError would be taken for a "no" by `hasattr`, and told in words that do not help.
        raise TypeError(message) if asker.startswith("sklearn.feature_selection") else AttributeError(message)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __getstate__(self) -> dict[str, Any]:
        # Callbacks hold files, threads and functions; those of the last fit are not worth failing for.
        return {name: value for name, value in super().__getstate__().items() if name != "callbacks_"}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        tags.input_tags.sparse = True
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        return tags

    def _more_tags(self) -> dict[str, Any]:
        return {
            "non_deterministic": True,
            "poor_score": True,
            "multioutput": True,
            "X_types": ["2darray", "3darray", "sparse"],
            "requires_y": True,
        }


class ClassificationMixin(ClassifierMixin):
    """Labels in place of outputs: `classes_`, `predict_proba`, `decision_function`, `class_weight`."""

    _numbers_by_default = True

    @property
    def target_encoder(self) -> Any:
        """An unfitted transformer between labels and what the network has; a subclass may override it."""
        return ClassEncoder(self._given_classes, self._numbers_by_default)

    def _check_targets(self, y: Any) -> Any:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        return y

    def _type_of_target(self, y: Any) -> str:
        kind = type_of_target(y)
        # The first part of the data may hold two of many classes.
        has_more = kind == "binary" and self._given_classes is not None
        return type_of_target(self._given_classes) if has_more else kind

    def _weights(self, y: Any, sample_weight: Any, class_weight: Any) -> Any:
        if class_weight is None:
            return sample_weight
        encoder = self.target_encoder_
        is_one_hot = y.ndim == 2 and getattr(encoder, "has_one_label_each", False)
        weights = compute_sample_weight(class_weight, y.argmax(axis=1) if is_one_hot else y)
        return weights if sample_weight is None else weights * sample_weight

    def _probabilities(self, X: Any, settings: dict[str, Any]) -> Any:
        outputs = self._outputs(X, settings)
        return self.target_encoder_.inverse_transform(outputs, return_proba=True)

    def _scores(self, X: Any, settings: dict[str, Any]) -> Any:
        outputs = self._outputs(X, settings)
        return self.target_encoder_.scores(outputs)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        tags.classifier_tags.multi_label = True
        return tags


class RegressionMixin(RegressorMixin):
    """Numbers as the outputs give them."""

    _has_numeric_targets = True

    @property
    def target_encoder(self) -> Any:
        """An unfitted transformer between `y` and what the network has; a subclass may override it."""
        return ValueEncoder()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


def device_of_process() -> torch.device:
    """The device of new models: the worker processes of joblib take turns on several GPUs."""
    chosen = get_device()
    worker = re.match(r"Loky\D*(\d+)", multiprocessing.current_process().name)
    count = torch.cuda.device_count() if worker and chosen == torch.device("cuda") else 0
    return torch.device("cuda", int(worker[1]) % count) if worker and count > 1 else chosen


def refuse_unknown_arguments(settings: dict[str, Any]) -> None:
    """Raise where `fit` got an argument that nobody takes."""
    for name in settings:
        if name not in METADATA_OF_FIT:
            raise TypeError(
                f"fit() got an unexpected keyword argument {name!r}.{did_you_mean(name, METADATA_OF_FIT)}"
            )


def _first_outputs(model: Model, inputs: Any) -> Any:
    """The outputs for the first record: a model without `Input` tells their shapes no earlier."""
    return model.predict_on_batch(tree.map_structure(lambda part: part[:1], inputs))


def _dense(x: Any) -> Any:
    return x.toarray() if hasattr(x, "toarray") else x


def _with_weight(X: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
    """The records whose weight is not zero: to leave a record out and to give it no weight are the same."""
    if sample_weight is None:
        return X, y, None
    sample_weight = _check_sample_weight(sample_weight, X)
    kept = sample_weight != 0
    if not kept.any():
        raise ValueError("Sample weights must contain at least one non-zero number: all of them are zero.")
    if kept.all():
        return X, y, sample_weight
    return X[kept], (None if y is None else y[kept]), sample_weight[kept]


def _set_validation_aside(
    settings: dict[str, Any], X: Any, y: Any, sample_weight: Any
) -> tuple[Any, Any, Any]:
    """Bring X_val and y_val, or the split that a splitter makes, into `validation_data`."""
    X_val, y_val = settings.pop("X_val", None), settings.pop("y_val", None)
    if X_val is not None:
        settings["validation_data"] = (X_val, y_val)
    splitter: Any = settings.get("validation_split")
    if not hasattr(splitter, "split") or isinstance(splitter, str):
        return X, y, sample_weight
    del settings["validation_split"]
    train, valid = next(iter(splitter.split(X, y)))
    weights = () if sample_weight is None else (sample_weight[valid],)
    settings.setdefault("validation_data", (X[valid], y[valid], *weights))
    return X[train], y[train], None if sample_weight is None else sample_weight[train]
