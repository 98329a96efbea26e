"""Data that is in memory: turned into tensors once, shuffled by index."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kerasish import tree
from kerasish.arrays import is_array, is_array_structure, to_tensor
from kerasish.config import floatx, get_device
from kerasish.dtypes import torch_dtype
from kerasish.errors import format_shape
from kerasish.training.data.packing import without_missing

CHUNK_BYTES = 4 * 2**20  # rows are gathered for several batches at once, about this much
GPU_SHARE = 0.5  # of the free GPU memory that a data set may take


def count_rows(structure: Any, name: str) -> int:
    """The common number of records of a structure of tensors."""
    leaves = [leaf for leaf in tree.flatten(structure) if leaf is not None]
    for leaf in leaves:
        if leaf.dim() == 0:
            raise ValueError(f"`{name}` must have one entry for each record. Received: a single number.")
    lengths = [len(leaf) for leaf in leaves]
    if len(set(lengths)) > 1:
        raise ValueError(f"All arrays of `{name}` must have the same number of records. Received: {lengths}")
    return lengths[0] if lengths else 0


class ArrayData:
    """Batches of in-memory arrays.

    Args: those of `fit`; `steps` limits the batches of an epoch, and an epoch goes on where the last one ended then.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        batch_size: int | None,
        shuffle: Any,
        class_weight: dict[int, float] | None,
        steps: int | None,
        device: torch.device | None = None,
        text: bool = False,
    ) -> None:
        names = ("x", "y", "sample_weight")
        parts = [
            _to_tensors(part, name, text) for part, name in zip((x, y, sample_weight), names, strict=True)
        ]
        counts = {
            name: count_rows(part, name) for part, name in zip(parts, names, strict=True) if part is not None
        }
        if not counts.get("x"):
            raise ValueError("`x` is empty: there is nothing to compute with. Received: 0 records.")
        if len(set(counts.values())) > 1:
            shapes = ", ".join(
                f"{name}: {format_shape(tree.map_structure(lambda t: tuple(t.shape), part))}"
                for part, name in zip(parts, names, strict=True)
                if part is not None
            )
            raise ValueError(
                f"`x`, `y` and `sample_weight` must have the same number of records. Received: {counts} ({shapes})"
            )
        self.num_records = counts["x"]
        if batch_size is not None and (not isinstance(batch_size, (int, np.integer)) or batch_size < 0):
            raise ValueError(
                f"`batch_size` must be a positive integer, or 0. Received: batch_size={batch_size!r}"
            )
        if batch_size is None:
            batch_size = math.ceil(self.num_records / steps) if steps else 32
        self.batch_size = max(1, int(batch_size))
        self.shuffle = shuffle
        if class_weight is not None:
            parts[2] = weights_of_classes(class_weight, parts[1], parts[2])
        self.device = device or get_device()
        self._template = tuple(parts)
        self._tensors = _place([t for t in tree.flatten(parts) if t is not None], self.device)
        self._data_device = next(
            (t.device for t in self._tensors if isinstance(t, Tensor)), torch.device("cpu")
        )
        self.num_batches: int | None = math.ceil(self.num_records / self.batch_size)
        self._single = all(part is None or isinstance(part, Tensor) for part in parts)
        self._has = [part is not None for part in parts]
        self._is_flat = self._single and (self._has[1] or not self._has[2])

    def __iter__(self) -> Iterator[tuple]:
        """One epoch of batches (x, y, sample_weight)."""
        for batch in self._raw_batches():
            batch = [self._to_device(t) for t in batch] if self._data_device != self.device else batch
            yield (
                (tuple(batch) if self._has[1] else batch[0])
                if self._is_flat
                else without_missing(*self._pack(batch))
            )

    def _raw_batches(self) -> Iterator[Any]:
        order = self._order()
        if order is None:
            yield from zip(*(t.split(self.batch_size) for t in self._tensors), strict=True)
            return
        row_bytes = max(1, sum(t[:1].numel() * t.element_size() for t in self._tensors))
        rows = max(1, CHUNK_BYTES // row_bytes // self.batch_size) * self.batch_size
        for indices in order.split(rows):
            pieces = [t.index_select(0, indices).split(self.batch_size) for t in self._tensors]
            yield from zip(*pieces, strict=True)

    def _order(self) -> Tensor | None:
        if not self.shuffle:
            return None
        device = self._data_device
        if self.shuffle == "batch":
            blocks = torch.arange(self.num_records).split(self.batch_size)
            full = blocks[:-1] if len(blocks[-1]) < self.batch_size else blocks
            order = [full[i] for i in torch.randperm(len(full)).tolist()] + list(blocks[len(full) :])
            return torch.cat(order).to(device)
        return torch.randperm(self.num_records).to(device)

    def _to_device(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.device, non_blocking=True)

    def _pack(self, batch: Any) -> tuple:
        if self._single:
            given = iter(batch)
            return tuple([next(given) if has else None for has in self._has])
        values = iter(batch)
        parts = [
            tree.pack_sequence_as(
                part, [None if leaf is None else next(values) for leaf in tree.flatten(part)]
            )
            if part is not None
            else None
            for part in self._template
        ]
        return tuple(parts)

    def first_batch(self) -> tuple:
        """The first records in their order, for building the model."""
        return self._pack([self._to_device(t[: self.batch_size]) for t in self._tensors])

    def targets(self) -> Any:
        """All targets, for a look at their values before training."""
        return self._template[1]

    def named_tensors(self) -> list[tuple[str, Tensor]]:
        """Every tensor with the argument that it came in."""
        names = ("x", "y", "sample_weight")
        pairs = [
            (name, t) for name, part in zip(names, self._template, strict=True) for t in tree.flatten(part)
        ]
        return [(name, tensor) for name, tensor in pairs if tensor is not None]

    def on_epoch_end(self) -> None:
        """Arrays stay as they are."""


def _to_tensors(part: Any, name: str, text: bool = False) -> Any:
    """A part of the data as tensors; with `text=True` strings in `x` stay arrays."""
    text = text and name == "x"
    if part is None:
        return None
    if is_array(part):
        return to_tensor(part, name, text)
    return tree.map_structure(
        lambda leaf: None if leaf is None else to_tensor(leaf, name, text), arrays_in(part, name, text)
    )


def arrays_in(part: Any, name: str, text: bool) -> Any:
    """Arrays inside lists and dictionaries, converted before the structure is walked: lists of numbers are arrays."""
    if part is None or is_array(part):
        return None if part is None else to_tensor(part, name, text)
    if isinstance(part, dict):
        return {key: arrays_in(value, name, text) for key, value in part.items()}
    return type(part)(arrays_in(value, name, text) for value in part) if type(part) in (list, tuple) else part


def _place(tensors: list[Tensor], device: torch.device) -> list[Tensor]:
    """Move a data set to the GPU where it fits, else pin its memory so that batches are copied while the GPU works."""
    if device.type != "cuda":
        return [t.to(device) for t in tensors] if device.type != "cpu" else [t.cpu() for t in tensors]
    free, _ = torch.cuda.mem_get_info(device)
    if sum(t.numel() * t.element_size() for t in tensors) <= GPU_SHARE * free:
        return [t.to(device) for t in tensors]
    return [t.pin_memory() if t.device.type == "cpu" else t for t in tensors]


def weights_of_classes(class_weight: dict[int, float], y: Any, sample_weight: Any) -> Tensor:
    """The weight of each record by its class, times its own weight."""
    if not isinstance(y, Tensor):
        raise ValueError("`class_weight` needs a model with one output and one array of labels `y`.")
    if sample_weight is not None and not isinstance(sample_weight, Tensor):
        raise ValueError("`class_weight` goes with one array of `sample_weight`.")
    labels = y.argmax(dim=-1) if y.dim() > 1 and y.shape[-1] > 1 else y.reshape(len(y))
    labels = labels.round().long()
    if not all(isinstance(label, (int, np.integer)) and label >= 0 for label in class_weight):
        raise ValueError(f"`class_weight` maps class indices 0, 1, … to weights. Received: {class_weight}")
    table = torch.ones(int(max(class_weight, default=0)) + 1, dtype=torch_dtype(floatx()), device=y.device)
    for label, weight in class_weight.items():
        table[int(label)] = float(weight)
    known = labels.clamp(0, len(table) - 1)
    weights = torch.where(labels < len(table), table[known], torch.ones_like(table[known]))
    return weights if sample_weight is None else weights * sample_weight.reshape(len(y))


def split_validation(
    x: Any, y: Any, sample_weight: Any, validation_split: float, text: bool = False
) -> tuple[tuple, tuple]:
    """The first records for training, the last `validation_split` of them for validation."""
    is_number = isinstance(validation_split, (int, float, np.number)) and not isinstance(
        validation_split, bool
    )
    if not is_number or not 0 < validation_split < 1:
        raise ValueError(f"`validation_split` must be between 0 and 1. Received: {validation_split!r}")
    if not is_array_structure(x):
        raise ValueError(
            f"`validation_split` works on arrays only, `x` is a {type(x).__name__}: pass `validation_data` instead."
        )
    named = ((x, "x"), (y, "y"), (sample_weight, "sample_weight"))
    parts = [_to_tensors(part, name, text) for part, name in named]
    count = count_rows(parts[0], "x")
    for part, name in zip(parts[1:], ("y", "sample_weight"), strict=True):
        if part is not None and count_rows(part, name) != count:
            raise ValueError(
                f"`x` and `{name}` must have the same number of records. Received: {count} and {count_rows(part, name)}"
            )
    cut = math.floor(count * (1 - validation_split))
    if cut == 0 or cut == count:
        raise ValueError(
            f"`validation_split`={validation_split} of {count} records leaves no record for "
            f"{'training' if cut == 0 else 'validation'}."
        )

    def rows(part: Any, start: int, stop: int) -> Any:
        return (
            None if part is None else tree.map_structure(lambda t: None if t is None else t[start:stop], part)
        )

    return tuple(rows(part, 0, cut) for part in parts), tuple(rows(part, cut, count) for part in parts)


def refuse_nan(data: Any) -> None:
    """Raise where in-memory inputs hold NaN or infinity: the check that "
    "`kerasish.config.enable_nan_check()` asks for."""
    for name, tensor in data.named_tensors() if isinstance(data, ArrayData) else ():
        if not tensor.is_floating_point():
            continue
        finite = torch.isfinite(tensor).reshape(len(tensor), -1).all(dim=1)
        if not bool(finite.all()):
            raise ValueError(
                f"`{name}` holds NaN or infinity, first in record {int((~finite).nonzero()[0])}. Remove or "
                "replace such values (`np.nan_to_num`, `sklearn.impute.SimpleImputer`)."
            )
