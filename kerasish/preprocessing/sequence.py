"""Sequences: padded to one length, cut into windows, turned into pairs of words."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np

from kerasish.errors import received
from kerasish.training.data.py_dataset import PyDataset


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Give all sequences the same length: longer ones are cut, shorter ones filled up with `value`.

    Args:
        sequences: list of sequences, whose entries are numbers or arrays of one shape.
        maxlen: the length; that of the longest sequence by default.
        dtype: dtype of the result; `object` for strings.
        padding: `"pre"` fills up in front, `"post"` at the end.
        truncating: `"pre"` cuts in front, `"post"` at the end.
        value: what is filled in.

    Shapes:
        → `(len(sequences), maxlen, ...)`.

    Raises:
        ValueError: the entries differ in shape, or an argument is wrong.
        TypeError: `sequences` holds no sequences.

    Example:
        >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
        array([[0, 1],
               [2, 3],
               [5, 6]], dtype=int32)
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in ("pre", "post"):
            raise ValueError(f"`{name}` must be 'pre' or 'post'. Received: {name}={side!r}")
    if not hasattr(sequences, "__len__"):
        raise TypeError(f"`sequences` must be a list of sequences. Received: {received(sequences)}")
    for i, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__"):
            raise TypeError(
                "`sequences` must be a list of sequences, and its entries too. "
                f"Received: entry {i} is {received(sequence)}"
            )
    if maxlen is None:
        maxlen = max(map(len, sequences), default=0)
    if not isinstance(maxlen, (int, np.integer)) or maxlen < 0:
        raise ValueError(f"`maxlen` must be an integer of at least 0. Received: maxlen={maxlen!r}")
    is_text = np.issubdtype(dtype, np.str_)
    if isinstance(value, str) and dtype is not object and not is_text:
        raise ValueError(f"Strings need `dtype=object`. Received: dtype={dtype!r}, value={value!r}")
    entry_shape = next((np.asarray(sequence).shape[1:] for sequence in sequences if len(sequence)), ())
    padded = np.full((len(sequences), maxlen, *entry_shape), value, dtype=dtype)
    for i, sequence in enumerate(sequences):
        kept = sequence[max(0, len(sequence) - maxlen) :] if truncating == "pre" else sequence[:maxlen]
        if not len(kept):
            continue
        kept = np.asarray(kept, dtype=dtype)
        if kept.shape[1:] != entry_shape:
            raise ValueError(
                f"The entries of all sequences must have the same shape, {entry_shape} as in the first. "
                f"Received: {kept.shape[1:]} in sequence {i}"
            )
        if padding == "post":
            padded[i, : len(kept)] = kept
        else:
            padded[i, maxlen - len(kept) :] = kept
    return padded


class TimeseriesGenerator(PyDataset):
    """Batches of windows of a time series, each with the target of the time step that follows it.

    Args:
        data: array or list of successive time steps.
        targets: the target of every time step, as long as `data`.
        length: time steps that a window reaches over.
        sampling_rate: time steps between the entries of a window.
        stride: time steps between windows.
        start_index: the first time step to use.
        end_index: the last time step to use; the last one by default.
        shuffle: draw windows at random, with repetition.
        reverse: turn every window round.
        batch_size: windows in a batch.

    Shapes:
        data `(T, ...)` → `(B, length / sampling_rate, ...)`, targets `(B, ...)`, NumPy arrays.

    Raises:
        ValueError: lengths differ, or the data is shorter than one window.

    Example:
        >>> windows = TimeseriesGenerator(np.arange(5), np.arange(5), length=3)
        >>> windows[0]
        (array([[0, 1, 2],
               [1, 2, 3]]), array([3, 4]))
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
    ) -> None:
        super().__init__()
        if len(data) != len(targets):
            raise ValueError(
                "`data` and `targets` must have the same length: shift the targets yourself. "
                f"Received: {len(data)} and {len(targets)}"
            )
        self.data = data
        self.targets = targets
        self.length = length
        self.sampling_rate = sampling_rate
        self.stride = stride
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle = shuffle
        self.reverse = reverse
        self.batch_size = batch_size
        if self.start_index > self.end_index:
            raise ValueError(
                f"No window fits: `start_index + length`, {self.start_index}, lies behind `end_index`, "
                f"{self.end_index}. Received: {len(data)} time steps"
            )

    def __len__(self) -> int:
        windows = (self.end_index - self.start_index) // self.stride + 1
        return -(-windows // self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        if self.shuffle:
            rows = np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        else:
            first = self.start_index + self.batch_size * self.stride * index
            last = min(first + self.batch_size * self.stride, self.end_index + 1)
            rows = np.arange(first, last, self.stride)
        windows = np.array([self.data[row - self.length : row : self.sampling_rate] for row in rows])
        targets = np.array([self.targets[row] for row in rows])
        return (windows[:, ::-1, ...] if self.reverse else windows), targets

    def get_config(self) -> dict[str, Any]:
        """The arguments, with data and targets as JSON texts."""
        texts = {}
        for name, values in (("data", self.data), ("targets", self.targets)):
            values = values.tolist() if isinstance(values, np.ndarray) else values
            try:
                texts[name] = json.dumps(values)
            except TypeError as error:
                raise TypeError(
                    f"`{name}` cannot be written as JSON. Received: {received(values)}"
                ) from error
        return {
            "data": texts["data"],
            "targets": texts["targets"],
            "length": self.length,
            "sampling_rate": self.sampling_rate,
            "stride": self.stride,
            "start_index": self.start_index,
            "end_index": self.end_index,
            "shuffle": self.shuffle,
            "reverse": self.reverse,
            "batch_size": self.batch_size,
        }

    def to_json(self, **kwargs: Any) -> str:
        """The config as a JSON text; `kwargs` go to `json.dumps`."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> np.ndarray:
    """The probability with which the word of each rank is kept: `min(1, √(s/f) )`, `f` its frequency.

    `f` follows Zipf's law, `1 / (rank · (ln rank + γ) + 1/2 − 1 / (12 · rank))` with γ = 0.577, and `s` is
    `sampling_factor`.

    Args:
        size: words in the vocabulary; word 0 counts as the first.
        sampling_factor: smaller values drop more of the frequent words.

    Shapes:
        → `(size,)`.

    Source: Mikolov et al., Distributed representations of words and phrases, 2013, section 2.3.
    """
    rank = np.arange(size)
    rank[:1] = 1
    inverse_frequency = rank * (np.log(rank) + 0.577) + 0.5 - 1.0 / (12.0 * rank)
    scaled = sampling_factor * inverse_frequency
    return np.minimum(1.0, scaled / np.sqrt(scaled))


def skipgrams(
    sequence: Any,
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Any = None,
    seed: int | None = None,
) -> tuple[list[list[int]], list[Any]]:
    """Pairs of a word and one of its neighbours, label 1, and of a word and a random one, label 0.

    Args:
        sequence: word numbers; 0 is no word and is left out.
        vocabulary_size: the largest word number + 1.
        window_size: how far neighbours are apart at most.
        negative_samples: random pairs for each true one.
        shuffle: mix the pairs.
        categorical: labels `[1, 0]` and `[0, 1]` instead of 0 and 1.
        sampling_table: probability of keeping each word, see `make_sampling_table`.
        seed: fixes the mixing; the other draws follow Python's `random.seed`.

    Returns:
        the pairs and their labels, lists.

    Source: Mikolov et al., Efficient estimation of word representations in vector space, 2013.
    """
    couples: list[list[int]] = []
    labels: list[Any] = []
    for i, word in enumerate(sequence):
        if not word:
            continue
        if sampling_table is not None and sampling_table[word] < random.random():
            continue
        for j in range(max(0, i - window_size), min(len(sequence), i + window_size + 1)):
            if j != i and sequence[j]:
                couples.append([word, sequence[j]])
                labels.append([0, 1] if categorical else 1)
    if negative_samples > 0:
        words = [couple[0] for couple in couples]
        random.shuffle(words)
        couples += [
            [words[i % len(words)], random.randint(1, vocabulary_size - 1)]
            for i in range(int(len(labels) * negative_samples))
        ]
        labels += [[1, 0] if categorical else 0] * int(len(labels) * negative_samples)
    if shuffle:
        seed = random.randint(0, 10**7) if seed is None else seed
        for values in (couples, labels):
            random.seed(seed)
            random.shuffle(values)
    return couples, labels
