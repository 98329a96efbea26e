"""The recommended estimators: SciKeras's, with parameters routed by prefix."""

from __future__ import annotations

import copy
import functools
import inspect
from typing import Any

import torch

from kerasish.callbacks import Callback
from kerasish.config import device
from kerasish.errors import did_you_mean, received
from kerasish.models import Model, Sequential
from kerasish.training.objectives import resolve_loss
from kerasish.wrappers.estimator import Estimator, device_of_process
from kerasish.wrappers.parameters import (
    COMPILE_ARGUMENTS,
    DESTINATIONS,
    FIT_ARGUMENTS,
    PREDICT_ARGUMENTS,
    is_routed,
    make_callbacks,
    make_loss,
    make_metrics,
    make_optimizer,
    names_of,
    refuse_unknown,
    routed,
    takes_any_name,
    without_numpy,
)

OWN_PARAMETERS = ("model", "build_fn", "warm_start", "random_state", "callbacks")
FOR_BUILDERS = ("meta", "compile_kwargs", "params")
PREDICT_EVENTS = ("on_predict_begin", "on_predict_end", "on_predict_batch_begin", "on_predict_batch_end")


class BaseWrapper(Estimator):
    """A model as a scikit-learn estimator; `KerasClassifier` and `KerasRegressor` say what `y` is.

    Args:
        model: function that returns a model, compiled or not; or a model, torch module or class of either.
            A function gets the parameters it names, among them `meta` (a dictionary: `n_features_in_`,
            `X_shape_`, `target_type_`, `n_outputs_`, for classifiers `n_classes_`, …), `compile_kwargs` and
            `params`. A model given as such is copied, with its weights, in each fit.
        build_fn: older name of `model`.
        warm_start: whether `fit` goes on with the model of the last fit; its epochs are counted from 0 again.
        random_state: seed of weights, shuffling and dropout; the global random numbers stay as they are.
        optimizer, loss, metrics, run_eagerly: for `compile`, where the builder does not compile.
        batch_size: records per update; −1 for all.
        validation_batch_size: likewise for the validation.
        verbose: of the training; predictions are silent, unless `predict__verbose` is given.
        callbacks: callbacks, their classes or functions that make them; every fit gets its own. Those that wait
            for events of a prediction are called then, too; `fit__callbacks` and `predict__callbacks` are not.
        validation_split: share of the last records, or a splitter such as `StratifiedShuffleSplit(1)`.
        shuffle: whether records are shuffled before each epoch.
        epochs: passes over the data.
        **kwargs: parameters of the builder, and routed ones: `model__hidden`, `optimizer__learning_rate`,
            `loss__from_logits`, `metrics__0__threshold`, `callbacks__patience`, `compile__jit_compile`,
            `fit__batch_size`, `predict__batch_size`, `score__…`.

    After a fit `model_` is the model, `history_` its losses and metrics by epoch, `callbacks_` what was used.

    Differs: SciKeras trains a model given as such itself, prints during predictions, returns a column for a column
        `y`, and has every fit draw the same numbers from one `RandomState`; here two fits go on with it, as in
        scikit-learn.
    """

    _is_for_use_only = False
    _callbacks_of_prediction: Any = ()

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
        **kwargs: Any,
    ) -> None:
        self.model = model
        self.build_fn = build_fn
        self.warm_start = warm_start
        self.random_state = random_state
        self.optimizer = optimizer
        self.loss = loss
        self.metrics = metrics
        self.batch_size = batch_size
        self.validation_batch_size = validation_batch_size
        self.verbose = verbose
        self.callbacks = callbacks
        self.validation_split = validation_split
        self.shuffle = shuffle
        self.run_eagerly = run_eagerly
        self.epochs = epochs
        self.__dict__.update(kwargs)

    # Parameters ---------------------------------------------------------------------------------------------

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """All parameters, those for the builder and routed ones included."""
        params = {
            name: vars(self)[name]
            for name in sorted(vars(self))
            if not name.startswith("_") and name[-1] != "_"
        }
        for name, value in list(params.items()) if deep else ():
            if _is_estimator(value):
                params.update({f"{name}__{key}": inner for key, inner in value.get_params().items()})
        return params

    def set_params(self, **params: Any) -> Any:
        """Set parameters, also ones that the builder names and routed ones.

        Raises:
            ValueError: nobody takes a parameter of that name.
        """
        known = self.get_params()
        unknown = []
        for name, value in params.items():
            first, _, rest = name.partition("__")
            if rest and _is_estimator(known.get(first)):
                known[first].set_params(**{rest: value})
                continue
            if name not in known:
                unknown.append(name)
            self.__dict__[name] = value
        try:
            self._refuse_unknown(unknown)
        except ValueError:
            for name in unknown:
                del self.__dict__[name]
            raise
        return self

    def _refuse_unknown(self, names: Any) -> None:
        """Raise where neither the estimator, nor `fit` or `predict`, nor the builder takes a parameter."""
        builder = self._find_builder()
        of_builder: tuple[str, ...] = ()
        if callable(builder) and not _is_module(builder):
            of_builder = names_of(builder)
            if _takes_any_name(builder) or "params" in of_builder:
                return
        own = (*self._defaults(), *OWN_PARAMETERS, *COMPILE_ARGUMENTS, *FIT_ARGUMENTS, *PREDICT_ARGUMENTS)
        known = sorted({*own, *of_builder} - set(FOR_BUILDERS))
        for name in names:
            if name not in known and not is_routed(name):
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator {type(self).__name__}. Valid parameters are: "
                    f"{known}, and those beginning with {', '.join(f'{d}__' for d in DESTINATIONS)}."
                    f"{did_you_mean(name, [*known, 'optimizer__learning_rate', 'callbacks__patience'])}"
                )

    def _defaults(self) -> dict[str, Any]:
        """The parameters that the constructors of this class and its parents name, with their defaults."""
        return _defaults_of(type(self))  # type: ignore[arg-type]

    def _changed_parameters(self) -> dict[str, Any]:
        """The parameters that are not at their defaults."""
        defaults = self._defaults()
        params = self.get_params(deep=False)
        return {n: v for n, v in params.items() if n not in defaults or not _same(v, defaults[n])}

    # The model ----------------------------------------------------------------------------------------------

    def _find_builder(self) -> Any:
        params = self.get_params(deep=False)
        for name in ("model", "build_fn"):
            if params.get(name) is not None:
                return params[name]
        return getattr(self, "_keras_build_fn", None) or (self if callable(self) else None)

    def _build(self, X: Any, y: Any) -> Model:
        self._refuse_unknown(self.get_params(deep=False))
        builder = self._find_builder()
        if builder is None:
            raise ValueError(
                f"{type(self).__name__} has no model: give a function that returns one, "
                f"`{type(self).__name__}(model=build)`. Received: model=None"
            )
        model = self._made_or_copied(builder)
        if not isinstance(model, torch.nn.Module):
            raise ValueError(
                f"The builder {_name(builder)} must return a model; does it end with `return model`? "
                f"Received: {received(model)}"
            )
        model = model if isinstance(model, Model) else Sequential([model])
        self._compile(model, builder)
        return model

    def _made_or_copied(self, builder: Any) -> Any:
        if _is_module(builder):
            if routed(self.get_params(deep=False), "model"):
                raise ValueError(
                    "Parameters `model__…` need a function or class that they go to. Received: a model."
                )
            return builder if self._is_for_use_only else copy.deepcopy(builder)
        if not callable(builder):
            raise TypeError(
                "`model` must be a function that returns a model, a model, or a torch module. "
                f"Received: {received(builder)}"
            )
        return builder(**self._arguments_of(builder))

    def _arguments_of(self, builder: Any) -> dict[str, Any]:
        """The parameters that the builder names."""
        params = self.get_params(deep=False)
        names = names_of(builder)
        for_model = routed(params, "model")
        given = {**self._changed_parameters(), **for_model}
        if _takes_any_name(builder):
            taken_elsewhere = (*OWN_PARAMETERS, *COMPILE_ARGUMENTS, *FIT_ARGUMENTS, *PREDICT_ARGUMENTS)
            wanted = [
                n for n in given if n in names or n in for_model or not (is_routed(n) or n in taken_elsewhere)
            ]
            names = (*names, *FOR_BUILDERS)
        else:
            refuse_unknown(for_model, set(names) - set(FOR_BUILDERS), _name(builder), "model__")
            wanted = [name for name in given if name in names]
        special = {
            "meta": self._builder_metadata,
            "compile_kwargs": self._compile_arguments,
            "params": self.get_params,
        }
        arguments = {name: make() for name, make in special.items() if name in names}
        return {**arguments, **{name: without_numpy(given[name]) for name in wanted}}

    def _compile_arguments(self) -> dict[str, Any]:
        """The arguments of `compile`, with an optimizer and metrics of their own."""
        params = self.get_params(deep=False)
        arguments = {name: params[name] for name in COMPILE_ARGUMENTS if name in params}
        for_compile = routed(params, "compile")
        refuse_unknown(for_compile, COMPILE_ARGUMENTS, "compile", "compile__")
        arguments.update(for_compile)
        arguments["optimizer"] = make_optimizer(
            arguments.get("optimizer", "rmsprop"), routed(params, "optimizer")
        )
        arguments["loss"] = make_loss(arguments.get("loss"), routed(params, "loss"))
        arguments["metrics"] = make_metrics(arguments.get("metrics"), routed(params, "metrics"))
        return arguments

    def _compile(self, model: Model, builder: Any) -> None:
        if model.compiled:
            self._refuse_unused_compilation(model, builder)
            return
        arguments = self._compile_arguments()
        if arguments["loss"] is None:
            if self._is_for_use_only:
                return
            raise ValueError(
                f"The model must be compiled, or {type(self).__name__} be given a loss to compile it with: "
                f"`{type(self).__name__}(model, loss='mse', optimizer='adam')`. Received: loss=None"
            )
        model.compile(**arguments)

    def _refuse_unused_compilation(self, model: Model, builder: Any) -> None:
        """Raise where parameters were meant for a `compile` that the builder has done without them."""
        names = () if _is_module(builder) else names_of(builder)
        if "compile_kwargs" in names or "params" in names or (names and _takes_any_name(builder)):
            return
        for name in self._changed_parameters():
            is_for_compile = name in COMPILE_ARGUMENTS or name.partition("__")[0] in (
                "compile",
                "optimizer",
                "metrics",
            )
            if name == "loss" and _same_loss(self.loss, model.loss):
                continue
            if name not in names and (is_for_compile or name.startswith("loss__")):
                raise ValueError(
                    f"{name}={received(getattr(self, name))} cannot take effect: the model is compiled already. "
                    f"Leave `compile` to {type(self).__name__}, or let the builder take `compile_kwargs` and "
                    "call `model.compile(**compile_kwargs)`."
                )

    # Training and use ---------------------------------------------------------------------------------------

    def _settings_of_fit(self, given: dict[str, Any]) -> dict[str, Any]:
        """The arguments of `Model.fit`: parameters, then routed ones, then those of the call."""
        params = self.get_params(deep=False)
        settings = {name: params[name] for name in FIT_ARGUMENTS if name in params}
        for_fit = {n: value for n, value in routed(params, "fit").items() if not n.startswith("callbacks__")}
        refuse_unknown(for_fit, FIT_ARGUMENTS, "fit", "fit__")
        if "callbacks" in given:
            callbacks = lasting = make_callbacks(given["callbacks"], {})
        else:
            lasting = make_callbacks(params.get("callbacks"), routed(params, "callbacks"))
            callbacks = lasting + make_callbacks(
                params.get("fit__callbacks"), routed(params, "fit__callbacks")
            )
        self._callbacks_of_prediction = [c for c in lasting if _waits_for_predictions(c)]
        return {**settings, **for_fit, **given, "callbacks": callbacks}

    def _predict_settings(self, given: dict[str, Any]) -> dict[str, Any]:
        params = self.get_params(deep=False)
        for_predict = {
            n: value for n, value in routed(params, "predict").items() if not n.startswith("callbacks__")
        }
        refuse_unknown(for_predict, PREDICT_ARGUMENTS, "predict", "predict__")
        callbacks = make_callbacks(for_predict.get("callbacks"), routed(params, "predict__callbacks"))
        for_predict["callbacks"] = [*self._callbacks_of_prediction, *callbacks]
        return {"batch_size": params.get("batch_size"), **for_predict, **given}

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Train a new model on the data, or with `warm_start` the one there is.

        Args:
            X: features (N, …): an array, data frame or sparse matrix.
            y: targets (N,) or (N, L).
            sample_weight: weights (N,), before those of `fit__sample_weight`; a record of weight 0 is left out.
            **kwargs: arguments of `Model.fit`, which take precedence over the parameters; `validation_data` in
                the form of `X` and `y`, or `X_val` and `y_val`, as a pipeline hands them on.
        """
        if self._take_over(X, y):
            return self
        self._given_classes = None
        return self._fit(X, y, sample_weight, kwargs, fresh=not (self._is_warm and self.initialized_))

    @property
    def _is_warm(self) -> bool:
        return bool(self.get_params(deep=False).get("warm_start"))

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Train the model there is, or a new one, for one more epoch."""
        for name in ("epochs", "initial_epoch"):
            if name in kwargs:
                raise TypeError(
                    f"`partial_fit` trains for one epoch: it takes no `{name}`. Received: {kwargs[name]!r}"
                )
        epoch = self.current_epoch
        kwargs = {**kwargs, "initial_epoch": epoch, "epochs": epoch + 1}
        return self._fit(X, y, sample_weight, kwargs, fresh=not self.initialized_, goes_on=True)

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, given: dict[str, Any], fresh: bool, goes_on: bool = False
    ) -> Any:
        if sample_weight is not None:
            given = {**given, "sample_weight": sample_weight}
        settings = self._settings_of_fit(given)
        if fresh and type(self)._initialize is not BaseWrapper._initialize:
            X, y = self._initialize(X, y)
            fresh = False
        self._keep_history(self._train(X, y, settings, fresh), goes_on)
        return self

    def _keep_history(self, history: Any, goes_on: bool = False) -> None:
        if not (goes_on and hasattr(self, "history_")):
            self.history_: dict[str, list[float]] = {}
        for name, values in history.history.items():
            self.history_.setdefault(name, []).extend(values)

    def initialize(self, X: Any, y: Any = None) -> Any:
        """Build the model for such data without training it; a model that was given is used itself, not a copy.

        A model that is only to be used needs no loss.
        """
        self._given_classes = None
        self._is_for_use_only = True
        try:
            self._initialize(X, y)
        finally:
            del self._is_for_use_only
        return self

    def _initialize(self, X: Any, y: Any = None) -> tuple[Any, Any]:
        """Build the model and return the checked data; a subclass may extend it, for `fit` too, as in SciKeras."""
        X, y = self._check_data(X, y, reset=True)
        self.__dict__.pop("history_", None)
        self._start(X, y)
        with self._seeded(), device(device_of_process()):
            self._make_model(self.feature_encoder_.transform(X), X, y)
        return X, y

    @property
    def initialized_(self) -> bool:
        """Whether there is a model."""
        return hasattr(self, "model_")

    @property
    def current_epoch(self) -> int:
        """The number of epochs trained."""
        return len(next(iter(getattr(self, "history_", {}).values()), ()))

    def predict(self, X: Any, **kwargs: Any) -> Any:
        """Predict the targets; `kwargs` are arguments of `Model.predict`."""
        outputs = self._predict_raw(X, **kwargs)
        return self.target_encoder_.inverse_transform(outputs)

    def _predict_raw(self, X: Any, **kwargs: Any) -> Any:
        """The outputs of the network; subclasses written for SciKeras call it."""
        return self._outputs(X, self._predict_settings(kwargs))

    @staticmethod
    def scorer(y_true: Any, y_pred: Any, **kwargs: Any) -> float:
        """What `score` computes: to be overridden."""
        raise NotImplementedError("A subclass of BaseWrapper must define `scorer(y_true, y_pred, **kwargs)`.")

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The value of `scorer` for predictions of `X`."""
        arguments = {"sample_weight": None, **routed(self.get_params(deep=False), "score")}
        if sample_weight is not None:
            arguments["sample_weight"] = sample_weight
        return float(self.scorer(y, self.predict(X), **arguments))

    def __getstate__(self) -> dict[str, Any]:
        return {n: value for n, value in super().__getstate__().items() if n != "_callbacks_of_prediction"}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        return tags

    def _more_tags(self) -> dict[str, Any]:
        return {**super()._more_tags(), "requires_y": False}


@functools.cache
def _defaults_of(kind: type) -> dict[str, Any]:
    defaults: dict[str, Any] = {}
    for cls in kind.__mro__:
        if issubclass(cls, BaseWrapper) and "__init__" in vars(cls):
            arguments = inspect.signature(cls.__init__).parameters
            defaults = {**{name: arguments[name].default for name in names_of(cls.__init__)}, **defaults}
    return defaults


def _is_estimator(x: Any) -> bool:
    return hasattr(x, "get_params") and not isinstance(x, type)


def _waits_for_predictions(callback: Any) -> bool:
    return any(getattr(type(callback), n, None) not in (None, getattr(Callback, n)) for n in PREDICT_EVENTS)


def _takes_any_name(builder: Any) -> bool:
    # The `**kwargs` of a model's class are those of its parents.
    is_model = inspect.isclass(builder) and issubclass(builder, torch.nn.Module)
    return takes_any_name(builder) and not is_model


def _is_module(x: Any) -> bool:
    return isinstance(x, torch.nn.Module)


def _name(builder: Any) -> str:
    return getattr(builder, "__name__", None) or received(builder)


def _same(a: Any, b: Any) -> bool:
    return a is b or (type(a) is type(b) and isinstance(a, (str, int, float)) and a == b)


def _same_loss(given: Any, used: Any) -> bool:
    if isinstance(given, (list, tuple, dict)) or isinstance(used, (list, tuple, dict)) or used is None:
        return given == used
    first, second = resolve_loss(given), resolve_loss(used)
    return getattr(first, "fn", type(first)) is getattr(second, "fn", type(second))
