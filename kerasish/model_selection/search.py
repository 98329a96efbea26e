"""scikit-learn's searches, with the folds and candidates of one architecture trained together."""

from __future__ import annotations

import collections
import contextlib
import itertools
import logging
import random
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import sklearn
import torch
from joblib import parallel_config
from joblib.parallel import get_active_backend
from sklearn import model_selection
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing, indexable
from sklearn.utils.validation import _check_method_params

from kerasish.callbacks import History
from kerasish.model_selection.plan import UNSTACKABLE, NotStackable, Plan, plan
from kerasish.model_selection.stack import Stack
from kerasish.wrappers import keras3, routed
from kerasish.wrappers.estimator import Estimator, Trained, trained_ahead

log = logging.getLogger("kerasish")

LARGEST_STACK = 64 * 2**20  # bytes of weights; wide layers gain nothing from a stack
INITIALIZATIONS = (routed.BaseWrapper._initialize, None)
FITS = (routed.BaseWrapper.fit, keras3._SKLearnEstimator.fit)


class _Fit:
    """One fold of one candidate: its estimator and, where it can be stacked, its plan.

    `X` is kept only behind a pipeline's steps, whose results have to be the same at the fit's turn.
    """

    def __init__(self, estimator: Any, X: Any, y: Any) -> None:
        self.estimator = estimator
        self.X, self.y = X, y
        self.plan: Plan | None = None
        self.seconds = 0.0
        self.trained = Trained(None, None, None)

    @property
    def network(self) -> Any:
        """The estimator that has the model."""
        return self.estimator[-1] if isinstance(self.estimator, Pipeline) else self.estimator

    def prepare(self, fit_params: dict[str, Any], known: list[tuple]) -> None:
        """Plan the training, with the preceding steps of a pipeline fitted."""
        start = time.perf_counter()
        X = self.X
        if isinstance(self.estimator, Pipeline):
            prefix = f"{self.estimator.steps[-1][0]}__"
            if not all(name.startswith(prefix) for name in fit_params):
                raise NotStackable("steps of the pipeline get parameters in fit")
            fit_params = {name.removeprefix(prefix): value for name, value in fit_params.items()}
            if len(self.estimator) > 1:
                X = self.X = self.estimator[:-1].fit_transform(X, self.y)
        network = self.network
        network._given_classes = None
        settings = network._settings_of_fit(fit_params)
        with network._prepared(X, self.y, settings, fresh=True) as training:
            self.plan = plan(training, known)
        if not isinstance(self.estimator, Pipeline):
            self.X = None
        self.seconds += time.perf_counter() - start

    def finish(self, history: dict[str, list[float]], seconds: float) -> None:
        """Take note of the training that has happened."""
        assert self.plan is not None
        record = History()
        record.history, record.epoch = history, list(range(len(self.plan.orders)))
        model = self.plan.training.model
        model.history = record
        self.network._keep_history(model.history)
        self.plan = None
        self.seconds += seconds
        self.trained = Trained(self.network, self.X, self.y)


class _StackedSearch:
    """What turns a search of scikit-learn's into one that trains stacks."""

    stacked_: int
    _candidates: list[dict[str, Any]] | None = None
    _fits: list[_Fit] | None = None

    def fit(self: Any, X: Any, y: Any = None, **params: Any) -> Any:
        """Search: train the folds of all candidates, stacked where possible, and refit the best.

        Args: those of scikit-learn's search. Afterwards `stacked_` is the number of fits that were stacked.
        """
        self.stacked_ = 0
        changed: dict[str, Any] = {}
        place: Any = contextlib.nullcontext()
        try:
            backend = get_active_backend()[0]
            if type(backend).__name__ == "DaskDistributedBackend":
                X, y = indexable(X, y)
                changed["cv"] = self._splits(X, y, params)
                place = _copies_on_all_workers(backend, [X, y, *itertools.chain(*changed["cv"])])
            if type(backend).__module__ != "joblib._parallel_backends":  # Dask's, Ray's, …
                raise NotStackable("it runs on a cluster")
            self._fits = self._train_ahead(X, y, params, changed)
        except NotStackable as reason:
            log.debug("%s fits one by one: %s", type(self).__name__, reason)
        own = {name: getattr(self, name) for name in changed}
        self.__dict__.update(changed)
        try:
            with place:
                return super().fit(X, y, **params)  # type: ignore[misc]
        finally:
            self.__dict__.update(own)
            self._candidates = self._fits = None

    def _train_ahead(
        self: Any, X: Any, y: Any, params: dict[str, Any], changed: dict[str, Any]
    ) -> list[_Fit]:
        """Train what can be stacked; put into `changed` what scikit-learn's loop must use afterwards."""
        _check_estimator(self.estimator)
        if sklearn.get_config().get("enable_metadata_routing"):
            raise NotStackable("metadata routing is enabled")
        if getattr(self, "_skl_callbacks", None):
            raise NotStackable("the search has callbacks of scikit-learn's")
        candidates = self._draw_candidates()
        X, y = indexable(X, y)
        fit_params = {name: value for name, value in params.items() if name != "groups"}
        splits = changed["cv"] = self._splits(X, y, params)
        self._candidates = candidates
        parts = [[None if x is None else _safe_indexing(x, train) for x in (X, y)] for train, _ in splits]
        given = [_check_method_params(X, params=fit_params, indices=train) for train, _ in splits]
        before = _random_state()
        try:
            fits = self._prepared_fits(candidates, parts, given)
            _train(fits)
            if all(fit.trained.estimator is None for fit in fits):
                raise NotStackable("no two trainings have the same architecture, or none can be stacked")
        except NotStackable:
            _set_random_state(before)
            raise
        changed["n_jobs"] = None
        return fits

    def _prepared_fits(self: Any, candidates: list[Any], parts: list[Any], given: list[Any]) -> list[_Fit]:
        """The fits in scikit-learn's order, with a plan where they can be stacked."""
        known: list[list[tuple]] = [[] for _ in parts]
        fits = []
        for candidate in candidates:
            for part, of_fold, arguments in zip(parts, known, given, strict=True):
                fit = _Fit(clone(self.estimator), *part)
                fits.append(fit)
                try:
                    fit.estimator.set_params(**clone(candidate, safe=False))
                    _check_estimator(fit.estimator)
                    fit.prepare(arguments, of_fold)
                except (NotStackable, *UNSTACKABLE) as reason:
                    if _draws_globally(fit.network):
                        raise NotStackable(f"{reason} (and random_state=None)") from reason
                    log.debug("%s fits %s alone: %s", type(self).__name__, candidate, reason)
        return fits

    def _splits(self: Any, X: Any, y: Any, params: dict[str, Any]) -> list[Any]:
        """The folds, made once: a splitter may draw others each time."""
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        return list(cv.split(X, y, params.get("groups")))

    def _run_search(self: Any, evaluate_candidates: Any, callback_ctx: Any = None) -> None:
        context = {} if callback_ctx is None else {"callback_ctx": callback_ctx}
        if self._candidates is None:
            super()._run_search(evaluate_candidates, **context)  # type: ignore[misc]
            return
        fits = self._fits or []
        token = trained_ahead.set(collections.deque(fit.trained for fit in fits))
        try:
            evaluate_candidates(self._candidates)
        finally:
            trained_ahead.reset(token)
        self.stacked_ = sum(fit.trained.is_taken for fit in fits)

    def _format_results(
        self: Any, candidate_params: Any, n_splits: Any, out: Any, more_results: Any = None
    ) -> Any:
        if self._fits:
            shares = [fit.seconds if fit.trained.is_taken else 0.0 for fit in self._fits]
            out = [
                {**result, "fit_time": result["fit_time"] + share}
                for result, share in zip(out, shares, strict=True)
            ]
        return super()._format_results(candidate_params, n_splits, out, more_results)  # type: ignore[misc]


def _check_estimator(estimator: Any) -> None:
    network = estimator
    if isinstance(estimator, Pipeline):
        if estimator.memory is not None or getattr(estimator, "transform_input", None) is not None:
            raise NotStackable("the pipeline has a memory, or transforms more than X")
        network = estimator[-1]
    if not isinstance(network, Estimator) or type(network).fit not in FITS:
        raise NotStackable(f"{type(network).__name__} is no estimator of kerasish's, or has its own fit")
    if getattr(type(network), "_initialize", None) not in INITIALIZATIONS:
        raise NotStackable(f"{type(network).__name__} has its own _initialize")
    if network.get_params(deep=False).get("warm_start"):
        raise NotStackable("warm_start is on")


def _draws_globally(network: Any) -> bool:
    return getattr(network, "random_state", None) is None


def _train(fits: list[_Fit]) -> None:
    """Train the fits that have a plan, those of one key together."""
    groups: dict[Any, list[_Fit]] = {}
    for fit in fits:
        if fit.plan is not None:
            groups.setdefault(fit.plan.key, []).append(fit)
    for group in itertools.chain.from_iterable(map(_pieces, groups.values())):
        if len(group) == 1 and not _draws_globally(group[0].network):
            continue
        start = time.perf_counter()
        try:
            stack = Stack([fit.plan for fit in group if fit.plan is not None])
            histories = dict(zip(map(id, stack.plans), stack.fit(), strict=True))
        except (NotStackable, *UNSTACKABLE) as reason:
            if any(_draws_globally(fit.network) for fit in group):
                raise NotStackable(f"{reason} (and random_state=None)") from reason
            log.debug("%d fits run alone: %s", len(group), reason)
            continue
        seconds = (time.perf_counter() - start) / len(group)
        for fit in group:
            fit.finish(histories[id(fit.plan)], seconds)


def _pieces(group: list[_Fit]) -> Iterator[list[_Fit]]:
    """The fits of a group, as many together as memory allows."""
    first = group[0].plan
    assert first is not None
    size = sum(weight.nbytes for weight in first.training.model.parameters())
    count = max(1, LARGEST_STACK // max(1, size))
    for start in range(0, len(group), count):
        yield group[start : start + count]


@contextlib.contextmanager
def _copies_on_all_workers(backend: Any, arrays: list[Any]) -> Iterator[None]:
    """Context in which each of Dask's workers has the data: joblib alone gives it to one, and it dies with it."""
    given = [array for array in arrays if array is not None]
    manager = backend.client.amm  # which would take copies away again
    was_running = manager.running()
    manager.stop()
    try:
        with parallel_config("dask", client=backend.client, scatter=[*backend._scatter, *given]):
            yield
    finally:
        if was_running:
            manager.start()


def _random_state() -> Any:
    return random.getstate(), np.random.get_state(), torch.get_rng_state()


def _set_random_state(state: Any) -> None:
    random.setstate(state[0])
    np.random.set_state(state[1])
    torch.set_rng_state(state[2])


class GridSearchCV(_StackedSearch, model_selection.GridSearchCV):
    """scikit-learn's `GridSearchCV`, which trains folds and candidates of one architecture as one stacked model."""

    def _draw_candidates(self) -> list[dict[str, Any]]:
        return list(model_selection.ParameterGrid(self.param_grid))


class RandomizedSearchCV(_StackedSearch, model_selection.RandomizedSearchCV):
    """scikit-learn's `RandomizedSearchCV`, which trains folds and candidates of one architecture together."""

    def _draw_candidates(self) -> list[dict[str, Any]]:
        sampler = model_selection.ParameterSampler(
            self.param_distributions, self.n_iter, random_state=self.random_state
        )
        return list(sampler)
