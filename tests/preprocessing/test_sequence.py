from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kerasish
from kerasish.preprocessing.sequence import (
    TimeseriesGenerator,
    make_sampling_table,
    pad_sequences,
    skipgrams,
)


@given(st.lists(st.lists(st.integers(1, 9), max_size=6), max_size=5), st.integers(0, 8))
def test_padding_keeps_the_ends(sequences, maxlen):
    front = pad_sequences(sequences, maxlen)
    back = pad_sequences(sequences, maxlen, padding="post", truncating="post")
    assert front.shape == back.shape == (len(sequences), maxlen)
    for row, other, sequence in zip(front, back, sequences, strict=True):
        kept = min(maxlen, len(sequence))
        assert row[maxlen - kept :].tolist() == sequence[len(sequence) - kept :]
        assert other[:kept].tolist() == sequence[:kept]
        assert not row[: maxlen - kept].any() and not other[kept:].any()


@pytest.mark.parametrize(
    ("args", "kind", "message"),
    [
        ((3,), TypeError, "must be a list of sequences"),
        (([[1], 2],), TypeError, "entry 1 is 2"),
        (([[1]], -1), ValueError, "`maxlen` must be"),
        (([["a"]], None, "int32", "pre", "pre", "x"), ValueError, "Strings need `dtype=object`"),
        (([[1]], None, "int32", "left"), ValueError, "`padding` must be 'pre' or 'post'"),
        (([[1]], None, "int32", "pre", "left"), ValueError, "`truncating` must be"),
        (
            ([np.ones((2, 3)), np.ones((2, 4))],),
            ValueError,
            r"\(3,\) as in the first. Received: \(4,\) in sequence 1",
        ),
    ],
)
def test_bad_sequences(args, kind, message):
    with pytest.raises(kind, match=message):
        pad_sequences(*args)


def test_windows_of_a_series():
    series = np.arange(10)
    windows = TimeseriesGenerator(series, series * 10, length=4, sampling_rate=2, batch_size=3)
    assert len(windows) == 2
    x, y = windows[1]
    assert x.tolist() == [[3, 5], [4, 6], [5, 7]] and y.tolist() == [70, 80, 90]
    assert windows.get_config()["data"] == str(series.tolist())
    assert '"class_name": "TimeseriesGenerator"' in windows.to_json()


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [({"length": 10}, "No window fits"), ({"length": 2, "targets": np.arange(9)}, "the same length")],
)
def test_bad_windows(kwargs, message):
    with pytest.raises(ValueError, match=message):
        TimeseriesGenerator(**{"data": np.arange(10), "targets": np.arange(10), **kwargs})


def test_fit_takes_windows():
    series = np.sin(np.arange(60) / 5).astype("float32")
    model = kerasish.Sequential([kerasish.Input((4,)), kerasish.layers.Dense(1)])
    model.compile(kerasish.optimizers.Adam(0.1), "mse")
    losses = model.fit(TimeseriesGenerator(series, series, 4, batch_size=8), epochs=15, verbose=0).history[
        "loss"
    ]
    assert losses[-1] < 0.1 * losses[0]


def test_sampling_table_rises_to_one():
    table = make_sampling_table(100_000)
    assert table[0] == table[1] < 0.01 and np.all(np.diff(table) >= 0) and table[-1] == 1


def test_pairs_are_neighbours():
    couples, labels = skipgrams([1, 2, 0, 3], 10, window_size=1, negative_samples=0)
    assert sorted(map(tuple, couples)) == [(1, 2), (2, 1)] and labels == [1, 1]
    couples, labels = skipgrams([1, 2, 3], 10, window_size=2, seed=0)
    assert labels.count(1) == labels.count(0) == 6
    assert skipgrams([], 10) == ([], [])
