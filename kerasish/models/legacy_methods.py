"""The methods of models that Keras 2 had, and the arguments with which it read batches."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from kerasish.legacy.arguments import FIT
from kerasish.training.data.py_dataset import PyDataset

READING = ("max_queue_size", "workers", "use_multiprocessing")


class LegacyMethods:
    """`fit_generator` and its kin: `fit`, `evaluate` and `predict` under Keras 2's names."""

    def fit_generator(
        self,
        generator: Any,
        steps_per_epoch: int | None = None,
        epochs: int = 1,
        verbose: Any = 1,
        callbacks: Any = None,
        validation_data: Any = None,
        validation_steps: int | None = None,
        validation_freq: Any = 1,
        class_weight: dict[int, float] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        shuffle: Any = True,
        initial_epoch: int = 0,
        **kwargs: Any,
    ) -> Any:
        """Keras 2's name of `fit` with batches from a generator or `PyDataset`.

        Keras 1's arguments are understood, too: `nb_epoch`, `nb_worker`, `max_q_size`, `pickle_safe`; and, where the
        batches have a size, `samples_per_epoch` and `nb_val_samples`.
        """
        kwargs = _renamed(kwargs)
        steps_per_epoch = _batches("samples_per_epoch", kwargs, generator, steps_per_epoch)
        validation_steps = _batches("nb_val_samples", kwargs, validation_data, validation_steps)
        reading = {
            "max_queue_size": max_queue_size,
            "workers": workers,
            "use_multiprocessing": use_multiprocessing,
        }
        return self.fit(  # type: ignore[attr-defined]
            generator,
            epochs=kwargs.pop("epochs", epochs),
            verbose=verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            shuffle=shuffle,
            class_weight=class_weight,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_freq=validation_freq,
            **{**reading, **kwargs},
        )

    def evaluate_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: Any = 0,
        **kwargs: Any,
    ) -> Any:
        """Keras 2's name of `evaluate` with batches from a generator or `PyDataset`."""
        kwargs = _renamed(kwargs)
        steps = _batches("val_samples", kwargs, generator, steps)
        reading = {
            "max_queue_size": max_queue_size,
            "workers": workers,
            "use_multiprocessing": use_multiprocessing,
        }
        return self.evaluate(  # type: ignore[attr-defined]
            generator, steps=steps, callbacks=callbacks, verbose=verbose, **{**reading, **kwargs}
        )

    def predict_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: Any = 0,
        **kwargs: Any,
    ) -> Any:
        """Keras 2's name of `predict` with batches from a generator or `PyDataset`."""
        kwargs = _renamed(kwargs)
        steps = _batches("val_samples", kwargs, generator, steps)
        reading = {
            "max_queue_size": max_queue_size,
            "workers": workers,
            "use_multiprocessing": use_multiprocessing,
        }
        return self.predict(  # type: ignore[attr-defined]
            generator, steps=steps, callbacks=callbacks, verbose=verbose, **{**reading, **kwargs}
        )

    def predict_proba(self, x: Any, batch_size: int | None = None, verbose: Any = 0) -> np.ndarray:
        """Keras 2's name of `predict`, for models whose output are probabilities."""
        return self.predict(x, batch_size=batch_size, verbose=verbose)  # type: ignore[attr-defined]

    def predict_classes(self, x: Any, batch_size: int | None = None, verbose: Any = 0) -> np.ndarray:
        """The most probable class of each record; for an output of width 1, whether it is above 0.5 (0 or 1)."""
        y = self.predict(x, batch_size=batch_size, verbose=verbose)  # type: ignore[attr-defined]
        return y.argmax(axis=-1) if y.shape[-1] > 1 else (y > 0.5).astype("int32")

    def to_yaml(self, **kwargs: Any) -> str:
        """Raises: a YAML file could run code when it is read."""
        raise RuntimeError(
            "`to_yaml()` is no more, since reading YAML could run code. Use `model.to_json()`."
        )


@contextlib.contextmanager
def reading(method: str, data: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[None]:
    """Apply Keras 2's `workers`, `use_multiprocessing` and `max_queue_size` to data sets, for one call.

    Raises:
        TypeError: `kwargs` holds something else.
    """
    unknown = sorted(set(kwargs) - set(READING))
    if unknown:
        raise TypeError(f"`{method}` got unknown arguments {unknown}.")
    sources = [source for source in data if isinstance(source, PyDataset)]
    asks_for_more = kwargs.get("workers", 1) > 1 or kwargs.get("use_multiprocessing", False)
    if asks_for_more and any(hasattr(source, "__next__") and source not in sources for source in data):
        warnings.warn(
            f"`{method}` reads a generator in one thread: `workers` and `use_multiprocessing` apply to "
            "keras.utils.PyDataset (Sequence), whose batches can be had in any order.",
            stacklevel=4,
        )
    before = [{name: getattr(source, name) for name in READING} for source in sources]
    for source in sources:
        for name, value in kwargs.items():
            setattr(source, name, value)
    try:
        yield
    finally:
        for source, settings in zip(sources, before, strict=True):
            for name, value in settings.items():
                setattr(source, name, value)


def _renamed(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {FIT.get(name, name): value for name, value in kwargs.items()}


def _batches(name: str, kwargs: dict[str, Any], generator: Any, steps: int | None) -> int | None:
    """Keras 1's number of samples as a number of batches."""
    if name not in kwargs:
        return steps
    samples = kwargs.pop(name)
    size = getattr(generator, "batch_size", None)
    if not size:
        raise TypeError(
            f"`{name}` counts samples, and the size of the batches of a {type(generator).__name__} is not known: give "
            "the number of batches, as `steps_per_epoch`, `validation_steps` or `steps`."
        )
    return max(1, samples // size)
