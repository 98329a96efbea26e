"""`Dataset`: a stream of elements that begins anew whenever it is iterated, with the methods of tf.data."""

from __future__ import annotations

import collections
import contextlib
import functools
import itertools
import math
import os
import random
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import torch

from kerasish import tree
from kerasish.errors import format_shape, received

AUTOTUNE = -1
INFINITE, UNKNOWN = -1, -2  # what `cardinality` says of data sets without a length
_END = object()


class Dataset:
    """Elements (tensors, arrays of strings, or tuples and dictionaries of them) that `start()` gives anew each time.

    `fit`, `evaluate`, `predict` and `adapt` take it directly. Every method gives a new data set; nothing is computed
    before somebody iterates.

    Args:
        start: function without arguments that returns an iterator over the elements.
        length: the number of elements; `math.inf` for an endless data set, None where it is unknown.

    Example:
        >>> dataset = Dataset.from_tensor_slices(([1.0, 2.0, 3.0], [0, 1, 0])).batch(2)
        >>> len(dataset), [y.tolist() for x, y in dataset]
        (2, [[0, 1], [0]])
    """

    class_names: list[str] | None = None
    file_paths: list[str] | None = None

    def __init__(self, start: Callable[[], Iterator], length: float | None = None) -> None:
        if not callable(start):
            raise TypeError(
                "`start` must be a function without arguments that returns an iterator. "
                f"Received: {received(start)}"
            )
        self._start = start
        self._length = length

    @staticmethod
    def from_tensor_slices(tensors: Any) -> Dataset:
        """The rows of an array, or of all arrays of a tuple or dictionary."""
        columns = tree.map_structure(_as_leaf, _rows_as_leaves(tensors))
        lengths = {len(leaf) for leaf in tree.flatten(columns)}
        if len(lengths) != 1:
            raise ValueError(
                f"All arrays must have the same number of rows. Received: {sorted(lengths) or 'no array'}"
            )
        (length,) = lengths
        return Dataset(
            lambda: (tree.map_structure(lambda leaf, i=i: leaf[i], columns) for i in range(length)), length
        )

    @staticmethod
    def zip(*datasets: Any) -> Dataset:
        """Tuples of one element of each data set, up to the end of the shortest."""
        parts = datasets[0] if len(datasets) == 1 and isinstance(datasets[0], tuple) else datasets
        lengths = [part._length for part in parts]
        return Dataset(
            lambda: zip(*parts, strict=False),
            None if None in lengths else min(length for length in lengths if length is not None),
        )

    def __iter__(self) -> Iterator:
        """One pass over the elements."""
        return iter(self._start())

    def __len__(self) -> int:
        if self._length is None or self._length == math.inf:
            kind = "unknown" if self._length is None else "infinite"
            raise TypeError(f"The length of this data set is {kind}: give `fit` a `steps_per_epoch`.")
        return int(self._length)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        length = {None: "unknown", math.inf: "infinite"}.get(self._length, self._length)
        return f"<Dataset length={length}>"

    def cardinality(self) -> int:
        """The number of elements: −1 for infinitely many, −2 where it is unknown."""
        return {None: UNKNOWN, math.inf: INFINITE}.get(self._length) or int(self._length or 0)

    def as_numpy_iterator(self) -> Iterator:
        """The elements with NumPy arrays in place of tensors."""
        return (tree.map_structure(_to_numpy, element) for element in self)

    def map(
        self, map_func: Callable, num_parallel_calls: int | None = None, deterministic: bool | None = None
    ) -> Dataset:
        """Apply a function to every element, without recording gradients; a tuple is passed as several arguments.

        Args:
            map_func: function of the element.
            num_parallel_calls: number of threads; −1 (`AUTOTUNE`) for one per processor.
            deterministic: the order is kept in either case.
        """

        def apply(element: Any) -> Any:
            with torch.no_grad():
                return map_func(*element) if isinstance(element, tuple) else map_func(element)

        if num_parallel_calls is None:
            return Dataset(lambda: map(apply, self), self._length)
        workers = _count("num_parallel_calls", num_parallel_calls, lowest=1, auto=os.cpu_count() or 1)

        def start() -> Iterator:
            return _ahead(lambda pool, item: pool.submit(apply, item), self, workers, 2 * workers)

        return Dataset(start, self._length)

    def filter(self, predicate: Callable) -> Dataset:
        """The elements for which a function is true."""

        def holds(element: Any) -> bool:
            return bool(predicate(*element) if isinstance(element, tuple) else predicate(element))

        return Dataset(lambda: filter(holds, self))

    def enumerate(self, start: int = 0) -> Dataset:
        """Tuples of a running number and the element."""
        return Dataset(lambda: enumerate(self, start), self._length)

    def concatenate(self, dataset: Dataset) -> Dataset:
        """These elements, then those of `dataset`."""
        lengths = (self._length, dataset._length)
        return Dataset(
            lambda: itertools.chain(self, dataset),
            None if None in lengths else sum(length for length in lengths if length is not None),
        )

    def batch(self, batch_size: int, drop_remainder: bool = False) -> Dataset:
        """Put `batch_size` successive elements together, along a new first axis.

        Raises:
            ValueError: (on iteration) the shapes of the elements differ.
        """
        return self._batch(batch_size, drop_remainder, stack)

    def padded_batch(self, batch_size: int, drop_remainder: bool = False) -> Dataset:
        """As `batch`, after filling up every tensor with zeros to the largest size among the elements of the batch."""
        return self._batch(batch_size, drop_remainder, pad_and_stack)

    def _batch(self, batch_size: int, drop_remainder: bool, join: Callable) -> Dataset:
        size = _count("batch_size", batch_size, lowest=1)

        def start() -> Iterator:
            source = iter(self)
            while elements := list(itertools.islice(source, size)):
                if len(elements) == size or not drop_remainder:
                    yield tree.map_structure(lambda *leaves: join(leaves), *elements)

        length = self._length
        if length is not None and length != math.inf:
            length = length // size if drop_remainder else math.ceil(length / size)
        return Dataset(start, length)

    def unbatch(self) -> Dataset:
        """The rows of all batches, one by one."""

        def start() -> Iterator:
            for element in self:
                yield from Dataset.from_tensor_slices(element)

        return Dataset(start, math.inf if self._length == math.inf else None)

    def shuffle(
        self, buffer_size: int, seed: int | None = None, reshuffle_each_iteration: bool | None = None
    ) -> Dataset:
        """Draw each element from a buffer of the next `buffer_size`: a full shuffle if it holds the whole data set.

        Args:
            buffer_size: elements among which is drawn.
            seed: fixes the orders; by default they follow `kerasish.utils.set_random_seed`.
            reshuffle_each_iteration: another order for each pass, unless False.
        """
        size = _count("buffer_size", buffer_size, lowest=1)
        orders = random.Random(seed)
        fixed_seed = seed

        def start() -> Iterator:
            nonlocal fixed_seed
            if reshuffle_each_iteration is False:
                fixed_seed = new_seed() if fixed_seed is None else fixed_seed
                draws = random.Random(fixed_seed)
            else:
                draws = random.Random(new_seed()) if seed is None else orders
            source = iter(self)
            buffer = list(itertools.islice(source, size))
            for element in source:
                i = draws.randrange(size)
                yield buffer[i]
                buffer[i] = element
            draws.shuffle(buffer)
            yield from buffer

        return Dataset(start, self._length)

    def repeat(self, count: int | None = None) -> Dataset:
        """The elements `count` times over; without end by default, or for −1."""
        endless = count is None or count == -1
        times = 0 if count is None or endless else _count("count", count, lowest=0)

        def start() -> Iterator:
            for _ in itertools.count() if endless else range(times):
                is_empty = True
                for element in self:
                    is_empty = False
                    yield element
                if is_empty:
                    return

        if endless:
            return Dataset(start, 0 if self._length == 0 else math.inf)
        return Dataset(start, None if self._length is None else self._length * times if times else 0)

    def take(self, count: int) -> Dataset:
        """The first `count` elements; −1 takes all."""
        count = _count("count", count, lowest=0, auto=INFINITE)
        if count == INFINITE:
            return self
        return Dataset(
            lambda: itertools.islice(self, count), None if self._length is None else min(self._length, count)
        )

    def skip(self, count: int) -> Dataset:
        """All but the first `count` elements; −1 skips all."""
        count = _count("count", count, lowest=0, auto=INFINITE)
        if count == INFINITE:
            return self.take(0)
        return Dataset(
            lambda: itertools.islice(self, count, None),
            None if self._length is None else max(self._length - count, 0),
        )

    def cache(self, filename: str = "") -> Dataset:
        """Keep the elements of the first complete pass in memory, and give those from then on."""
        if filename:
            raise ValueError(
                "Elements are cached in memory only: leave `filename` out, or write them with torch.save. "
                f"Received: filename={filename!r}"
            )
        kept: list[Any] = []
        is_complete = False

        def start() -> Iterator:
            nonlocal is_complete
            if is_complete:
                yield from kept
                return
            seen = []
            for element in self:
                seen.append(element)
                yield element
            if not is_complete:
                kept[:] = seen
                is_complete = True

        return Dataset(start, self._length)

    def prefetch(self, buffer_size: int) -> Dataset:
        """Prepare the next `buffer_size` elements in a thread while the last one is used; −1 chooses the number."""
        size = _count("buffer_size", buffer_size, lowest=1, auto=2)

        def start() -> Iterator:
            source = iter(self)
            ahead = _ahead(lambda pool, _: pool.submit(next, source, _END), itertools.repeat(None), 1, size)
            with contextlib.closing(ahead):
                yield from iter(functools.partial(next, ahead), _END)

        return Dataset(start, self._length)


def _ahead(submit: Callable[[Executor, Any], Future], items: Iterable, workers: int, ahead: int) -> Generator:
    """The results of `submit` for every item, in order, with `ahead` of them under way."""
    pool = ThreadPoolExecutor(workers)
    pending: collections.deque[Future] = collections.deque()
    try:
        for item in items:
            pending.append(submit(pool, item))
            if len(pending) > ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def new_seed() -> int:
    """A seed drawn from torch's default generator, so that `set_random_seed` governs it."""
    return int(torch.randint(2**31, ()))


def stack(leaves: tuple) -> Any:
    """Put leaves of equal shape together along a new first axis; strings into an array."""
    leaves = tuple(_as_leaf(leaf) for leaf in leaves)
    if not isinstance(leaves[0], torch.Tensor):
        return np.array([*leaves, None], dtype=object)[:-1]
    shapes = {tuple(leaf.shape) for leaf in leaves}
    if len(shapes) > 1:
        raise ValueError(
            f"Elements of different shapes cannot form a batch: {', '.join(map(format_shape, sorted(shapes)))}. "
            "Resize or pad them in `map`, use `padded_batch`, or leave them single with `batch_size=None`."
        )
    return torch.stack(leaves)


def pad_and_stack(leaves: tuple) -> Any:
    """As `stack`, after filling up with zeros at the ends of all axes to the largest size among the leaves."""
    leaves = tuple(_as_leaf(leaf) for leaf in leaves)
    if not isinstance(leaves[0], torch.Tensor):
        return stack(leaves)
    sizes = [max(lengths) for lengths in zip(*(leaf.shape for leaf in leaves), strict=True)]
    padded = leaves[0].new_zeros((len(leaves), *sizes))
    for row, leaf in zip(padded, leaves, strict=True):
        row[tuple(slice(n) for n in leaf.shape)] = leaf
    return padded


def _as_leaf(x: Any) -> Any:
    """A tensor of whatever has numbers; strings, and arrays of them, stay in NumPy."""
    if isinstance(x, torch.Tensor):
        return x
    if isinstance(x, (str, bytes)):
        return x
    values = np.asarray(x)
    if values.dtype.kind in "OSU":
        return values
    if values.dtype in (np.uint16, np.uint32, np.uint64):
        values = values.astype(np.int64)
    if values.dtype == np.float64 and not isinstance(x, (np.ndarray, np.generic)):
        values = values.astype(np.float32)
    return torch.tensor(values)


def _rows_as_leaves(structure: Any) -> Any:
    """Lists are arrays here, as in tf.data; tuples and dictionaries are structure."""
    if isinstance(structure, dict):
        return {key: _rows_as_leaves(value) for key, value in structure.items()}
    if isinstance(structure, tuple):
        return tuple(_rows_as_leaves(value) for value in structure)
    return _as_leaf(structure)


def _to_numpy(leaf: Any) -> Any:
    return leaf.detach().cpu().numpy() if isinstance(leaf, torch.Tensor) else leaf


def _count(name: str, value: Any, lowest: int, auto: int | None = None) -> int:
    """Check a number; −1 stands for `auto` where that is given."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        if value == -1 and auto is not None:
            return auto
        if value >= lowest:
            return int(value)
    raise ValueError(
        f"`{name}` must be an integer of at least {lowest}"
        f"{'' if auto is None else ', or -1'}. Received: {name}={value!r}"
    )
