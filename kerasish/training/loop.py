"""The loops of `fit`, `evaluate` and `predict`."""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kerasish import config, tree
from kerasish.arrays import is_array
from kerasish.callbacks import CallbackList
from kerasish.errors import received
from kerasish.layers.layer import calls, to_numpy
from kerasish.losses.checks import check_targets
from kerasish.training.data import make_data
from kerasish.training.data.arrays import ArrayData, refuse_nan, split_validation
from kerasish.training.logs import Logs


def fit(
    model: Any,
    x: Any,
    y: Any,
    batch_size: int | None,
    epochs: int,
    verbose: Any,
    callbacks: Any,
    validation_split: float,
    validation_data: Any,
    shuffle: Any,
    class_weight: Any,
    sample_weight: Any,
    initial_epoch: int,
    steps_per_epoch: int | None,
    validation_steps: int | None,
    validation_batch_size: int | None,
    validation_freq: Any,
) -> Any:
    """Train the model; the arguments are those of `Model.fit`."""
    model._require_compiled("fit")
    model._initial_epoch = None
    _check_count("epochs", epochs, 0, may_be_none=False)
    _check_count("initial_epoch", initial_epoch, 0, may_be_none=False)
    _check_count("steps_per_epoch", steps_per_epoch, 1)
    _check_count("validation_steps", validation_steps, 1)
    if config.max_epochs() is not None:
        epochs = min(epochs, config.max_epochs() or 0)
    if validation_split != 0 and validation_data is None:
        (x, y, sample_weight), validation_data = split_validation(
            x, y, sample_weight, validation_split, model._takes_text()
        )
    data = make_data(
        x,
        y,
        sample_weight,
        batch_size,
        shuffle,
        class_weight,
        steps_per_epoch,
        model._device(),
        model._takes_text(),
    )
    steps_per_epoch = _limited(steps_per_epoch, data)
    validation = _validation_data(
        model, validation_data, validation_batch_size or batch_size, validation_steps
    )
    _prepare(model, data, check=True)
    step = model._make_train_step()
    steps = steps_per_epoch or data.num_batches
    listeners = _callback_list(callbacks, model, verbose, epochs, steps)
    batches = _Batches(data, steps_per_epoch)
    model.stop_training = False
    logs: Any = {}
    listeners.on_train_begin()
    for epoch in range(model._initial_epoch or initial_epoch, epochs):
        model.reset_metrics()
        listeners.on_epoch_begin(epoch)
        with training_mode(model, True), step.epoch():
            logs = _train_epoch(model, step, batches, listeners)
        logs = model._epoch_logs(logs)
        if validation is not None and _validates_in(epoch, validation_freq):
            results = _run_evaluation(model, validation, listeners, _limited(validation_steps, validation))
            logs.update({f"val_{name}": value for name, value in results.items()})
            logs = dict(sorted(logs.items()))
        data.on_epoch_end()
        listeners.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
        if batches.is_dry:
            if steps_per_epoch is None and epoch + 1 < epochs:
                warnings.warn(
                    f"The generator ran out after epoch {epoch + 1} of {epochs}: training stops. Write "
                    "a loop `while True:` "
                    "in it and pass `steps_per_epoch`, or pass a DataLoader or PyDataset.",
                    stacklevel=2,
                )
            break
    model._finish_training()
    listeners.on_train_end(logs)
    return model.history


def evaluate(
    model: Any,
    x: Any,
    y: Any,
    batch_size: int | None,
    verbose: Any,
    sample_weight: Any,
    steps: int | None,
    callbacks: Any,
    return_dict: bool,
) -> Any:
    """Compute loss and metrics; the arguments are those of `Model.evaluate`."""
    model._require_compiled("evaluate")
    _check_count("steps", steps, 1)
    data = make_data(
        x, y, sample_weight, batch_size, False, None, steps, model._device(), model._takes_text()
    )
    steps = _limited(steps, data)
    _prepare(model, data, check=True)
    listeners = _callback_list(callbacks, model, verbose, 1, steps or data.num_batches, history=False)
    results = _run_evaluation(model, data, listeners, steps)
    return results if return_dict else model._flat_results(results)


def predict(
    model: Any, x: Any, batch_size: int | None, verbose: Any, steps: int | None, callbacks: Any
) -> Any:
    """Compute the outputs as NumPy arrays; the arguments are those of `Model.predict`."""
    _check_count("steps", steps, 1)
    data = make_data(x, None, None, batch_size, False, None, steps, model._device(), model._takes_text())
    steps = _limited(steps, data)
    if config.is_nan_check_enabled():
        refuse_nan(data)
    if callbacks is None and not _verbosity(verbose):
        listeners = None
    else:
        listeners = _callback_list(callbacks, model, verbose, 1, steps or data.num_batches, history=False)
        listeners.on_predict_begin()
    collected = _Collected(data.num_records)
    with training_mode(model, False), torch.no_grad():
        for i, batch in enumerate(_limit(data, steps)):
            if listeners is not None:
                listeners.on_predict_batch_begin(i)
            outputs = model.predict_step(batch)
            collected.add(outputs)
            if listeners is not None:
                listeners.on_predict_batch_end(
                    i, {"outputs": outputs} if listeners.has_predict_batch_hooks else None
                )
            if model.stop_predicting:
                break
    if listeners is not None:
        listeners.on_predict_end()
    return collected.result()


@contextlib.contextmanager
def training_mode(model: torch.nn.Module, mode: bool) -> Iterator[None]:
    """Context in which the model and everything in it is in training (or inference) mode."""
    calls.loops += 1
    try:
        if model.training == mode and all(child.training == mode for child in model.children()):
            yield
            return
        before = [(module, module.training) for module in model.modules()]
        model.train(mode)
        try:
            yield
        finally:
            for module, was in before:
                module.__dict__["training"] = was
    finally:
        calls.loops -= 1


def _train_epoch(model: Any, step: Any, batches: _Batches, listeners: Any) -> Any:
    has_hooks = listeners.has_train_batch_hooks
    per_execution = model.steps_per_execution
    logs: Any = {}
    index = 0
    for count, batch in enumerate(batches):
        starts = has_hooks and count % per_execution == 0
        if starts:
            listeners.on_train_batch_begin(count)
            if listeners.has_foreign_batch_hooks:
                step.look_for_changes()
        logs = step(batch)
        index = count
        if has_hooks and (count + 1) % per_execution == 0:
            listeners.on_train_batch_end(count, _as_logs(logs, listeners))
        if model.stop_training:
            break
    if has_hooks and (index + 1) % per_execution:
        listeners.on_train_batch_end(index, _as_logs(logs, listeners))
    return logs


def _as_logs(logs: Any, listeners: Any) -> Any:
    """Logs for the hooks of one batch: copied only where somebody other than the progress bar may keep them."""
    logs = logs if isinstance(logs, Logs) else Logs(logs)
    return logs.keep() if listeners.keeps_batch_logs else logs


def _run_evaluation(model: Any, data: Any, listeners: Any, steps: int | None) -> dict[str, float]:
    step = model._make_test_step()
    model.reset_metrics()
    listeners.on_test_begin()
    logs: Any = {}
    has_hooks = listeners.has_test_batch_hooks
    with training_mode(model, False), torch.no_grad(), step.epoch():
        for i, batch in enumerate(_limit(data, steps)):
            if has_hooks:
                listeners.on_test_batch_begin(i)
            logs = step(batch)
            if has_hooks:
                listeners.on_test_batch_end(i, _as_logs(logs, listeners))
            if model.stop_evaluating:
                break
    results = model._epoch_logs(logs)
    listeners.on_test_end(results)
    return results


class _Batches:
    """The batches of one epoch after the other, of `steps_per_epoch` each where it is given."""

    def __init__(self, data: Any, steps: int | None) -> None:
        self.data = data
        self.steps = steps
        self.is_dry = False
        self._iterator: Iterator | None = None

    def __iter__(self) -> Iterator:
        if self.steps is None:
            count = 0
            for batch in self.data:
                count += 1
                yield batch
            if getattr(self.data, "is_generator", False):
                self.is_dry = True
            if count == 0:
                raise ValueError(
                    "The data gave no batch in this epoch. A generator can be used for one pass only: write a loop "
                    "`while True:` and pass `steps_per_epoch`, or pass a DataLoader or PyDataset."
                )
            return
        for taken in range(self.steps):
            batch = self._next()
            if batch is None:
                self.is_dry = True
                warnings.warn(
                    f"The data ran out after {taken} of {self.steps} steps of the epoch: training stops. "
                    "A generator must give `steps_per_epoch * epochs` batches.",
                    stacklevel=2,
                )
                return
            yield batch

    def _next(self) -> Any:
        if self._iterator is None:
            self._iterator = iter(self.data)
        batch = next(self._iterator, None)
        if batch is None and not getattr(self.data, "is_generator", False):
            self._iterator = iter(self.data)
            batch = next(self._iterator, None)
        return batch


def _limit(data: Any, steps: int | None) -> Iterator:
    if steps is None:
        yield from data
        return
    taken = 0
    for batch in data:
        yield batch
        taken += 1
        if taken == steps:
            return
    warnings.warn(f"The data ran out after {taken} of {steps} steps.", stacklevel=2)


class _Collected:
    """Outputs of batches, gathered in NumPy arrays."""

    def __init__(self, num_records: int | None) -> None:
        self.num_records = num_records
        self.template: Any = None
        self.pieces: list[list[np.ndarray]] = []

    def add(self, outputs: Any) -> None:
        """Keep the outputs of one batch."""
        if isinstance(outputs, Tensor):
            self.pieces.append([to_numpy(outputs)])
            return
        self.template = outputs
        self.pieces.append(
            [
                to_numpy(leaf) if isinstance(leaf, Tensor) else np.asarray(leaf)
                for leaf in tree.flatten(outputs)
            ]
        )

    def result(self) -> Any:
        """All outputs, joined along the batch."""
        if not self.pieces:
            raise ValueError("The data gave no batch: there is nothing to predict.")
        columns = zip(*self.pieces, strict=True)
        joined = [column[0] if len(column) == 1 else np.concatenate(column) for column in columns]
        return joined[0] if self.template is None else tree.pack_sequence_as(self.template, joined)


def _prepare(model: Any, data: Any, check: bool) -> None:
    """Build the model and what it was compiled with on the first batch, and look at the targets once."""
    if config.is_nan_check_enabled():
        refuse_nan(data)
    if not model._ready_to_train:
        model._build_on(data.first_batch())
    if check and isinstance(data, ArrayData) and model._compiled_loss is not None:
        _check_targets(model, data)


def _check_targets(model: Any, data: Any) -> None:
    loss = model._compiled_loss
    targets = data.targets()
    shapes = loss.output_shapes
    if targets is None or loss.losses is None or shapes is None:
        return
    for one, target, shape in zip(loss.losses, loss.match(targets), shapes, strict=True):
        if one is not None and isinstance(target, Tensor):
            check_targets(one, target, shape)


def _validation_data(model: Any, given: Any, batch_size: int | None, steps: int | None) -> Any:
    if given is None:
        return None
    if isinstance(given, (tuple, list)) and len(given) in (2, 3) and not is_array(given):
        x, y, sample_weight = (*given, None)[:3]
        data = make_data(
            x, y, sample_weight, batch_size, False, None, steps, model._device(), model._takes_text()
        )
        if config.is_nan_check_enabled():
            refuse_nan(data)
        return data
    if isinstance(given, (tuple, list)) and not is_array(given):
        raise ValueError(
            "`validation_data` must be (x, y), (x, y, sample_weight), a DataLoader, a PyDataset or a generator. "
            f"Received: a {type(given).__name__} of {len(given)} items."
        )
    return make_data(given, None, None, None, False, None, steps, model._device(), model._takes_text())


def _validates_in(epoch: int, freq: Any) -> bool:
    if isinstance(freq, int) and not isinstance(freq, bool) and freq > 0:
        return (epoch + 1) % freq == 0
    if isinstance(freq, (list, tuple, set)):
        return epoch + 1 in freq
    raise ValueError(f"`validation_freq` must be a positive integer or a list of epochs. Received: {freq!r}")


def _callback_list(
    callbacks: Any, model: Any, verbose: Any, epochs: int, steps: int | None, history: bool = True
) -> Any:
    if isinstance(callbacks, CallbackList):
        return callbacks
    return CallbackList(
        callbacks,
        add_history=history,
        add_progbar=_verbosity(verbose) != 0,
        verbose=_verbosity(verbose),
        epochs=epochs,
        steps=steps,
        model=model,
    )


def _verbosity(verbose: Any) -> int:
    if verbose == "auto":
        return 1 if config.is_interactive_logging_enabled() else 2
    if verbose not in (0, 1, 2, True, False):
        raise ValueError(f"`verbose` must be 0, 1, 2 or 'auto'. Received: verbose={received(verbose)}")
    return int(verbose)


def _limited(steps: int | None, data: Any) -> int | None:
    """The number of steps that was asked for, if any, or the global limit where the data has more."""
    most = config.max_steps_per_epoch()
    wanted = steps or data.num_batches
    return steps if most is None or (wanted is not None and wanted <= most) else most


def _check_count(name: str, value: Any, least: int, may_be_none: bool = True) -> None:
    if value is None and may_be_none:
        return
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        what = "a positive integer" if least else "an integer of at least 0"
        raise ValueError(f"`{name}` must be {what}. Received: {name}={value!r}")


def filtered_traceback(function: Callable) -> Callable:
    """Cut the frames of kerasish and torch out of the tracebacks of a method that users call."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            if not config.is_traceback_filtering_enabled():
                raise
            error.__traceback__ = _without_library_frames(error.__traceback__)
            raise

    return wrapped


def _without_library_frames(traceback: Any) -> Any:
    frames = []
    while traceback is not None:
        frames.append(traceback)
        traceback = traceback.tb_next
    kept = [
        f for f in frames if not f.tb_frame.f_globals.get("__name__", "").startswith(("kerasish.", "torch."))
    ]
    kept = kept or frames[-1:]
    for outer, inner in zip(kept, [*kept[1:], None], strict=True):
        outer.tb_next = inner
    return kept[0]
