"""Data that comes in batches: generators, DataLoaders, and any other iterable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from kerasish import tree
from kerasish.arrays import is_array, to_tensor
from kerasish.config import get_device
from kerasish.training.data.arrays import arrays_in, weights_of_classes
from kerasish.training.data.packing import without_missing


class IterableData:
    """Batches from an iterable; a generator goes on where the last epoch ended.

    Args:
        source: the iterable, whose items are `x`, `(x, y)` or `(x, y, sample_weight)`.
        class_weight, steps, device, text: as in `make_data`.
    """

    num_records: int | None = None

    def __init__(
        self,
        source: Any,
        class_weight: dict[int, float] | None,
        steps: int | None,
        device: torch.device | None = None,
        text: bool = False,
    ) -> None:
        self.source = source
        self.class_weight = class_weight
        self.device = device or get_device()
        self.text = text
        try:
            self.num_batches: int | None = len(source)
        except TypeError:
            self.num_batches = None
        self.batch_size = getattr(source, "batch_size", None)
        self.is_generator = iter(source) is source
        self._peeked: list[Any] = []

    def __iter__(self) -> Iterator[tuple]:
        """Batches (x, y, sample_weight) until the source ends."""
        while self._peeked:
            yield without_missing(*self._peeked.pop())
        for item in self.source:
            yield without_missing(*self._to_batch(item))

    def _to_batch(self, item: Any) -> tuple:
        batch = to_batch(item, self.device, self.text)
        if self.class_weight is not None:
            batch = (batch[0], batch[1], weights_of_classes(self.class_weight, batch[1], batch[2]))
        return batch

    def first_batch(self) -> tuple:
        """The first batch, for building the model; a generator still gives it in the first epoch."""
        if self._peeked:
            return self._peeked[-1]
        try:
            batch = self._to_batch(next(iter(self.source)))
        except StopIteration:
            raise ValueError(
                f"The {type(self.source).__name__} given as data is empty: it gave no batch. A generator that was used "
                "before is at its end: make a new one."
            ) from None
        if self.is_generator:
            self._peeked.append(batch)
        return batch

    def targets(self) -> Any:
        """Unknown before the batches come."""
        return

    def on_epoch_end(self) -> None:
        """Tell the source, where it wants to know."""
        hook = getattr(self.source, "on_epoch_end", None)
        if callable(hook):
            hook()


def to_batch(item: Any, device: torch.device, text: bool = False) -> tuple:
    """Turn what a source gave into (x, y, sample_weight) on the device; with `text=True` strings in x stay arrays."""
    if isinstance(item, (tuple, list)) and not is_array(item):
        if len(item) > 3 or not item:
            raise ValueError(
                f"A batch must be x, (x, y) or (x, y, sample_weight). Received: a {type(item).__name__} of {len(item)}."
            )
        parts = [*item, None, None][:3]
    elif isinstance(item, tuple):
        parts = [*item, None, None][:3]
    else:
        parts = [item, None, None]

    if text:
        parts[0] = arrays_in(parts[0], "batch", text)

    def convert(leaf: Any, text: bool = False) -> Any:
        if leaf is None:
            return None
        tensor = leaf if isinstance(leaf, Tensor) else to_tensor(leaf, "batch", text)
        if isinstance(tensor, Tensor) and tensor.dtype is torch.float64:
            tensor = to_tensor(tensor)
        return tensor.to(device, non_blocking=True)

    def convert_x(leaf: Any) -> Any:
        return convert(leaf, text)

    return tuple(
        one(part) if part is None or is_array(part) else tree.map_structure(one, part)
        for one, part in zip((convert_x, convert, convert), parts, strict=True)
    )
