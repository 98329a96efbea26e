"""`PyDataset`: batches by index, prepared ahead by threads or processes."""

from __future__ import annotations

import collections
import concurrent.futures
import itertools
import multiprocessing
from collections.abc import Iterator
from typing import Any

import torch

from kerasish.config import get_device
from kerasish.training.data.arrays import weights_of_classes
from kerasish.training.data.iterables import to_batch
from kerasish.training.data.packing import without_missing


class PyDataset:
    """Base of data sets that give their batches by index: write `__len__` (batches) and `__getitem__`.

    Args:
        workers: number of threads, or processes, that prepare batches ahead.
        use_multiprocessing: processes instead of threads.
        max_queue_size: batches that are prepared ahead at most.
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self._workers = workers
        self._use_multiprocessing = use_multiprocessing
        self._max_queue_size = max_queue_size

    @property
    def workers(self) -> int:
        """The number of threads or processes."""
        return getattr(self, "_workers", 1)

    @workers.setter
    def workers(self, value: int) -> None:
        self._workers = value

    @property
    def use_multiprocessing(self) -> bool:
        """Whether processes are used."""
        return getattr(self, "_use_multiprocessing", False)

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        self._use_multiprocessing = value

    @property
    def max_queue_size(self) -> int:
        """The number of batches that are prepared ahead at most."""
        return getattr(self, "_max_queue_size", 10)

    @max_queue_size.setter
    def max_queue_size(self, value: int) -> None:
        self._max_queue_size = value

    def __getitem__(self, index: int) -> Any:
        """The batch of that index: `(x, y)` or `(x, y, sample_weight)`."""
        raise NotImplementedError(f"{type(self).__name__} must define `__getitem__(self, index)`.")

    @property
    def num_batches(self) -> int | None:
        """The number of batches; None for an endless data set."""
        try:
            return len(self)  # type: ignore[arg-type]
        except (TypeError, NotImplementedError):
            return None

    def __iter__(self) -> Iterator:
        """The batches one after the other, without end where `num_batches` is None."""
        count = self.num_batches
        return (self[index] for index in (itertools.count() if count is None else range(count)))

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch."""


class PyDatasetData:
    """The batches of a `PyDataset` on the model's device."""

    num_records = None
    batch_size = None
    is_generator = False

    def __init__(
        self,
        source: PyDataset,
        shuffle: Any,
        class_weight: dict[int, float] | None,
        steps: int | None,
        device: torch.device | None = None,
        text: bool = False,
    ) -> None:
        self.source = source
        self.shuffle = shuffle
        self.class_weight = class_weight
        self.device = device or get_device()
        self.text = text
        self.num_batches = source.num_batches
        if self.num_batches == 0:
            raise ValueError(f"{type(source).__name__} is empty: its `__len__` is 0.")

    def __iter__(self) -> Iterator[tuple]:
        """One epoch of batches (x, y, sample_weight)."""
        self.source.on_epoch_begin()
        for item in self._items(self._indices()):
            yield without_missing(*self._to_batch(item))

    def _to_batch(self, item: Any) -> tuple:
        batch = to_batch(item, self.device, self.text)
        if self.class_weight is not None:
            batch = (batch[0], batch[1], weights_of_classes(self.class_weight, batch[1], batch[2]))
        return batch

    def _indices(self) -> Iterator[int]:
        if self.num_batches is None:
            index = 0
            while True:
                yield index
                index += 1
        elif self.shuffle:
            yield from torch.randperm(self.num_batches).tolist()
        else:
            yield from range(self.num_batches)

    def _items(self, indices: Iterator[int]) -> Iterator[Any]:
        if self.source.workers <= 1 and not self.source.use_multiprocessing:
            yield from (self.source[index] for index in indices)
            return
        with self._executor() as executor:
            pending: collections.deque[concurrent.futures.Future] = collections.deque()
            try:
                for index in indices:
                    pending.append(executor.submit(_get_item, self.source, index))
                    if len(pending) >= self.source.max_queue_size:
                        yield pending.popleft().result()
                while pending:
                    yield pending.popleft().result()
            finally:
                for future in pending:
                    future.cancel()

    def _executor(self) -> concurrent.futures.Executor:
        workers = max(1, self.source.workers)
        if self.source.use_multiprocessing:
            context = multiprocessing.get_context("spawn")
            return concurrent.futures.ProcessPoolExecutor(workers, mp_context=context)
        return concurrent.futures.ThreadPoolExecutor(workers)

    def first_batch(self) -> tuple:
        """The first batch, for building the model."""
        return self._to_batch(self.source[0])

    def targets(self) -> Any:
        """Unknown before the batches come."""
        return

    def on_epoch_end(self) -> None:
        """Tell the data set."""
        self.source.on_epoch_end()


def _get_item(source: PyDataset, index: int) -> Any:
    return source[index]
