"""Windows of a time series as a data set."""

# T time steps, L length of a window

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from kerasish.arrays import is_array
from kerasish.errors import received
from kerasish.preprocessing.dataset import Dataset, new_seed
from kerasish.preprocessing.image_dataset import check_format


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Dataset:
    """A data set of windows `data[i], data[i + r], …, data[i + (L − 1) r]` with the targets `targets[i]`.

    Args:
        data: array of successive time steps.
        targets: array with the target of the window that begins at each time step, or None.
        sequence_length: time steps in a window, L.
        sequence_stride: time steps between the beginnings of windows.
        sampling_rate: time steps between the entries of a window, r.
        batch_size: windows in a batch; None for single windows.
        shuffle: another order in each epoch.
        seed: fixes the orders.
        start_index: the first time step to use.
        end_index: the time step before which to end.
        format: has to be `"tf"`; the data set is a kerasish `Dataset` with tf.data's methods.

    Shapes:
        data `(T, ...)` → windows `(B, L, ...)`; targets `(T, ...)` → `(B, ...)`.

    Raises:
        ValueError: an argument is wrong, or the data is shorter than one window.

    Example:
        >>> dataset = timeseries_dataset_from_array(np.arange(6), np.arange(6) + 10, sequence_length=3, batch_size=2)
        >>> [(x.tolist(), y.tolist()) for x, y in dataset]
        [([[0, 1, 2], [1, 2, 3]], [10, 11]), ([[2, 3, 4], [3, 4, 5]], [12, 13])]
    """
    check_format(format)
    values = _as_tensor("data", data)
    wanted = None if targets is None else _as_tensor("targets", targets)
    count = len(values)
    for name, value in (
        ("sequence_length", sequence_length),
        ("sequence_stride", sequence_stride),
        ("sampling_rate", sampling_rate),
        ("batch_size", 1 if batch_size is None else batch_size),
    ):
        if not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
    first = 0 if start_index is None else start_index
    end = count if end_index is None else end_index
    if not 0 <= first < end <= count:
        raise ValueError(
            f"`start_index` and `end_index` must satisfy 0 ≤ start_index < end_index ≤ {count}, the length of `data`. "
            f"Received: start_index={start_index}, end_index={end_index}"
        )
    reach = (sequence_length - 1) * sampling_rate  # from the first entry of a window to its last
    starts = torch.arange(first, max(first, end - reach), sequence_stride)
    if wanted is not None:
        starts = starts[starts < len(wanted)]
    if not len(starts):
        raise ValueError(
            f"A window of {sequence_length} time steps at sampling_rate={sampling_rate} reaches over {reach + 1} time "
            f"steps. Received: {end - first} time steps{'' if wanted is None else f', {len(wanted)} targets'}"
        )
    steps = torch.arange(sequence_length) * sampling_rate
    orders = random.Random(seed)

    def start() -> Iterator:
        order = starts
        if shuffle:
            draws = orders if seed is not None else random.Random(new_seed())
            order = starts[torch.tensor(draws.sample(range(len(starts)), len(starts)))]
        for places in order.split(batch_size or 1):
            windows = values[places[:, None] + steps]
            if batch_size is None:
                windows, places = windows[0], places[0]
            yield windows if wanted is None else (windows, wanted[places])

    return Dataset(start, -(-len(starts) // (batch_size or 1)))


def _as_tensor(name: str, x: Any) -> torch.Tensor:
    if not is_array(x):
        raise TypeError(f"`{name}` must be an array. Received: {received(x)}")
    tensor = x.detach().cpu() if isinstance(x, torch.Tensor) else torch.as_tensor(np.array(x))
    if not tensor.dim():
        raise ValueError(f"`{name}` must have an axis of time steps. Received: {received(x)}")
    return tensor
